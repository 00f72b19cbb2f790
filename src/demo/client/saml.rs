//! A demo service as a SAML service provider: it fetches Marelle's metadata, asks by the Redirect binding, believes what is
//! signed (`saml::service_provider`), and takes part in single logout.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Arrival, ClientError, Fields, Login, Registration, Told, field, wrong};
use crate::base::random::SystemRandom;
use crate::base::time::{Clock, SystemClock};
use crate::flows::declaration::DeclaredParty;
use crate::flows::declaration::file::Reader;
use crate::flows::outbound::{Outbound, Reach};
use crate::jose;
use crate::saml::incoming::Incoming;
use crate::saml::message::{Header, new_id};
use crate::saml::name_id::issuer;
use crate::saml::service_provider::{Expected, Named, Request, accept, request};
use crate::saml::status::Status;
use crate::saml::wire;
use crate::saml::xml::{Document, Element, Limits, Namespace, Node};
use crate::saml::xmlsec::redirect::{self, Kind};
use crate::saml::xmlsec::{Certificate, PrivateKey, PublicKey, SelfSigned};

/// The subject of the sector, the same as by any other protocol (saml-core §8.3.7).
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A service provider.
#[derive(Clone)]
pub(in crate::demo) struct Client {
    registration: Registration,
    key: PrivateKey,
    outbound: Arc<dyn Outbound>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("saml::Client").finish_non_exhaustive()
    }
}

/// What it needs of Marelle's metadata.
struct Provider {
    entity_id: String,
    keys: Vec<PublicKey>,
    sso: String,
    slo: String,
}

impl Client {
    /// A service provider with a key of its own, that fetches metadata by `outbound`.
    pub(in crate::demo) fn new(
        registration: Registration,
        outbound: Arc<dyn Outbound>,
    ) -> anyhow::Result<Self> {
        let key = jose::PrivateKey::generate(jose::Algorithm::Rs256)?;
        Ok(Self {
            registration,
            key: PrivateKey::from_pkcs8(&key.to_pkcs8()?)?,
            outbound,
        })
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Its entityID.
    fn entity_id(&self) -> String {
        format!("{}/metadata", self.registration.url)
    }

    /// What Marelle is told of it: a declaration, with its metadata, as any partner's.
    pub(in crate::demo) fn declared(&self) -> anyhow::Result<DeclaredParty> {
        let (id, entity_id) = (&self.registration.id, self.entity_id());
        let text = format!(
            "[[relying_party]]\nid = \"{id}\"\nname = \"{id}\"\n[relying_party.saml]\nentity_id = \"{entity_id}\"\n\
             metadata_file = \"metadata.xml\"\nname_id_format = \"{PERSISTENT}\"\n"
        );
        let metadata = self.metadata()?.write();
        let mut reader = Reader::default();
        reader.add(&text, &|_| Ok(metadata.clone()))?;
        let declared = reader.finish().relying_parties.into_iter().next();
        declared.ok_or_else(|| anyhow::anyhow!("no party was declared"))
    }

    /// Its metadata: one key for all, answers by form, logout by address.
    fn metadata(&self) -> anyhow::Result<Element> {
        let now = SystemClock.now();
        let said = SelfSigned {
            name: &self.registration.id,
            serial: [1; 16],
            not_before: now,
            not_after: now.plus(YEAR),
        };
        let certificate = Certificate::self_signed(&self.key, &said)?.to_base64()?;
        let ds = |name: &'static str| Element::new(Namespace::Ds, name);
        let key = ds("KeyInfo").child(ds("X509Data").child(ds("X509Certificate").text(certificate)));
        let at = |name: &'static str, binding: &str, location: String| {
            Element::new(Namespace::Md, name)
                .attribute(
                    "Binding",
                    format!("urn:oasis:names:tc:SAML:2.0:bindings:{binding}"),
                )
                .attribute("Location", location)
        };
        let consumer = at(
            "AssertionConsumerService",
            "HTTP-POST",
            self.registration.callback(),
        );
        let role = Element::new(Namespace::Md, "SPSSODescriptor")
            .attribute("AuthnRequestsSigned", "true")
            .attribute("protocolSupportEnumeration", Namespace::Samlp.uri())
            .child(Element::new(Namespace::Md, "KeyDescriptor").child(key))
            .child(at(
                "SingleLogoutService",
                "HTTP-Redirect",
                self.registration.told(),
            ))
            .child(consumer.attribute("index", "0").attribute("isDefault", "true"));
        Ok(Element::new(Namespace::Md, "EntityDescriptor")
            .attribute("entityID", self.entity_id())
            .child(role))
    }

    async fn provider(&self) -> Result<Provider, ClientError> {
        let request = http::Request::get(format!("{}/saml/metadata", self.registration.issuer));
        // The provider is this machine.
        let request = request.extension(Reach::Anywhere).body(Vec::new());
        let request = request.map_err(|error| wrong("metadata")(&error))?;
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| wrong("metadata")(&error))?;
        let document = Document::read(answer.body(), &Limits::METADATA);
        let document = document.map_err(|error| wrong("metadata")(&error))?;
        provider(document.root()).ok_or_else(|| ClientError("metadata: no identity provider".to_owned()))
    }

    /// A message in an address, signed.
    fn send(
        &self,
        to: &str,
        kind: Kind,
        message: &Element,
        relay_state: Option<&str>,
    ) -> Result<String, ClientError> {
        let query = redirect::write(kind, &message.write(), relay_state, Some(&self.key));
        let query = query.map_err(|error| wrong("signature")(&error))?;
        Ok(format!("{to}?{query}"))
    }

    pub(super) async fn begin(&self) -> Result<(String, String), ClientError> {
        let provider = self.provider().await?;
        let id = new_id(&SystemRandom);
        let message = request(Request {
            id: &id,
            issuer: &self.entity_id(),
            destination: &provider.sso,
            assertion_consumer: &self.registration.callback(),
            force_authn: false,
            name_id_format: None,
            authn_context: &[],
            now: SystemClock.now(),
        });
        Ok((self.send(&provider.sso, Kind::Request, &message, None)?, id))
    }

    pub(super) async fn finish(
        &self,
        fields: &Fields,
        request: &str,
    ) -> Result<Option<Arrival>, ClientError> {
        let Some(response) = field(fields, "SAMLResponse") else {
            return Ok(None);
        };
        let bytes = wire::from_form(response, Limits::MESSAGE.bytes);
        let bytes = bytes.map_err(|error| wrong("response")(&error))?;
        let provider = self.provider().await?;
        let expected = Expected {
            issuer: &provider.entity_id,
            keys: &provider.keys,
            decryption_keys: std::slice::from_ref(&self.key),
            random: &SystemRandom,
            audience: &self.entity_id(),
            recipient: &self.registration.callback(),
            in_response_to: Some(request),
            now: SystemClock.now(),
        };
        let asserted = accept(&bytes, &expected).map_err(|error| wrong("response")(&error))?;
        let mut claims = Map::new();
        for attribute in &asserted.attributes {
            let value = match attribute.values.as_slice() {
                [one] => Value::from(one.as_str()),
                several => Value::from(several.to_vec()),
            };
            claims.insert(attribute.name.clone(), value);
        }
        Ok(Some(Arrival {
            sub: asserted.name.value.clone(),
            claims,
            login: Login::Name {
                session: asserted.session_index.unwrap_or_default(),
                name: asserted.name,
            },
        }))
    }

    pub(super) async fn leave(&self, name: &Named, session: &str) -> Result<String, ClientError> {
        let provider = self.provider().await?;
        let message = self
            .message("LogoutRequest", &provider.slo)
            .child(issuer(&self.entity_id()))
            .child(name.element())
            .child(Element::new(Namespace::Samlp, "SessionIndex").text(session));
        self.send(&provider.slo, Kind::Request, &message, None)
    }

    fn message(&self, name: &'static str, to: &str) -> Element {
        Element::new(Namespace::Samlp, name)
            .attribute("ID", new_id(&SystemRandom))
            .attribute("Version", "2.0")
            .attribute("IssueInstant", SystemClock.now().to_string())
            .attribute("Destination", to)
    }

    /// A LogoutRequest of Marelle's, to be answered; or its answer to ours, after which the person is at home.
    pub(super) async fn told(&self, query: &str) -> Result<Option<Told>, ClientError> {
        let Ok(incoming) = Incoming::from_query(query) else {
            return Ok(None);
        };
        if incoming.kind == Kind::Response {
            return Ok(Some(Told {
                login: String::new(),
                answer: Some(self.registration.home()),
            }));
        }
        let provider = self.provider().await?;
        let relay_state = incoming.relay_state.clone();
        let believed = incoming.verified("LogoutRequest", &provider.keys, false);
        let believed = believed.map_err(|error| wrong("logout")(&error))?;
        let root = believed.document.root();
        let header = Header::read(root, "LogoutRequest").map_err(|error| wrong("logout")(&error))?;
        let fresh = header.check(&self.registration.told(), true, SystemClock.now());
        fresh.map_err(|error| wrong("logout")(&error))?;
        if header.issuer != provider.entity_id {
            return Err(ClientError("logout: of another provider".to_owned()));
        }
        let index = root.child(Namespace::Samlp, "SessionIndex").and_then(Node::text);
        let answer = self
            .message("LogoutResponse", &provider.slo)
            .attribute("InResponseTo", header.id)
            .child(issuer(&self.entity_id()))
            .child(Status::SUCCESS.element());
        let answer = self.send(&provider.slo, Kind::Response, &answer, relay_state.as_deref())?;
        Ok(Some(Told {
            login: index.unwrap_or_default().to_owned(),
            answer: Some(answer),
        }))
    }
}

fn provider(entity: Node<'_>) -> Option<Provider> {
    let role = entity.child(Namespace::Md, "IDPSSODescriptor")?;
    let signs = |key: &Node<'_>| key.attribute("use") != Some("encryption");
    let certificate = |key: Node<'_>| {
        let data = key
            .child(Namespace::Ds, "KeyInfo")?
            .child(Namespace::Ds, "X509Data")?;
        let text = data.child(Namespace::Ds, "X509Certificate")?.text()?;
        Certificate::from_base64(text).ok()?.public_key().ok()
    };
    let by_redirect = |name: &str| {
        let redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
        let mut services = role.children_named(Namespace::Md, name);
        let service = services.find(|service| service.attribute("Binding") == Some(redirect))?;
        service.attribute("Location").map(str::to_owned)
    };
    Some(Provider {
        entity_id: entity.attribute("entityID")?.to_owned(),
        keys: role
            .children_named(Namespace::Md, "KeyDescriptor")
            .filter(signs)
            .filter_map(certificate)
            .collect(),
        sso: by_redirect("SingleSignOnService")?,
        slo: by_redirect("SingleLogoutService")?,
    })
}
