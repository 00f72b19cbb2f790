//! The client credentials grant (RFC 6749 §4.4): a service acts in its own name, for one audience, with scopes that an
//! operator gave it. No person, so no ID Token; no refresh token either (§4.4.3): it can ask again.
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | wrong client, a public one, one without this grant, wrong scope or resource | an error | at most a journal entry |
//! | a proof of possession that is missing, wrong or used | `invalid_dpop_proof` | nothing |
//! | all right | an access token | the token |

use super::{Call, Committed, Outcome, Tokens};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::GrantType;
use crate::domain::service_token::ServiceToken;
use crate::flows::Failure;
use crate::flows::access_token::{Draft, Target};
use crate::oauth::access_token::Description;
use crate::oauth::grant::client_credentials;
use crate::oauth::resource;
use crate::store;

/// Gives a service a token in its own name.
///
/// # Errors
/// [`Failure`].
pub(super) async fn serve(call: &Call<'_>) -> Result<Outcome, Failure> {
    let (context, now) = (call.context, call.now);
    let refused = |error| Ok(Outcome::refused(error, Committed::Nothing));
    let party = {
        let mut conn = context.db.reader().await?;
        store::relying_party::find(&mut conn, &call.client_id).await?
    };
    let caller = match call.client(party, GrantType::ClientCredentials).await? {
        Ok(caller) => caller,
        Err(outcome) => return Ok(outcome),
    };
    let party = caller.party();
    let asked = client_credentials::may(party)
        .and_then(|()| resource::of_service(call.form, party, &context.settings.public_url));
    let target = match asked {
        Ok(audience) => Target::of(context, audience).await?,
        Err(error) => Err(error),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => return refused(error),
    };
    let scopes = match client_credentials::scopes(call.form, party, target.server()) {
        Ok(scopes) => scopes,
        Err(error) => return refused(error),
    };
    let draft = Draft::new(context, &target);
    let expires_in = context.settings.access_token_lifetime;
    let token = ServiceToken {
        client: party.id.clone(),
        scopes,
        audience: target.audience().cloned(),
        jkt: caller.jkt().map(str::to_owned),
        issued_at: now,
        expires_at: now.plus(expires_in),
        revoked_at: None,
    };
    let mut event = Event::new(
        Kind::ServiceTokenIssued,
        Actor::RelyingParty(party.id.to_string()),
    )
    .about(&party.id)
    .with("scope", &token.scopes);
    if let Some(audience) = &token.audience {
        event = event.with("audience", audience);
    }
    let mut tx = match call.begin(&caller).await? {
        Ok(tx) => tx,
        Err(outcome) => return Ok(outcome),
    };
    store::service_token::insert(&mut tx, &draft.digest(), &token).await?;
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    let description = Description::of_service(&token);
    let tokens = Tokens {
        access_token: draft.write(context, call.keyring, &description).await?,
        expires_in,
        refresh_token: None,
        id_token: None,
        scope: token.scopes.to_string(),
        is_bound: token.jkt.is_some(),
    };
    Ok(Outcome {
        reply: Ok(tokens),
        committed: Committed::Issued,
    })
}
