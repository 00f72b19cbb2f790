//! Releasing attributes: loads what the one pure function that decides needs.

use std::borrow::Cow;

use super::{Context, Failure};
use crate::base::id::IdentityId;
use crate::domain::acknowledgement::Kind;
use crate::domain::contact::Contact;
use crate::domain::grant::{Scope, Scopes};
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Attribute, Basis, RelyingParty, RelyingPartyId};
use crate::domain::source::AafKey;
use crate::oidc::claims::{self, About, Asked, Released};
use crate::release::{Asks, permission};
use crate::store;
use crate::store::db::Conn;

/// What a relying party receives about a person today, and why. Where it rests on consent, this is never more than the
/// person said yes to, whatever its policy lists since. Enrolments are looked for where some of them may leave; how the
/// person is reached was looked for already.
///
/// # Errors
/// [`Failure`].
pub async fn release(
    context: &Context,
    conn: &mut Conn,
    party: &RelyingParty,
    asked: Asked<'_>,
    (identity, contact): (&Identity, Option<&Contact>),
) -> Result<Released, Failure> {
    let agreed = agreed(conn, party, identity).await?;
    let live = if claims::may_leave(&agreed, asked, Scope::Education) {
        store::enrolment::live_of(conn, identity.id, context.now().date()).await?
    } else {
        Vec::new()
    };
    let keys = keys_for(conn, &agreed, &asked, identity).await?;
    let about = About {
        identity,
        contact,
        live: &live,
        keys: &keys,
    };
    Ok(claims::release(&agreed, asked, about))
}

/// Who somebody is in the feeds of the ministry, looked for where any of it was asked for and the policy lists it.
pub(super) async fn keys_for(
    conn: &mut Conn,
    party: &RelyingParty,
    asked: &dyn Asks,
    identity: &Identity,
) -> Result<Vec<AafKey>, Failure> {
    let of_feeds = [
        Attribute::EntPersonJointure,
        Attribute::FrEduCtRefId,
        Attribute::FrEduVecteur,
    ];
    if of_feeds
        .iter()
        .any(|attribute| permission(party, asked, *attribute).is_ok())
    {
        Ok(store::roster::keys_of(conn, identity.id).await?)
    } else {
        Ok(Vec::new())
    }
}

/// The party, where it rests on consent with no more in its policy than the person said yes to.
pub(super) async fn agreed<'a>(
    conn: &mut Conn,
    party: &'a RelyingParty,
    identity: &Identity,
) -> Result<Cow<'a, RelyingParty>, Failure> {
    if party.basis == Basis::Convention {
        return Ok(Cow::Borrowed(party));
    }
    let said = store::acknowledgement::find(conn, identity.id, &party.id).await?;
    let covered = said
        .filter(|said| said.kind == Kind::Consent)
        .map(|said| said.covered.attributes)
        .unwrap_or_default();
    let mut party = party.clone();
    party.release.0.retain(|line| covered.contains(&line.attribute));
    Ok(Cow::Owned(party))
}

/// What a relying party would receive about a person if it asked for `scopes` (and they said yes, where it rests on
/// consent), under which subject it knows them already,
/// and why each attribute would or would not leave. Changes nothing.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The subject it knows the person by; `None` where it has not met them.
    pub subject: Option<String>,
    /// What would leave.
    pub released: Released,
}

/// The preview of a party and a person; `None` where one of them does not exist.
///
/// # Errors
/// [`Failure`].
pub async fn preview(
    context: &Context,
    client: &RelyingPartyId,
    identity: IdentityId,
    scopes: &Scopes,
) -> Result<Option<Preview>, Failure> {
    let mut conn = context.db.reader().await?;
    let party = store::relying_party::find(&mut conn, client).await?;
    let identity = store::identity::find(&mut conn, identity).await?;
    let (Some(party), Some(identity)) = (party, identity) else {
        return Ok(None);
    };
    let subject = super::subject::known(&mut conn, &party, identity.id).await?;
    let contact = store::contact::find(&mut conn, identity.id).await?;
    let live = store::enrolment::live_of(&mut conn, identity.id, context.now().date()).await?;
    let keys = keys_for(&mut conn, &party, &Asked::by(scopes), &identity).await?;
    let about = About {
        identity: &identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live: &live,
        keys: &keys,
    };
    let released = claims::release(&party, Asked::by(scopes), about);
    Ok(Some(Preview { subject, released }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{aaf_key, contact, enrolment, party, person};
    use crate::flows::testing::{context, scene};
    use crate::oidc::claims::Verdict;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn the_keys_of_the_ministry_are_those_that_its_feeds_state_today() {
        on_each_engine(async |db| {
            let (context, _clock) = context(db);
            let lina = scene::pupil(&context, "Lina", 1, "9990001X").await;
            let ent = party("ent");
            scene::declare(&context, &ent).await;
            let scopes = Scopes::known_of("openid profile");
            let told = async || {
                let preview = preview(&context, &ent.id, lina.id, &scopes)
                    .await
                    .unwrap()
                    .unwrap();
                preview.released.claims
            };
            assert!(told().await.get("ent_person_jointure").is_none());
            scene::state(&context, &lina, &aaf_key("9990001X")).await;
            let told = told().await;
            assert_eq!(
                told["ent_person_jointure"],
                serde_json::json!(["AC-AMIENS$1234567"])
            );
            assert_eq!(told["fr_edu_ct_ref_id"][0], "{AAF}20||1234567");
            assert_eq!(told["fr_edu_vecteur"][0], "4|||1037745|9990001X");
        })
        .await;
    }

    #[tokio::test]
    async fn a_preview_says_what_would_leave_and_changes_nothing() {
        on_each_engine(async |db| {
            let (context, _clock) = context(db);
            let (lina, mut ent) = (person("Lina", 1), party("ent"));
            ent.release.0.retain(|line| line.attribute == Attribute::Uai);
            let mut tx = context.db.begin().await.unwrap();
            store::identity::insert(&mut tx, &lina).await.unwrap();
            store::enrolment::insert(&mut tx, &enrolment(&lina, "9990001X", "CM2"))
                .await
                .unwrap();
            store::relying_party::save(&mut tx, &ent).await.unwrap();
            tx.commit().await.unwrap();
            let scopes = Scopes::known_of("openid profile education email");
            let preview = preview(&context, &ent.id, lina.id, &scopes)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(preview.subject, None);
            assert_eq!(preview.released.claims.len(), 1);
            assert_eq!(preview.released.claims["education"][0]["uai"], "9990001X");
            let given_name = (Attribute::GivenName, Verdict::NotInPolicy);
            assert!(preview.released.verdicts.contains(&given_name));
            // What a pupil does not have is told apart from what the party may not have.
            let email = |preview: &Preview| {
                let mut verdicts = preview.released.verdicts.iter();
                verdicts
                    .find(|(attribute, _)| *attribute == Attribute::Email)
                    .map(|(_, verdict)| verdict.clone())
            };
            assert_eq!(email(&preview), Some(Verdict::NotInPolicy));
            let ent = party("ent");
            scene::declare(&context, &ent).await;
            let look = async || {
                super::preview(&context, &ent.id, lina.id, &scopes)
                    .await
                    .unwrap()
                    .unwrap()
            };
            assert_eq!(email(&look().await), Some(Verdict::NoValue));
            scene::reach(&context, lina.id, &contact("lina")).await;
            assert!(matches!(email(&look().await), Some(Verdict::Released(_))));
            assert_eq!(look().await.released.claims["email_verified"], true);
            let nobody = super::preview(&context, &"nobody".parse().unwrap(), lina.id, &scopes)
                .await
                .unwrap();
            assert!(nobody.is_none());
        })
        .await;
    }
}
