//! What a provider says of the person whom it signed in, read under the names of its preset.
//!
//! A value that has not the form it should have says nothing: a birth date that is none is no birth date.

use super::preset;
use super::statements::Statements;
use super::vector::{RefId, Vecteur, VecteurKind};
use crate::base::text::fold;
use crate::base::time::{Date, parse_date};
use crate::domain::education::Degree;
use crate::domain::ine::Ine;
use crate::domain::upstream::{Population, Preset};

/// What is known of somebody who comes from a provider. Prints without a name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Given name.
    pub given_name: Option<String>,
    /// Family or usage name.
    pub family_name: Option<String>,
    /// Birth date.
    pub birth_date: Option<Date>,
    /// Their own keys in directories of academies.
    pub ref_ids: Vec<RefId>,
    /// Their vectors; a guardian's are about their children.
    pub vecteurs: Vec<Vecteur>,
    /// INE, where the preset has one.
    pub ine: Option<Ine>,
    /// What they are; none where the provider does not say.
    pub populations: Vec<Population>,
}

impl std::fmt::Debug for Introduction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[somebody]")
    }
}

/// `FrEduCtPersonAffiliation`.
fn population(affiliation: &str) -> Option<Population> {
    match affiliation {
        "eleve1d" => Some(Population::PupilFirst),
        "eleve2d" => Some(Population::PupilSecond),
        "resp1d" | "resp2d" => Some(Population::Guardian),
        _ => None,
    }
}

impl Introduction {
    /// Reads what a provider of a preset states.
    pub fn read(preset: Preset, said: &Statements) -> Self {
        let names = preset::names(preset);
        let text = |names: &[&str]| said.one(names).map(str::to_owned);
        let all = |names: &[&str]| said.first_of(names).iter().map(String::as_str);
        let vecteurs = Vecteur::read_all(all(names.vecteur));
        let mut populations: Vec<Population> = all(names.affiliation).filter_map(population).collect();
        if populations.is_empty() {
            populations.extend(vecteurs.iter().map(|vecteur| match vecteur.kind {
                VecteurKind::Guardian(_) => Population::Guardian,
                VecteurKind::Pupil(Degree::First) => Population::PupilFirst,
                VecteurKind::Pupil(Degree::Second) => Population::PupilSecond,
            }));
        }
        populations.sort_unstable();
        populations.dedup();
        // A guardian's vectors name the guardian; a pupil's name nobody.
        let in_vector = |part: fn(&Vecteur) -> &String| {
            let first = vecteurs.first().map(part).filter(|name| !name.is_empty())?;
            vecteurs
                .iter()
                .all(|vecteur| part(vecteur) == first)
                .then(|| first.clone())
        };
        let given = text(names.given_name).or_else(|| in_vector(|vecteur| &vecteur.given_name));
        let family = text(names.family_name).or_else(|| in_vector(|vecteur| &vecteur.family_name));
        Self {
            given_name: given,
            family_name: family,
            birth_date: said.one(names.birth_date).and_then(parse_date),
            ref_ids: all(names.ref_id).filter_map(RefId::read).collect(),
            vecteurs,
            ine: said.one(names.ine).and_then(|text| text.parse().ok()),
            populations,
        }
    }

    /// The person in the words of the provider, where an attribute names them; [`None`] where the protocol does.
    pub fn subject(preset: Preset, said: &Statements) -> Option<String> {
        said.one(preset::names(preset).subject).map(str::to_owned)
    }

    /// Whether it is a guardian, and nothing else.
    pub fn is_guardian(&self) -> bool {
        self.populations == [Population::Guardian]
    }

    /// The folded given names, a space between them.
    pub fn given_key(&self) -> Option<String> {
        folded(self.given_name.as_ref())
    }

    /// The folded family name.
    pub fn family_key(&self) -> Option<String> {
        folded(self.family_name.as_ref())
    }
}

fn folded(name: Option<&String>) -> Option<String> {
    name.map(|name| fold(name)).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    fn said(claims: &serde_json::Value) -> Statements {
        let mut said = Statements::new();
        for (name, value) in claims.as_object().unwrap() {
            said.add_claim(name, value);
        }
        said
    }

    #[test]
    fn educonnect_by_saml_is_read_by_oid_and_by_short_name() {
        let by_oid = said(&serde_json::json!({
            "urn:oid:1.3.6.1.4.1.20326.10.999.1.57": "ab12",
            "urn:oid:1.3.6.1.4.1.20326.10.999.1.7": "eleve2d",
            "urn:oid:1.3.6.1.4.1.20326.10.999.1.67": "2014-05-03",
            "urn:oid:2.5.4.4": "Le Goff", "urn:oid:2.5.4.42": "Lina",
            "FrEduCtRefId": ["{AAF}14||1234567", "{ECT}x"],
        }));
        let by_name = said(&serde_json::json!({
            "FrEduCtId": "ab12", "FrEduCtPersonAffiliation": "eleve2d", "FrEduCtDateNaissance": "2014-05-03",
            "sn": "Le Goff", "givenName": "Lina", "FrEduCtRefId": "{AAF}14||1234567",
        }));
        for said in [by_oid, by_name] {
            let read = Introduction::read(Preset::EduConnectSaml, &said);
            assert_eq!(read.populations, [Population::PupilSecond]);
            assert_eq!(read.birth_date, parse_date("2014-05-03"));
            assert_eq!(
                (read.given_key().as_deref(), read.family_key().as_deref()),
                (Some("lina"), Some("le goff"))
            );
            assert_eq!(read.ref_ids.len(), 1);
            assert_eq!(
                Introduction::subject(Preset::EduConnectSaml, &said).as_deref(),
                Some("ab12")
            );
            assert!(read.ine.is_none() && format!("{read:?}") == "[somebody]");
        }
    }

    #[test]
    fn educonnect_by_openid_connect_writes_empty_texts_and_a_list() {
        let said = said(&serde_json::json!({
            "sub": "x", "given_name": "Lina", "family_name": "Le Goff", "FrEduCtPersonAffiliation": ["eleve2d"],
            "FrEduOrigAuth": "ECT", "FrEduCtEleveUAI": "", "FrEduCtEleveINE": "120000001HA", "FrEduCtEleveNiveau": "",
        }));
        let read = Introduction::read(Preset::EduConnectOidc, &said);
        assert_eq!(read.ine.as_ref().map(Ine::expose), Some("120000001HA"));
        assert_eq!(read.populations, [Population::PupilSecond]);
        assert_eq!(Introduction::subject(Preset::EduConnectOidc, &said), None);
        let parent = Introduction::read(Preset::GenericOidc, &said);
        assert!(
            parent.ine.is_none(),
            "a preset that is not entitled does not read it"
        );
    }

    #[test]
    fn proconnect_and_franceconnect_name_people_each_in_its_way() {
        let agent = said(
            &serde_json::json!({"given_name": "Angela", "usual_name": "Dubois", "family_name": "Autre"}),
        );
        let read = Introduction::read(Preset::ProConnect, &agent);
        assert_eq!(read.family_name.as_deref(), Some("Dubois"));
        let parent = said(&serde_json::json!({
            "given_name": "Angela Claire Louise", "family_name": "DUBOIS", "birthdate": "1962-08-24"
        }));
        let read = Introduction::read(Preset::FranceConnect, &parent);
        assert_eq!(read.birth_date, parse_date("1962-08-24"));
        let wrong = said(&serde_json::json!({"birthdate": "1962-13-24"}));
        assert_eq!(Introduction::read(Preset::FranceConnect, &wrong).birth_date, None);
    }

    #[test]
    fn a_guardian_is_told_by_the_vectors_where_nothing_else_says_so() {
        let said = said(&serde_json::json!({
            "FrEduVecteur": ["1|LE GOFF|Anne|1|0290009C", "2|LE GOFF|Anne|2|0290010D"]
        }));
        let read = Introduction::read(Preset::EduConnectSaml, &said);
        assert!(read.is_guardian() && read.vecteurs.len() == 2);
    }
}
