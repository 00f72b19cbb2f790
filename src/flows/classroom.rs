//! Setting a class up: which classes a school has, and the cards its pupils get.
//!
//! A card shows a picture code; codes are made for it and exist nowhere else in clear. Whoever loses the cards makes
//! new ones.

use super::credential::keep;
use super::{Context, Failure, class_code};
use crate::base::id::{ClassGroupId, IdentityId};
use crate::base::text::fold_tight;
use crate::domain::audit::Actor;
use crate::domain::class_group::ClassCode;
use crate::domain::credential::CredentialKind;
use crate::domain::education::SchoolYear;
use crate::domain::enrolment::Enrolment;
use crate::domain::uai::Uai;
use crate::login::class_list;
use crate::login::picture::PictureCode;
use crate::store;
pub use crate::store::class_group::NamedClass;

/// A class of a school, as far as it is set up.
#[derive(Debug, Clone)]
pub struct ClassLine {
    /// The class, with the name of its school.
    pub named: NamedClass,
    /// How many pupils are on its page today.
    pub pupils: usize,
    /// How many of them have a picture code.
    pub with_picture_code: usize,
    /// Whether it has a class code.
    pub is_open: bool,
}

/// For whom codes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewCodes {
    /// For each pupil; former codes stop working.
    All,
    /// For those who have none.
    Missing,
}

/// The cards of a class.
#[derive(Debug, Clone)]
pub struct Cards {
    /// The class, with the name of its school.
    pub named: NamedClass,
    /// The class code.
    pub code: ClassCode,
    /// One for each code that was made.
    pub cards: Vec<Card>,
}

/// The card of a pupil.
#[derive(Debug, Clone)]
pub struct Card {
    /// Whose.
    pub identity: IdentityId,
    /// The first name, as on the class page.
    pub first_name: String,
    /// The number of the avatar.
    pub avatar: usize,
    /// The code.
    pub code: PictureCode,
}

/// The classes of a school in a year, by label.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context, school: &Uai, year: SchoolYear) -> Result<Vec<ClassLine>, Failure> {
    let today = context.now().date();
    let mut conn = context.db.reader().await?;
    let mut lines = Vec::new();
    for named in store::class_group::of_school(&mut conn, school, year).await? {
        let class = named.class.id;
        let mut line = ClassLine {
            is_open: store::class_code::find_sealed(&mut conn, class).await?.is_some(),
            named,
            pupils: 0,
            with_picture_code: 0,
        };
        for pupil in store::class_group::pupils(&mut conn, class, today).await? {
            let code = store::credential::find(&mut conn, pupil.id, CredentialKind::Picture).await?;
            line.pupils += 1;
            line.with_picture_code += usize::from(code.is_some());
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The classes of a school in a year that go by a label (however it is spelled) or have this id: none, one, or several
/// where two feeds name theirs alike.
///
/// # Errors
/// [`Failure`].
pub async fn named(
    context: &Context,
    (school, year): (&Uai, SchoolYear),
    label_or_id: &str,
) -> Result<Vec<NamedClass>, Failure> {
    let mut conn = context.db.reader().await?;
    let all = store::class_group::of_school(&mut conn, school, year).await?;
    let wanted = fold_tight(label_or_id);
    Ok(all
        .into_iter()
        .filter(|named| fold_tight(&named.class.label) == wanted || named.class.id.to_string() == label_or_id)
        .collect())
}

/// The enrolments of a person that count today, oldest year first.
///
/// # Errors
/// [`Failure`].
pub async fn enrolments(context: &Context, person: IdentityId) -> Result<Vec<Enrolment>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::enrolment::live_of(&mut conn, person, context.now().date()).await?)
}

/// Makes picture codes for the pupils of a class, all in one transaction, and answers their cards; `None` where there
/// is no such class.
///
/// # Errors
/// [`Failure`].
pub async fn cards(
    context: &Context,
    class: ClassGroupId,
    new_codes: NewCodes,
    actor: &Actor,
) -> Result<Option<Cards>, Failure> {
    let now = context.now();
    let kind = CredentialKind::Picture;
    let mut conn = context.db.reader().await?;
    let Some(named) = store::class_group::find(&mut conn, class).await? else {
        return Ok(None);
    };
    let listed = class_list::list(store::class_group::pupils(&mut conn, class, now.date()).await?);
    drop(conn);
    let code = class_code::open(context, class, actor).await?;
    let mut cards = Vec::new();
    let mut tx = context.db.begin().await?;
    for pupil in listed {
        let id = pupil.identity.id;
        let has_one = store::credential::find(&mut tx, id, kind).await?.is_some();
        if has_one && new_codes == NewCodes::Missing {
            continue;
        }
        let code = PictureCode::generate(&*context.random);
        let verifier = code.verifier(&context.vault, id)?;
        keep(&mut tx, id, (kind, &verifier), actor, now).await?;
        cards.push(Card {
            identity: id,
            first_name: pupil.first_name,
            avatar: pupil.avatar,
            code,
        });
    }
    tx.commit().await?;
    Ok(Some(Cards { named, code, cards }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::flows::sign_in::testing::classroom;
    use crate::flows::sign_in::{SignIn, picture};
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn cards_are_made_for_those_who_lack_one_or_for_all_and_their_codes_work() {
        on_each_engine(async |db| {
            let mut room = classroom(db, 2).await;
            let newcomer = person("Zoé", 9);
            room.add(newcomer.clone()).await;
            let mut tx = room.context.db.begin().await.unwrap();
            let delete = crate::store::db::Statement {
                name: "delete",
                sql: "DELETE FROM credential WHERE identity_id = $1",
            };
            tx.execute(delete, [crate::store::value::text(newcomer.id)])
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let year = SchoolYear::new(2026).unwrap();
            let line = list(&room.context, &room.school, year).await.unwrap().remove(0);
            assert_eq!((line.pupils, line.with_picture_code, line.is_open), (3, 2, true));

            let make = async |new_codes| {
                let made = cards(&room.context, room.class, new_codes, &Actor::Operator).await;
                made.unwrap().unwrap()
            };
            let missing = make(NewCodes::Missing).await;
            assert_eq!(missing.code, room.code);
            assert_eq!(missing.cards.len(), 1);
            assert_eq!(missing.cards[0].first_name, "Zoé");
            let token = room.token(&newcomer).await;
            let sign_in = async |picked| {
                let attempt = picture::Attempt {
                    class_code: room.code.expose(),
                    pupil: &token,
                    picked,
                    former: None,
                };
                picture::sign_in(&room.context, attempt).await.unwrap().unwrap()
            };
            let first = missing.cards[0].code;
            assert!(matches!(sign_in(&first).await, SignIn::Done(_)));
            assert!(make(NewCodes::Missing).await.cards.is_empty());

            let all = make(NewCodes::All).await;
            assert_eq!(all.cards.len(), 3);
            assert!(matches!(sign_in(&first).await, SignIn::Refused));
            let renewed = all
                .cards
                .iter()
                .find(|card| card.first_name == "Zoé")
                .unwrap()
                .code;
            assert!(matches!(sign_in(&renewed).await, SignIn::Done(_)));
            let nobody = ClassGroupId::new(room.context.now(), &SeededRandom::new(9));
            assert!(
                cards(&room.context, nobody, NewCodes::All, &Actor::Operator)
                    .await
                    .unwrap()
                    .is_none()
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_class_goes_by_its_label_however_it_is_spelled_or_by_its_id() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let year = SchoolYear::new(2026).unwrap();
            let count = async |label: &str, year| {
                let found = named(&room.context, (&room.school, year), label).await.unwrap();
                found.len()
            };
            for spelled in ["CE1 A", "ce1-a", &room.class.to_string()] {
                assert_eq!(count(spelled, year).await, 1, "{spelled}");
            }
            assert_eq!(count("CE1", year).await, 0);
            assert_eq!(count("CE1 A", year.next()).await, 0);
        })
        .await;
    }
}
