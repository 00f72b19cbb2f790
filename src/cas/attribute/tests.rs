//! Each preset against what its services read, and nothing that the policy does not list.

use super::*;
use crate::domain::contact::Contact;
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Release, RelyingParty};
use crate::domain::source::Sex;
use crate::domain::testing::{contact, enrolment, party, person};
use crate::release::{About, AllListed, disclose};

/// Lina, pupil of two schools, with everything that is known of anybody.
pub(in crate::cas) struct Lina {
    pub(in crate::cas) identity: Identity,
    contact: Contact,
    live: Vec<Enrolment>,
    pub(in crate::cas) ent: RelyingParty,
}

impl Lina {
    pub(in crate::cas) fn new(preset: CasPreset) -> Self {
        let mut identity = person("Lina", 1);
        identity.sex = Some(Sex::Female);
        identity.locale = Some("fr".into());
        identity.username = Some("lina.legoff".into());
        let mut live = vec![
            enrolment(&identity, "9990001X", "CM2"),
            enrolment(&identity, "9990101F", "6EME"),
        ];
        live[1].class_label = Some("2345$6E A".into());
        live[1].level = Some("10010012110".into());
        let mut ent = party("ent");
        ent.cas = Some(CasService {
            services: vec!["https://ent.example/".into()],
            preset,
            ..CasService::default()
        });
        Self {
            contact: contact("lina"),
            identity,
            live,
            ent,
        }
    }

    pub(in crate::cas) fn only(mut self, listed: &[Attribute]) -> Self {
        self.ent
            .release
            .0
            .retain(|line: &Release| listed.contains(&line.attribute));
        self
    }

    pub(in crate::cas) fn with(mut self, lines: &[(&str, CasSource, ValueFormat, Option<&str>)]) -> Self {
        let line = |(name, from, format, join): &(&str, CasSource, ValueFormat, Option<&str>)| CasAttribute {
            name: (*name).to_owned(),
            from: *from,
            format: *format,
            join: join.map(str::to_owned),
        };
        self.ent.cas.as_mut().unwrap().attributes = lines.iter().map(line).collect();
        self
    }

    pub(in crate::cas) fn shape_at(&self, address: &str) -> Shape {
        let about = About {
            identity: &self.identity,
            contact: Some(&self.contact),
            live: &self.live,
        };
        let leaves = disclose(&self.ent, &AllListed, about);
        let address = Address::read(address).unwrap();
        shape(self.ent.cas.as_ref().unwrap(), &leaves, "abc", &address)
    }

    pub(in crate::cas) fn shape(&self) -> Shape {
        self.shape_at("https://ent.example/")
    }
}

/// A shape as one can read it: `name=value`, `name[…]`.
fn told(nodes: &[Node]) -> String {
    let one = |node: &Node| {
        let marks: Vec<String> = node
            .marks
            .iter()
            .map(|(name, value)| format!("@{name}={value}"))
            .collect();
        let marks = marks.join("");
        match &node.content {
            Content::Text(text) => format!("{}{marks}={text}", node.name),
            Content::Nodes(nodes) => format!("{}{marks}[{}]", node.name, told(nodes)),
        }
    };
    nodes.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn cas3_tells_under_the_names_of_the_annuaire() {
    let shape = Lina::new(CasPreset::Cas3).shape();
    assert_eq!(
        told(&shape.attributes),
        "uid=lina.legoff givenName=Lina sn=Le Goff displayName=Lina Le Goff ENTPersonDateNaissance=17/08/2016 \
         gender=female preferredLanguage=fr mail=lina@ecole.example telephoneNumber=+33199001234 \
         street=3, rue des Marronniers postalCode=80000 l=Amiens ENTPersonStructRattachUAI=9990001X \
         ENTPersonStructRattachUAI=9990101F ENTPersonProfils=National_ELV ENTEleveNivFormation=CM2 \
         ENTEleveNivFormation=10010012110 ENTEleveClasses=CM2 A ENTEleveClasses=2345$6E A"
    );
    assert_eq!((shape.facts, shape.beside), (Some(Facts::Standard), Vec::new()));
}

#[test]
fn pronote_reads_names_a_french_date_a_postal_code_and_numbered_categories() {
    let mut lina = Lina::new(CasPreset::Pronote);
    assert_eq!(
        told(&lina.shape().attributes),
        "nom=Le Goff prenom=Lina dateNaissance=17/08/2016 codePostal=80000 categories=National_1"
    );
    lina.live[0].profile = Profile::Teacher;
    lina.live[1].profile = Profile::Head;
    let shape = lina.shape();
    assert_eq!(
        told(shape.attributes.last().map(std::slice::from_ref).unwrap()),
        "categories=National_3;National_4"
    );
}

#[test]
fn entcore_reads_schools_with_their_classes() {
    let shape = Lina::new(CasPreset::Entcore).shape();
    assert_eq!(
        told(&shape.attributes),
        "userAttributes[login=lina.legoff lastName=Le Goff firstName=Lina displayName=Lina Le Goff \
         birthDate=2016-08-17 email=lina@ecole.example profile=Student \
         schools[school@UAI=9990001X@externalId=9990001X[classes[classe=CM2 A]] \
         school@UAI=9990101F@externalId=9990101F[classes[classe=6E A]]]]"
    );
    assert_eq!(shape.facts, Some(Facts::LowerCase));
    let classes = Lina::new(CasPreset::Entcore).only(&[Attribute::Class]).shape();
    assert_eq!(
        told(&classes.attributes),
        "userAttributes[schools[school[classes[classe=CM2 A classe=6E A]]]]",
        "no school is named"
    );
}

#[test]
fn kne_reads_the_school_that_its_address_names_and_codes_alone() {
    let lina = Lina::new(CasPreset::Kne);
    let shape = lina.shape_at("https://ent.example/kne?UAI=9990101F");
    assert_eq!(shape.attributes, []);
    assert_eq!(shape.facts, None);
    assert_eq!(
        told(&shape.beside),
        "ENTPersonNom=Le Goff ENTPersonPrenom=Lina ENTPersonStructRattachUAI=9990101F ENTEleveMEF=10010012110 \
         ENTPersonProfils[ENTPersonProfil=National_ELV] ENTEleveClasses[ENTEleveClasse=CM2 A ENTEleveClasse=6E A]"
    );
    let elsewhere = lina.shape_at("https://ent.example/kne?UAI=9999999Z");
    assert!(
        told(&elsewhere.beside).contains("9990001X"),
        "an address invents no school"
    );
    assert!(!told(&elsewhere.beside).contains("9999999Z"));
}

#[test]
fn moodle_reads_the_fields_of_its_users() {
    let shape = Lina::new(CasPreset::Moodle).shape();
    assert_eq!(
        told(&shape.attributes),
        "firstname=Lina lastname=Le Goff email=lina@ecole.example lang=fr phone1=+33199001234 city=Amiens \
         institution=9990001X institution=9990101F department=CM2 A department=2345$6E A"
    );
}

#[test]
fn lines_of_an_operators_own_are_added_and_take_the_place_of_those_called_the_same() {
    let lines = [
        ("codeEtab", CasSource::Uai, ValueFormat::Plain, Some("|")),
        ("prenom", CasSource::Subject, ValueFormat::Plain, None),
        ("profils", CasSource::Profile, ValueFormat::ProfileWord, None),
        ("mef", CasSource::Level, ValueFormat::Mef, None),
    ];
    let shape = Lina::new(CasPreset::Pronote).with(&lines).shape();
    assert_eq!(
        told(&shape.attributes),
        "nom=Le Goff dateNaissance=17/08/2016 codePostal=80000 categories=National_1 codeEtab=9990001X|9990101F \
         prenom=abc profils=Student mef=10010012110"
    );
}

#[test]
fn whatever_the_shape_nothing_is_told_that_the_policy_does_not_list() {
    let values = |attribute: Attribute| match attribute {
        Attribute::GivenName | Attribute::FamilyName | Attribute::Name => &["Lina", "Le Goff"][..],
        Attribute::PreferredUsername => &["lina.legoff"],
        Attribute::BirthDate => &["2016", "17/08"],
        Attribute::Gender => &["female"],
        Attribute::Locale => &["=fr"],
        Attribute::Email => &["@ecole"],
        Attribute::PhoneNumber => &["+33"],
        Attribute::Address => &["80000", "Amiens", "Marronniers"],
        Attribute::Uai => &["9990001X", "9990101F"],
        Attribute::Level => &["NivFormation", "level=CM2", "10010012110"],
        Attribute::Class => &["CM2 A", "6E A"],
        Attribute::Profile => &["National_", "Student"],
    };
    let every: Vec<_> = CasSource::ALL
        .iter()
        .map(|source| (source.as_str(), *source, ValueFormat::Plain, None))
        .collect();
    for preset in CasPreset::ALL {
        for hidden in Attribute::ALL {
            // Each of a name's parts is in the whole.
            let names = [Attribute::GivenName, Attribute::FamilyName, Attribute::Name];
            let listed: Vec<Attribute> = Attribute::ALL
                .iter()
                .copied()
                .filter(|other| other != hidden && !(names.contains(hidden) && names.contains(other)))
                // Its address of mail and login name hold her name.
                .filter(|other| {
                    !names.contains(hidden)
                        || !matches!(other, Attribute::Email | Attribute::PreferredUsername)
                })
                .collect();
            let shape = Lina::new(*preset).only(&listed).with(&every).shape();
            let told = format!("{} {} ", told(&shape.attributes), told(&shape.beside));
            for value in values(*hidden) {
                assert!(!told.contains(value), "{preset}: {hidden} is not listed: {told}");
            }
        }
        let nothing = Lina::new(*preset).only(&[]).shape();
        let told = format!("{}{}", told(&nothing.attributes), told(&nothing.beside));
        assert!(
            matches!(told.as_str(), "" | "userAttributes[]"),
            "{preset}: {told}"
        );
    }
}

#[test]
fn a_name_is_one_of_xml_and_nothing_else() {
    for right in ["nom", "ENTPersonProfils", "_x", "a-b.c_d1"] {
        assert!(is_name(right), "{right}");
    }
    for wrong in ["", "1a", "a b", "a:b", "é", "a>", "-a", &"a".repeat(65)] {
        assert!(!is_name(wrong), "{wrong}");
    }
}
