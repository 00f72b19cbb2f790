//! Relying parties: who may receive what, about whom, under which identifier.

mod cas;
mod metadata;
mod saml;

use std::fmt;
use std::str::FromStr;

pub use cas::{CasAttribute, CasPreset, CasService, CasSource, ValueFormat};
pub use metadata::{ApplicationType, ClientKeys, ClientMetadata, GrantType, LogoutAddress, SecurityProfile};

pub use saml::{AttributeNames, Encryption, Preset, SamlParty, Signed, Tolerances};

use super::uai::Uai;
use super::upstream::Population;
use super::{InvalidValue, stored_names};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;

/// The identifier of a relying party (its OAuth `client_id`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelyingPartyId(String);

impl RelyingPartyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RelyingPartyId {
    type Err = InvalidValue;

    /// Letters, digits, `-`, `_` and `.`, 1 to 100 of them, not the shape of a person's id (RFC 9700 §4.15: a client
    /// must not be able to look like a user).
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let symbols = |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'_' | b'.');
        let like_a_person = uuid::Uuid::try_parse(text).is_ok();
        if (1..=100).contains(&text.len()) && text.bytes().all(symbols) && !like_a_person {
            Ok(Self(text.to_owned()))
        } else {
            let hint = " (letters, digits, - _ . and not a UUID)";
            Err(InvalidValue {
                kind: "relying party id",
                text: text.to_owned(),
                hint,
            })
        }
    }
}

impl fmt::Display for RelyingPartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An attribute that may be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Given name (`given_name`).
    GivenName,
    /// Usage or family name (`family_name`).
    FamilyName,
    /// Both together (`name`).
    Name,
    /// Login name (`preferred_username`).
    PreferredUsername,
    /// Birth date (`birthdate`).
    BirthDate,
    /// Sex (`gender`).
    Gender,
    /// Language (`locale`).
    Locale,
    /// Address of electronic mail (`email`, with `email_verified`).
    Email,
    /// Telephone number (`phone_number`, with `phone_number_verified`).
    PhoneNumber,
    /// Postal address (`address`).
    Address,
    /// UAI of live enrolments.
    Uai,
    /// Level of live enrolments.
    Level,
    /// Class label of live enrolments.
    Class,
    /// ENT profile of live enrolments.
    Profile,
    /// Key in the directory of an academy (`ENTPersonJointure`), of people whom a feed of the ministry states.
    EntPersonJointure,
    /// The same as EduConnect writes it (`FrEduCtRefId`).
    FrEduCtRefId,
    /// Number in the register of a school, as the older services of the ministry write it (`FrEduVecteur`).
    FrEduVecteur,
}
stored_names!(Attribute, "attribute", {
    GivenName => "given_name", FamilyName => "family_name", Name => "name",
    PreferredUsername => "preferred_username", BirthDate => "birthdate", Gender => "gender", Locale => "locale",
    Email => "email", PhoneNumber => "phone_number", Address => "address",
    Uai => "uai", Level => "level", Class => "class", Profile => "profile",
    EntPersonJointure => "ent_person_jointure", FrEduCtRefId => "fr_edu_ct_ref_id", FrEduVecteur => "fr_edu_vecteur",
});

/// One line of a release policy: an attribute, why it is needed, and under which convention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The attribute.
    pub attribute: Attribute,
    /// The purpose, in words a parent can read.
    pub purpose: String,
    /// The convention it rests on.
    pub convention: String,
}

/// What a relying party receives; nothing else leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleasePolicy(pub Vec<Release>);

impl ReleasePolicy {
    /// Whether an attribute may leave.
    pub fn allows(&self, attribute: Attribute) -> bool {
        self.0.iter().any(|release| release.attribute == attribute)
    }
}

/// On what a service receives data about people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A convention of the public service of education: people are informed, nobody is asked.
    #[default]
    Convention,
    /// The person's own consent: adults are asked, and nobody else is let through.
    Consent,
}
stored_names!(Basis, "basis", { Convention => "convention", Consent => "consent" });

/// How a party came by dynamic registration (RFC 7591, RFC 7592); one that an operator declared has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The id of the policy it was registered under.
    pub policy: String,
    /// Digest of its registration access token.
    pub access_token: Digest,
    /// When.
    pub at: Timestamp,
}

/// How the subject of a person toward a sector is made. Issued values are stored and win ever after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectStrategy {
    /// Keyed hash of sector and identity.
    Pairwise,
    /// A random UUID, kept.
    PersistentUuid,
}
stored_names!(SubjectStrategy, "subject strategy", {
    Pairwise => "pairwise", PersistentUuid => "persistent_uuid",
});

/// How a client proves who it is at the token endpoint (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    SecretBasic,
    /// In the form.
    SecretPost,
    /// An assertion signed by a key of the client (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// A public client: none, PKCE only.
    None,
}
stored_names!(ClientAuthMethod, "token_endpoint_auth_method", {
    SecretBasic => "client_secret_basic", SecretPost => "client_secret_post",
    PrivateKeyJwt => "private_key_jwt", None => "none",
});

/// The algorithm ID Tokens are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}
stored_names!(SigningAlgorithm, "signing algorithm", { Rs256 => "RS256", Es256 => "ES256" });

/// A service that people sign in to with their identity here: by OpenID Connect, SAML or CAS, or by several of them while it
/// moves from one to the other. A person has one subject there, whatever the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// Its id.
    pub id: RelyingPartyId,
    /// Its name, as people are shown it.
    pub name: String,
    /// Where its own pages begin, for a link on the home page.
    pub home: Option<String>,
    /// Exact redirect addresses.
    pub redirect_uris: Vec<String>,
    /// Exact addresses it may send people to after logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// The parties that share its identifiers; its own id where it shares none.
    pub sector: String,
    /// How subjects are made.
    pub subject_strategy: SubjectStrategy,
    /// How it proves who it is.
    pub auth_method: ClientAuthMethod,
    /// Digests of its live secrets (two during a rotation).
    pub secrets: Vec<Digest>,
    /// Whether PKCE may not be left out.
    pub pkce_required: bool,
    /// What ID Tokens are signed with.
    pub id_token_alg: SigningAlgorithm,
    /// What it receives.
    pub release: ReleasePolicy,
    /// The schools it serves; empty means every school.
    pub schools: Vec<Uai>,
    /// Whom it is for: the ways in that people from it are offered. Empty means everybody.
    pub populations: Vec<Population>,
    /// On what it receives data.
    pub basis: Basis,
    /// What it says of itself as an OAuth client, and what it is held to.
    pub metadata: ClientMetadata,
    /// What it is as a SAML service provider, where it is one.
    pub saml: Option<SamlParty>,
    /// What it is as a CAS service, where it is one.
    pub cas: Option<CasService>,
    /// How it was registered, where no operator declared it.
    pub registration: Option<Registration>,
    /// Whether it is in use.
    pub enabled: bool,
}

impl RelyingParty {
    /// Whether it is a public client (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == ClientAuthMethod::None
    }

    /// Whether it is an OpenID Connect client: one without a redirect address, and without a grant that needs none, is none,
    /// and has neither a secret nor anything else of one.
    pub fn speaks_openid_connect(&self) -> bool {
        !self.redirect_uris.is_empty() || self.metadata.allows(GrantType::ClientCredentials)
    }

    /// Whether it serves a school.
    pub fn serves(&self, school: &Uai) -> bool {
        self.schools.is_empty() || self.schools.contains(school)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_look_like_a_person() {
        assert!("ent-college".parse::<RelyingPartyId>().is_ok());
        for wrong in [
            "",
            "a b",
            "é",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            &"x".repeat(101),
        ] {
            assert!(wrong.parse::<RelyingPartyId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_released_that_is_not_listed() {
        let policy = ReleasePolicy(vec![Release {
            attribute: Attribute::GivenName,
            purpose: "greet".into(),
            convention: "2026-01".into(),
        }]);
        for attribute in Attribute::ALL {
            assert_eq!(policy.allows(*attribute), *attribute == Attribute::GivenName);
        }
    }
}
