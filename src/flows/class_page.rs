//! The page of a class: who stands on it, for whoever knows the code.
//!
//! Without the code there is nothing, not even that a class or a school exists; a malformed code is looked up as an
//! unknown one is. Guessing is no way in: 27¹² codes (57 bits), so a thousand guesses a second against half a million
//! classes find one page of first names in ten years. Look-ups are therefore not throttled, which would only let a
//! stranger keep classrooms out.

use super::{Context, Failure};
use crate::base::secret::equal;
use crate::domain::class_group::{ClassCode, ClassGroup};
use crate::login::class_list::{self, Listed};
use crate::store;

/// A class page.
#[derive(Debug, Clone)]
pub struct ClassPage {
    /// The class.
    pub class: ClassGroup,
    /// The name of its school.
    pub school_name: String,
    /// The code that opened it.
    pub code: ClassCode,
    /// Its pupils, in the order to show.
    pub pupils: Vec<Pupil>,
}

/// A child on the page.
#[derive(Debug, Clone)]
pub struct Pupil {
    /// What stands for the child in an address of this page.
    pub token: String,
    /// The first name, as the class says it.
    pub first_name: String,
    /// The number of the avatar.
    pub avatar: usize,
}

/// The page a code opens today; `None` for any other text.
///
/// # Errors
/// [`Failure`].
pub async fn find(context: &Context, code: &str) -> Result<Option<ClassPage>, Failure> {
    let Some((mut page, listed)) = load(context, code).await? else {
        return Ok(None);
    };
    page.pupils = listed
        .into_iter()
        .map(|pupil| {
            Ok(Pupil {
                token: class_list::token(&context.vault, &page.code, pupil.identity.id)?,
                first_name: pupil.first_name,
                avatar: pupil.avatar,
            })
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Some(page))
}

/// The child that a token stands for on the page a code opens (its list of pupils is left empty).
///
/// # Errors
/// [`Failure`].
pub async fn find_pupil(
    context: &Context,
    code: &str,
    token: &str,
) -> Result<Option<(ClassPage, Listed)>, Failure> {
    let Some((page, listed)) = load(context, code).await? else {
        return Ok(None);
    };
    for pupil in listed {
        let expected = class_list::token(&context.vault, &page.code, pupil.identity.id)?;
        if equal(expected.as_bytes(), token.as_bytes()) {
            return Ok(Some((page, pupil)));
        }
    }
    Ok(None)
}

async fn load(context: &Context, typed: &str) -> Result<Option<(ClassPage, Vec<Listed>)>, Failure> {
    let code = typed.parse::<ClassCode>().ok();
    let symbols = code.as_ref().map(ClassCode::expose).unwrap_or_default();
    let index = context.vault.index(super::class_code::INDEX, symbols)?;
    let mut conn = context.db.reader().await?;
    let class = store::class_code::find_class(&mut conn, &index).await?;
    let (Some(class), Some(code)) = (class, code) else {
        return Ok(None);
    };
    let Some(named) = store::class_group::find(&mut conn, class).await? else {
        return Ok(None);
    };
    let pupils = store::class_group::pupils(&mut conn, class, context.now().date()).await?;
    let page = ClassPage {
        class: named.class,
        school_name: named.school_name,
        code,
        pupils: Vec::new(),
    };
    Ok(Some((page, class_list::list(pupils))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::parse_date;
    use crate::domain::audit::Actor;
    use crate::domain::identity::Status;
    use crate::flows::class_code;
    use crate::flows::sign_in::testing::classroom;
    use crate::store::testing::{on_each_engine, person};

    async fn names(context: &Context, code: &str) -> Vec<String> {
        let page = find(context, code).await.unwrap().unwrap();
        page.pupils.into_iter().map(|pupil| pupil.first_name).collect()
    }

    #[tokio::test]
    async fn case_50_nobody_is_listed_without_the_code() {
        on_each_engine(async |db| {
            let room = classroom(db, 3).await;
            let page = find(&room.context, &room.code.printed().to_uppercase())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                (
                    page.class.label.as_str(),
                    page.school_name.as_str(),
                    page.pupils.len()
                ),
                ("CE1 A", "École des Marronniers", 3)
            );
            let guessed = ClassCode::generate(&SeededRandom::new(7));
            let mut almost = room.code.expose().to_owned();
            almost.pop();
            for wrong in [
                guessed.expose(),
                &almost,
                &format!("{}b", room.code.expose()),
                "",
                "-",
                &room.class.to_string(),
                "' OR 1=1 --",
            ] {
                assert!(find(&room.context, wrong).await.unwrap().is_none(), "{wrong}");
            }
            let renewed = class_code::renew(&room.context, room.class, &Actor::Operator)
                .await
                .unwrap();
            assert!(find(&room.context, room.code.expose()).await.unwrap().is_none());
            assert_eq!(names(&room.context, renewed.expose()).await.len(), 3);
        })
        .await;
    }

    #[tokio::test]
    async fn case_50_a_page_shows_first_names_and_nothing_else_of_a_child() {
        on_each_engine(async |db| {
            let mut room = classroom(db, 0).await;
            room.add(person("Lina", 1)).await;
            let page = find(&room.context, room.code.expose()).await.unwrap().unwrap();
            let shown = format!("{:?}", page.pupils);
            let lina = &room.pupils[0].0;
            for hidden in ["Goff", "2016", &lina.id.to_string()] {
                assert!(!shown.contains(hidden), "{shown}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn only_children_who_may_sign_in_and_are_in_the_class_today_are_listed() {
        on_each_engine(async |db| {
            let mut room = classroom(db, 0).await;
            for (name, number) in [("Adam", 1), ("Basile", 2), ("Chloé", 3)] {
                room.add(person(name, number)).await;
            }
            assert_eq!(
                names(&room.context, room.code.expose()).await,
                ["Adam", "Basile", "Chloé"]
            );
            let on = parse_date("2026-09-20").unwrap();
            let mut tx = room.context.db.begin().await.unwrap();
            store::identity::set_status(&mut tx, room.pupils[0].0.id, &Status::Suspended)
                .await
                .unwrap();
            store::identity::set_status(&mut tx, room.pupils[1].0.id, &Status::Departed { on })
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(names(&room.context, room.code.expose()).await, ["Chloé"]);
            room.clock.advance(std::time::Duration::from_secs(365 * 86_400));
            assert!(
                names(&room.context, room.code.expose()).await.is_empty(),
                "the year is over"
            );
        })
        .await;
    }
}
