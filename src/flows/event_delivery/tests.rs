//! Security events as a receiver sees them. All people and parties are invented.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::base::time::ManualClock;
use crate::domain::security_event::SecurityEvent;
use crate::domain::testing::party;
use crate::flows::delivery::LEASE;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::{declare, on_each_engine};
use crate::flows::{keys, security_event as told};
use crate::jose::Algorithm;
use crate::oidc::security_event::{ACCOUNT_PURGED, IDENTIFIER_CHANGED, VERIFICATION};

const TOKEN: &str = "let-us-in";

/// `ent` and `notes` share a sector and take events, `ent` by a token; `silent` is of that sector too and takes none.
struct Scene {
    context: Context,
    clock: Arc<ManualClock>,
    keyring: Keyring,
    partners: Arc<Partners>,
}

impl Scene {
    async fn new(mut context: Context, clock: Arc<ManualClock>) -> Self {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        keys::testing::premade(&context).await;
        let keyring = Keyring::open(&context).await.unwrap();
        for id in ["ent", "notes", "silent"] {
            let mut party = party(id);
            party.sector = "somme".into();
            declare(&context, &party).await;
        }
        let mut tx = context.db.begin().await.unwrap();
        for id in ["ent", "notes"] {
            let client: RelyingPartyId = id.parse().unwrap();
            let seal = || {
                context
                    .vault
                    .seal(&sealed_for(&client), TOKEN.as_bytes(), &*context.random)
            };
            let receiver = Receiver {
                uri: format!("https://{id}.example/events"),
                token: (id == "ent").then(|| seal().unwrap()),
            };
            store::event_receiver::save(&mut tx, &client, &receiver)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        let scene = Self {
            context,
            clock,
            keyring,
            partners,
        };
        scene.answers("ent", 202, "");
        scene.answers("notes", 202, "");
        scene
    }

    fn answers(&self, client: &str, status: u16, body: &'static str) {
        self.partners
            .answer(&format!("https://{client}.example/"), move |_| {
                http::Response::builder()
                    .status(status)
                    .body(body.into())
                    .unwrap()
            });
    }

    async fn queue(&self, event: SecurityEvent) -> u64 {
        let (now, random) = (self.context.now(), &*self.context.random);
        let mut tx = self.context.db.begin().await.unwrap();
        let events = vec![("somme".to_owned(), event)];
        let count = told::queue(&mut tx, random, events, now).await.unwrap();
        tx.commit().await.unwrap();
        count
    }

    /// One round of the job.
    async fn round(&self) -> Vec<Status> {
        let mut came = Vec::new();
        for claimed in claim(&self.context, &Busy::new()).await.unwrap() {
            came.extend(deliver(&self.context, &self.keyring, &claimed).await.unwrap());
        }
        came
    }

    /// What a party was sent, checked as RFC 8417 §4 has it checked.
    async fn tokens(&self, client: &str) -> Vec<Map<String, Value>> {
        let keys = self.keyring.published(&self.context).await.unwrap();
        let asked = self.partners.asked();
        let host = format!("{client}.example");
        let of_party = asked
            .iter()
            .filter(|asked| asked.uri().host() == Some(host.as_str()));
        of_party
            .map(|asked| {
                let header = |name: &str| asked.headers().get(name).map(|value| value.to_str().unwrap());
                assert_eq!(asked.method(), http::Method::POST);
                assert_eq!(header("content-type"), Some("application/secevent+jwt"));
                assert_eq!(header("accept"), Some("application/json"));
                let bearer = format!("Bearer {TOKEN}");
                assert_eq!(
                    header("authorization"),
                    (client == "ent").then_some(bearer.as_str())
                );
                let token = std::str::from_utf8(asked.body()).unwrap();
                for other in [jose::Kind::Jwt, jose::Kind::LogoutToken, jose::Kind::AccessToken] {
                    assert!(jose::verify(token, &keys, Algorithm::ALL, other).is_err());
                }
                jose::verify(token, &keys, Algorithm::ALL, jose::Kind::SecurityEvent).unwrap()
            })
            .collect()
    }
}

fn changed() -> SecurityEvent {
    SecurityEvent::IdentifierChanged {
        subject: "old".into(),
        new_value: "new".into(),
    }
}

fn purged() -> SecurityEvent {
    SecurityEvent::AccountPurged {
        subject: "gone".into(),
    }
}

fn delivered(came: &[Status]) -> usize {
    let is_delivered = |status: &&Status| matches!(status, Status::Delivered { .. });
    came.iter().filter(is_delivered).count()
}

#[tokio::test]
async fn each_receiver_of_the_sector_gets_a_token_of_its_own_once() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        assert_eq!(scene.queue(changed()).await, 2, "the silent one takes none");
        assert_eq!(delivered(&scene.round().await), 2);
        assert_eq!(scene.round().await, [], "told once");
        for client in ["ent", "notes"] {
            let [token] = &scene.tokens(client).await[..] else {
                panic!("{client} is told once");
            };
            let issuer = &scene.context.settings.public_url;
            assert_eq!(token["iss"], json!(issuer));
            assert_eq!(token["aud"], json!(client));
            assert_eq!(
                token["sub_id"],
                json!({"format": "iss_sub", "iss": issuer, "sub": "old"})
            );
            assert_eq!(
                token["events"],
                json!({ IDENTIFIER_CHANGED: { "new-value": "new" } })
            );
        }
        let (ent, notes) = (scene.tokens("ent").await, scene.tokens("notes").await);
        assert_ne!(ent[0]["jti"], notes[0]["jti"]);
        let mut conn = scene.context.db.reader().await.unwrap();
        let journal = store::audit::recent(&mut conn, 100).await.unwrap();
        let told = journal
            .iter()
            .filter(|entry| entry.kind == Kind::EventDelivered.as_str());
        assert_eq!(told.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_is_not_taken_keeps_its_jti_and_is_tried_for_three_days() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        scene.answers("notes", 202, "");
        scene.answers(
            "ent",
            400,
            r#"{"err": "invalid_key", "description": "rotated meanwhile"}"#,
        );
        scene.queue(changed()).await;
        assert_eq!(delivered(&scene.round().await), 1);
        for pause in PAUSES {
            assert_eq!(scene.round().await, [], "not before its pause is over");
            scene.clock.advance(pause);
            assert_eq!(scene.round().await.len(), 1);
        }
        scene.clock.advance(Duration::from_secs(30 * 24 * HOUR));
        assert_eq!(scene.round().await, [], "it was given up");
        let tokens = scene.tokens("ent").await;
        assert_eq!(tokens.len(), PAUSES.len() + 1);
        assert!(tokens.iter().all(|token| token["jti"] == tokens[0]["jti"]));
        assert_ne!(tokens[0]["iat"], tokens[1]["iat"]);
        assert_eq!(tokens[0]["toe"], tokens[1]["toe"], "it happened when it happened");

        let ent = "ent".parse().unwrap();
        assert_eq!(told::given_up(&scene.context).await.unwrap(), [(ent, 1)]);
        let ent = "ent".parse().unwrap();
        let known = told::of_client(&scene.context, &ent, 10).await.unwrap();
        assert_eq!(known[0].result.as_deref(), Some("HTTP 400 invalid_key"));
        scene.answers("ent", 202, "");
        assert_eq!(told::retry(&scene.context, &ent).await.unwrap(), 1);
        assert_eq!(delivered(&scene.round().await), 1);
        assert_eq!(told::retry(&scene.context, &ent).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_receiver_answers_decides() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        let invalid = r#"{"err": "invalid_request", "description": "no"}"#;
        for (status, body, verdict) in [
            (202, "", Verdict::Confirmed),
            (200, "", Verdict::Confirmed),
            (204, "", Verdict::Confirmed),
            (400, invalid, Verdict::Final),
            (400, r#"{"err": "authentication_failed"}"#, Verdict::Passing),
            (400, "<html>", Verdict::Passing),
            (302, "", Verdict::Passing),
            (401, invalid, Verdict::Passing),
            (404, "", Verdict::Passing),
            (500, "", Verdict::Passing),
        ] {
            scene.answers("ent", status, body);
            scene.queue(purged()).await;
            let came = scene.round().await;
            let expected = match verdict {
                Verdict::Confirmed => 2,
                Verdict::Final | Verdict::Passing => 1,
            };
            assert_eq!(delivered(&came), expected, "{status} {body}");
            let waits = came.iter().any(|status| matches!(status, Status::Waiting { .. }));
            assert_eq!(waits, verdict == Verdict::Passing, "{status} {body}");
            // What waits is taken before the next one.
            scene.answers("ent", 202, "");
            scene.clock.advance(PAUSES[0]);
            scene.round().await;
        }
        let words = scene.tokens("ent").await;
        assert_eq!(words[0]["events"], json!({ ACCOUNT_PURGED: {} }));
    })
    .await;
}

#[tokio::test]
async fn a_party_out_of_use_or_without_a_receiver_is_told_nothing() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        scene.queue(changed()).await;
        let mut out_of_use = party("ent");
        out_of_use.sector = "somme".into();
        out_of_use.enabled = false;
        declare(&scene.context, &out_of_use).await;
        let notes: RelyingPartyId = "notes".parse().unwrap();
        let mut tx = scene.context.db.begin().await.unwrap();
        store::event_receiver::delete(&mut tx, &notes).await.unwrap();
        tx.commit().await.unwrap();
        let came = scene.round().await;
        assert_eq!(came.len(), 2);
        assert_eq!(delivered(&came), 0);
        assert!(scene.partners.asked().is_empty());
        assert_eq!(scene.queue(changed()).await, 0);
        assert_eq!(told::verify(&scene.context, &notes).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_operator_sees_whether_a_party_listens() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        let ent = "ent".parse().unwrap();
        let id = told::verify(&scene.context, &ent).await.unwrap().unwrap();
        assert_eq!(delivered(&scene.round().await), 1);
        let token = &scene.tokens("ent").await[0];
        assert_eq!(
            token["events"],
            json!({ VERIFICATION: { "state": id.to_string() } })
        );
        assert_eq!(token["sub_id"], json!({"format": "opaque", "id": "ent"}));
    })
    .await;
}

#[tokio::test]
async fn two_nodes_send_an_event_once() {
    on_each_engine(async |context, clock| {
        let scene = Scene::new(context, clock).await;
        scene.queue(changed()).await;
        let first = claim(&scene.context, &Busy::new()).await.unwrap();
        assert_eq!(first.len(), 2);
        assert_eq!(claim(&scene.context, &Busy::new()).await.unwrap(), []);
        // The first dies with them in its hands.
        scene.clock.advance(LEASE);
        assert_eq!(delivered(&scene.round().await), 2);
        let late = deliver(&scene.context, &scene.keyring, &first[0]).await.unwrap();
        assert_eq!(late, None, "its lease ran out: it has nothing to say");
    })
    .await;
}
