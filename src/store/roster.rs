//! Source records: persons as feeds state them, found by key, number, household, identity or school, written in bulk.

use super::db::{Bulk, Conn, Row, Tx};
use super::image::SOURCE_RECORD;
use super::value::{Value, text, text_or_null};
use super::{StoreError, lists, statements};
use crate::base::id::{IdentityId, ImportRunId, SourceRecordId};
use crate::base::time::{Date, Timestamp};
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::source::{AafKey, Sex, Source, SourceKey};
use crate::domain::uai::Uai;

/// How a record came to its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkedBy {
    /// It was the first of its identity.
    New,
    /// It was certain.
    Certain,
    /// A human said so.
    Human,
}

crate::domain::stored_names!(LinkedBy, "link", { New => "new", Certain => "certain", Human => "human" });

/// A source record as it is kept. Prints without a name.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its id.
    pub id: SourceRecordId,
    /// Its key.
    pub key: SourceKey,
    /// Whose it is.
    pub identity: IdentityId,
    /// What the person is there.
    pub profile: Profile,
    /// The school that states it, or stated it last.
    pub school: Uai,
    /// The latest year it was stated for.
    pub year: SchoolYear,
    /// Family name, as written.
    pub family_name: String,
    /// Usage name, as written.
    pub usage_name: Option<String>,
    /// First given name, as written.
    pub given_name: String,
    /// Other given names, a JSON array.
    pub other_names: String,
    /// Birth date.
    pub birth_date: Date,
    /// Sex.
    pub sex: Option<Sex>,
    /// Folded given name.
    pub given_key: String,
    /// Folded family name and birth date.
    pub household_key: String,
    /// Keyed hash of the INE.
    pub ine_index: Option<[u8; 32]>,
    /// The INE, sealed for this record.
    pub ine_sealed: Option<Vec<u8>>,
    /// How it came to its identity.
    pub linked_by: LinkedBy,
    /// Since when its school's feed no longer states it.
    pub missing_since: Option<Timestamp>,
    /// The file it stood in when it was last new or changed.
    pub file: String,
    /// Its line there.
    pub line: i64,
    /// The run that made it.
    pub created_run: Option<ImportRunId>,
    /// The number of a pupil in the register of their school, where the feed states it.
    pub attachment: Option<String>,
    /// The school of the year before, where the feed states it.
    pub previous_school: Option<Uai>,
    /// The place of the level in the continuum (`domain::education::grade`).
    pub grade: Option<i64>,
    /// The number of the row in its file, from 1, where the source gives no key.
    pub ordinal: Option<i64>,
    /// Keyed hashes of the three pieces of the INE, four bytes each.
    pub ine_pieces: Option<Vec<u8>>,
    /// Where it meets others.
    pub blocks: StoredBlocks,
    /// Keys of the names of those who answer for the pupil, eight bytes each; kept beside the record, by `guardian_key`.
    pub guardians: Vec<u8>,
}

/// The blocks of a record (`continuum::facts::Blocks`), as the engines keep numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredBlocks {
    /// Family name and birth date. Nothing here where a node of an earlier version wrote the row.
    pub family: Option<i64>,
    /// Usage name and birth date.
    pub usage: Option<i64>,
    /// Given name and birth date.
    pub given: Option<i64>,
    /// Both names, in any order.
    pub names: Option<i64>,
    /// Sound of the family name and birth date.
    pub sound: Option<i64>,
}

impl std::fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[record {}]", self.id)
    }
}

macro_rules! columns {
    () => {
        "id, record_key, source, scope, identity_id, profile, uai, year, family_name, usage_name, given_name,
        other_names, birth_date, sex, given_key, household_key, ine_index, ine_sealed, linked_by, missing_since, file,
        line, created_run, attachment, previous_uai, grade, ordinal, ine_pieces, block_family, block_usage, block_given,
        block_names, block_sound, (SELECT k.keys FROM guardian_key k WHERE k.record_id = source_record.id) AS guardian_keys"
    };
}

lists! {
    BY_ID = concat!("SELECT ", columns!(), " FROM source_record WHERE id IN (");
    BY_KEY = concat!("SELECT ", columns!(), " FROM source_record WHERE record_key IN (");
    BY_INE = concat!("SELECT ", columns!(), " FROM source_record WHERE ine_index IN (");
    BY_HOUSEHOLD = concat!("SELECT ", columns!(), " FROM source_record WHERE household_key IN (");
    BY_IDENTITY = concat!("SELECT ", columns!(), " FROM source_record WHERE identity_id IN (");
    BY_BLOCK_FAMILY = concat!("SELECT ", columns!(), " FROM source_record WHERE block_family IN (");
    BY_BLOCK_USAGE = concat!("SELECT ", columns!(), " FROM source_record WHERE block_usage IN (");
    BY_BLOCK_GIVEN = concat!("SELECT ", columns!(), " FROM source_record WHERE block_given IN (");
    BY_BLOCK_NAMES = concat!("SELECT ", columns!(), " FROM source_record WHERE block_names IN (");
    BY_BLOCK_SOUND = concat!("SELECT ", columns!(), " FROM source_record WHERE block_sound IN (");
}

statements! {
    OF_SCHOOL = concat!("SELECT ", columns!(), " FROM source_record WHERE uai = $1 AND source = $2");
    SCHOOLS_OF_SCOPE = "SELECT DISTINCT uai FROM source_record WHERE source = $1 AND scope = $2 AND year = $3
        AND missing_since IS NULL ORDER BY uai";
    KEYS_OF = "SELECT source, scope, record_key, uai, profile, attachment FROM source_record
        WHERE identity_id = $1 AND source IN ('aaf1d', 'aaf2d') AND missing_since IS NULL ORDER BY source, record_key";
    BY_ATTACHMENT = concat!("SELECT ", columns!(), " FROM source_record WHERE attachment = $1 AND uai = $2
        AND profile = 'National_ELV' ORDER BY id");
    PAGE = concat!("SELECT ", columns!(), " FROM source_record WHERE id > $1 ORDER BY id LIMIT $2");
    BLOCKLESS = concat!("SELECT ", columns!(), " FROM source_record WHERE block_family IS NULL LIMIT $1");
    // A number that is known is never replaced by another in passing.
    SET_ATTACHMENT = "UPDATE source_record SET attachment = $2 WHERE id = $1 AND attachment IS NULL";
    SIZE = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM source_record WHERE uai = $1 AND source = $2 AND year = $3
        AND missing_since IS NULL";
}

/// The records of the pupil who has a number in the register of a school, former ones included.
///
/// # Errors
/// [`StoreError`].
pub async fn by_attachment(
    conn: &mut Conn,
    attachment: &str,
    school: &Uai,
) -> Result<Vec<StoredRecord>, StoreError> {
    conn.all(BY_ATTACHMENT, [text(attachment), text(school)])
        .await?
        .iter()
        .map(record)
        .collect()
}

/// Keeps the number of a pupil in the register of their school, where the feed does not state it; whether it was not known.
///
/// # Errors
/// [`StoreError`].
pub async fn set_attachment(
    tx: &mut Tx,
    record: SourceRecordId,
    attachment: &str,
) -> Result<bool, StoreError> {
    let values = [text(record), text(attachment)];
    Ok(tx.execute(SET_ATTACHMENT, values).await? == 1)
}

/// A list of records to look for.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// By id.
    Ids(Vec<SourceRecordId>),
    /// By key.
    Keys(Vec<SourceKey>),
    /// By keyed hash of the INE.
    Ines(Vec<[u8; 32]>),
    /// By family name and birth date.
    Households(Vec<String>),
    /// By identity.
    Identities(Vec<IdentityId>),
    /// By blocks of one kind.
    Blocks(BlockKind, Vec<u64>),
}

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Family name and birth date.
    Family,
    /// Usage name and birth date.
    Usage,
    /// Given name and birth date.
    Given,
    /// Both names, in any order.
    Names,
    /// Sound of the family name and birth date.
    Sound,
}

impl Lookup {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Ids(list) => list.is_empty(),
            Self::Keys(list) => list.is_empty(),
            Self::Ines(list) => list.is_empty(),
            Self::Households(list) => list.is_empty(),
            Self::Identities(list) => list.is_empty(),
            Self::Blocks(_, list) => list.is_empty(),
        }
    }
}

/// Reads a record.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
fn record(row: &Row) -> Result<StoredRecord, StoreError> {
    let ine: Option<Vec<u8>> = row.get("ine_index")?;
    let ine_index = ine
        .map(|bytes| {
            <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::corrupt("ine_index", "not 32 bytes"))
        })
        .transpose()?;
    let missing: Option<i64> = row.get("missing_since")?;
    let source: Source = row.parse("source")?;
    let scope: String = row.get("scope")?;
    let key = own_key(row, source, &scope)?;
    Ok(StoredRecord {
        id: row.parse("id")?,
        key: SourceKey { source, scope, key },
        identity: row.parse("identity_id")?,
        profile: row.parse("profile")?,
        school: row.parse("uai")?,
        year: super::enrolment::year(row)?,
        family_name: row.get("family_name")?,
        usage_name: row.get("usage_name")?,
        given_name: row.get("given_name")?,
        other_names: row.get("other_names")?,
        birth_date: row.parse("birth_date")?,
        sex: row.parse_optional("sex")?,
        given_key: row.get("given_key")?,
        household_key: row.get("household_key")?,
        ine_index,
        ine_sealed: row.get("ine_sealed")?,
        linked_by: row.parse("linked_by")?,
        missing_since: missing.map(Timestamp::from_micros),
        file: row.get("file")?,
        line: row.get("line")?,
        created_run: row.parse_optional("created_run")?,
        attachment: row.get("attachment")?,
        previous_school: row.parse_optional("previous_uai")?,
        grade: row.get("grade")?,
        ordinal: row.get("ordinal")?,
        ine_pieces: row.get("ine_pieces")?,
        blocks: StoredBlocks {
            family: row.get("block_family")?,
            usage: row.get("block_usage")?,
            given: row.get("block_given")?,
            names: row.get("block_names")?,
            sound: row.get("block_sound")?,
        },
        guardians: row.get::<Option<Vec<u8>>>("guardian_keys")?.unwrap_or_default(),
    })
}

impl StoredRecord {
    /// The row, in the order of [`SOURCE_RECORD`].
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
            text(&self.family_name),
            self.usage_name.as_deref().into(),
            text(&self.given_name),
            text(&self.other_names),
            self.birth_date.into(),
            text_or_null(self.sex),
            text(&self.given_key),
            text(&self.household_key),
            self.ine_index.into(),
            self.ine_sealed.clone().into(),
            text(self.linked_by),
            self.missing_since.into(),
            text(&self.file),
            self.line.into(),
            text_or_null(self.created_run),
            self.attachment.as_deref().into(),
            text_or_null(self.previous_school.as_ref()),
            self.grade.into(),
            self.ordinal.into(),
            self.ine_pieces.clone().into(),
            self.blocks.family.into(),
            self.blocks.usage.into(),
            self.blocks.given.into(),
            self.blocks.names.into(),
            self.blocks.sound.into(),
        ]
    }
}

/// Every record of a list.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, lookup: Lookup) -> Result<Vec<StoredRecord>, StoreError> {
    let (bulk, keys): (Bulk, Vec<Value>) = match lookup {
        Lookup::Ids(ids) => (BY_ID, ids.iter().map(text).collect()),
        Lookup::Keys(keys) => (BY_KEY, keys.iter().map(text).collect()),
        Lookup::Ines(ines) => (BY_INE, ines.into_iter().map(Value::from).collect()),
        Lookup::Households(keys) => (BY_HOUSEHOLD, keys.into_iter().map(Value::from).collect()),
        Lookup::Identities(ids) => (BY_IDENTITY, ids.iter().map(text).collect()),
        Lookup::Blocks(kind, blocks) => (
            match kind {
                BlockKind::Family => BY_BLOCK_FAMILY,
                BlockKind::Usage => BY_BLOCK_USAGE,
                BlockKind::Given => BY_BLOCK_GIVEN,
                BlockKind::Names => BY_BLOCK_NAMES,
                BlockKind::Sound => BY_BLOCK_SOUND,
            },
            blocks
                .into_iter()
                .map(|block| Value::from(block.cast_signed()))
                .collect(),
        ),
    };
    conn.all_in(bulk, &keys).await?.iter().map(record).collect()
}

/// Records in the order of their ids, after one of them.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    conn: &mut Conn,
    after: Option<SourceRecordId>,
    count: i64,
) -> Result<Vec<StoredRecord>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let rows = conn.all(PAGE, [after.into(), count.into()]).await?;
    rows.iter().map(record).collect()
}

/// Some records that have no blocks yet.
///
/// # Errors
/// [`StoreError`].
pub async fn blockless(conn: &mut Conn, count: i64) -> Result<Vec<StoredRecord>, StoreError> {
    let rows = conn.all(BLOCKLESS, [count.into()]).await?;
    rows.iter().map(record).collect()
}

/// Who a person is in the feeds of the ministry that state them today.
///
/// # Errors
/// [`StoreError`].
pub async fn keys_of(conn: &mut Conn, identity: IdentityId) -> Result<Vec<AafKey>, StoreError> {
    let rows = conn.all(KEYS_OF, [text(identity)]).await?;
    rows.iter().map(aaf_key).collect()
}

fn aaf_key(row: &Row) -> Result<AafKey, StoreError> {
    let (source, scope) = (row.parse::<Source>("source")?, row.get::<String>("scope")?);
    Ok(AafKey {
        source,
        jointure: own_key(row, source, &scope)?,
        academy: scope
            .parse()
            .map_err(|error| StoreError::corrupt("scope", error))?,
        attachment: row.get("attachment")?,
        school: row.parse("uai")?,
        profile: row.parse("profile")?,
    })
}

/// The key that a source gives, without what it is unique in.
pub(super) fn own_key(row: &Row, source: Source, scope: &str) -> Result<String, StoreError> {
    let full: String = row.get("record_key")?;
    let key = full.strip_prefix(&format!("{source}:{scope}:"));
    key.map(str::to_owned)
        .ok_or_else(|| StoreError::corrupt("record_key", "does not begin with its source and scope"))
}

/// Every record of a source whose latest school is this one, of any year.
///
/// # Errors
/// [`StoreError`].
pub async fn of_school(
    conn: &mut Conn,
    school: &Uai,
    source: Source,
) -> Result<Vec<StoredRecord>, StoreError> {
    conn.all(OF_SCHOOL, [text(school), text(source)])
        .await?
        .iter()
        .map(record)
        .collect()
}

/// The schools in which a feed states somebody in a year.
///
/// # Errors
/// [`StoreError`].
pub async fn schools_of_scope(
    conn: &mut Conn,
    source: Source,
    scope: &str,
    year: SchoolYear,
) -> Result<Vec<Uai>, StoreError> {
    let values = [text(source), text(scope), i64::from(year.first()).into()];
    let rows = conn.all(SCHOOLS_OF_SCOPE, values).await?;
    rows.iter().map(|row| row.parse("uai")).collect()
}

/// How many records of a source a school has in a year that are not missing.
///
/// # Errors
/// [`StoreError`].
pub async fn size(
    conn: &mut Conn,
    school: &Uai,
    source: Source,
    year: SchoolYear,
) -> Result<i64, StoreError> {
    let values = [text(school), text(source), i64::from(year.first()).into()];
    conn.number(SIZE, values).await
}

/// Keeps records, new or changed.
///
/// # Errors
/// [`StoreError::Conflict`] where a key is taken.
pub async fn save(tx: &mut Tx, records: &[StoredRecord]) -> Result<(), StoreError> {
    let rows = records.iter().map(StoredRecord::values).collect();
    SOURCE_RECORD.save(tx, rows).await
}
