//! What a token request costs the database, and what a merge leaves of a grant.

use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD};

use super::*;
use crate::base::secret::sha256;
use crate::base::time::ManualClock;
use crate::base::url;
use crate::domain::identity::Identity;
use crate::domain::testing::party;
use crate::flows::authorize;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::oauth::dpop::testing::Holder;
use crate::store::db::record::round_trips;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Lina at a party that refreshes.
struct House {
    context: Context,
    clock: Arc<ManualClock>,
    keyring: Keyring,
    lina: Identity,
    cookie: Secret,
    proof: Option<String>,
}

impl House {
    async fn new(context: Context, clock: Arc<ManualClock>) -> Self {
        super::super::keys::testing::premade(&context).await;
        let keyring = Keyring::open(&context).await.unwrap();
        let mut ent = party("ent");
        ent.metadata.grant_types.push(GrantType::RefreshToken);
        scene::declare(&context, &ent).await;
        let lina = scene::pupil(&context, "Lina", 1, "9990001X").await;
        let cookie = scene::sign_in(&context, &lina, None).await;
        Self {
            context,
            clock,
            keyring,
            lina,
            cookie,
            proof: None,
        }
    }

    async fn code(&self) -> String {
        let challenge = BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes()));
        let query = url::query([
            ("client_id", "ent"),
            ("redirect_uri", "https://ent.example/cb"),
            ("response_type", "code"),
            ("scope", "openid offline_access"),
            ("code_challenge", &*challenge),
            ("code_challenge_method", "S256"),
        ]);
        let outcome = authorize::authorize(&self.context, &self.keyring, &query, Some(&self.cookie)).await;
        let authorize::Outcome::Answer(answer) = outcome.unwrap() else {
            panic!("no answer");
        };
        let code = answer.parameters.into_iter().find(|(name, _)| *name == "code");
        code.unwrap().1
    }

    async fn post(&self, more: &[(&str, &str)]) -> Outcome {
        let basic = format!("Basic {}", BASE64.encode(b"ent:secret+of+ent"));
        let form = url::query(more.iter().copied());
        exchange(&self.context, &self.keyring, Some(&basic), self.dpop(), &form)
            .await
            .unwrap()
    }

    fn dpop(&self) -> Shown<'_> {
        self.proof.as_deref().map_or(Shown::Nothing, Shown::Proof)
    }

    /// The next request proves to hold a key.
    fn prove(&mut self, holder: &Holder, jti: &str) {
        let (address, now) = ("https://id.example.fr/oauth/token", self.context.now());
        self.proof = Some(holder.proof("POST", address, jti, now).sign());
    }

    async fn redeem(&self, code: &str) -> Outcome {
        self.post(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "https://ent.example/cb"),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, token: &Secret) -> Outcome {
        self.post(&[("grant_type", "refresh_token"), ("refresh_token", token.expose())])
            .await
    }
}

fn refresh_token(outcome: Outcome) -> Secret {
    outcome.reply.unwrap().refresh_token.unwrap()
}

#[tokio::test]
async fn a_request_makes_the_round_trips_of_its_table_and_no_more() {
    on_each_engine(async |context, clock| {
        // Access dates are read along.
        scene::opens(&context, None, "2026-09-08").await;
        scene::opens(&context, Some("9990001X"), "2026-09-07").await;
        let mut house = House::new(context, clock).await;
        // Each lane of the journal has an entry, and the party knows Lina.
        for _ in 0..store::audit::LANES {
            house.redeem(&house.code().await).await.reply.unwrap();
            house.clock.advance(Duration::from_micros(1));
        }
        let code = house.code().await;
        let (outcome, trips) = round_trips(house.redeem(&code)).await;
        let written = [
            "INSERT_ACCESS_TOKEN",
            "INSERT_REFRESH_TOKEN",
            "ADVANCE_FROM",
            "APPEND",
            "commit",
        ];
        let expected = [&["FIND_REDEMPTION", "begin", "CONSUME_CODE"], &written[..]].concat();
        assert_eq!(trips, expected);
        let token = refresh_token(outcome);
        let (outcome, trips) = round_trips(house.refresh(&token)).await;
        outcome.reply.unwrap();
        let expected = [&["FIND_RENEWAL", "begin", "SPEND_REFRESH_TOKEN"], &written[..]].concat();
        assert_eq!(trips, expected);
        let (outcome, trips) = round_trips(house.redeem("no code")).await;
        outcome.reply.unwrap_err();
        assert_eq!(trips, ["FIND_REDEMPTION"]);

        // A proof of possession costs one more, in the same transaction.
        let holder = Holder::new();
        let code = house.code().await;
        house.prove(&holder, "1");
        let (outcome, trips) = round_trips(house.redeem(&code)).await;
        let expected = [
            &["FIND_REDEMPTION", "begin", "CLAIM", "CONSUME_CODE"],
            &written[..],
        ]
        .concat();
        assert_eq!(trips, expected);
        let token = refresh_token(outcome);
        house.prove(&holder, "2");
        let (outcome, trips) = round_trips(house.refresh(&token)).await;
        let expected = [
            &["FIND_RENEWAL", "begin", "CLAIM", "SPEND_REFRESH_TOKEN"],
            &written[..],
        ]
        .concat();
        assert_eq!(trips, expected);
        let token = refresh_token(outcome);
        let (outcome, trips) = round_trips(house.refresh(&token)).await;
        assert_eq!(outcome.committed, Committed::Nothing, "the proof was used");
        assert_eq!(trips, ["FIND_RENEWAL", "begin", "CLAIM"]);
    })
    .await;
}

#[tokio::test]
async fn case_39_a_merge_ends_the_grants_of_the_absorbed_and_not_those_of_the_kept() {
    on_each_engine(async |context, clock| {
        let mut house = House::new(context, clock).await;
        let of_kept = refresh_token(house.redeem(&house.code().await).await);
        let kept = house.lina.id;
        let twin = scene::pupil(&house.context, "Lina", 2, "9990101F").await;
        house.cookie = scene::sign_in(&house.context, &twin, None).await;
        let of_absorbed = refresh_token(house.redeem(&house.code().await).await);
        scene::merge(&house.context, kept, twin.id).await;
        let refused = house.refresh(&of_absorbed).await;
        assert_eq!(refused.reply.unwrap_err().code, ErrorCode::InvalidGrant);
        assert_eq!(refused.committed, Committed::Nothing);
        house.refresh(&of_kept).await.reply.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_failing_database_is_a_failure_and_no_answer() {
    let (context, clock, _folder) = crate::flows::testing::context_on_sqlite().await;
    let house = House::new(context, clock).await;
    house.context.db.close().await;
    let form = "grant_type=refresh_token&refresh_token=x&client_id=ent";
    let failed = exchange(&house.context, &house.keyring, None, Shown::Nothing, form).await;
    assert!(failed.unwrap_err().is_unavailable());
}
