//! What the ministry's directory of agents says of somebody who works there, read by exact grammar.
//!
//! | name | grammar | says |
//! | --- | --- | --- |
//! | `FrEduFonctAdm` | `DIR` | a function |
//! | `FrEduRne` | `UAI$UAJ$PU$<function>$<UAJ>$T3$LYC$340` | a school where the person works, as what |
//! | `rne` | `UAI`, of either case | a school where the person works |
//! | `FrEduRneResp` | `UAI`, or `UAI$UAJ$PU$N$T3$LYC$340`, or `X` for none | a school that the person answers for |
//! | `FrEduResDel` | `name\|url?applicationname=app\|dd/mm/yyyy\|dd/mm/yyyy\|user\|FrEduRneResp=<resp;resp>\|server\|module` | an application that was delegated to the person, over schools, between two days |
//! | `codaca` | `009` | the academy |
//!
//! What does not fit exactly says nothing: nothing is repaired, and a delegation with one school that is none is none. Must
//! never decide what any of it is worth here: `rights` does.

use chrono::NaiveDate;

use super::preset;
use super::statements::Statements;
use crate::base::time::Date;
use crate::domain::education::AcademyCode;
use crate::domain::uai::Uai;
use crate::domain::upstream::Preset;

/// The longest code of a function, a type or a sector.
const LONGEST_CODE: usize = 10;
/// The longest name of an application.
const LONGEST_APPLICATION: usize = 64;
/// What says that there is no school.
const NONE: &str = "X";

/// A school where somebody works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The school.
    pub school: Uai,
    /// As what; `None` where only the school is said.
    pub function: Option<String>,
}

/// An application that somebody was delegated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Its name.
    pub application: String,
    /// The first day.
    pub begins_on: Date,
    /// The last day, which counts.
    pub last_day: Date,
    /// Over which schools.
    pub schools: Vec<Uai>,
}

impl Delegation {
    /// The first day on which it no longer counts.
    pub fn until(&self) -> Date {
        self.last_day.succ_opt().unwrap_or(NaiveDate::MAX)
    }

    /// Whether it counts on a day.
    pub fn is_live(&self, day: Date) -> bool {
        self.begins_on <= day && day <= self.last_day
    }
}

/// A value that does not fit, for whoever sets a provider up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Under which name it came.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// Everything that is said of somebody who works there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staff {
    /// Their functions.
    pub functions: Vec<String>,
    /// Where they work.
    pub schools: Vec<Post>,
    /// The schools that they answer for.
    pub responsible_for: Vec<Uai>,
    /// What they were delegated.
    pub delegations: Vec<Delegation>,
    /// Their academy.
    pub academy: Option<AcademyCode>,
    /// What was not understood.
    pub unread: Vec<Unread>,
}

/// Letters of ASCII, large, and digits.
fn code(text: &str) -> Option<&str> {
    let fits = (1..=LONGEST_CODE).contains(&text.len())
        && text
            .bytes()
            .all(|symbol| symbol.is_ascii_uppercase() || symbol.is_ascii_digit());
    fits.then_some(text)
}

/// A function (`DIR`), as a claim or a rule writes it.
pub fn function(text: &str) -> Option<&str> {
    code(text)
}

/// The name of an application, as a delegation or a rule writes it.
pub fn application(text: &str) -> Option<&str> {
    let fits = (1..=LONGEST_APPLICATION).contains(&text.len())
        && text
            .bytes()
            .all(|symbol| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'_' | b'.'));
    fits.then_some(text)
}

/// Eight symbols, the letter large: nothing is padded or trimmed here.
fn uai(text: &str) -> Option<Uai> {
    let stands = |symbol: u8| symbol.is_ascii_digit() || symbol.is_ascii_uppercase();
    let is_whole = text.len() == 8 && text.bytes().all(stands);
    text.parse().ok().filter(|_| is_whole)
}

/// The sector: public or private.
fn is_sector(text: &str) -> bool {
    matches!(text, "PU" | "PR")
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|symbol| symbol.is_ascii_digit())
}

/// Reads `UAI$UAJ$PU$<function>$<UAJ>$T3$LYC$340`.
fn post(text: &str) -> Option<Post> {
    let fields: Vec<&str> = text.split('$').collect();
    let [
        school,
        kind,
        sector,
        function,
        unit,
        symbol,
        kind_of_school,
        nature,
    ] = fields.as_slice()
    else {
        return None;
    };
    let codes = [kind, function, unit, symbol, kind_of_school];
    let fits = codes.iter().all(|text| code(text).is_some()) && is_sector(sector) && is_number(nature, 3);
    let school = uai(school).filter(|_| fits)?;
    Some(Post {
        school,
        function: Some((*function).to_owned()),
    })
}

/// Reads a bare UAI or `UAI$UAJ$PU$N$T3$LYC$340`: one school, or none for the literal that says so.
fn responsibility(text: &str) -> Option<Vec<Uai>> {
    if text == NONE {
        return Some(Vec::new());
    }
    let fields: Vec<&str> = text.split('$').collect();
    let school = match fields.as_slice() {
        [school] => uai(school),
        [school, kind, sector, unit, symbol, kind_of_school, nature] => {
            let codes = [kind, unit, symbol, kind_of_school];
            let fits = codes.iter().all(|text| code(text).is_some()) && is_sector(sector);
            uai(school).filter(|_| fits && is_number(nature, 3))
        }
        _ => None,
    };
    school.map(|school| vec![school])
}

/// Reads `dd/mm/yyyy`.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !is_number(day, 2) || !is_number(month, 2) || !is_number(year, 4) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Reads a delegation.
fn delegation(text: &str) -> Option<Delegation> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let fields: Vec<&str> = text.split('|').collect();
    let [_name, address, begins, ends, _user, over, _server, _module] = fields.as_slice() else {
        return None;
    };
    let (_, application_name) = address.split_once("?applicationname=")?;
    let (begins_on, last_day) = (day(begins)?, day(ends)?);
    let over = over.strip_prefix("FrEduRneResp=")?;
    let schools: Option<Vec<Vec<Uai>>> = over.split(';').map(responsibility).collect();
    (begins_on <= last_day).then_some(Delegation {
        application: application(application_name)?.to_owned(),
        begins_on,
        last_day,
        schools: schools?.into_iter().flatten().collect(),
    })
}

/// Reads `009`.
fn academy(text: &str) -> Option<AcademyCode> {
    let code = text.strip_prefix('0').filter(|_| is_number(text, 3))?;
    code.parse().ok()
}

impl Staff {
    /// Reads what a provider of a preset states; nothing for a preset that states none of it.
    pub fn read(preset: Preset, said: &Statements) -> Self {
        let mut staff = Self::default();
        let Some(names) = preset::staff_names(preset) else {
            return staff;
        };
        for value in said.all(names.function) {
            match function(value) {
                Some(function) => staff.functions.push(function.to_owned()),
                None => staff.miss(names.function, value),
            }
        }
        for value in said.all(names.post) {
            match post(value) {
                Some(post) => staff.schools.push(post),
                None => staff.miss(names.post, value),
            }
        }
        for value in said.all(names.school) {
            match uai(&value.to_ascii_uppercase()) {
                // A post says more of the same school.
                Some(school) if staff.schools.iter().any(|post| post.school == school) => {}
                Some(school) => staff.schools.push(Post {
                    school,
                    function: None,
                }),
                None => staff.miss(names.school, value),
            }
        }
        for value in said.all(names.responsible_for) {
            match responsibility(value) {
                Some(school) => staff.responsible_for.extend(school),
                None => staff.miss(names.responsible_for, value),
            }
        }
        for value in said.all(names.delegation) {
            match delegation(value) {
                Some(delegation) => staff.delegations.push(delegation),
                None => staff.miss(names.delegation, value),
            }
        }
        // Two academies are none: nobody says which one is meant.
        match said.all(names.academy) {
            [value, more @ ..] if academy(value).is_some() && more.iter().all(|other| other == value) => {
                staff.academy = academy(value);
            }
            values => {
                for value in values {
                    staff.miss(names.academy, value);
                }
            }
        }
        staff
    }

    fn miss(&mut self, name: &'static str, value: &str) {
        self.unread.push(Unread {
            name,
            value: value.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
