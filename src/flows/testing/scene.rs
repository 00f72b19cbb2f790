//! Invented people and relying parties on a context, so that tests of the layers above need not know the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context;
use crate::base::id::{IdentityId, MergeId, SourceRecordId};
use crate::base::secret::Secret;
use crate::base::time::{ManualClock, parse_date};
use crate::continuum::model::Model;
use crate::continuum::neighbourhood::Pair;
use crate::continuum::resolve::Join;
use crate::domain::access_date::{AccessDate, Pupils};
use crate::domain::acknowledgement::{self, Acknowledgement, Covered};
use crate::domain::assurance::{Acr, Amr};
use crate::domain::audit::Actor;
use crate::domain::contact::{Contact, KeptContact};
use crate::domain::education::SchoolYear;
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::{Identity, Status};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{Attribute, LogoutAddress, RelyingParty, SigningAlgorithm};
use crate::domain::resource_server::ResourceServer;
use crate::domain::saml_entity::ServiceProvider;
use crate::domain::saml_source::{Origin, Source};
use crate::domain::session::Device;
use crate::domain::source::{AafKey, SourceKey};
use crate::domain::testing::{enrolment, party, person};
use crate::domain::upstream::{Metadata, ProviderId, UpstreamProvider};
use crate::flows::recognition::{self, Work};
use crate::flows::session::{self, Proof, SignedIn};
use crate::flows::upstream::sealed_for;
use crate::flows::{Context, credential};
use crate::saml::xmlsec::PublicKey;
use crate::store;
use crate::store::db::Statement;
pub(crate) use crate::store::db::record::round_trips;
use crate::store::roster::{LinkedBy, StoredRecord};
use crate::store::saml_entity::NewEntity;
use crate::store::value::text;

/// Makes two people one, as two records of theirs that turn out to be of one would; what undoes it is kept.
pub(crate) async fn merge(context: &Context, kept: IdentityId, absorbed: IdentityId) -> MergeId {
    let now = context.now();
    let record = || SourceRecordId::new(now, &*context.random);
    let found = Join {
        kept,
        absorbed,
        because: Pair::new(record(), record()),
    };
    let mut tx = context.db.begin().await.unwrap();
    let turn = store::import_run::take_turn(&mut tx).await.unwrap();
    let mut work = Work::by_hand(context, "test", turn, Arc::new(Model::shipped()));
    let merged = recognition::join::join(&mut tx, &mut work, &found, None, Vec::new());
    let id = merged.await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Runs a test on a context of each engine in turn.
pub(crate) async fn on_each_engine(test: impl AsyncFn(Context, Arc<ManualClock>)) {
    let test = &test;
    store::testing::on_each_engine(async |db| {
        let (context, clock) = context(db);
        test(context, clock).await;
    })
    .await;
}

/// What another node stands on: the same installation, connections of its own.
pub(crate) async fn another_node(context: &Context) -> Context {
    Context {
        db: store::testing::another_node(&context.db).await,
        ..context.clone()
    }
}

/// Declares a relying party, new or changed.
pub(crate) async fn declare(context: &Context, party: &RelyingParty) {
    let mut tx = context.db.begin().await.unwrap();
    store::relying_party::save(&mut tx, party).await.unwrap();
    tx.commit().await.unwrap();
}

/// Declares what a project may register by itself, new or changed.
pub(crate) async fn declare_policy(context: &Context, policy: &Policy) {
    let mut tx = context.db.begin().await.unwrap();
    store::registration::save(&mut tx, policy).await.unwrap();
    tx.commit().await.unwrap();
}

/// Declares a resource server, new or changed.
pub(crate) async fn declare_resource(context: &Context, server: &ResourceServer) {
    let mut tx = context.db.begin().await.unwrap();
    store::resource_server::save(&mut tx, server).await.unwrap();
    tx.commit().await.unwrap();
}

/// A feed of the ministry states somebody so.
pub(crate) async fn state(context: &Context, who: &Identity, key: &AafKey) {
    let now = context.now();
    let source_key = SourceKey {
        source: key.source,
        scope: key.academy.to_string(),
        key: key.jointure.clone(),
    };
    let record = StoredRecord {
        id: SourceRecordId::new(now, &*context.random),
        key: source_key,
        identity: who.id,
        profile: key.profile,
        school: key.school.clone(),
        year: SchoolYear::of(now.date()),
        family_name: who.family_name.clone(),
        usage_name: None,
        given_name: who.given_name.clone(),
        other_names: "[]".into(),
        birth_date: who.birth_date.unwrap(),
        sex: None,
        given_key: String::new(),
        household_key: String::new(),
        ine_index: None,
        ine_sealed: None,
        linked_by: LinkedBy::New,
        missing_since: None,
        file: "eleve.xml".into(),
        line: 1,
        created_run: None,
        attachment: key.attachment.clone(),
        previous_school: None,
        grade: None,
        ordinal: None,
        ine_pieces: None,
        blocks: Default::default(),
        guardians: Vec::new(),
    };
    let mut tx = context.db.begin().await.unwrap();
    store::roster::save(&mut tx, &[record]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Declares a relying party that is a SAML service provider, with its metadata as a file of the operator's.
pub(crate) async fn declare_provider(context: &Context, party: &RelyingParty, metadata: &ServiceProvider) {
    let (id, now) = (Source::id_of_party(&party.id), context.now());
    let source = store::testing::metadata_source(&id, Origin::File);
    let entity = NewEntity {
        provider: metadata.clone(),
        valid_until: None,
    };
    let mut tx = context.db.begin().await.unwrap();
    store::relying_party::save(&mut tx, party).await.unwrap();
    store::saml_source::declare(&mut tx, &source, None).await.unwrap();
    store::saml_entity::save(&mut tx, &source, vec![entity.written().unwrap()], now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Declares an upstream provider; its metadata are due.
pub(crate) async fn declare_upstream(context: &Context, provider: UpstreamProvider, secret: Option<&str>) {
    let (id, purpose) = (provider.id.clone(), sealed_for(&provider.id));
    let seal = |secret: &str| context.vault.seal(&purpose, secret.as_bytes(), &*context.random);
    let secret = secret.map(|secret| seal(secret).unwrap());
    let kept = store::upstream_provider::Kept { provider, secret };
    let mut tx = context.db.begin().await.unwrap();
    store::upstream_provider::save(&mut tx, &kept, 0).await.unwrap();
    store::upstream_provider::expect(&mut tx, &id, context.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Changes what an upstream provider's metadata says, as if it had been fetched so.
pub(crate) async fn change_upstream(
    context: &Context,
    id: &ProviderId,
    change: impl FnOnce(&mut Option<Metadata>),
) {
    let mut tx = context.db.begin().await.unwrap();
    let found = store::upstream_provider::find(&mut tx, id).await.unwrap();
    let (_, mut state) = found.unwrap();
    change(&mut state.metadata);
    store::upstream_provider::put(&mut tx, id, &state).await.unwrap();
    tx.commit().await.unwrap();
}

/// How many requests to upstream providers wait for their answer.
pub(crate) async fn requests_upstream(context: &Context) -> u64 {
    let later = context.now().plus(std::time::Duration::from_secs(86_400));
    let mut tx = context.db.begin().await.unwrap();
    // Never committed: they are only counted.
    store::upstream_request::purge(&mut tx, later).await.unwrap()
}

/// The key that our SAML messages are signed with.
pub(crate) async fn saml_key(context: &Context, ecdsa: bool) -> PublicKey {
    let algorithm = if ecdsa {
        SigningAlgorithm::Es256
    } else {
        SigningAlgorithm::Rs256
    };
    let signer = context.saml.keys.signer(context, algorithm).await.unwrap();
    signer.key.public().unwrap()
}

/// The subject that a party knows somebody by.
pub(crate) async fn subject(context: &Context, party: &RelyingParty, who: IdentityId) -> Option<String> {
    let mut conn = context.db.reader().await.unwrap();
    store::subject::find(&mut conn, &party.sector, who).await.unwrap()
}

/// An invented pupil in CM2 of a school.
pub(crate) async fn pupil(context: &Context, name: &str, number: i64, uai: &str) -> Identity {
    let pupil = person(name, number);
    let enrolled = enrolment(&pupil, uai, "CM2");
    // Feeds write classes in bulk; nothing else makes one.
    let class = Statement {
        name: "class",
        sql: "INSERT INTO class_group (id, uai, year, source, source_key, label, level)
            VALUES ($1, $2, 2026, 'onde', $1, 'CM2 A', 'CM2')",
    };
    let mut tx = context.db.begin().await.unwrap();
    store::identity::insert(&mut tx, &pupil).await.unwrap();
    tx.execute(class, [text(enrolled.class.unwrap()), text(uai)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    enrol(context, &enrolled).await;
    pupil
}

/// An invented adult whom no school enrols.
pub(crate) async fn adult(context: &Context, name: &str, number: i64) -> Identity {
    let adult = Identity {
        birth_date: None,
        ..person(name, number)
    };
    let mut tx = context.db.begin().await.unwrap();
    store::identity::insert(&mut tx, &adult).await.unwrap();
    tx.commit().await.unwrap();
    adult
}

/// Enrols somebody.
pub(crate) async fn enrol(context: &Context, enrolment: &Enrolment) {
    let mut tx = context.db.begin().await.unwrap();
    store::enrolment::insert(&mut tx, enrolment).await.unwrap();
    tx.commit().await.unwrap();
}

/// Pupils of a school, or of every one, get in by their enrolments of 2026 from that day on.
pub(crate) async fn opens(context: &Context, school: Option<&str>, day: &str) {
    let pupils = Pupils::of(school.map(|uai| uai.parse().unwrap()), None, None).unwrap();
    let year = SchoolYear::new(2026).unwrap();
    let date = AccessDate::new(year, pupils, parse_date(day).unwrap()).unwrap();
    let mut tx = context.db.begin().await.unwrap();
    store::access_date::save(&mut tx, &date).await.unwrap();
    tx.commit().await.unwrap();
}

/// Writes where somebody stands.
pub(crate) async fn set_status(context: &Context, who: IdentityId, status: Status) {
    let mut tx = context.db.begin().await.unwrap();
    store::identity::set_status(&mut tx, who, &status).await.unwrap();
    tx.commit().await.unwrap();
}

/// Writes how somebody is reached.
pub(crate) async fn reach(context: &Context, who: IdentityId, contact: &Contact) {
    let kept = KeptContact {
        contact: contact.clone(),
        updated_at: context.now(),
    };
    let mut tx = context.db.begin().await.unwrap();
    store::contact::save(&mut tx, who, &kept).await.unwrap();
    tx.commit().await.unwrap();
}

/// Signs somebody in by picture code on a shared device, who was told before of every service there is; answers the new
/// cookie.
pub(crate) async fn sign_in(context: &Context, who: &Identity, former: Option<&Secret>) -> Secret {
    tell(context, who).await;
    sign_in_unaware(context, who, former).await
}

/// Somebody was told of every service there is, and of all it could ever learn.
pub(crate) async fn tell(context: &Context, who: &Identity) {
    let now = context.now();
    let mut tx = context.db.begin().await.unwrap();
    for party in store::relying_party::all(&mut tx).await.unwrap() {
        let told = Acknowledgement {
            identity: who.id,
            client: party.id,
            kind: acknowledgement::Kind::Information,
            covered: Covered {
                attributes: Attribute::ALL.iter().copied().collect(),
                rights: BTreeSet::new(),
            },
            since: now,
            given_at: now,
        };
        store::acknowledgement::save(&mut tx, &told).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Signs somebody in by picture code on a shared device, who was told of no service; answers the new cookie.
pub(crate) async fn sign_in_unaware(context: &Context, who: &Identity, former: Option<&Secret>) -> Secret {
    let proof = Proof {
        acr: Acr::Class,
        amr: Amr::Picture,
        device: Device::Shared,
    };
    let mut tx = context.db.begin().await.unwrap();
    let cookie = session::open(context, &mut tx, who, proof, former).await.unwrap();
    tx.commit().await.unwrap();
    cookie
}

/// Relying parties join a login.
pub(crate) async fn join(context: &Context, who: &SignedIn, parties: &[&str]) {
    let mut tx = context.db.begin().await.unwrap();
    for id in parties {
        store::session::join(&mut tx, who.session.id, id, context.now())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

/// An invented party that takes logout tokens.
pub(crate) fn told_of_logout(id: &str) -> RelyingParty {
    let mut party = party(id);
    party.metadata.backchannel_logout = Some(LogoutAddress {
        uri: format!("https://{id}.example/out?tenant=1"),
        session_required: true,
    });
    party
}

/// An operator ends the login of a cookie.
pub(crate) async fn end_session(context: &Context, cookie: &Secret) {
    let who = session::find(context, cookie).await.unwrap().unwrap();
    let mut tx = context.db.begin().await.unwrap();
    let now = context.now();
    assert!(
        session::end(&mut tx, who.session.id, now, Actor::Operator, "test")
            .await
            .unwrap()
            .is_some()
    );
    tx.commit().await.unwrap();
}

/// How many of the last thousand journal entries are of a kind; the journal must be whole.
pub(crate) async fn journalled(context: &Context, kind: &str) -> usize {
    let mut conn = context.db.reader().await.unwrap();
    assert!(store::audit::verify(&mut conn).await.unwrap().is_ok());
    let entries = store::audit::recent(&mut conn, 1000).await.unwrap();
    entries.iter().filter(|entry| entry.kind == kind).count()
}

/// Gives somebody a login name and a password.
pub(crate) async fn with_password(context: &Context, who: &Identity, username: &str, password: &str) {
    let mut tx = context.db.begin().await.unwrap();
    store::identity::set_username(&mut tx, who.id, username)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let chosen = credential::set_password(context, who, &Secret::new(password), &Actor::Operator).await;
    assert_eq!(chosen.unwrap(), credential::Chosen::Set);
}
