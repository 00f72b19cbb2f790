//! Who somebody becomes: guardians and their children, people whom nobody knows, namesakes, and what a merge keeps.

use super::super::case;
use super::*;
use crate::base::time::parse_date;
use crate::domain::education::{AcademyCode, Degree, School};
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::source::{AafKey, Source};
use crate::domain::upstream::{
    Assurance, Linking, MetadataState, OidcProvider, Otherwise, Population, Preset, Protocol, Userinfo,
};
use crate::flows::testing::scene::{self, on_each_engine};
use crate::store::upstream_provider::Kept;

const ECOLE: &str = "9990001X";
const COLLEGE: &str = "9990101F";

fn provider(otherwise: Otherwise) -> Provider {
    let declared = UpstreamProvider {
        id: "educonnect".parse().unwrap(),
        name: "EduConnect".into(),
        preset: Preset::EduConnectSaml,
        populations: Population::ALL.to_vec(),
        protocol: Protocol::Oidc(OidcProvider {
            issuer: "https://educonnect.example".into(),
            client_id: "marelle".into(),
            auth_method: ClientAuthMethod::None,
            scopes: Vec::new(),
            acr_values: None,
            required_acr: Vec::new(),
            claims: None,
            pkce: true,
            requires_iss: false,
            userinfo: Userinfo::None,
            endpoints: None,
            logout: false,
        }),
        linking: Linking {
            by_source_key: true,
            by_ine: true,
            guardians_by_child: true,
            otherwise,
        },
        assurance: Assurance::default(),
        academies: vec!["14".parse().unwrap()],
        convention: Some("2026-17".into()),
        starts_on: None,
        ends_on: None,
        staff_rules: Vec::new(),
        enabled: true,
    };
    let kept = Kept {
        provider: declared,
        secret: None,
    };
    Provider::of((kept, MetadataState::default()))
}

fn arrived(subject: &str, said: &[(&str, &[&str])]) -> Arrived {
    let mut statements = Statements::new();
    for (name, values) in said {
        statements.add(name, values.iter().map(|value| (*value).to_owned()));
    }
    Arrived {
        subject: subject.to_owned(),
        said: statements,
        acr: Acr::SingleFactor,
        login: LoginThere::Oidc {
            sub: subject.to_owned(),
            sid: None,
            id_token: String::new(),
        },
    }
}

/// Somebody comes, on a device of their own; who is signed in, if anybody is.
async fn comes(context: &Context, provider: &Provider, arrived: Arrived) -> Result<Identity, Outcome> {
    let browser = Browser {
        bound: None,
        former: None,
        device: Device::Personal,
        continuation: None,
    };
    let mut tx = context.db.begin().await.unwrap();
    let outcome = settle(context, &mut tx, provider, arrived, browser)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    match outcome {
        Outcome::SignedIn { cookie, .. } => {
            let found = session::find(context, &cookie).await.unwrap().unwrap();
            assert_eq!(found.session.amr, Amr::Federated);
            Ok(found.identity)
        }
        other => Err(other),
    }
}

/// A pupil of a school, with a number in its register and a key in the directory.
async fn pupil(context: &Context, name: &str, number: i64, (uai, attachment): (&str, &str)) -> Identity {
    let pupil = scene::pupil(context, name, number, uai).await;
    let key = AafKey {
        source: Source::Aaf2d,
        academy: "14".parse::<AcademyCode>().unwrap(),
        jointure: format!("77{number}"),
        attachment: Some(attachment.into()),
        school: uai.parse().unwrap(),
        profile: Profile::Pupil,
    };
    scene::state(context, &pupil, &key).await;
    pupil
}

async fn children_of(context: &Context, adult: &Identity) -> Vec<IdentityId> {
    let mut conn = context.db.reader().await.unwrap();
    store::guardianship::pupils(&mut conn, adult.id).await.unwrap()
}

#[tokio::test]
async fn a_guardian_of_a_child_of_each_degree_is_one_adult_with_both_children() {
    on_each_engine(async |context, _clock| {
        let lina = pupil(&context, "Lina", 1, (ECOLE, "111")).await;
        let noe = pupil(&context, "Noé", 2, (COLLEGE, "222")).await;
        let mut there = provider(Otherwise::Refuse);
        there.declared.academies.clear();
        let both = ["1|LE GOFF|Anne|111|9990001X", "2|LE GOFF|Anne|222|9990101F"];
        let anne = comes(&context, &there, arrived("anne", &[("FrEduVecteur", &both)]))
            .await
            .unwrap();
        assert_eq!(
            (anne.given_name.as_str(), anne.family_name.as_str()),
            ("Anne", "LE GOFF")
        );
        let mut expected = vec![lina.id, noe.id];
        expected.sort_unstable();
        assert_eq!(children_of(&context, &anne).await, expected);
        let mut conn = context.db.reader().await.unwrap();
        let today = context.now().date();
        let live = store::enrolment::live_of(&mut conn, anne.id, today)
            .await
            .unwrap();
        let mut schools: Vec<&str> = live.iter().map(|one| one.school.as_str()).collect();
        schools.sort_unstable();
        assert_eq!(
            schools,
            [ECOLE, COLLEGE],
            "services of both schools are open to her"
        );
        assert!(live.iter().all(|one| one.profile == Profile::Guardian));
        drop(conn);

        // By another provider, of one child alone: the same adult, by the child and the name.
        let mut other = provider(Otherwise::Refuse);
        other.declared.academies.clear();
        other.declared.id = "autre".parse().unwrap();
        let one = ["2|Le Goff|ANNE|222|9990101F"];
        let again = comes(&context, &other, arrived("x", &[("FrEduVecteur", &one)]))
            .await
            .unwrap();
        assert_eq!(again.id, anne.id);
        // The other parent is another adult.
        let paul = ["2|LE GOFF|Paul|222|9990101F"];
        let paul = comes(&context, &there, arrived("paul", &[("FrEduVecteur", &paul)]))
            .await
            .unwrap();
        assert_ne!(paul.id, anne.id);
        assert_eq!(children_of(&context, &paul).await, [noe.id]);
        // A guardian of nobody whom we know is nobody here, and no new child appears by a pupil's vector.
        let stranger = ["2|LE GOFF|Anne|999|9990101F"];
        let refused = comes(&context, &there, arrived("y", &[("FrEduVecteur", &stranger)])).await;
        assert!(
            matches!(
                refused,
                Err(Outcome::Refused {
                    why: Why::Unknown,
                    ..
                })
            ),
            "{refused:?}"
        );
        assert_eq!(scene::journalled(&context, "guardian.stated").await, 3);
        // A provider of another academy says nothing of the children of this one.
        let mut elsewhere = provider(Otherwise::Refuse);
        elsewhere.declared.id = "ailleurs".parse().unwrap();
        elsewhere.declared.academies = vec!["20".parse().unwrap()];
        let refused = comes(&context, &elsewhere, arrived("z", &[("FrEduVecteur", &one)])).await;
        assert!(matches!(refused, Err(Outcome::Refused { .. })), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn attack_55_a_namesake_is_a_humans_to_tell_apart_and_a_key_of_another_academy_says_nothing() {
    on_each_engine(async |context, _clock| {
        let lina = pupil(&context, "Lina", 1, (COLLEGE, "111")).await;
        let there = provider(Otherwise::Create);
        let birth = lina.birth_date.unwrap().to_string();
        let named: [(&str, &[&str]); 3] = [
            ("givenName", &["Lina"]),
            ("sn", &[&lina.family_name]),
            ("FrEduCtDateNaissance", &[&birth]),
        ];
        let with = |more: (&'static str, &'static [&'static str])| {
            let mut all: Vec<(&str, &[&str])> = named.to_vec();
            all.push(more);
            all
        };
        // The key leads to her.
        let key = with(("FrEduCtRefId", &["{AAF}14||771"]));
        let her = comes(&context, &there, arrived("a", &key)).await.unwrap();
        assert_eq!(her.id, lina.id);
        // The provider does not speak for another academy, and for a parent's word it is no pupil's key.
        let foreign = with(("FrEduCtRefId", &["{AAF}20||771"]));
        let made = comes(&context, &there, arrived("b", &foreign)).await;
        assert!(
            !matches!(&made, Ok(identity) if identity.id == lina.id),
            "{made:?}"
        );
        let parent: [(&str, &[&str]); 2] = [
            ("FrEduCtRefId", &["{AAF}14||771"]),
            ("FrEduCtPersonAffiliation", &["resp2d"]),
        ];
        let refused = comes(&context, &there, arrived("c", &parent)).await;
        assert!(matches!(refused, Err(Outcome::Waits { .. })), "{refused:?}");
        // Two keys of two people.
        pupil(&context, "Noé", 2, (COLLEGE, "222")).await;
        let both: [(&str, &[&str]); 1] = [("FrEduCtRefId", &["{AAF}14||771", "{AAF}14||772"])];
        let refused = comes(&context, &there, arrived("d", &both)).await;
        assert!(matches!(refused, Err(Outcome::Waits { .. })), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn somebody_whom_nobody_knows_becomes_an_identity_only_where_the_policy_says_so() {
    on_each_engine(async |context, _clock| {
        let said: [(&str, &[&str]); 3] = [
            ("givenName", &["Inès"]),
            ("sn", &["Garnier"]),
            ("FrEduCtDateNaissance", &["1985-02-03"]),
        ];
        let refused = comes(&context, &provider(Otherwise::Refuse), arrived("ines", &said)).await;
        assert!(matches!(refused, Err(Outcome::Refused { .. })));
        // Without a cookie of ours nobody can be asked to prove anything later.
        let asked = comes(&context, &provider(Otherwise::Ask), arrived("ines", &said)).await;
        assert!(matches!(asked, Err(Outcome::NotBelieved)), "{asked:?}");
        let there = provider(Otherwise::Create);
        let ines = comes(&context, &there, arrived("ines", &said)).await.unwrap();
        assert_eq!(ines.birth_date, parse_date("1985-02-03"));
        let again = comes(&context, &there, arrived("ines", &said)).await.unwrap();
        assert_eq!(again.id, ines.id, "one identity, however often she comes");
        // Attack 54: letters count.
        let other = comes(&context, &there, arrived("INES", &said)).await.unwrap();
        assert_ne!(other.id, ines.id);
    })
    .await;
}

/// A provider that speaks for every academy.
fn everywhere(otherwise: Otherwise) -> Provider {
    let mut there = provider(otherwise);
    there.declared.academies.clear();
    there
}

/// The école is declared.
async fn declare_ecole(context: &Context) {
    let school = School {
        uai: ECOLE.parse().unwrap(),
        name: "École du Port".into(),
        degree: Degree::First,
        commune: None,
        academy: "14".parse().unwrap(),
    };
    let mut tx = context.db.begin().await.unwrap();
    store::school::save(&mut tx, &school, None).await.unwrap();
    tx.commit().await.unwrap();
}

/// A pupil whom ONDE states: it knows no number.
async fn pupil_of_onde(context: &Context, name: &str, number: i64) -> Identity {
    let pupil = scene::pupil(context, name, number, ECOLE).await;
    let key = AafKey {
        source: Source::Onde,
        academy: "14".parse::<AcademyCode>().unwrap(),
        jointure: format!("onde{number}"),
        attachment: None,
        school: ECOLE.parse().unwrap(),
        profile: Profile::Pupil,
    };
    scene::state(context, &pupil, &key).await;
    pupil
}

async fn decides(context: &Context, word: case::Word) -> case::Verdict {
    let open = case::list(context).await.unwrap();
    let [view] = open.as_slice() else {
        panic!("{} cases", open.len())
    };
    assert_eq!(view.child, Some(("555".to_owned(), ECOLE.parse().unwrap())));
    case::decide(context, view.case.id, word, ("Maddi", &Actor::Operator))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_child_whose_number_no_feed_states_is_told_once_by_a_human_and_found_by_every_guardian() {
    on_each_engine(async |context, _clock| {
        declare_ecole(&context).await;
        let lina = pupil_of_onde(&context, "Lina", 1).await;
        let noe = pupil(&context, "Noé", 2, (COLLEGE, "222")).await;
        let there = everywhere(Otherwise::Ask);
        scene::declare_upstream(&context, there.declared.clone(), None).await;
        let both = ["1|LE GOFF|Anne|555|9990001X", "2|LE GOFF|Anne|222|9990101F"];
        let come = async |subject: &str, vecteurs: &[&str]| {
            comes(&context, &there, arrived(subject, &[("FrEduVecteur", vecteurs)])).await
        };
        let anne = come("anne", &both).await.unwrap();
        assert_eq!(
            children_of(&context, &anne).await,
            [noe.id],
            "a name in the same école is no proof"
        );
        // The other parent, of the école alone, is nobody yet: one case for both.
        let paul = ["1|LE GOFF|Paul|555|9990001X"];
        let waits = come("paul", &paul).await;
        assert!(matches!(waits, Err(Outcome::Waits { .. })), "{waits:?}");
        // A pupil of another school is no answer, nor is somebody new.
        assert_eq!(
            decides(&context, case::Word::Is(noe.id)).await,
            case::Verdict::Unknown
        );
        assert_eq!(decides(&context, case::Word::New).await, case::Verdict::Unknown);
        assert_eq!(
            decides(&context, case::Word::Is(lina.id)).await,
            case::Verdict::Decided
        );
        let again = come("anne", &both).await.unwrap();
        assert_eq!(again.id, anne.id);
        let mut expected = vec![lina.id, noe.id];
        expected.sort_unstable();
        assert_eq!(children_of(&context, &anne).await, expected);
        let paul = come("paul", &paul).await.unwrap();
        assert_ne!(paul.id, anne.id);
        assert_eq!(children_of(&context, &paul).await, [lina.id]);
        assert!(case::list(&context).await.unwrap().is_empty());
        // The number of another pupil is not given twice.
        let lila = pupil_of_onde(&context, "Lila", 3).await;
        let mut tx = context.db.begin().await.unwrap();
        let person = Introduction::read(
            Preset::EduConnectSaml,
            &arrived("lila", &[("FrEduVecteur", &["3|||555|9990001X"])]).said,
        );
        child::learn(&context, &mut tx, (&there.declared, &person), lila.id)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut conn = context.db.reader().await.unwrap();
        let found = store::roster::by_attachment(&mut conn, "555", &ECOLE.parse().unwrap()).await;
        let of: Vec<IdentityId> = found.unwrap().iter().map(|record| record.identity).collect();
        assert_eq!(of, [lina.id]);
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_nobodys_here_is_not_asked_about_again_and_keeps_nobody_out() {
    on_each_engine(async |context, _clock| {
        declare_ecole(&context).await;
        pupil(&context, "Noé", 2, (COLLEGE, "222")).await;
        pupil_of_onde(&context, "Lina", 1).await;
        let there = everywhere(Otherwise::Ask);
        scene::declare_upstream(&context, there.declared.clone(), None).await;
        let both = ["1|LE GOFF|Anne|555|9990001X", "2|LE GOFF|Anne|222|9990101F"];
        let come = async || comes(&context, &there, arrived("anne", &[("FrEduVecteur", &both)])).await;
        let anne = come().await.unwrap();
        assert_eq!(
            decides(&context, case::Word::Refuse).await,
            case::Verdict::Decided
        );
        assert_eq!(come().await.unwrap().id, anne.id);
        assert!(case::list(&context).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_pupil_who_proves_who_they_are_brings_their_number_along() {
    on_each_engine(async |context, _clock| {
        declare_ecole(&context).await;
        let lina = pupil_of_onde(&context, "Lina", 1).await;
        let there = everywhere(Otherwise::Ask);
        let vecteur = ["3|||555|9990001X"];
        let said = arrived("lina", &[("FrEduVecteur", &vecteur)]).said;
        let person = Introduction::read(Preset::EduConnectSaml, &said);
        let mut tx = context.db.begin().await.unwrap();
        child::learn(&context, &mut tx, (&there.declared, &person), lina.id)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let anne = ["1|LE GOFF|Anne|555|9990001X"];
        let anne = comes(&context, &there, arrived("anne", &[("FrEduVecteur", &anne)]))
            .await
            .unwrap();
        assert_eq!(children_of(&context, &anne).await, [lina.id]);
        assert_eq!(scene::journalled(&context, "pupil_number.kept").await, 1);
    })
    .await;
}
