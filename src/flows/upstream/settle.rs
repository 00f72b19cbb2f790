//! Who somebody is whom a provider has signed in, and what becomes of them: one transaction.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, Failure, Outcome, Provider, Why, rights, seal};
use super::{candidates, child};
use crate::base::id::{EnrolmentId, IdentityId, UpstreamCaseId, UpstreamLinkId};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::assurance::{Acr, Amr};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::Profile;
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::{Identity, Status};
use crate::domain::session::Device;
use crate::domain::upstream::{Binding, Link, UpstreamProvider};
use crate::flows::continuation::{self, Continuation, Protocol};
use crate::flows::session::{self, Proof};
use crate::saml::service_provider::Named;
use crate::store;
use crate::store::db::Tx;
use crate::store::upstream_case::Case;
use crate::store::upstream_link::Login;
use crate::upstream::linking::{Decision, Doubt, Refusal, decide};
use crate::upstream::{Introduction, Statements, preset};

/// How often, at most, it is written down that a provider works.
const HEALTH: Duration = Duration::from_secs(60);

/// Somebody as a protocol brings them: believed, and not known yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Arrived {
    /// The person in the words of the provider, byte for byte.
    pub(super) subject: String,
    /// What it states of them.
    pub(super) said: Statements,
    /// How sure it is.
    pub(super) acr: Acr,
    /// Their login there.
    pub(super) login: LoginThere,
}

/// A login at a provider, as its logout names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum LoginThere {
    /// SAML.
    Saml {
        /// The person.
        name: Named,
        /// The login.
        session_index: Option<String>,
    },
    /// OpenID Connect.
    Oidc {
        /// `sub`.
        sub: String,
        /// `sid`.
        sid: Option<String>,
        /// The ID Token, as a hint.
        id_token: String,
    },
}

impl LoginThere {
    /// What a logout that begins there names the person and the login by.
    pub(super) fn names(&self) -> (&str, Option<&str>) {
        match self {
            Self::Saml { name, session_index } => (&name.value, session_index.as_deref()),
            Self::Oidc { sub, sid, .. } => (sub, sid.as_deref()),
        }
    }
}

/// The browser that brings them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Browser<'a> {
    /// The cookie that it was sent away with; of none, nobody can be asked to prove anything.
    pub(super) bound: Option<&'a Secret>,
    /// Its session's cookie.
    pub(super) former: Option<&'a Secret>,
    /// What kind of device it is.
    pub(super) device: Device,
    /// Where the person was going.
    pub(super) continuation: Option<&'a str>,
}

/// What a link that has to be proved carries along.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToProve {
    /// The provider.
    pub(super) provider: String,
    /// Who came.
    pub(super) arrived: Arrived,
    /// Where they were going.
    pub(super) continuation: Option<String>,
    /// The digest of the cookie of the browser that they came by, in hexadecimal: a link that somebody else was made to open
    /// binds nothing.
    pub(super) browser: String,
}

/// Settles it.
pub(super) async fn settle(
    context: &Context,
    tx: &mut Tx,
    provider: &Provider,
    arrived: Arrived,
    browser: Browser<'_>,
) -> Result<Outcome, Failure> {
    let declared = &provider.declared;
    let now = context.now();
    note_success(tx, declared, now).await?;
    let person = Introduction::read(declared.preset, &arrived.said);
    if store::upstream_case::is_refused(tx, &declared.id, &arrived.subject).await? {
        return refuse(tx, declared, Refusal::NotAllowed, now).await;
    }
    let link = store::upstream_link::find(tx, &declared.id, &arrived.subject).await?;
    let linked = link.as_ref().map(|(_, identity)| identity);
    let found = candidates::find(context, tx, (declared, &person), linked).await?;
    let decision = decide(declared.linking, &declared.populations, &person, &found);
    if declared.linking.guardians_by_child && !matches!(decision, Decision::Refused(_)) {
        child::ask(
            context,
            tx,
            declared,
            (&arrived, &person),
            &found.unknown_children,
        )
        .await?;
    }
    match decision {
        Decision::SignIn { identity, binding } => {
            let identity = store::identity::find(tx, identity).await?;
            let Some(identity) = identity else {
                return refuse(tx, declared, Refusal::NotAllowed, now).await;
            };
            let link = match (link, binding) {
                (Some((link, _)), _) => link.id,
                (None, binding) => {
                    let binding = binding.unwrap_or(Binding::Human);
                    bind(context, tx, declared, (&arrived.subject, identity.id, binding)).await?
                }
            };
            sign_in(
                context,
                tx,
                (provider, &person),
                &identity,
                (link, arrived, browser),
            )
            .await
        }
        Decision::Create => {
            let identity = create(context, tx, declared, &person).await?;
            let link = bind(
                context,
                tx,
                declared,
                (&arrived.subject, identity.id, Binding::Created),
            )
            .await?;
            sign_in(
                context,
                tx,
                (provider, &person),
                &identity,
                (link, arrived, browser),
            )
            .await
        }
        Decision::Ask => ask(context, declared, arrived, browser),
        // Which child it is is a human's to tell; the guardian is known by the child then.
        Decision::Case {
            doubt: Doubt::ChildUnknown,
            ..
        } => Ok(Outcome::Waits {
            provider: declared.name.clone(),
        }),
        Decision::Case { doubt, candidates } => {
            let new = Case {
                id: UpstreamCaseId::new(now, &*context.random),
                provider: declared.id.clone(),
                subject: arrived.subject.clone(),
                doubt: doubt.to_string(),
                candidates,
                introduction: seal(context, super::case::SEALED_FOR, &arrived)?,
                opened_at: now,
                seen_at: now,
            };
            let opened = store::upstream_case::open(tx, &new).await?;
            if opened.id == new.id {
                let event = Event::new(Kind::UpstreamCaseOpened, Actor::System)
                    .about(opened.id)
                    .with("provider", &declared.id)
                    .with("doubt", doubt);
                store::audit::append(tx, now, &event).await?;
            }
            Ok(Outcome::Waits {
                provider: declared.name.clone(),
            })
        }
        Decision::Refused(refusal) => refuse(tx, declared, refusal, now).await,
    }
}

/// Writes down that the provider works, once a minute or after a failure: thousands come by it at eight in the morning, and none
/// of them waits for another's row.
async fn note_success(tx: &mut Tx, declared: &UpstreamProvider, now: Timestamp) -> Result<(), Failure> {
    let health = store::upstream_provider::health(tx, &declared.id).await?;
    let is_known = health.succeeded_at.is_some_and(|at| now.since(at) < HEALTH);
    if health.failures > 0 || !is_known {
        store::upstream_provider::works(tx, &declared.id, now).await?;
    }
    Ok(())
}

async fn refuse(
    tx: &mut Tx,
    declared: &UpstreamProvider,
    refusal: Refusal,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let event = Event::new(Kind::UpstreamRefused, Actor::Anonymous)
        .about(&declared.id)
        .with("reason", refusal);
    store::audit::append(tx, now, &event).await?;
    Ok(Outcome::Refused {
        provider: declared.name.clone(),
        why: match refusal {
            Refusal::Population => Why::Population,
            // Whether somebody is known here and may not sign in is nobody's to learn.
            Refusal::NotAllowed | Refusal::Unknown => Why::Unknown,
        },
    })
}

/// The person signs in once as before; what they came with goes along, sealed, and is good in this browser only.
fn ask(
    context: &Context,
    declared: &UpstreamProvider,
    arrived: Arrived,
    browser: Browser<'_>,
) -> Result<Outcome, Failure> {
    let Some(bound) = browser.bound else {
        // Without a cookie of ours nobody can say later that it is the same browser: they begin here.
        return Ok(Outcome::NotBelieved);
    };
    let mut to_prove = ToProve {
        provider: declared.id.to_string(),
        arrived,
        continuation: browser.continuation.map(str::to_owned),
        browser: data_encoding::HEXLOWER.encode(bound.digest().as_bytes()),
    };
    let mut sealed = sealed_to_prove(context, declared, &to_prove)?;
    if let (true, Some(names)) = (
        sealed.len() > continuation::LIMIT,
        preset::staff_names(declared.preset),
    ) {
        // What an academy says of rights may be long. It is said again at the next login, and gives nothing until then.
        to_prove.arrived.said = to_prove.arrived.said.without(&names.all());
        sealed = sealed_to_prove(context, declared, &to_prove)?;
    }
    if sealed.len() > continuation::LIMIT {
        return Ok(Outcome::NotBelieved);
    }
    Ok(Outcome::Prove { continuation: sealed })
}

fn sealed_to_prove(
    context: &Context,
    declared: &UpstreamProvider,
    to_prove: &ToProve,
) -> Result<String, Failure> {
    let query = serde_json::to_string(to_prove).map_err(|error| Failure::Task(error.to_string()))?;
    let waiting = Continuation {
        protocol: Protocol::Link,
        client: String::new(),
        service: declared.name.clone(),
        origin: None,
        query,
        pushed: None,
        needs_more_than_class: false,
        is_signed: false,
        hint: None,
        asked_at: context.now().micros(),
    };
    waiting.seal(context)
}

/// Binds a login to a person; the link that another login made meanwhile, where it is of the same person.
pub(super) async fn bind(
    context: &Context,
    tx: &mut Tx,
    declared: &UpstreamProvider,
    (subject, identity, binding): (&str, IdentityId, Binding),
) -> Result<UpstreamLinkId, Failure> {
    let now = context.now();
    let link = Link {
        id: UpstreamLinkId::new(now, &*context.random),
        provider: declared.id.clone(),
        subject: subject.to_owned(),
        identity,
        binding,
        convention: declared.convention.clone(),
        linked_at: now,
        used_at: None,
    };
    if !store::upstream_link::insert(tx, &link).await? {
        let (other, _) = store::upstream_link::find(tx, &declared.id, subject)
            .await?
            .filter(|(other, _)| other.identity == identity)
            .ok_or_else(|| Failure::Task("the login was bound to somebody else meanwhile".to_owned()))?;
        return Ok(other.id);
    }
    let event = Event::new(Kind::UpstreamLinked, Actor::Identity(identity))
        .about(link.id)
        .with("provider", &declared.id)
        .with("binding", binding)
        .with("convention", declared.convention.as_deref().unwrap_or("none"));
    store::audit::append(tx, now, &event).await?;
    Ok(link.id)
}

/// A new identity: nobody like that is known.
pub(super) async fn create(
    context: &Context,
    tx: &mut Tx,
    declared: &UpstreamProvider,
    person: &Introduction,
) -> Result<Identity, Failure> {
    let now = context.now();
    let name = |name: &Option<String>| name.clone().unwrap_or_default().trim().to_owned();
    let identity = Identity {
        id: IdentityId::new(now, &*context.random),
        status: Status::Active,
        family_name: name(&person.family_name),
        usage_name: None,
        given_name: name(&person.given_name),
        birth_date: person.birth_date,
        sex: None,
        username: None,
        locale: None,
        created_at: now,
    };
    store::identity::insert(tx, &identity).await?;
    let event = Event::new(Kind::IdentityCreated, Actor::System)
        .about(identity.id)
        .with("provider", &declared.id);
    store::audit::append(tx, now, &event).await?;
    Ok(identity)
}

/// Signs somebody in whose login is bound to them.
pub(super) async fn sign_in(
    context: &Context,
    tx: &mut Tx,
    (provider, person): (&Provider, &Introduction),
    identity: &Identity,
    (link, arrived, browser): (UpstreamLinkId, Arrived, Browser<'_>),
) -> Result<Outcome, Failure> {
    let declared = &provider.declared;
    let now = context.now();
    if !identity.status.may_sign_in() {
        return refuse(tx, declared, Refusal::NotAllowed, now).await;
    }
    store::upstream_link::used(tx, link, now).await?;
    if person.is_guardian() {
        answer_for(context, tx, declared, (identity, person)).await?;
    }
    rights::follow(context, tx, declared, (identity.id, link), &arrived.said).await?;
    let proof = Proof {
        acr: arrived.acr,
        amr: Amr::Federated,
        device: browser.device,
    };
    let cookie = session::open(context, tx, identity, proof, browser.former).await?;
    if let Some((session, _)) = store::session::find_live(tx, &cookie.digest(), now).await? {
        let (name, index) = arrived.login.names();
        let hash =
            |purpose: &str, text: &str| context.vault.index(purpose, &format!("{} {text}", declared.id));
        let login = Login {
            provider: declared.id.clone(),
            link,
            name_hash: hash(super::logout::NAME, name)?,
            index_hash: index.map(|index| hash(super::logout::INDEX, index)).transpose()?,
            sealed: seal(context, super::logout::SEALED_FOR, &arrived.login)?,
        };
        store::upstream_link::keep_login(tx, session.id, &login, now).await?;
    }
    Ok(Outcome::SignedIn {
        cookie,
        next: continuation::resume_path(context, browser.continuation),
        provider: declared.id.clone(),
    })
}

/// Writes down which pupils a guardian answers for, and that they are a guardian at their schools.
async fn answer_for(
    context: &Context,
    tx: &mut Tx,
    declared: &UpstreamProvider,
    (guardian, person): (&Identity, &Introduction),
) -> Result<(), Failure> {
    let now = context.now();
    let today = now.date();
    let children = candidates::children(tx, declared, &person.vecteurs).await?;
    if children.is_empty() {
        return Ok(());
    }
    let source = format!("upstream:{}", declared.id);
    let mut own = store::enrolment::live_of(tx, guardian.id, today).await?;
    for child in children {
        if child == guardian.id {
            continue;
        }
        if store::guardianship::state(tx, (guardian.id, child), &source, now).await? {
            let event = Event::new(Kind::GuardianStated, Actor::System)
                .about(guardian.id)
                .with("pupil", child)
                .with("provider", &declared.id);
            store::audit::append(tx, now, &event).await?;
        }
        for theirs in store::enrolment::live_of(tx, child, today).await? {
            let is_there =
                |mine: &Enrolment| mine.school == theirs.school && mine.profile == Profile::Guardian;
            if theirs.profile != Profile::Pupil || own.iter().any(is_there) {
                continue;
            }
            let enrolment = Enrolment {
                id: EnrolmentId::new(now, &*context.random),
                identity: guardian.id,
                class: None,
                class_label: None,
                level: None,
                profile: Profile::Guardian,
                starts_on: today,
                ..theirs
            };
            store::enrolment::insert(tx, &enrolment).await?;
            own.push(enrolment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
