//! `marelle match`: the cases that wait for a human, and what a human decides. Names are shown here, to whoever may run
//! the command on the server, and nowhere else.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::id::{MatchCaseId, MergeId};
use crate::flows::Context;
use crate::flows::matching::{self, CaseView, DecisionError, Side};
use crate::flows::merge::{self, MergeError};

/// List, show, decide, undo.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The open cases, oldest first.
    List(List),
    /// One case, both sides.
    Show(Show),
    /// One person: the two identities become one.
    Accept(Decide),
    /// Two persons, for ever.
    Refuse(Decide),
    /// Undo a merge: the absorbed identity comes back with everything that was its own.
    Undo(Undo),
    /// The latest merges.
    Merges(List),
}

/// Arguments of `marelle match list` and `marelle match merges`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How many.
    #[arg(long, default_value_t = 50)]
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
    #[arg(value_name = "CASE")]
    case: MatchCaseId,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle match accept` and `marelle match refuse`.
#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The case.
    #[arg(value_name = "CASE")]
    case: MatchCaseId,
    /// Who decides; kept with the case and in the audit journal.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle match undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The merge.
    #[arg(value_name = "MERGE")]
    merge: MergeId,
    /// Who decides; kept in the audit journal.
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
        Command::Undo(arguments) => take_back(context, &arguments).await,
        Command::Merges(arguments) => merges(context, &arguments).await,
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let (cases, open) = matching::list(context, arguments.after, arguments.count).await?;
    if arguments.json {
        print_json(&json!({"open": open, "cases": cases.iter().map(as_json).collect::<Vec<_>>()}));
        return Ok(());
    }
    for case in &cases {
        print_case(case);
    }
    print_line(format!("{} of {open} open case(s)", cases.len()));
    Ok(())
}

async fn show(context: &Context, arguments: &Show) -> Outcome {
    let found = matching::find(context, arguments.case).await?;
    let Some(case) = found else {
        return Err(Refusal::usage(DecisionError::Unknown(arguments.case)));
    };
    if arguments.json {
        print_json(&as_json(&case));
    } else {
        print_case(&case);
    }
    Ok(())
}

fn side(side: &Side) -> Value {
    json!({
        "record": side.record.to_string(), "identity": side.identity.to_string(), "name": side.name,
        "usage_name": side.usage_name, "birth_date": side.birth_date.to_string(), "has_ine": side.has_ine,
        "school": side.school.as_str(), "school_name": side.school_name, "class": side.class, "level": side.level,
        "year": side.year.first(), "source": side.source.as_str(), "place": side.place, "gone": side.gone,
    })
}

fn as_json(case: &CaseView) -> Value {
    let evidence = case.evidence.iter();
    json!({
        "case": case.id.to_string(), "reason": case.reason.as_str(), "question": case.question,
        "status": case.status.as_str(), "opened_at": case.opened_at.to_string(), "decided_by": case.decided_by,
        "evidence": evidence
            .map(|evidence| json!({
                "term": evidence.as_str(), "speaks_for": evidence.speaks_for(), "sentence": evidence.sentence(),
            }))
            .collect::<Vec<_>>(),
        "sides": case.sides.iter().map(side).collect::<Vec<_>>(),
    })
}

fn print_case(case: &CaseView) {
    print_line(format!("{}  {} ({})", case.id, case.question, case.status));
    for side in &case.sides {
        let mut line = format!("    {}", side.name);
        if let Some(usage_name) = &side.usage_name {
            line.push_str(&format!(" ({usage_name})"));
        }
        line.push_str(&format!(", {}", side.birth_date.format("%d/%m/%Y")));
        let school = side.school_name.as_deref().unwrap_or_else(|| side.school.as_str());
        line.push_str(&format!(" · {school} ({})", side.school));
        for part in [&side.level, &side.class].into_iter().flatten() {
            line.push_str(&format!(" · {part}"));
        }
        line.push_str(&format!(" · {} {} · {}", side.source, side.year, side.place));
        if side.gone {
            line.push_str(" · no longer in its feed");
        }
        print_line(line);
    }
    for evidence in &case.evidence {
        let mark = match evidence.speaks_for() {
            Some(true) => '+',
            Some(false) => '−',
            None => '·',
        };
        print_line(format!("      {mark} {}", evidence.sentence()));
    }
}

fn undecided(error: DecisionError, id: MatchCaseId, as_json: bool) -> Refusal {
    if as_json {
        print_json(&json!({"case": id.to_string(), "refused": error.to_string()}));
    }
    match error {
        DecisionError::Unknown(_) => Refusal::usage(error),
        DecisionError::Settled(_) | DecisionError::Contradicts(_) | DecisionError::Gone => Refusal::guard(error),
        DecisionError::Failure(failure) => Refusal::from(failure),
    }
}

async fn accept(context: &Context, arguments: &Decide) -> Outcome {
    let accepted = matching::accept(context, arguments.case, &arguments.by)
        .await
        .map_err(|error| undecided(error, arguments.case, arguments.json))?;
    let merges: Vec<String> = accepted.merges.iter().map(ToString::to_string).collect();
    if arguments.json {
        print_json(&json!({"identity": accepted.identity.to_string(), "merges": merges}));
        return Ok(());
    }
    print_line(format!("one person: {}", accepted.identity));
    for merge in merges {
        print_line(format!("to undo: marelle match undo {merge} --by NAME"));
    }
    Ok(())
}

async fn refuse(context: &Context, arguments: &Decide) -> Outcome {
    matching::refuse(context, arguments.case, &arguments.by)
        .await
        .map_err(|error| undecided(error, arguments.case, arguments.json))?;
    if arguments.json {
        print_json(&json!({"case": arguments.case.to_string(), "status": "refused"}));
    } else {
        print_line("two persons, for ever");
    }
    Ok(())
}

async fn take_back(context: &Context, arguments: &Undo) -> Outcome {
    match merge::undo(context, arguments.merge, &arguments.by).await {
        Ok(()) => {
            if arguments.json {
                print_json(&json!({"merge": arguments.merge.to_string(), "status": "undone"}));
            } else {
                print_line("undone: two persons again, each with what was their own");
            }
            Ok(())
        }
        Err(error @ MergeError::Unknown(_)) => Err(Refusal::usage(error)),
        Err(MergeError::Refused(obstacle)) => {
            if arguments.json {
                print_json(&json!({
                    "merge": arguments.merge.to_string(), "refused": obstacle.code(), "message": obstacle.to_string(),
                }));
            }
            Err(Refusal::guard(MergeError::Refused(obstacle)))
        }
        Err(MergeError::Failure(failure)) => Err(Refusal::from(failure)),
    }
}

async fn merges(context: &Context, arguments: &List) -> Outcome {
    let merges = merge::recent(context, arguments.count).await?;
    if arguments.json {
        let lines: Vec<Value> = merges
            .iter()
            .map(|merge| {
                json!({
                    "merge": merge.id.to_string(), "kept": merge.kept.to_string(),
                    "absorbed": merge.absorbed.to_string(), "case": merge.case.map(|case| case.to_string()),
                    "by": merge.actor, "run": merge.created_run.map(|run| run.to_string()),
                    "merged_at": merge.merged_at.to_string(), "undone_at": merge.undone_at.map(|at| at.to_string()),
                })
            })
            .collect();
        print_json(&json!(lines));
        return Ok(());
    }
    for merge in &merges {
        let how = match (&merge.case, merge.undone_at) {
            (_, Some(at)) => format!("undone {at}"),
            (Some(case), None) => format!("case {case} accepted by {}", merge.actor),
            (None, None) => "certain".to_owned(),
        };
        print_line(format!(
            "{}  {}  {} into {}  {how}",
            merge.id, merge.merged_at, merge.absorbed, merge.kept
        ));
    }
    Ok(())
}
