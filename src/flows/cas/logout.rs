//! `/cas/logout` (CAS Protocol 3.0 §2.3): ends the login at once, as the specification has it, and lets the person go on to
//! an address of a service that is known.

use super::services;
use crate::base::parameters::Parameters;
use crate::base::secret::Secret;
use crate::cas::{address, login};
use crate::domain::audit::Actor;
use crate::flows::logout::{self, Farewell};
use crate::flows::{Context, Failure};

/// Where a person goes who has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// The address.
    pub address: String,
    /// The name of the service.
    pub service: String,
}

/// Ends the login of a browser; answers what it does before it goes on, and where.
///
/// # Errors
/// [`Failure`].
pub async fn leave(
    context: &Context,
    query: &str,
    cookie: Option<&Secret>,
) -> Result<(Farewell, Option<Onward>), Failure> {
    let onward = onward(context, query).await?;
    let Some(signed_in) = logout::signed_in(context, cookie).await? else {
        return Ok((Farewell::default(), onward));
    };
    let actor = Actor::Identity(signed_in.identity.id);
    let farewell = logout::end(context, &signed_in, actor, "signed out by /cas/logout").await?;
    Ok((farewell, onward))
}

/// §2.3.2: "the CAS server MUST ensure that only registered [service] parameter Service URLs are accepted for redirection".
async fn onward(context: &Context, query: &str) -> Result<Option<Onward>, Failure> {
    let Ok(parameters) = Parameters::read(query) else {
        return Ok(None);
    };
    let Some(Ok(address)) = login::service(&parameters) else {
        return Ok(None);
    };
    let parties = services(context, &address).await?;
    Ok(address::find(&parties, &address).map(|found| Onward {
        address: address.as_str().to_owned(),
        service: found.party.name.clone(),
    }))
}
