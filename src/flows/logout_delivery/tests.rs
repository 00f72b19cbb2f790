//! Back-Channel Logout as the parties see it. All people and parties are invented.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::*;
use crate::base::secret::Secret;
use crate::base::time::ManualClock;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{LogoutAddress, RelyingPartyId, SigningAlgorithm};
use crate::domain::testing::{party, person};
use crate::flows::delivery::{AT_ONCE, LEASE, OF_EACH};
use crate::flows::testing::Partners;
use crate::flows::testing::scene::{self, declare, on_each_engine};
use crate::flows::{keys, logout, session};
use crate::jose::Algorithm;
use crate::oidc::logout_token::EVENT;

const WAYS: [&str; 4] = ["ent", "cantine", "biblio", "silent"];

/// Lina is signed in, and four services have joined: three take logout tokens, `silent` does not.
struct Scene {
    context: Context,
    clock: Arc<ManualClock>,
    keyring: Keyring,
    partners: Arc<Partners>,
    lina: Identity,
}

impl Scene {
    async fn new(mut context: Context, clock: Arc<ManualClock>) -> Self {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        keys::testing::premade(&context).await;
        let keyring = Keyring::open(&context).await.unwrap();
        for id in WAYS {
            let mut party = scene::told_of_logout(id);
            if id != "ent" {
                party.id_token_alg = SigningAlgorithm::Rs256;
            }
            if id == "silent" {
                party.metadata.backchannel_logout = None;
            }
            declare(&context, &party).await;
            answers(&partners, id, 200);
        }
        let lina = person("Lina", 1);
        let mut tx = context.db.begin().await.unwrap();
        store::identity::insert(&mut tx, &lina).await.unwrap();
        for id in ["ent", "cantine"] {
            let subject = format!("lina at {id}");
            let issued = store::subject::add(&mut tx, id, &subject, lina.id, context.now());
            assert!(issued.await.unwrap());
        }
        tx.commit().await.unwrap();
        Self {
            context,
            clock,
            keyring,
            partners,
            lina,
        }
    }

    /// Signs Lina in, and lets services join.
    async fn joined(&self, services: &[&str]) -> (Secret, session::SignedIn) {
        let cookie = scene::sign_in(&self.context, &self.lina, None).await;
        let who = session::find(&self.context, &cookie).await.unwrap().unwrap();
        scene::join(&self.context, &who, services).await;
        (cookie, who)
    }

    /// Ends a login by an operator.
    async fn ended(&self, services: &[&str]) -> session::SignedIn {
        let (cookie, who) = self.joined(services).await;
        scene::end_session(&self.context, &cookie).await;
        who
    }

    /// One round of the job.
    async fn round(&self) -> Vec<Status> {
        let mut came = Vec::new();
        for claimed in claim(&self.context, &Busy::new()).await.unwrap() {
            came.extend(deliver(&self.context, &self.keyring, &claimed).await.unwrap());
        }
        came
    }

    /// What a party was sent, checked as §2.6 has it checked.
    async fn tokens(&self, client: &str) -> Vec<Map<String, Value>> {
        let keys = self.keyring.published(&self.context).await.unwrap();
        let asked = self.partners.asked();
        let of_party = asked
            .iter()
            .filter(|asked| asked.uri().host() == Some(&format!("{client}.example")));
        of_party
            .map(|asked| {
                assert_eq!(asked.method(), http::Method::POST);
                assert_eq!(asked.uri().query(), Some("tenant=1"));
                let form = std::str::from_utf8(asked.body()).unwrap();
                let (name, token) = url::parameters(form).pop().unwrap();
                assert_eq!(name, "logout_token");
                assert!(
                    jose::verify(&token, &keys, Algorithm::ALL, jose::Kind::Jwt).is_err(),
                    "no ID Token"
                );
                let alg = if client == "ent" {
                    Algorithm::Es256
                } else {
                    Algorithm::Rs256
                };
                jose::verify(&token, &keys, &[alg], jose::Kind::LogoutToken).unwrap()
            })
            .collect()
    }
}

fn answers(partners: &Partners, client: &str, status: u16) {
    partners.answer(&format!("https://{client}.example/"), move |_| {
        http::Response::builder().status(status).body(Vec::new()).unwrap()
    });
}

#[tokio::test]
async fn each_party_of_an_ended_login_gets_a_token_of_its_own() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        let who = scene.ended(&WAYS).await;
        assert_eq!(scene.round().await.len(), 3);
        assert_eq!(scene.round().await, [], "told once");
        for client in ["ent", "cantine", "biblio"] {
            let tokens = scene.tokens(client).await;
            let [token] = tokens.as_slice() else {
                panic!("{tokens:?}")
            };
            assert_eq!(
                (&token["iss"], &token["aud"]),
                (&"https://id.example.fr".into(), &client.into())
            );
            let known = ["ent", "cantine"]
                .contains(&client)
                .then(|| format!("lina at {client}"));
            assert_eq!(token.get("sub").and_then(Value::as_str), known.as_deref());
            let sid = id_token::sid(&scene.context, who.session.id, &client.parse().unwrap()).unwrap();
            assert_eq!(token["sid"], sid);
            assert_eq!(token["events"], serde_json::json!({ EVENT: {} }));
            assert!(!token.contains_key("nonce"));
            let lives = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
            assert!((1..=120).contains(&lives));
        }
        assert!(scene.tokens("silent").await.is_empty());
        assert_eq!(scene::journalled(&scene.context, "logout.delivered").await, 3);
        let results = logout::results(&scene.context, who.session.id).await.unwrap();
        let at = scene.context.now();
        assert!(
            results
                .iter()
                .all(|result| result.status == Status::Delivered { at })
        );
        assert_eq!(results.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn whatever_ends_a_login_the_parties_are_told() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        let context = &scene.context;
        let told = async || {
            let before = scene.tokens("ent").await.len();
            scene.round().await;
            scene.tokens("ent").await.len() - before
        };
        let (cookie, _) = scene.joined(&["ent"]).await;
        logout::sign_out(context, Some(&cookie)).await.unwrap();
        assert_eq!(told().await, 1, "the person");
        logout::sign_out(context, Some(&cookie)).await.unwrap();
        assert_eq!(told().await, 0, "nothing ends twice");

        let (cookie, _) = scene.joined(&["ent"]).await;
        let maddi = person("Maddi", 2);
        let mut tx = context.db.begin().await.unwrap();
        store::identity::insert(&mut tx, &maddi).await.unwrap();
        tx.commit().await.unwrap();
        let renewed = scene::sign_in(context, &scene.lina, Some(&cookie)).await;
        assert_eq!(told().await, 0, "the same person again: the login goes on");
        scene::sign_in(context, &maddi, Some(&renewed)).await;
        assert_eq!(told().await, 1, "somebody else on the same browser");

        for _ in 0..2 {
            scene.joined(&["ent", "cantine"]).await;
        }
        let mut tx = context.db.begin().await.unwrap();
        let ended = session::end_all_of(
            &mut tx,
            scene.lina.id,
            context.now(),
            Actor::Operator,
            "new credential",
        );
        assert_eq!(ended.await.unwrap(), 2);
        tx.commit().await.unwrap();
        assert_eq!(told().await, 2, "a new password ends every login");

        let (cookie, _) = scene.joined(&["ent"]).await;
        let mut tx = context.db.begin().await.unwrap();
        let who = session::find(context, &cookie).await.unwrap().unwrap();
        let never = session::end(&mut tx, who.session.id, context.now(), Actor::Operator, "test");
        assert!(never.await.unwrap().is_some());
        drop(tx);
        assert_eq!(told().await, 0, "a transaction that never was");
        scene.clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(told().await, 0, "a login that only expires");
    })
    .await;
}

#[tokio::test]
async fn back_channel_logout_section_2_8_what_an_answer_means() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        for (status, expected) in [
            (200, "delivered"),
            (204, "delivered"),
            (400, "given up"),
            (201, "again"),
            (302, "again"),
            (404, "again"),
            (501, "again"),
            (503, "again"),
        ] {
            answers(&scene.partners, "ent", status);
            let who = scene.ended(&["ent"]).await;
            let came = match scene.round().await.as_slice() {
                [Status::Delivered { .. }] => "delivered",
                [Status::GivenUp { .. }] => "given up",
                [Status::Waiting { due_at }] => {
                    assert_eq!(*due_at, scene.context.now().plus(Duration::from_secs(10)));
                    "again"
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(came, expected, "{status}");
            let results = logout::results(&scene.context, who.session.id).await.unwrap();
            assert_eq!(results[0].result, Some(format!("HTTP {status}")));
        }
    })
    .await;
}

#[tokio::test]
async fn a_party_that_is_away_is_asked_again_after_growing_pauses_and_given_up_in_the_end() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        scene.partners.answer("https://ent.example/", |_| {
            http::Response::builder().status(503).body(vec![0; 5000]).unwrap()
        });
        let who = scene.ended(&["ent", "cantine"]).await;
        assert_eq!(scene.round().await.len(), 2, "the other is told at once");
        for pause in [10, 60, 300, 1800] {
            scene.clock.advance(Duration::from_secs(pause - 1));
            assert_eq!(scene.round().await, [], "not before {pause} s");
            scene.clock.advance(Duration::from_secs(1));
            assert_eq!(scene.round().await.len(), 1, "after {pause} s");
        }
        scene.clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(scene.round().await, []);
        let tokens = scene.tokens("ent").await;
        assert_eq!(tokens.len(), 5);
        assert_ne!(
            tokens[0]["jti"], tokens[1]["jti"],
            "no attempt is the replay of another"
        );
        assert_eq!(scene::journalled(&scene.context, "logout.failed").await, 1);
        assert_eq!(scene::journalled(&scene.context, "logout.delivered").await, 1);
        let results = logout::results(&scene.context, who.session.id).await.unwrap();
        assert!(matches!(results[1].status, Status::GivenUp { .. }), "{results:?}");
        assert_eq!(
            (results[1].attempts, results[1].result.as_deref()),
            (5, Some("HTTP 503"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_party_that_comes_back_is_told_and_one_that_went_away_is_given_up() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        answers(&scene.partners, "ent", 502);
        scene.ended(&["ent"]).await;
        scene.round().await;
        answers(&scene.partners, "ent", 200);
        scene.clock.advance(Duration::from_secs(10));
        assert!(matches!(
            scene.round().await.as_slice(),
            [Status::Delivered { .. }]
        ));

        let who = scene.ended(&["ent", "cantine"]).await;
        let mut tx = scene.context.db.begin().await.unwrap();
        let ent = "ent".parse().unwrap();
        assert!(store::relying_party::delete(&mut tx, &ent).await.unwrap());
        tx.commit().await.unwrap();
        let mut changed = party("cantine");
        changed.metadata.backchannel_logout = Some(LogoutAddress {
            uri: "not an address".into(),
            session_required: false,
        });
        declare(&scene.context, &changed).await;
        let came = scene.round().await;
        assert!(
            came.iter().all(|status| matches!(status, Status::GivenUp { .. })),
            "{came:?}"
        );
        assert_eq!(
            logout::results(&scene.context, who.session.id)
                .await
                .unwrap()
                .len(),
            2
        );
        assert_eq!(scene::journalled(&scene.context, "logout.failed").await, 2);
    })
    .await;
}

#[tokio::test]
async fn two_nodes_never_have_the_same_delivery_and_one_that_dies_gives_it_back() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        for _ in 0..3 {
            scene.ended(&["ent", "cantine", "biblio"]).await;
        }
        let nothing = Busy::new();
        let (one, two) = tokio::join!(claim(&scene.context, &nothing), claim(&scene.context, &nothing));
        let mut both: Vec<_> = [one.unwrap(), two.unwrap()].concat();
        assert_eq!(both.len(), 9, "each once");
        both.dedup_by(|one, two| one.key == two.key);
        assert_eq!(both.len(), 9);
        scene.clock.advance(LEASE);
        let again = claim(&scene.context, &nothing).await.unwrap();
        assert_eq!(again.len(), 9, "nobody settled them");
        for late in &both {
            let settled = deliver(&scene.context, &scene.keyring, late).await.unwrap();
            assert_eq!(settled, None, "the claim was lost");
        }
        for claimed in &again {
            assert!(
                deliver(&scene.context, &scene.keyring, claimed)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        assert_eq!(scene::journalled(&scene.context, "logout.delivered").await, 9);
    })
    .await;
}

#[tokio::test]
async fn of_one_party_only_a_few_are_under_way_and_the_others_keep_their_turn() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        for _ in 0..6 {
            scene.ended(&["ent"]).await;
        }
        scene.ended(&["cantine"]).await;
        let ent: RelyingPartyId = "ent".parse().unwrap();
        let counted = |claimed: &[Claimed]| {
            let of_ent = claimed.iter().filter(|claimed| claimed.key.client == ent).count();
            (of_ent, claimed.len() - of_ent)
        };
        let first = claim(&scene.context, &Busy::from([(ent.clone(), 3)]))
            .await
            .unwrap();
        assert_eq!(counted(&first), (1, 1));
        assert_eq!(
            claim(&scene.context, &Busy::from([(ent.clone(), OF_EACH)]))
                .await
                .unwrap(),
            []
        );
        let all: Busy = [(ent.clone(), AT_ONCE)].into();
        assert_eq!(claim(&scene.context, &all).await.unwrap(), []);
        let rest = claim(&scene.context, &Busy::new()).await.unwrap();
        assert_eq!(counted(&rest), (OF_EACH, 0));
    })
    .await;
}

#[tokio::test]
async fn case_40_a_logout_token_is_no_hint_and_no_stranger_is_told() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        let who = scene.ended(&["ent"]).await;
        scene.round().await;
        let form = scene.partners.asked().pop().unwrap();
        let form = String::from_utf8(form.body().clone()).unwrap();
        let (_, token) = url::parameters(&form).pop().unwrap();
        let hint = id_token::hint(&scene.context, &scene.keyring, &token)
            .await
            .unwrap();
        assert_eq!(hint, None);
        let other = id_token::sid(&scene.context, who.session.id, &"cantine".parse().unwrap()).unwrap();
        assert_ne!(
            scene.tokens("ent").await[0]["sid"],
            other,
            "two services cannot compare logins"
        );
        assert!(scene.tokens("cantine").await.is_empty(), "never joined");
    })
    .await;
}
