//! `marelle keys`: the signing keys and their rotation.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::domain::audit::Actor;
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::signing_key::SigningKey;
use crate::flows::Context;
use crate::flows::keys::{self, Keyring, Listed, Rotation};
use crate::flows::saml;

/// List and rotate signing keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List every key: algorithm, state, dates, name.
    List(List),
    /// Retire the current key, let the next one sign, publish a new next one.
    Rotate(Rotate),
    /// List the keys of SAML, and which federations tell their members of each.
    SamlList(List),
    /// Let the next SAML key sign, once partners know it: nothing does this by itself.
    SamlRotate(Rotate),
}

/// Arguments of `marelle keys list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle keys rotate`.
#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// `RS256` or `ES256`. Default: both.
    #[arg(long, value_name = "ALG")]
    algorithm: Option<SigningAlgorithm>,
    /// Rotate although relying parties may not have seen the next key yet: after a leak. Every node signs with it within
    /// seconds; the old key stays published for a week.
    #[arg(long, visible_alias = "now")]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::SamlList(arguments) => return saml_list(context, arguments.json).await,
        Command::SamlRotate(arguments) => return rotate(context, &arguments, true).await,
        Command::List(_) | Command::Rotate(_) => {}
    }
    // First start: there is something to list and to rotate.
    Keyring::open(context).await?;
    match command {
        Command::List(arguments) => list(context, arguments.json).await,
        Command::Rotate(arguments) => rotate(context, &arguments, false).await,
        Command::SamlList(_) | Command::SamlRotate(_) => Ok(()),
    }
}

async fn list(context: &Context, json: bool) -> Outcome {
    let listed = keys::list(context).await?;
    if json {
        print_json(&listed.iter().map(described).collect());
        return Ok(());
    }
    print_line(
        "ALG    STATE    PUBLISHED  MADE                  SIGNS SINCE           RETIRED               KID",
    );
    for line in &listed {
        let at = |moment: Option<crate::base::time::Timestamp>| {
            moment.map_or_else(|| "-".to_owned(), |moment| moment.to_string())
        };
        print_line(format!(
            "{:<6} {:<8} {:<10} {:<21} {:<21} {:<21} {}",
            line.key.algorithm.as_str(),
            line.key.state.as_str(),
            if line.published { "yes" } else { "no" },
            line.key.created_at.to_string(),
            at(line.key.state.activated_at()),
            at(line.key.state.retired_at()),
            line.kid,
        ));
    }
    Ok(())
}

fn described(line: &Listed) -> Value {
    let mut described = moved(&line.key);
    if let Some(members) = described.as_object_mut() {
        members.insert("kid".to_owned(), line.kid.as_str().into());
        members.insert("published".to_owned(), line.published.into());
    }
    described
}

fn moved(key: &SigningKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "algorithm": key.algorithm.as_str(),
        "state": key.state.as_str(),
        "made": key.created_at.to_string(),
        "signs_since": key.state.activated_at().map(|at| at.to_string()),
        "retired": key.state.retired_at().map(|at| at.to_string()),
    })
}

async fn saml_list(context: &Context, json: bool) -> Outcome {
    let listed = saml::keys::list(context).await?;
    if json {
        let lines = listed.iter().map(|line| {
            let mut described = moved(&line.key);
            if let Some(members) = described.as_object_mut() {
                members.insert("certificate_sha256".to_owned(), line.fingerprint.as_str().into());
                members.insert(
                    "may_sign_from".to_owned(),
                    json!(line.ready_at.map(|at| at.to_string())),
                );
                members.insert("federations_with".to_owned(), json!(line.federations.0));
                members.insert("federations_without".to_owned(), json!(line.federations.1));
            }
            described
        });
        print_json(&lines.collect());
        return Ok(());
    }
    for line in &listed {
        print_line(format!(
            "{:<6} {:<8} made {}  certificate sha256:{}",
            line.key.algorithm.as_str(),
            line.key.state.as_str(),
            line.key.created_at,
            line.fingerprint
        ));
        if let Some(ready_at) = line.ready_at {
            print_line(format!("       may sign from {ready_at}"));
        }
        let (with, without) = &line.federations;
        for (ids, words) in [(with, "known in"), (without, "NOT YET known in")] {
            if !ids.is_empty() && line.key.state.retired_at().is_none() {
                print_line(format!("       {words}: {}", ids.join(", ")));
            }
        }
    }
    Ok(())
}

async fn rotate(context: &Context, arguments: &Rotate, of_saml: bool) -> Outcome {
    let algorithms = match arguments.algorithm {
        Some(algorithm) => vec![algorithm],
        None => SigningAlgorithm::ALL.to_vec(),
    };
    let (mut changed, mut refused) = (Vec::new(), None);
    for algorithm in algorithms {
        let rotation = if of_saml {
            saml::keys::rotate(context, algorithm, arguments.force, Actor::Operator).await?
        } else {
            keys::rotate(context, algorithm, arguments.force, Actor::Operator).await?
        };
        match rotation {
            Rotation::Done(keys) => changed.extend(keys),
            Rotation::Refused(why) => {
                refused = Some(anyhow::anyhow!(
                    "{algorithm}: {why}; --force rotates all the same"
                ));
            }
            Rotation::Overtaken => refused = Some(anyhow::anyhow!("{algorithm}: somebody else is rotating")),
        }
    }
    // What was rotated is said although another algorithm was refused.
    if arguments.json {
        print_json(&changed.iter().map(moved).collect());
    } else {
        for key in &changed {
            print_line(format!(
                "{} {} is {} now",
                key.algorithm,
                key.id,
                key.state.as_str()
            ));
        }
    }
    refused.map_or(Ok(()), |why| Err(Refusal::guard(why)))
}
