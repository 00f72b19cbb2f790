//! Sources that answer, fail, end and change their keys, on each engine, by a clock that stands still.

use std::sync::Arc;

use super::*;
use crate::domain::saml_source::Origin;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::{another_node, declare, on_each_engine};
use crate::saml::metadata::pinned;
use crate::store::testing::{metadata_source, relying_party};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const LIBRARY: &str = "https://biblio.example/shibboleth";
const ENT: &str = "https://ent.example/sp";

fn sample(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/saml/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}

fn key(name: &str) -> String {
    pinned(&sample(&format!("{name}.crt"))).unwrap()
}

/// A federation with these keys.
fn federation(keys: &[&str]) -> Source {
    let mut source = metadata_source("federation:renater", Origin::Federation);
    source.terms.keys = keys.iter().map(|name| key(name)).collect();
    source
}

async fn declared(context: &Context, source: &Source) {
    let mut tx = context.db.begin().await.unwrap();
    store::saml_source::declare(&mut tx, source, Some(context.now()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// The context with hosts of its own.
fn with_partners(context: &Context) -> (Context, Arc<Partners>) {
    let partners = Arc::new(Partners::default());
    let mut context = context.clone();
    context.outbound = partners.clone();
    (context, partners)
}

fn answers(partners: &Partners, text: &str) {
    let body = text.as_bytes().to_vec();
    partners.answer("https://metadata.example/", move |request| {
        let mut answer = http::Response::new(body.clone());
        if request
            .headers()
            .get("if-none-match")
            .is_some_and(|tag| tag == "\"1\"")
        {
            *answer.status_mut() = http::StatusCode::NOT_MODIFIED;
        }
        answer
            .headers_mut()
            .insert("etag", http::HeaderValue::from_static("\"1\""));
        answer
    });
}

/// The host answers this from now on, and names no version.
fn answers_untagged(partners: &Partners, text: String) {
    partners.answer("https://metadata.example/", move |_| {
        http::Response::new(text.clone().into_bytes())
    });
}

fn fails(partners: &Partners) {
    partners.answer("https://metadata.example/", |_| {
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
        answer
    });
}

async fn taken(context: &Context, id: &str) -> Changes {
    match refresh(context, id).await.unwrap().unwrap() {
        Outcome::Taken(changes) => *changes,
        other => panic!("{other:?}"),
    }
}

async fn failed(context: &Context, id: &str) -> String {
    match refresh(context, id).await.unwrap().unwrap() {
        Outcome::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

async fn found(context: &Context, entity_id: &str) -> Option<store::saml_entity::StoredEntity> {
    let mut conn = context.db.reader().await.unwrap();
    store::saml_entity::find(&mut conn, entity_id, context.now())
        .await
        .unwrap()
}

async fn state(context: &Context) -> SourceState {
    sources(context).await.unwrap().remove(0).1
}

async fn journal(context: &Context, kind: Kind) -> usize {
    let mut conn = context.db.reader().await.unwrap();
    let events = store::audit::recent(&mut conn, 100).await.unwrap();
    events.iter().filter(|found| found.kind == kind.as_str()).count()
}

#[tokio::test]
async fn a_federation_is_taken_and_asked_again_as_often_as_it_says() {
    on_each_engine(async |context, clock| {
        let (context, partners) = with_partners(&context);
        declared(&context, &federation(&["foreign", "rsa"])).await;
        answers(&partners, &sample("renater-aggregate.xml"));
        let done = refresh_due(&context).await.unwrap();
        assert!(
            matches!(&done[..], [(_, Outcome::Taken(changes))] if changes.added.count == 3),
            "{done:?}"
        );
        assert!(refresh_due(&context).await.unwrap().is_empty());
        let library = found(&context, LIBRARY).await.unwrap();
        assert_eq!(
            library.valid_until,
            crate::saml::metadata::moment("2026-10-10T08:00:00Z")
        );
        assert_eq!(library.fetched_at, Some(context.now()));
        let now = state(&context).await;
        assert_eq!((now.entities, now.quarantined), (3, 7));
        assert_eq!(now.signed_by, Some(key("rsa")));
        assert_eq!(now.next_at, Some(context.now().plus(HOUR)), "its cacheDuration");
        assert_eq!(now.our_keys, [key("rsa")]);
        let left_out = quarantine(&context, "federation:renater").await.unwrap();
        assert!(left_out.iter().any(|one| one.reason.contains("2048")));
        assert_eq!(journal(&context, Kind::MetadataChanged).await, 1);

        clock.advance(HOUR);
        let done = refresh_due(&context).await.unwrap();
        assert_eq!(done[0].1, Outcome::Unchanged, "the version that we have");
        assert_eq!(state(&context).await.succeeded_at, Some(context.now()));
        assert_eq!(
            state(&context).await.changes.added.count,
            3,
            "the last change is told on"
        );
    })
    .await;
}

#[tokio::test]
async fn a_source_that_fails_keeps_its_last_good_copy_until_that_ends() {
    on_each_engine(async |context, clock| {
        let (context, partners) = with_partners(&context);
        declared(&context, &federation(&["rsa"])).await;
        answers(&partners, &sample("renater-aggregate.xml"));
        taken(&context, "federation:renater").await;
        fails(&partners);
        clock.advance(DAY);
        assert!(failed(&context, "federation:renater").await.contains("502"));
        assert!(failed(&context, "federation:renater").await.contains("502"));
        assert_eq!(
            journal(&context, Kind::MetadataRefused).await,
            1,
            "each cause once"
        );
        let now = state(&context).await;
        assert_eq!(now.next_at, Some(context.now().plus(LATER)));
        assert!(now.failure.is_some() && found(&context, LIBRARY).await.is_some());

        // What is not signed, or by nobody pinned, or is over, changes nothing either.
        answers_untagged(&partners, "<x/>".into());
        failed(&context, "federation:renater").await;
        let text = sample("renater-aggregate.xml");
        answers_untagged(&partners, text.replace("nu.example/acs", "evil.example/acs"));
        assert!(
            failed(&context, "federation:renater")
                .await
                .contains("trusted key")
        );
        assert!(found(&context, "https://nu.example/sp").await.is_some());
        clock.advance(DAY * 8);
        assert!(
            found(&context, LIBRARY).await.is_none(),
            "attack 30: what is over is not used"
        );
        answers_untagged(&partners, text);
        let mut tx = context.db.begin().await.unwrap();
        store::saml_source::declare(&mut tx, &federation(&["rsa"]), Some(context.now()))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(
            failed(&context, "federation:renater")
                .await
                .contains("validUntil has passed")
        );
    })
    .await;
}

#[tokio::test]
async fn attack_30_an_aggregate_must_end_and_soon() {
    on_each_engine(async |context, _clock| {
        let (context, partners) = with_partners(&context);
        answers(&partners, &sample("renater-aggregate.xml"));
        let mut source = federation(&["rsa"]);
        source.terms.max_validity = DAY * 8;
        declared(&context, &source).await;
        assert!(
            failed(&context, &source.id)
                .await
                .contains("too far in the future")
        );
        source.terms.keys.clear();
        declared(&context, &source).await;
        assert!(failed(&context, &source.id).await.contains("no key is pinned"));
        source = federation(&["rsa"]);
        source.terms.most_bytes = 1000;
        declared(&context, &source).await;
        assert!(failed(&context, &source.id).await.contains("longer than 1000"));
        assert!(found(&context, LIBRARY).await.is_none());
    })
    .await;
}

/// A party's own document: with this address, and this in its role.
fn own(address: &str, role: &str) -> String {
    format!(
        "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' xmlns:ds='http://www.w3.org/2000/09/xmldsig#' \
         cacheDuration='P30D'><EntityDescriptor entityID='{ENT}'>\
         <SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>{role}\
         <AssertionConsumerService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' Location='{address}' index='1'/>\
         </SPSSODescriptor></EntityDescriptor><EntityDescriptor entityID='{LIBRARY}'>\
         <SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>\
         <AssertionConsumerService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' Location='https://evil.example/' index='1'/>\
         </SPSSODescriptor></EntityDescriptor></EntitiesDescriptor>"
    )
}

#[tokio::test]
async fn a_party_speaks_for_itself_alone_and_its_changes_are_told() {
    on_each_engine(async |context, _clock| {
        let (context, partners) = with_partners(&context);
        let mut party = relying_party("ent");
        party.saml = Some(crate::domain::relying_party::SamlParty {
            entity_id: ENT.into(),
            ..Default::default()
        });
        declare(&context, &party).await;
        let mut source = metadata_source("party:ent", Origin::Url);
        source.terms.entity_id = Some(ENT.into());
        declared(&context, &source).await;
        let no_tag = |text: String| answers_untagged(&partners, text);
        no_tag(own("https://ent.example/acs", ""));
        assert_eq!(taken(&context, "party:ent").await.added.names, [ENT]);
        assert!(found(&context, LIBRARY).await.is_none(), "of nobody else");
        assert_eq!(state(&context).await.next_at, Some(context.now().plus(DAY)), "a month is too long");
        assert!(taken(&context, "party:ent").await.is_empty());

        let bare: String = sample("rsa.crt").lines().filter(|line| !line.starts_with('-')).collect();
        let role = format!(
            "<KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{bare}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>"
        );
        no_tag(own("https://ent.example/acs", &role));
        let changes = taken(&context, "party:ent").await;
        assert_eq!((changes.changed.count, changes.new_keys.count), (1, 1));
        let copy = of_entity(&context, ENT).await.unwrap().unwrap();
        assert_eq!(copy.provider.signing_keys, [key("rsa")]);
        let policy = crate::flows::client::find(&context, &party.id).await.unwrap();
        assert_eq!(policy, Some(party), "no refresh touches what an operator said");

        no_tag(own("javascript:alert(1)", &role));
        assert!(failed(&context, "party:ent").await.contains("javascript"));
        no_tag(own("https://ent.example/acs", "").replace(ENT, "https://other.example/"));
        assert!(failed(&context, "party:ent").await.contains("it is not there"));
        assert_eq!(of_entity(&context, ENT).await.unwrap().unwrap().provider.signing_keys.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_rollover_of_a_pinned_key_is_noticed_and_two_nodes_do_it_once() {
    on_each_engine(async |context, clock| {
        let (context, partners) = with_partners(&context);
        answers(&partners, &sample("renater-aggregate.xml"));
        declared(&context, &federation(&["foreign", "rsa"])).await;
        // As if the key before had signed last time.
        let mut tx = context.db.begin().await.unwrap();
        let before = SourceState {
            succeeded_at: Some(context.now()),
            signed_by: Some(key("foreign")),
            next_at: Some(context.now()),
            ..SourceState::default()
        };
        store::saml_source::succeed(&mut tx, "federation:renater", &before, &[])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let other = another_node(&context).await;
        let (one, two) = tokio::join!(
            refresh(&context, "federation:renater"),
            refresh(&other, "federation:renater")
        );
        let outcomes = [one.unwrap().unwrap(), two.unwrap().unwrap()];
        let busy = outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Busy)
            .count();
        let settled = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Taken(_) | Outcome::Unchanged))
            .count();
        assert_eq!(busy + settled, 2, "{outcomes:?}");
        assert!(settled >= 1);
        assert_eq!(state(&context).await.signed_by, Some(key("rsa")));
        assert_eq!(journal(&context, Kind::MetadataChanged).await, 1);
        // A node that died with its claim holds the others up for a quarter of an hour, no longer.
        let mut tx = context.db.begin().await.unwrap();
        let now = context.now();
        assert!(
            store::saml_source::claim(&mut tx, "federation:renater", "dead", now.plus(CLAIM), now)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        assert_eq!(
            refresh(&context, "federation:renater").await.unwrap(),
            Some(Outcome::Busy)
        );
        clock.advance(CLAIM);
        assert_eq!(
            refresh(&context, "federation:renater").await.unwrap(),
            Some(Outcome::Unchanged)
        );
        assert_eq!(refresh(&context, "federation:nobody").await.unwrap(), None);
    })
    .await;
}
