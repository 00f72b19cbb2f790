//! Subjects: issued at first release, kept for life, moved by merges. Whatever protocol asks, the value is the same.

use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingParty;
use crate::oidc::subject::{SubjectSecret, random_uuid};
use crate::store;
use crate::store::db::{Conn, Tx};

const SECRET: &str = "subject";

/// The secret of the installation; made at first start. Of two nodes that start at once, one makes it.
///
/// # Errors
/// [`Failure`].
pub async fn secret(context: &Context) -> Result<SubjectSecret, Failure> {
    let mut conn = context.db.reader().await?;
    let mut kept = store::installation::find_secret(&mut conn, SECRET).await?;
    drop(conn);
    if kept.is_none() {
        let made = SubjectSecret::generate(&*context.random);
        let sealed = context.vault.seal(SECRET, made.as_bytes(), &*context.random)?;
        let mut tx = context.db.begin().await?;
        store::installation::add_secret(&mut tx, SECRET, sealed).await?;
        kept = store::installation::find_secret(&mut tx, SECRET).await?;
        tx.commit().await?;
    }
    let opened = context.vault.open(SECRET, &kept.unwrap_or_default())?;
    SubjectSecret::from_bytes(&opened).ok_or(Failure::Secret(crate::base::secret::SecretError::Sealed))
}

/// The subject a relying party knows a person by, where it knows them; issues nothing.
///
/// # Errors
/// [`Failure`].
pub async fn known(
    conn: &mut Conn,
    party: &RelyingParty,
    identity: IdentityId,
) -> Result<Option<String>, Failure> {
    Ok(store::subject::find(conn, &party.sector, identity).await?)
}

/// The subject of a person toward a relying party, issued now where there is none yet. `now` is the one of the whole
/// transaction: two entries of one transaction in two chains of the journal could lock each other out.
///
/// # Errors
/// [`Failure`].
pub async fn issue(
    context: &Context,
    tx: &mut Tx,
    secret: &SubjectSecret,
    party: &RelyingParty,
    identity: IdentityId,
    now: Timestamp,
) -> Result<String, Failure> {
    let sector = &party.sector;
    if let Some(value) = store::subject::find(tx, sector, identity).await? {
        return Ok(value);
    }
    let random = &*context.random;
    let first = secret.first_value(party.subject_strategy, sector, identity, random)?;
    // The computed value may be somebody else's already (a merge moved it there): then a random one.
    for value in [first, random_uuid(random)] {
        if store::subject::add(tx, sector, &value, identity, now).await? {
            let event = Event::new(Kind::SubjectIssued, Actor::RelyingParty(party.id.to_string()))
                .about(identity)
                .with("sector", sector)
                .with("strategy", party.subject_strategy);
            store::audit::append(tx, now, &event).await?;
            return Ok(value);
        }
        // Another node was first.
        if let Some(value) = store::subject::find(tx, sector, identity).await? {
            return Ok(value);
        }
    }
    Err(store::StoreError::corrupt("subject.value", "no free value for this identity").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::SubjectStrategy;
    use crate::domain::testing::party;
    use crate::flows::merge;
    use crate::flows::testing::scene;
    use crate::flows::testing::{MORNING, context};
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn of_many_first_releases_at_once_all_get_the_same_subject() {
        on_each_engine(async |db| {
            let (context, _clock) = context(db);
            let secret = secret(&context).await.unwrap();
            let mut ent = party("ent");
            ent.subject_strategy = SubjectStrategy::PersistentUuid;
            let lina = person("Lina", 1).id;
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let (context, secret, ent) = (context.clone(), secret.clone(), ent.clone());
                    tokio::spawn(async move {
                        let mut tx = context.db.begin().await.unwrap();
                        let value = issue(&context, &mut tx, &secret, &ent, lina, MORNING)
                            .await
                            .unwrap();
                        tx.commit().await.unwrap();
                        value
                    })
                })
                .collect();
            let mut values = std::collections::BTreeSet::new();
            for task in tasks {
                values.insert(task.await.unwrap());
            }
            assert_eq!(values.len(), 1, "{values:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn the_secret_is_made_once_and_the_sector_decides_the_subject() {
        on_each_engine(async |db| {
            let (context, _clock) = context(db);
            let secret = secret(&context).await.unwrap();
            assert_eq!(
                super::secret(&context).await.unwrap().as_bytes(),
                secret.as_bytes()
            );
            let (ent, mut twin, other) = (party("ent"), party("ent-mobile"), party("cantine"));
            twin.sector = "ent".into();
            let lina = person("Lina", 1).id;
            let mut tx = context.db.begin().await.unwrap();
            assert_eq!(known(&mut tx, &ent, lina).await.unwrap(), None);
            let first = issue(&context, &mut tx, &secret, &ent, lina, MORNING)
                .await
                .unwrap();
            assert_eq!(first, secret.pairwise("ent", lina).unwrap());
            assert_eq!(
                issue(&context, &mut tx, &secret, &twin, lina, MORNING)
                    .await
                    .unwrap(),
                first
            );
            assert_ne!(
                issue(&context, &mut tx, &secret, &other, lina, MORNING)
                    .await
                    .unwrap(),
                first
            );
            ent_changes_its_strategy(&context, &mut tx, &secret, lina, &first).await;
        })
        .await;
    }

    async fn ent_changes_its_strategy(
        context: &Context,
        tx: &mut Tx,
        secret: &SubjectSecret,
        lina: IdentityId,
        first: &str,
    ) {
        let mut ent = party("ent");
        ent.subject_strategy = SubjectStrategy::PersistentUuid;
        assert_eq!(
            issue(context, tx, secret, &ent, lina, MORNING).await.unwrap(),
            first,
            "what was issued wins"
        );
    }

    #[tokio::test]
    async fn case_56_subjects_stay_through_a_merge_and_its_undoing() {
        scene::on_each_engine(async |context, _clock| {
            let secret = secret(&context).await.unwrap();
            let kept = scene::pupil(&context, "Lina", 1, "9990001X").await.id;
            let absorbed = scene::pupil(&context, "Lina", 2, "9990101F").await.id;
            let subject = async |name: &str, who| {
                let mut tx = context.db.begin().await.unwrap();
                let issued = issue(&context, &mut tx, &secret, &party(name), who, MORNING).await;
                tx.commit().await.unwrap();
                issued.unwrap()
            };
            let ent_kept = subject("ent", kept).await;
            let ent_absorbed = subject("ent", absorbed).await;
            let cantine = subject("cantine", absorbed).await;
            let merged = scene::merge(&context, kept, absorbed).await;
            assert_eq!(subject("ent", kept).await, ent_kept);
            assert_eq!(subject("cantine", kept).await, cantine);
            merge::undo(&context, merged, "test").await.unwrap();
            assert_eq!(subject("ent", absorbed).await, ent_absorbed);
            assert_eq!(subject("cantine", absorbed).await, cantine);
            assert_ne!(subject("cantine", kept).await, cantine);
        })
        .await;
    }
}
