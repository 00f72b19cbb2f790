//! What a userinfo answer rests on: token, grant, login, person, relying party, subject and contact in one read, as they
//! stand at that moment.
//!
//! A contact is read only where the grant may ask for one: by a scope, or by single claims.

use super::db::Conn;
use super::grant::{read_token_use, token_use_columns, token_use_joins};
use super::{StoreError, contact, relying_party, statements};
use crate::base::secret::Digest;
use crate::domain::contact::Contact;
use crate::domain::grant::TokenUse;
use crate::domain::relying_party::RelyingParty;

statements! {
    // A scope of a resource server that looks like one of ours only makes the contact read in vain.
    FIND_USERINFO = concat!("SELECT ", relying_party::columns!(), ", ", token_use_columns!(), ", ", contact::columns!(), ",
        u.value AS known_subject
        FROM ", token_use_joins!(), "
        JOIN relying_party p ON p.id = g.client_id
        LEFT JOIN subject u ON u.sector = p.sector AND u.identity_id = g.identity_id AND u.in_use
        LEFT JOIN contact c ON c.identity_id = g.identity_id AND (g.claims IS NOT NULL
            OR g.scope LIKE '%email%' OR g.scope LIKE '%phone%' OR g.scope LIKE '%address%')
        WHERE t.token_hash = $1");
}

/// What one read found for an access token.
#[derive(Debug)]
pub struct Found {
    /// What the token leads to, good or not.
    pub token: TokenUse,
    /// The relying party it was issued to, in use or not.
    pub party: RelyingParty,
    /// What that party knows the person by, if it does.
    pub subject: Option<String>,
    /// How the person is reached, where the grant may ask for that.
    pub contact: Option<Contact>,
}

/// Everything a userinfo answer rests on but enrolments; `None` where there is no such token, or its party is gone.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, token: &Digest) -> Result<Option<Found>, StoreError> {
    let Some(row) = conn.optional(FIND_USERINFO, [token.as_bytes().into()]).await? else {
        return Ok(None);
    };
    Ok(Some(Found {
        token: read_token_use(&row)?,
        party: relying_party::relying_party(&row)?,
        subject: row.get("known_subject")?,
        contact: contact::contact(&row)?.map(|kept| kept.contact),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::base::time::Timestamp;
    use crate::domain::contact::KeptContact;
    use crate::domain::grant::{AuthorizationCode, Scopes};
    use crate::domain::testing::{contact as sample, grant, party, person};
    use crate::store::db::Tx;
    use crate::store::grant::AccessToken;
    use crate::store::testing::on_each_engine;

    async fn token(tx: &mut Tx, scope: &str, digest: &Digest) {
        let mut grant = grant("ent");
        grant.id = crate::base::id::GrantId::new(grant.created_at, &crate::base::random::SystemRandom);
        grant.scopes = Scopes::all_of(scope);
        let code = AuthorizationCode {
            redirect_uri: "https://ent.example/cb".into(),
            code_challenge: None,
            dpop_jkt: None,
            expires_at: grant.created_at,
        };
        crate::store::grant::insert(tx, &grant, digest, &code)
            .await
            .unwrap();
        let token = AccessToken {
            digest,
            grant: grant.id,
            issued_at: grant.created_at,
            expires_at: grant.created_at,
            scopes: None,
            audience: None,
            jkt: None,
        };
        crate::store::grant::add_token(tx, &token).await.unwrap();
    }

    #[tokio::test]
    async fn one_read_finds_everything_and_the_contact_only_where_it_may_be_asked_for() {
        on_each_engine(async |db| {
            let (lina, ent) = (person("Lina", 1), party("ent"));
            let mut tx = db.begin().await.unwrap();
            let kept = KeptContact {
                contact: sample("lina"),
                updated_at: Timestamp::from_seconds(1),
            };
            crate::store::identity::insert(&mut tx, &lina).await.unwrap();
            contact::save(&mut tx, lina.id, &kept).await.unwrap();
            crate::store::relying_party::save(&mut tx, &ent).await.unwrap();
            for (scope, is_read) in [
                ("openid profile education offline_access", false),
                ("openid email", true),
                ("openid phone", true),
                ("openid address", true),
            ] {
                let digest = Secret::new(scope).digest();
                token(&mut tx, scope, &digest).await;
                let found = find(&mut tx, &digest).await.unwrap().unwrap();
                assert_eq!(found.contact, is_read.then(|| kept.contact.clone()), "{scope}");
                assert_eq!((found.party, found.subject), (ent.clone(), None));
                assert_eq!(found.token.identity.id, lina.id);
                assert_eq!(found.token.scopes.to_string(), scope);
            }
            let digest = Secret::new("openid email").digest();
            contact::erase(&mut tx, lina.id).await.unwrap();
            let added =
                crate::store::subject::add(&mut tx, "ent", "abc", lina.id, Timestamp::from_seconds(1)).await;
            assert!(added.unwrap());
            let found = find(&mut tx, &digest).await.unwrap().unwrap();
            assert_eq!((found.contact, found.subject.as_deref()), (None, Some("abc")));
            crate::store::relying_party::delete(&mut tx, &ent.id)
                .await
                .unwrap();
            assert!(find(&mut tx, &digest).await.unwrap().is_none());
            let unknown = Secret::new("unknown").digest();
            assert!(find(&mut tx, &unknown).await.unwrap().is_none());
        })
        .await;
    }
}
