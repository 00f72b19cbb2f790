//! One `EntityDescriptor` (saml-metadata §2.3.2) as a service provider, or as an identity provider.
//!
//! Read at their places and nowhere else; what is not for that role of SAML 2.0 is passed over, what is wrong
//! with it ends the reading. Must never make up what is not there.

use std::time::Duration;

use super::address::{endpoint, page};
use super::label::{in_language, short};
use super::{ServiceProvider, duration, key, moment};
use crate::base::time::Timestamp;
use crate::domain::saml_entity::{AssertionConsumer, Binding, LogoutService};
use crate::domain::upstream::SignOnService;
use crate::saml::xml::{Namespace, Node};

/// saml-metadata §2.4.1: the protocol of SAML 2.0.
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// Entity categories (RFC 8409 §4.1).
const CATEGORY: &str = "http://macedir.org/entity-category";
/// saml-metadata §2.2.1.
const LONGEST_ENTITY_ID: usize = 1024;
/// The most of anything that an entity lists.
const MOST: usize = 500;

/// What an operator lets pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Addresses without TLS that are not on the loopback.
    pub http_addresses: bool,
}

/// A service provider, and how long what is said of it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadEntity {
    /// What it is.
    pub provider: ServiceProvider,
    /// Its end.
    pub valid_until: Option<Timestamp>,
    /// How long it may be kept without asking again.
    pub cache_duration: Option<Duration>,
}

/// Why an entity is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The element is not an `EntityDescriptor`.
    #[error("it is not an EntityDescriptor")]
    NotAnEntity,
    /// It has no name, or one that is none (saml-metadata §2.2.1).
    #[error("its entityID is missing, longer than 1024 characters, or holds spaces")]
    EntityId,
    /// It is over.
    #[error("its validUntil has passed: {0}")]
    Expired(Timestamp),
    /// An instant or a duration that is none.
    #[error("its {0} cannot be read")]
    Moment(&'static str),
    /// Nothing in it is a service provider of SAML 2.0.
    #[error("it is not a service provider of SAML 2.0")]
    NotAService,
    /// Nothing in it is an identity provider of SAML 2.0.
    #[error("it is not an identity provider of SAML 2.0")]
    NotAProvider,
    /// More than one role of that kind: who is to be answered, or believed, is not to be seen.
    #[error("it has more than one role of that kind for SAML 2.0")]
    TwoRoles,
    /// Nowhere to send requests.
    #[error("it has no SingleSignOnService for HTTP-Redirect or HTTP-POST")]
    NoSignOn,
    /// Nowhere to send assertions by form.
    #[error("it has no AssertionConsumerService for HTTP-POST")]
    NoConsumer,
    /// An assertion consumer whose number is missing, or another's (saml-metadata §2.2.3).
    #[error("an AssertionConsumerService has no index, or one that another has")]
    Index,
    /// A value of an attribute that is neither true nor false.
    #[error("its {0} is neither true nor false")]
    Boolean(&'static str),
    /// An address that nothing may be sent to.
    #[error("an address that is not https, or holds user information or a fragment: {0}")]
    Address(String),
    /// A key that is not used.
    #[error("a key: {0}")]
    Key(&'static str),
    /// More than any honest entity has.
    #[error("it has too many {0}")]
    TooMany(&'static str),
    /// More bytes than are read of one entity.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// Another entity of the document has the same name: neither is used.
    #[error("another entity has the same entityID")]
    Repeated,
    /// Its XML is refused.
    #[error("{0}")]
    Xml(#[from] crate::saml::xml::Fault),
}

/// Reads an entity.
///
/// # Errors
/// Why it is not used.
pub fn read(entity: Node<'_>, allowed: Allowed, now: Timestamp) -> Result<ReadEntity, Unusable> {
    if !entity.is(Namespace::Md, "EntityDescriptor") {
        return Err(Unusable::NotAnEntity);
    }
    let mut provider = ServiceProvider {
        entity_id: entity_id(entity)?.to_owned(),
        ..ServiceProvider::default()
    };
    let role = role(entity, "SPSSODescriptor")?;
    let (valid_until, cache_duration) = holds(entity, role, now)?;
    key::take(role, &mut provider)?;
    provider.assertion_consumers = consumers(role, allowed)?;
    provider.logout_services = logout(role, allowed)?;
    provider.name_id_formats = texts(role, "NameIDFormat")?;
    provider.signs_requests = truth(role, "AuthnRequestsSigned")?.unwrap_or(false);
    provider.wants_signed_assertions = truth(role, "WantAssertionsSigned")?.unwrap_or(false);
    provider.requested_attributes = requested(role)?;
    describe(entity, role, &mut provider)?;
    Ok(ReadEntity {
        provider,
        valid_until,
        cache_duration,
    })
}

/// An identity provider, and how long what is said of it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadProvider {
    /// Its entityID, byte for byte.
    pub entity_id: String,
    /// The keys it signs with: SubjectPublicKeyInfo, DER, in base64. Never empty.
    pub signing_keys: Vec<String>,
    /// Where requests go (saml-metadata §2.4.3), in its order. Never empty.
    pub sign_on: Vec<SignOnService>,
    /// Where logout messages go.
    pub logout: Vec<LogoutService>,
    /// Whether it says that it takes signed requests only.
    pub wants_signed_requests: bool,
    /// The first end of a certificate that it signs with; for a warning, nothing else.
    pub certificate_ends: Option<Timestamp>,
    /// Its end.
    pub valid_until: Option<Timestamp>,
    /// How long it may be kept without asking again.
    pub cache_duration: Option<Duration>,
}

/// Reads an entity as an identity provider of SAML 2.0. One without a key that signs is none: whoever skipped the signature
/// then would believe anybody.
///
/// # Errors
/// Why it is not used.
pub fn read_provider(entity: Node<'_>, allowed: Allowed, now: Timestamp) -> Result<ReadProvider, Unusable> {
    if !entity.is(Namespace::Md, "EntityDescriptor") {
        return Err(Unusable::NotAnEntity);
    }
    let entity_id = entity_id(entity)?.to_owned();
    let role = role(entity, "IDPSSODescriptor")?;
    let (valid_until, cache_duration) = holds(entity, role, now)?;
    let mut keys = ServiceProvider::default();
    key::take(role, &mut keys)?;
    if keys.signing_keys.is_empty() {
        return Err(Unusable::Key("it has none that signs"));
    }
    let mut sign_on = Vec::new();
    for node in role.children_named(Namespace::Md, "SingleSignOnService") {
        let binding = node.attribute("Binding").and_then(|text| text.parse().ok());
        let Some(binding) = binding else { continue };
        sign_on.push(SignOnService {
            binding,
            location: endpoint(node.attribute("Location").unwrap_or_default(), allowed)?,
        });
        if sign_on.len() > MOST {
            return Err(Unusable::TooMany("sign-on services"));
        }
    }
    if sign_on.is_empty() {
        return Err(Unusable::NoSignOn);
    }
    Ok(ReadProvider {
        entity_id,
        signing_keys: keys.signing_keys,
        sign_on,
        logout: logout(role, allowed)?,
        wants_signed_requests: truth(role, "WantAuthnRequestsSigned")?.unwrap_or(false),
        certificate_ends: key::first_end(role),
        valid_until,
        cache_duration,
    })
}

/// How long an entity and its role hold; refused where they hold no more.
fn holds(
    entity: Node<'_>,
    role: Node<'_>,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Duration>), Unusable> {
    let (mut valid_until, mut cache_duration) = (None, None);
    for node in [entity, role] {
        let (end, cache) = life(node)?;
        valid_until = earlier(valid_until, end);
        cache_duration = earlier(cache_duration, cache);
    }
    match valid_until.filter(|end| *end <= now) {
        Some(end) => Err(Unusable::Expired(end)),
        None => Ok((valid_until, cache_duration)),
    }
}

/// The name of an entity (saml-metadata §2.2.1).
pub(super) fn entity_id(entity: Node<'_>) -> Result<&str, Unusable> {
    let id = entity.attribute("entityID").unwrap_or_default();
    let is_sound = !id.is_empty()
        && id.chars().count() <= LONGEST_ENTITY_ID
        && !id
            .chars()
            .any(|symbol| symbol.is_whitespace() || symbol.is_control());
    is_sound.then_some(id).ok_or(Unusable::EntityId)
}

/// `validUntil` and `cacheDuration` of an element.
pub(super) fn life(node: Node<'_>) -> Result<(Option<Timestamp>, Option<Duration>), Unusable> {
    let end = node
        .attribute("validUntil")
        .map(|text| moment(text).ok_or(Unusable::Moment("validUntil")));
    let cache = node
        .attribute("cacheDuration")
        .map(|text| duration(text).ok_or(Unusable::Moment("cacheDuration")));
    Ok((end.transpose()?, cache.transpose()?))
}

/// The earlier of two, where there is any.
pub(super) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

fn speaks_saml2(role: &Node<'_>) -> bool {
    let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
    protocols
        .split_ascii_whitespace()
        .any(|protocol| protocol == PROTOCOL)
}

fn role<'d>(entity: Node<'d>, name: &'static str) -> Result<Node<'d>, Unusable> {
    let mut roles = entity.children_named(Namespace::Md, name).filter(speaks_saml2);
    match (roles.next(), roles.next()) {
        (None, _) if name == "IDPSSODescriptor" => Err(Unusable::NotAProvider),
        (None, _) => Err(Unusable::NotAService),
        (Some(role), None) => Ok(role),
        (Some(_), Some(_)) => Err(Unusable::TwoRoles),
    }
}

/// The signing keys of the identity provider that an entity is, where it is one: what others are told of us.
pub(super) fn idp_keys(entity: Node<'_>) -> Vec<String> {
    let role = entity
        .children_named(Namespace::Md, "IDPSSODescriptor")
        .find(speaks_saml2);
    let mut read = ServiceProvider::default();
    match role.map(|role| key::take(role, &mut read)) {
        Some(Ok(())) => read.signing_keys,
        Some(Err(_)) | None => Vec::new(),
    }
}

fn truth(node: Node<'_>, name: &'static str) -> Result<Option<bool>, Unusable> {
    match node.attribute(name).map(str::trim) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Unusable::Boolean(name)),
    }
}

fn consumers(role: Node<'_>, allowed: Allowed) -> Result<Vec<AssertionConsumer>, Unusable> {
    let mut found: Vec<AssertionConsumer> = Vec::new();
    for node in role.children_named(Namespace::Md, "AssertionConsumerService") {
        if node.attribute("Binding") != Some(Binding::Post.as_str()) {
            continue;
        }
        let index = node.attribute("index").and_then(|text| text.trim().parse().ok());
        let index = index.ok_or(Unusable::Index)?;
        if found.iter().any(|known| known.index == index) {
            return Err(Unusable::Index);
        }
        found.push(AssertionConsumer {
            location: endpoint(node.attribute("Location").unwrap_or_default(), allowed)?,
            index,
            is_default: truth(node, "isDefault")?,
        });
    }
    match found.len() {
        0 => Err(Unusable::NoConsumer),
        1..=MOST => Ok(found),
        _ => Err(Unusable::TooMany("assertion consumers")),
    }
}

fn logout(role: Node<'_>, allowed: Allowed) -> Result<Vec<LogoutService>, Unusable> {
    let mut found = Vec::new();
    for node in role.children_named(Namespace::Md, "SingleLogoutService") {
        let binding = node.attribute("Binding").and_then(|text| text.parse().ok());
        let Some(binding) = binding else { continue };
        let elsewhere = node.attribute("ResponseLocation");
        found.push(LogoutService {
            binding,
            location: endpoint(node.attribute("Location").unwrap_or_default(), allowed)?,
            response_location: elsewhere.map(|text| endpoint(text, allowed)).transpose()?,
        });
        if found.len() > MOST {
            return Err(Unusable::TooMany("logout services"));
        }
    }
    Ok(found)
}

fn texts(parent: Node<'_>, name: &'static str) -> Result<Vec<String>, Unusable> {
    let mut found: Vec<String> = Vec::new();
    for node in parent.children_named(Namespace::Md, name) {
        let text = short(node.text().unwrap_or_default());
        if !text.is_empty() && !found.contains(&text) {
            found.push(text);
        }
        if found.len() > MOST {
            return Err(Unusable::TooMany(name));
        }
    }
    Ok(found)
}

fn requested(role: Node<'_>) -> Result<Vec<String>, Unusable> {
    let mut found: Vec<String> = Vec::new();
    for service in role.children_named(Namespace::Md, "AttributeConsumingService") {
        for attribute in service.children_named(Namespace::Md, "RequestedAttribute") {
            let name = short(attribute.attribute("Name").unwrap_or_default());
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
            if found.len() > MOST {
                return Err(Unusable::TooMany("requested attributes"));
            }
        }
    }
    Ok(found)
}

/// What people are told of it, and where it comes from.
fn describe(entity: Node<'_>, role: Node<'_>, out: &mut ServiceProvider) -> Result<(), Unusable> {
    let info = role
        .child(Namespace::Md, "Extensions")
        .and_then(|extensions| extensions.child(Namespace::Mdui, "UIInfo"));
    let service = role.child(Namespace::Md, "AttributeConsumingService");
    let name = |language: Option<&str>| {
        let shown = info.and_then(|info| in_language(info, Namespace::Mdui, "DisplayName", language));
        let named = || service.and_then(|one| in_language(one, Namespace::Md, "ServiceName", language));
        shown.or_else(named).map(short)
    };
    out.display_name = name(Some("fr")).or_else(|| name(None));
    out.display_name_en = name(Some("en"));
    let privacy = |language| {
        info.and_then(|info| in_language(info, Namespace::Mdui, "PrivacyStatementURL", language))
            .and_then(page)
    };
    out.privacy_url = privacy(Some("fr")).or_else(|| privacy(None));
    let Some(extensions) = entity.child(Namespace::Md, "Extensions") else {
        return Ok(());
    };
    out.registration_authority = extensions
        .child(Namespace::Mdrpi, "RegistrationInfo")
        .and_then(|info| info.attribute("registrationAuthority"))
        .map(short);
    let categories = extensions
        .children_named(Namespace::Mdattr, "EntityAttributes")
        .flat_map(|attributes| attributes.children_named(Namespace::Saml, "Attribute"))
        .filter(|attribute| attribute.attribute("Name") == Some(CATEGORY))
        .flat_map(|attribute| attribute.children_named(Namespace::Saml, "AttributeValue"));
    for value in categories {
        let text = short(value.text().unwrap_or_default());
        if !text.is_empty() && !out.categories.contains(&text) {
            out.categories.push(text);
        }
        if out.categories.len() > MOST {
            return Err(Unusable::TooMany("categories"));
        }
    }
    Ok(())
}
