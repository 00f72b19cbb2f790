//! `marelle match`: the pairs that a human must decide.
//!
//! Names and birth dates are shown to whoever runs the command, and written nowhere else.

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::id::{MatchCaseId, MergeId};
use crate::flows::Context;
use crate::flows::matching::{self, CaseView, DecisionError, Side};
use crate::flows::merge::{self, MergeError};

/// Decide which records are of one child.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the open cases, with what speaks for and against.
    List(List),
    /// Show one case.
    Show(Show),
    /// It is one child: the two identities become one, the older stays.
    Accept(Decide),
    /// They are two children: never asked again for these records.
    Refuse(Decide),
    /// Undo a merge, exactly.
    Undo(Undo),
}

/// Arguments of `marelle match list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How many cases.
    #[arg(long, default_value_t = 100)]
    count: i64,
    /// Only those after this one.
    #[arg(long, value_name = "CASE")]
    after: Option<MatchCaseId>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle match show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The case.
    case: MatchCaseId,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of a decision.
#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The case.
    case: MatchCaseId,
    /// Who decides; it is journalled.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle match undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The merge, as `match accept` told it.
    merge: MergeId,
    /// Who undoes; it is journalled.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(arguments) => list(context, &arguments).await,
        Command::Show(arguments) => show(context, &arguments).await,
        Command::Accept(arguments) => accept(context, &arguments).await,
        Command::Refuse(arguments) => refuse(context, &arguments).await,
        Command::Undo(arguments) => undo(context, &arguments).await,
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let (cases, open) = matching::list(context, arguments.after, arguments.count).await?;
    if arguments.json {
        let lines: Vec<Value> = cases.iter().map(case_json).collect();
        print_json(&json!({"open": open, "cases": lines}));
        return Ok(());
    }
    for case in &cases {
        print_case(case);
    }
    print_line(format!("{open} open, {} shown", cases.len()));
    Ok(())
}

async fn show(context: &Context, arguments: &Show) -> Outcome {
    let found = matching::find(context, arguments.case).await?;
    let case = found.ok_or_else(|| Refusal::usage(anyhow!("no case {}", arguments.case)))?;
    if arguments.json {
        print_json(&case_json(&case));
    } else {
        print_case(&case);
    }
    Ok(())
}

async fn accept(context: &Context, arguments: &Decide) -> Outcome {
    let done = matching::accept(context, arguments.case, &arguments.by)
        .await
        .map_err(undecided)?;
    let merges: Vec<String> = done.merges.iter().map(ToString::to_string).collect();
    if arguments.json {
        print_json(&json!({"identity": done.identity.to_string(), "merges": merges}));
        return Ok(());
    }
    print_line(format!("one child: identity {}", done.identity));
    for merge in merges {
        print_line(format!("to undo: marelle match undo {merge} --by NAME"));
    }
    Ok(())
}

async fn refuse(context: &Context, arguments: &Decide) -> Outcome {
    matching::refuse(context, arguments.case, &arguments.by)
        .await
        .map_err(undecided)?;
    if arguments.json {
        print_json(&json!({"case": arguments.case.to_string(), "status": "refused"}));
    } else {
        print_line("two children; not asked again");
    }
    Ok(())
}

async fn undo(context: &Context, arguments: &Undo) -> Outcome {
    merge::undo(context, arguments.merge, &arguments.by)
        .await
        .map_err(|error| match error {
            MergeError::Failure(failure) => Refusal::from(failure),
            other => Refusal::guard(other),
        })?;
    if arguments.json {
        print_json(&json!({"merge": arguments.merge.to_string(), "undone": true}));
    } else {
        print_line("undone: both are as they were");
    }
    Ok(())
}

fn undecided(error: DecisionError) -> Refusal {
    match error {
        DecisionError::Unknown(_) => Refusal::usage(error),
        DecisionError::Failure(failure) => Refusal::from(failure),
        other => Refusal::guard(other),
    }
}

fn side_json(side: &Side) -> Value {
    json!({
        "identity": side.identity.to_string(), "name": side.name, "usage_name": side.usage_name,
        "birth_date": side.birth_date.to_string(), "has_ine": side.has_ine, "school": side.school.as_str(),
        "school_name": side.school_name, "class": side.class, "level": side.level, "year": side.year.first(),
        "source": side.source.as_str(), "place": side.place, "gone": side.gone,
    })
}

fn case_json(case: &CaseView) -> Value {
    let evidence = case
        .evidence
        .iter()
        .map(|evidence| json!({"for": evidence.speaks_for(), "sentence": evidence.sentence()}));
    json!({
        "case": case.id.to_string(), "reason": case.reason.as_str(), "question": case.question,
        "status": case.status.as_str(), "opened_at": case.opened_at.to_string(), "decided_by": case.decided_by,
        "evidence": evidence.collect::<Vec<_>>(), "sides": case.sides.iter().map(side_json).collect::<Vec<_>>(),
    })
}

fn print_case(case: &CaseView) {
    print_line(format!("{}  {}  {}", case.id, case.reason, case.status));
    print_line(format!("  {}", case.question));
    for side in &case.sides {
        let class = side.class.as_deref().or(side.level.as_deref()).unwrap_or("-");
        let school = side.school_name.as_deref().unwrap_or(side.school.as_str());
        print_line(format!(
            "  · {}, born {}, {class}, {school}, {} ({} {})",
            side.name, side.birth_date, side.year, side.source, side.place
        ));
    }
    for evidence in &case.evidence {
        let sign = match evidence.speaks_for() {
            Some(true) => "+",
            Some(false) => "−",
            None => "·",
        };
        print_line(format!("    {sign} {}", evidence.sentence()));
    }
}
