//! Giving a person a mail address, a telephone number, a postal address, and taking them away: the one function that
//! does. The journal says which parts, never their values.

use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::contact::{Address, Contact, Email, KeptContact, Part, PhoneNumber, Verified};
use crate::store;

/// What happens to one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this.
    Set(T),
    /// It goes.
    Erase,
}

impl<T> Edit<T> {
    fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Set(value) => Some(value),
            Self::Erase => None,
        }
    }
}

/// What happens to a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Electronic mail.
    pub email: Edit<Verified<Email>>,
    /// Telephone.
    pub phone: Edit<Verified<PhoneNumber>>,
    /// Post, all of it.
    pub address: Edit<Address>,
}

impl Edits {
    /// Whether a part is to become something.
    pub fn sets(&self, part: Part) -> bool {
        match part {
            Part::Email => matches!(self.email, Edit::Set(_)),
            Part::Phone => matches!(self.phone, Edit::Set(_)),
            Part::Address => matches!(self.address, Edit::Set(_)),
        }
    }

    /// Erases a part.
    pub fn erase(&mut self, part: Part) {
        match part {
            Part::Email => self.email = Edit::Erase,
            Part::Phone => self.phone = Edit::Erase,
            Part::Address => self.address = Edit::Erase,
        }
    }

    fn apply(self, before: Contact) -> Contact {
        let address = self.address.apply(before.address);
        Contact {
            email: self.email.apply(before.email),
            phone: self.phone.apply(before.phone),
            address: address.and_then(Address::some),
        }
    }
}

/// What became of the edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// This is the contact now, and these parts of it are not as before.
    Done(Box<Contact>, Vec<Part>),
    /// The person was merged into another or erased: nothing was changed.
    Gone,
}

/// Changes how a person is reached. What is as it was already is not written.
///
/// # Errors
/// [`Failure`].
pub async fn change(
    context: &Context,
    identity: IdentityId,
    edits: Edits,
    actor: &Actor,
) -> Result<Changed, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if !store::contact::hold(&mut tx, identity).await? {
        return Ok(Changed::Gone);
    }
    let before = store::contact::find(&mut tx, identity).await?;
    let before = before.map(|kept| kept.contact).unwrap_or_default();
    let after = edits.apply(before.clone());
    let changed = after.differences(&before);
    if changed.is_empty() {
        return Ok(Changed::Done(Box::new(after), changed));
    }
    let kept = KeptContact {
        contact: after.clone(),
        updated_at: now,
    };
    store::contact::save(&mut tx, identity, &kept).await?;
    let mut event = Event::new(Kind::ContactChanged, actor.clone()).about(identity);
    for (name, is_there) in [("set", true), ("erased", false)] {
        let parts = changed.iter().copied();
        let parts = parts.filter(|part| after.parts().contains(part) == is_there);
        let names: Vec<&str> = parts.map(Part::as_str).collect();
        if !names.is_empty() {
            event = event.with(name, names.join(" "));
        }
    }
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Changed::Done(Box::new(after), changed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Status;
    use crate::domain::testing::{contact, person};
    use crate::flows::testing::scene;

    fn mail(address: &str) -> Edits {
        Edits {
            email: Edit::Set(Verified {
                value: address.parse().unwrap(),
                is_verified: false,
            }),
            ..Edits::default()
        }
    }

    #[tokio::test]
    async fn parts_are_set_and_erased_one_by_one_and_the_journal_names_no_value() {
        scene::on_each_engine(async |context, clock| {
            let lina = person("Lina", 1);
            let actor = Actor::Operator;
            let edit = async |edits: Edits| change(&context, lina.id, edits, &actor).await.unwrap();
            assert_eq!(
                edit(mail("lina@ac.fr")).await,
                Changed::Gone,
                "there is no such person"
            );
            let mut tx = context.db.begin().await.unwrap();
            store::identity::insert(&mut tx, &lina).await.unwrap();
            tx.commit().await.unwrap();

            let sample = contact("lina");
            let everything = Edits {
                email: Edit::Set(sample.email.clone().unwrap()),
                phone: Edit::Set(sample.phone.clone().unwrap()),
                address: Edit::Set(sample.address.clone().unwrap()),
            };
            assert_eq!(
                edit(everything.clone()).await,
                Changed::Done(Box::new(sample.clone()), Part::ALL.to_vec())
            );
            clock.advance(std::time::Duration::from_secs(60));
            assert_eq!(
                edit(everything).await,
                Changed::Done(Box::new(sample.clone()), Vec::new())
            );
            let mut less = mail("lina.legoff@ac.fr");
            less.erase(Part::Phone);
            let Changed::Done(now, parts) = edit(less).await else {
                panic!("gone")
            };
            assert_eq!(parts, [Part::Email, Part::Phone]);
            assert_eq!((now.phone, &now.address), (None, &sample.address));

            let mut conn = context.db.reader().await.unwrap();
            let kept = store::contact::find(&mut conn, lina.id).await.unwrap().unwrap();
            assert_eq!(
                kept.updated_at,
                context.now(),
                "what changes nothing is no change"
            );
            let journal = store::audit::recent(&mut conn, 10).await.unwrap();
            drop(conn);
            let of_contact = journal.iter().filter(|entry| entry.kind == "contact.changed");
            let details: Vec<&str> = of_contact.map(|entry| entry.details.as_str()).collect();
            assert_eq!(
                details,
                [
                    r#"{"erased":"phone","set":"email"}"#,
                    r#"{"set":"email phone address"}"#
                ]
            );

            let mut nothing = Edits::default();
            Part::ALL.iter().for_each(|part| nothing.erase(*part));
            edit(nothing).await;
            let mut conn = context.db.reader().await.unwrap();
            assert_eq!(store::contact::find(&mut conn, lina.id).await.unwrap(), None);
            drop(conn);
            for status in [Status::Erased, Status::Merged { into: lina.id }] {
                scene::set_status(&context, lina.id, status).await;
                assert_eq!(edit(mail("lina@ac.fr")).await, Changed::Gone);
            }
        })
        .await;
    }
}
