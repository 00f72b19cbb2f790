//! What somebody is called by a service provider: the same at sign-in, when the party asks to end the login, and when it is
//! asked to.

use data_encoding::BASE64URL_NOPAD;

use crate::base::id::{IdentityId, SessionId};
use crate::domain::relying_party::{Attribute, RelyingParty};
use crate::flows::{Context, Failure, subject};
use crate::saml::name_id::{NameId, NameIdFormat};
use crate::store;
use crate::store::db::Conn;

/// A name that is another one in each login and at each party, and that nobody has to keep: a keyed hash.
fn transient(context: &Context, session: SessionId, party: &RelyingParty) -> Result<String, Failure> {
    let hash = context
        .vault
        .index("saml transient name", &format!("{session} {}", party.id))?;
    Ok(format!("_{}", BASE64URL_NOPAD.encode(&hash)))
}

/// The name of a person in a login at a party; `None` where there is none of that format.
pub(super) async fn of(
    context: &Context,
    conn: &mut Conn,
    party: &RelyingParty,
    (session, identity): (SessionId, IdentityId),
    format: NameIdFormat,
) -> Result<Option<NameId>, Failure> {
    let value = match format {
        NameIdFormat::Transient => Some(transient(context, session, party)?),
        NameIdFormat::Persistent => subject::known(conn, party, identity).await?,
        NameIdFormat::EmailAddress if party.release.allows(Attribute::Email) => {
            let kept = store::contact::find(conn, identity).await?;
            let email = kept.and_then(|kept| kept.contact.email);
            email.map(|email| email.value.as_str().to_owned())
        }
        NameIdFormat::EmailAddress => None,
    };
    Ok(value.map(|value| NameId { format, value }))
}

/// The name by which a party knows the person of a login, ended or not, that it takes part in.
pub(super) async fn known(
    context: &Context,
    conn: &mut Conn,
    party: &RelyingParty,
    session: SessionId,
) -> Result<Option<NameId>, Failure> {
    let Some((format, identity)) = store::session::named(conn, session, &party.id).await? else {
        return Ok(None);
    };
    match format.parse() {
        Ok(format) => of(context, conn, party, (session, identity), format).await,
        Err(_) => Ok(None),
    }
}
