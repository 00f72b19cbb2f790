//! OneRoster 1.2 as CSV files (1EdTech): pupils, the adults in charge of them, staff, of the schools of one academy.
//!
//! The binding is exact where ONDE is not: UTF-8, commas, header names to the letter. A school is known by the
//! `identifier` of its org, which must be an UAI; a pupil without a birth date in `demographics.csv` cannot be
//! recognised and is left out. Classes and enrolments of a district fit into memory: limits are stated. Must never take
//! a password, an address or a mark that stands in a file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use crate::domain::education::{AcademyCode, Profile, SchoolYear};
use crate::domain::source::{
    AdultFacts, ChildRef, ClassRef, GuardianLink, GuardianRow, Place, Post, RosterRow, Sex, Source,
    SourceKey, StaffRow, TaughtClass,
};
use crate::domain::uai::Uai;

use super::field::Complaints;
use super::value;
use super::{RowIssue, Severity, Unreadable};

mod facts;
mod manifest;
mod table;
#[cfg(test)]
mod tests;

pub use manifest::{Manifest, Mode, manifest};

use table::{Line, Table};

/// The most lines of one file.
pub const MOST_ROWS: u64 = 5_000_000;

/// What the files themselves do not say.
#[derive(Clone, Debug)]
pub struct OneRosterContext {
    /// The academy of the system that delivers: its identifiers are unique within it only.
    pub academy: AcademyCode,
    /// The school year.
    pub year: SchoolYear,
}

/// The files of a delivery that are read, in the order in which they must be.
pub const FILES: [&str; 8] = [
    "orgs.csv",
    "academicSessions.csv",
    "classes.csv",
    "demographics.csv",
    "roles.csv",
    "enrollments.csv",
    "users.csv",
    "manifest.csv",
];

/// What a delivery states of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneRosterItem {
    /// A pupil, in the school where they are enrolled first.
    Pupil(RosterRow),
    /// The adults of the pupil before.
    Links(Vec<GuardianLink>),
    /// An adult in charge of pupils.
    Guardian(GuardianRow),
    /// Somebody who works in schools; schools are UAIs.
    Staff(StaffRow),
    /// A pupil or an adult whom a delta takes away (`tobedeleted`).
    Gone {
        /// Who.
        key: SourceKey,
        /// Where it stands.
        place: Place,
    },
    /// Something wrong with a record.
    Issue(RowIssue),
}

struct Class {
    school: String,
    class: ClassRef,
    level: Option<String>,
}

#[derive(Default)]
struct Roles {
    /// `(org, role, primary)`.
    of: Vec<(String, Role, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Pupil,
    Guardian,
    Staff(Profile),
}

impl Role {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "student" => Self::Pupil,
            "guardian" | "parent" | "relative" => Self::Guardian,
            "teacher" => Self::Staff(Profile::Teacher),
            "principal" => Self::Staff(Profile::Head),
            "counselor" | "proctor" => Self::Staff(Profile::SchoolStaff),
            "aide" | "siteAdministrator" => Self::Staff(Profile::Staff),
            "districtAdministrator" | "systemAdministrator" => Self::Staff(Profile::AcademyStaff),
            _ => return None,
        })
    }
}

/// A delivery while its files are read, each in its turn ([`FILES`]); the users come last and are given one at a time.
pub struct OneRoster {
    context: OneRosterContext,
    delta: bool,
    schools: HashMap<String, Uai>,
    /// Academic sessions of another year than the one that is loaded.
    other_years: HashSet<String>,
    classes: HashMap<String, Class>,
    births: HashMap<String, (Option<String>, Option<Sex>)>,
    roles: HashMap<String, Roles>,
    /// Classes of users, the primary one first.
    enrolled: HashMap<String, Vec<String>>,
    /// What is wrong with the files that are only looked up.
    pub issues: Vec<RowIssue>,
}

impl OneRoster {
    /// A delivery by its manifest.
    pub fn new(manifest: &Manifest, context: OneRosterContext) -> Self {
        Self {
            context,
            delta: manifest.is_delta(),
            schools: HashMap::new(),
            other_years: HashSet::new(),
            classes: HashMap::new(),
            births: HashMap::new(),
            roles: HashMap::new(),
            enrolled: HashMap::new(),
            issues: Vec::new(),
        }
    }

    /// Takes in a file that users refer to; one of another name is passed over.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn learn(&mut self, name: &Arc<str>, input: impl Read) -> Result<(), Unreadable> {
        let take: fn(&mut Self, &Line<'_>) -> Result<(), &'static str> = match &**name {
            "orgs.csv" => Self::org,
            "academicSessions.csv" => Self::session,
            "classes.csv" => Self::class,
            "demographics.csv" => Self::demographic,
            "roles.csv" => Self::role,
            "enrollments.csv" => Self::enrolment,
            _ => return Ok(()),
        };
        let wanted: &[&str] = match &**name {
            "orgs.csv" => &["sourcedId", "type", "identifier"],
            "academicSessions.csv" => &["sourcedId", "schoolYear"],
            "classes.csv" => &["sourcedId", "title", "schoolSourcedId"],
            "demographics.csv" => &["sourcedId", "birthDate"],
            "roles.csv" => &["userSourcedId", "roleType", "role", "orgSourcedId"],
            _ => &["classSourcedId", "userSourcedId"],
        };
        let mut table = Table::new(input, Arc::clone(name), wanted)?;
        while let Some(line) = table.next()? {
            let line = match line {
                Ok(line) => line,
                Err(issue) => {
                    self.issues.push(issue);
                    continue;
                }
            };
            if self.delta && line.get("status") == "tobedeleted" {
                continue;
            }
            if let Err(message) = take(self, &line) {
                self.issues.push(RowIssue {
                    severity: Severity::Warning,
                    place: line.place.clone(),
                    message: message.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn org(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        if line.get("type") != "school" {
            return Ok(());
        }
        let uai = line.get("identifier").parse();
        let uai =
            uai.map_err(|_| "école dont l'identifiant (identifier) n'est pas un UAI : elle n'est pas lue")?;
        self.schools.insert(line.get("sourcedId").to_owned(), uai);
        Ok(())
    }

    fn session(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        // The schoolYear of a session is the one that it ends in.
        let written = line.get("schoolYear");
        if written.is_empty() {
            return Ok(());
        }
        let ends: i32 = written.parse().map_err(
            |_| "année scolaire illisible (schoolYear) : la période est tenue pour celle du chargement",
        )?;
        if ends != self.context.year.first() + 1 {
            self.other_years.insert(line.get("sourcedId").to_owned());
        }
        Ok(())
    }

    fn class(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        let mut terms = line.get("termSourcedIds").split(',').map(str::trim).peekable();
        let is_of_another_year = terms.peek().is_some_and(|term| !term.is_empty())
            && terms.all(|term| self.other_years.contains(term));
        // A class of a subject is a group; the homeroom is the class.
        if is_of_another_year || !matches!(line.get("classType"), "homeroom" | "") {
            return Ok(());
        }
        let key = line.get("sourcedId");
        let title = value::tidy(line.get("title"));
        if key.is_empty() || title.is_empty() {
            return Err("classe sans identifiant ou sans nom (sourcedId, title) : elle n'est pas lue");
        }
        let level = line.get("grades").split(',').next().map(value::tidy);
        let class = Class {
            school: line.get("schoolSourcedId").to_owned(),
            class: ClassRef {
                key: key.to_owned(),
                label: title,
            },
            level: level.filter(|level| !level.is_empty()),
        };
        self.classes.insert(key.to_owned(), class);
        Ok(())
    }

    fn demographic(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        let sex = match line.get("sex") {
            "male" => Some(Sex::Male),
            "female" => Some(Sex::Female),
            _ => None,
        };
        let birth = Some(line.get("birthDate").to_owned()).filter(|date| !date.is_empty());
        self.births.insert(line.get("sourcedId").to_owned(), (birth, sex));
        Ok(())
    }

    fn role(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        let role = Role::read(line.get("role")).ok_or("rôle inconnu (role) : il n'est pas repris")?;
        let roles = self
            .roles
            .entry(line.get("userSourcedId").to_owned())
            .or_default();
        let primary = line.get("roleType") == "primary";
        roles
            .of
            .push((line.get("orgSourcedId").to_owned(), role, primary));
        Ok(())
    }

    fn enrolment(&mut self, line: &Line<'_>) -> Result<(), &'static str> {
        let class = line.get("classSourcedId");
        if !self.classes.contains_key(class) {
            return Ok(());
        }
        let classes = self
            .enrolled
            .entry(line.get("userSourcedId").to_owned())
            .or_default();
        if line.get("primary") == "true" {
            classes.insert(0, class.to_owned());
        } else {
            classes.push(class.to_owned());
        }
        Ok(())
    }

    /// Reads the users, who are given to `take` one at a time.
    ///
    /// # Errors
    /// [`Unreadable`], and whatever `take` fails with.
    pub fn users<E: From<Unreadable>>(
        &mut self,
        input: impl Read,
        mut take: impl FnMut(OneRosterItem) -> Result<(), E>,
    ) -> Result<(), E> {
        let wanted = &["sourcedId", "enabledUser", "givenName", "familyName"];
        let mut table = Table::new(input, "users.csv".into(), wanted)?;
        let mut seen: HashSet<String> = HashSet::new();
        for issue in std::mem::take(&mut self.issues) {
            take(OneRosterItem::Issue(issue))?;
        }
        while let Some(line) = table.next()? {
            let line = match line {
                Ok(line) => line,
                Err(issue) => {
                    take(OneRosterItem::Issue(issue))?;
                    continue;
                }
            };
            let mut issues = Vec::new();
            let mut complaints = Complaints::new(&line.place, &mut issues);
            let id = line.get("sourcedId");
            let items = if id.is_empty() {
                complaints.error("utilisateur sans identifiant (sourcedId)");
                Vec::new()
            } else if !seen.insert(id.to_owned()) {
                complaints.error("identifiant (sourcedId) déjà vu dans ce fichier");
                Vec::new()
            } else if self.delta && line.get("status") == "tobedeleted" {
                vec![OneRosterItem::Gone {
                    key: self.key(id),
                    place: line.place.clone(),
                }]
            } else if line.get("enabledUser") == "false" {
                // Somebody who may not sign in there is not stated as being there.
                Vec::new()
            } else {
                self.user(&line, &mut complaints)
            };
            for issue in issues {
                take(OneRosterItem::Issue(issue))?;
            }
            for item in items {
                take(item)?;
            }
        }
        Ok(())
    }

    fn key(&self, id: &str) -> SourceKey {
        SourceKey {
            source: Source::OneRoster,
            scope: self.context.academy.to_string(),
            key: id.to_owned(),
        }
    }

    fn user(&self, line: &Line<'_>, complaints: &mut Complaints<'_>) -> Vec<OneRosterItem> {
        let id = line.get("sourcedId");
        let Some(roles) = self.roles.get(id).map(|roles| &roles.of) else {
            complaints.error("utilisateur sans rôle (roles.csv)");
            return Vec::new();
        };
        let mut items = Vec::new();
        if roles.iter().any(|(_, role, _)| *role == Role::Pupil) {
            items.extend(self.pupil(line, roles, complaints));
        }
        let staff: BTreeSet<Post> = roles
            .iter()
            .filter_map(|(org, role, _)| match role {
                Role::Staff(profile) => Some(Post {
                    school: self.schools.get(org)?.to_string(),
                    profile: *profile,
                }),
                Role::Pupil | Role::Guardian => None,
            })
            .collect();
        let is_guardian = roles.iter().any(|(_, role, _)| *role == Role::Guardian);
        if !staff.is_empty() || is_guardian {
            let family_name = complaints.mandatory_name(Some(line.get("familyName")), "nom", "familyName");
            let given_name = complaints.mandatory_name(Some(line.get("givenName")), "prénom", "givenName");
            let (Some(family_name), Some(given_name)) = (family_name, given_name) else {
                return items;
            };
            let facts = AdultFacts {
                family_name,
                usage_name: None,
                given_name,
                sex: self.births.get(id).and_then(|(_, sex)| *sex),
                birth_date: None,
            };
            if is_guardian {
                items.push(OneRosterItem::Guardian(GuardianRow {
                    key: self.key(id),
                    facts: facts.clone(),
                    year: self.context.year,
                    place: line.place.clone(),
                }));
            }
            if !staff.is_empty() {
                items.push(OneRosterItem::Staff(StaffRow {
                    key: self.key(id),
                    facts,
                    posts: staff.into_iter().collect(),
                    classes: self.taught(id),
                    year: self.context.year,
                    place: line.place.clone(),
                }));
            }
        }
        items
    }

    fn taught(&self, id: &str) -> Vec<TaughtClass> {
        let classes = self.enrolled.get(id).map(Vec::as_slice).unwrap_or_default();
        let named: BTreeMap<&str, TaughtClass> = classes
            .iter()
            .filter_map(|class| {
                let class = self.classes.get(class)?;
                let school = self.schools.get(&class.school)?.to_string();
                let class = class.class.clone();
                Some((school, class))
            })
            .map(|(school, class)| TaughtClass { school, class })
            .zip(classes)
            .map(|(taught, key)| (key.as_str(), taught))
            .collect();
        named.into_values().collect()
    }

    fn pupil(
        &self,
        line: &Line<'_>,
        roles: &[(String, Role, bool)],
        complaints: &mut Complaints<'_>,
    ) -> Vec<OneRosterItem> {
        let id = line.get("sourcedId");
        let mut orgs: Vec<&(String, Role, bool)> =
            roles.iter().filter(|(_, role, _)| *role == Role::Pupil).collect();
        orgs.sort_by_key(|(_, _, primary)| !*primary);
        let school = orgs
            .iter()
            .find_map(|(org, ..)| self.schools.get(org).map(|uai| (org, uai)));
        if school.is_none() {
            complaints.error("élève sans école connue (roles.csv, orgs.csv)");
        }
        let birth = self.births.get(id);
        let facts = facts::facts(line, birth, complaints);
        let (Some((org, school)), Some(facts)) = (school, facts) else {
            return Vec::new();
        };
        let classes = self.enrolled.get(id).map(Vec::as_slice).unwrap_or_default();
        let class = classes
            .iter()
            .filter_map(|class| self.classes.get(class))
            .find(|class| class.school == *org);
        let grade = line.get("grades").split(',').next().map(value::tidy);
        let key = self.key(id);
        let links: Vec<GuardianLink> = line
            .get("agentSourcedIds")
            .split(',')
            .map(str::trim)
            .filter(|agent| !agent.is_empty())
            .map(|agent| GuardianLink {
                adult: agent.to_owned(),
                child: ChildRef::Key(id.to_owned()),
                kinship: None,
                legal: None,
                place: line.place.clone(),
            })
            .collect();
        let mut items = vec![OneRosterItem::Pupil(RosterRow {
            key,
            profile: Profile::Pupil,
            school: school.to_string(),
            facts,
            class: class.map(|class| class.class.clone()),
            level: grade
                .filter(|grade| !grade.is_empty())
                .or_else(|| class.and_then(|class| class.level.clone())),
            attachment: None,
            previous_school: None,
            ordinal: None,
            year: self.context.year,
            place: line.place.clone(),
        })];
        if !links.is_empty() {
            items.push(OneRosterItem::Links(links));
        }
        items
    }
}
