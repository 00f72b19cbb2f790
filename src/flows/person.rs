//! People made by hand: staff, whom no feed brings yet.
//!
//! One person, one identity: where the school already knows somebody of that name, a human says whether it is another
//! one before a second identity is made.

use super::credential::{Chosen, hash, keep, names};
use super::{Context, Failure};
use crate::base::id::{EnrolmentId, IdentityId};
use crate::base::secret::Secret;
use crate::base::text::fold_tight;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::credential::CredentialKind;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::{Identity, Status};
use crate::domain::uai::Uai;
use crate::login::password::{Verifier, Weakness};
use crate::login::username;
use crate::store::credential::Holder;
use crate::store::{self, StoreError};

/// A person to be made.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// What they are in the school.
    pub profile: Profile,
    /// The school.
    pub school: Uai,
    /// The login name; made from the names where none is given.
    pub username: Option<String>,
    /// The password.
    pub password: Secret,
    /// A human said that a person of the same name in this school is somebody else.
    pub is_another: bool,
}

/// What became of it.
#[derive(Debug)]
pub enum Creation {
    /// The person exists, is enrolled until the school year ends, and may sign in.
    Created(Box<Identity>),
    /// No such school is declared.
    UnknownSchool,
    /// A name is empty or too long.
    InvalidName,
    /// The login name is somebody's, or is none.
    UsernameTaken,
    /// The school knows somebody of this name.
    Namesake(IdentityId),
    /// The password is not good enough.
    Weak(Weakness),
    /// Too many people at once; come back in a moment.
    Busy,
}

/// Longest name that is taken.
const NAME: usize = 100;
/// Login names that are tried before giving up.
const TRIES: usize = 1000;

/// Makes a person: identity, enrolment, password and journal in one transaction.
///
/// # Errors
/// [`Failure`].
pub async fn create(context: &Context, new: &NewPerson, actor: &Actor) -> Result<Creation, Failure> {
    let usable = |name: &str| !fold_tight(name).is_empty() && name.chars().count() <= NAME;
    if !usable(&new.given_name) || !usable(&new.family_name) {
        return Ok(Creation::InvalidName);
    }
    let mut conn = context.db.reader().await?;
    if store::school::find(&mut conn, &new.school).await?.is_none() {
        return Ok(Creation::UnknownSchool);
    }
    drop(conn);
    if let Some(namesake) = namesake(context, new).await? {
        return Ok(Creation::Namesake(namesake));
    }
    let mut identity = identity(context, new);
    let verifier = match hash(context, &new.password, &names(&identity)).await? {
        Ok(verifier) => verifier,
        Err(Chosen::Weak(weakness)) => return Ok(Creation::Weak(weakness)),
        Err(Chosen::Busy | Chosen::Set) => return Ok(Creation::Busy),
    };
    for candidate in candidates(new) {
        identity.username = Some(candidate);
        match keep_person(context, &identity, new, (&verifier, actor)).await {
            Ok(()) => return Ok(Creation::Created(Box::new(identity))),
            Err(Failure::Store(StoreError::Conflict { .. })) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Creation::UsernameTaken)
}

fn candidates(new: &NewPerson) -> Vec<String> {
    match &new.username {
        Some(wanted) => Some(username::canonical(wanted))
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect(),
        None => username::candidates(&new.given_name, &new.family_name)
            .take(TRIES)
            .collect(),
    }
}

async fn namesake(context: &Context, new: &NewPerson) -> Result<Option<IdentityId>, Failure> {
    if new.is_another {
        return Ok(None);
    }
    let name = |given: &str, family: &str| (fold_tight(given), fold_tight(family));
    let wanted = name(&new.given_name, &new.family_name);
    let known = list(context, &new.school).await?;
    Ok(known
        .into_iter()
        .filter(|holder| holder.profile != Profile::Pupil)
        .map(|holder| holder.identity)
        .find(|known| {
            name(&known.given_name, &known.family_name) == wanted
                || name(&known.given_name, known.shown_family_name()) == wanted
        })
        .map(|known| known.id))
}

fn identity(context: &Context, new: &NewPerson) -> Identity {
    let now = context.now();
    Identity {
        id: IdentityId::new(now, &*context.random),
        status: Status::Active,
        family_name: new.family_name.trim().to_owned(),
        usage_name: None,
        given_name: new.given_name.trim().to_owned(),
        birth_date: None,
        sex: None,
        username: new.username.as_deref().map(username::canonical),
        locale: None,
        created_at: now,
    }
}

async fn keep_person(
    context: &Context,
    identity: &Identity,
    new: &NewPerson,
    (verifier, actor): (&Verifier, &Actor),
) -> Result<(), Failure> {
    let now = context.now();
    let enrolment = enrolment(context, identity.id, &new.school, new.profile);
    let mut tx = context.db.begin().await?;
    store::identity::insert(&mut tx, identity).await?;
    store::enrolment::insert(&mut tx, &enrolment).await?;
    let event = Event::new(Kind::IdentityCreated, actor.clone())
        .about(identity.id)
        .with("school", &new.school)
        .with("profile", new.profile);
    store::audit::append(&mut tx, now, &event).await?;
    let credential = (CredentialKind::Password, verifier.as_str());
    keep(&mut tx, identity.id, credential, actor, now).await?;
    tx.commit().await?;
    Ok(())
}

/// What became of an enrolment by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolling {
    /// They are enrolled until the school year ends, and are here again where they had left.
    Enrolled,
    /// They are enrolled there as that already.
    Already,
    /// No such school is declared.
    UnknownSchool,
    /// The identity was merged into another one, or erased.
    Gone,
}

/// Enrols somebody by hand whom no feed brings: staff of the year before who go on. Whoever had left is the same person
/// again; whoever is suspended stays so.
///
/// # Errors
/// [`Failure`].
pub async fn enrol(
    context: &Context,
    id: IdentityId,
    (school, profile): (&Uai, Profile),
    actor: &Actor,
) -> Result<Enrolling, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if store::school::find(&mut tx, school).await?.is_none() {
        return Ok(Enrolling::UnknownSchool);
    }
    let found = store::identity::find(&mut tx, id).await?;
    let Some(status) = found.and_then(|identity| identity.status.enrol().ok()) else {
        return Ok(Enrolling::Gone);
    };
    let enrolment = enrolment(context, id, school, profile);
    let live = store::enrolment::live_of(&mut tx, id, now.date()).await?;
    let is_there =
        |one: &Enrolment| one.school == *school && one.profile == profile && enrolment.ends_on <= one.ends_on;
    if live.iter().any(is_there) {
        return Ok(Enrolling::Already);
    }
    store::enrolment::insert(&mut tx, &enrolment).await?;
    store::identity::set_status(&mut tx, id, &status).await?;
    let event = Event::new(Kind::IdentityEnrolled, actor.clone())
        .about(id)
        .with("school", school)
        .with("profile", profile);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Enrolling::Enrolled)
}

/// An enrolment of today, until the school year ends.
fn enrolment(context: &Context, identity: IdentityId, school: &Uai, profile: Profile) -> Enrolment {
    let now = context.now();
    let year = SchoolYear::of(now.date());
    Enrolment {
        id: EnrolmentId::new(now, &*context.random),
        identity,
        school: school.clone(),
        class: None,
        class_label: None,
        level: None,
        profile,
        year,
        starts_on: now.date(),
        ends_on: year.overlap_end(),
        opens_on: None,
        is_current: true,
    }
}

/// The people of a school today, once for each profile they have there.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context, school: &Uai) -> Result<Vec<Holder>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::credential::holders(&mut conn, school, context.now().date()).await?)
}

/// The person of a login name, however it is spelled, or of an id.
///
/// # Errors
/// [`Failure`].
pub async fn find(context: &Context, name_or_id: &str) -> Result<Option<Identity>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(match name_or_id.parse::<IdentityId>() {
        Ok(id) => store::identity::find(&mut conn, id).await?,
        Err(_) => {
            let name = username::canonical(name_or_id);
            store::identity::find_by_username(&mut conn, &name).await?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::sign_in::testing::{PASSWORD, classroom};
    use crate::store::testing::on_each_engine;

    fn new(school: &Uai) -> NewPerson {
        NewPerson {
            given_name: "Jean-Noël".into(),
            family_name: "D’Hœrt".into(),
            profile: Profile::Head,
            school: school.clone(),
            username: None,
            password: Secret::new(PASSWORD),
            is_another: false,
        }
    }

    #[tokio::test]
    async fn a_person_is_made_once_and_named_after_themselves() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let make = async |new: &NewPerson| create(&room.context, new, &Actor::Operator).await.unwrap();
            let first = new(&room.school);
            let Creation::Created(made) = make(&first).await else {
                panic!("refused")
            };
            assert_eq!(made.username.as_deref(), Some("jeannoel.dhoert"));
            let again = make(&first).await;
            assert!(
                matches!(again, Creation::Namesake(id) if id == made.id),
                "{again:?}"
            );
            let another = NewPerson {
                is_another: true,
                ..first.clone()
            };
            let Creation::Created(second) = make(&another).await else {
                panic!("refused")
            };
            assert_eq!(second.username.as_deref(), Some("jeannoel.dhoert2"));

            let people = list(&room.context, &room.school).await.unwrap();
            assert_eq!(people.len(), 2);
            assert!(
                people
                    .iter()
                    .all(|one| one.password && !one.picture && one.profile == Profile::Head)
            );
            for typed in ["JeanNoël.d'Hœrt", &made.id.to_string()] {
                let found = find(&room.context, typed).await.unwrap();
                assert_eq!(found.map(|found| found.id), Some(made.id), "{typed}");
            }
            assert!(find(&room.context, "personne").await.unwrap().is_none());
            assert_eq!(room.journalled("identity.created").await, 2);
            assert_eq!(room.journalled("credential.set").await, 2);
        })
        .await;
    }

    #[tokio::test]
    async fn who_had_left_is_enrolled_again_as_the_same_person() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let Creation::Created(made) = create(&room.context, &new(&room.school), &Actor::Operator)
                .await
                .unwrap()
            else {
                panic!("refused")
            };
            let again = async |id, school: &Uai| {
                enrol(&room.context, id, (school, Profile::Head), &Actor::Operator)
                    .await
                    .unwrap()
            };
            assert_eq!(again(made.id, &room.school).await, Enrolling::Already);
            // 16 September of the year after; ninety days later nobody has come back.
            for (days, departed) in [(350, 0), (90, 1)] {
                room.clock.advance(std::time::Duration::from_secs(days * 86_400));
                let purged = crate::flows::purge::run(&room.context).await.unwrap();
                assert_eq!(purged.departed, departed);
            }
            let status = async || {
                find(&room.context, &made.id.to_string())
                    .await
                    .unwrap()
                    .unwrap()
                    .status
            };
            assert!(matches!(status().await, Status::Departed { .. }));
            assert_eq!(
                again(made.id, &"9990009K".parse().unwrap()).await,
                Enrolling::UnknownSchool
            );
            assert_eq!(again(made.id, &room.school).await, Enrolling::Enrolled);
            assert_eq!(status().await, Status::Active);
            assert_eq!(list(&room.context, &room.school).await.unwrap().len(), 1);
            assert_eq!(room.journalled("identity.enrolled").await, 1);
            let mut tx = room.context.db.begin().await.unwrap();
            store::identity::set_status(&mut tx, made.id, &Status::Erased)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(again(made.id, &room.school).await, Enrolling::Gone);
        })
        .await;
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_and_leaves_nothing() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            room.teacher("Maddi", "Etxeberria").await;
            let right = new(&room.school);
            for (wrong, expected) in [
                (
                    NewPerson {
                        school: "9990002Y".parse().unwrap(),
                        ..right.clone()
                    },
                    "UnknownSchool",
                ),
                (
                    NewPerson {
                        given_name: " ".into(),
                        ..right.clone()
                    },
                    "InvalidName",
                ),
                (
                    NewPerson {
                        family_name: "x".repeat(101),
                        ..right.clone()
                    },
                    "InvalidName",
                ),
                (
                    NewPerson {
                        username: Some("Maddi.ETXEBERRIA".into()),
                        ..right.clone()
                    },
                    "UsernameTaken",
                ),
                (
                    NewPerson {
                        username: Some("…".into()),
                        ..right.clone()
                    },
                    "UsernameTaken",
                ),
                (
                    NewPerson {
                        password: Secret::new("court"),
                        ..right.clone()
                    },
                    "Weak(TooShort)",
                ),
                (
                    NewPerson {
                        password: Secret::new("jean-noel d'hoert"),
                        ..right.clone()
                    },
                    "Weak(Personal)",
                ),
            ] {
                let answer = create(&room.context, &wrong, &Actor::Operator).await.unwrap();
                assert_eq!(format!("{answer:?}"), expected);
            }
            assert_eq!(list(&room.context, &room.school).await.unwrap().len(), 1);
        })
        .await;
    }
}
