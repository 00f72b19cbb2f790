//! Rows of either engine, and parameters bound to a statement of either.

use std::str::FromStr;

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Column as _, Row as _};

use crate::store::StoreError;
use crate::store::value::{FromColumn, Value};

/// A row of a result.
#[derive(Debug)]
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the column is missing or holds another type.
    pub fn get<T: FromColumn>(&self, column: &str) -> Result<T, StoreError> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(|source| StoreError::corrupt(column, source))
    }

    /// The value of a text column, read as a typed value.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where it does not read.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, StoreError> {
        self.get::<String>(column)?
            .parse()
            .map_err(|error: T::Err| StoreError::corrupt(column, error))
    }

    /// [`Row::parse`] of a column that may be NULL.
    ///
    /// # Errors
    /// As [`Row::parse`].
    pub fn parse_optional<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.get::<Option<String>>(column)? {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|error: T::Err| StoreError::corrupt(column, error)),
        }
    }

    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::Sqlite(row) => row
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect(),
            Self::Postgres(row) => row
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect(),
        }
    }
}

pub(super) fn bind_sqlite(sql: sqlx::SqlStr, values: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Text(value) => query.bind(value),
            Value::Int(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}

pub(super) fn bind_postgres(sql: sqlx::SqlStr, values: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Text(value) => query.bind(value),
            Value::Int(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}
