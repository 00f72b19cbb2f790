//! The installation as a whole: the master key that fits it, and the issuer that never changes by accident.

use super::{Context, Failure};
use crate::base::secret::SecretError;
use crate::store;

const CHECK: &str = "master key check";
const CHECK_TEXT: &[u8] = b"marelle";
const ISSUER: &str = "issuer";

/// Refuses a master key under which the data was not sealed; the first key is the right one.
///
/// # Errors
/// [`Failure::Secret`] where it does not fit.
pub async fn check_master_key(context: &Context) -> Result<(), Failure> {
    let mut conn = context.db.reader().await?;
    let mut kept = store::installation::find_secret(&mut conn, CHECK).await?;
    drop(conn);
    if kept.is_none() {
        let sealed = context.vault.seal(CHECK, CHECK_TEXT, &*context.random)?;
        let mut tx = context.db.begin().await?;
        store::installation::add_secret(&mut tx, CHECK, sealed).await?;
        // Another node may have been first, with its own key.
        kept = store::installation::find_secret(&mut tx, CHECK).await?;
        tx.commit().await?;
    }
    let opened = context.vault.open(CHECK, &kept.unwrap_or_default())?;
    if opened.as_slice() == CHECK_TEXT {
        Ok(())
    } else {
        Err(SecretError::Sealed.into())
    }
}

/// Asks the database for anything at all.
///
/// # Errors
/// [`Failure`] where it does not answer.
pub async fn ping(context: &Context) -> Result<(), Failure> {
    let mut conn = context.db.reader().await?;
    store::installation::find(&mut conn, ISSUER)
        .await
        .map(drop)
        .map_err(Failure::from)
}

/// What became of the issuer at a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// It is what it always was, or has just been frozen.
    Kept,
    /// The configuration says another one: every relying party would stop working.
    Changed {
        /// What it is.
        frozen: String,
    },
}

/// Freezes the issuer at first start and compares it ever after; `accept_new` replaces it on purpose.
///
/// # Errors
/// [`Failure`].
pub async fn freeze_issuer(context: &Context, accept_new: bool) -> Result<Issuer, Failure> {
    let configured = &context.settings.public_url;
    let mut tx = context.db.begin().await?;
    if store::installation::add(&mut tx, ISSUER, configured).await? {
        tx.commit().await?;
        return Ok(Issuer::Kept);
    }
    let frozen = store::installation::find(&mut tx, ISSUER)
        .await?
        .unwrap_or_default();
    if frozen == *configured {
        return Ok(Issuer::Kept);
    }
    if !accept_new {
        return Ok(Issuer::Changed { frozen });
    }
    store::installation::replace(&mut tx, ISSUER, configured).await?;
    tx.commit().await?;
    Ok(Issuer::Kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::secret::{MasterKey, Vault};
    use crate::flows::Settings;
    use crate::flows::testing::context;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn another_master_key_and_another_issuer_are_refused() {
        on_each_engine(async |db| {
            let (first, _) = context(db);
            check_master_key(&first).await.unwrap();
            check_master_key(&first).await.unwrap();
            let vault = Vault::new(&MasterKey::generate(&SeededRandom::new(99))).unwrap();
            let other = Context {
                vault,
                ..first.clone()
            };
            assert!(matches!(
                check_master_key(&other).await,
                Err(Failure::Secret(SecretError::Sealed))
            ));

            assert_eq!(freeze_issuer(&first, false).await.unwrap(), Issuer::Kept);
            let settings = Settings {
                public_url: "https://new.example".into(),
                ..(*first.settings).clone()
            };
            let moved = Context {
                settings: Arc::new(settings),
                ..first.clone()
            };
            let frozen = first.settings.public_url.clone();
            assert_eq!(
                freeze_issuer(&moved, false).await.unwrap(),
                Issuer::Changed { frozen }
            );
            assert_eq!(freeze_issuer(&moved, true).await.unwrap(), Issuer::Kept);
            assert_eq!(freeze_issuer(&moved, false).await.unwrap(), Issuer::Kept);
        })
        .await;
    }
}
