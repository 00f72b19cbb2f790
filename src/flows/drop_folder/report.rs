//! What is written beside a delivery: for programs in JSON, for whoever delivers it in French. Names no child.

use serde_json::{Value, json};

use super::Folder;
use crate::base::time::Timestamp;
use crate::domain::education::SchoolYear;
use crate::flows::import::{Concern, Counts, ImportError, Report};
use crate::roster::RowIssue;

/// Rows with a complaint that stand in the French text; all are in the JSON.
const SHOWN: usize = 50;

/// The two reports of a delivery.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) json: String,
    pub(super) text: String,
}

impl Written {
    /// The names of the files.
    pub(super) const NAMES: [&'static str; 2] = ["rapport.json", "rapport.txt"];

    /// Each file with its name.
    pub(super) fn files(&self) -> [(&'static str, &str); 2] {
        let [json, text] = Self::NAMES;
        [(json, &self.json), (text, &self.text)]
    }
}

/// Writes both.
pub(super) fn written(
    folder: &Folder,
    year: SchoolYear,
    delivery: &str,
    result: &Result<Report, ImportError>,
    now: Timestamp,
) -> Written {
    let told = Told::of(folder, result);
    let source = folder.feed.source();
    let mut object = serde_json::Map::new();
    let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    put("folder", folder.name.as_str().into());
    put("delivery", delivery.into());
    put("source", source.as_str().into());
    put("year", year.first().into());
    put("at", now.to_string().into());
    put("outcome", told.outcome.into());
    put("applied", (told.outcome == "done").into());
    let reasons = told.reasons.iter();
    put(
        "reasons",
        reasons
            .map(|(code, message)| json!({"code": code, "message": message}))
            .collect(),
    );
    let mut lines = vec![
        format!("Livraison {delivery}"),
        format!(
            "Dossier « {} », source {source}, année scolaire {year}-{}",
            folder.name,
            year.next()
        ),
        now.to_string(),
        String::new(),
        told.sentence.to_owned(),
    ];
    lines.extend(told.reasons.iter().map(|(_, message)| format!("  - {message}")));
    if let Some(advice) = told.advice {
        lines.extend([String::new(), advice.to_owned()]);
    }
    if let Ok(report) = result {
        put(
            "run",
            report.run.map_or(Value::Null, |run| run.to_string().into()),
        );
        put("total", counts(&report.total));
        let schools = report.schools.iter();
        put(
            "schools",
            schools
                .map(|line| json!({"school": line.school.as_str(), "counts": counts(&line.counts)}))
                .collect(),
        );
        put("errors", report.errors.into());
        put("warnings", report.warnings.into());
        put("issues", report.issues.iter().map(issue).collect());
        lines.extend(summary(report));
    }
    Written {
        json: format!("{:#}\n", Value::Object(object)),
        text: lines.join("\n") + "\n",
    }
}

/// What was done, and the first rows that were set aside.
fn summary(report: &Report) -> Vec<String> {
    let total = &report.total;
    let mut lines = vec![
        String::new(),
        format!(
            "{} école(s) ou établissement(s), {} élèves dans les fichiers : {} nouveaux, {} modifiés, {} partis, {} de retour.",
            report.schools.len(),
            total.stated,
            total.new,
            total.changed,
            total.departing,
            total.returning,
        ),
        format!(
            "{} ligne(s) écartée(s), {} avertissement(s).",
            report.errors, report.warnings
        ),
    ];
    lines.extend(report.issues.iter().take(SHOWN).map(|issue| format!("  {issue}")));
    if report.issues.len() > SHOWN {
        lines.push("  … la suite dans rapport.json".to_owned());
    }
    lines
}

/// What is to be said of the outcome.
struct Told {
    outcome: &'static str,
    sentence: &'static str,
    reasons: Vec<(&'static str, String)>,
    advice: Option<&'static str>,
}

impl Told {
    fn of(folder: &Folder, result: &Result<Report, ImportError>) -> Self {
        let guards = "Vérifiez la livraison et déposez-la à nouveau. Si elle est juste, une personne la charge avec\n\
            « marelle import … --apply --override RAISON --by NOM » : la raison est gardée.";
        let again = "Corrigez et déposez à nouveau.";
        let refused = |reasons, advice| Self {
            outcome: "refused",
            sentence: "REFUSÉE : rien n'a été écrit.",
            reasons,
            advice: Some(advice),
        };
        let concerns = |concerns: &[Concern]| -> Vec<(&'static str, String)> {
            let each = concerns.iter();
            each.map(|concern| (concern.code(), concern.to_string()))
                .collect()
        };
        match result {
            Ok(report) if !report.concerns.is_empty() => refused(concerns(&report.concerns), guards),
            Ok(_) if folder.apply => Self {
                outcome: "done",
                sentence: "Chargée.",
                reasons: Vec::new(),
                advice: None,
            },
            Ok(_) => Self {
                outcome: "previewed",
                sentence: "Lue, sans rien écrire : ce dossier n'est pas chargé tout seul (apply = false).",
                reasons: Vec::new(),
                advice: Some("Pour la charger : « marelle import … --apply »."),
            },
            Err(ImportError::Refused(list)) => refused(concerns(list), guards),
            Err(ImportError::Unreadable(error)) => refused(vec![("unreadable", error.to_string())], again),
            Err(error) => refused(vec![("usage", error.to_string())], again),
        }
    }
}

fn counts(counts: &Counts) -> Value {
    counts
        .named()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), Value::from(count)))
        .collect()
}

fn issue(issue: &RowIssue) -> Value {
    let place = &issue.place;
    json!({"severity": issue.severity.to_string(), "file": &*place.file, "line": place.line, "column": place.column,
        "message": issue.message})
}
