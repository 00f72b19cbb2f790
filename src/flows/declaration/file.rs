//! A declaration file: TOML, every key known, every value read where it stands so that an error names its line.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::Declaration;
use super::registration::{RegistrationEntry, policy};
use super::relying_party::{RelyingPartyEntry, SAML, relying_party};
use super::value::parsed;
use super::{access_date, resource_server, saml, upstream};
use crate::cas::address::Declared;
use crate::domain::education::{Academy, AcademyCode, Degree, School};
use crate::domain::uai::Uai;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    academy: Vec<AcademyEntry>,
    #[serde(default)]
    school: Vec<SchoolEntry>,
    #[serde(default)]
    access_date: Vec<Spanned<access_date::Entry>>,
    #[serde(default)]
    registration: Vec<Spanned<RegistrationEntry>>,
    #[serde(default)]
    relying_party: Vec<Spanned<RelyingPartyEntry>>,
    #[serde(default)]
    saml_federation: Vec<Spanned<saml::FederationEntry>>,
    #[serde(default)]
    resource_server: Vec<resource_server::Entry>,
    #[serde(default)]
    upstream_provider: Vec<Spanned<upstream::Entry>>,
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

/// Declaration files on their way to one [`Declaration`].
#[derive(Debug, Default)]
pub struct Reader {
    declaration: Declaration,
    seen: BTreeSet<String>,
}

impl Reader {
    /// Adds the text of a file. `read` reads a file that the declaration names (`secret_file`, `jwks_file`).
    ///
    /// # Errors
    /// What is wrong, with its line; a name declared twice, in one file or two.
    pub fn add(
        &mut self,
        text: &str,
        read: &dyn Fn(&Path) -> std::io::Result<String>,
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
        for entry in file.access_date {
            let start = entry.span().start;
            let at = |error: String| {
                let line = line(text, start, &error);
                InvalidDeclaration(format!("line {line}: access_date: {error}"))
            };
            let date = entry.into_inner().read().map_err(at)?;
            self.once("access_date", &access_date::Name(&date))?;
            self.declaration.access_dates.push(date);
        }
        for entry in file.registration {
            let start = entry.span().start;
            let entry = entry.into_inner();
            self.once("registration", &entry.id)?;
            let id = entry.id.clone();
            let at = |error: String| {
                let line = line(text, start, &error);
                InvalidDeclaration(format!("line {line}: registration {id}: {error}"))
            };
            self.declaration.registrations.push(policy(entry).map_err(at)?);
        }
        for entry in file.saml_federation {
            let start = entry.span().start;
            let entry = entry.into_inner();
            self.once("saml_federation", &entry.id)?;
            let id = entry.id.clone();
            let at = |error: String| {
                let line = line(text, start, &error);
                InvalidDeclaration(format!("line {line}: saml_federation {id}: {error}"))
            };
            let source = saml::federation(entry, read).map_err(at)?;
            self.declaration.saml_federations.push(source);
        }
        for entry in file.relying_party {
            let start = entry.span().start;
            let entry = entry.into_inner();
            self.once("relying_party", &entry.id)?;
            let id = entry.id.clone();
            let saml = entry.saml.as_ref().map(|saml| saml.span().start);
            let at = |error: String| {
                let line = match (saml, error.strip_prefix(SAML)) {
                    (Some(start), Some(inside)) => line(text, start, inside),
                    _ => line(text, start, &error),
                };
                InvalidDeclaration(format!("line {line}: relying_party {id}: {error}"))
            };
            let party = relying_party(entry, read).map_err(at)?;
            if let Some(saml) = &party.party.saml {
                self.once("entity_id", &saml.entity_id)?;
            }
            for address in party.party.cas.iter().flat_map(|cas| &cas.services) {
                if let Ok(declared) = Declared::read(address) {
                    self.once("the address of a CAS service", &declared.key())?;
                }
            }
            self.declaration.relying_parties.push(party);
        }
        for entry in file.upstream_provider {
            let start = entry.span().start;
            let entry = entry.into_inner();
            self.once("upstream_provider", &entry.id)?;
            let id = entry.id.clone();
            let rules: Vec<usize> = entry.staff.iter().map(|rule| rule.span().start).collect();
            let at = |error: String| {
                let of_rule = error.strip_prefix(upstream::STAFF).and_then(|rest| {
                    let (at, inside) = rest.split_once('.')?;
                    Some((*rules.get(at.parse::<usize>().ok()?)?, inside))
                });
                let (line, error) = match of_rule {
                    Some((start, inside)) => (line(text, start, inside), format!("staff: {inside}")),
                    None => (line(text, start, &error), error),
                };
                InvalidDeclaration(format!("line {line}: upstream_provider {id}: {error}"))
            };
            let declared = entry.read(read).map_err(at)?;
            self.once(
                "the issuer or entity_id of a provider",
                &declared.provider.protocol.issuer(),
            )?;
            self.declaration.upstream_providers.push(declared);
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

/// The line of the key that an error begins with, in the table that starts at a position; the line of the table where the
/// key is not written there. Counted from one.
fn line(text: &str, start: usize, error: &str) -> usize {
    let key = error.split([':', ' ']).next().unwrap_or_default();
    let (before, table) = text.split_at_checked(start).unwrap_or((text, ""));
    let first = before.matches('\n').count() + 1;
    let of_the_table = table.lines().skip(1).take_while(|line| !line.starts_with('['));
    let found = of_the_table
        .map(|line| line.split('=').next().unwrap_or_default())
        .position(|name| name.trim() == key);
    found.map_or(first, |at| first + 1 + at)
}

/// A declaration that cannot be read, with the line or the name of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDeclaration(String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::domain::relying_party::{Attribute, SubjectStrategy};

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
        let declared = &declaration.relying_parties[0];
        assert_eq!(declared.enabled, None, "it does not say");
        let party = &declared.party;
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
