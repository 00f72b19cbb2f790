//! `marelle client` and `marelle apply` as an operator types them: what is printed, the exit codes, what is kept of a
//! secret, and which line of a file an error names.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole file is tests"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const TERRITORY: &str = r#"
[[academy]]
code = "20"
name = "Amiens"

[[school]]
uai = "9990001X"
name = "École d'essai"
degree = "first"
academy = "20"

[[registration]]
id = "somme"
name = "Projet de la Somme"
hosts = ["*.somme.example"]
most = 2

[[relying_party]]
id = "ent"
name = "ENT"
redirect_uris = ["https://ent.example/cb"]

[[relying_party.release]]
attribute = "given_name"
purpose = "greet by name"
convention = "CONV-2026-014"

[[relying_party.release]]
attribute = "uai"
purpose = "find the school"
convention = "CONV-2026-014"

[[relying_party]]
id = "tablette"
name = "Tablette"
redirect_uris = ["http://127.0.0.1/cb"]
token_endpoint_auth_method = "none"
"#;

/// Runs the program in a folder of its own; whatever configures the tests' own environment configures nothing here.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marelle"));
    command.env_clear().current_dir(folder).args(arguments);
    command.output().unwrap()
}

/// What a command that succeeds prints.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn object(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&said(folder, &arguments)).unwrap()
}

/// The exit code of a command that does not, and what it says.
fn refused(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = run(folder, arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), errors)
}

/// An installation with the territory, and the id of a teacher there.
fn installed() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("territory.toml"), TERRITORY).unwrap();
    std::fs::write(here.join("password"), "le chat dort à midi").unwrap();
    let differences = said(here, &["apply", "territory.toml"]);
    assert!(
        differences.contains("relying_party ent (has no secret yet: marelle client secret ent)"),
        "{differences}"
    );
    let teacher = [
        "user",
        "create",
        "--given-name",
        "Maddi",
        "--family-name",
        "Etxeberria",
        "--profile",
        "teacher",
        "--school",
        "9990001X",
        "--username",
        "maddi",
        "--password-file",
        "password",
    ];
    let made = object(here, &teacher);
    let id = made["id"].as_str().unwrap().to_owned();
    (folder, id)
}

/// Whether a text stands in any file of the installation, the database and its journal included.
fn is_kept(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder.join("data")).unwrap();
    files.into_iter().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    })
}

fn journalled(folder: &Path, kind: &str) -> bool {
    is_kept(folder, kind)
}

#[test]
fn secrets_are_shown_once_two_live_and_the_old_one_goes() {
    let (folder, _) = installed();
    let here = folder.path();
    let live = || object(here, &["client", "show", "ent"])["live_secrets"].clone();
    assert_eq!(live(), 0);
    let first = said(here, &["client", "secret", "ent"]);
    let first = first.trim_end();
    assert!(
        first.starts_with("mrls_") && first.len() >= 32 && !first.contains('\n'),
        "the secret alone"
    );
    let second = object(here, &["client", "secret", "ent"]);
    assert_ne!(second["client_secret"], first);
    assert_eq!(live(), 2);
    let (code, why) = refused(here, &["client", "secret", "ent"]);
    assert!(code == 3 && why.contains("--retire-old"), "{code} {why}");
    assert!(!said(here, &["client", "show", "ent"]).contains(first));
    for secret in [first, second["client_secret"].as_str().unwrap()] {
        assert!(!is_kept(here, secret), "digests only");
    }
    // The file says nothing of secrets, so applying it again leaves them as they are.
    assert!(said(here, &["apply", "territory.toml"]).contains("created 0, updated 0"));
    assert_eq!(live(), 2);
    let retired = object(here, &["client", "secret", "ent", "--retire-old"]);
    assert_eq!((retired["retired"].clone(), live()), (json!(1), json!(1)));
    assert_eq!(refused(here, &["client", "secret", "ent", "--retire-old"]).0, 3);
    assert_eq!(
        refused(here, &["client", "secret", "tablette"]).0,
        3,
        "it proves itself without"
    );
    assert!(journalled(here, "client_secret.issued"));
}

#[test]
fn clients_are_listed_shown_put_out_of_use_and_in_use_again() {
    let (folder, _) = installed();
    let here = folder.path();
    let all = object(here, &["client", "list"]);
    let ids: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["ent", "tablette"]);
    let lines = said(here, &["client", "list"]);
    assert!(
        lines.contains("ent  ENT  client_secret_basic  in use  declared"),
        "{lines}"
    );
    let shown = said(here, &["client", "show", "tablette"]);
    assert!(
        shown.contains("token_endpoint_auth_method: none") && shown.contains("pkce_required: true"),
        "{shown}"
    );
    assert_eq!(said(here, &["client", "disable", "ent"]), "out of use\n");
    assert_eq!(object(here, &["client", "disable", "ent"])["changed"], false);
    assert_eq!(object(here, &["client", "show", "ent"])["enabled"], false);
    // Nor does applying the file undo what an operator decided.
    said(here, &["apply", "territory.toml"]);
    assert_eq!(object(here, &["client", "show", "ent"])["enabled"], false);
    assert_eq!(said(here, &["client", "enable", "ent"]), "in use\n");
    let (code, why) = refused(here, &["client", "remove", "ent"]);
    assert!(code == 3 && why.contains("--prune"), "{code} {why}");
    for command in ["show", "secret", "enable", "disable", "remove"] {
        let (code, why) = refused(here, &["client", command, "nobody"]);
        assert!(code == 2 && why.contains("nobody"), "{command}: {code} {why}");
    }
    assert!(journalled(here, "client.changed"));
}

#[test]
fn a_token_of_a_project_is_shown_once_and_taken_back() {
    let (folder, _) = installed();
    let here = folder.path();
    let token = said(here, &["client", "invite", "somme"]);
    let token = token.trim_end();
    assert!(
        token.starts_with("mrli_") && !is_kept(here, token),
        "its digest only"
    );
    let second = object(here, &["client", "invite", "somme", "--expires-days", "1"]);
    assert!(
        second["registration_endpoint"]
            .as_str()
            .unwrap()
            .ends_with("/oauth/register")
    );
    assert_eq!(object(here, &["client", "revoke-invites", "somme"])["revoked"], 2);
    assert_eq!(
        said(here, &["client", "revoke-invites", "somme"]),
        "tokens taken back: 0\n"
    );
    assert_eq!(
        refused(here, &["client", "invite", "somme", "--expires-days", "0"]).0,
        2
    );
    for command in ["invite", "revoke-invites"] {
        let (code, why) = refused(here, &["client", command, "nord"]);
        assert!(code == 2 && why.contains("nord"), "{code} {why}");
    }
    assert!(journalled(here, "initial_token.issued") && journalled(here, "initial_token.revoked"));
}

#[test]
fn a_preview_says_what_leaves_and_why_the_rest_stays() {
    let (folder, teacher) = installed();
    let here = folder.path();
    let seen = object(here, &["client", "preview", "ent", "--identity", &teacher]);
    assert_eq!(seen["claims"]["given_name"], "Maddi");
    assert_eq!(seen["claims"]["education"][0]["uai"], "9990001X");
    assert_eq!(seen["claims"].get("family_name"), None);
    assert_eq!((&seen["known"], &seen["closed"]), (&json!(false), &Value::Null));
    assert!(seen["subject"].as_str().is_some_and(|subject| subject.len() > 20));
    let why = |name: &str| {
        let lines = seen["attributes"].as_array().unwrap();
        let line = lines.iter().find(|line| line["attribute"] == name).unwrap();
        (line["released"].clone(), line["why"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        why("given_name"),
        (json!(true), "greet by name (convention CONV-2026-014)".to_owned())
    );
    assert_eq!(why("family_name").0, false);
    let same = object(here, &["client", "preview", "ent", "--username", "maddi"]);
    assert_eq!(same, seen);
    let less = said(
        here,
        &[
            "client",
            "preview",
            "ent",
            "--username",
            "maddi",
            "--scope",
            "openid",
        ],
    );
    assert!(
        !less.contains("Maddi") && less.contains("the scope profile is not asked for"),
        "{less}"
    );
    said(here, &["client", "disable", "ent"]);
    let text = said(here, &["client", "preview", "ent", "--username", "maddi"]);
    assert!(text.contains("not let in: the service is out of use"), "{text}");
    assert_eq!(refused(here, &["client", "preview", "ent"]).0, 2, "of whom");
    assert_eq!(
        refused(here, &["client", "preview", "ent", "--username", "nobody"]).0,
        2
    );
    assert_eq!(
        refused(here, &["client", "preview", "nobody", "--username", "maddi"]).0,
        2
    );
}

#[test]
fn an_error_of_a_declaration_names_its_file_line_and_key() {
    let (folder, _) = installed();
    let here = folder.path();
    for (old, new, line, key) in [
        ("most = 2", "most = 0", "line 16", "most"),
        ("most = 2", "most = \"two\"", "line 16", "two"),
        (
            "[\"*.somme.example\"]",
            "[\"https://x.example\"]",
            "line 15",
            "hosts",
        ),
        (
            "https://ent.example/cb",
            "http://ent.example/cb",
            "line 21",
            "redirect_uris",
        ),
        (
            "\"none\"",
            "\"none\"\nprofile = \"fapi2\"",
            "line 37",
            "token_endpoint_auth_method",
        ),
        (
            "\"none\"",
            "\"none\"\npkce_required = false",
            "line 38",
            "pkce_required",
        ),
        (
            "\"none\"",
            "\"none\"\nredirect_uri = \"x\"",
            "line 38",
            "redirect_uri",
        ),
        // A key that is missing is said of its table.
        ("\"none\"", "\"private_key_jwt\"", "line 33", "jwks"),
        (
            "\"none\"",
            "\"private_key_jwt\"\njwks_file = \"gone.json\"",
            "line 38",
            "gone.json",
        ),
        (
            "\"none\"",
            "\"none\"\ngrant_types = [\"implicit\"]",
            "line 38",
            "implicit",
        ),
    ] {
        std::fs::write(here.join("wrong.toml"), TERRITORY.replacen(old, new, 1)).unwrap();
        let (code, why) = refused(here, &["apply", "wrong.toml"]);
        assert_eq!(code, 2, "{why}");
        for part in ["wrong.toml", line, key] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
    assert_eq!(
        object(here, &["client", "list"]).as_array().unwrap().len(),
        2,
        "nothing came of them"
    );
}

#[test]
fn a_cas_service_is_declared_shown_and_previewed_in_its_shape() {
    let (folder, _) = installed();
    let here = folder.path();
    let notes = "[[relying_party]]\nid = \"notes\"\nname = \"Notes\"\n[relying_party.cas]\n\
                 services = [\"https://notes.example/app\"]\npreset = \"pronote\"\nhint_parameter = \"idpId\"\n\
                 [[relying_party.release]]\nattribute = \"given_name\"\npurpose = \"greet\"\nconvention = \"C\"\n";
    std::fs::write(here.join("notes.toml"), notes).unwrap();
    let applied = said(here, &["apply", "notes.toml"]);
    assert!(
        applied.contains("relying_party notes\n"),
        "no secret is asked for: {applied}"
    );
    assert!(said(here, &["apply", "notes.toml"]).contains("created 0, updated 0"));
    let shown = object(here, &["client", "show", "notes"]);
    assert_eq!(shown["cas"]["preset"], "pronote");
    assert_eq!(shown["cas"]["hint_parameter"], "idpId");
    assert!(said(here, &["client", "show", "notes"]).contains("https://notes.example/app"));
    let preview = ["client", "preview", "notes", "--username", "maddi"];
    let seen = object(here, &preview);
    let answer = seen["cas"].as_str().unwrap();
    let subject = seen["subject"].as_str().unwrap();
    assert!(
        answer.contains(&format!("<cas:user>{subject}</cas:user>")),
        "{answer}"
    );
    assert!(answer.contains("<cas:prenom>Maddi</cas:prenom>") && !answer.contains("Etxeberria"));
    assert!(said(here, &preview).contains("receives by CAS: <cas:serviceResponse"));
    std::fs::write(here.join("wrong.toml"), notes.replace("hint_parameter", "hint")).unwrap();
    let (code, why) = refused(here, &["apply", "wrong.toml"]);
    assert!(
        code != 0 && why.contains("line 7") && why.contains("hint"),
        "{code} {why}"
    );
    assert_eq!(
        object(here, &["client", "preview", "ent", "--username", "maddi"])["cas"],
        json!(null)
    );
}
