//! Declarations: academies, schools, access dates, relying parties, resource servers and upstream providers as an operator's
//! files have them, made so.
//!
//! Idempotent: what is as declared is not touched. Nothing that anybody was enrolled in is ever pruned, nor a client that
//! its project registered. A file that does not say a secret, or whether a party is in use, leaves them as they are; what it
//! takes out of use is said.

pub mod file;
pub mod relying_party;

mod access_date;
mod cas;
mod event_receiver;
mod registration;
mod resource_server;
pub mod saml;
#[cfg(test)]
mod tests;
pub mod upstream;
mod value;

use super::{Context, Failure};
use crate::domain::access_date::AccessDate;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::{Academy, School};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty};
use crate::domain::resource_server::ResourceServer;
use crate::domain::saml_source::Source;
use crate::oidc::registration::coherence;
use crate::store;
use crate::store::db::Tx;
pub use event_receiver::DeclaredReceiver;
pub use relying_party::DeclaredParty;
use saml::Concern;

/// Everything the files declare.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    /// Academies.
    pub academies: Vec<Academy>,
    /// Schools.
    pub schools: Vec<School>,
    /// From when pupils get in.
    pub access_dates: Vec<AccessDate>,
    /// What projects may register by themselves.
    pub registrations: Vec<Policy>,
    /// Federations of SAML.
    pub saml_federations: Vec<Source>,
    /// Relying parties.
    pub relying_parties: Vec<DeclaredParty>,
    /// Providers that people come from.
    pub upstream_providers: Vec<upstream::DeclaredProvider>,
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
    /// What the operator should know of it besides.
    pub note: Option<String>,
}

impl Difference {
    /// A line without a note.
    pub fn new(verb: Verb, noun: &'static str, id: impl std::fmt::Display) -> Self {
        Self {
            verb,
            noun,
            id: id.to_string(),
            note: None,
        }
    }

    /// The line with a note, where there is one.
    #[must_use]
    fn noted(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
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
        differences.push(Difference::new(verb, "academy", &academy.code));
    }
    for school in &declaration.schools {
        let before = store::school::find(&mut tx, &school.uai).await?;
        let verb = compare(before.as_ref(), school);
        if verb != Verb::Unchanged {
            store::school::save(&mut tx, school, None).await?;
        }
        differences.push(Difference::new(verb, "school", &school.uai));
    }
    access_date::apply(&mut tx, declaration, &mut differences).await?;
    for policy in &declaration.registrations {
        apply_policy(&mut tx, policy, &mut differences).await?;
    }
    saml::apply_federations(context, &mut tx, declaration, &mut differences).await?;
    for declared in &declaration.relying_parties {
        let difference = apply_party(context, &mut tx, declared).await?;
        differences.push(difference);
    }
    resource_server::apply(&mut tx, declaration, &mut differences).await?;
    upstream::apply(context, &mut tx, declaration, &mut differences).await?;
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
        let event = match &difference.note {
            Some(note) => event.with("note", note),
            None => event,
        };
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

/// Makes a policy as declared, and what the policy decides of the clients that live under it.
async fn apply_policy(tx: &mut Tx, policy: &Policy, out: &mut Vec<Difference>) -> Result<(), Failure> {
    let before = store::registration::hold(tx, &policy.id).await?;
    let verb = compare(before.as_ref(), policy);
    out.push(Difference::new(verb, "registration", &policy.id));
    if verb == Verb::Unchanged {
        return Ok(());
    }
    store::registration::save(tx, policy).await?;
    for id in store::registration::client_ids(tx, &policy.id).await? {
        let Some(before) = store::relying_party::hold(tx, &id).await? else {
            continue;
        };
        let mut party = before.clone();
        policy.dress(&mut party);
        let mut note = format!("follows registration {}", policy.id);
        if let Err(error) = coherence::check(&party) {
            party.enabled = false;
            note = format!("put out of use by registration {}: {error}", policy.id);
        }
        if party != before {
            store::relying_party::save(tx, &party).await?;
            out.push(Difference::new(Verb::Updated, "relying_party", &id).noted(Some(note)));
        }
    }
    Ok(())
}

async fn apply_party(
    context: &Context,
    tx: &mut Tx,
    declared: &DeclaredParty,
) -> Result<Difference, Failure> {
    let before = store::relying_party::hold(tx, &declared.party.id).await?;
    let id = &declared.party.id;
    if before
        .as_ref()
        .is_some_and(|before| before.registration.is_some())
    {
        let note = "its project registered it: choose another id".to_owned();
        return Ok(Difference::new(Verb::Kept, "relying_party", id).noted(Some(note)));
    }
    let party = completed(declared, before.as_ref());
    let mut notes = Vec::new();
    match saml::concern(tx, &party, context.now()).await? {
        Concern::None => {}
        Concern::Taken(other) => {
            let note = format!("{other} has its entity_id: nothing was changed");
            return Ok(Difference::new(Verb::Kept, "relying_party", id).noted(Some(note)));
        }
        Concern::NoFederation(federation) => {
            notes.push(format!("no federation «{federation}» is declared"));
        }
    }
    let mut verb = compare(before.as_ref(), &party);
    if verb != Verb::Unchanged {
        store::relying_party::save(tx, &party).await?;
    }
    if let Some(note) = saml::apply_metadata(context, tx, &party, declared.metadata.as_ref()).await? {
        notes.push(note);
        if verb == Verb::Unchanged {
            verb = Verb::Updated;
        }
    }
    let receiver = declared.receiver.as_ref();
    if event_receiver::apply(context, tx, id, receiver).await? && verb == Verb::Unchanged {
        verb = Verb::Updated;
    }
    notes.extend(secrets_note(&party, before.as_ref()));
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(Difference::new(verb, "relying_party", id).noted(note))
}

/// The party with everything that its file leaves as it is.
fn completed(declared: &DeclaredParty, before: Option<&RelyingParty>) -> RelyingParty {
    let mut party = declared.party.clone();
    if let Some(before) = before {
        party.enabled = declared.enabled.unwrap_or(before.enabled);
        if party.secrets.is_empty() && has_secrets(&party) {
            party.secrets.clone_from(&before.secrets);
        }
    }
    party
}

fn has_secrets(party: &RelyingParty) -> bool {
    party.speaks_openid_connect()
        && matches!(
            party.auth_method,
            ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost
        )
}

fn secrets_note(party: &RelyingParty, before: Option<&RelyingParty>) -> Option<String> {
    let speaks_another_only = party.redirect_uris.is_empty() && (party.saml.is_some() || party.cas.is_some());
    if has_secrets(party) && party.secrets.is_empty() && !speaks_another_only {
        return Some(format!("has no secret yet: marelle client secret {}", party.id));
    }
    let live = before.map_or(&[][..], |before| before.secrets.as_slice());
    let gone = live
        .iter()
        .filter(|secret| !party.secrets.contains(secret))
        .count();
    (gone > 0).then(|| format!("secrets taken out of use: {gone}"))
}

async fn prune(tx: &mut Tx, declaration: &Declaration, out: &mut Vec<Difference>) -> Result<(), Failure> {
    let verb = |removed| if removed { Verb::Removed } else { Verb::Kept };
    for party in store::relying_party::all(tx).await? {
        let declared = &declaration.relying_parties;
        if party.registration.is_none() && !declared.iter().any(|declared| declared.party.id == party.id) {
            let removed = store::relying_party::delete(tx, &party.id).await?;
            store::saml_source::forget(tx, &Source::id_of_party(&party.id)).await?;
            out.push(Difference::new(verb(removed), "relying_party", &party.id));
        }
    }
    for policy in store::registration::all(tx).await? {
        if !declaration
            .registrations
            .iter()
            .any(|declared| declared.id == policy.id)
        {
            let removed = store::registration::delete(tx, &policy.id).await?;
            out.push(Difference::new(verb(removed), "registration", &policy.id));
        }
    }
    resource_server::prune(tx, declaration, out).await?;
    upstream::prune(tx, declaration, out).await?;
    access_date::prune(tx, declaration, out).await?;
    saml::prune(tx, declaration, out).await?;
    for school in store::school::all(tx).await? {
        if !declaration
            .schools
            .iter()
            .any(|declared| declared.uai == school.uai)
        {
            let removed = store::school::delete(tx, &school.uai).await?;
            out.push(Difference::new(verb(removed), "school", &school.uai));
        }
    }
    for academy in store::school::academies(tx).await? {
        if !declaration
            .academies
            .iter()
            .any(|declared| declared.code == academy.code)
        {
            let removed = store::school::delete_academy(tx, &academy.code).await?;
            out.push(Difference::new(verb(removed), "academy", &academy.code));
        }
    }
    Ok(())
}
