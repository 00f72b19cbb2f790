//! How to reach people: a row for each who has a mail address, a telephone number or a postal address, none for anybody
//! else.

use std::fmt::Display;
use std::str::FromStr;

use super::db::{Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::contact::{Address, Contact, KeptContact, Line, Verified};

/// Every column of a contact that stands in a statement as `c`; [`contact`] reads them.
macro_rules! columns {
    () => {
        "c.email, c.email_verified, c.phone, c.phone_verified, c.street, c.postal_code, c.locality, c.region, c.country,
        c.updated_at AS contact_updated_at"
    };
}
pub(super) use columns;

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM contact c WHERE c.identity_id = $1");
    // Of two who change the same person's, the second waits; nobody changes what a merge or an erasure has left.
    HOLD = "UPDATE identity SET id = id WHERE id = $1 AND status NOT IN ('merged', 'erased')";
    SAVE = "INSERT INTO contact (identity_id, email, email_verified, phone, phone_verified, street, postal_code,
            locality, region, country, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (identity_id) DO UPDATE SET email = excluded.email, email_verified = excluded.email_verified,
            phone = excluded.phone, phone_verified = excluded.phone_verified, street = excluded.street,
            postal_code = excluded.postal_code, locality = excluded.locality, region = excluded.region,
            country = excluded.country, updated_at = excluded.updated_at";
    ERASE = "DELETE FROM contact WHERE identity_id = $1";
}

/// Reads a contact from a row that has [`columns`], possibly of an outer join.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn contact(row: &Row) -> Result<Option<KeptContact>, StoreError> {
    let Some(updated_at) = row.get::<Option<i64>>("contact_updated_at")? else {
        return Ok(None);
    };
    Ok(Some(KeptContact {
        contact: assemble(
            |column| row.get::<Option<String>>(column),
            |column| Ok(row.get::<Option<bool>>(column)? == Some(true)),
        )?,
        updated_at: Timestamp::from_micros(updated_at),
    }))
}

fn assemble(
    text: impl Fn(&str) -> Result<Option<String>, StoreError>,
    truth: impl Fn(&str) -> Result<bool, StoreError>,
) -> Result<Contact, StoreError> {
    fn read<T: FromStr<Err: Display>>(column: &str, text: Option<String>) -> Result<Option<T>, StoreError> {
        text.map(|text| text.parse().map_err(|error| StoreError::corrupt(column, error)))
            .transpose()
    }
    let line = |column: &str| read(column, text(column)?);
    let (email_verified, phone_verified) = (truth("email_verified")?, truth("phone_verified")?);
    Ok(Contact {
        email: read("email", text("email")?)?.map(|value| Verified {
            value,
            is_verified: email_verified,
        }),
        phone: read("phone", text("phone")?)?.map(|value| Verified {
            value,
            is_verified: phone_verified,
        }),
        address: Address {
            street: line("street")?,
            postal_code: line("postal_code")?,
            locality: line("locality")?,
            region: line("region")?,
            country: line("country")?,
        }
        .some(),
    })
}

/// A contact as a row of [`super::image::CONTACT`].
pub fn values(identity: IdentityId, kept: &KeptContact) -> [Value; 11] {
    let contact = &kept.contact;
    let (email, phone) = (contact.email.as_ref(), contact.phone.as_ref());
    let none = Address::default();
    let address = contact.address.as_ref().unwrap_or(&none);
    let line = |line: &Option<Line>| line.as_ref().map(Line::as_str).into();
    [
        text(identity),
        email.map(|email| email.value.as_str()).into(),
        email.is_some_and(|email| email.is_verified).into(),
        phone.map(|phone| phone.value.as_str()).into(),
        phone.is_some_and(|phone| phone.is_verified).into(),
        line(&address.street),
        line(&address.postal_code),
        line(&address.locality),
        line(&address.region),
        line(&address.country),
        kept.updated_at.into(),
    ]
}

/// Reads a row of [`super::image::CONTACT`].
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub fn of_values(row: &[Value]) -> Result<KeptContact, StoreError> {
    let image = &super::image::CONTACT;
    let text = |column: &str| Some(image.text(row, column).to_owned()).filter(|text| !text.is_empty());
    Ok(KeptContact {
        contact: assemble(|column| Ok(text(column)), |column| Ok(image.truth(row, column)))?,
        updated_at: Timestamp::from_micros(image.number(row, "updated_at")),
    })
}

/// How to reach a person, where there is a way.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, identity: IdentityId) -> Result<Option<KeptContact>, StoreError> {
    let found = conn.optional(FIND, [text(identity)]).await?;
    Ok(found.as_ref().map(contact).transpose()?.flatten())
}

/// Lets nobody else change a person's contact until the transaction ends; false for a person who has none any more:
/// merged, erased, or not there.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(tx: &mut Tx, identity: IdentityId) -> Result<bool, StoreError> {
    Ok(tx.execute(HOLD, [text(identity)]).await? == 1)
}

/// Writes how to reach a person, in place of what was there; a contact without any way is no row.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, identity: IdentityId, kept: &KeptContact) -> Result<(), StoreError> {
    if kept.contact.is_empty() {
        return erase(tx, identity).await.map(drop);
    }
    tx.execute(SAVE, values(identity, kept)).await.map(drop)
}

/// Forgets how to reach a person; whether there was a way.
///
/// # Errors
/// [`StoreError`].
pub async fn erase(tx: &mut Tx, identity: IdentityId) -> Result<bool, StoreError> {
    Ok(tx.execute(ERASE, [text(identity)]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Status;
    use crate::domain::testing::contact as sample;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn a_contact_reads_back_changes_and_goes() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1).id;
            let mut kept = KeptContact {
                contact: sample("lina"),
                updated_at: Timestamp::from_seconds(1_790_000_000),
            };
            let mut tx = db.begin().await.unwrap();
            assert_eq!(find(&mut tx, lina).await.unwrap(), None);
            save(&mut tx, lina, &kept).await.unwrap();
            assert_eq!(find(&mut tx, lina).await.unwrap().as_ref(), Some(&kept));
            assert_eq!(of_values(&values(lina, &kept)).unwrap(), kept);
            kept.contact.phone = None;
            kept.contact.address.as_mut().unwrap().street = None;
            kept.updated_at = Timestamp::from_seconds(1_790_000_001);
            save(&mut tx, lina, &kept).await.unwrap();
            assert_eq!(find(&mut tx, lina).await.unwrap().as_ref(), Some(&kept));
            kept.contact = Contact::default();
            save(&mut tx, lina, &kept).await.unwrap();
            assert_eq!(find(&mut tx, lina).await.unwrap(), None);
            assert!(!erase(&mut tx, lina).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn only_a_person_who_is_there_is_held() {
        on_each_engine(async |db| {
            let (lina, other) = (person("Lina", 1), person("Lila", 2));
            let mut tx = db.begin().await.unwrap();
            assert!(!hold(&mut tx, lina.id).await.unwrap());
            for one in [&lina, &other] {
                crate::store::identity::insert(&mut tx, one).await.unwrap();
            }
            for (status, expected) in [
                (Status::Active, true),
                (Status::Suspended, true),
                (Status::Merged { into: other.id }, false),
                (Status::Erased, false),
            ] {
                crate::store::identity::set_status(&mut tx, lina.id, &status)
                    .await
                    .unwrap();
                assert_eq!(hold(&mut tx, lina.id).await.unwrap(), expected, "{status:?}");
            }
        })
        .await;
    }
}
