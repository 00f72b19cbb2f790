//! A declaration file: TOML, every key known, every value read where it stands so that an error names its line.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Declaration, resource_server};
use crate::base::secret::{Digest, Secret};
use crate::base::url::Url;
use crate::domain::education::{Academy, AcademyCode, Degree, School};
use crate::domain::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, Release, ReleasePolicy, RelyingParty, RelyingPartyId,
    SigningAlgorithm, SubjectStrategy,
};
use crate::domain::uai::Uai;

/// A client secret shorter than this is somebody's password: its digest could be searched.
const SECRET_LENGTH: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    academy: Vec<AcademyEntry>,
    #[serde(default)]
    school: Vec<SchoolEntry>,
    #[serde(default)]
    relying_party: Vec<RelyingPartyEntry>,
    #[serde(default)]
    resource_server: Vec<resource_server::Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcademyEntry {
    #[serde(deserialize_with = "parsed")]
    code: AcademyCode,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchoolEntry {
    #[serde(deserialize_with = "parsed")]
    uai: Uai,
    name: String,
    #[serde(deserialize_with = "parsed")]
    degree: Degree,
    commune: Option<String>,
    #[serde(deserialize_with = "parsed")]
    academy: AcademyCode,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelyingPartyEntry {
    #[serde(deserialize_with = "parsed")]
    id: RelyingPartyId,
    name: String,
    home: Option<WebAddress>,
    redirect_uris: Vec<RedirectAddress>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<RedirectAddress>,
    sector: Option<String>,
    #[serde(default = "pairwise", deserialize_with = "parsed")]
    subject: SubjectStrategy,
    #[serde(default = "basic", deserialize_with = "parsed")]
    token_endpoint_auth_method: ClientAuthMethod,
    secret_file: Option<PathBuf>,
    #[serde(default)]
    secret_sha256: Vec<HexDigest>,
    #[serde(default = "yes")]
    pkce_required: bool,
    #[serde(default = "rs256", deserialize_with = "parsed")]
    id_token_signed_response_alg: SigningAlgorithm,
    #[serde(default)]
    schools: Vec<Parsed<Uai>>,
    #[serde(default)]
    release: Vec<ReleaseEntry>,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseEntry {
    #[serde(deserialize_with = "parsed")]
    attribute: Attribute,
    purpose: String,
    convention: String,
}

fn pairwise() -> SubjectStrategy {
    SubjectStrategy::Pairwise
}

fn basic() -> ClientAuthMethod {
    ClientAuthMethod::SecretBasic
}

fn rs256() -> SigningAlgorithm {
    SigningAlgorithm::Rs256
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// A list entry read by [`FromStr`].
#[derive(Debug)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer).map(Self)
    }
}

/// An `http(s)` address.
#[derive(Debug)]
struct WebAddress(String);

impl FromStr for WebAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match crate::base::url::origin(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("«{text}» is not an http(s) address")),
        }
    }
}

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// An address people are sent back to: https, or http on the loopback; no fragment (RFC 6749 §3.1.2), no wildcard, no
/// user information.
#[derive(Debug)]
struct RedirectAddress(String);

impl FromStr for RedirectAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("«{text}»: {error}"))?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        let wrong = |why: &str| Err(format!("«{text}»: {why}"));
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return wrong("must be https (http on the loopback only)"),
        }
        if url.fragment().is_some() || text.contains('*') {
            return wrong("may hold neither a fragment nor a wildcard");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("may not hold user information");
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for RedirectAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// The SHA-256 of a secret in hexadecimal.
#[derive(Debug)]
struct HexDigest(Digest);

impl FromStr for HexDigest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| Digest::from_stored(&bytes))
            .map(Self)
            .ok_or("expected the SHA-256 of the secret, 64 hexadecimal digits")
    }
}

impl<'de> Deserialize<'de> for HexDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// Declaration files on their way to one [`Declaration`].
#[derive(Debug, Default)]
pub struct Reader {
    declaration: Declaration,
    seen: BTreeSet<String>,
}

impl Reader {
    /// Adds the text of a file. `secret` reads a file that the declaration names (`secret_file`).
    ///
    /// # Errors
    /// What is wrong, with its line; a name declared twice, in one file or two.
    pub fn add(
        &mut self,
        text: &str,
        secret: &dyn Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(), InvalidDeclaration> {
        let file: File = toml::from_str(text).map_err(|error| InvalidDeclaration(error.to_string()))?;
        for entry in file.academy {
            self.once("academy", &entry.code)?;
            self.declaration.academies.push(Academy {
                code: entry.code,
                name: entry.name,
            });
        }
        for entry in file.school {
            self.once("school", &entry.uai)?;
            self.declaration.schools.push(School {
                uai: entry.uai,
                name: entry.name,
                degree: entry.degree,
                commune: entry.commune,
                academy: entry.academy,
            });
        }
        for entry in file.relying_party {
            self.once("relying_party", &entry.id)?;
            let id = entry.id.clone();
            let party = relying_party(entry, secret);
            let at = |error| InvalidDeclaration(format!("relying_party {id}: {error}"));
            self.declaration.relying_parties.push(party.map_err(at)?);
        }
        for entry in file.resource_server {
            self.once("resource_server", &entry.audience)?;
            self.declaration.resource_servers.push(entry.read());
        }
        Ok(())
    }

    fn once(&mut self, noun: &str, id: &dyn Display) -> Result<(), InvalidDeclaration> {
        if self.seen.insert(format!("{noun} {id}")) {
            Ok(())
        } else {
            Err(InvalidDeclaration(format!("{noun} {id} is declared twice")))
        }
    }

    /// Everything that was declared.
    pub fn finish(self) -> Declaration {
        self.declaration
    }
}

/// A declaration that cannot be read, with the line or the name of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDeclaration(String);

fn relying_party(
    entry: RelyingPartyEntry,
    secret: &dyn Fn(&Path) -> std::io::Result<String>,
) -> Result<RelyingParty, String> {
    let mut secrets: Vec<Digest> = entry.secret_sha256.into_iter().map(|digest| digest.0).collect();
    if let Some(file) = &entry.secret_file {
        let text = secret(file).map_err(|error| format!("secret_file {}: {error}", file.display()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.len() < SECRET_LENGTH {
            return Err(format!(
                "secret_file {}: shorter than {SECRET_LENGTH} characters",
                file.display()
            ));
        }
        secrets.push(Secret::new(text).digest());
    }
    match (entry.token_endpoint_auth_method, secrets.len()) {
        (ClientAuthMethod::None, 0) if !entry.pkce_required => {
            return Err("a public client cannot do without PKCE (RFC 9700 §2.1.1)".to_owned());
        }
        (ClientAuthMethod::None, 0) => {}
        (ClientAuthMethod::None, _) => return Err("a public client has no secret".to_owned()),
        (_, 0) => return Err("needs secret_file, or secret_sha256".to_owned()),
        (_, 1..=2) => {}
        _ => return Err("has more than two secrets".to_owned()),
    }
    if entry.redirect_uris.is_empty() {
        return Err("redirect_uris is empty".to_owned());
    }
    let releases = entry.release.into_iter().map(|release| Release {
        attribute: release.attribute,
        purpose: release.purpose,
        convention: release.convention,
    });
    Ok(RelyingParty {
        sector: entry.sector.unwrap_or_else(|| entry.id.to_string()),
        id: entry.id,
        name: entry.name,
        home: entry.home.map(|address| address.0),
        redirect_uris: entry.redirect_uris.into_iter().map(|address| address.0).collect(),
        post_logout_redirect_uris: entry
            .post_logout_redirect_uris
            .into_iter()
            .map(|address| address.0)
            .collect(),
        subject_strategy: entry.subject,
        auth_method: entry.token_endpoint_auth_method,
        secrets,
        pkce_required: entry.pkce_required,
        id_token_alg: entry.id_token_signed_response_alg,
        release: ReleasePolicy(releases.collect()),
        schools: entry.schools.into_iter().map(|school| school.0).collect(),
        basis: Basis::default(),
        metadata: ClientMetadata::default(),
        registration: None,
        enabled: entry.enabled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Declaration, InvalidDeclaration> {
        let secret = |path: &Path| match path.to_str() {
            Some("secret") => Ok(format!("{}\n", "s".repeat(40))),
            Some("short") => Ok("secret".to_owned()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let mut reader = Reader::default();
        reader.add(text, &secret)?;
        Ok(reader.finish())
    }

    const PARTY: &str =
        "[[relying_party]]\nid = \"ent\"\nname = \"ENT\"\nredirect_uris = [\"https://ent.example/cb\"]\n";

    #[test]
    fn a_relying_party_is_read_with_safe_defaults() {
        let text = format!(
            "{PARTY}secret_file = \"secret\"\n[[relying_party.release]]\nattribute = \"given_name\"\n\
             purpose = \"greet\"\nconvention = \"2026-01\"\n"
        );
        let declaration = read_text(&text).unwrap();
        let party = &declaration.relying_parties[0];
        assert!(party.pkce_required && party.enabled && party.schools.is_empty());
        assert_eq!(
            (&*party.sector, party.subject_strategy),
            ("ent", SubjectStrategy::Pairwise)
        );
        assert!(
            party.secrets[0].matches(&Secret::new("s".repeat(40))),
            "the line end is not part of the secret"
        );
        assert!(party.release.allows(Attribute::GivenName));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("[[school]]\nuai = \"9990001X\"\nnom = \"x\"", "line 3"),
            (
                "[[academy]]\ncode = \"14\"\nname = \"Rennes\"\n[[school]]\nuai = \"999\"",
                "line 5",
            ),
            (
                &format!("{PARTY}secret_file = \"secret\"\nsubject = \"public\""),
                "line 6",
            ),
            (&PARTY.replace("https", "http"), "must be https"),
            (&PARTY.replace("/cb", "/cb#x"), "fragment"),
            (&PARTY.replace("ent.example", "a@ent.example"), "user information"),
            (PARTY, "needs secret_file"),
            (&format!("{PARTY}secret_file = \"short\""), "shorter"),
            (&format!("{PARTY}secret_file = \"missing\""), "missing"),
            (
                &format!("{PARTY}token_endpoint_auth_method = \"none\"\npkce_required = false"),
                "PKCE",
            ),
            (
                "[[academy]]\ncode=\"14\"\nname=\"a\"\n[[academy]]\ncode=\"14\"\nname=\"b\"",
                "declared twice",
            ),
        ] {
            let refused = read_text(text).unwrap_err().to_string();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }
}
