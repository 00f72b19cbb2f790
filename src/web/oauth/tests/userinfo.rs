//! The userinfo endpoint: what it answers, signed or not, what it asks the database, and for whom it answers nothing.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::site::*;
use crate::domain::contact::Contact;
use crate::domain::identity::Status;
use crate::domain::relying_party::{Attribute, RelyingParty, SigningAlgorithm};
use crate::domain::testing::{contact, party};
use crate::flows::testing::scene::{self, on_each_engine, round_trips};
use crate::jose::{self, Algorithm, Jwk, KeySet};

/// An access token for whoever is signed in here.
async fn access_token(site: &Site, browser: &Browser, client: &str, scope: &str) -> String {
    let code = browser.code(site, client, &[("scope", scope)]).await;
    let tokens = site.token(client, &code, &[]).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

fn signing(id: &str, algorithm: SigningAlgorithm) -> RelyingParty {
    let mut party = party(id);
    party.metadata.userinfo_alg = Some(algorithm);
    party
}

async fn keys(site: &Site) -> KeySet {
    let published = Browser::default().get(site, "/oauth/jwks.json").await.json();
    let keys = published["keys"].as_array().unwrap().iter();
    KeySet::new(keys.map(|key| Jwk::from_json(key).unwrap())).unwrap()
}

#[tokio::test]
async fn the_round_trips_are_those_its_scopes_need_and_no_more() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_lina((context, clock)).await;
        scene::reach(&site.context, lina.id, &contact("lina")).await;
        let mut narrow = party("cantine");
        narrow
            .release
            .0
            .retain(|line| line.attribute == Attribute::GivenName);
        site.declare(&narrow).await;
        for (client, scope, expected) in [
            ("ent", "openid profile", &["FIND_USERINFO", "KEYS_OF"][..]),
            ("ent", "openid email address phone", &["FIND_USERINFO"]),
            (
                "ent",
                "openid profile email education",
                &["FIND_USERINFO", "LIVE_OF_IDENTITY", "KEYS_OF"],
            ),
            ("cantine", "openid profile education", &["FIND_USERINFO"]),
        ] {
            let token = access_token(&site, &browser, client, scope).await;
            let (reply, trips) = round_trips(site.userinfo(&token)).await;
            assert_eq!(reply.status, StatusCode::OK);
            assert_eq!(trips, expected, "{client} {scope}");
        }
        let (reply, trips) = round_trips(site.userinfo("no token of ours")).await;
        assert_eq!((reply.status, trips.len()), (StatusCode::UNAUTHORIZED, 0));
    })
    .await;
}

#[tokio::test]
async fn contacts_leave_as_they_stand_by_scope_and_policy_and_never_in_the_id_token() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_lina((context, clock)).await;
        let mut narrow = party("cantine");
        narrow
            .release
            .0
            .retain(|line| line.attribute == Attribute::PhoneNumber);
        site.declare(&narrow).await;
        let scope = "openid email address phone";
        let ent = access_token(&site, &browser, "ent", scope).await;
        let cantine = access_token(&site, &browser, "cantine", scope).await;
        let said = async |token: &str| {
            let reply = site.userinfo(token).await;
            assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
            let mut claims = reply.json();
            assert!(claims.as_object_mut().unwrap().remove("sub").is_some());
            claims
        };
        assert_eq!(
            said(&ent).await,
            json!({}),
            "a pupil has none, and nothing is null"
        );

        scene::reach(&site.context, lina.id, &contact("lina")).await;
        let everything = said(&ent).await;
        assert_eq!(everything["email"], "lina@ecole.example");
        assert_eq!(everything["email_verified"], Value::Bool(true));
        assert_eq!(everything["phone_number_verified"], Value::Bool(false));
        assert_eq!(everything["address"]["locality"], "Amiens");
        assert_eq!(everything.as_object().unwrap().len(), 5);
        let listed = json!({ "phone_number": "+33199001234", "phone_number_verified": false });
        assert_eq!(said(&cantine).await, listed);
        let code = browser.code(&site, "ent", &[("scope", scope)]).await;
        let id_token = site.token("ent", &code, &[]).await.json()["id_token"].clone();
        let text = claims(&id_token).to_string();
        for attribute in ["email", "phone", "address", "Amiens"] {
            assert!(!text.contains(attribute), "{text}");
        }

        scene::reach(&site.context, lina.id, &Contact::default()).await;
        assert_eq!(said(&ent).await, json!({}), "what was erased does not leave");
    })
    .await;
}

#[tokio::test]
async fn openid_connect_core_section_5_3_2_a_signed_answer_is_for_its_client_and_is_no_id_token() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for (client, algorithm, verified_as) in [
            ("ent", SigningAlgorithm::Es256, Algorithm::Es256),
            ("cantine", SigningAlgorithm::Rs256, Algorithm::Rs256),
        ] {
            let token = access_token(&site, &browser, client, "openid profile").await;
            let plain = site.userinfo(&token).await.json();
            site.declare(&signing(client, algorithm)).await;
            let reply = site.userinfo(&token).await;
            assert_eq!(reply.header(header::CONTENT_TYPE), Some("application/jwt"));
            assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
            let posted = Browser::default()
                .post(&site, "/oauth/userinfo", format!("access_token={token}"))
                .await;
            assert_eq!(posted.header(header::CONTENT_TYPE), Some("application/jwt"));
            let signed = jose::verify(&reply.body, &keys(&site).await, &[verified_as], jose::Kind::Jwt);
            let mut said = Value::Object(signed.unwrap());
            let members = said.as_object_mut().unwrap();
            assert_eq!(members.remove("iss"), Some(json!(ISSUER)));
            assert_eq!(members.remove("aud"), Some(json!(client)));
            assert_eq!(said, plain, "nothing else than in plain JSON");

            // Who brings it back as a hint is nobody we know.
            let hint = [("id_token_hint", &*reply.body), ("prompt", "none")];
            let address = authorize_url(client, &hint);
            let refused = browser.get(&site, &address).await;
            assert!(refused.sent("error").is_some(), "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_token_rests_on_is_looked_at_each_time_signed_or_not() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_lina((context, clock)).await;
        for party in [party("ent"), signing("ent", SigningAlgorithm::Es256)] {
            site.declare(&party).await;
            let token = access_token(&site, &browser, "ent", "openid").await;
            let status = async || site.userinfo(&token).await.status;
            assert_eq!(status().await, StatusCode::OK);
            scene::set_status(&site.context, lina.id, Status::Suspended).await;
            let refused = site.userinfo(&token).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            let challenge = refused.header(header::WWW_AUTHENTICATE).unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            scene::set_status(&site.context, lina.id, Status::Active).await;
            let mut closed = party.clone();
            closed.enabled = false;
            site.declare(&closed).await;
            assert_eq!(status().await, StatusCode::UNAUTHORIZED);
            // A party that is moved to another sector does not know anybody yet.
            let mut moved = party.clone();
            moved.sector = "elsewhere".into();
            site.declare(&moved).await;
            assert_eq!(status().await, StatusCode::UNAUTHORIZED);
            site.declare(&party).await;
            assert_eq!(status().await, StatusCode::OK);
        }
    })
    .await;
}
