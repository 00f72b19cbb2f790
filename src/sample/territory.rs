//! Writes `territory.toml`: the academy and the schools, in the words of `marelle apply`.

use std::io::{self, Write};

use super::World;
use super::academy::academy_name;
use crate::domain::education::Degree;

/// A TOML basic string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn write(out: &mut dyn Write, world: &World<'_>) -> io::Result<()> {
    let academy = world.spec.academy;
    writeln!(out, "# Territoire inventé : aucune de ces écoles n'existe.\n")?;
    writeln!(
        out,
        "[[academy]]\ncode = \"{academy:02}\"\nname = {}",
        quoted(academy_name(academy))
    )?;
    let ecoles = world
        .plan
        .ecoles
        .iter()
        .map(|ecole| (&ecole.uai, &ecole.name, &ecole.commune, Degree::First));
    let colleges = world
        .plan
        .colleges
        .iter()
        .map(|college| (&college.uai, &college.name, &college.commune, Degree::Second));
    for (uai, name, commune, degree) in ecoles.chain(colleges) {
        writeln!(
            out,
            "\n[[school]]\nuai = \"{uai}\"\nname = {}\ndegree = \"{degree}\"\ncommune = {}\nacademy = \"{academy:02}\"",
            quoted(name),
            quoted(commune)
        )?;
    }
    Ok(())
}
