//! `[relying_party.event_receiver]` of a declaration file: where a party takes security events (RFC 8935).

use std::path::PathBuf;

use serde::Deserialize;

use super::relying_party::ReadFile;
use super::value::SafeAddress;
use crate::base::secret::{self, Secret};
use crate::domain::relying_party::RelyingPartyId;
use crate::flows::{Context, Failure, event_delivery};
use crate::store;
use crate::store::db::Tx;
use crate::store::event_receiver::Receiver;

/// Where a party takes events, as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredReceiver {
    /// The address.
    pub uri: String,
    /// The bearer token that it lets us in by (RFC 6750 §2.1), where it asks for one.
    pub token: Option<Secret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventReceiverEntry {
    uri: SafeAddress,
    token_file: Option<PathBuf>,
}

pub(super) fn event_receiver(
    entry: EventReceiverEntry,
    read: ReadFile<'_>,
) -> Result<DeclaredReceiver, String> {
    let token = entry.token_file.map(|file| {
        let field = format!("token_file {}", file.display());
        let text = read(&file).map_err(|error| format!("{field}: {error}"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        // RFC 6750 §2.1: what a header may hold.
        let is_token = |symbol: u8| symbol.is_ascii_alphanumeric() || b"-._~+/=".contains(&symbol);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(format!("{field}: holds no token of RFC 6750"));
        }
        Ok(Secret::new(text))
    });
    Ok(DeclaredReceiver {
        uri: entry.uri.0,
        token: token.transpose()?,
    })
}

/// Makes the receiver of a party as declared; whether it was otherwise.
pub(super) async fn apply(
    context: &Context,
    tx: &mut Tx,
    client: &RelyingPartyId,
    declared: Option<&DeclaredReceiver>,
) -> Result<bool, Failure> {
    let before = store::event_receiver::find(tx, client).await?;
    let Some(declared) = declared else {
        return Ok(before.is_some() && store::event_receiver::delete(tx, client).await?);
    };
    let purpose = event_delivery::sealed_for(client);
    if let Some(before) = &before {
        let held = before.token.as_ref();
        let held = held
            .map(|sealed| context.vault.open(&purpose, sealed))
            .transpose()?;
        let is_same = match (&held, &declared.token) {
            (Some(held), Some(token)) => secret::equal(held, token.expose().as_bytes()),
            (None, None) => true,
            _ => false,
        };
        if is_same && before.uri == declared.uri {
            return Ok(false);
        }
    }
    let seal = |token: &Secret| {
        context
            .vault
            .seal(&purpose, token.expose().as_bytes(), &*context.random)
    };
    let receiver = Receiver {
        uri: declared.uri.clone(),
        token: declared.token.as_ref().map(seal).transpose()?,
    };
    store::event_receiver::save(tx, client, &receiver).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::flows::declaration::file::Reader;
    use crate::flows::declaration::{self, Declaration, Options, Verb};
    use crate::flows::testing::scene::on_each_engine;

    const PARTY: &str =
        "[[relying_party]]\nid = \"ent\"\nname = \"ENT\"\nredirect_uris = [\"https://ent.example/cb\"]\n";

    fn read(lines: &str) -> Result<Declaration, String> {
        let file = |path: &Path| match path.to_str() {
            Some("token") => Ok("aZ9-._~+/=\n".to_owned()),
            Some("spaced") => Ok("a token".to_owned()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let mut reader = Reader::default();
        let text = format!("{PARTY}{lines}");
        reader.add(&text, &file).map_err(|error| error.to_string())?;
        Ok(reader.finish())
    }

    fn told(lines: &str) -> String {
        format!("[relying_party.event_receiver]\n{lines}\n")
    }

    #[test]
    fn a_receiver_is_read_and_what_is_wrong_with_one_names_the_field() {
        let declared = read(&told(
            "uri = \"https://ent.example/events\"\ntoken_file = \"token\"",
        ));
        let receiver = declared.unwrap().relying_parties.remove(0).receiver.unwrap();
        assert_eq!(receiver.uri, "https://ent.example/events");
        assert_eq!(receiver.token, Some(Secret::new("aZ9-._~+/=")));
        for (lines, part) in [
            ("uri = \"http://ent.example/events\"", "must be https"),
            ("token_file = \"token\"", "uri"),
            (
                "uri = \"https://ent.example/events\"\ntoken_file = \"spaced\"",
                "token_file spaced",
            ),
            (
                "uri = \"https://ent.example/events\"\ntoken_file = \"nowhere\"",
                "token_file nowhere",
            ),
            (
                "uri = \"https://ent.example/events\"\nsecret = \"x\"",
                "unknown field",
            ),
        ] {
            let error = read(&told(lines)).unwrap_err();
            assert!(error.contains(part) && error.contains("line "), "{error}");
        }
    }

    #[tokio::test]
    async fn a_receiver_is_kept_sealed_left_alone_changed_and_taken_away_with_its_lines() {
        on_each_engine(async |context, _clock| {
            let apply = async |lines: &str| {
                let declaration = read(lines).unwrap();
                let done = declaration::apply(&context, &declaration, Options::default()).await;
                done.unwrap().remove(0).verb
            };
            let ent = "ent".parse().unwrap();
            let kept = async || {
                let mut conn = context.db.reader().await.unwrap();
                store::event_receiver::find(&mut conn, &ent).await.unwrap()
            };
            let with = told("uri = \"https://ent.example/events\"\ntoken_file = \"token\"");
            assert_eq!(apply(&with).await, Verb::Created);
            let sealed = kept().await.unwrap().token.unwrap();
            let opened = context.vault.open(&event_delivery::sealed_for(&ent), &sealed);
            assert_eq!(opened.unwrap().as_slice(), b"aZ9-._~+/=");
            assert_eq!(apply(&with).await, Verb::Unchanged);
            let without = told("uri = \"https://ent.example/events\"");
            assert_eq!(apply(&without).await, Verb::Updated);
            assert_eq!(kept().await.unwrap().token, None);
            assert_eq!(apply("").await, Verb::Updated);
            assert_eq!(kept().await, None);
            assert_eq!(apply(&with).await, Verb::Updated);
            let nothing = Declaration::default();
            let prune = Options {
                prune: true,
                ..Options::default()
            };
            declaration::apply(&context, &nothing, prune).await.unwrap();
            assert_eq!(kept().await, None, "it goes with its party");
        })
        .await;
    }
}
