//! Proofs of possession at the endpoints (RFC 9449): each is checked, and then taken once, on whichever node it comes.
//!
//! | moment | what it costs |
//! | --- | --- |
//! | `check` | no look at the database: one signature |
//! | `claim`, once everything else about the request is known to be in order | one insert, in the caller's transaction |
//!
//! A transaction that is not committed leaves the proof unused: then nothing was done for it either.

use data_encoding::BASE64URL_NOPAD;

use super::{Context, Failure};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::dpop::{self, Nonces, Proved, REPLAYED, Request, Rules, Shown};
use crate::oauth::error::OAuthError;
use crate::store;
use crate::store::db::Tx;
use crate::store::used_proof::Proof;

/// Which request a proof is to be for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Its method.
    pub(super) method: &'a str,
    /// The path of the endpoint.
    pub(super) path: &'a str,
    /// The access token that it brings.
    pub(super) access_token: Option<&'a Secret>,
}

impl Asked<'_> {
    /// A form that a client posts to an endpoint.
    pub(super) const fn post(path: &str) -> Asked<'_> {
        Asked {
            method: "POST",
            path,
            access_token: None,
        }
    }
}

/// Whether what a party shows is a proof for this request; `None` where it shows nothing.
///
/// # Errors
/// [`Failure`]; inside, what is wrong with the proof.
pub(super) fn check(
    context: &Context,
    shown: Shown<'_>,
    asked: Asked<'_>,
    party: &RelyingParty,
) -> Result<Result<Option<Proved>, OAuthError>, Failure> {
    if shown == Shown::Nothing {
        return Ok(Ok(None));
    }
    let now = context.now();
    let address = format!("{}{}", context.settings.public_url, asked.path);
    let request = Request {
        method: asked.method,
        address: &address,
        access_token: asked.access_token,
    };
    let rules = Rules {
        algorithms: dpop::algorithms(party),
        nonces: &nonces(context, now)?,
        needs_nonce: context.settings.needs_dpop_nonce,
        now,
    };
    Ok(dpop::check(shown, request, rules))
}

/// Takes a proof that holds, for this request and no other.
///
/// # Errors
/// [`Failure`]; inside, that somebody was first.
pub(super) async fn claim(tx: &mut Tx, proved: &Proved) -> Result<Result<(), OAuthError>, Failure> {
    let proof = Proof {
        kind: "dpop",
        owner: &proved.jkt,
        jti: &proved.jti,
    };
    let is_first = store::used_proof::claim(tx, proof, proved.kept_until).await?;
    Ok(if is_first { Ok(()) } else { Err(REPLAYED) })
}

/// The nonce that proofs of this moment may hold (RFC 9449 §8), to be sent along with an answer.
///
/// # Errors
/// [`Failure`].
pub fn nonce(context: &Context) -> Result<String, Failure> {
    Ok(nonces(context, context.now())?.current().to_owned())
}

fn nonces(context: &Context, now: Timestamp) -> Result<Nonces, Failure> {
    Nonces::at(now, |window| {
        let made = context.vault.index("dpop nonce", &window.to_string())?;
        Ok(BASE64URL_NOPAD.encode(&made))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::testing::party;
    use crate::flows::testing::scene::{another_node, on_each_engine};
    use crate::oauth::dpop::testing::Holder;

    const ADDRESS: &str = "https://id.example.fr/oauth/token";

    #[tokio::test]
    async fn of_two_nodes_one_takes_a_proof_and_only_what_is_committed_is_taken() {
        on_each_engine(async |context, _clock| {
            let other = another_node(&context).await;
            let holder = Holder::new();
            let proof = holder.proof("POST", ADDRESS, "1", context.now()).sign();
            let (asked, ent) = (Asked::post("/oauth/token"), party("ent"));
            let proved = |node: &Context| {
                let checked = check(node, Shown::Proof(&proof), asked, &ent).unwrap();
                checked.unwrap().unwrap()
            };
            let (here, there) = (proved(&context), proved(&other));
            assert_eq!(here, there);
            let mut tx = context.db.begin().await.unwrap();
            assert_eq!(claim(&mut tx, &here).await.unwrap(), Ok(()));
            drop(tx);
            let mut tx = context.db.begin().await.unwrap();
            assert_eq!(claim(&mut tx, &here).await.unwrap(), Ok(()));
            tx.commit().await.unwrap();
            for node in [&context, &other] {
                let mut tx = node.db.begin().await.unwrap();
                assert_eq!(claim(&mut tx, &there).await.unwrap(), Err(REPLAYED));
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_nonce_of_one_node_is_good_on_the_other_and_for_ten_minutes_at_most() {
        on_each_engine(async |context, clock| {
            let other = another_node(&context).await;
            let (holder, ent) = (Holder::new(), party("ent"));
            let nonce = nonce(&context).unwrap();
            let checked = || {
                let draft = holder.proof("POST", ADDRESS, "1", other.now());
                let proof = draft.with("nonce", &*nonce).sign();
                check(&other, Shown::Proof(&proof), Asked::post("/oauth/token"), &ent).unwrap()
            };
            assert!(checked().is_ok());
            clock.advance(Duration::from_secs(300));
            assert!(checked().is_ok());
            clock.advance(Duration::from_secs(300));
            assert_eq!(checked().unwrap_err().code.as_str(), "use_dpop_nonce");
        })
        .await;
    }
}
