//! `marelle client`: relying parties one by one. A secret and a token are printed once and never again.

use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::time::Timestamp;
use crate::domain::grant::Scopes;
use crate::domain::registration::PolicyId;
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::flows::client::{self, Change};
use crate::flows::saml::metadata;
use crate::flows::security_event::{self, Delivery, Status};
use crate::flows::{Context, person, registration};

/// Look at relying parties, give them secrets, put them out of use, see what one receives.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List every relying party, declared and registered.
    List(Format),
    /// Show one relying party.
    Show(One),
    /// Make a new secret and print it, once; the one before stays live until `--retire-old`.
    Secret(NewSecret),
    /// Put a relying party out of use.
    Disable(One),
    /// Put a relying party in use again.
    Enable(One),
    /// Remove a relying party that its project registered, and revoke everything it was granted.
    Remove(One),
    /// Make a token that lets a project register clients, and print it, once.
    Invite(Invite),
    /// Take back every token that a project can still register clients with.
    RevokeInvites(Project),
    /// Show exactly what a relying party would receive about a person, and why.
    Preview(Preview),
    /// Show what a relying party was told of merges and erasures, try again what was given up, or send a test.
    Events(Events),
}

/// How the answer is written.
#[derive(Debug, Args)]
pub(super) struct Format {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A relying party.
#[derive(Debug, Args)]
pub(super) struct One {
    /// Its id.
    client: RelyingPartyId,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle client secret`.
#[derive(Debug, Args)]
pub(super) struct NewSecret {
    /// The relying party.
    client: RelyingPartyId,
    /// Make none, and take every secret but the newest out of use.
    #[arg(long)]
    retire_old: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle client invite`.
#[derive(Debug, Args)]
pub(super) struct Invite {
    /// The id of a `[[registration]]`.
    policy: PolicyId,
    /// How long the token is good, in days.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    expires_days: u32,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle client revoke-invites`.
#[derive(Debug, Args)]
pub(super) struct Project {
    /// The id of a `[[registration]]`.
    policy: PolicyId,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle client preview`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").required(true))]
pub(super) struct Preview {
    /// The relying party.
    client: RelyingPartyId,
    /// The person, by id.
    #[arg(long, value_name = "ID", group = "who")]
    identity: Option<crate::base::id::IdentityId>,
    /// The person, by login name.
    #[arg(long, value_name = "U", group = "who")]
    username: Option<String>,
    /// What the relying party asks for.
    #[arg(long, default_value = "openid profile email phone address education")]
    scope: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle client events`.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// The relying party.
    client: RelyingPartyId,
    /// Send an event that says nothing, to see whether the party takes events.
    #[arg(long, conflicts_with = "retry")]
    verify: bool,
    /// Try again everything that was given up.
    #[arg(long)]
    retry: bool,
    /// How many to show, latest first.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    count: i64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(format) => list(context, format.json).await,
        Command::Show(one) => show(context, &one).await,
        Command::Secret(arguments) if arguments.retire_old => retire(context, &arguments).await,
        Command::Secret(arguments) => secret(context, &arguments).await,
        Command::Disable(one) => set_enabled(context, &one, false).await,
        Command::Enable(one) => set_enabled(context, &one, true).await,
        Command::Remove(one) => {
            done(client::remove(context, &one.client).await?, &one.client)?;
            say(
                one.json,
                &json!({"client": one.client.as_str(), "removed": true}),
                "removed",
            );
            Ok(())
        }
        Command::Invite(arguments) => invite(context, &arguments).await,
        Command::RevokeInvites(project) => revoke_invites(context, &project).await,
        Command::Preview(arguments) => preview(context, &arguments).await,
        Command::Events(arguments) => events(context, &arguments).await,
    }
}

fn say(json: bool, object: &Value, line: &str) {
    if json {
        print_json(object);
    } else {
        print_line(line);
    }
}

fn unknown(id: &RelyingPartyId) -> Refusal {
    Refusal::usage(anyhow!("there is no relying party «{id}»"))
}

fn no_policy(id: &PolicyId) -> Refusal {
    Refusal::usage(anyhow!("no registration «{id}» is declared"))
}

fn done<T>(change: Change<T>, id: &RelyingPartyId) -> Result<T, Refusal> {
    match change {
        Change::Done(value) => Ok(value),
        Change::Unknown => Err(unknown(id)),
        Change::Refused(why) => Err(Refusal::guard(anyhow!("{id}: {why}"))),
    }
}

async fn list(context: &Context, json: bool) -> Outcome {
    let parties = client::list(context).await?;
    if json {
        print_json(&parties.iter().map(described).collect());
        return Ok(());
    }
    for party in &parties {
        let from = party.registration.as_ref().map_or_else(
            || "declared".to_owned(),
            |known| format!("registered by {}", known.policy),
        );
        let state = if party.enabled { "in use" } else { "out of use" };
        print_line(format!(
            "{}  {}  {}  {state}  {from}",
            party.id,
            party.name,
            protocols(party)
        ));
    }
    Ok(())
}

/// By what it can be spoken with.
fn protocols(party: &RelyingParty) -> String {
    let oidc = party
        .speaks_openid_connect()
        .then(|| party.auth_method.to_string());
    let saml = party.saml.as_ref().map(|saml| format!("saml {}", saml.entity_id));
    let cas = party.cas.as_ref().map(|_| "cas".to_owned());
    let spoken: Vec<String> = [oidc, saml, cas].into_iter().flatten().collect();
    spoken.join(" + ")
}

async fn show(context: &Context, one: &One) -> Outcome {
    let party = client::find(context, &one.client).await?;
    let party = party.ok_or_else(|| unknown(&one.client))?;
    let mut shown = described(&party);
    if let (Some(saml), Some(members)) = (&party.saml, shown.as_object_mut()) {
        let metadata = metadata::of_entity(context, &saml.entity_id).await?;
        members.insert("saml".to_owned(), json!(saml));
        members.insert(
            "saml_metadata".to_owned(),
            metadata.map_or_else(|| "none that is valid".into(), |copy| saml_metadata(&copy)),
        );
    }
    if one.json {
        print_json(&shown);
        return Ok(());
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => print_line(format!("{name}: {text}")),
            Value::Object(members) => {
                for (member, value) in members.iter().filter(|(_, value)| is_something(value)) {
                    print_line(format!("{name}.{member}: {value}"));
                }
            }
            value if is_something(value) => print_line(format!("{name}: {value}")),
            _ => {}
        }
    }
    Ok(())
}

fn saml_metadata(copy: &metadata::Copy) -> Value {
    json!({
        "source": copy.source,
        "fetched_at": copy.fetched_at.map(|at| at.to_string()),
        "valid_until": copy.valid_until.map(|at| at.to_string()),
        "provider": copy.provider,
    })
}

fn is_something(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

/// Everything that is no secret.
fn described(party: &RelyingParty) -> Value {
    let releases = party.release.0.iter().map(|line| {
        json!({
            "attribute": line.attribute.as_str(),
            "purpose": line.purpose,
            "convention": line.convention,
        })
    });
    json!({
        "id": party.id.as_str(),
        "name": party.name,
        "enabled": party.enabled,
        "home": party.home,
        "redirect_uris": party.redirect_uris,
        "post_logout_redirect_uris": party.post_logout_redirect_uris,
        "sector": party.sector,
        "subject": party.subject_strategy.as_str(),
        "token_endpoint_auth_method": party.auth_method.as_str(),
        "live_secrets": party.secrets.len(),
        "pkce_required": party.pkce_required,
        "id_token_signed_response_alg": party.id_token_alg.as_str(),
        "basis": party.basis.as_str(),
        "schools": party.schools.iter().map(|school| school.as_str()).collect::<Vec<_>>(),
        "release": releases.collect::<Vec<_>>(),
        "metadata": party.metadata,
        "saml": party.saml,
        "cas": party.cas,
        "registration": party.registration.as_ref().map(|known| json!({
            "policy": known.policy,
            "at": known.at.to_string(),
        })),
    })
}

async fn secret(context: &Context, arguments: &NewSecret) -> Outcome {
    let id = &arguments.client;
    let secret = done(client::add_secret(context, id).await?, id)?;
    let object = json!({"client": id.as_str(), "client_secret": secret.expose()});
    // The secret alone, so that it can go into a file.
    say(arguments.json, &object, secret.expose());
    Ok(())
}

async fn retire(context: &Context, arguments: &NewSecret) -> Outcome {
    let id = &arguments.client;
    let retired = done(client::retire_old_secrets(context, id).await?, id)?;
    let object = json!({"client": id.as_str(), "retired": retired});
    say(
        arguments.json,
        &object,
        &format!("secrets taken out of use: {retired}"),
    );
    Ok(())
}

async fn set_enabled(context: &Context, one: &One, enabled: bool) -> Outcome {
    let changed = done(
        client::set_enabled(context, &one.client, enabled).await?,
        &one.client,
    )?;
    let object = json!({"client": one.client.as_str(), "enabled": enabled, "changed": changed});
    let line = match (enabled, changed) {
        (true, true) => "in use",
        (false, true) => "out of use",
        (true, false) => "was in use already",
        (false, false) => "was out of use already",
    };
    say(one.json, &object, line);
    Ok(())
}

async fn events(context: &Context, arguments: &Events) -> Outcome {
    let id = &arguments.client;
    if client::find(context, id).await?.is_none() {
        return Err(unknown(id));
    }
    let Some(receiver) = security_event::receiver(context, id).await? else {
        return Err(Refusal::guard(anyhow!(
            "{id}: takes no events: declare [relying_party.event_receiver]"
        )));
    };
    if arguments.verify {
        let queued = security_event::verify(context, id).await?;
        let event = queued.map(|event| event.to_string());
        let line = "queued: the program sends it within five seconds";
        say(
            arguments.json,
            &json!({"client": id.as_str(), "verification": event}),
            line,
        );
        return Ok(());
    }
    if arguments.retry {
        let waiting = security_event::retry(context, id).await?;
        let object = json!({"client": id.as_str(), "waiting_again": waiting});
        say(arguments.json, &object, &format!("waiting again: {waiting}"));
        return Ok(());
    }
    let deliveries = security_event::of_client(context, id, arguments.count).await?;
    if arguments.json {
        let events = deliveries.iter().map(delivered).collect::<Vec<_>>();
        print_json(&json!({"client": id.as_str(), "receiver": receiver, "events": events}));
        return Ok(());
    }
    print_line(format!("receiver: {receiver}"));
    for delivery in &deliveries {
        let told = &delivery.told;
        let subject = told.event.subject().unwrap_or("-");
        let other = told
            .event
            .other()
            .map_or_else(String::new, |other| format!(" / {other}"));
        let (state, at) = state(&delivery.status);
        let result = delivery.result.as_deref().unwrap_or("not tried yet");
        print_line(format!(
            "{}  {}  {subject}{other}  {state} {at} ({result}, {} attempt(s))",
            told.at,
            told.event.kind(),
            delivery.attempts
        ));
    }
    Ok(())
}

fn delivered(delivery: &Delivery) -> Value {
    let told = &delivery.told;
    let (state, at) = state(&delivery.status);
    json!({
        "jti": told.id.to_string(), "event": told.event.kind().as_str(), "subject": told.event.subject(),
        "other": told.event.other(), "at": told.at.to_string(), "status": state, "status_at": at.to_string(),
        "attempts": delivery.attempts, "result": delivery.result,
    })
}

const fn state(status: &Status) -> (&'static str, Timestamp) {
    match status {
        Status::Waiting { due_at } => ("waiting", *due_at),
        Status::Delivered { at } => ("delivered", *at),
        Status::GivenUp { at } => ("given_up", *at),
    }
}

async fn invite(context: &Context, arguments: &Invite) -> Outcome {
    let lifetime = Duration::from_secs(u64::from(arguments.expires_days) * 24 * 3600);
    let invited = registration::invite(context, &arguments.policy, lifetime).await?;
    let (token, access) = invited.ok_or_else(|| no_policy(&arguments.policy))?;
    let object = json!({
        "registration": arguments.policy.as_str(),
        "initial_access_token": token.expose(),
        "expires_at": access.expires_at.to_string(),
        "registration_endpoint": format!("{}/oauth/register", context.settings.public_url),
    });
    say(arguments.json, &object, token.expose());
    Ok(())
}

async fn revoke_invites(context: &Context, project: &Project) -> Outcome {
    let revoked = registration::revoke_invites(context, &project.policy).await?;
    let revoked = revoked.ok_or_else(|| no_policy(&project.policy))?;
    let object = json!({"registration": project.policy.as_str(), "revoked": revoked});
    say(project.json, &object, &format!("tokens taken back: {revoked}"));
    Ok(())
}

async fn preview(context: &Context, arguments: &Preview) -> Outcome {
    let who = match (&arguments.identity, &arguments.username) {
        (Some(id), _) => id.to_string(),
        (None, username) => username.clone().unwrap_or_default(),
    };
    let Some(identity) = person::find(context, &who).await? else {
        return Err(Refusal::usage(anyhow!("there is nobody «{who}»")));
    };
    let scopes = Scopes::known_of(&arguments.scope);
    let seen = client::preview(context, &arguments.client, &identity, &scopes).await?;
    let seen = seen.ok_or_else(|| unknown(&arguments.client))?;
    if arguments.json {
        let lines = seen.lines.iter().map(|line| {
            json!({"attribute": line.attribute.as_str(), "released": line.is_released, "why": line.why})
        });
        print_json(&json!({
            "client": arguments.client.as_str(),
            "identity": identity.id.to_string(),
            "scope": scopes.to_string(),
            "subject": seen.subject,
            "known": seen.is_known,
            "closed": seen.closed,
            "claims": seen.claims,
            "cas": seen.cas,
            "attributes": lines.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    let subject = seen.subject.as_deref().unwrap_or("drawn at first release");
    let known = if seen.is_known { "known" } else { "not met yet" };
    print_line(format!("sub: {subject} ({known})"));
    if let Some(why) = seen.closed {
        print_line(format!("not let in: {why}"));
    }
    print_line(format!("receives: {:#}", Value::Object(seen.claims)));
    if let Some(answer) = seen.cas {
        print_line(format!("receives by CAS: {answer}"));
    }
    for line in &seen.lines {
        let sign = if line.is_released { "+" } else { "-" };
        print_line(format!("{sign} {:<18} {}", line.attribute.as_str(), line.why));
    }
    Ok(())
}
