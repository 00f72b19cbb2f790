//! What a relying party receives as claims, and why: [`crate::release`] decides what leaves, this writes it as OpenID
//! Connect wants it.
//!
//! An attribute is asked for by its scope or by the name of its claim (OpenID Connect Core §5.4, §5.5).

use serde_json::{Map, Value};

use crate::domain::claims_request::{AskedClaim, AskedClaims, NO_CLAIMS};
use crate::domain::contact::Address;
use crate::domain::grant::{Scope, Scopes};
use crate::domain::relying_party::{Attribute, RelyingParty, RelyingPartyId};
pub use crate::release::{About, Verdict};
use crate::release::{Asks, Disclosure, Schooling, disclose, permission};

/// The claim that carries enrolments: a list of objects.
pub const EDUCATION: &str = "education";
/// Whether the mail address is known to be theirs; goes with it (OpenID Connect Core §5.1).
const EMAIL_VERIFIED: &str = "email_verified";
/// The same of the telephone number.
const PHONE_VERIFIED: &str = "phone_number_verified";

/// What leaves, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The claims, without `sub`.
    pub claims: Map<String, Value>,
    /// Every attribute there is, with what became of it.
    pub verdicts: Vec<(Attribute, Verdict)>,
}

/// What a party asks about a person, at one place.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whole groups of attributes.
    pub scopes: &'a Scopes,
    /// Single claims (OpenID Connect Core §5.5).
    pub claims: &'a AskedClaims,
}

impl<'a> Asked<'a> {
    /// By scopes alone.
    pub fn by(scopes: &'a Scopes) -> Self {
        let claims = &NO_CLAIMS;
        Self { scopes, claims }
    }

    /// Whether a claim that carries an attribute was asked for, with this value or any.
    fn takes(self, attribute: Attribute, claim: &str, value: &Value) -> bool {
        let by_name = self.claims.get(claim).is_some_and(|asked| asked.takes(value));
        self.scopes.contains(scope_of(attribute)) || by_name
    }
}

impl Asks for Asked<'_> {
    fn includes(&self, attribute: Attribute) -> bool {
        let may_do = |asked: &AskedClaim| asked.values.is_none() || scope_of(attribute) != Scope::Education;
        let by_name = |name: &&str| self.claims.get(name).is_some_and(may_do);
        self.scopes.contains(scope_of(attribute)) || claims_of(attribute).iter().any(by_name)
    }
}

/// The claims that carry an attribute.
fn claims_of(attribute: Attribute) -> &'static [&'static str] {
    match attribute {
        Attribute::GivenName => &["given_name"],
        Attribute::FamilyName => &["family_name"],
        Attribute::Name => &["name"],
        Attribute::PreferredUsername => &["preferred_username"],
        Attribute::BirthDate => &["birthdate"],
        Attribute::Locale => &["locale"],
        Attribute::Gender => &["gender"],
        Attribute::Email => &["email", "email_verified"],
        Attribute::PhoneNumber => &["phone_number", "phone_number_verified"],
        Attribute::Address => &["address"],
        Attribute::Uai | Attribute::Level | Attribute::Class | Attribute::Profile => &[EDUCATION],
        Attribute::EntPersonJointure => &["ent_person_jointure"],
        Attribute::FrEduCtRefId => &["fr_edu_ct_ref_id"],
        Attribute::FrEduVecteur => &["fr_edu_vecteur"],
    }
}

/// Whether a claim carries an attribute of a person.
pub fn is_about_a_person(claim: &str) -> bool {
    let mut all = Attribute::ALL.iter().flat_map(|attribute| claims_of(*attribute));
    all.any(|name| *name == claim)
}

/// The scope that carries an attribute (OpenID Connect Core §5.4 for all but `education`).
pub const fn scope_of(attribute: Attribute) -> Scope {
    match attribute {
        Attribute::GivenName
        | Attribute::FamilyName
        | Attribute::Name
        | Attribute::PreferredUsername
        | Attribute::BirthDate
        | Attribute::Gender
        | Attribute::Locale
        | Attribute::EntPersonJointure
        | Attribute::FrEduCtRefId
        | Attribute::FrEduVecteur => Scope::Profile,
        Attribute::Email => Scope::Email,
        Attribute::PhoneNumber => Scope::Phone,
        Attribute::Address => Scope::Address,
        Attribute::Uai | Attribute::Level | Attribute::Class | Attribute::Profile => Scope::Education,
    }
}

/// The names of the claims there are, for the discovery document.
pub fn names() -> Vec<&'static str> {
    let of_person = Attribute::ALL
        .iter()
        .filter(|attribute| scope_of(**attribute) != Scope::Education);
    of_person
        .map(|attribute| attribute.as_str())
        .chain([EMAIL_VERIFIED, PHONE_VERIFIED, EDUCATION])
        .collect()
}

/// Whether any attribute of a scope may leave: whoever releases need not look for the others.
pub fn may_leave(party: &RelyingParty, asked: Asked<'_>, scope: Scope) -> bool {
    let mut of_scope = Attribute::ALL
        .iter()
        .filter(|attribute| scope_of(**attribute) == scope);
    of_scope.any(|attribute| permission(party, &asked, *attribute).is_ok())
}

/// Releases to `party` what it asks about a person. That a claim is essential changes nothing: what may not leave, or is
/// not there, is left out (OpenID Connect Core §5.5.1).
pub fn release(party: &RelyingParty, asked: Asked<'_>, about: About<'_>) -> Released {
    let disclosure = disclose(party, &asked, about);
    let mut claims = Map::new();
    let schooling = disclosure.schooling();
    let mut verdicts = Vec::new();
    for attribute in Attribute::ALL.iter().copied() {
        let verdict = match disclosure.permission(attribute) {
            Err(verdict) => verdict,
            Ok(line) => {
                let is_there = if scope_of(attribute) == Scope::Education {
                    schooling.iter().any(|one| one.contains_key(&attribute))
                } else {
                    let mut own = write(attribute, &disclosure);
                    own.retain(|claim, value| asked.takes(attribute, claim, value));
                    let is_there = !own.is_empty();
                    claims.extend(own);
                    is_there
                };
                if is_there {
                    Verdict::Released(line.clone())
                } else {
                    Verdict::NoValue
                }
            }
        };
        verdicts.push((attribute, verdict));
    }
    // A list of enrolments is no value that anybody could name, so it is taken as a whole or not at all.
    if !schooling.is_empty() {
        let object = |one: Schooling| -> Value {
            let members = one
                .into_iter()
                .map(|(attribute, value)| (attribute.to_string(), Value::from(value)));
            Value::Object(members.collect())
        };
        let list = schooling.into_iter().map(object).collect();
        claims.insert(EDUCATION.to_owned(), Value::Array(list));
    }
    Released { claims, verdicts }
}

/// Says in a signed answer whose it is and for whom (OpenID Connect Core §5.3.2). Without `exp`, `nonce` and `at_hash` no
/// client can take it for an ID Token.
pub fn address(claims: &mut Map<String, Value>, issuer: &str, client: &RelyingPartyId) {
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("aud".to_owned(), client.as_str().into());
}

/// The claims of an attribute of the person, as far as they have it: a way to reach them goes with whether it is known to
/// be theirs.
fn write(attribute: Attribute, disclosure: &Disclosure<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let value = match attribute {
        Attribute::Address => disclosure.address().map(address_members),
        // A person may be in the feeds of two academies: a list, however many there are.
        Attribute::EntPersonJointure | Attribute::FrEduCtRefId | Attribute::FrEduVecteur => {
            let keys = disclosure.keys(attribute);
            (!keys.is_empty()).then(|| keys.into())
        }
        _ => disclosure.text(attribute).map(Value::from),
    };
    let Some(value) = value else {
        return claims;
    };
    claims.insert(attribute.to_string(), value);
    let verified = match attribute {
        Attribute::Email => disclosure
            .email()
            .map(|email| (EMAIL_VERIFIED, email.is_verified)),
        Attribute::PhoneNumber => disclosure
            .phone_number()
            .map(|phone| (PHONE_VERIFIED, phone.is_verified)),
        _ => None,
    };
    claims.extend(verified.map(|(name, is_verified)| (name.to_owned(), is_verified.into())));
    claims
}

/// OpenID Connect Core §5.1.1.
fn address_members(address: &Address) -> Value {
    let members = [
        ("street_address", &address.street),
        ("postal_code", &address.postal_code),
        ("locality", &address.locality),
        ("region", &address.region),
        ("country", &address.country),
    ];
    let members = members.into_iter();
    let there = members.filter_map(|(name, line)| Some((name.to_owned(), line.as_ref()?.as_str().into())));
    Value::Object(there.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::claims_request::ClaimsRequest;
    use crate::domain::contact::Contact;
    use crate::domain::enrolment::Enrolment;
    use crate::domain::identity::Identity;
    use crate::domain::source::Sex;
    use crate::domain::testing::{aaf_key, contact, enrolment, party, person};

    fn everything() -> Scopes {
        Scopes::known_of("openid profile email address phone education")
    }

    fn about<'a>(identity: &'a Identity, live: &'a [Enrolment]) -> About<'a> {
        About {
            identity,
            contact: None,
            live,
            keys: &[],
        }
    }

    #[test]
    fn what_is_asked_for_and_listed_leaves() {
        let lina = person("Lina", 1);
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let released = release(&party("ent"), Asked::by(&everything()), about(&lina, &live));
        let expected = json!({
            "given_name": "Lina", "family_name": "Le Goff", "name": "Lina Le Goff", "birthdate": "2016-08-17",
            "education": [{ "uai": "9990001X", "level": "CM2", "class": "CM2 A", "profile": "National_ELV" }],
        });
        assert_eq!(Value::Object(released.claims), expected);
        let verdict = |wanted| {
            &released
                .verdicts
                .iter()
                .find(|(attribute, _)| *attribute == wanted)
                .unwrap()
                .1
        };
        assert_eq!(*verdict(Attribute::PreferredUsername), Verdict::NoValue);
        assert!(matches!(verdict(Attribute::Uai), Verdict::Released(line) if line.convention == "2026-17"));
        assert_eq!(released.verdicts.len(), Attribute::ALL.len());
    }

    #[test]
    fn nothing_leaves_without_scope_or_without_policy() {
        let lina = person("Lina", 1);
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let unasked = release(
            &party("ent"),
            Asked::by(&Scopes::known_of("openid")),
            about(&lina, &live),
        );
        assert!(unasked.claims.is_empty());
        assert!(
            unasked
                .verdicts
                .iter()
                .all(|(_, verdict)| *verdict == Verdict::NotAsked)
        );
        let mut silent = party("ent");
        silent.release.0.clear();
        let unlisted = release(&silent, Asked::by(&everything()), about(&lina, &live));
        assert!(unlisted.claims.is_empty());
        assert!(
            unlisted
                .verdicts
                .iter()
                .all(|(_, verdict)| *verdict == Verdict::NotInPolicy)
        );
        // Each attribute alone: only its own claim leaves.
        for attribute in Attribute::ALL {
            let mut one = party("ent");
            one.release.0.retain(|line| line.attribute == *attribute);
            let claims = release(&one, Asked::by(&everything()), about(&lina, &live)).claims;
            let text = Value::Object(claims.clone()).to_string();
            assert!(claims.len() <= 1, "{text}");
            let others = Attribute::ALL.iter().filter(|other| *other != attribute);
            for other in others {
                assert!(!text.contains(&format!("\"{other}\"")), "{attribute}: {text}");
            }
        }
    }

    fn asked_for(party: &RelyingParty, scopes: &str, claims: &str) -> Value {
        let (scopes, claims) = (Scopes::known_of(scopes), claims.parse::<ClaimsRequest>().unwrap());
        let asked = Asked {
            scopes: &scopes,
            claims: &claims.userinfo,
        };
        let lina = person("Lina", 1);
        let live = [enrolment(&lina, "9990001X", "CM2")];
        Value::Object(release(party, asked, about(&lina, &live)).claims)
    }

    #[test]
    fn core_section_5_5_a_claim_by_name_leaves_alone_and_only_where_the_policy_lists_it() {
        let (ent, mut narrow) = (party("ent"), party("ent"));
        narrow.release.0.retain(|line| line.attribute == Attribute::Name);
        let both =
            r#"{"userinfo":{"name":{"essential":true},"birthdate":{"essential":true},"picture":null}}"#;
        let named = json!({ "name": "Lina Le Goff" });
        assert_eq!(
            asked_for(&ent, "openid", both),
            json!({ "name": "Lina Le Goff", "birthdate": "2016-08-17" })
        );
        assert_eq!(asked_for(&narrow, "openid", both), named, "essential or not");
        assert_eq!(asked_for(&narrow, "openid profile", "{}"), named);
        let education = asked_for(&ent, "openid", r#"{"userinfo":{"education":null}}"#);
        assert_eq!(education["education"][0]["level"], "CM2");
        for nothing in [
            r#"{"id_token":{"name":null}}"#,
            r#"{"userinfo":{"profile":null,"uai":null,"class":null,"level":null}}"#,
            r#"{"userinfo":{"name#fr":null,"NAME":null,"sub":null}}"#,
            r#"{"userinfo":{"education":{"value":"CM2"}}}"#,
            r#"{"userinfo":{"name":{"value":"Maddi Le Goff"}}}"#,
            r#"{"userinfo":{"name":{"values":[]}}}"#,
        ] {
            assert_eq!(asked_for(&ent, "openid", nothing), json!({}), "{nothing}");
        }
        for name in [
            r#"{"value":"Lina Le Goff"}"#,
            r#"{"values":["x","Lina Le Goff"]}"#,
        ] {
            let asked = format!(r#"{{"userinfo":{{"name":{name}}}}}"#);
            assert_eq!(asked_for(&ent, "openid", &asked), named, "{name}");
        }
        let by_scope = asked_for(&ent, "openid profile", r#"{"userinfo":{"name":{"value":"x"}}}"#);
        assert_eq!(by_scope["name"], "Lina Le Goff", "the scope asks for any");
    }

    #[test]
    fn a_name_that_is_asked_for_is_one_that_discovery_announces() {
        for name in names() {
            assert!(is_about_a_person(name), "{name}");
        }
        for other in ["sub", "acr", "profile", "uai", ""] {
            assert!(!is_about_a_person(other), "{other}");
        }
    }

    #[test]
    fn openid_connect_core_section_5_4_contacts_leave_each_by_its_scope_and_only_what_there_is() {
        let mut lina = person("Lina", 1);
        lina.sex = Some(Sex::Female);
        let sample = contact("lina");
        let asked = |scope: &str, contact: &Contact| {
            let about = About {
                identity: &lina,
                contact: Some(contact),
                live: &[],
                keys: &[],
            };
            Value::Object(release(&party("ent"), Asked::by(&Scopes::known_of(scope)), about).claims)
        };
        let email = json!({ "email": "lina@ecole.example", "email_verified": true });
        assert_eq!(asked("openid email", &sample), email);
        let phone = json!({ "phone_number": "+33199001234", "phone_number_verified": false });
        assert_eq!(asked("openid phone", &sample), phone);
        let address = json!({ "address": {
            "street_address": "3, rue des Marronniers", "postal_code": "80000", "locality": "Amiens", "country": "France",
        }});
        assert_eq!(asked("openid address", &sample), address);
        assert_eq!(asked("openid profile", &sample)["gender"], "female");
        assert_eq!(
            asked("openid email phone address", &Contact::default()),
            json!({})
        );
        assert!(asked("openid profile", &sample).get("email").is_none());
    }

    #[test]
    fn a_contact_that_is_not_in_the_policy_does_not_leave_and_is_not_looked_for() {
        let (lina, sample) = (person("Lina", 1), contact("lina"));
        let mut ent = party("ent");
        ent.release
            .0
            .retain(|line| line.attribute == Attribute::PhoneNumber);
        let about = About {
            identity: &lina,
            contact: Some(&sample),
            live: &[],
            keys: &[],
        };
        let released = release(&ent, Asked::by(&everything()), about);
        assert_eq!(
            released.claims.keys().collect::<Vec<_>>(),
            ["phone_number", "phone_number_verified"]
        );
        let not_listed = (Attribute::Email, Verdict::NotInPolicy);
        assert!(released.verdicts.contains(&not_listed));
        assert!(may_leave(&ent, Asked::by(&everything()), Scope::Phone));
        assert!(!may_leave(&ent, Asked::by(&everything()), Scope::Email));
        assert!(!may_leave(&ent, Asked::by(&everything()), Scope::Education));
        assert!(!may_leave(
            &ent,
            Asked::by(&Scopes::known_of("openid")),
            Scope::Phone
        ));
    }

    #[test]
    fn discovery_names_every_claim_that_may_leave() {
        let (mut lina, sample) = (person("Lina", 1), contact("lina"));
        (lina.sex, lina.locale) = (Some(Sex::Male), Some("fr".into()));
        lina.username = Some("lina.legoff".into());
        let live = [enrolment(&lina, "9990001X", "CM2")];
        let about = About {
            identity: &lina,
            contact: Some(&sample),
            live: &live,
            keys: &[aaf_key("9990001X")],
        };
        let claims = release(&party("ent"), Asked::by(&everything()), about).claims;
        let mut names: Vec<String> = names().into_iter().map(str::to_owned).collect();
        names.sort();
        assert_eq!(claims.keys().cloned().collect::<Vec<_>>(), names);
    }

    #[test]
    fn only_enrolments_in_schools_the_party_serves_leave() {
        let lina = person("Lina", 1);
        let live = [
            enrolment(&lina, "9990001X", "CM2"),
            enrolment(&lina, "9990101F", "6EME"),
        ];
        let mut college = party("ent");
        college.schools = vec!["9990101F".parse().unwrap()];
        let claims = release(&college, Asked::by(&everything()), about(&lina, &live)).claims;
        assert_eq!(claims[EDUCATION].as_array().unwrap().len(), 1);
        assert_eq!(claims[EDUCATION][0]["uai"], "9990101F");
        let twice = [live[0].clone(), live[0].clone()];
        assert_eq!(
            release(&party("ent"), Asked::by(&everything()), about(&lina, &twice)).claims[EDUCATION]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}
