//! `[relying_party.cas]` of a declaration file: every value read where it stands, so that an error names its line.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::value::{Parsed, parsed, values, yes};
use crate::cas::address::Declared;
use crate::cas::attribute::is_name;
use crate::domain::relying_party::{CasAttribute, CasPreset, CasService, CasSource, ValueFormat};

/// The parameters of `/cas/login` that mean something already (CAS Protocol 3.0 §2.1.1).
const TAKEN: [&str; 6] = ["service", "renew", "gateway", "method", "ticket", "continue"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    services: Vec<Parsed<Place>>,
    preset: Option<Parsed<CasPreset>>,
    #[serde(default)]
    attributes: BTreeMap<Name, Line>,
    hint_parameter: Option<Parsed<HintParameter>>,
    #[serde(default)]
    proxy_callbacks: Vec<Parsed<Callback>>,
    #[serde(default = "yes")]
    single_logout: bool,
}

/// The table as a whole.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Raw")]
pub(super) struct CasEntry(pub(super) CasService);

impl TryFrom<Raw> for CasEntry {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        if raw.services.is_empty() {
            return Err("services: is empty");
        }
        let attributes = raw.attributes.into_iter().map(|(name, line)| CasAttribute {
            name: name.0,
            from: line.from,
            format: line.format,
            join: line.join,
        });
        let callbacks = values(raw.proxy_callbacks);
        Ok(Self(CasService {
            services: values(raw.services).into_iter().map(|place| place.0).collect(),
            preset: raw.preset.map(|preset| preset.0).unwrap_or_default(),
            attributes: attributes.collect(),
            hint_parameter: raw.hint_parameter.map(|name| name.0.0),
            proxy_callbacks: callbacks.into_iter().map(|callback| callback.0).collect(),
            single_logout: raw.single_logout,
        }))
    }
}

/// An address of a service.
#[derive(Debug)]
struct Place(String);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Declared::read(text).map(|declared| Self(declared.as_str().to_owned()))
    }
}

/// An address that takes proxy-granting tickets (§2.5.4: "This URL MUST be HTTPS").
#[derive(Debug)]
struct Callback(String);

impl FromStr for Callback {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = Place::from_str(text)?;
        if place.0.starts_with("https:") {
            Ok(Self(place.0))
        } else {
            Err(format!("«{text}»: must be https"))
        }
    }
}

/// What an attribute is called.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "«{text}» is no name of an attribute (letters, digits, _ - . and a letter first)"
            ))
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// A parameter of `/cas/login`.
#[derive(Debug)]
struct HintParameter(String);

impl FromStr for HintParameter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_name(text) && !TAKEN.contains(&text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("«{text}» cannot be the name of this parameter"))
        }
    }
}

/// Where the value of an attribute comes from, alone or with how it is written.
#[derive(Debug)]
struct Line {
    from: CasSource,
    format: ValueFormat,
    join: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineTable {
    #[serde(deserialize_with = "parsed")]
    from: CasSource,
    format: Option<Parsed<ValueFormat>>,
    join: Option<String>,
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source, or { from = …, format = …, join = … }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Line, E> {
        Ok(Line {
            from: text.parse().map_err(E::custom)?,
            format: ValueFormat::Plain,
            join: None,
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Line, M::Error> {
        let table = LineTable::deserialize(MapAccessDeserializer::new(map))?;
        let format = table.format.map(|format| format.0).unwrap_or_default();
        if !format.suits(table.from) {
            return Err(M::Error::custom(format!(
                "«{}» cannot be written as «{format}»",
                table.from
            )));
        }
        Ok(Line {
            from: table.from,
            format,
            join: table.join,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::RelyingParty;
    use crate::flows::declaration::file::Reader;

    /// The parties of a file.
    fn read(text: &str) -> Result<Vec<RelyingParty>, String> {
        let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let mut reader = Reader::default();
        reader.add(text, &nothing).map_err(|error| error.to_string())?;
        let parties = reader.finish().relying_parties.into_iter();
        Ok(parties.map(|declared| declared.party).collect())
    }

    const PARTY: &str = "[[relying_party]]\nid = \"notes\"\nname = \"Notes\"\n[relying_party.cas]\n";

    #[test]
    fn a_service_that_speaks_nothing_but_cas_needs_no_redirect_address_and_no_secret() {
        let parties = read(&format!("{PARTY}services = [\"https://notes.example/app\"]\n")).unwrap();
        let (notes, cas) = (&parties[0], parties[0].cas.as_ref().unwrap());
        assert!(notes.redirect_uris.is_empty() && notes.secrets.is_empty());
        let expected = CasService {
            services: vec!["https://notes.example/app".into()],
            ..CasService::default()
        };
        assert_eq!(cas, &expected);
        assert!(cas.single_logout);
        let bare = PARTY.replace("[relying_party.cas]\n", "");
        assert!(read(&bare).unwrap_err().contains("redirect_uris"));
    }

    #[test]
    fn every_member_can_be_declared() {
        let text = format!(
            "{PARTY}services = [\"https://notes.example/app\", \"http://127.0.0.1:8080/\"]\npreset = \"pronote\"\n\
             hint_parameter = \"selection\"\nproxy_callbacks = [\"https://notes.example/pgt\"]\nsingle_logout = false\n\
             [relying_party.cas.attributes]\ncodeEtab = \"uai\"\n\
             profils = {{ from = \"profile\", format = \"Student\", join = \",\" }}\n"
        );
        let cas = read(&text).unwrap().remove(0).cas.unwrap();
        let line = |name: &str, from, format, join: Option<&str>| CasAttribute {
            name: name.into(),
            from,
            format,
            join: join.map(Into::into),
        };
        // Written out whole: a member that is added must be thought of here.
        assert_eq!(
            cas,
            CasService {
                services: vec![
                    "https://notes.example/app".into(),
                    "http://127.0.0.1:8080/".into()
                ],
                preset: CasPreset::Pronote,
                attributes: vec![
                    line("codeEtab", CasSource::Uai, ValueFormat::Plain, None),
                    line("profils", CasSource::Profile, ValueFormat::ProfileWord, Some(",")),
                ],
                hint_parameter: Some("selection".into()),
                proxy_callbacks: vec!["https://notes.example/pgt".into()],
                single_logout: false,
            }
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let right = "services = [\"https://notes.example/app\"]\n";
        for (lines, expected) in [
            ("services = []", "services: is empty"),
            ("", "services"),
            ("services = [\"http://notes.example/app\"]", "line 5"),
            ("services = [\"https://notes.example/app?a=b\"]", "query"),
            (
                "services = [\"https://notes.example/.*\", \"https://a@notes.example\"]",
                "user information",
            ),
            (
                &format!("{right}preset = \"ldap\""),
                "known: cas3 entcore pronote kne moodle",
            ),
            (&format!("{right}service = \"x\""), "line 6"),
            (&format!("{right}hint_parameter = \"service\""), "line 6"),
            (
                &format!("{right}proxy_callbacks = [\"http://127.0.0.1/pgt\"]"),
                "must be https",
            ),
            (
                &format!("{right}attributes = {{ \"a b\" = \"uai\" }}"),
                "no name of an attribute",
            ),
            (
                &format!("{right}[relying_party.cas.attributes]\nine = \"ine\""),
                "line 7",
            ),
            (
                &format!(
                    "{right}[relying_party.cas.attributes]\na = {{ from = \"uai\", format = \"DD/MM/YYYY\" }}"
                ),
                "cannot be written as",
            ),
            (
                &format!("{right}[relying_party.cas.attributes]\na = {{ from = \"uai\", as = \"x\" }}"),
                "unknown field",
            ),
        ] {
            let refused = read(&format!("{PARTY}{lines}")).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }

    #[test]
    fn an_address_belongs_to_one_service() {
        let one = format!("{PARTY}services = [\"https://notes.example/app\"]\n");
        let other = one.replace("\"notes\"", "\"other\"").replace("/app", ":443/app/");
        let refused = read(&format!("{one}{other}")).unwrap_err();
        assert!(refused.contains("declared twice"), "{refused}");
    }
}
