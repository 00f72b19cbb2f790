//! `marelle upstream`: the providers that people come from, who is linked by them, and who waits to be recognised.
//!
//! Names and birth dates are shown to whoever runs the command, and written nowhere else.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::id::{IdentityId, UpstreamCaseId};
use crate::base::time::Timestamp;
use crate::domain::audit::Actor;
use crate::domain::identity::Identity;
use crate::domain::upstream::{Link, ProviderId};
use crate::flows::Context;
use crate::flows::upstream::case::{self, Verdict, View, Word};
use crate::flows::upstream::link::{self, Change};
use crate::flows::upstream::metadata::{self, Outcome as Refreshed};
use crate::flows::upstream::{self, Standing, rights};

/// The providers that people come from.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the providers: whether they are open, how their logins go, how old their keys are, what needs somebody to look.
    List(Json),
    /// Fetch keys and addresses now: of one provider, or of all.
    Refresh(Refresh),
    /// List the logins that are linked to a person.
    Links(Links),
    /// Link a login at a provider to a person.
    Link(Make),
    /// Take a link apart: the person is signed out everywhere, and signs in otherwise.
    Unlink(Unlink),
    /// The provider gave a person another identifier.
    Rekey(Rekey),
    /// Show what rights claims of a member of staff would give today, by which rule, and what is ignored.
    Rights(Rights),
    /// List the people whom a provider signed in and whom a human has to recognise.
    Cases(Json),
    /// Say who somebody is.
    Decide(Decide),
}

/// How to answer.
#[derive(Debug, Args)]
pub(super) struct Json {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle upstream refresh`.
#[derive(Debug, Args)]
pub(super) struct Refresh {
    /// The provider. Default: all.
    id: Option<ProviderId>,
    #[command(flatten)]
    json: Json,
}

/// Arguments of `marelle upstream links`.
#[derive(Debug, Args)]
pub(super) struct Links {
    /// The person: an id, or a login name.
    person: String,
    #[command(flatten)]
    json: Json,
}

/// A login at a provider.
#[derive(Debug, Args)]
struct There {
    /// The provider.
    provider: ProviderId,
    /// The person as the provider names them, to the letter.
    subject: String,
}

/// Arguments of `marelle upstream link`.
#[derive(Debug, Args)]
pub(super) struct Make {
    #[command(flatten)]
    there: There,
    /// The person here.
    identity: IdentityId,
}

/// Arguments of `marelle upstream unlink`.
#[derive(Debug, Args)]
pub(super) struct Unlink {
    #[command(flatten)]
    there: There,
}

/// Arguments of `marelle upstream rekey`.
#[derive(Debug, Args)]
pub(super) struct Rekey {
    #[command(flatten)]
    there: There,
    /// What the provider names the person now.
    new: String,
}

/// Arguments of `marelle upstream rights`.
#[derive(Debug, Args)]
pub(super) struct Rights {
    /// The provider.
    provider: ProviderId,
    /// A file with the claims, a JSON object as the provider states them. Nothing of it is kept.
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// Arguments of `marelle upstream decide`.
#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The case.
    case: UpstreamCaseId,
    #[command(flatten)]
    word: WordArguments,
    /// Who decides; it is journalled.
    #[arg(long, value_name = "NAME")]
    by: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WordArguments {
    /// It is this person; of a child's number (child_unknown): it is this pupil's.
    #[arg(long, value_name = "IDENTITY")]
    is: Option<IdentityId>,
    /// It is nobody whom we know: they become a new identity.
    #[arg(long)]
    new: bool,
    /// They are not to come in by this; of a child's number: it is nobody's here.
    #[arg(long)]
    refuse: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(arguments) => list(context, arguments.json).await,
        Command::Refresh(arguments) => refresh(context, &arguments).await,
        Command::Links(arguments) => links(context, &arguments).await,
        Command::Link(Make { there, identity }) => {
            let made = link::make(context, &there.provider, (&there.subject, identity)).await?;
            changed(made, &there)
        }
        Command::Unlink(Unlink { there }) => {
            let ended = link::unlink(context, &there.provider, &there.subject, &Actor::Operator).await?;
            changed(ended, &there)
        }
        Command::Rekey(Rekey { there, new }) => {
            let keys = (there.subject.as_str(), new.as_str());
            changed(
                link::rekey(context, &there.provider, keys, &Actor::Operator).await?,
                &there,
            )
        }
        Command::Rights(arguments) => show_rights(context, &arguments).await,
        Command::Cases(arguments) => cases(context, arguments.json).await,
        Command::Decide(arguments) => decide(context, &arguments).await,
    }
}

async fn list(context: &Context, json: bool) -> Outcome {
    let now = context.now();
    let all = upstream::standing(context).await?;
    if json {
        print_json(&all.iter().map(|one| described(one, now)).collect());
        return Ok(());
    }
    for one in &all {
        tell(one, now);
    }
    Ok(())
}

fn tell(one: &Standing, now: Timestamp) {
    let provider = &one.provider;
    let open = if provider.is_open(now.date()) {
        "open"
    } else {
        "closed"
    };
    let people: Vec<&str> = provider.populations.iter().map(|one| one.as_str()).collect();
    print_line(format!(
        "{}  {}  {open}  «{}»  for {}",
        provider.id,
        provider.preset,
        provider.name,
        people.join(", ")
    ));
    print_line(format!("  {}", provider.protocol.issuer()));
    let at = |moment: Option<Timestamp>| moment.map_or_else(|| "never".to_owned(), |at| at.to_string());
    print_line(format!(
        "  {} people linked; last login {}; keys of {}",
        one.links,
        at(one.health.succeeded_at),
        at(one.metadata.succeeded_at)
    ));
    if one.health.failures > 0 {
        let why = one.health.failure.as_deref().unwrap_or("?");
        print_line(format!(
            "  ** {} answers refused since; last {}: {why} **",
            one.health.failures,
            at(one.health.failed_at)
        ));
    }
    if let Some(why) = &one.metadata.failure {
        print_line(format!("  keys not taken {}: {why}", at(one.metadata.failed_at)));
    }
    let change = &one.metadata.change;
    if !change.is_empty() {
        print_line(format!(
            "  last change {}: new keys {:?}, gone keys {:?}, changed {:?}",
            at(one.metadata.changed_at),
            change.new_keys,
            change.gone_keys,
            change.changed
        ));
    }
    for warning in metadata::warnings(&one.metadata, now) {
        print_line(format!("  ** {warning} **"));
    }
}

fn described(one: &Standing, now: Timestamp) -> Value {
    let at = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let provider = &one.provider;
    json!({
        "id": provider.id.as_str(),
        "name": provider.name,
        "preset": provider.preset.as_str(),
        "issuer": provider.protocol.issuer(),
        "populations": provider.populations,
        "is_open": provider.is_open(now.date()),
        "links": one.links,
        "last_login_at": at(one.health.succeeded_at),
        "last_failure_at": at(one.health.failed_at),
        "last_failure": one.health.failure,
        "failures_since": one.health.failures,
        "keys_taken_at": at(one.metadata.succeeded_at),
        "keys_age_seconds": one.metadata.age(now).map(|age| age.as_secs()),
        "keys_failure": one.metadata.failure,
        "valid_until": at(one.metadata.valid_until),
        "changed_at": at(one.metadata.changed_at),
        "change": one.metadata.change,
        "warnings": metadata::warnings(&one.metadata, now),
    })
}

async fn refresh(context: &Context, arguments: &Refresh) -> Outcome {
    let ids = match &arguments.id {
        Some(id) => vec![id.clone()],
        None => {
            let all = upstream::standing(context).await?;
            all.into_iter().map(|one| one.provider.id).collect()
        }
    };
    let (mut lines, mut failed) = (Vec::new(), None);
    for id in ids {
        let done = metadata::refresh(context, &id).await?;
        let done = done.ok_or_else(|| Refusal::usage(anyhow!("there is no provider «{id}»")))?;
        let (word, more) = match &done {
            Refreshed::Taken(change) if change.is_empty() => ("taken", String::new()),
            Refreshed::Taken(change) => ("taken", format!("{change:?}")),
            Refreshed::Declared => ("in the declaration", String::new()),
            Refreshed::Busy => ("another node is at it", String::new()),
            Refreshed::Failed(why) => ("failed", why.clone()),
        };
        if let Refreshed::Failed(why) = &done {
            failed = Some(anyhow!("{id}: {why}"));
        }
        if arguments.json.json {
            lines.push(json!({"id": id.as_str(), "outcome": word, "more": more}));
        } else {
            print_line(format!("{id}  {word}  {more}").trim_end());
        }
    }
    if arguments.json.json {
        print_json(&Value::Array(lines));
    }
    failed.map_or(Ok(()), |cause| Err(Refusal::from(cause)))
}

async fn links(context: &Context, arguments: &Links) -> Outcome {
    let found = crate::flows::person::find(context, &arguments.person).await?;
    let person = found.ok_or_else(|| Refusal::usage(anyhow!("nobody is «{}»", arguments.person)))?;
    let links = link::of_identity(context, person.id).await?;
    if arguments.json.json {
        print_json(&links.iter().map(of_link).collect());
        return Ok(());
    }
    for link in &links {
        let used = link
            .used_at
            .map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
        print_line(format!(
            "{}  {}  by {} on {}, {used}",
            link.provider, link.subject, link.binding, link.linked_at
        ));
    }
    Ok(())
}

fn of_link(link: &Link) -> Value {
    json!({
        "id": link.id.to_string(),
        "provider": link.provider.as_str(),
        "subject": link.subject,
        "identity": link.identity.to_string(),
        "binding": link.binding.as_str(),
        "convention": link.convention,
        "linked_at": link.linked_at.to_string(),
        "used_at": link.used_at.map(|at| at.to_string()),
    })
}

fn changed(change: Change, there: &There) -> Outcome {
    let There { provider, subject } = there;
    match change {
        Change::Done => {
            print_line(format!("{provider}  {subject}  done"));
            Ok(())
        }
        Change::Unknown => Err(Refusal::usage(anyhow!(
            "{provider} {subject}: no such provider, person or link"
        ))),
        Change::Taken => Err(Refusal::guard(anyhow!(
            "{provider} {subject}: is linked to somebody else; take that link apart first"
        ))),
    }
}

async fn show_rights(context: &Context, arguments: &Rights) -> Outcome {
    let path = arguments.claims.display();
    let text = std::fs::read_to_string(&arguments.claims)
        .map_err(|error| Refusal::unreadable(anyhow!("{path}: {error}")))?;
    let claims =
        serde_json::from_str(&text).map_err(|error| Refusal::unreadable(anyhow!("{path}: {error}")))?;
    let id = &arguments.provider;
    let preview = rights::preview(context, id, &claims).await?;
    let preview = preview.ok_or_else(|| Refusal::usage(anyhow!("there is no provider «{id}»")))?;
    if arguments.json.json {
        let granted = preview.rights.granted.iter().map(|right| {
            json!({
                "right": right.gives.to_string(),
                "rule": right.rule,
                "until": right.until.map(|day| day.to_string()),
            })
        });
        let ignored = preview.rights.ignored.iter();
        let ignored = ignored.map(|one| json!({"what": one.what, "why": one.why.as_str()}));
        print_json(&json!({
            "is_open": preview.is_open,
            "is_of_staff": preview.is_of_staff,
            "granted": granted.collect::<Vec<_>>(),
            "ignored": ignored.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    if !preview.is_open {
        print_line("the provider is closed: nothing of this counts");
    }
    if !preview.is_of_staff {
        print_line("a provider of this preset says nothing of staff");
    }
    for right in &preview.rights.granted {
        let until = right
            .until
            .map_or_else(String::new, |day| format!(", until {day}"));
        print_line(format!("gives  {}  by {}{until}", right.gives, right.rule));
    }
    for one in &preview.rights.ignored {
        print_line(format!("ignored  {}  {}", one.what, one.why));
    }
    Ok(())
}

async fn cases(context: &Context, json: bool) -> Outcome {
    let all = case::list(context).await?;
    if json {
        print_json(&all.iter().map(of_case).collect());
        return Ok(());
    }
    for view in &all {
        let said = view.introduction.as_ref();
        let named = said.map_or_else(String::new, |said| {
            let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            let born = said
                .birth_date
                .map_or_else(|| "?".to_owned(), |date| date.to_string());
            format!(
                "{} {}, born {born}",
                word(&said.given_name),
                word(&said.family_name)
            )
        });
        print_line(format!(
            "{}  {}  {}  {named}",
            view.case.id, view.case.provider, view.case.doubt
        ));
        if let Some((number, school)) = &view.child {
            print_line(format!(
                "  guardian of the pupil who is number {number} of school {school}"
            ));
        }
        for candidate in &view.candidates {
            print_line(format!("  may be {}", in_words(candidate)));
        }
    }
    Ok(())
}

fn in_words(person: &Identity) -> String {
    let born = person
        .birth_date
        .map_or_else(|| "?".to_owned(), |date| date.to_string());
    format!("{}  {}, born {born}", person.id, person.display_name())
}

fn of_case(view: &View) -> Value {
    let said = view.introduction.as_ref();
    let candidates = view.candidates.iter().map(|person| {
        json!({
            "identity": person.id.to_string(),
            "name": person.display_name(),
            "birth_date": person.birth_date.map(|date| date.to_string()),
        })
    });
    json!({
        "id": view.case.id.to_string(),
        "provider": view.case.provider.as_str(),
        "subject": view.case.subject,
        "doubt": view.case.doubt,
        "child": view.child.as_ref().map(|(number, school)| json!({"number": number, "school": school.as_str()})),
        "given_name": said.and_then(|said| said.given_name.clone()),
        "family_name": said.and_then(|said| said.family_name.clone()),
        "birth_date": said.and_then(|said| said.birth_date).map(|date| date.to_string()),
        "candidates": candidates.collect::<Vec<_>>(),
        "opened_at": view.case.opened_at.to_string(),
        "seen_at": view.case.seen_at.to_string(),
    })
}

async fn decide(context: &Context, arguments: &Decide) -> Outcome {
    let word = match (arguments.word.is, arguments.word.new) {
        (Some(identity), _) => Word::Is(identity),
        (None, true) => Word::New,
        (None, false) => Word::Refuse,
    };
    let by = (arguments.by.as_str(), &Actor::Operator);
    match case::decide(context, arguments.case, word, by).await? {
        Verdict::Decided => {
            print_line(format!("{}  decided", arguments.case));
            Ok(())
        }
        Verdict::Unknown => Err(Refusal::usage(anyhow!(
            "{}: no such open case, no such person, or no pupil of that school",
            arguments.case
        ))),
        Verdict::Taken => Err(Refusal::guard(anyhow!(
            "{}: the login is linked to somebody (take that link apart first), or the number is another pupil's",
            arguments.case
        ))),
    }
}
