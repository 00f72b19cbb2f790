//! What a provider's word about staff is worth, in declarations: `[[upstream_provider.staff]]`.
//!
//! A rule that could give nothing, or more than it says, is refused where it stands.

use serde::Deserialize;

use crate::domain::assignment::Role;
use crate::domain::education::Profile;
use crate::domain::upstream::{Holder, Over, Population, StaffRule, UpstreamProvider};
use crate::flows::declaration::value::Parsed;
use crate::upstream::{preset, staff};

/// `[[upstream_provider.staff]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::flows::declaration) struct Entry {
    function: Option<String>,
    delegation: Option<String>,
    over: Option<Parsed<Over>>,
    grants: Option<Parsed<Role>>,
    profile: Option<Parsed<Profile>>,
}

impl Entry {
    pub(super) fn read(self) -> Result<StaffRule, String> {
        let holder = match (self.function, self.delegation) {
            (Some(code), None) => {
                staff::function(&code).ok_or_else(|| format!("function: «{code}» is none (like DIR)"))?;
                Holder::Function(code)
            }
            (None, Some(name)) => {
                staff::application(&name)
                    .ok_or_else(|| format!("delegation: «{name}» is no name of an application"))?;
                Holder::Delegation(name)
            }
            _ => return Err("function: one of it and delegation is needed".to_owned()),
        };
        let over = match (&holder, self.over.map(|over| over.0)) {
            (Holder::Delegation(_), None | Some(Over::Responsible)) => Over::Responsible,
            (Holder::Delegation(_), Some(_)) => {
                return Err("over: a delegation is over the schools that it names (responsible)".to_owned());
            }
            (Holder::Function(_), Some(over)) => over,
            (Holder::Function(_), None) => {
                return Err(format!("over: is needed (known: {})", known()));
            }
        };
        let (grants, profile) = (
            self.grants.map(|role| role.0),
            self.profile.map(|profile| profile.0),
        );
        if grants.is_none() && profile.is_none() {
            return Err("grants: one of it and profile is needed".to_owned());
        }
        let is_over_academy = over == Over::Academy;
        if let Some(role) = grants.filter(|role| role.is_over_academy() != is_over_academy) {
            return Err(format!("grants: {role} is not given over {over}"));
        }
        if is_over_academy && profile.is_some() {
            return Err("profile: nobody is enrolled in an academy".to_owned());
        }
        if let Some(profile) = profile.filter(|profile| !is_staff(*profile)) {
            return Err(format!("profile: {profile} is no profile of staff"));
        }
        Ok(StaffRule {
            holder,
            over,
            grants,
            profile,
        })
    }
}

fn known() -> String {
    let names: Vec<&str> = Over::ALL.iter().map(|over| over.as_str()).collect();
    names.join(" ")
}

/// Nobody becomes a pupil, a guardian or an officer of an authority by the word of an academy.
const fn is_staff(profile: Profile) -> bool {
    match profile {
        Profile::Teacher
        | Profile::Head
        | Profile::SchoolStaff
        | Profile::Staff
        | Profile::AcademyStaff
        | Profile::Librarian => true,
        Profile::Pupil | Profile::Guardian | Profile::AuthorityOfficer => false,
    }
}

/// Whether a provider may have rules at all.
pub(super) fn check(provider: &UpstreamProvider) -> Result<(), String> {
    if provider.staff_rules.is_empty() {
        return Ok(());
    }
    if preset::staff_names(provider.preset).is_none() {
        return Err(format!(
            "staff: the preset {} says nothing that a rule could read",
            provider.preset
        ));
    }
    if !provider.populations.contains(&Population::Staff) {
        return Err("staff: the way is not for staff (populations)".to_owned());
    }
    if provider.academies.is_empty() {
        return Err(
            "academies: are needed where staff rules are: it speaks for nobody else's schools".to_owned(),
        );
    }
    let mut seen: Vec<(&Holder, Over)> = Vec::new();
    for rule in &provider.staff_rules {
        if seen.contains(&(&rule.holder, rule.over)) {
            return Err(format!("staff: «{rule}» is declared twice"));
        }
        seen.push((&rule.holder, rule.over));
    }
    Ok(())
}
