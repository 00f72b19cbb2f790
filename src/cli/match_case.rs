//! `marelle match`: the pairs that a human must decide.
//!
//! Names and birth dates are shown to whoever runs the command, and written nowhere else.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::id::{MatchCaseId, MergeId};
use crate::domain::source::Kinship;
use crate::flows::Context;
use crate::flows::matching::{
    self, CaseView, DecisionError, Evaluation, Family, Reported, ReportedCase, Side, Stakes,
};
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
    /// Every record with its identity, and every open case, by the keys of the sources: one JSON object a line.
    Report(Report),
    /// Count what was found against a truth.
    Evaluate(Evaluate),
    /// Estimate from the records there are how often each kind of error is made; with `--apply`, weigh with it from now on.
    Estimate(Estimate),
}

/// Arguments of `marelle match list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How many cases, those first whose decision helps most.
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// Only those that come after this one.
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

/// Arguments of `marelle match report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// One JSON object a line; there is no other form.
    #[arg(long, default_value_t = true)]
    jsonl: bool,
}

/// Arguments of `marelle match evaluate`.
#[derive(Debug, Args)]
pub(super) struct Evaluate {
    /// One JSON object a line: `source`, `key` (as `match report` tells it) and `person`, a number or text; `scope` where keys of
    /// several academies are alike.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle match estimate`.
#[derive(Debug, Args)]
pub(super) struct Estimate {
    /// Weigh with what was estimated, and look at every record again.
    #[arg(long)]
    apply: bool,
    /// Who decides so; it is journalled.
    #[arg(long, value_name = "NAME", default_value = "operator")]
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
        Command::Report(_) => report(context).await,
        Command::Evaluate(arguments) => evaluate(context, &arguments).await,
        Command::Estimate(arguments) => estimate(context, &arguments).await,
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let listed = matching::list(context, arguments.after, arguments.count).await?;
    let Some(listed) = listed else {
        let after = arguments.after.map(|case| case.to_string());
        return Err(Refusal::usage(anyhow!(
            "case {} is not open",
            after.unwrap_or_default()
        )));
    };
    let (cases, open) = (listed.cases, listed.open);
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

fn reported_json(record: &Reported) -> Value {
    json!({
        "source": record.source.as_str(), "scope": record.scope, "key": record.key, "school": record.school.as_str(),
        "file": record.file, "line": record.line, "identity": record.identity.to_string(),
    })
}

fn reported_case_json(case: &ReportedCase) -> Value {
    let evidence: Vec<&str> = case.evidence.iter().map(|evidence| evidence.as_str()).collect();
    json!({
        "case": case.case.to_string(), "reason": case.reason.as_str(), "weight": case.weight, "evidence": evidence,
        "records": case.records.iter().map(reported_json).collect::<Vec<_>>(),
    })
}

async fn report(context: &Context) -> Outcome {
    let mut after = None;
    loop {
        let page = matching::records(context, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.record);
        for record in &page {
            print_line(reported_json(record));
        }
    }
    let mut after = None;
    loop {
        let page = matching::open_cases(context, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.case);
        for case in &page {
            print_line(reported_case_json(case));
        }
    }
    Ok(())
}

/// The person of each record, by source, scope (empty where the truth has none) and key.
type Truth = HashMap<(String, String, String), u64>;

fn truth(path: &PathBuf) -> Result<Truth, Refusal> {
    let file = std::fs::File::open(path)
        .with_context(|| path.display().to_string())
        .map_err(Refusal::usage)?;
    let mut people: HashMap<String, u64> = HashMap::new();
    let mut truth = Truth::new();
    for (number, line) in (1..).zip(std::io::BufReader::new(file).lines()) {
        let wrong = |what: &str| Refusal::usage(anyhow!("{}:{number}: {what}", path.display()));
        let line = line.map_err(|error| wrong(&error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let read: Value = serde_json::from_str(&line).map_err(|error| wrong(&error.to_string()))?;
        let text = |name: &str| read.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(source), Some(key), Some(person)) = (text("source"), text("key"), read.get("person"))
        else {
            return Err(wrong("source, key and person are needed"));
        };
        let next = people.len() as u64;
        let person = *people.entry(person.to_string()).or_insert(next);
        truth.insert((source, text("scope").unwrap_or_default(), key), person);
    }
    Ok(truth)
}

async fn evaluate(context: &Context, arguments: &Evaluate) -> Outcome {
    let truth = truth(&arguments.truth)?;
    let known = Mutex::new(HashSet::new());
    let person = |record: &Reported| {
        let key = |scope: &str| (record.source.to_string(), scope.to_owned(), record.key.clone());
        let found = truth
            .get_key_value(&key(&record.scope))
            .or_else(|| truth.get_key_value(&key("")));
        let (key, person) = found?;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.clone());
        Some(*person)
    };
    let (found, untold) = matching::evaluate(context, &person).await?;
    let known = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let unloaded = truth.len() - known.len();
    if known.is_empty() {
        return Err(Refusal::usage(anyhow!(
            "{}: no line names a record that was loaded; source, scope and key are as `marelle match report` tells them",
            arguments.truth.display()
        )));
    }
    if arguments.json {
        print_json(&evaluation_json(&found, untold, unloaded));
    } else {
        print_evaluation(&found, untold, unloaded);
    }
    Ok(())
}

fn evaluation_json(found: &Evaluation, untold: u64, unloaded: usize) -> Value {
    json!({
        "records": found.records, "untold": untold, "unloaded": unloaded, "persons": found.persons, "true_pairs": found.true_pairs,
        "linked": found.linked, "precision": found.precision(), "recall": found.recall(), "f1": found.f1(),
        "recall_with_review": found.recall_with_review(), "cases": found.cases, "true_cases": found.true_cases,
        "cases_per_1000": found.cases_per_thousand(), "false_pairs": found.false_pairs,
        "false_twins": found.false_twins, "false_homonyms": found.false_homonyms,
    })
}

fn print_evaluation(found: &Evaluation, untold: u64, unloaded: usize) {
    print_line(format!(
        "{} records of {} persons ({untold} more are not in the truth), {} pairs of one person",
        found.records, found.persons, found.true_pairs
    ));
    if unloaded > 0 {
        print_line(format!(
            "! {unloaded} lines of the truth name no record that was loaded; what they would add is not counted"
        ));
    }
    print_line(format!(
        "precision {:.5}, recall {:.5}, F1 {:.5}; recall with review {:.5}",
        found.precision(),
        found.recall(),
        found.f1(),
        found.recall_with_review()
    ));
    print_line(format!(
        "{} open cases ({:.2} for 1,000 persons), of which {} are one person",
        found.cases,
        found.cases_per_thousand(),
        found.true_cases
    ));
    print_line(format!(
        "{} false pairs: {} within a household, {} homonyms, {} others",
        found.false_pairs,
        found.false_twins,
        found.false_homonyms,
        found.false_pairs - found.false_twins - found.false_homonyms
    ));
}

async fn estimate(context: &Context, arguments: &Estimate) -> Outcome {
    let found = matching::estimate(context).await?;
    let settled = if arguments.apply {
        Some(matching::weigh_with(context, found.rates.clone(), &arguments.by).await?)
    } else {
        None
    };
    if arguments.json {
        print_json(&json!({"pairs": found.pairs, "rates": found.rates, "settled": settled}));
        return Ok(());
    }
    print_line(format!("{:.0} pairs of one child expected", found.pairs));
    for (what, degrees, rates) in [
        (
            "birth date",
            "same, swapped, close, other",
            &found.rates.birth[..],
        ),
        ("family name", "same, part, close, other", &found.rates.family),
        ("given name", "same, part, close, other", &found.rates.given),
        ("INE", "same, close, other", &found.rates.ine),
        ("sex", "same, other", &found.rates.sex),
        ("other given names", "one in common, none", &found.rates.others),
        (
            "stated school of the year before",
            "it, another",
            &found.rates.previous,
        ),
    ] {
        let shares: Vec<String> = rates
            .iter()
            .map(|rate| format!("{:.2} %", rate * 100.0))
            .collect();
        print_line(format!("{what} ({degrees}): {}", shares.join(", ")));
    }
    match settled {
        Some(count) => print_line(format!("in force; {count} records were settled anew")),
        None => print_line("nothing was changed (--apply weighs with it)"),
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
        "guardians": side.family.guardians.iter().map(|guardian| json!({
            "identity": guardian.identity.to_string(), "name": guardian.name,
            "kinship": guardian.kinship.map(Kinship::as_str),
        })).collect::<Vec<_>>(),
        "siblings": side.family.siblings,
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
        "weight": case.weight,
        "stakes": case.stakes.map(|stakes| json!({
            "in_use": stakes.in_use, "settles": stakes.settles, "is_joined": stakes.is_joined,
        })),
        "evidence": evidence.collect::<Vec<_>>(), "sides": case.sides.iter().map(side_json).collect::<Vec<_>>(),
    })
}

fn print_case(case: &CaseView) {
    print_line(format!("{}  {}  {}", case.id, case.reason, case.status));
    print_line(format!("  {}", case.question));
    if let Some(stakes) = case.stakes {
        print_stakes(stakes);
    }
    for side in &case.sides {
        let class = side.class.as_deref().or(side.level.as_deref()).unwrap_or("-");
        let school = side.school_name.as_deref().unwrap_or(side.school.as_str());
        print_line(format!(
            "  · {}, born {}, {class}, {school}, {} ({} {})",
            side.name, side.birth_date, side.year, side.source, side.place
        ));
        print_family(&side.family);
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

fn print_stakes(stakes: Stakes) {
    let mut lines = Vec::new();
    if stakes.is_joined {
        lines.push("les deux fiches sont aujourd'hui une seule personne".to_owned());
    }
    match stakes.in_use {
        0 => {}
        1 => lines.push("un compte sert déjà".to_owned()),
        _ => lines.push("les deux comptes servent déjà".to_owned()),
    }
    if stakes.settles > 0 {
        lines.push(format!("{} autre(s) dossier(s) en dépendent", stakes.settles));
    }
    if !lines.is_empty() {
        print_line(format!("  ! {}", lines.join(" ; ")));
    }
}

fn print_family(family: &Family) {
    let names: Vec<&str> = family
        .guardians
        .iter()
        .map(|guardian| guardian.name.as_str())
        .collect();
    if !names.is_empty() {
        print_line(format!("      responsables : {}", names.join(", ")));
    }
    if !family.siblings.is_empty() {
        let siblings: Vec<&str> = family.siblings.iter().map(String::as_str).collect();
        print_line(format!("      leurs autres enfants : {}", siblings.join(", ")));
    }
}
