//! What an operator does with relying parties one by one: look, give a secret, put out of use, remove, and see what one
//! would receive. Declarations are in [`super::declaration`], what projects do themselves in [`super::registration`].

use serde_json::{Map, Value};

use super::registration::SECRET_PREFIX;
use super::{Context, Failure, cas, registration, release, subject};
use crate::base::secret::Secret;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::Scopes;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{
    Attribute, ClientAuthMethod, RelyingParty, RelyingPartyId, SubjectStrategy,
};
use crate::oidc::access::{self, Closed};
use crate::oidc::claims::{Verdict, scope_of};
use crate::store;

/// The most secrets that are live at once: the one in use, and the one that follows it.
const LIVE: usize = 2;

/// Every relying party, by id.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context) -> Result<Vec<RelyingParty>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::relying_party::all(&mut conn).await?)
}

/// One relying party.
///
/// # Errors
/// [`Failure`].
pub async fn find(context: &Context, id: &RelyingPartyId) -> Result<Option<RelyingParty>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::relying_party::find(&mut conn, id).await?)
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// Done.
    Done(T),
    /// There is no such party.
    Unknown,
    /// Not done, for this reason.
    Refused(&'static str),
}

/// Gives a party a secret besides the one it has, so that it may change over without an interruption.
///
/// # Errors
/// [`Failure`].
pub async fn add_secret(context: &Context, id: &RelyingPartyId) -> Result<Change<Secret>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let Some(mut party) = store::relying_party::hold(&mut tx, id).await? else {
        return Ok(Change::Unknown);
    };
    if !matches!(
        party.auth_method,
        ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost
    ) {
        return Ok(Change::Refused("it proves who it is without a secret"));
    }
    if party.secrets.len() >= LIVE {
        return Ok(Change::Refused(
            "two secrets are live: take the old one out of use first, with --retire-old",
        ));
    }
    let secret = Secret::generate(SECRET_PREFIX, &*context.random);
    party.secrets.push(secret.digest());
    store::relying_party::save(&mut tx, &party).await?;
    let event = Event::new(Kind::ClientSecretIssued, Actor::Operator)
        .about(id)
        .with("live", party.secrets.len());
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Change::Done(secret))
}

/// Takes every secret of a party but the newest out of use; answers how many.
///
/// # Errors
/// [`Failure`].
pub async fn retire_old_secrets(context: &Context, id: &RelyingPartyId) -> Result<Change<usize>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let Some(mut party) = store::relying_party::hold(&mut tx, id).await? else {
        return Ok(Change::Unknown);
    };
    let old = party.secrets.len().saturating_sub(1);
    if old == 0 {
        return Ok(Change::Refused("there is no older secret"));
    }
    party.secrets.drain(..old);
    store::relying_party::save(&mut tx, &party).await?;
    let event = Event::new(Kind::ClientSecretIssued, Actor::Operator)
        .about(id)
        .with("retired", old);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Change::Done(old))
}

/// Puts a party out of use, or in use again; answers whether it was otherwise before. Everything that a party out of use
/// shows is refused, on every node at once.
///
/// # Errors
/// [`Failure`].
pub async fn set_enabled(
    context: &Context,
    id: &RelyingPartyId,
    enabled: bool,
) -> Result<Change<bool>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let Some(mut party) = store::relying_party::hold(&mut tx, id).await? else {
        return Ok(Change::Unknown);
    };
    if party.enabled == enabled {
        return Ok(Change::Done(false));
    }
    party.enabled = enabled;
    store::relying_party::save(&mut tx, &party).await?;
    let event = Event::new(Kind::ClientChanged, Actor::Operator)
        .about(id)
        .with("enabled", enabled);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Change::Done(true))
}

/// Removes a party that registered itself, with everything it was granted.
///
/// # Errors
/// [`Failure`].
pub async fn remove(context: &Context, id: &RelyingPartyId) -> Result<Change<()>, Failure> {
    let mut tx = context.db.begin().await?;
    let Some(party) = store::relying_party::hold(&mut tx, id).await? else {
        return Ok(Change::Unknown);
    };
    if party.registration.is_none() {
        return Ok(Change::Refused(
            "it is declared: take it out of its file and apply with --prune",
        ));
    }
    registration::remove(&mut tx, &party, Actor::Operator, context.now()).await?;
    tx.commit().await?;
    Ok(Change::Done(()))
}

/// What a party would receive about a person, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The subject it knows the person by, or would.
    pub subject: Option<String>,
    /// Whether it knows the person already.
    pub is_known: bool,
    /// Why the person would not be let in, where they would not.
    pub closed: Option<String>,
    /// The claims, without `sub`.
    pub claims: Map<String, Value>,
    /// What it would be answered by CAS, where it speaks that.
    pub cas: Option<String>,
    /// Every attribute there is, in order.
    pub lines: Vec<Line>,
}

/// What becomes of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The attribute.
    pub attribute: Attribute,
    /// Whether it leaves.
    pub is_released: bool,
    /// Why, for people.
    pub why: String,
}

/// The preview of a party and a person, were they to ask today for these scopes; `None` where there is no such party.
///
/// # Errors
/// [`Failure`].
pub async fn preview(
    context: &Context,
    id: &RelyingPartyId,
    identity: &Identity,
    scopes: &Scopes,
) -> Result<Option<Preview>, Failure> {
    let Some(preview) = release::preview(context, id, identity.id, scopes).await? else {
        return Ok(None);
    };
    let Some(party) = find(context, id).await? else {
        return Ok(None);
    };
    let mut conn = context.db.reader().await?;
    let now = context.now();
    let live = store::enrolment::live_of(&mut conn, identity.id, now.date()).await?;
    drop(conn);
    let closed = if !party.enabled {
        Some("the service is out of use".to_owned())
    } else if !identity.status.may_sign_in() {
        Some("this person may not sign in".to_owned())
    } else {
        match access::check(&party, &live, now) {
            Ok(()) => None,
            Err(Closed::NoSchool) => Some("no live enrolment in a school that the service serves".to_owned()),
            Err(Closed::Until(day)) => Some(format!("the access date of this pupil is {day}")),
        }
    };
    let is_known = preview.subject.is_some();
    let subject = match (preview.subject, party.subject_strategy) {
        (Some(subject), _) => Some(subject),
        (None, SubjectStrategy::Pairwise) => {
            let secret = subject::secret(context).await?;
            Some(secret.pairwise(&party.sector, identity.id)?)
        }
        // Drawn at random, at first release.
        (None, SubjectStrategy::PersistentUuid) => None,
    };
    let called = subject.as_deref().unwrap_or_default();
    let cas = cas::preview::preview(context, &party, (identity, &live), called).await?;
    let lines = preview
        .released
        .verdicts
        .into_iter()
        .map(|(attribute, verdict)| line(attribute, &verdict));
    Ok(Some(Preview {
        subject,
        is_known,
        closed,
        lines: lines.collect(),
        cas,
        claims: preview.released.claims,
    }))
}

fn line(attribute: Attribute, verdict: &Verdict) -> Line {
    let (is_released, why) = match verdict {
        Verdict::Released(line) => (true, format!("{} (convention {})", line.purpose, line.convention)),
        Verdict::NotAsked => (
            false,
            format!("the scope {} is not asked for", scope_of(attribute)),
        ),
        Verdict::NotInPolicy => (false, "the policy of the service does not list it".to_owned()),
        Verdict::NoValue => (false, "this person has none".to_owned()),
    };
    Line {
        attribute,
        is_released,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::Registration;
    use crate::domain::testing::party;
    use crate::flows::testing::scene;

    #[tokio::test]
    async fn two_secrets_live_at_once_and_a_third_waits_for_the_old_one_to_go() {
        scene::on_each_engine(async |context, _clock| {
            let ent = party("ent");
            scene::declare(&context, &ent).await;
            let Change::Done(second) = add_secret(&context, &ent.id).await.unwrap() else {
                panic!("refused")
            };
            assert!(matches!(
                add_secret(&context, &ent.id).await.unwrap(),
                Change::Refused(_)
            ));
            let both = find(&context, &ent.id).await.unwrap().unwrap();
            assert_eq!(both.secrets, [ent.secrets[0], second.digest()]);
            assert_eq!(
                retire_old_secrets(&context, &ent.id).await.unwrap(),
                Change::Done(1)
            );
            assert!(matches!(
                retire_old_secrets(&context, &ent.id).await.unwrap(),
                Change::Refused(_)
            ));
            let one = find(&context, &ent.id).await.unwrap().unwrap();
            assert_eq!(one.secrets, [second.digest()]);
            assert!(matches!(
                add_secret(&context, &ent.id).await.unwrap(),
                Change::Done(_)
            ));
            assert_eq!(scene::journalled(&context, "client_secret.issued").await, 3);
            let mut tablet = party("tablette");
            tablet.auth_method = ClientAuthMethod::None;
            tablet.secrets.clear();
            scene::declare(&context, &tablet).await;
            assert!(matches!(
                add_secret(&context, &tablet.id).await.unwrap(),
                Change::Refused(_)
            ));
            assert_eq!(
                add_secret(&context, &"nobody".parse().unwrap()).await.unwrap(),
                Change::Unknown
            );
        })
        .await;
    }

    #[tokio::test]
    async fn of_ten_operators_at_once_one_makes_the_second_secret() {
        scene::on_each_engine(async |context, _clock| {
            let ent = party("ent");
            scene::declare(&context, &ent).await;
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let (context, id) = (context.clone(), ent.id.clone());
                    tokio::spawn(async move { add_secret(&context, &id).await.unwrap() })
                })
                .collect();
            let mut done = 0;
            for task in tasks {
                done += u32::from(matches!(task.await.unwrap(), Change::Done(_)));
            }
            assert_eq!(done, 1);
            assert_eq!(find(&context, &ent.id).await.unwrap().unwrap().secrets.len(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_party_goes_out_of_use_and_only_a_registered_one_goes_for_good() {
        scene::on_each_engine(async |context, _clock| {
            let declared = party("ent");
            let mut registered = party("c-registered");
            registered.registration = Some(Registration {
                policy: "somme".into(),
                access_token: registered.secrets[0],
                at: context.now(),
            });
            for party in [&declared, &registered] {
                scene::declare(&context, party).await;
            }
            assert_eq!(
                set_enabled(&context, &declared.id, false).await.unwrap(),
                Change::Done(true)
            );
            assert_eq!(
                set_enabled(&context, &declared.id, false).await.unwrap(),
                Change::Done(false)
            );
            assert!(!find(&context, &declared.id).await.unwrap().unwrap().enabled);
            assert!(matches!(
                remove(&context, &declared.id).await.unwrap(),
                Change::Refused(_)
            ));
            assert_eq!(remove(&context, &registered.id).await.unwrap(), Change::Done(()));
            assert_eq!(remove(&context, &registered.id).await.unwrap(), Change::Unknown);
            assert_eq!(list(&context).await.unwrap().len(), 1);
            assert_eq!(scene::journalled(&context, "client.changed").await, 1);
            assert_eq!(scene::journalled(&context, "client.removed").await, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_preview_says_the_subject_that_is_then_issued_and_why_each_attribute_stays() {
        scene::on_each_engine(async |context, _clock| {
            let mut ent = party("ent");
            ent.release
                .0
                .retain(|line| line.attribute == Attribute::GivenName);
            ent.schools = vec!["9990001X".parse().unwrap()];
            scene::declare(&context, &ent).await;
            let lina = scene::pupil(&context, "Lina", 1, "9990001X").await;
            let scopes = Scopes::known_of("openid profile");
            let seen = preview(&context, &ent.id, &lina, &scopes).await.unwrap().unwrap();
            assert_eq!((seen.is_known, seen.closed), (false, None));
            assert_eq!(
                Value::Object(seen.claims.clone()),
                serde_json::json!({"given_name": "Lina"})
            );
            assert_eq!(seen.lines.len(), Attribute::ALL.len());
            let why = |wanted| {
                let line = seen.lines.iter().find(|line| line.attribute == wanted).unwrap();
                (line.is_released, line.why.as_str())
            };
            assert_eq!(
                why(Attribute::GivenName),
                (true, "accueillir l’élève (convention 2026-17)")
            );
            assert_eq!(
                why(Attribute::BirthDate),
                (false, "the policy of the service does not list it")
            );
            assert_eq!(
                why(Attribute::Uai),
                (false, "the scope education is not asked for")
            );

            let secret = subject::secret(&context).await.unwrap();
            let mut tx = context.db.begin().await.unwrap();
            let issued = subject::issue(&context, &mut tx, &secret, &ent, lina.id, context.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(seen.subject, Some(issued));
            let again = preview(&context, &ent.id, &lina, &scopes).await.unwrap().unwrap();
            assert!(again.is_known && again.subject == seen.subject);

            scene::opens(&context, Some("9990001X"), "2026-11-02").await;
            let early = preview(&context, &ent.id, &lina, &scopes).await.unwrap().unwrap();
            assert_eq!(
                early.closed.as_deref(),
                Some("the access date of this pupil is 2026-11-02")
            );

            ent.schools = vec!["9990101F".parse().unwrap()];
            scene::declare(&context, &ent).await;
            let closed = preview(&context, &ent.id, &lina, &scopes).await.unwrap().unwrap();
            assert!(closed.closed.is_some());
            let nobody = "nobody".parse().unwrap();
            assert_eq!(preview(&context, &nobody, &lina, &scopes).await.unwrap(), None);
        })
        .await;
    }
}
