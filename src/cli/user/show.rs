//! `marelle user show`: one person, for whoever looks after the installation.

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::{Outcome, Refusal, print_json, print_line};
use crate::domain::assignment::Assignment;
use crate::flows::Context;
use crate::flows::overview::{self, Overview};

/// Arguments of `marelle user show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// Login name or id.
    #[arg(value_name = "USERNAME|ID")]
    who: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn run(context: &Context, arguments: &Show) -> Outcome {
    let found = overview::of(context, &arguments.who).await?;
    let found = found.ok_or_else(|| Refusal::usage(anyhow!("nobody is called «{}»", arguments.who)))?;
    if arguments.json {
        print_json(&described(&found));
    } else {
        tell(&found);
    }
    Ok(())
}

fn rule(role: &Assignment) -> Option<&str> {
    role.origin.as_ref().map(|origin| origin.rule.as_str())
}

fn described(found: &Overview) -> Value {
    let identity = &found.identity;
    let enrolments = found.enrolments.iter().map(|one| {
        json!({
            "school": one.school.as_str(),
            "profile": one.profile.as_str(),
            "class": one.class_label,
            "starts_on": one.starts_on.to_string(),
            "ends_on": one.ends_on.to_string(),
        })
    });
    let roles = found.roles.iter().map(|role| {
        json!({
            "role": role.role.as_str(),
            "over": role.scope.to_string(),
            "provider": role.origin.as_ref().map(|origin| origin.provider.as_str()),
            "rule": rule(role),
            "until": role.until.map(|day| day.to_string()),
        })
    });
    let logins = found.logins.iter().map(|link| {
        json!({
            "provider": link.provider.as_str(),
            "binding": link.binding.as_str(),
            "linked_at": link.linked_at.to_string(),
            "used_at": link.used_at.map(|at| at.to_string()),
        })
    });
    json!({
        "id": identity.id.to_string(),
        "given_name": identity.given_name,
        "family_name": identity.shown_family_name(),
        "status": identity.status.as_str(),
        "username": identity.username,
        "enrolments": enrolments.collect::<Vec<_>>(),
        "children": found.children.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "guardians": found.guardians.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "roles": roles.collect::<Vec<_>>(),
        "logins": logins.collect::<Vec<_>>(),
    })
}

fn tell(found: &Overview) {
    let identity = &found.identity;
    print_line(format!(
        "{}  {}  {}  {}",
        identity.id,
        identity.status.as_str(),
        identity.username.as_deref().unwrap_or("-"),
        identity.display_name(),
    ));
    for one in &found.enrolments {
        let class = one.class_label.as_deref().unwrap_or("-");
        print_line(format!(
            "  is {} in school {}, class {class}, until {}",
            one.profile, one.school, one.ends_on
        ));
    }
    for child in &found.children {
        print_line(format!("  answers for {child}"));
    }
    for guardian in &found.guardians {
        print_line(format!("  has the guardian {guardian}"));
    }
    for role in &found.roles {
        let until = role
            .until
            .map_or_else(String::new, |day| format!(", until {day}"));
        let by = rule(role).map_or_else(|| "by hand".to_owned(), |rule| format!("by {rule}"));
        print_line(format!(
            "  may act as {} over {}, {by}{until}",
            role.role, role.scope
        ));
    }
    for link in &found.logins {
        print_line(format!("  comes by {} ({})", link.provider, link.binding));
    }
}
