//! `marelle user`: staff made by hand, passwords, contacts, and who there is. A password is never an argument: it comes from a
//! file or from a prompt.

mod contact;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::secret::Secret;
use crate::domain::audit::Actor;
use crate::domain::education::Profile;
use crate::domain::uai::Uai;
use crate::flows::Context;
use crate::flows::credential::{self, Chosen, Named};
use crate::flows::person::{self, Creation, Enrolling, NewPerson};

/// Create staff, set passwords and contacts, list people.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a member of staff whom no feed brings yet.
    Create(Create),
    /// Enrol somebody whom no feed brings, for this school year; whoever had left is back.
    Enrol(Enrol),
    /// Set a person's password; their sessions end.
    Password(SetPassword),
    /// Give a person a login name.
    Username(SetUsername),
    /// Show, set or erase how a person is reached.
    Contact(contact::SetContact),
    /// List the people of a school.
    List(List),
    /// Show one person: where they are, for whom they answer, what they may do, by which logins they come.
    Show(show::Show),
}

/// Arguments of `marelle user create`.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Given name.
    #[arg(long)]
    given_name: String,
    /// Family name.
    #[arg(long)]
    family_name: String,
    /// What they are in the school.
    #[arg(long, value_enum)]
    profile: StaffProfile,
    /// UAI of the school.
    #[arg(long, value_name = "UAI")]
    school: Uai,
    /// Login name. Default: `prenom.nom`, numbered where it is taken.
    #[arg(long)]
    username: Option<String>,
    /// File whose first line is the password. Without it the password is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The school knows somebody of this name already, and this is another person.
    #[arg(long)]
    another: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle user enrol`.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// Login name or id.
    #[arg(value_name = "USERNAME|ID")]
    who: String,
    /// What they are in the school.
    #[arg(long, value_enum)]
    profile: StaffProfile,
    /// UAI of the school.
    #[arg(long, value_name = "UAI")]
    school: Uai,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle user password`.
#[derive(Debug, Args)]
pub(super) struct SetPassword {
    /// Login name or id.
    #[arg(value_name = "USERNAME|ID")]
    who: String,
    /// File whose first line is the password. Without it the password is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle user username`.
#[derive(Debug, Args)]
pub(super) struct SetUsername {
    /// The person: an id, or the login name that they have.
    #[arg(value_name = "USERNAME|ID")]
    who: String,
    /// The login name. Default: `prenom.nom`, numbered where it is taken.
    #[arg(long)]
    username: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle user list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// UAI of the school.
    #[arg(long, value_name = "UAI")]
    school: Uai,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// The profiles of staff, by word or by ENT profile code.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StaffProfile {
    /// Teacher (`National_ENS`).
    #[value(alias = "National_ENS")]
    Teacher,
    /// School head (`National_DIR`).
    #[value(alias = "National_DIR")]
    Head,
    /// School staff, vie scolaire (`National_EVS`).
    #[value(alias = "National_EVS")]
    SchoolStaff,
    /// Other staff of the establishment (`National_ETA`).
    #[value(alias = "National_ETA")]
    Staff,
    /// Librarian teacher (`National_DOC`).
    #[value(alias = "National_DOC")]
    Librarian,
    /// Academy staff (`National_ACA`).
    #[value(alias = "National_ACA")]
    AcademyStaff,
    /// Authority officer (`National_COL`).
    #[value(alias = "National_COL")]
    AuthorityOfficer,
}

impl From<StaffProfile> for Profile {
    fn from(profile: StaffProfile) -> Self {
        match profile {
            StaffProfile::Teacher => Self::Teacher,
            StaffProfile::Head => Self::Head,
            StaffProfile::SchoolStaff => Self::SchoolStaff,
            StaffProfile::Staff => Self::Staff,
            StaffProfile::Librarian => Self::Librarian,
            StaffProfile::AcademyStaff => Self::AcademyStaff,
            StaffProfile::AuthorityOfficer => Self::AuthorityOfficer,
        }
    }
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Create(arguments) => create(context, arguments).await,
        Command::Enrol(arguments) => enrol(context, arguments).await,
        Command::Password(arguments) => set_password(context, &arguments).await,
        Command::Username(arguments) => set_username(context, &arguments).await,
        Command::Contact(arguments) => contact::run(context, arguments).await,
        Command::List(arguments) => list(context, &arguments).await,
        Command::Show(arguments) => show::run(context, &arguments).await,
    }
}

async fn create(context: &Context, arguments: Create) -> Outcome {
    let new = NewPerson {
        password: password(arguments.password_file.as_deref()).map_err(Refusal::usage)?,
        given_name: arguments.given_name,
        family_name: arguments.family_name,
        profile: arguments.profile.into(),
        school: arguments.school,
        username: arguments.username,
        is_another: arguments.another,
    };
    let identity = match person::create(context, &new, &Actor::Operator).await? {
        Creation::Created(identity) => identity,
        Creation::Weak(weakness) => return Err(Refusal::guard(weakness)),
        Creation::Namesake(id) => {
            return Err(Refusal::guard(anyhow!(
                "the school knows a person of this name: {id}. If this is another person: --another"
            )));
        }
        Creation::UsernameTaken => {
            return Err(Refusal::guard(anyhow!("this login name is taken, or is none")));
        }
        Creation::UnknownSchool => {
            return Err(Refusal::usage(anyhow!("no school {} is declared", new.school)));
        }
        Creation::InvalidName => return Err(Refusal::usage(anyhow!("a name is empty or too long"))),
        Creation::Busy => return Err(anyhow!("too much at once; try again").into()),
    };
    let username = identity.username.unwrap_or_default();
    if arguments.json {
        print_json(&json!({"id": identity.id.to_string(), "username": username}));
    } else {
        print_line(format!("created {username} ({})", identity.id));
    }
    Ok(())
}

async fn enrol(context: &Context, arguments: Enrol) -> Outcome {
    let found = person::find(context, &arguments.who).await?;
    let identity = found.ok_or_else(|| Refusal::usage(anyhow!("nobody is called «{}»", arguments.who)))?;
    let place = (&arguments.school, arguments.profile.into());
    let is_new = match person::enrol(context, identity.id, place, &Actor::Operator).await? {
        Enrolling::Enrolled => true,
        Enrolling::Already => false,
        Enrolling::UnknownSchool => {
            return Err(Refusal::usage(anyhow!(
                "no school {} is declared",
                arguments.school
            )));
        }
        Enrolling::Gone => return Err(Refusal::guard(anyhow!("this identity was merged or erased"))),
    };
    if arguments.json {
        print_json(&json!({"id": identity.id.to_string(), "enrolled": is_new}));
    } else if is_new {
        print_line(format!("enrolled {} in {}", identity.id, arguments.school));
    } else {
        print_line("enrolled there already");
    }
    Ok(())
}

async fn set_username(context: &Context, arguments: &SetUsername) -> Outcome {
    let found = person::find(context, &arguments.who).await?;
    let identity = found.ok_or_else(|| Refusal::usage(anyhow!("no person «{}»", arguments.who)))?;
    let wanted = arguments.username.as_deref();
    match credential::give_username(context, &identity, wanted, &Actor::Operator).await? {
        Named::Given(username) if arguments.json => {
            print_json(&json!({"identity": identity.id.to_string(), "username": username}));
            Ok(())
        }
        Named::Given(username) => {
            print_line(username);
            Ok(())
        }
        Named::Taken => Err(Refusal::guard(anyhow!("the login name is somebody else's"))),
        Named::Unusable => Err(Refusal::usage(anyhow!("that is no login name"))),
    }
}

async fn set_password(context: &Context, arguments: &SetPassword) -> Outcome {
    let Some(identity) = person::find(context, &arguments.who).await? else {
        return Err(Refusal::usage(anyhow!("nobody is called «{}»", arguments.who)));
    };
    let password = password(arguments.password_file.as_deref()).map_err(Refusal::usage)?;
    match credential::set_password(context, &identity, &password, &Actor::Operator).await? {
        Chosen::Set => {}
        Chosen::Weak(weakness) => return Err(Refusal::guard(weakness)),
        Chosen::Busy => return Err(anyhow!("too much at once; try again").into()),
    }
    if arguments.json {
        print_json(&json!({"id": identity.id.to_string(), "password": "set"}));
    } else {
        print_line(format!("password set for {} ({})", arguments.who, identity.id));
    }
    Ok(())
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let people = person::list(context, &arguments.school).await?;
    if arguments.json {
        let lines: Vec<Value> = people
            .iter()
            .map(|one| {
                json!({
                    "id": one.identity.id.to_string(),
                    "given_name": one.identity.given_name,
                    "family_name": one.identity.shown_family_name(),
                    "profile": one.profile.as_str(),
                    "status": one.identity.status.as_str(),
                    "username": one.identity.username,
                    "password": one.password,
                    "picture_code": one.picture,
                })
            })
            .collect();
        print_json(&Value::Array(lines));
        return Ok(());
    }
    for one in &people {
        let ways = match (one.password, one.picture) {
            (true, true) => "password, pictures",
            (true, false) => "password",
            (false, true) => "pictures",
            (false, false) => "no way in",
        };
        print_line(format!(
            "{}  {}  {}  {}  {ways}",
            one.identity.id,
            one.profile,
            one.identity.username.as_deref().unwrap_or("-"),
            one.identity.display_name(),
        ));
    }
    Ok(())
}

/// The first line of a file, or what is typed twice alike.
fn password(file: Option<&Path>) -> anyhow::Result<Secret> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        return Ok(Secret::new(text.lines().next().unwrap_or_default()));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).context("no terminal to ask for a password: use --password-file")
    };
    let (first, second) = (Secret::new(ask("Password: ")?), Secret::new(ask("Again: ")?));
    if first != second {
        bail!("the two passwords differ");
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_the_password_whatever_ends_it() {
        for text in ["le chat dort\n", "le chat dort\r\nautre\n", "le chat dort"] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_eq!(password(Some(file.path())).unwrap().expose(), "le chat dort");
        }
        assert!(password(Some(Path::new("absent"))).is_err());
    }

    #[test]
    fn a_profile_is_named_by_word_or_by_code() {
        for (word, expected) in [
            ("teacher", Profile::Teacher),
            ("National_ENS", Profile::Teacher),
            ("head", Profile::Head),
            ("National_COL", Profile::AuthorityOfficer),
        ] {
            let profile = StaffProfile::from_str(word, false).unwrap();
            assert_eq!(Profile::from(profile), expected);
        }
        assert!(StaffProfile::from_str("National_ELV", false).is_err());
    }
}
