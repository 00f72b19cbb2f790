//! Giving a person a login name, a password or a picture code.
//!
//! A new secret ends what the old one opened (every session of the person, OWASP ASVS 5.0 §7.4.3) and forgets the
//! failures that were counted against the old one.

use super::session::end_all_of;
use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::credential::CredentialKind;
use crate::domain::identity::Identity;
use crate::domain::throttle::ThrottleKey;
use crate::login::password::{Password, Verifier, Weakness};
use crate::login::picture::PictureCode;
use crate::login::username;
use crate::store::db::Tx;
use crate::store::{self, StoreError};

/// What became of a chosen password.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It is the person's password now.
    Set,
    /// It is not good enough.
    Weak(Weakness),
    /// Too many people at once; come back in a moment.
    Busy,
}

/// What became of a login name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It is the person's; written as it is kept.
    Given(String),
    /// It is somebody else's.
    Taken,
    /// It is none.
    Unusable,
}

/// Gives a person a login name: the one that is wanted, or one made from their names (`prenom.nom`, numbered where it is
/// taken). The one before is nobody's from then on.
///
/// # Errors
/// [`Failure`].
pub async fn give_username(
    context: &Context,
    identity: &Identity,
    wanted: Option<&str>,
    actor: &Actor,
) -> Result<Named, Failure> {
    /// Names that are tried before giving up.
    const TRIES: usize = 1000;
    let candidates: Vec<String> = match wanted {
        Some(wanted) => vec![username::canonical(wanted)],
        None => username::candidates(&identity.given_name, &identity.family_name)
            .take(TRIES)
            .collect(),
    };
    if candidates.iter().any(String::is_empty) || candidates.is_empty() {
        return Ok(Named::Unusable);
    }
    for name in candidates {
        let mut tx = context.db.begin().await?;
        match store::identity::set_username(&mut tx, identity.id, &name).await {
            Err(StoreError::Conflict { .. }) => continue,
            answer => answer?,
        }
        let event = Event::new(Kind::CredentialSet, actor.clone())
            .about(identity.id)
            .with("kind", "username");
        store::audit::append(&mut tx, context.now(), &event).await?;
        tx.commit().await?;
        return Ok(Named::Given(name));
    }
    Ok(Named::Taken)
}

/// Gives a person a password.
///
/// # Errors
/// [`Failure`].
pub async fn set_password(
    context: &Context,
    identity: &Identity,
    password: &Secret,
    actor: &Actor,
) -> Result<Chosen, Failure> {
    let verifier = match hash(context, password, &names(identity)).await? {
        Ok(verifier) => verifier,
        Err(refused) => return Ok(refused),
    };
    let mut tx = context.db.begin().await?;
    let kind = CredentialKind::Password;
    keep(
        &mut tx,
        identity.id,
        (kind, verifier.as_str()),
        actor,
        context.now(),
    )
    .await?;
    tx.commit().await?;
    Ok(Chosen::Set)
}

/// A new picture code for a person: this is the only time it is seen.
///
/// # Errors
/// [`Failure`].
pub async fn new_picture_code(
    context: &Context,
    identity: IdentityId,
    actor: &Actor,
) -> Result<PictureCode, Failure> {
    let code = PictureCode::generate(&*context.random);
    let verifier = code.verifier(&context.vault, identity)?;
    let mut tx = context.db.begin().await?;
    let kind = CredentialKind::Picture;
    keep(&mut tx, identity, (kind, &verifier), actor, context.now()).await?;
    tx.commit().await?;
    Ok(code)
}

/// What is known of a person and must not be their password.
pub(super) fn names(identity: &Identity) -> Vec<String> {
    let mut names = vec![
        identity.given_name.clone(),
        identity.family_name.clone(),
        identity.display_name(),
        format!("{} {}", identity.shown_family_name(), identity.given_name),
    ];
    names.extend(identity.usage_name.clone());
    names.extend(identity.username.clone());
    names
}

/// Judges and hashes a chosen password.
pub(super) async fn hash(
    context: &Context,
    password: &Secret,
    about: &[String],
) -> Result<Result<Verifier, Chosen>, Failure> {
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let password = match Password::chosen(password.expose(), &about) {
        Ok(password) => password,
        Err(weakness) => return Ok(Err(Chosen::Weak(weakness))),
    };
    let Some(permit) = context.passwords.enter().await else {
        return Ok(Err(Chosen::Busy));
    };
    let (_permit, verifier) = permit.hash(password, context.random.clone()).await?;
    Ok(Ok(verifier))
}

/// Keeps a verifier, ends what the former secret opened, and writes it down.
pub(super) async fn keep(
    tx: &mut Tx,
    identity: IdentityId,
    (kind, verifier): (CredentialKind, &str),
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    store::credential::set(tx, identity, kind, verifier, now).await?;
    store::throttle::clear(tx, &ThrottleKey::account(identity)).await?;
    end_all_of(tx, identity, now, actor.clone(), "new credential").await?;
    let event = Event::new(Kind::CredentialSet, actor.clone())
        .about(identity)
        .with("kind", kind);
    store::audit::append(tx, now, &event).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::Device;
    use crate::flows::session;
    use crate::flows::sign_in::testing::{PASSWORD, classroom};
    use crate::flows::sign_in::{SignIn, password};
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn case_47_a_new_password_ends_what_the_old_one_opened_and_forgets_its_failures() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let teacher = room.teacher("Maddi", "Etxeberria").await;
            let login = async |password: &str| {
                let attempt = password::Attempt {
                    username: "maddi.etxeberria",
                    password,
                    device: Device::Personal,
                    former: None,
                };
                password::sign_in(&room.context, attempt).await.unwrap()
            };
            let SignIn::Done(cookie) = login(PASSWORD).await else {
                panic!("refused")
            };
            for _ in 0..6 {
                login("faux").await;
            }
            assert!(matches!(login("faux").await, SignIn::Wait(_)));
            let set = async |password: &str| {
                set_password(&room.context, &teacher, &Secret::new(password), &Actor::Operator)
                    .await
                    .unwrap()
            };
            assert_eq!(set("court").await, Chosen::Weak(Weakness::TooShort));
            assert_eq!(set("maddi.etxeberria").await, Chosen::Weak(Weakness::Personal));
            assert!(session::find(&room.context, &cookie).await.unwrap().is_some());
            assert_eq!(set("une autre phrase longue").await, Chosen::Set);
            assert!(session::find(&room.context, &cookie).await.unwrap().is_none());
            assert!(matches!(login(PASSWORD).await, SignIn::Refused));
            assert!(matches!(login("une autre phrase longue").await, SignIn::Done(_)));
        })
        .await;
    }
}
