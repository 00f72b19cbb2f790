//! Adults as feeds state them, for whom they answer, and the enrolments that came of it.

use super::db::{Bulk, Conn, Row, Statement, Tx};
use super::image::{ADULT_ENROLMENT, ADULT_RECORD, ENROLMENT, GUARDIAN_STATEMENT};
use super::value::{Value, text, text_or_null};
use super::{StoreError, lists, statements};
use crate::base::id::{AdultRecordId, IdentityId, ImportRunId, SourceRecordId};
use crate::base::time::Date;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::source::{AdultFacts, Kinship, Sex, Source, SourceKey};
use crate::domain::uai::Uai;

macro_rules! columns {
    () => {
        "id, record_key, source, scope, identity_id, profile, uai, year, family_name, usage_name, given_name, birth_date,
        sex, file, line, created_run"
    };
}

macro_rules! enrolment_columns {
    () => {
        "x.adult_id, e.id, e.identity_id, e.record_id, e.uai, e.class_id, e.level, e.profile, e.year, e.starts_on, e.ends_on,
        e.created_run
        FROM enrolment e JOIN adult_enrolment x ON x.enrolment_id = e.id JOIN adult_record a ON a.id = x.adult_id"
    };
}

lists! {
    BY_ID = concat!("SELECT ", columns!(), " FROM adult_record WHERE id IN (");
    BY_KEY = concat!("SELECT ", columns!(), " FROM adult_record WHERE record_key IN (");
    BY_IDENTITY = concat!("SELECT ", columns!(), " FROM adult_record WHERE identity_id IN (");
    STATEMENTS_OF = "SELECT adult_id, pupil_record_id, kinship, legal, year, created_run FROM guardian_statement
        WHERE pupil_record_id IN (";
    /// Statements about whom adults answer for, with what decides whether such a pupil is there.
    TIES_AMONG = "SELECT a.id, a.identity_id, r.uai, r.source, r.year FROM adult_record a
        JOIN guardian_statement g ON g.adult_id = a.id JOIN source_record r ON r.id = g.pupil_record_id
        WHERE r.missing_since IS NULL AND a.identity_id IN (";
    ENROLMENTS_AMONG = concat!("SELECT a.source, ", enrolment_columns!(), " WHERE e.identity_id IN (");
}

statements! {
    GUARDIAN_ENROLMENTS = concat!("SELECT ", enrolment_columns!(), " WHERE e.uai = $1 AND e.year = $2
        AND a.source = $3 AND e.profile = $4 ORDER BY e.id");
    STAFF_ENROLMENTS = concat!("SELECT ", enrolment_columns!(), " WHERE e.uai = $1 AND e.year = $2
        AND a.source = $3 AND e.profile <> $4 ORDER BY e.id");
    // Those whom statements of a source tie to a pupil whom it states there and who is not missing.
    GUARDIANS = "SELECT DISTINCT a.id, a.identity_id FROM source_record r
        JOIN guardian_statement g ON g.pupil_record_id = r.id JOIN adult_record a ON a.id = g.adult_id
        WHERE r.uai = $1 AND r.source = $2 AND r.year = $3 AND r.missing_since IS NULL ORDER BY a.id";
    OF_IDENTITY = concat!("SELECT ", columns!(), " FROM adult_record WHERE identity_id = $1 ORDER BY id");
}

/// An adult as one source knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdultRecord {
    /// Its id.
    pub id: AdultRecordId,
    /// Its key.
    pub key: SourceKey,
    /// Whose it is.
    pub identity: IdentityId,
    /// What they were last stated as.
    pub profile: Profile,
    /// Where.
    pub school: Uai,
    /// For which year.
    pub year: SchoolYear,
    /// Who they are.
    pub facts: AdultFacts,
    /// The file that stated them.
    pub file: String,
    /// Its line.
    pub line: i64,
    /// The run that made the row.
    pub created_run: Option<ImportRunId>,
}

/// That a feed says an adult answers for a pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianStatement {
    /// The adult.
    pub adult: AdultRecordId,
    /// The pupil.
    pub pupil: SourceRecordId,
    /// What they are to the pupil.
    pub kinship: Option<Kinship>,
    /// Whether they exercise parental authority.
    pub legal: Option<bool>,
    /// The year it was stated for.
    pub year: SchoolYear,
    /// The run that made the row.
    pub created_run: Option<ImportRunId>,
}

/// A list of adults to look for.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// By id.
    Ids(Vec<AdultRecordId>),
    /// By key.
    Keys(Vec<SourceKey>),
    /// By identity.
    Identities(Vec<IdentityId>),
}

fn record(row: &Row) -> Result<AdultRecord, StoreError> {
    let (source, scope) = (row.parse::<Source>("source")?, row.get::<String>("scope")?);
    let stored: String = row.get("record_key")?;
    let prefix = format!("{source}:{scope}:");
    let key = stored
        .strip_prefix(&prefix)
        .ok_or_else(|| StoreError::corrupt("record_key", "does not begin with its source and scope"))?
        .to_owned();
    Ok(AdultRecord {
        id: row.parse("id")?,
        key: SourceKey { source, scope, key },
        identity: row.parse("identity_id")?,
        profile: row.parse("profile")?,
        school: row.parse("uai")?,
        year: super::enrolment::year(row)?,
        facts: AdultFacts {
            family_name: row.get("family_name")?,
            usage_name: row.get("usage_name")?,
            given_name: row.get("given_name")?,
            sex: row.parse_optional::<Sex>("sex")?,
            birth_date: row.parse_optional::<Date>("birth_date")?,
        },
        file: row.get("file")?,
        line: row.get("line")?,
        created_run: row.parse_optional("created_run")?,
    })
}

impl AdultRecord {
    /// The row, in the order of [`ADULT_RECORD`].
    pub fn values(&self) -> Vec<Value> {
        vec![
            text(self.id),
            text(&self.key),
            text(self.key.source),
            text(&self.key.scope),
            text(self.identity),
            text(self.profile),
            text(&self.school),
            i64::from(self.year.first()).into(),
            text(&self.facts.family_name),
            self.facts.usage_name.as_deref().into(),
            text(&self.facts.given_name),
            self.facts.birth_date.into(),
            text_or_null(self.facts.sex),
            text(&self.file),
            self.line.into(),
            text_or_null(self.created_run),
        ]
    }
}

impl GuardianStatement {
    /// The row, in the order of [`GUARDIAN_STATEMENT`].
    pub fn values(&self) -> Vec<Value> {
        vec![
            text(self.adult),
            text(self.pupil),
            text_or_null(self.kinship),
            Value::Bool(self.legal),
            i64::from(self.year.first()).into(),
            text_or_null(self.created_run),
        ]
    }
}

/// Finds adults.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, lookup: Lookup) -> Result<Vec<AdultRecord>, StoreError> {
    let (bulk, keys): (Bulk, Vec<Value>) = match lookup {
        Lookup::Ids(ids) => (BY_ID, ids.iter().map(text).collect()),
        Lookup::Keys(keys) => (BY_KEY, keys.iter().map(text).collect()),
        Lookup::Identities(ids) => (BY_IDENTITY, ids.iter().map(text).collect()),
    };
    conn.all_in(bulk, &keys).await?.iter().map(record).collect()
}

/// The rows of the adults that are of an identity, for whoever moves them.
///
/// # Errors
/// [`StoreError`].
pub async fn rows_of_identity(conn: &mut Conn, identity: IdentityId) -> Result<Vec<Vec<Value>>, StoreError> {
    let rows = conn.all(OF_IDENTITY, [text(identity)]).await?;
    rows.iter().map(|row| ADULT_RECORD.values(row)).collect()
}

/// Who is said to answer for pupils.
///
/// # Errors
/// [`StoreError`].
pub async fn statements_of(
    conn: &mut Conn,
    pupils: &[SourceRecordId],
) -> Result<Vec<GuardianStatement>, StoreError> {
    let keys: Vec<Value> = pupils.iter().map(text).collect();
    let rows = conn.all_in(STATEMENTS_OF, &keys).await?;
    rows.iter()
        .map(|row| {
            Ok(GuardianStatement {
                adult: row.parse("adult_id")?,
                pupil: row.parse("pupil_record_id")?,
                kinship: row.parse_optional("kinship")?,
                legal: row.get("legal")?,
                year: super::enrolment::year(row)?,
                created_run: row.parse_optional("created_run")?,
            })
        })
        .collect()
}

/// Who is said to answer for a pupil whom a source states in a school for a year, whichever source says it: records and
/// whose they are, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn guardians(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<(AdultRecordId, IdentityId)>, StoreError> {
    let values = [text(school), text(source), i64::from(year.first()).into()];
    let rows = conn.all(GUARDIANS, values).await?;
    rows.iter()
        .map(|row| Ok((row.parse("id")?, row.parse("identity_id")?)))
        .collect()
}

/// Of some people, those who are said to answer so, as [`guardians`] has them.
///
/// # Errors
/// [`StoreError`].
pub async fn guardians_among(
    conn: &mut Conn,
    people: &[IdentityId],
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<(AdultRecordId, IdentityId)>, StoreError> {
    let keys: Vec<Value> = people.iter().map(text).collect();
    let mut found = Vec::new();
    for row in conn.all_in(TIES_AMONG, &keys).await? {
        let is_here = row.parse::<Uai>("uai")? == *school
            && row.parse::<Source>("source")? == source
            && super::enrolment::year(&row)? == year;
        if is_here {
            found.push((row.parse("id")?, row.parse("identity_id")?));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The enrolments of guardians in a school that a source brought, as rows of [`ENROLMENT`].
///
/// # Errors
/// [`StoreError`].
pub async fn guardian_enrolments(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let rows = enrolments(conn, GUARDIAN_ENROLMENTS, (school, year, source)).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Of these, those of some people.
///
/// # Errors
/// [`StoreError`].
pub async fn guardian_enrolments_among(
    conn: &mut Conn,
    people: &[IdentityId],
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let keys: Vec<Value> = people.iter().map(text).collect();
    let mut found = Vec::new();
    for row in conn.all_in(ENROLMENTS_AMONG, &keys).await? {
        let is_here = row.parse::<Uai>("uai")? == *school
            && row.parse::<Source>("source")? == source
            && super::enrolment::year(&row)? == year
            && row.parse::<Profile>("profile")? == Profile::Guardian;
        if is_here {
            found.push(ENROLMENT.values(&row)?);
        }
    }
    found.sort_by_key(|row| ENROLMENT.key_of(row));
    Ok(found)
}

/// The enrolments of staff in a school that a source brought, as rows of [`ENROLMENT`].
///
/// # Errors
/// [`StoreError`].
pub async fn staff_enrolments(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<(AdultRecordId, Vec<Value>)>, StoreError> {
    enrolments(conn, STAFF_ENROLMENTS, (school, year, source)).await
}

async fn enrolments(
    conn: &mut Conn,
    statement: Statement,
    (school, year, source): (&Uai, SchoolYear, Source),
) -> Result<Vec<(AdultRecordId, Vec<Value>)>, StoreError> {
    let values = [
        text(school),
        i64::from(year.first()).into(),
        text(source),
        text(Profile::Guardian),
    ];
    let rows = conn.all(statement, values).await?;
    rows.iter()
        .map(|row| Ok((row.parse("adult_id")?, ENROLMENT.values(row)?)))
        .collect()
}

/// Keeps adults, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, adults: &[AdultRecord]) -> Result<(), StoreError> {
    ADULT_RECORD
        .save(tx, adults.iter().map(AdultRecord::values).collect())
        .await
}

/// Keeps for whom adults are said to answer.
///
/// # Errors
/// [`StoreError`].
pub async fn save_statements(tx: &mut Tx, statements: &[GuardianStatement]) -> Result<(), StoreError> {
    let rows = statements.iter().map(GuardianStatement::values).collect();
    GUARDIAN_STATEMENT.save(tx, rows).await
}

/// Keeps enrolments of adults (rows of [`ENROLMENT`]) with the adult they came by.
///
/// # Errors
/// [`StoreError`].
pub async fn enrol(
    tx: &mut Tx,
    enrolments: Vec<(AdultRecordId, Vec<Value>)>,
    run: ImportRunId,
) -> Result<(), StoreError> {
    let origins = enrolments
        .iter()
        .map(|(adult, row)| vec![ENROLMENT.key_of(row).into(), text(adult), text(run)])
        .collect();
    let rows = enrolments.into_iter().map(|(_, row)| row).collect();
    ENROLMENT.save(tx, rows).await?;
    ADULT_ENROLMENT.save(tx, origins).await
}
