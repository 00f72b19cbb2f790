//! Compares what the sources say with the rules, and says file, line and rule for whatever does not fit.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::rules::{EMPTY_NAMES, LAYERS, MOST_LINES, WALLS, Wall};
use crate::scan::{Facts, Mention, scan};

/// One source file of the crate.
pub(crate) struct Source {
    /// Its path from the top of the project, with `/`.
    pub(crate) label: String,
    pub(crate) text: String,
}

/// A rule that a line breaks.
#[derive(Debug)]
pub(crate) struct Broken {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// Every `.rs` file under `src/`, in the order of their paths.
pub(crate) fn read_sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut waiting = vec![root.join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).map_err(io::Error::other)?;
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                sources.push(Source {
                    label: parts.join("/"),
                    text: fs::read_to_string(&path)?,
                });
            }
        }
    }
    sources.sort_by(|one, other| one.label.cmp(&other.label));
    Ok(sources)
}

/// All that is broken in a set of sources; a file that is no Rust is itself a finding.
pub(crate) fn check_sources(sources: &[Source]) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut read = Vec::new();
    for source in sources {
        let module = module_of(&source.label);
        match scan(&module, &source.text) {
            Ok(facts) => read.push((source, module, facts)),
            Err(error) => broken.push(report(source, 1, format!("cannot be read as Rust: {error}"))),
        }
    }
    let for_tests: Vec<&Vec<String>> = read
        .iter()
        .flat_map(|(_, _, facts)| &facts.test_modules)
        .collect();
    for (source, module, facts) in &read {
        let whole = for_tests.iter().any(|path| module.starts_with(path));
        check_map(source, module, facts, whole, &mut broken);
        check_form(source, module, facts, whole, &mut broken);
    }
    broken.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    broken
}

fn report(source: &Source, line: usize, rule: String) -> Broken {
    Broken {
        file: source.label.clone(),
        line,
        rule,
    }
}

/// The module that a file holds, as a path from the crate root: empty for `lib.rs` and `main.rs`.
fn module_of(label: &str) -> Vec<String> {
    let below = label.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = below.split('/').map(ToOwned::to_owned).collect();
    let crate_root = module.len() == 1 && matches!(below, "lib" | "main");
    if crate_root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Imports and walls.
fn check_map(source: &Source, module: &[String], facts: &Facts, for_tests: bool, broken: &mut Vec<Broken>) {
    for (detour, line) in &facts.detours {
        broken.push(report(
            source,
            *line,
            format!("{detour} hides where a module lives; put it where its name says"),
        ));
    }
    for mention in &facts.mentions {
        for wall in WALLS {
            if breaks_wall(wall, mention, module, for_tests || mention.in_tests) {
                let rule = format!(
                    "`{}` is named outside {}",
                    mention.path.join("::"),
                    wall.homes.join(", ")
                );
                broken.push(report(source, mention.line, rule));
            }
        }
    }
    let Some(top) = module.first() else { return };
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == top) else {
        let rule = format!("module `{top}` has no place in the map: give it a line in tests/layers/rules.rs");
        broken.push(report(source, 1, rule));
        return;
    };
    for mention in facts
        .mentions
        .iter()
        .filter(|mention| mention.path.first().is_some_and(|word| word == "crate"))
    {
        let target = mention.path.get(1).map_or("", String::as_str);
        if target == top || layer.may_import.contains(&target) {
            continue;
        }
        let rule = if LAYERS.iter().any(|layer| layer.name == target) {
            let allowed = if layer.may_import.is_empty() {
                "nothing".to_owned()
            } else {
                layer.may_import.join(", ")
            };
            format!("`{top}` imports `{target}`; it may import {allowed}")
        } else {
            format!(
                "`{top}` imports `{}`; only modules of the map are imported, by name",
                mention.path.join("::")
            )
        };
        broken.push(report(source, mention.line, rule));
    }
}

fn breaks_wall(wall: &Wall, mention: &Mention, module: &[String], in_tests: bool) -> bool {
    let named = mention
        .path
        .iter()
        .any(|word| wall.crates.contains(&word.as_str()));
    let at_home = wall
        .homes
        .iter()
        .any(|home| home.split("::").eq(module.iter().take(home.split("::").count())));
    named && !at_home && !(wall.tests_may && in_tests)
}

/// Size, name and opening of a file.
fn check_form(source: &Source, module: &[String], facts: &Facts, for_tests: bool, broken: &mut Vec<Broken>) {
    if !source.text.starts_with("//!") {
        broken.push(report(
            source,
            1,
            "a module begins with `//!` and says what it owns".to_owned(),
        ));
    }
    let own_name = module.last().map(|name| (name.clone(), 1));
    for (name, line) in facts.modules.iter().cloned().chain(own_name) {
        if EMPTY_NAMES.contains(&name.as_str()) {
            broken.push(report(
                source,
                line,
                format!("a module called `{name}` says nothing about what it owns"),
            ));
        }
    }
    let lines = source.text.lines().count();
    let code = (1..=lines)
        .filter(|line| !facts.test_lines.iter().any(|range| range.contains(line)))
        .count();
    if !for_tests && code > MOST_LINES {
        broken.push(report(
            source,
            1,
            format!("{code} lines of code without its tests; the limit is {MOST_LINES}"),
        ));
    }
}
