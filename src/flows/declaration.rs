//! Declarations: academies, schools, relying parties and resource servers as an operator's files have them, made so.
//!
//! Idempotent: what is as declared is not touched. Nothing that anybody was enrolled in is ever pruned.

pub mod file;

mod resource_server;

use super::{Context, Failure};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::{Academy, School};
use crate::domain::relying_party::RelyingParty;
use crate::domain::resource_server::ResourceServer;
use crate::store;
use crate::store::db::Tx;

/// Everything the files declare.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    /// Academies.
    pub academies: Vec<Academy>,
    /// Schools.
    pub schools: Vec<School>,
    /// Relying parties.
    pub relying_parties: Vec<RelyingParty>,
    /// Services that take access tokens.
    pub resource_servers: Vec<ResourceServer>,
}

/// How a declaration is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Only say what would change.
    pub dry_run: bool,
    /// Remove what is not declared.
    pub prune: bool,
}

/// What was done to one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It was not there.
    Created,
    /// It was there, otherwise.
    Updated,
    /// It was as declared.
    Unchanged,
    /// It was there and is not declared.
    Removed,
    /// It is not declared, but in use.
    Kept,
}

impl Verb {
    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Kept => "kept",
        }
    }
}

/// One line of the difference between what was and what is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What was done.
    pub verb: Verb,
    /// To what kind of thing.
    pub noun: &'static str,
    /// To which one.
    pub id: String,
}

/// Makes the installation as declared, in one transaction; answers every difference and everything unchanged.
///
/// # Errors
/// [`Failure`]; nothing is changed then.
pub async fn apply(
    context: &Context,
    declaration: &Declaration,
    options: Options,
) -> Result<Vec<Difference>, Failure> {
    let mut tx = context.db.begin().await?;
    let mut differences = Vec::new();
    for academy in &declaration.academies {
        let before = store::school::find_academy(&mut tx, &academy.code).await?;
        let verb = compare(before.as_ref(), academy);
        if verb != Verb::Unchanged {
            store::school::save_academy(&mut tx, academy).await?;
        }
        differences.push(Difference {
            verb,
            noun: "academy",
            id: academy.code.to_string(),
        });
    }
    for school in &declaration.schools {
        let before = store::school::find(&mut tx, &school.uai).await?;
        let verb = compare(before.as_ref(), school);
        if verb != Verb::Unchanged {
            store::school::save(&mut tx, school, None).await?;
        }
        differences.push(Difference {
            verb,
            noun: "school",
            id: school.uai.to_string(),
        });
    }
    for party in &declaration.relying_parties {
        let before = store::relying_party::find(&mut tx, &party.id).await?;
        let verb = compare(before.as_ref(), party);
        if verb != Verb::Unchanged {
            store::relying_party::save(&mut tx, party).await?;
        }
        differences.push(Difference {
            verb,
            noun: "relying_party",
            id: party.id.to_string(),
        });
    }
    resource_server::apply(&mut tx, declaration, &mut differences).await?;
    if options.prune {
        prune(&mut tx, declaration, &mut differences).await?;
    }
    let now = context.now();
    for difference in differences
        .iter()
        .filter(|line| !matches!(line.verb, Verb::Unchanged | Verb::Kept))
    {
        let event = Event::new(Kind::DeclarationApplied, Actor::Operator)
            .about(&difference.id)
            .with("noun", difference.noun)
            .with("verb", difference.verb.as_str());
        store::audit::append(&mut tx, now, &event).await?;
    }
    if !options.dry_run {
        tx.commit().await?;
    }
    Ok(differences)
}

fn compare<T: PartialEq>(before: Option<&T>, declared: &T) -> Verb {
    match before {
        None => Verb::Created,
        Some(before) if before == declared => Verb::Unchanged,
        Some(_) => Verb::Updated,
    }
}

async fn prune(tx: &mut Tx, declaration: &Declaration, out: &mut Vec<Difference>) -> Result<(), Failure> {
    let verb = |removed| if removed { Verb::Removed } else { Verb::Kept };
    for party in store::relying_party::all(tx).await? {
        if !declaration
            .relying_parties
            .iter()
            .any(|declared| declared.id == party.id)
        {
            let removed = store::relying_party::delete(tx, &party.id).await?;
            out.push(Difference {
                verb: verb(removed),
                noun: "relying_party",
                id: party.id.to_string(),
            });
        }
    }
    resource_server::prune(tx, declaration, out).await?;
    for school in store::school::all(tx).await? {
        if !declaration
            .schools
            .iter()
            .any(|declared| declared.uai == school.uai)
        {
            let removed = store::school::delete(tx, &school.uai).await?;
            out.push(Difference {
                verb: verb(removed),
                noun: "school",
                id: school.uai.to_string(),
            });
        }
    }
    for academy in store::school::academies(tx).await? {
        if !declaration
            .academies
            .iter()
            .any(|declared| declared.code == academy.code)
        {
            let removed = store::school::delete_academy(tx, &academy.code).await?;
            out.push(Difference {
                verb: verb(removed),
                noun: "academy",
                id: academy.code.to_string(),
            });
        }
    }
    Ok(())
}
