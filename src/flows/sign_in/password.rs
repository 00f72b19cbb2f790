//! Signing in by login name and password.
//!
//! Hashing takes long, so it is done outside any transaction, behind the gate; whether the account has to wait is
//! asked before standing in line, again once through the gate, and a last time when the session is opened: a wait that
//! began meanwhile holds. A wrong password is counted before the permit is given back.

use super::{Account, SignIn, count_failure, journal_refusal, waiting};
use crate::base::secret::Secret;
use crate::domain::assurance::Amr;
use crate::domain::audit::{Actor, Kind};
use crate::domain::credential::CredentialKind;
use crate::domain::session::Device;
use crate::domain::throttle::ThrottleKey;
use crate::flows::password_gate::Permit;
use crate::flows::session::{self, Proof};
use crate::flows::{Context, Failure};
use crate::login::password::{Check, Password, Verifier};
use crate::login::throttle::Pressure;
use crate::login::username;
use crate::store;

/// What came from the page.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The login name as typed.
    pub username: &'a str,
    /// The password as typed.
    pub password: &'a str,
    /// What kind of device it is.
    pub device: Device,
    /// The browser's cookie, where it has one.
    pub former: Option<&'a Secret>,
}

const KIND: CredentialKind = CredentialKind::Password;

/// Signs somebody in, or counts why not.
///
/// # Errors
/// [`Failure`].
pub async fn sign_in(context: &Context, attempt: Attempt<'_>) -> Result<SignIn, Failure> {
    let (account, stored) = find(context, attempt.username).await?;
    if let Some(wait) = waiting(context, &account, &Actor::Anonymous).await? {
        return Ok(SignIn::Wait(wait));
    }
    let Some(permit) = context.passwords.enter().await else {
        return Ok(SignIn::Busy);
    };
    if let Some(wait) = waiting(context, &account, &Actor::Anonymous).await? {
        return Ok(SignIn::Wait(wait));
    }
    // Whatever is missing, one hash is computed: that of nobody's password.
    let (password, verifier) = match (Password::typed(attempt.password), &stored) {
        (Some(password), Some(stored)) => (password, Verifier::from_stored(stored.clone())),
        _ => (Password::nobodys(), Verifier::of_nobody()),
    };
    let (permit, check) = permit.check(password.clone(), verifier).await?;
    match check {
        Check::Right { outdated } => {
            let renewed = if outdated {
                let (_permit, renewed) = permit.hash(password, context.random.clone()).await?;
                Some(renewed)
            } else {
                None
            };
            open(context, attempt, account, (stored, renewed)).await
        }
        Check::Wrong => refuse(context, &account, permit).await,
    }
}

/// Whom a login name is of, and the verifier of their password.
async fn find(context: &Context, typed: &str) -> Result<(Account, Option<String>), Failure> {
    let name = username::canonical(typed);
    let index = context.vault.index("throttle_name", &name)?;
    let mut conn = context.db.reader().await?;
    Ok(
        match store::credential::find_login(&mut conn, &name, KIND).await? {
            Some((identity, verifier)) => (Account::of(identity), verifier),
            None => {
                let key = ThrottleKey::unknown_name(&index);
                (Account { key, identity: None }, None)
            }
        },
    )
}

async fn refuse(context: &Context, account: &Account, permit: Permit) -> Result<SignIn, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let locked = store::throttle::lock(&mut tx, &account.key, now).await?;
    let failed = account
        .event(Kind::LoginFailed, &Actor::Anonymous)
        .with("way", KIND);
    let answer = count_failure(&mut tx, (account, locked), (Pressure::Normal, now), failed).await?;
    tx.commit().await?;
    // Only now may the next guess be looked at.
    drop(permit);
    Ok(answer)
}

/// The password was right: opens the session, unless something changed while it was being checked.
async fn open(
    context: &Context,
    attempt: Attempt<'_>,
    account: Account,
    (checked, renewed): (Option<String>, Option<Verifier>),
) -> Result<SignIn, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let tally = store::throttle::find(&mut tx, &account.key).await?;
    if let Some(wait) = tally.and_then(|tally| tally.wait(now)) {
        journal_refusal(&mut tx, &account, &Actor::Anonymous, now).await?;
        tx.commit().await?;
        return Ok(SignIn::Wait(wait));
    }
    let identity = match &account.identity {
        Some(identity) => store::identity::find(&mut tx, identity.id).await?,
        None => None,
    };
    let current = match &identity {
        Some(identity) => store::credential::find(&mut tx, identity.id, KIND).await?,
        None => None,
    };
    let stands = current.is_some() && current == checked;
    let Some(identity) = identity.filter(|identity| stands && identity.status.may_sign_in()) else {
        let locked = store::throttle::lock(&mut tx, &account.key, now).await?;
        let failed = account
            .event(Kind::LoginFailed, &Actor::Anonymous)
            .with("way", KIND);
        let answer = count_failure(&mut tx, (&account, locked), (Pressure::Normal, now), failed).await?;
        tx.commit().await?;
        return Ok(answer);
    };
    if tally.is_some() {
        store::throttle::clear(&mut tx, &account.key).await?;
    }
    if let (Some(old), Some(new)) = (&checked, &renewed) {
        store::credential::replace(&mut tx, identity.id, KIND, old, new.as_str()).await?;
    }
    let proof = Proof {
        acr: Amr::Password.acr(),
        amr: Amr::Password,
        device: attempt.device,
    };
    let cookie = session::open(context, &mut tx, &identity, proof, attempt.former).await?;
    tx.commit().await?;
    Ok(SignIn::Done(cookie))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::domain::identity::{Identity, Status};
    use crate::flows::password_gate::PasswordGate;
    use crate::flows::sign_in::picture;
    use crate::flows::sign_in::testing::{Classroom, PASSWORD, another, classroom};
    use crate::login::password::{self, Cost};
    use crate::login::picture::PictureCode;
    use crate::store::testing::on_each_engine;

    fn attempt<'a>(username: &'a str, password: &'a str) -> Attempt<'a> {
        Attempt {
            username,
            password,
            device: Device::Personal,
            former: None,
        }
    }

    async fn answer(context: &Context, username: &str, password: &str) -> String {
        match sign_in(context, attempt(username, password)).await.unwrap() {
            SignIn::Done(_) => "done".to_owned(),
            other => format!("{other:?}"),
        }
    }

    async fn tally(room: &Classroom, identity: &Identity) -> Option<crate::domain::throttle::Tally> {
        let mut conn = room.context.db.reader().await.unwrap();
        let key = ThrottleKey::account(identity.id);
        store::throttle::find(&mut conn, &key).await.unwrap()
    }

    #[tokio::test]
    async fn case_44_whoever_cannot_sign_in_is_answered_alike_at_the_same_cost() {
        on_each_engine(async |db| {
            let room = classroom(db, 1).await;
            room.teacher("Maddi", "Etxeberria").await;
            let suspended = room.teacher("Inès", "Garnier").await;
            let departed = room.teacher("Yann", "Kermarrec").await;
            let mut tx = room.context.db.begin().await.unwrap();
            store::identity::set_status(&mut tx, suspended.id, &Status::Suspended)
                .await
                .unwrap();
            let on = room.context.now().date();
            store::identity::set_status(&mut tx, departed.id, &Status::Departed { on })
                .await
                .unwrap();
            store::identity::set_username(&mut tx, room.pupils[0].0.id, "sans.mot")
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let endless = "x".repeat(5000);
            let mut seen = Vec::new();
            for (name, password) in [
                ("maddi.etxeberria", "faux"),
                ("personne.inconnue", "faux"),
                ("sans.mot", "faux"),
                ("ines.garnier", PASSWORD),
                ("yann.kermarrec", PASSWORD),
                ("", ""),
                (&*endless, &*endless),
            ] {
                let before = room.context.passwords.computed();
                let mut answers = Vec::new();
                for _ in 0..8 {
                    answers.push(answer(&room.context, name, password).await);
                }
                seen.push((answers, room.context.passwords.computed() - before));
            }
            let (answers, hashes) = &seen[0];
            assert!(
                answers[..5].iter().all(|answer| answer == "Refused"),
                "{answers:?}"
            );
            assert!(
                answers[5..].iter().all(|answer| answer == "Wait(30s)"),
                "{answers:?}"
            );
            assert_eq!(*hashes, 6, "a blocked attempt is not looked at");
            // The empty name and the endless one are the same nobody.
            let nobody = seen.pop().unwrap();
            assert!(nobody.0.iter().all(|answer| answer == "Wait(30s)") && nobody.1 == 0);
            assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn case_42_one_count_for_every_spelling_and_every_way_in() {
        on_each_engine(async |db| {
            let room = classroom(db, 2).await;
            let (lina, code) = room.pupils[0].clone();
            let mut tx = room.context.db.begin().await.unwrap();
            store::identity::set_username(&mut tx, lina.id, "lina.legoff")
                .await
                .unwrap();
            tx.commit().await.unwrap();
            for name in [
                "lina.legoff",
                " LINA.LE-GOFF",
                "li\u{301}na.legoff",
                "Lina.Le Goff",
            ] {
                assert_eq!(answer(&room.context, name, "faux").await, "Refused");
            }
            let token = room.token(&lina).await;
            let by_picture = async |picked: PictureCode| {
                let attempt = picture::Attempt {
                    class_code: &room.code.printed(),
                    pupil: &token,
                    picked: &picked,
                    former: None,
                };
                picture::sign_in(&room.context, attempt).await.unwrap().unwrap()
            };
            assert!(matches!(by_picture(another(&code)).await, SignIn::Refused));
            assert_eq!(
                answer(&room.context, "lina.legoff", "faux").await,
                "Wait(30s)",
                "the sixth"
            );
            let right = by_picture(code).await;
            assert!(matches!(right, SignIn::Wait(_)), "{right:?}");
            assert_eq!(tally(&room, &lina).await.unwrap().failures, 6);
            assert_eq!(room.journalled("login.failed").await, 6);
            assert_eq!(
                room.journalled("login.throttled").await,
                1,
                "one line for each wait"
            );
            room.clock.advance(Duration::from_secs(30));
            assert!(matches!(by_picture(code).await, SignIn::Done(_)));
            assert_eq!(tally(&room, &lina).await, None, "success forgets");
        })
        .await;
    }

    #[tokio::test]
    async fn a_burst_overshoots_by_no_more_than_the_permits_of_each_node() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            room.teacher("Maddi", "Etxeberria").await;
            let nodes: Vec<Context> = (0..2)
                .map(|_| Context {
                    passwords: Arc::new(PasswordGate::new(2, Duration::from_secs(60))),
                    ..room.context.clone()
                })
                .collect();
            let guesses: Vec<_> = (0..40)
                .map(|number| {
                    let context = nodes[number % 2].clone();
                    tokio::spawn(async move {
                        answer(&context, "maddi.etxeberria", &format!("faux {number}")).await
                    })
                })
                .collect();
            for guess in guesses {
                assert_ne!(guess.await.unwrap(), "done");
            }
            let looked_at: u64 = nodes.iter().map(|node| node.passwords.computed()).sum();
            assert!((6..=10).contains(&looked_at), "{looked_at}");
            assert_eq!(
                i64::try_from(looked_at).unwrap(),
                room.journalled("login.failed").await
            );
        })
        .await;
    }

    #[tokio::test]
    async fn case_43_what_changes_while_a_password_is_checked_holds() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let teacher = room.teacher("Maddi", "Etxeberria").await;
            let late = async || {
                let (account, checked) = find(&room.context, "maddi.etxeberria").await.unwrap();
                let attempt = attempt("maddi.etxeberria", PASSWORD);
                (account, checked, attempt)
            };

            // A wait began.
            let (account, checked, right) = late().await;
            for _ in 0..6 {
                answer(&room.context, "maddi.etxeberria", "faux").await;
            }
            let opened = open(&room.context, right, account, (checked, None))
                .await
                .unwrap();
            assert!(matches!(opened, SignIn::Wait(_)), "{opened:?}");
            room.clock.advance(Duration::from_secs(30));

            // The password was changed.
            let (account, checked, right) = late().await;
            let new = Secret::new("une autre phrase longue");
            crate::flows::credential::set_password(&room.context, &teacher, &new, &Actor::Operator)
                .await
                .unwrap();
            let opened = open(&room.context, right, account, (checked, None))
                .await
                .unwrap();
            assert!(matches!(opened, SignIn::Refused), "{opened:?}");

            // The person was suspended.
            let (account, checked, right) = late().await;
            let mut tx = room.context.db.begin().await.unwrap();
            store::identity::set_status(&mut tx, teacher.id, &Status::Suspended)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let opened = open(&room.context, right, account, (checked, None))
                .await
                .unwrap();
            assert!(matches!(opened, SignIn::Refused), "{opened:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_verifier_of_former_cost_is_renewed_at_login() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let teacher = room.teacher("Maddi", "Etxeberria").await;
            let typed = Password::typed(PASSWORD).unwrap();
            let old = password::hash(&typed, Cost::new(64, 1, 1), &*room.context.random).unwrap();
            let mut tx = room.context.db.begin().await.unwrap();
            store::credential::set(&mut tx, teacher.id, KIND, old.as_str(), room.context.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            for _ in 0..2 {
                assert_eq!(answer(&room.context, "maddi.etxeberria", PASSWORD).await, "done");
            }
            let mut conn = room.context.db.reader().await.unwrap();
            let kept = store::credential::find(&mut conn, teacher.id, KIND)
                .await
                .unwrap();
            assert!(kept.is_some_and(|kept| kept.contains("m=19456,t=2,p=1")));
        })
        .await;
    }

    #[tokio::test]
    async fn case_45_two_tabs_both_succeed_and_the_cookie_changes_at_each_login() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let teacher = room.teacher("Maddi", "Etxeberria").await;
            room.teacher("Yann", "Kermarrec").await;
            let login = async |name: &str, former: Option<&Secret>| {
                let attempt = Attempt {
                    former,
                    ..attempt(name, PASSWORD)
                };
                match sign_in(&room.context, attempt).await.unwrap() {
                    SignIn::Done(cookie) => cookie,
                    other => panic!("{other:?}"),
                }
            };
            let who = async |cookie: &Secret| {
                let found = session::find(&room.context, cookie).await.unwrap();
                found.map(|found| (found.identity.id, found.session.id))
            };
            let (one, two) = tokio::join!(login("maddi.etxeberria", None), login("maddi.etxeberria", None));
            assert_eq!(who(&one).await.unwrap().0, teacher.id);
            assert_eq!(who(&two).await.unwrap().0, teacher.id);

            // A cookie that somebody planted before the login is worth nothing after it.
            let session = who(&one).await.unwrap().1;
            let again = login("maddi.etxeberria", Some(&one)).await;
            assert_eq!(who(&one).await, None);
            assert_eq!(who(&again).await, Some((teacher.id, session)));
            let planted = Secret::new("planted");
            let fresh = login("maddi.etxeberria", Some(&planted)).await;
            assert_eq!(who(&planted).await, None);
            assert_ne!(fresh, planted);

            let other = login("yann.kermarrec", Some(&again)).await;
            assert_ne!(who(&other).await.unwrap(), (teacher.id, session));
            assert_eq!(who(&again).await, None, "the former person is signed out");
        })
        .await;
    }

    #[tokio::test]
    async fn too_many_at_once_is_told_and_not_counted() {
        let (db, _folder) = store::testing::sqlite().await;
        let room = classroom(db, 0).await;
        let teacher = room.teacher("Maddi", "Etxeberria").await;
        let busy = Context {
            passwords: Arc::new(PasswordGate::new(1, Duration::from_millis(10))),
            ..room.context.clone()
        };
        let held = busy.passwords.enter().await.unwrap();
        assert_eq!(answer(&busy, "maddi.etxeberria", "faux").await, "Busy");
        assert_eq!(tally(&room, &teacher).await, None);
        drop(held);
        assert_eq!(answer(&busy, "maddi.etxeberria", PASSWORD).await, "done");
    }
}
