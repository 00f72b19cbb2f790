//! Resource servers in declarations: how a file writes one, and how the installation is made so.

use serde::Deserialize;

use super::value::{Parsed, parsed, values, yes};
use super::{Declaration, Difference, Verb, compare};
use crate::domain::relying_party::{RelyingPartyId, SigningAlgorithm};
use crate::domain::resource_server::{Audience, ResourceServer, ScopeName, TokenFormat};
use crate::flows::Failure;
use crate::store;
use crate::store::db::Tx;

/// What differences call it.
const NOUN: &str = "resource_server";

/// `[[resource_server]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(deserialize_with = "parsed")]
    pub(super) audience: Audience,
    name: String,
    #[serde(default)]
    scopes: Vec<Parsed<ScopeName>>,
    #[serde(default, deserialize_with = "parsed")]
    token_format: TokenFormat,
    #[serde(default = "rs256", deserialize_with = "parsed")]
    token_signed_response_alg: SigningAlgorithm,
    #[serde(default)]
    introspectors: Vec<Parsed<RelyingPartyId>>,
    #[serde(default = "yes")]
    enabled: bool,
}

/// RFC 9068 §2.1: what every resource server knows.
fn rs256() -> SigningAlgorithm {
    SigningAlgorithm::Rs256
}

impl Entry {
    pub(super) fn read(self) -> ResourceServer {
        ResourceServer {
            audience: self.audience,
            name: self.name,
            scopes: values(self.scopes),
            token_format: self.token_format,
            token_alg: self.token_signed_response_alg,
            introspectors: values(self.introspectors),
            enabled: self.enabled,
        }
    }
}

/// Makes the resource servers as declared.
pub(super) async fn apply(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    for server in &declaration.resource_servers {
        let before = store::resource_server::find(tx, server.audience.as_str()).await?;
        let verb = compare(before.as_ref(), server);
        if verb != Verb::Unchanged {
            store::resource_server::save(tx, server).await?;
        }
        out.push(Difference::new(verb, NOUN, &server.audience));
    }
    Ok(())
}

/// Removes those that are not declared.
pub(super) async fn prune(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    let declared = &declaration.resource_servers;
    for server in store::resource_server::all(tx).await? {
        if declared
            .iter()
            .any(|declared| declared.audience == server.audience)
        {
            continue;
        }
        if store::resource_server::delete(tx, &server.audience).await? {
            out.push(Difference::new(Verb::Removed, NOUN, &server.audience));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::resource_server;
    use crate::flows::declaration::file::Reader;
    use crate::flows::declaration::{self, Options};
    use crate::flows::testing::scene::on_each_engine;

    const TEXT: &str = "[[resource_server]]\naudience = \"https://cantine.example/api\"\nname = \"API cantine\"\n\
        scopes = [\"menus:read\", \"menus:write\"]\ntoken_signed_response_alg = \"ES256\"\n\
        introspectors = [\"cantine\"]\n";

    fn read(text: &str) -> Result<Declaration, String> {
        let mut reader = Reader::default();
        let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        reader.add(text, &nothing).map_err(|error| error.to_string())?;
        Ok(reader.finish())
    }

    #[test]
    fn a_resource_server_is_read_and_what_is_wrong_is_named_with_its_line() {
        assert_eq!(read(TEXT).unwrap().resource_servers, [resource_server("cantine")]);
        for (text, expected) in [
            (TEXT.replace("/api", "/api#x"), "line 2"),
            (TEXT.replace("menus:read", "openid"), "line 4"),
            (format!("{TEXT}token_format = \"jwt\"\n"), "line 7"),
            (format!("{TEXT}{TEXT}"), "declared twice"),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }

    #[tokio::test]
    async fn it_is_created_updated_left_alone_and_pruned() {
        on_each_engine(async |context, _clock| {
            let apply = async |text: &str, prune| {
                let options = Options {
                    prune,
                    ..Options::default()
                };
                let declared = read(text).unwrap();
                let done = declaration::apply(&context, &declared, options).await.unwrap();
                done.iter().map(|line| line.verb).collect::<Vec<_>>()
            };
            assert_eq!(apply(TEXT, false).await, [Verb::Created]);
            assert_eq!(apply(TEXT, true).await, [Verb::Unchanged]);
            let jwt = format!("{TEXT}token_format = \"at+jwt\"\n");
            assert_eq!(apply(&jwt, false).await, [Verb::Updated]);
            assert_eq!(apply("", false).await, []);
            assert_eq!(apply("", true).await, [Verb::Removed]);
        })
        .await;
    }
}
