//! Everything that is known of one person, on one page for whoever looks after the installation: where they are, for whom they
//! answer, what they may do, by which logins they come. No secret, and no number of the ministry.

use super::{Context, Failure, person};
use crate::base::id::IdentityId;
use crate::domain::assignment::Assignment;
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::upstream::Link;
use crate::store;

/// The page. Prints without a name.
#[derive(Clone)]
pub struct Overview {
    /// Who.
    pub identity: Identity,
    /// What they are today, and where.
    pub enrolments: Vec<Enrolment>,
    /// The pupils they answer for.
    pub children: Vec<IdentityId>,
    /// Who answers for them.
    pub guardians: Vec<IdentityId>,
    /// What they may do today as an administrator.
    pub roles: Vec<Assignment>,
    /// The logins elsewhere by which they come.
    pub logins: Vec<Link>,
}

impl std::fmt::Debug for Overview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[overview of {}]", self.identity.id)
    }
}

/// Looks a person up by login name or id.
///
/// # Errors
/// [`Failure`].
pub async fn of(context: &Context, name_or_id: &str) -> Result<Option<Overview>, Failure> {
    let Some(identity) = person::find(context, name_or_id).await? else {
        return Ok(None);
    };
    let (id, today) = (identity.id, context.now().date());
    let mut conn = context.db.reader().await?;
    Ok(Some(Overview {
        enrolments: store::enrolment::live_of(&mut conn, id, today).await?,
        children: store::guardianship::pupils(&mut conn, id).await?,
        guardians: store::guardianship::guardians(&mut conn, id).await?,
        roles: store::assignment::live_of(&mut conn, id, today).await?,
        logins: store::upstream_link::of_identity(&mut conn, id).await?,
        identity,
    }))
}
