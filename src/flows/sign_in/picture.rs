//! Signing in by picture code on a class page.
//!
//! The check costs nothing, so all is one transaction: it takes the lock of the pupil's count before it looks at the
//! code. However many guesses come at once, they are judged one after the other, on all nodes.

use super::{Account, SignIn, count_failure, journal_refusal, waiting};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::assurance::Amr;
use crate::domain::audit::{Actor, Kind};
use crate::domain::credential::CredentialKind;
use crate::domain::identity::Identity;
use crate::domain::session::Device;
use crate::domain::throttle::ThrottleKey;
use crate::flows::class_page;
use crate::flows::session::{self, Proof};
use crate::flows::{Context, Failure};
use crate::login::picture::PictureCode;
use crate::login::throttle::{self, Pressure};
use crate::store;
use crate::store::db::Tx;

/// What came from the page.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The class code in the address.
    pub class_code: &'a str,
    /// The pupil's token in the address.
    pub pupil: &'a str,
    /// The four pictures.
    pub picked: &'a PictureCode,
    /// The browser's cookie, where it has one.
    pub former: Option<&'a Secret>,
}

const KIND: CredentialKind = CredentialKind::Picture;

/// Signs a pupil in, or counts why not; `None` where there is no such class page or no such pupil on it.
///
/// # Errors
/// [`Failure`].
pub async fn sign_in(context: &Context, attempt: Attempt<'_>) -> Result<Option<SignIn>, Failure> {
    let Some((page, pupil)) = class_page::find_pupil(context, attempt.class_code, attempt.pupil).await?
    else {
        return Ok(None);
    };
    let class = page.class.id;
    let actor = Actor::Class(class);
    let account = Account::of(pupil.identity);
    if let Some(wait) = waiting(context, &account, &actor).await? {
        return Ok(Some(SignIn::Wait(wait)));
    }
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let locked = store::throttle::lock(&mut tx, &account.key, now).await?;
    if let Some(wait) = locked.wait(now) {
        journal_refusal(&mut tx, &account, &actor, now).await?;
        tx.commit().await?;
        return Ok(Some(SignIn::Wait(wait)));
    }
    let answer = match proven(context, &mut tx, &account, attempt.picked).await? {
        Some(pupil) => {
            store::throttle::clear(&mut tx, &account.key).await?;
            let proof = Proof {
                acr: Amr::Picture.acr(),
                amr: Amr::Picture,
                device: Device::Shared,
            };
            SignIn::Done(session::open(context, &mut tx, &pupil, proof, attempt.former).await?)
        }
        None => {
            let pressure = count_in_class(&mut tx, &ThrottleKey::class(class), now).await?;
            let failed = account.event(Kind::LoginFailed, &actor).with("way", KIND);
            count_failure(&mut tx, (&account, locked), (pressure, now), failed).await?
        }
    };
    tx.commit().await?;
    Ok(Some(answer))
}

/// The pupil as they stand now, where the pictures are theirs.
async fn proven(
    context: &Context,
    tx: &mut Tx,
    account: &Account,
    picked: &PictureCode,
) -> Result<Option<Identity>, Failure> {
    let Some(known) = &account.identity else {
        return Ok(None);
    };
    let identity = store::identity::find(tx, known.id).await?;
    let stored = store::credential::find(tx, known.id, KIND).await?;
    let right = match stored {
        Some(stored) => picked.matches(&context.vault, known.id, &stored)?,
        None => false,
    };
    Ok(identity.filter(|identity| right && identity.status.may_sign_in()))
}

/// Counts a failure on a class page; answers whether the class is over its budget. Only failures take this lock, and
/// always after the pupil's.
async fn count_in_class(tx: &mut Tx, key: &ThrottleKey, now: Timestamp) -> Result<Pressure, Failure> {
    let locked = store::throttle::lock(tx, key, now).await?;
    let tally = throttle::fail_in_class(locked, now);
    store::throttle::save(tx, key, &tally).await?;
    Ok(throttle::pressure(&tally))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::domain::assurance::Acr;
    use crate::flows::sign_in::testing::{Classroom, another, classroom};
    use crate::login::throttle::{CLASS_BUDGET, CLASS_WINDOW, FREE, FREE_UNDER_PRESSURE};
    use crate::store::testing::on_each_engine;

    /// The tokens of all pupils, in the order of `room.pupils`.
    async fn tokens(room: &Classroom) -> Vec<String> {
        let page = class_page::find(&room.context, room.code.expose())
            .await
            .unwrap()
            .unwrap();
        let by_name: BTreeMap<_, _> = page
            .pupils
            .into_iter()
            .map(|pupil| (pupil.first_name, pupil.token))
            .collect();
        room.pupils
            .iter()
            .map(|(pupil, _)| by_name[&pupil.given_name].clone())
            .collect()
    }

    async fn pick(room: &Classroom, pupil: &str, picked: &PictureCode) -> SignIn {
        let attempt = Attempt {
            class_code: room.code.expose(),
            pupil,
            picked,
            former: None,
        };
        sign_in(&room.context, attempt).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn case_49_of_forty_guesses_at_once_six_are_looked_at() {
        on_each_engine(async |db| {
            let room = std::sync::Arc::new(classroom(db, 1).await);
            let token = tokens(&room).await.remove(0);
            let wrong = another(&room.pupils[0].1);
            let guesses: Vec<_> = (0..40)
                .map(|_| {
                    let (room, token) = (room.clone(), token.clone());
                    tokio::spawn(async move { pick(&room, &token, &wrong).await })
                })
                .collect();
            let mut refused = 0;
            for guess in guesses {
                match guess.await.unwrap() {
                    SignIn::Refused => refused += 1,
                    SignIn::Wait(wait) => assert_eq!(wait, Duration::from_secs(30)),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(refused, FREE);
            assert_eq!(room.journalled("login.failed").await, i64::from(FREE) + 1);
            assert_eq!(room.journalled("login.throttled").await, 1);
            let right = pick(&room, &token, &room.pupils[0].1).await;
            assert!(
                matches!(right, SignIn::Wait(_)),
                "the right one is not looked at either"
            );
            room.clock.advance(Duration::from_secs(30));
            assert!(matches!(
                pick(&room, &token, &room.pupils[0].1).await,
                SignIn::Done(_)
            ));
        })
        .await;
    }

    #[tokio::test]
    async fn case_41_thirty_pupils_on_one_address_ten_mistyping() {
        on_each_engine(async |db| {
            let room = classroom(db, 30).await;
            let tokens = tokens(&room).await;
            for (number, (_, code)) in room.pupils.iter().enumerate() {
                let mistakes = if number % 3 == 0 { 4 } else { 0 };
                for _ in 0..mistakes {
                    let answer = pick(&room, &tokens[number], &another(code)).await;
                    assert!(matches!(answer, SignIn::Refused), "{number}: {answer:?}");
                }
                let answer = pick(&room, &tokens[number], code).await;
                assert!(matches!(answer, SignIn::Done(_)), "{number}: {answer:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn case_41_an_attack_that_walks_through_the_class_is_stopped_and_shuts_nobody_else_out() {
        on_each_engine(async |db| {
            let room = classroom(db, 30).await;
            let tokens = tokens(&room).await;
            // Twenty pupils are attacked, in turns, as long as anything is looked at.
            let mut looked_at = 0;
            for _turn in 0..10 {
                for (token, (_, code)) in tokens.iter().zip(&room.pupils).take(20) {
                    let before = room.journalled("login.failed").await;
                    pick(&room, token, &another(code)).await;
                    looked_at += room.journalled("login.failed").await - before;
                }
            }
            // Alone, the limits of the accounts would have let 6 × 20 through.
            let most = i64::from(CLASS_BUDGET) + 20 * i64::from(FREE_UNDER_PRESSURE + 1);
            assert!((40..=most).contains(&looked_at), "{looked_at}");

            // The ten others type right, or mistype once, and get in; a second mistake costs them half a minute.
            for (number, (_, code)) in room.pupils.iter().enumerate().skip(20) {
                if number % 2 == 0 {
                    let answer = pick(&room, &tokens[number], &another(code)).await;
                    assert!(matches!(answer, SignIn::Refused), "{answer:?}");
                }
                let answer = pick(&room, &tokens[number], code).await;
                assert!(matches!(answer, SignIn::Done(_)), "{number}: {answer:?}");
            }
            let last = &room.pupils[29].1;
            assert!(matches!(
                pick(&room, &tokens[29], &another(last)).await,
                SignIn::Refused
            ));
            let second = pick(&room, &tokens[29], &another(last)).await;
            assert!(
                matches!(second, SignIn::Wait(wait) if wait == Duration::from_secs(30)),
                "{second:?}"
            );

            // Once the window is over the class is as any other.
            room.clock.advance(CLASS_WINDOW);
            assert!(matches!(pick(&room, &tokens[29], last).await, SignIn::Done(_)));
            for _ in 0..FREE {
                let answer = pick(&room, &tokens[29], &another(last)).await;
                assert!(matches!(answer, SignIn::Refused), "{answer:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn case_46_no_cookie_is_ever_another_pupils() {
        on_each_engine(async |db| {
            let room = std::sync::Arc::new(classroom(db, 30).await);
            let tokens = tokens(&room).await;
            let logins: Vec<_> = (0..90)
                .map(|number| {
                    let (room, token) = (room.clone(), tokens[number % 30].clone());
                    tokio::spawn(async move {
                        let (pupil, code) = &room.pupils[number % 30];
                        let SignIn::Done(cookie) = pick(&room, &token, code).await else {
                            panic!("{number} was refused")
                        };
                        let found = session::find(&room.context, &cookie).await.unwrap().unwrap();
                        assert_eq!((found.identity.id, found.session.identity), (pupil.id, pupil.id));
                        assert_eq!(
                            (found.session.acr, found.session.amr, found.session.device),
                            (Acr::Class, Amr::Picture, Device::Shared)
                        );
                        cookie.expose().to_owned()
                    })
                })
                .collect();
            let mut cookies = std::collections::HashSet::new();
            for login in logins {
                assert!(cookies.insert(login.await.unwrap()));
            }
        })
        .await;
    }

    #[tokio::test]
    async fn only_pupils_of_this_page_sign_in_on_it() {
        on_each_engine(async |db| {
            let room = classroom(db, 2).await;
            let tokens = tokens(&room).await;
            let code = &room.pupils[0].1;
            let other_code = crate::domain::class_group::ClassCode::generate(&*room.context.random);
            for (class_code, pupil) in [
                (other_code.expose(), tokens[0].as_str()),
                ("", &tokens[0]),
                (room.code.expose(), ""),
                (room.code.expose(), &room.pupils[0].0.id.to_string()),
                (room.code.expose(), &tokens[0][1..]),
            ] {
                let attempt = Attempt {
                    class_code,
                    pupil,
                    picked: code,
                    former: None,
                };
                assert!(sign_in(&room.context, attempt).await.unwrap().is_none());
            }
            let neighbour = pick(&room, &tokens[1], code).await;
            assert!(matches!(neighbour, SignIn::Refused), "{neighbour:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn counts_are_purged_when_they_are_forgotten_and_not_before() {
        on_each_engine(async |db| {
            let room = classroom(db, 2).await;
            let tokens = tokens(&room).await;
            pick(&room, &tokens[0], &another(&room.pupils[0].1)).await;
            room.clock.advance(throttle::QUIET);
            assert_eq!(crate::flows::sign_in::purge(&room.context).await.unwrap(), 0);
            room.clock.advance(Duration::from_secs(1));
            pick(&room, &tokens[1], &another(&room.pupils[1].1)).await;
            assert_eq!(
                crate::flows::sign_in::purge(&room.context).await.unwrap(),
                1,
                "the first pupil's; the class and the second pupil failed just now"
            );
        })
        .await;
    }
}
