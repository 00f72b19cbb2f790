//! Client authentication at every endpoint that a relying party's server calls (RFC 6749 §2.3): token, pushed request,
//! introspection, revocation.

use super::{Context, Failure, client_keys};
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingParty;
use crate::oauth::client_assertion::Audience;
use crate::oauth::client_auth::{self, AuthenticatedClient, Candidate, ClientRefused, Presented};
use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;
use crate::store;
use crate::store::db::Tx;
use crate::store::used_proof::Proof;

/// A client that was not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What it is told.
    pub error: OAuthError,
    /// Whether the journal has an entry of it: a party there is was tried with a wrong proof.
    pub journalled: bool,
}

/// Settles who asks: the value of the `Authorization` header, and the form. Reads only, unless a party there is was
/// tried with a wrong proof: that is journalled.
///
/// # Errors
/// [`Failure`].
pub async fn authenticate(
    context: &Context,
    authorization: Option<&str>,
    form: &Parameters,
) -> Result<Result<AuthenticatedClient, Refused>, Failure> {
    let presented = match Presented::read(authorization, form) {
        Ok(presented) => presented,
        Err(error) => {
            let journalled = false;
            return Ok(Err(Refused { error, journalled }));
        }
    };
    let party = match presented.client_id.parse() {
        Ok(id) => {
            let mut conn = context.db.reader().await?;
            store::relying_party::find(&mut conn, &id).await?
        }
        Err(_) => None,
    };
    prove(context, &presented, party).await
}

/// The second half of [`authenticate`], for whoever has loaded the party with more besides.
///
/// # Errors
/// [`Failure`].
pub async fn prove(
    context: &Context,
    presented: &Presented,
    party: Option<RelyingParty>,
) -> Result<Result<AuthenticatedClient, Refused>, Failure> {
    let refused = match client_auth::candidate(presented, party) {
        Err(refused) => refused,
        Ok(candidate) => match by_its_method(context, candidate).await? {
            Ok(client) => return Ok(Ok(client)),
            Err(refused) => refused,
        },
    };
    let error = refused.error;
    let Some(reason) = refused.reason else {
        let journalled = false;
        return Ok(Err(Refused { error, journalled }));
    };
    let event = Event::new(Kind::ClientRefused, Actor::Anonymous)
        .about(&presented.client_id)
        .with("reason", reason);
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let journalled = is_first_of_its_minute(&mut tx, &presented.client_id, reason, now).await?;
    if journalled {
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
    }
    Ok(Err(Refused { error, journalled }))
}

/// By its secret, or by an assertion that is used up on every node before anything is done for the client.
async fn by_its_method(
    context: &Context,
    candidate: Candidate<'_>,
) -> Result<Result<AuthenticatedClient, ClientRefused>, Failure> {
    let Some(assertion) = candidate.assertion() else {
        return Ok(candidate.by_secret());
    };
    let kid = assertion.kid.as_deref();
    let keys = client_keys::keys_of(context, candidate.party(), kid).await;
    let issuer = &context.settings.public_url;
    let (client, accepted) = match candidate.by_assertion(&keys, Audience { issuer }, context.now()) {
        Ok(proved) => proved,
        Err(refused) => return Ok(Err(refused)),
    };
    let proof = Proof {
        kind: "assertion",
        owner: client.party().id.as_str(),
        jti: &accepted.jti,
    };
    let mut tx = context.db.begin().await?;
    let is_first = store::used_proof::claim(&mut tx, proof, accepted.expires_at).await?;
    tx.commit().await?;
    Ok(if is_first {
        Ok(client)
    } else {
        Err(client_auth::REPLAYED)
    })
}

/// One entry a minute for each reason says that a party is being tried; whoever tries cannot fill the journal, which is kept
/// for ever, nor make others wait for its chains. The gate is the one of proofs: a row for each party, reason and minute,
/// which is purged when the minute is over.
async fn is_first_of_its_minute(
    tx: &mut Tx,
    client: &str,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Failure> {
    let minute = now.seconds().div_euclid(60);
    let gate = Proof {
        kind: "refusal",
        owner: client,
        jti: &format!("{minute} {reason}"),
    };
    let over = Timestamp::from_seconds((minute + 1) * 60);
    Ok(store::used_proof::claim(tx, gate, over).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::testing::party;
    use crate::flows::testing::scene::{declare, journalled, on_each_engine};

    #[tokio::test]
    async fn a_party_that_is_tried_again_and_again_has_one_entry_a_minute() {
        on_each_engine(async |context, clock| {
            for id in ["ent", "cantine"] {
                declare(&context, &party(id)).await;
            }
            let tried = async |client: &str| {
                let form = format!("client_id={client}&client_secret=wrong");
                let form = Parameters::read(&form).unwrap();
                let refused = authenticate(&context, None, &form).await.unwrap().unwrap_err();
                assert_eq!(refused.error.code.as_str(), "invalid_client");
                refused.journalled
            };
            let mut entries = Vec::new();
            for _ in 0..20 {
                entries.push(tried("ent").await);
            }
            assert_eq!(entries.iter().filter(|entry| **entry).count(), 1);
            assert!(tried("cantine").await, "each party by itself");
            assert!(!tried("nobody").await);
            clock.advance(Duration::from_secs(60));
            assert!(tried("ent").await);
            assert_eq!(journalled(&context, "client.refused").await, 3);
        })
        .await;
    }
}
