//! `marelle user contact`: how a person is reached, shown, set and erased. Without an option it shows and changes nothing.

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::{Outcome, Refusal, print_json, print_line};
use crate::domain::audit::Actor;
use crate::domain::contact::{Address, Contact, Email, Line, Part, PhoneNumber, Verified};
use crate::flows::Context;
use crate::flows::contact::{self, Changed, Edit, Edits};
use crate::flows::person;

/// Arguments of `marelle user contact`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SetContact {
    /// Login name or id.
    #[arg(value_name = "USERNAME|ID")]
    who: String,
    /// Mail address.
    #[arg(long)]
    email: Option<Email>,
    /// Somebody made sure that the mail address is this person's.
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// Telephone number, the country first: `+33612345678`.
    #[arg(long)]
    phone: Option<PhoneNumber>,
    /// Somebody made sure that the telephone number is this person's.
    #[arg(long, requires = "phone")]
    phone_verified: bool,
    /// Number and street. Lines of the postal address that are not given are erased with the former address.
    #[arg(long)]
    street: Option<Line>,
    /// Postal code.
    #[arg(long)]
    postal_code: Option<Line>,
    /// Commune.
    #[arg(long)]
    locality: Option<Line>,
    /// Département or région.
    #[arg(long)]
    region: Option<Line>,
    /// Country.
    #[arg(long)]
    country: Option<Line>,
    /// What to erase; may be given several times.
    #[arg(long, value_enum)]
    erase: Vec<Erased>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// What may be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Erased {
    /// The mail address.
    Email,
    /// The telephone number.
    Phone,
    /// The postal address.
    Address,
}

impl From<Erased> for Part {
    fn from(erased: Erased) -> Self {
        match erased {
            Erased::Email => Self::Email,
            Erased::Phone => Self::Phone,
            Erased::Address => Self::Address,
        }
    }
}

pub(super) async fn run(context: &Context, arguments: SetContact) -> Outcome {
    let Some(identity) = person::find(context, &arguments.who).await? else {
        return Err(Refusal::usage(anyhow!("nobody is called «{}»", arguments.who)));
    };
    let in_json = arguments.json;
    let edits = edits(arguments)?;
    let actor = Actor::Operator;
    let (contact, changed) = match contact::change(context, identity.id, edits, &actor).await? {
        Changed::Done(contact, changed) => (contact, changed),
        Changed::Gone => {
            return Err(Refusal::guard(anyhow!(
                "this person was merged into another, or erased"
            )));
        }
    };
    let changed: Vec<&str> = changed.into_iter().map(Part::as_str).collect();
    if in_json {
        print_json(&json!({
            "id": identity.id.to_string(),
            "changed": changed,
            "email": contact.email.as_ref().map(|email| email.value.as_str()),
            "email_verified": contact.email.as_ref().map(|email| email.is_verified),
            "phone": contact.phone.as_ref().map(|phone| phone.value.as_str()),
            "phone_verified": contact.phone.as_ref().map(|phone| phone.is_verified),
            "address": contact.address.as_ref().map(lines),
        }));
        return Ok(());
    }
    for line in shown(&contact) {
        print_line(line);
    }
    print_line(match changed.as_slice() {
        [] => "nothing was changed".to_owned(),
        changed => format!("changed: {}", changed.join(", ")),
    });
    Ok(())
}

fn edits(arguments: SetContact) -> Result<Edits, Refusal> {
    let set = |part: Option<Address>| part.map_or(Edit::Keep, Edit::Set);
    let address = Address {
        street: arguments.street,
        postal_code: arguments.postal_code,
        locality: arguments.locality,
        region: arguments.region,
        country: arguments.country,
    };
    let mut edits = Edits {
        email: arguments.email.map_or(Edit::Keep, |value| {
            Edit::Set(Verified {
                value,
                is_verified: arguments.email_verified,
            })
        }),
        phone: arguments.phone.map_or(Edit::Keep, |value| {
            Edit::Set(Verified {
                value,
                is_verified: arguments.phone_verified,
            })
        }),
        address: set(address.some()),
    };
    for erased in arguments.erase {
        let part = Part::from(erased);
        if edits.sets(part) {
            return Err(Refusal::usage(anyhow!("{part} is both given and erased")));
        }
        edits.erase(part);
    }
    Ok(edits)
}

fn lines(address: &Address) -> serde_json::Value {
    let line = |line: &Option<Line>| line.as_ref().map(|line| line.as_str().to_owned());
    json!({
        "street": line(&address.street),
        "postal_code": line(&address.postal_code),
        "locality": line(&address.locality),
        "region": line(&address.region),
        "country": line(&address.country),
    })
}

fn shown(contact: &Contact) -> Vec<String> {
    let mark = |is_verified: bool| if is_verified { "verified" } else { "not verified" };
    let email = contact.email.as_ref();
    let phone = contact.phone.as_ref();
    let address = contact.address.as_ref().map(|address| {
        let lines = [
            &address.street,
            &address.postal_code,
            &address.locality,
            &address.region,
            &address.country,
        ];
        let lines: Vec<&str> = lines.into_iter().flatten().map(Line::as_str).collect();
        format!("address  {}", lines.join(" · "))
    });
    let email = email.map(|email| format!("email    {} ({})", email.value.as_str(), mark(email.is_verified)));
    let phone = phone.map(|phone| format!("phone    {} ({})", phone.value.as_str(), mark(phone.is_verified)));
    let lines: Vec<String> = [email, phone, address].into_iter().flatten().collect();
    if lines.is_empty() {
        return vec!["no contact".to_owned()];
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: SetContact,
    }

    fn read(words: &[&str]) -> Result<SetContact, String> {
        let words = ["contact", "maddi"].iter().chain(words);
        CommandLine::try_parse_from(words)
            .map(|line| line.arguments)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_become_edits_and_what_is_wrong_is_not_repeated() {
        let given = read(&["--email", "m@ac.fr", "--email-verified", "--locality", "Amiens"]).unwrap();
        let edits = super::edits(given).unwrap();
        assert!(matches!(&edits.email, Edit::Set(email) if email.is_verified));
        assert!(matches!(&edits.address, Edit::Set(address) if address.street.is_none()));
        assert_eq!(edits.phone, Edit::Keep);
        let erased = read(&["--erase", "phone", "--erase", "address"]).unwrap();
        let edits = super::edits(erased).unwrap();
        assert_eq!((edits.phone, edits.address), (Edit::Erase, Edit::Erase));
        assert_eq!(super::edits(read(&[]).unwrap()).unwrap(), Edits::default());
        let both = read(&["--email", "m@ac.fr", "--erase", "email"]).unwrap();
        assert!(super::edits(both).is_err());
        for wrong in [
            &["--email", "m"][..],
            &["--phone", "0612345678"],
            &["--email-verified"],
            &["--street", "a\nb"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_contact_is_shown_by_what_it_has() {
        let contact = crate::domain::testing::contact("maddi");
        assert_eq!(
            shown(&contact),
            [
                "email    maddi@ecole.example (verified)",
                "phone    +33199001234 (not verified)",
                "address  3, rue des Marronniers · 80000 · Amiens · France",
            ]
        );
        assert_eq!(shown(&Contact::default()), ["no contact"]);
    }
}
