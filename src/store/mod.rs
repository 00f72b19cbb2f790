//! L3: all SQL, one file per table family; [`db`] alone knows the two engines.
//!
//! Functions here load and save; they decide nothing. A read takes a [`db::Conn`], a write a [`db::Tx`], so whoever
//! writes has begun a transaction. "Not found" is `Option`. Single-use is one guarded statement that answers whether
//! the row was yours.

pub mod access_date;
pub mod acknowledgement;
pub mod adult;
pub mod assignment;
pub mod audit;
pub mod cas_ticket;
pub mod class_code;
pub mod class_group;
pub mod contact;
pub mod credential;
pub mod db;
pub mod delivery;
pub mod departure;
pub mod enrolment;
pub mod erasure;
pub mod event_delivery;
pub mod event_receiver;
pub mod feed_folder;
pub mod grant;
pub mod guardian_key;
pub mod guardianship;
pub mod identity;
pub mod image;
pub mod import_run;
pub mod installation;
pub mod journal;
pub mod logout_delivery;
pub mod match_case;
pub mod membership;
pub mod merge;
pub mod opening;
pub mod owner;
pub mod person;
pub mod pushed_request;
pub mod recognition_model;
pub mod refresh_token;
pub mod registration;
pub mod relying_party;
pub mod resource_server;
pub mod roster;
pub mod run_undo;
pub mod saml_entity;
pub mod saml_key;
pub mod saml_logout;
pub mod saml_source;
pub mod school;
pub mod service_token;
pub mod session;
pub mod signing_key;
pub mod subject;
pub mod throttle;
pub mod upstream_case;
pub mod upstream_enrolment;
pub mod upstream_link;
pub mod upstream_provider;
pub mod upstream_request;
pub mod used_proof;
pub mod userinfo;
pub mod value;

#[cfg(test)]
pub(crate) mod testing;

use db::{Bulk, Statement};

/// What can go wrong below the flows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or no connection is free in time.
    #[error("database unavailable during {statement}: {message}")]
    Unavailable {
        /// What was being done.
        statement: &'static str,
        /// The driver's words.
        message: String,
    },
    /// A uniqueness rule refused the row.
    #[error("{statement} conflicts with a row that is there")]
    Conflict {
        /// What was being done.
        statement: &'static str,
    },
    /// A row that cannot be: the database was changed by something else, or by a defect of ours.
    #[error("impossible value in column {column}: {message}")]
    Corrupt {
        /// The column.
        column: String,
        /// What is wrong with it (never the value of a secret column).
        message: String,
    },
    /// The schema could not be brought to this version.
    #[error("migration: {0}")]
    Migration(String),
    /// Anything else the driver says.
    #[error("{statement}: {message}")]
    Driver {
        /// What was being done.
        statement: &'static str,
        /// The driver's words.
        message: String,
    },
}

impl StoreError {
    /// An impossible value.
    pub fn corrupt(column: &str, message: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            column: column.to_owned(),
            message: message.to_string(),
        }
    }

    fn driver(statement: &'static str, error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Unavailable {
                statement,
                message: error.to_string(),
            },
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict { statement },
            _ => Self::Driver {
                statement,
                message: error.to_string(),
            },
        }
    }
}

/// Declares the statements of a file and registers them for the tests that prepare each on both engines.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: $crate::store::db::Statement =
            $crate::store::db::Statement { name: stringify!($name), sql: $sql };)+
        pub(super) const STATEMENTS: &[$crate::store::db::Statement] = &[$($name),+];
    };
}
pub(crate) use statements;

/// Declares statements that end with a list of keys (`… IN (`; what follows the list's own bracket may be given) and registers them likewise.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident = $head:expr $(, $tail:literal)?;)+) => {
        $($(#[$doc])* const $name: $crate::store::db::Bulk = $crate::store::db::Bulk {
            name: stringify!($name),
            head: $head,
            width: 1,
            rows: false,
            tail: concat!(")" $(, $tail)?),
        };)+
        pub(super) const BULKS: &[$crate::store::db::Bulk] = &[$($name),+];
    };
}
pub(crate) use lists;

/// Every registered statement, by file.
pub const REGISTER: &[(&str, &[Statement])] = &[
    ("access_date", access_date::STATEMENTS),
    ("acknowledgement", acknowledgement::STATEMENTS),
    ("adult", adult::STATEMENTS),
    ("assignment", assignment::STATEMENTS),
    ("audit", audit::STATEMENTS),
    ("cas_ticket", cas_ticket::STATEMENTS),
    ("class_code", class_code::STATEMENTS),
    ("class_group", class_group::STATEMENTS),
    ("contact", contact::STATEMENTS),
    ("credential", credential::STATEMENTS),
    ("departure", departure::STATEMENTS),
    ("enrolment", enrolment::STATEMENTS),
    ("erasure", erasure::STATEMENTS),
    ("event_delivery", event_delivery::STATEMENTS),
    ("event_receiver", event_receiver::STATEMENTS),
    ("feed_folder", feed_folder::STATEMENTS),
    ("grant", grant::STATEMENTS),
    ("guardian_key", guardian_key::STATEMENTS),
    ("guardianship", guardianship::STATEMENTS),
    ("identity", identity::STATEMENTS),
    ("import_run", import_run::STATEMENTS),
    ("installation", installation::STATEMENTS),
    ("journal", journal::STATEMENTS),
    ("logout_delivery", logout_delivery::STATEMENTS),
    ("match_case", match_case::STATEMENTS),
    ("membership", membership::STATEMENTS),
    ("merge", merge::STATEMENTS),
    ("opening", opening::STATEMENTS),
    ("person", person::STATEMENTS),
    ("pushed_request", pushed_request::STATEMENTS),
    ("recognition_model", recognition_model::STATEMENTS),
    ("refresh_token", refresh_token::STATEMENTS),
    ("registration", registration::STATEMENTS),
    ("relying_party", relying_party::STATEMENTS),
    ("resource_server", resource_server::STATEMENTS),
    ("roster", roster::STATEMENTS),
    ("run_undo", run_undo::STATEMENTS),
    ("saml_entity", saml_entity::STATEMENTS),
    ("saml_key", saml_key::STATEMENTS),
    ("saml_logout", saml_logout::STATEMENTS),
    ("saml_source", saml_source::STATEMENTS),
    ("school", school::STATEMENTS),
    ("service_token", service_token::STATEMENTS),
    ("session", session::STATEMENTS),
    ("signing_key", signing_key::STATEMENTS),
    ("subject", subject::STATEMENTS),
    ("throttle", throttle::STATEMENTS),
    ("upstream_case", upstream_case::STATEMENTS),
    ("upstream_enrolment", upstream_enrolment::STATEMENTS),
    ("upstream_link", upstream_link::STATEMENTS),
    ("upstream_provider", upstream_provider::STATEMENTS),
    ("upstream_request", upstream_request::STATEMENTS),
    ("used_proof", used_proof::STATEMENTS),
    ("userinfo", userinfo::STATEMENTS),
];

/// Every registered bulk statement, by file.
pub const BULK_REGISTER: &[(&str, &[Bulk])] = &[
    ("adult", adult::BULKS),
    ("departure", departure::BULKS),
    ("erasure", erasure::BULKS),
    ("event_delivery", event_delivery::BULKS),
    ("event_receiver", event_receiver::BULKS),
    ("guardian_key", guardian_key::BULKS),
    ("guardianship", guardianship::BULKS),
    ("journal", journal::BULKS),
    ("logout_delivery", logout_delivery::BULKS),
    ("match_case", match_case::BULKS),
    ("membership", membership::BULKS),
    ("owner", owner::BULKS),
    ("person", person::BULKS),
    ("roster", roster::BULKS),
    ("saml_entity", saml_entity::BULKS),
    ("saml_source", saml_source::BULKS),
    ("school", school::BULKS),
    ("session", session::BULKS),
];

#[cfg(test)]
mod tests {
    use super::testing::{on_each_engine, postgres, sqlite};
    use super::{BULK_REGISTER, REGISTER};

    #[tokio::test]
    async fn every_registered_statement_is_prepared_by_each_engine() {
        on_each_engine(async |db| {
            let mut conn = db.reader().await.unwrap();
            for (file, statements) in REGISTER {
                for statement in *statements {
                    let prepared = conn.prepare(statement.sql.to_owned()).await;
                    assert!(
                        prepared.is_ok(),
                        "{} {file}.{}: {prepared:?}",
                        db.engine(),
                        statement.name
                    );
                }
            }
            for (file, bulks) in BULK_REGISTER {
                for bulk in *bulks {
                    let prepared = conn.prepare(bulk.sql(3)).await;
                    assert!(
                        prepared.is_ok(),
                        "{} {file}.{}: {prepared:?}",
                        db.engine(),
                        bulk.name
                    );
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn every_store_file_is_registered() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if name == "mod" {
                continue;
            }
            if text.contains("\nstatements! {") {
                assert!(
                    REGISTER.iter().any(|(file, _)| *file == name),
                    "{name} is not in REGISTER"
                );
            }
            if text.contains("const BULKS:") || text.contains("\nlists! {") {
                assert!(
                    BULK_REGISTER.iter().any(|(file, _)| *file == name),
                    "{name} is not in BULK_REGISTER"
                );
            }
        }
    }

    /// Table → columns in order, as each engine itself tells it.
    async fn columns(db: &super::db::Db, sql: &'static str) -> Vec<String> {
        let mut conn = db.reader().await.unwrap();
        let rows = conn
            .all(super::Statement { name: "schema", sql }, [])
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get::<String>("line").unwrap())
            .collect()
    }

    #[tokio::test]
    async fn the_migrated_schemas_are_the_same() {
        let Some(postgres) = postgres().await else { return };
        let (sqlite, _folder) = sqlite().await;
        let theirs = columns(
            &postgres,
            "SELECT table_name || '.' || column_name || ' ' || upper(data_type) || ' ' || is_nullable AS line
             FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'
             ORDER BY 1",
        )
        .await;
        let ours = columns(
            &sqlite,
            "SELECT m.name || '.' || c.name || ' ' || upper(c.type) || ' ' ||
                CASE WHEN c.\"notnull\" THEN 'NO' ELSE 'YES' END AS line
             FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> '_sqlx_migrations' ORDER BY 1",
        )
        .await;
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        assert_eq!(sorted(ours), sorted(theirs));
    }
}
