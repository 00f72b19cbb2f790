//! The code of a class page: made when a class is opened, shown again when it is printed, renewed when it has got
//! around.

use super::{Context, Failure};
use crate::base::id::ClassGroupId;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::class_group::ClassCode;
use crate::store;
use crate::store::class_code::StoredCode;

/// The context under which codes are indexed.
pub(super) const INDEX: &str = "class_code";

/// The code of a class; made now where it has none.
///
/// # Errors
/// [`Failure`].
pub async fn open(context: &Context, class: ClassGroupId, actor: &Actor) -> Result<ClassCode, Failure> {
    let mut tx = context.db.begin().await?;
    let (code, stored) = fresh(context, class)?;
    if store::class_code::add(&mut tx, class, &stored).await? {
        let event = Event::new(Kind::ClassCodeIssued, actor.clone()).about(class);
        store::audit::append(&mut tx, stored.issued_at, &event).await?;
        tx.commit().await?;
        return Ok(code);
    }
    match store::class_code::find_sealed(&mut tx, class).await? {
        Some(sealed) => unseal(context, class, &sealed),
        None => Err(Failure::Task("a class code vanished".to_owned())),
    }
}

/// A new code for a class; the former opens nothing from now on, on no device.
///
/// # Errors
/// [`Failure`].
pub async fn renew(context: &Context, class: ClassGroupId, actor: &Actor) -> Result<ClassCode, Failure> {
    let mut tx = context.db.begin().await?;
    let (code, stored) = fresh(context, class)?;
    store::class_code::set(&mut tx, class, &stored).await?;
    let event = Event::new(Kind::ClassCodeIssued, actor.clone())
        .about(class)
        .with("renewed", true);
    store::audit::append(&mut tx, stored.issued_at, &event).await?;
    tx.commit().await?;
    Ok(code)
}

/// The address of a class page, as it is printed.
pub fn page_address(context: &Context, code: &ClassCode) -> String {
    format!("{}/class/{}", context.settings.public_url, code.printed())
}

fn fresh(context: &Context, class: ClassGroupId) -> Result<(ClassCode, StoredCode), Failure> {
    let code = ClassCode::generate(&*context.random);
    let stored = StoredCode {
        index: context.vault.index(INDEX, code.expose())?,
        sealed: context
            .vault
            .seal(&seal_context(class), code.expose().as_bytes(), &*context.random)?,
        issued_at: context.now(),
    };
    Ok((code, stored))
}

fn unseal(context: &Context, class: ClassGroupId, sealed: &[u8]) -> Result<ClassCode, Failure> {
    let plain = context.vault.open(&seal_context(class), sealed)?;
    std::str::from_utf8(&plain)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::Task("a sealed class code is none".to_owned()))
}

fn seal_context(class: ClassGroupId) -> String {
    format!("class_code:{class}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::sign_in::testing::classroom;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_class_keeps_its_code_until_it_is_renewed() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let again = open(&room.context, room.class, &Actor::Operator).await.unwrap();
            assert_eq!(again, room.code);
            assert_eq!(room.journalled("class_code.issued").await, 1);
            let new = renew(&room.context, room.class, &Actor::Operator).await.unwrap();
            assert_ne!(new, room.code);
            assert_eq!(
                open(&room.context, room.class, &Actor::Operator).await.unwrap(),
                new
            );
            assert_eq!(room.journalled("class_code.issued").await, 2);
            assert_eq!(
                page_address(&room.context, &new),
                format!("https://id.example.fr/class/{}", new.printed())
            );
        })
        .await;
    }

    #[tokio::test]
    async fn of_two_who_open_a_class_at_once_both_get_one_code() {
        on_each_engine(async |db| {
            let room = classroom(db, 0).await;
            let class = ClassGroupId::new(room.context.now(), &*room.context.random);
            let opening: Vec<_> = (0..10)
                .map(|_| {
                    let context = room.context.clone();
                    tokio::spawn(async move { open(&context, class, &Actor::Operator).await.unwrap() })
                })
                .collect();
            let mut codes = Vec::new();
            for code in opening {
                codes.push(code.await.unwrap());
            }
            assert!(codes.iter().all(|code| *code == codes[0]));
        })
        .await;
    }
}
