//! Whole rows as typed images, to be written in bulk, compared, journalled and put back exactly.
//!
//! One image for each table that a load or a merge writes. A journalled change holds only the columns that changed, as
//! JSON with bytes in base64; putting it back lays them over the row as it is then. Must never interpret a value.

use std::collections::{HashMap, HashSet};

use data_encoding::BASE64;
use serde_json::Value as Json;

use super::StoreError;
use super::db::{Bulk, Conn, Row, Statement, Tx};
use super::value::Value;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    Int,
    /// BOOLEAN.
    Bool,
    /// BYTEA.
    Bytes,
}

/// A table, seen as rows of values in a fixed order: key columns first.
#[derive(Debug)]
pub struct Image {
    /// The table.
    pub table: &'static str,
    /// How many of the columns are the key: one or two, all TEXT.
    keys: usize,
    columns: &'static [(&'static str, Kind)],
    load: Bulk,
    /// Inserts rows, or replaces those with the same keys.
    save: Bulk,
    delete: Statement,
}

macro_rules! image {
    ($(#[$doc:meta])* $name:ident = $table:literal
        [$key:ident $(, $second:ident)?] [$first:ident: $first_kind:ident $(, $column:ident: $kind:ident)* $(,)?]) => {
        $(#[$doc])*
        pub static $name: Image = Image {
            table: $table,
            keys: 1 $(+ { let _ = stringify!($second); 1 })?,
            columns: &[
                (stringify!($key), Kind::Text),
                $((stringify!($second), Kind::Text),)?
                (stringify!($first), Kind::$first_kind)
                $(, (stringify!($column), Kind::$kind))*
            ],
            load: Bulk {
                name: concat!("load ", $table),
                head: concat!("SELECT ", stringify!($key), $(", ", stringify!($second),)? ", ", stringify!($first)
                    $(, ", ", stringify!($column))*, " FROM ", $table, " WHERE ", stringify!($key), " IN ("),
                width: 1,
                rows: false,
                tail: ")",
            },
            save: Bulk {
                name: concat!("save ", $table),
                head: concat!("INSERT INTO ", $table, " (", stringify!($key), $(", ", stringify!($second),)? ", ",
                    stringify!($first) $(, ", ", stringify!($column))*, ") VALUES "),
                width: [stringify!($key), $(stringify!($second),)? stringify!($first) $(, stringify!($column))*].len(),
                rows: true,
                tail: concat!(" ON CONFLICT (", stringify!($key), $(", ", stringify!($second),)? ") DO UPDATE SET ",
                    stringify!($first), " = excluded.", stringify!($first)
                    $(, ", ", stringify!($column), " = excluded.", stringify!($column))*),
            },
            delete: Statement {
                name: concat!("delete ", $table),
                sql: concat!("DELETE FROM ", $table, " WHERE ", stringify!($key), " = $1"
                    $(, " AND ", stringify!($second), " = $2")?),
            },
        };
    };
}

image! {
    /// Schools.
    SCHOOL = "school" [uai] [name: Text, degree: Text, commune: Text, academy: Text, created_run: Text]
}
image! {
    /// What academies call schools.
    STRUCTURE = "structure" [structure_key, academy] [uai: Text, created_run: Text]
}
image! {
    /// Classes.
    CLASS_GROUP = "class_group" [id] [uai: Text, year: Int, source: Text, source_key: Text, label: Text, level: Text,
        created_run: Text]
}
image! {
    /// Identities.
    IDENTITY = "identity" [id] [status: Text, status_detail: Text, family_name: Text, usage_name: Text,
        given_name: Text, birth_date: Text, sex: Text, username: Text, locale: Text, created_at: Int,
        created_run: Text]
}
image! {
    /// Source records.
    SOURCE_RECORD = "source_record" [id] [record_key: Text, source: Text, scope: Text, identity_id: Text,
        profile: Text, uai: Text, year: Int, family_name: Text, usage_name: Text, given_name: Text, other_names: Text,
        birth_date: Text, sex: Text, given_key: Text, household_key: Text, ine_index: Bytes, ine_sealed: Bytes,
        linked_by: Text, missing_since: Int, file: Text, line: Int, created_run: Text, attachment: Text,
        previous_uai: Text, grade: Int, ordinal: Int, ine_pieces: Bytes, block_family: Int, block_usage: Int, block_given: Int,
        block_names: Int, block_sound: Int]
}
image! {
    /// Enrolments.
    ENROLMENT = "enrolment" [id] [identity_id: Text, record_id: Text, uai: Text, class_id: Text, level: Text,
        profile: Text, year: Int, starts_on: Text, ends_on: Text, created_run: Text]
}
image! {
    /// Match cases.
    MATCH_CASE = "match_case" [id] [record_a: Text, record_b: Text, reason: Text, evidence: Text, status: Text,
        opened_at: Int, decided_at: Int, decided_by: Text, created_run: Text]
}
image! {
    /// Subjects.
    SUBJECT = "subject" [value, sector] [identity_id: Text, in_use: Bool, issued_at: Int]
}
image! {
    /// Verifiers of credentials.
    CREDENTIAL = "credential" [identity_id, kind] [verifier: Text, set_at: Int]
}
image! {
    /// What people were told, or said yes to.
    ACKNOWLEDGEMENT = "acknowledgement" [identity_id, client_id] [kind: Text, attributes: Text, rights: Text,
        since: Int, given_at: Int]
}
image! {
    /// Sessions.
    SESSION = "session" [id] [token_hash: Bytes, identity_id: Text, authenticated_at: Int, acr: Text, amr: Text,
        device: Text, expires_at: Int, ended_at: Int]
}
image! {
    /// Logins at upstream providers that are of people.
    UPSTREAM_LINK = "upstream_link" [id] [provider: Text, subject: Text, identity_id: Text, binding: Text,
        convention: Text, linked_at: Int, used_at: Int, ended_at: Int, end_reason: Text]
}
image! {
    /// What people may do as administrators.
    ASSIGNMENT = "assignment" [id] [identity_id: Text, role: Text, scope_kind: Text, scope_key: Text, provider: Text,
        link_id: Text, rule: Text, since: Int, until: Text, ended_at: Int]
}
image! {
    /// Adults and pupils.
    GUARDIANSHIP = "guardianship" [guardian_id, pupil_id] [source: Text, stated_at: Int, kinship: Text, legal: Bool,
        created_run: Text]
}
image! {
    /// Adults as feeds state them.
    ADULT_RECORD = "adult_record" [id] [record_key: Text, source: Text, scope: Text, identity_id: Text, profile: Text,
        uai: Text, year: Int, family_name: Text, usage_name: Text, given_name: Text, birth_date: Text, sex: Text,
        file: Text, line: Int, created_run: Text]
}
image! {
    /// For whom adults are said to answer.
    GUARDIAN_STATEMENT = "guardian_statement" [adult_id, pupil_record_id] [kinship: Text, legal: Bool, year: Int,
        created_run: Text]
}
image! {
    /// By which adult an enrolment came.
    ADULT_ENROLMENT = "adult_enrolment" [enrolment_id] [adult_id: Text, created_run: Text]
}
image! {
    /// How to reach people.
    CONTACT = "contact" [identity_id] [email: Text, email_verified: Bool, phone: Text, phone_verified: Bool,
        street: Text, postal_code: Text, locality: Text, region: Text, country: Text, updated_at: Int]
}
/// Columns that were added when rows of their table were journalled already.
const LATER: &[&str] = &[
    "attachment",
    "previous_uai",
    "grade",
    "ordinal",
    "ine_pieces",
    "block_family",
    "block_usage",
    "block_given",
    "block_names",
    "block_sound",
    "kinship",
    "legal",
    "created_run",
];

/// Every table that has an image.
pub static IMAGES: &[&Image] = &[
    &SCHOOL,
    &STRUCTURE,
    &CLASS_GROUP,
    &IDENTITY,
    &SOURCE_RECORD,
    &ENROLMENT,
    &MATCH_CASE,
    &SUBJECT,
    &CREDENTIAL,
    &ACKNOWLEDGEMENT,
    &SESSION,
    &UPSTREAM_LINK,
    &ASSIGNMENT,
    &GUARDIANSHIP,
    &ADULT_RECORD,
    &GUARDIAN_STATEMENT,
    &ADULT_ENROLMENT,
    &CONTACT,
];

/// The image of a table, by its name in the journal.
///
/// # Errors
/// [`StoreError::Corrupt`] for any other name.
pub fn by_table(table: &str) -> Result<&'static Image, StoreError> {
    IMAGES
        .iter()
        .find(|image| image.table == table)
        .copied()
        .ok_or_else(|| StoreError::corrupt("change.table_name", table))
}

impl Image {
    /// Whether rows of the table go away by themselves or are erased: one that is gone needs no putting back.
    pub fn is_purged(&self) -> bool {
        [SESSION.table, CONTACT.table, MATCH_CASE.table].contains(&self.table)
    }

    /// The names of its columns, in order.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// The key of a row, as the journal writes it: key columns with a tab between.
    pub fn key_of(&self, values: &[Value]) -> String {
        let keys: Vec<&str> = values
            .iter()
            .take(self.keys)
            .map(|value| match value {
                Value::Text(Some(text)) => text.as_str(),
                _ => "",
            })
            .collect();
        keys.join("\t")
    }

    /// A row with another value in one column.
    pub fn with(&self, row: &[Value], column: &str, value: impl Into<Value>) -> Vec<Value> {
        let mut row = row.to_vec();
        let at = self.columns.iter().position(|(name, _)| *name == column);
        if let Some(slot) = at.and_then(|at| row.get_mut(at)) {
            *slot = value.into();
        }
        row
    }

    /// The text in one column of a row; empty where there is none.
    pub fn text<'r>(&self, row: &'r [Value], column: &str) -> &'r str {
        let at = self.columns.iter().position(|(name, _)| *name == column);
        match at.and_then(|at| row.get(at)) {
            Some(Value::Text(Some(text))) => text,
            _ => "",
        }
    }

    /// The number in one column of a row; 0 where there is none.
    pub fn number(&self, row: &[Value], column: &str) -> i64 {
        let at = self.columns.iter().position(|(name, _)| *name == column);
        match at.and_then(|at| row.get(at)) {
            Some(Value::Int(Some(number))) => *number,
            _ => 0,
        }
    }

    /// The truth in one column of a row; false where there is none.
    pub fn truth(&self, row: &[Value], column: &str) -> bool {
        let at = self.columns.iter().position(|(name, _)| *name == column);
        matches!(at.and_then(|at| row.get(at)), Some(Value::Bool(Some(true))))
    }

    /// The columns of `before` that are not as they were in `after`, as JSON; `None` where nothing changed.
    pub fn difference(&self, before: &[Value], after: &[Value]) -> Option<String> {
        let mut changed = serde_json::Map::new();
        for ((name, _), (old, new)) in self.columns.iter().zip(before.iter().zip(after)) {
            if old != new {
                changed.insert((*name).to_owned(), to_json(old));
            }
        }
        (!changed.is_empty()).then(|| Json::Object(changed).to_string())
    }

    /// Every column as JSON: how a row that goes away is kept.
    pub fn whole(&self, values: &[Value]) -> String {
        let object: serde_json::Map<String, Json> = self
            .columns
            .iter()
            .zip(values)
            .map(|((name, _), value)| ((*name).to_owned(), to_json(value)))
            .collect();
        Json::Object(object).to_string()
    }

    /// Lays journalled columns over a row (or over nothing, where all columns are journalled).
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the journal does not read, or the row is gone and only a part of it is known.
    pub fn restored(&self, row: Option<&[Value]>, before: &str) -> Result<Vec<Value>, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("change.before", format!("{} {what}", self.table));
        let json: Json = serde_json::from_str(before).map_err(|error| corrupt(&error.to_string()))?;
        let object = json.as_object().ok_or_else(|| corrupt("is no object"))?;
        let mut values = Vec::with_capacity(self.columns.len());
        for (at, (name, kind)) in self.columns.iter().enumerate() {
            values.push(match object.get(*name) {
                Some(json) => from_json(json, *kind).ok_or_else(|| corrupt(name))?,
                None => match row {
                    Some(row) => row.get(at).cloned().ok_or_else(|| corrupt(name))?,
                    // A version before this one kept the row, and knew nothing of the column.
                    None if LATER.contains(name) => {
                        from_json(&Json::Null, *kind).ok_or_else(|| corrupt(name))?
                    }
                    None => return Err(corrupt("row is gone")),
                },
            });
        }
        Ok(values)
    }

    /// Reads a row that has every column of the table.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where a column holds another type.
    pub fn values(&self, row: &Row) -> Result<Vec<Value>, StoreError> {
        self.columns
            .iter()
            .map(|(name, kind)| {
                Ok(match kind {
                    Kind::Text => Value::Text(row.get(name)?),
                    Kind::Int => Value::Int(row.get(name)?),
                    Kind::Bool => Value::Bool(row.get(name)?),
                    Kind::Bytes => Value::Bytes(row.get(name)?),
                })
            })
            .collect()
    }

    /// The rows with these journal keys, by key; a key without a row is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(
        &self,
        conn: &mut Conn,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<Value>>, StoreError> {
        let firsts: Vec<Value> = keys
            .iter()
            .map(|key| key.split('\t').next().unwrap_or_default().into())
            .collect();
        let mut found = HashMap::new();
        for row in conn.all_in(self.load, &firsts).await? {
            let values = self.values(&row)?;
            found.insert(self.key_of(&values), values);
        }
        let wanted: HashSet<&String> = keys.iter().collect();
        found.retain(|key, _| wanted.contains(key));
        Ok(found)
    }

    /// Inserts rows, or replaces those with the same keys.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another uniqueness rule refuses.
    pub async fn save(&self, tx: &mut Tx, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        tx.execute_many(self.save, rows).await.map(drop)
    }

    /// Deletes the row with a journal key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, tx: &mut Tx, key: &str) -> Result<(), StoreError> {
        let deleted = match key.split_once('\t') {
            Some((first, second)) => tx.execute(self.delete, [first.into(), second.into()]).await,
            None => tx.execute(self.delete, [key.into()]).await,
        };
        deleted.map(drop)
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.clone().map_or(Json::Null, Json::String),
        Value::Int(number) => number.map_or(Json::Null, Json::from),
        Value::Bool(truth) => truth.map_or(Json::Null, Json::from),
        Value::Bytes(bytes) => bytes
            .as_ref()
            .map_or(Json::Null, |bytes| Json::String(BASE64.encode(bytes))),
    }
}

fn from_json(json: &Json, kind: Kind) -> Option<Value> {
    Some(match (kind, json) {
        (Kind::Text, Json::Null) => Value::Text(None),
        (Kind::Int, Json::Null) => Value::Int(None),
        (Kind::Bool, Json::Null) => Value::Bool(None),
        (Kind::Bytes, Json::Null) => Value::Bytes(None),
        (Kind::Text, Json::String(text)) => Value::Text(Some(text.clone())),
        (Kind::Int, Json::Number(number)) => Value::Int(Some(number.as_i64()?)),
        (Kind::Bool, Json::Bool(truth)) => Value::Bool(Some(*truth)),
        (Kind::Bytes, Json::String(text)) => Value::Bytes(Some(BASE64.decode(text.as_bytes()).ok()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each_engine;
    use crate::store::value::text;

    #[tokio::test]
    async fn every_image_knows_every_column_of_its_table_on_each_engine() {
        on_each_engine(async |db| {
            let mut conn = db.reader().await.unwrap();
            for image in IMAGES {
                for sql in [image.load.sql(2), image.save.sql(2), image.delete.sql.to_owned()] {
                    let prepared = conn.prepare(sql).await;
                    assert!(prepared.is_ok(), "{} {}: {prepared:?}", db.engine(), image.table);
                }
                let sql: &'static str = format!("SELECT * FROM {}", image.table).leak();
                let mut tx = db.begin().await.unwrap();
                let blank: Vec<Value> = image
                    .columns
                    .iter()
                    .map(|(name, kind)| blank(image.table, name, *kind))
                    .collect();
                image.save(&mut tx, vec![blank]).await.unwrap();
                let row = tx
                    .optional(Statement { name: "all", sql }, [])
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(row.columns().len(), image.columns.len(), "{}", image.table);
                assert!(image.values(&row).is_ok());
            }
        })
        .await;
    }

    /// A value that the checks of the schema let pass.
    fn blank(table: &str, name: &str, kind: Kind) -> Value {
        match (name, kind) {
            ("status", _) if table == "match_case" => text("open"),
            ("degree", _) => text("first"),
            ("scope_kind", _) => text("school"),
            ("kind", _) if table == "acknowledgement" => text("consent"),
            ("kind", _) => text("password"),
            ("status", _) => text("active"),
            ("status_detail" | "decided_by", _) => Value::Text(None),
            (_, Kind::Text) => text("x"),
            (_, Kind::Int) => 1i64.into(),
            (_, Kind::Bool) => true.into(),
            (_, Kind::Bytes) => vec![1u8].into(),
        }
    }

    #[test]
    fn a_difference_holds_what_changed_and_brings_it_back() {
        let row = |ine: Option<Vec<u8>>, in_use: bool| {
            vec![
                text("v"),
                text("ent"),
                Value::Text(None),
                in_use.into(),
                Value::Int(Some(-5)),
                ine.into(),
            ]
        };
        let columns: &[(&str, Kind)] = &[
            ("value", Kind::Text),
            ("sector", Kind::Text),
            ("note", Kind::Text),
            ("in_use", Kind::Bool),
            ("at", Kind::Int),
            ("sealed", Kind::Bytes),
        ];
        let image = Image {
            table: "t",
            columns: Box::leak(columns.into()),
            ..SUBJECT_LIKE
        };
        let (before, after) = (row(Some(vec![0, 255]), true), row(None, false));
        let change = image.difference(&before, &after).unwrap();
        assert_eq!(change, r#"{"in_use":true,"sealed":"AP8="}"#);
        assert_eq!(image.restored(Some(&after), &change).unwrap(), before);
        assert_eq!(image.difference(&before, &before), None);
        assert_eq!(image.key_of(&before), "v\tent");
        let whole = image.whole(&before);
        assert_eq!(image.restored(None, &whole).unwrap(), before);
        assert!(
            image.restored(None, &change).is_err(),
            "a part of a row is no row"
        );
        assert!(image.restored(Some(&after), r#"{"at":"five"}"#).is_err());
    }

    const SUBJECT_LIKE: Image = Image {
        table: "t",
        keys: 2,
        columns: &[],
        load: Bulk {
            name: "",
            head: "",
            width: 1,
            rows: false,
            tail: "",
        },
        save: Bulk {
            name: "",
            head: "",
            width: 1,
            rows: true,
            tail: "",
        },
        delete: Statement { name: "", sql: "" },
    };
}
