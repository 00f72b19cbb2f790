//! The ways in that a page offers beside the password and the class page.

use super::{Context, Failure};
use crate::domain::assurance::Acr;
use crate::domain::upstream::Population;
use crate::flows::continuation::Continuation;
use crate::store;
use crate::store::upstream_provider::Kept;
use crate::upstream::choice::{Asked, Choice, Way, choose};

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visitor<'a> {
    /// The request that waits, where a service sent the person.
    pub waiting: Option<&'a Continuation>,
    /// The provider by which somebody last came in this browser.
    pub remembered: Option<&'a str>,
}

/// How surely, at best, people of these populations (of all, where none is named) can sign in today: here, or at a provider
/// that is open to them.
///
/// # Errors
/// [`Failure`].
pub async fn surest(context: &Context, populations: &[Population]) -> Result<Acr, Failure> {
    let today = context.now().date();
    let mut conn = context.db.reader().await?;
    let all = store::upstream_provider::all(&mut conn).await?;
    let is_for = |kept: &&Kept| {
        let mut theirs = kept.provider.populations.iter();
        populations.is_empty() || theirs.any(|one| populations.contains(one))
    };
    let open = all
        .iter()
        .filter(|kept| kept.provider.is_open(today))
        .filter(is_for);
    let best = open.map(|kept| kept.provider.assurance.best());
    Ok(best.fold(Acr::surest_here(), Acr::max))
}

/// The ways that are open today, for the people whom the service is for.
///
/// # Errors
/// [`Failure`].
pub async fn load(context: &Context, visitor: Visitor<'_>) -> Result<Choice, Failure> {
    let today = context.now().date();
    let mut conn = context.db.reader().await?;
    let open: Vec<Way> = store::upstream_provider::all(&mut conn)
        .await?
        .into_iter()
        .map(|kept| kept.provider)
        .filter(|provider| provider.is_open(today))
        .map(|provider| Way {
            provider: provider.id,
            name: provider.name,
            populations: provider.populations,
        })
        .collect();
    let party = match visitor.waiting.map(|waiting| waiting.client.parse()) {
        Some(Ok(id)) => store::relying_party::find(&mut conn, &id).await?,
        Some(Err(_)) | None => None,
    };
    let hint = visitor.waiting.and_then(Continuation::provider_hint);
    let asked = Asked {
        populations: party.as_ref().map_or(&[], |party| &party.populations),
        hint: hint.as_deref(),
        remembered: visitor.remembered,
    };
    Ok(choose(open, asked))
}
