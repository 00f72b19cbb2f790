//! What people who work there may do here by a provider's word: made exactly what its rules say, each time they come by it;
//! taken away when the login is unlinked, the provider is closed or the rule is gone; shown before it counts.
//!
//! What came by a login is told apart by that login. Must never touch what was given by hand, by a feed, or by another login.

use std::collections::BTreeMap;

use super::{Context, Failure, Provider};
use crate::base::id::{AssignmentId, EnrolmentId, IdentityId, UpstreamLinkId};
use crate::base::time::{Date, Timestamp};
use crate::domain::assignment::{Assignment, Origin, Role, Scope};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::enrolment::Enrolment;
use crate::domain::uai::Uai;
use crate::domain::upstream::{ProviderId, StaffRule, UpstreamProvider};
use crate::store;
use crate::store::db::{Conn, Tx};
use crate::store::upstream_enrolment::Given;
use crate::upstream::rights::{Gives, House, Right, Rights, decide, earlier};
use crate::upstream::staff::Staff;
use crate::upstream::{Statements, preset};

/// A role that nobody comes for any more lapses: whoever left signs in there no longer, and may have another way in here.
const DAYS_UNSEEN: u64 = 90;
/// How far its end may come before a login moves it on: not every login writes.
const DAYS_LEFT: u64 = 60;

/// What is done in one transaction about one login.
struct Bearer<'a> {
    provider: &'a UpstreamProvider,
    identity: IdentityId,
    link: UpstreamLinkId,
    now: Timestamp,
    today: Date,
}

/// Somebody came by a login: what came by it before is made what the rules say today.
pub(super) async fn follow(
    context: &Context,
    tx: &mut Tx,
    provider: &UpstreamProvider,
    (identity, link): (IdentityId, UpstreamLinkId),
    said: &Statements,
) -> Result<(), Failure> {
    // Pupils and guardians come by providers that say nothing of this: theirs is the hot path.
    if preset::staff_names(provider.preset).is_none() {
        return Ok(());
    }
    let now = context.now();
    let bearer = Bearer {
        provider,
        identity,
        link,
        now,
        today: now.date(),
    };
    let rights = rights(tx, provider, said, bearer.today).await?;
    let (mut roles, mut places) = (BTreeMap::new(), BTreeMap::new());
    for right in rights.granted {
        match right.gives.clone() {
            Gives::Role(role, scope) => {
                roles.insert((role, scope), right);
            }
            Gives::Enrolment(profile, school) => {
                places.insert((profile, school), right);
            }
        }
    }
    follow_roles(context, tx, &bearer, roles).await?;
    follow_places(context, tx, &bearer, places).await
}

/// What the rules of a provider give for what it says.
async fn rights(
    conn: &mut Conn,
    provider: &UpstreamProvider,
    said: &Statements,
    today: Date,
) -> Result<Rights, Failure> {
    let staff = Staff::read(provider.preset, said);
    let mut mentioned: Vec<Uai> = staff.schools.iter().map(|post| post.school.clone()).collect();
    mentioned.extend(staff.responsible_for.iter().cloned());
    mentioned.extend(
        staff
            .delegations
            .iter()
            .flat_map(|one| one.schools.iter().cloned()),
    );
    mentioned.sort_unstable();
    mentioned.dedup();
    let mut house = House::default();
    if !provider.staff_rules.is_empty() && !mentioned.is_empty() {
        house
            .schools
            .extend(store::school::academies_of(conn, &mentioned).await?);
    }
    if let Some(academy) = &staff.academy {
        let known = store::school::find_academy(conn, academy).await?;
        house.academies.extend(known.map(|academy| academy.code));
    }
    Ok(decide(provider, &staff, &house, today))
}

async fn follow_roles(
    context: &Context,
    tx: &mut Tx,
    bearer: &Bearer<'_>,
    mut wanted: BTreeMap<(Role, Scope), Right>,
) -> Result<(), Failure> {
    for held in store::assignment::of_link(tx, bearer.link).await? {
        let key = (held.role, held.scope.clone());
        let is_theirs = held.identity == bearer.identity;
        if !held.is_live(bearer.today) {
            end_role(tx, &held, bearer.now, (&Actor::System, "lapsed")).await?;
        } else if let Some(right) = wanted.get(&key).filter(|_| is_theirs) {
            let until = bearer.until(right);
            let held_rule = held.origin.as_ref().map(|origin| origin.rule.as_str());
            if held_rule != Some(right.rule.as_str()) || bearer.is_to_move(held.until, until, right.until) {
                store::assignment::set_until(tx, held.id, (until, &right.rule)).await?;
            }
            wanted.remove(&key);
        } else {
            end_role(tx, &held, bearer.now, (&Actor::System, "not stated any more")).await?;
        }
    }
    for ((role, scope), right) in wanted {
        let new = Assignment {
            id: AssignmentId::new(bearer.now, &*context.random),
            identity: bearer.identity,
            role,
            scope,
            until: bearer.until(&right),
            origin: Some(bearer.origin(&right)),
            since: bearer.now,
            ended_at: None,
        };
        if store::assignment::insert(tx, &new).await? {
            let event = Event::new(Kind::AssignmentGranted, Actor::System)
                .with("role", role)
                .with("over", &new.scope);
            bearer.journal(tx, event, &right).await?;
        }
    }
    Ok(())
}

async fn follow_places(
    context: &Context,
    tx: &mut Tx,
    bearer: &Bearer<'_>,
    mut wanted: BTreeMap<(Profile, Uai), Right>,
) -> Result<(), Failure> {
    let year = SchoolYear::of(bearer.today);
    for held in store::upstream_enrolment::of_link(tx, bearer.link, bearer.today).await? {
        let key = (held.profile, held.school.clone());
        match wanted.get(&key).filter(|_| held.identity == bearer.identity) {
            Some(right) => {
                let ends_on = bearer.ends_on(right, held.year);
                if held.ends_on != ends_on || held.origin.rule != right.rule {
                    store::upstream_enrolment::set_end(tx, held.id, (ends_on, &right.rule)).await?;
                }
                // That of the year before lasts into September, beside the new one.
                if held.year == year {
                    wanted.remove(&key);
                }
            }
            None => {
                end_place(
                    tx,
                    &held,
                    bearer.today,
                    bearer.now,
                    (&Actor::System, "not stated any more"),
                )
                .await?;
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let own = store::enrolment::live_of(tx, bearer.identity, bearer.today).await?;
    for ((profile, school), right) in wanted {
        // A feed that says the same says more.
        let is_there = |one: &Enrolment| one.school == school && one.profile == profile && one.year == year;
        let ends_on = bearer.ends_on(&right, year);
        if own.iter().any(is_there) || ends_on <= bearer.today {
            continue;
        }
        let enrolment = Enrolment {
            id: EnrolmentId::new(bearer.now, &*context.random),
            identity: bearer.identity,
            school,
            class: None,
            class_label: None,
            level: None,
            profile,
            year,
            starts_on: bearer.today,
            ends_on,
            opens_on: None,
            is_current: true,
        };
        store::enrolment::insert(tx, &enrolment).await?;
        store::upstream_enrolment::keep(tx, enrolment.id, &bearer.origin(&right)).await?;
        let event = Event::new(Kind::AssignmentGranted, Actor::System)
            .with("profile", profile)
            .with("over", Scope::School(enrolment.school));
        bearer.journal(tx, event, &right).await?;
    }
    Ok(())
}

impl Bearer<'_> {
    fn origin(&self, right: &Right) -> Origin {
        Origin {
            provider: self.provider.id.clone(),
            link: self.link,
            rule: right.rule.clone(),
        }
    }

    /// Until when a role counts that is given today.
    fn until(&self, right: &Right) -> Option<Date> {
        earlier(
            right.until,
            self.today.checked_add_days(chrono::Days::new(DAYS_UNSEEN)),
        )
    }

    /// Whether the end of a role is to be written anew: it came nearer, it is of a known day, or it is not far any more.
    fn is_to_move(&self, held: Option<Date>, until: Option<Date>, known: Option<Date>) -> bool {
        let (Some(held), Some(until)) = (held, until) else {
            return held != until;
        };
        let soon = self.today.checked_add_days(chrono::Days::new(DAYS_LEFT));
        until < held || until > held && (known == Some(until) || soon.is_none_or(|soon| held < soon))
    }

    fn ends_on(&self, right: &Right, year: SchoolYear) -> Date {
        earlier(right.until, Some(year.overlap_end())).unwrap_or(self.today)
    }

    async fn journal(&self, tx: &mut Tx, event: Event, right: &Right) -> Result<(), Failure> {
        let event = event
            .about(self.identity)
            .with("provider", &self.provider.id)
            .with("link", self.link)
            .with("rule", &right.rule);
        let event = match right.until {
            Some(until) => event.with("until", until),
            None => event,
        };
        Ok(store::audit::append(tx, self.now, &event).await?)
    }
}

async fn end_role(
    tx: &mut Tx,
    held: &Assignment,
    now: Timestamp,
    (actor, reason): (&Actor, &str),
) -> Result<(), Failure> {
    if !store::assignment::end(tx, held.id, now).await? {
        return Ok(());
    }
    let event = Event::new(Kind::AssignmentWithdrawn, actor.clone())
        .with("role", held.role)
        .with("over", &held.scope);
    note_end(tx, now, (event, held.identity), (held.origin.as_ref(), reason)).await
}

async fn end_place(
    tx: &mut Tx,
    held: &Given,
    today: Date,
    now: Timestamp,
    (actor, reason): (&Actor, &str),
) -> Result<(), Failure> {
    store::upstream_enrolment::set_end(tx, held.id, (today, &held.origin.rule)).await?;
    let event = Event::new(Kind::AssignmentWithdrawn, actor.clone())
        .with("profile", held.profile)
        .with("over", Scope::School(held.school.clone()));
    note_end(tx, now, (event, held.identity), (Some(&held.origin), reason)).await
}

async fn note_end(
    tx: &mut Tx,
    now: Timestamp,
    (event, identity): (Event, IdentityId),
    (origin, reason): (Option<&Origin>, &str),
) -> Result<(), Failure> {
    let event = match origin {
        Some(origin) => event
            .with("provider", &origin.provider)
            .with("link", origin.link)
            .with("rule", &origin.rule),
        None => event,
    };
    let event = event.about(identity).with("reason", reason);
    Ok(store::audit::append(tx, now, &event).await?)
}

/// A login is nobody's, or somebody else's: what came by it goes.
pub(super) async fn withdraw(
    tx: &mut Tx,
    link: UpstreamLinkId,
    now: Timestamp,
    actor: &Actor,
) -> Result<(), Failure> {
    let why = (actor, "unlinked");
    for held in store::assignment::of_link(tx, link).await? {
        end_role(tx, &held, now, why).await?;
    }
    for held in store::upstream_enrolment::of_link(tx, link, now.date()).await? {
        end_place(tx, &held, now.date(), now, why).await?;
    }
    Ok(())
}

/// A provider was declared otherwise: what it would not give any more goes at once, whoever comes back or not; what it gives
/// ends with its convention. What it would give more comes at the next login. Answers how many rights went.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn follow_declaration(
    context: &Context,
    tx: &mut Tx,
    provider: &UpstreamProvider,
) -> Result<usize, Failure> {
    let now = context.now();
    let today = now.date();
    let roles = store::assignment::of_provider(tx, &provider.id).await?;
    let places = store::upstream_enrolment::of_provider(tx, &provider.id, today).await?;
    if roles.is_empty() && places.is_empty() {
        return Ok(0);
    }
    let mut schools: Vec<Uai> = places.iter().map(|held| held.school.clone()).collect();
    for held in &roles {
        if let Scope::School(school) = &held.scope {
            schools.push(school.clone());
        }
    }
    let academies = store::school::academies_of(tx, &schools).await?;
    let speaks_for = |scope: &Scope| match scope {
        Scope::Academy(academy) => provider.speaks_for(academy),
        Scope::School(school) => academies
            .get(school)
            .is_some_and(|academy| provider.speaks_for(academy)),
    };
    let still = |origin: Option<&Origin>, gives: &dyn Fn(&StaffRule) -> bool| {
        let mut rules = provider.staff_rules.iter();
        origin.is_some_and(|origin| rules.any(|rule| rule.to_string() == origin.rule && gives(rule)))
    };
    let why = |is_named: bool, scope: &Scope| {
        if !provider.is_open(today) {
            Some("provider closed")
        } else if !is_named {
            Some("rule gone")
        } else if !speaks_for(scope) {
            Some("academy gone")
        } else {
            None
        }
    };
    let mut gone = 0;
    for held in roles {
        let is_named = still(held.origin.as_ref(), &|rule| rule.grants == Some(held.role));
        if let Some(reason) = why(is_named, &held.scope) {
            end_role(tx, &held, now, (&Actor::Operator, reason)).await?;
            gone += 1;
        } else if let (Some(origin), true) = (&held.origin, outlasts(held.until, provider.ends_on)) {
            store::assignment::set_until(tx, held.id, (provider.ends_on, &origin.rule)).await?;
        }
    }
    for held in places {
        let is_named = still(Some(&held.origin), &|rule| rule.profile == Some(held.profile));
        if let Some(reason) = why(is_named, &Scope::School(held.school.clone())) {
            end_place(tx, &held, today, now, (&Actor::Operator, reason)).await?;
            gone += 1;
        } else if let Some(end) = provider.ends_on.filter(|end| *end < held.ends_on) {
            store::upstream_enrolment::set_end(tx, held.id, (end, &held.origin.rule)).await?;
        }
    }
    Ok(gone)
}

fn outlasts(until: Option<Date>, end: Option<Date>) -> bool {
    end.is_some_and(|end| until.is_none_or(|until| end < until))
}

/// The assignments of a person that count today, however they came.
///
/// # Errors
/// [`Failure`].
pub async fn of_identity(context: &Context, identity: IdentityId) -> Result<Vec<Assignment>, Failure> {
    let mut conn = context.db.reader().await?;
    let today = context.now().date();
    Ok(store::assignment::live_of(&mut conn, identity, today).await?)
}

/// What a login would give, without anybody having come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Whether people may come by the provider today: nothing counts while it is closed.
    pub is_open: bool,
    /// Whether it is of a kind that says anything of staff.
    pub is_of_staff: bool,
    /// What would be given, by which rule and until when; what would be ignored, and why.
    pub rights: Rights,
}

/// Shows what claims would give today by the rules of a provider; `None` where there is no such provider. Changes nothing, and
/// writes no claim anywhere.
///
/// # Errors
/// [`Failure`].
pub async fn preview(
    context: &Context,
    provider: &ProviderId,
    claims: &serde_json::Map<String, serde_json::Value>,
) -> Result<Option<Preview>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::upstream_provider::find(&mut conn, provider).await?;
    let Some(Provider { declared, .. }) = found.map(Provider::of) else {
        return Ok(None);
    };
    let mut said = Statements::new();
    for (name, value) in claims {
        said.add_claim(name, value);
    }
    let today = context.now().date();
    Ok(Some(Preview {
        is_open: declared.is_open(today),
        is_of_staff: preset::staff_names(declared.preset).is_some(),
        rights: rights(&mut conn, &declared, &said, today).await?,
    }))
}

#[cfg(test)]
mod tests;
