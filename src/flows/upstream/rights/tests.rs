//! People of an academy come by its provider: what they may do follows what it says of them, and nothing else does.

mod ending;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::base::secret::Secret;
use crate::base::time::{ManualClock, parse_date};
use crate::domain::assurance::Acr;
use crate::domain::education::{Academy, Degree, School};
use crate::domain::identity::{Identity, Status};
use crate::domain::session::Device;
use crate::domain::testing::{enrolment, staff_provider};
use crate::domain::upstream::{Holder, Linking, Otherwise, Over};
use crate::flows::merge;
use crate::flows::testing::scene::{self, journalled, on_each_engine};
use crate::flows::upstream::saml::Cookies;
use crate::flows::upstream::settle::{Arrived, Browser, LoginThere, settle};
use crate::flows::upstream::{Outcome, link, open_provider};
use crate::store::upstream_provider::Kept;

const A: &str = "9990001X";
const B: &str = "9990002Y";
/// Of an academy that the provider does not speak for.
const FAR: &str = "9990101F";

struct Lille {
    context: Context,
    clock: Arc<ManualClock>,
    who: Identity,
}

fn rule(holder: Holder, grants: Option<Role>, profile: Option<Profile>) -> StaffRule {
    StaffRule {
        holder,
        over: Over::Responsible,
        grants,
        profile,
    }
}

fn rules() -> Vec<StaffRule> {
    let function = |code: &str| Holder::Function(code.into());
    vec![
        rule(function("DIR"), Some(Role::SchoolHead), Some(Profile::Head)),
        rule(
            Holder::Delegation("marelle".into()),
            Some(Role::SchoolAdmin),
            Some(Profile::Staff),
        ),
        StaffRule {
            over: Over::Academy,
            ..rule(function("ADF"), Some(Role::AcademyAdmin), None)
        },
        StaffRule {
            over: Over::Schools,
            ..rule(function("ENS"), None, Some(Profile::Teacher))
        },
    ]
}

fn provider(id: &str) -> UpstreamProvider {
    UpstreamProvider {
        staff_rules: rules(),
        ..staff_provider(id)
    }
}

impl Lille {
    async fn new(context: Context, clock: Arc<ManualClock>) -> Self {
        let mut tx = context.db.begin().await.unwrap();
        for code in ["09", "14"] {
            let academy = Academy {
                code: code.parse().unwrap(),
                name: code.into(),
            };
            store::school::save_academy(&mut tx, &academy).await.unwrap();
        }
        for (uai, academy) in [(A, "09"), (B, "09"), (FAR, "14")] {
            let school = School {
                uai: uai.parse().unwrap(),
                name: uai.into(),
                degree: Degree::First,
                commune: None,
                academy: academy.parse().unwrap(),
            };
            store::school::save(&mut tx, &school, None).await.unwrap();
        }
        tx.commit().await.unwrap();
        let who = scene::adult(&context, "Anne", 1).await;
        let house = Self { context, clock, who };
        house.declare(&provider("fim")).await;
        house.link("fim", "agent-1", house.who.id).await;
        house
    }

    /// As `marelle apply` does; answers how many rights went.
    async fn declare(&self, provider: &UpstreamProvider) -> usize {
        let mut tx = self.context.db.begin().await.unwrap();
        let kept = Kept {
            provider: provider.clone(),
            secret: None,
        };
        store::upstream_provider::save(&mut tx, &kept, 0).await.unwrap();
        let gone = follow_declaration(&self.context, &mut tx, provider)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        gone
    }

    async fn link(&self, provider: &str, subject: &str, who: IdentityId) {
        let id = provider.parse().unwrap();
        let made = link::make(&self.context, &id, (subject, who)).await.unwrap();
        assert_eq!(made, link::Change::Done);
    }

    async fn come_by(&self, provider: &str, subject: &str, claims: Value) {
        let outcome = self.arrive(provider, (subject, None), claims).await;
        assert!(matches!(outcome, Outcome::SignedIn { .. }), "{outcome:?}");
    }

    async fn arrive(
        &self,
        provider: &str,
        (subject, bound): (&str, Option<&Secret>),
        claims: Value,
    ) -> Outcome {
        let mut said = Statements::new();
        for (name, value) in claims.as_object().unwrap() {
            said.add_claim(name, value);
        }
        let arrived = Arrived {
            subject: subject.into(),
            said,
            acr: Acr::SingleFactor,
            login: LoginThere::Oidc {
                sub: subject.into(),
                sid: None,
                id_token: "x".into(),
            },
        };
        let browser = Browser {
            bound,
            former: None,
            device: Device::Personal,
            continuation: None,
        };
        let mut tx = self.context.db.begin().await.unwrap();
        let id = provider.parse().unwrap();
        let provider = open_provider(&self.context, &mut tx, &id).await.unwrap().unwrap();
        let outcome = settle(&self.context, &mut tx, &provider, arrived, browser)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        outcome
    }

    async fn come(&self, claims: Value) {
        self.come_by("fim", "agent-1", claims).await;
    }

    /// What somebody may do today.
    async fn may_of(&self, who: IdentityId) -> Vec<String> {
        let held = of_identity(&self.context, who).await.unwrap();
        let mut may: Vec<String> = held
            .iter()
            .map(|held| format!("{} over {}", held.role, held.scope))
            .collect();
        let mut conn = self.context.db.reader().await.unwrap();
        let today = self.context.now().date();
        let places = store::enrolment::live_of(&mut conn, who, today).await.unwrap();
        may.extend(
            places
                .iter()
                .map(|one| format!("{} in {}", one.profile, one.school)),
        );
        may
    }

    async fn may(&self) -> Vec<String> {
        self.may_of(self.who.id).await
    }

    async fn journalled(&self) -> (usize, usize) {
        (
            journalled(&self.context, "assignment.granted").await,
            journalled(&self.context, "assignment.withdrawn").await,
        )
    }

    fn days(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 24 * 3600));
    }
}

fn head_of(schools: &[&str]) -> Value {
    json!({"FrEduFonctAdm": "DIR", "FrEduRneResp": schools, "codaca": "009"})
}

const HEAD_OF_A: [&str; 2] = ["school_head over school 9990001X", "National_DIR in 9990001X"];

#[tokio::test]
async fn what_a_head_may_do_follows_what_is_said_of_them() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        let by_hand = Assignment {
            id: AssignmentId::new(lille.context.now(), &*lille.context.random),
            identity: lille.who.id,
            role: Role::SchoolAdmin,
            scope: Scope::School(B.parse().unwrap()),
            origin: None,
            since: lille.context.now(),
            until: None,
            ended_at: None,
        };
        let mut tx = lille.context.db.begin().await.unwrap();
        store::assignment::insert(&mut tx, &by_hand).await.unwrap();
        tx.commit().await.unwrap();
        let own = "school_admin over school 9990002Y";

        // A school that is not theirs here, one of another academy: nothing.
        lille.come(head_of(&[A, FAR, "0590121L"])).await;
        let of_a = [own, HEAD_OF_A[0], HEAD_OF_A[1]];
        assert_eq!(lille.may().await, of_a);
        lille.come(head_of(&[A, FAR])).await;
        assert_eq!(lille.may().await, of_a);
        assert_eq!(lille.journalled().await, (2, 0), "the same again changes nothing");

        lille.come(head_of(&[B])).await;
        let of_b = [
            own,
            "school_head over school 9990002Y",
            "National_DIR in 9990002Y",
        ];
        assert_eq!(lille.may().await, of_b);
        assert_eq!(lille.journalled().await, (4, 2));

        // The claim is gone, or the function is.
        lille
            .come(json!({"FrEduFonctAdm": "ENS", "FrEduRneResp": [B]}))
            .await;
        assert_eq!(lille.may().await, [own], "what was given by hand stays");
        lille
            .come(json!({"FrEduFonctAdm": "ENS", "rne": A.to_lowercase()}))
            .await;
        assert_eq!(lille.may().await, [own, "National_ENS in 9990001X"]);
        lille.come(json!({})).await;
        assert_eq!(lille.may().await, [own]);
        lille.come(json!({"FrEduFonctAdm": "ADF", "codaca": "009"})).await;
        assert_eq!(lille.may().await, ["academy_admin over academy 09", own]);
        lille.come(json!({"FrEduFonctAdm": "ADF", "codaca": "014"})).await;
        assert_eq!(
            lille.may().await,
            [own],
            "the provider does not speak for that academy"
        );
        assert_eq!(lille.journalled().await, (6, 6));
    })
    .await;
}

#[tokio::test]
async fn claims_are_previewed_and_nothing_is_written() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        let claims = head_of(&[A, FAR, "0590121l"]);
        let shown = preview(
            &lille.context,
            &"fim".parse().unwrap(),
            claims.as_object().unwrap(),
        )
        .await
        .unwrap()
        .unwrap();
        assert!(shown.is_open && shown.is_of_staff);
        let granted: Vec<_> = shown
            .rights
            .granted
            .iter()
            .map(|right| right.gives.to_string())
            .collect();
        assert_eq!(
            granted,
            [
                "school_head over school 9990001X",
                "National_DIR in school 9990001X"
            ]
        );
        let ignored: Vec<_> = shown
            .rights
            .ignored
            .iter()
            .map(|one| format!("{}: {}", one.what, one.why))
            .collect();
        assert_eq!(
            ignored,
            [
                "FrEduRneResp 0590121l: unreadable",
                "school 9990101F: foreign_academy"
            ]
        );
        assert_eq!(
            (lille.may().await, lille.journalled().await),
            (Vec::new(), (0, 0))
        );
        let nobody = preview(
            &lille.context,
            &"nobody".parse().unwrap(),
            claims.as_object().unwrap(),
        )
        .await;
        assert_eq!(nobody.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn whoever_is_said_much_of_can_prove_who_they_are_and_is_given_it_at_the_next_login() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        let mut fim = provider("fim");
        fim.linking = Linking {
            otherwise: Otherwise::Ask,
            ..Linking::default()
        };
        lille.declare(&fim).await;
        let post = |number| format!("{0}$UAJ$PU$ENS${0}$T3$LYC$340", Uai::from_number(number));
        let posts: Vec<String> = (590_000..590_190).map(post).chain([post(9_990_001)]).collect();
        let claims = json!({"FrEduFonctAdm": "ENS", "FrEduRne": posts, "FrEduRneResp": posts});
        let before = Secret::new("before");
        let Outcome::Prove { continuation } = lille
            .arrive("fim", ("agent-2", Some(&before)), claims.clone())
            .await
        else {
            panic!("not asked")
        };
        lille.clock.advance(Duration::from_secs(5));
        let session = scene::sign_in(&lille.context, &lille.who, None).await;
        let cookies = Cookies {
            bound: Some(&before),
            session: Some(&session),
            device: Device::Personal,
        };
        let proved = link::prove(&lille.context, &continuation, cookies).await.unwrap();
        assert!(matches!(proved, Outcome::SignedIn { .. }), "{proved:?}");
        assert_eq!(lille.may().await, [""; 0]);
        lille.come_by("fim", "agent-2", claims).await;
        assert_eq!(lille.may().await, ["National_ENS in 9990001X"]);
    })
    .await;
}
