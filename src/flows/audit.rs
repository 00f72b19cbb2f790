//! The journal as auditors use it: is it whole, and what happened last.

use super::{Context, Failure};
use crate::store;

/// A journal that was tampered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "audit journal: chain {lane} breaks at entry {sequence}: it was changed, removed or inserted from outside"
)]
pub struct Broken {
    /// The chain.
    pub lane: i64,
    /// The first entry that does not hold.
    pub sequence: i64,
}

/// Follows every chain; answers the number of entries, or the first break.
///
/// # Errors
/// [`Failure`].
pub async fn verify(context: &Context) -> Result<Result<i64, Broken>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::audit::verify(&mut conn).await?;
    Ok(found.map_err(|at| Broken {
        lane: at.lane,
        sequence: at.sequence,
    }))
}
