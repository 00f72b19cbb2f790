//! The database: the only file that knows there are two engines.
//!
//! Every other store file writes each statement once, with `$1…`, as a registered [`Statement`]; the text runs on
//! SQLite and on PostgreSQL. SQLite writes through one connection opened with `BEGIN IMMEDIATE` (a plain `BEGIN` that
//! reads first loses to other writers) and reads through a pool of its own; PostgreSQL has one pool. This file must
//! never hold a table's name.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Transaction;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::StoreError;
use super::value::Value;
use crate::base::secret::Secret;

#[cfg(test)]
pub(crate) mod record;
mod row;

pub use row::Row;
use row::{bind_postgres, bind_sqlite};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A statement written once for both engines, registered so that the tests prepare it on each.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// Its name in its file, for traces.
    pub name: &'static str,
    /// Its text, parameters `$1…`.
    pub sql: &'static str,
}

/// A statement over many rows or keys: `head` + a list of placeholder tuples + `tail`.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// Its name in its file, for traces.
    pub name: &'static str,
    /// Text before the list: `INSERT INTO t (a, b) VALUES ` or `SELECT … WHERE k IN (`.
    pub head: &'static str,
    /// Placeholders in one item of the list.
    pub width: usize,
    /// Whether each item stands in parentheses (rows) or bare (keys).
    pub rows: bool,
    /// Text after the list.
    pub tail: &'static str,
}

/// How the parameters of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholders {
    /// `$1…`, which both engines read.
    Numbered,
    /// `?`. SQLite looks every numbered one up by its name, one after the other: with thousands of them, binding takes
    /// longer than the statement.
    Bare,
}

impl Bulk {
    /// The text for `count` items.
    pub fn sql(&self, count: usize) -> String {
        self.text(count, Placeholders::Numbered)
    }

    fn text(&self, count: usize, placeholders: Placeholders) -> String {
        use std::fmt::Write as _;
        let mut sql = String::with_capacity(self.head.len() + self.tail.len() + count * (self.width * 6 + 3));
        sql.push_str(self.head);
        for item in 0..count {
            if item > 0 {
                sql.push(',');
            }
            if self.rows {
                sql.push('(');
            }
            for at in 1..=self.width {
                if at > 1 {
                    sql.push(',');
                }
                match placeholders {
                    Placeholders::Bare => sql.push('?'),
                    // Writing into a string cannot fail.
                    Placeholders::Numbered => drop(write!(sql, "${}", item * self.width + at)),
                }
            }
            if self.rows {
                sql.push(')');
            }
        }
        sql.push_str(self.tail);
        sql
    }
}

/// Where the data lives.
#[derive(Debug, Clone)]
pub enum Address {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL (it may hold a password).
    Url(Secret),
}

/// A handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file, one writer.
    Sqlite {
        /// Read-only connections.
        read: SqlitePool,
        /// The one connection that writes.
        write: SqlitePool,
    },
    /// A server that several nodes share.
    Postgres(PgPool),
}

/// A connection that may read.
#[derive(Debug)]
pub struct Conn(Inner);

#[derive(Debug)]
enum Inner {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// A transaction that may write. Dropped without [`Tx::commit`], it never was.
#[derive(Debug)]
pub struct Tx(Conn);

impl std::ops::Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

fn text(sql: &'static str) -> sqlx::SqlStr {
    sqlx::SqlSafeStr::into_sql_str(sql)
}

fn built(sql: String) -> sqlx::SqlStr {
    // Built by `Bulk::sql` alone: registered constants and numbered placeholders, never a value.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that builds lists of placeholders"
    )]
    sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(sql))
}

impl Conn {
    async fn fetch_all(&mut self, sql: sqlx::SqlStr, values: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match &mut self.0 {
            Inner::SqliteRead(connection) => {
                let rows = bind_sqlite(sql, values).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Inner::SqliteWrite(connection) => {
                let rows = bind_sqlite(sql, values).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Inner::PostgresRead(connection) => {
                let rows = bind_postgres(sql, values).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
            Inner::PostgresWrite(connection) => {
                let rows = bind_postgres(sql, values).fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    async fn run(&mut self, sql: sqlx::SqlStr, values: Vec<Value>) -> Result<u64, sqlx::Error> {
        Ok(match &mut self.0 {
            Inner::SqliteRead(connection) => bind_sqlite(sql, values)
                .execute(&mut **connection)
                .await?
                .rows_affected(),
            Inner::SqliteWrite(connection) => bind_sqlite(sql, values)
                .execute(&mut **connection)
                .await?
                .rows_affected(),
            Inner::PostgresRead(connection) => bind_postgres(sql, values)
                .execute(&mut **connection)
                .await?
                .rows_affected(),
            Inner::PostgresWrite(connection) => bind_postgres(sql, values)
                .execute(&mut **connection)
                .await?
                .rows_affected(),
        })
    }

    fn placeholders(&self) -> Placeholders {
        match &self.0 {
            Inner::SqliteRead(_) | Inner::SqliteWrite(_) => Placeholders::Bare,
            Inner::PostgresRead(_) | Inner::PostgresWrite(_) => Placeholders::Numbered,
        }
    }

    /// Every row of a statement.
    ///
    /// # Errors
    /// [`StoreError`] of the driver.
    pub async fn all<const N: usize>(
        &mut self,
        statement: Statement,
        values: [Value; N],
    ) -> Result<Vec<Row>, StoreError> {
        #[cfg(test)]
        record::round_trip(statement.name);
        let rows = self.fetch_all(text(statement.sql), values.into()).await;
        rows.map_err(|error| StoreError::driver(statement.name, &error))
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] of the driver.
    pub async fn optional<const N: usize>(
        &mut self,
        statement: Statement,
        values: [Value; N],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(statement, values).await?.into_iter().next())
    }

    /// The one number a statement answers (`SELECT CAST(… AS BIGINT) AS number`).
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where it answers no row.
    pub async fn number<const N: usize>(
        &mut self,
        statement: Statement,
        values: [Value; N],
    ) -> Result<i64, StoreError> {
        match self.optional(statement, values).await? {
            Some(row) => row.get("number"),
            None => Err(StoreError::corrupt("number", "no row")),
        }
    }

    /// The rows for many keys, in lists of bounded length (so that few texts are prepared); the order is the
    /// engine's. The last list is filled up by repeating its last key.
    ///
    /// # Errors
    /// [`StoreError`] of the driver.
    pub async fn all_in(&mut self, bulk: Bulk, keys: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for part in keys.chunks(LIST) {
            let size = if part.len() <= SHORT_LIST {
                SHORT_LIST
            } else {
                LIST
            };
            let mut values = part.to_vec();
            if let Some(last) = part.last() {
                values.resize(size, last.clone());
            }
            let text = built(bulk.text(size, self.placeholders()));
            #[cfg(test)]
            record::round_trip(bulk.name);
            let found = self.fetch_all(text, values).await;
            rows.extend(found.map_err(|error| StoreError::driver(bulk.name, &error))?);
        }
        Ok(rows)
    }

    /// Prepares a text without running it; `Err` says what the engine finds wrong with it.
    ///
    /// # Errors
    /// [`StoreError`] of the driver.
    pub async fn prepare(&mut self, sql: String) -> Result<(), StoreError> {
        use sqlx::Executor as _;
        let text = built(sql);
        let prepared = match &mut self.0 {
            Inner::SqliteRead(connection) => (&mut **connection).prepare(text).await.map(drop),
            Inner::SqliteWrite(connection) => (&mut **connection).prepare(text).await.map(drop),
            Inner::PostgresRead(connection) => (&mut **connection).prepare(text).await.map(drop),
            Inner::PostgresWrite(connection) => (&mut **connection).prepare(text).await.map(drop),
        };
        prepared.map_err(|error| StoreError::driver("prepare", &error))
    }
}

/// Keys in one list of [`Conn::all_in`], and in a short one.
const LIST: usize = 500;
const SHORT_LIST: usize = 20;
/// Placeholders in one bulk statement: below the 32,766 of SQLite and the 65,535 of PostgreSQL. Prepared statements are kept, and
/// each takes memory by its placeholders.
const PLACEHOLDERS: usize = 2_000;

impl Tx {
    /// Runs a statement; answers the number of rows it touched.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a uniqueness rule refuses, else the driver's.
    pub async fn execute<const N: usize>(
        &mut self,
        statement: Statement,
        values: [Value; N],
    ) -> Result<u64, StoreError> {
        #[cfg(test)]
        record::round_trip(statement.name);
        let done = self.run(text(statement.sql), values.into()).await;
        done.map_err(|error| StoreError::driver(statement.name, &error))
    }

    /// Runs a bulk statement over all items, in parts; answers the number of rows touched. Each item must hold
    /// `bulk.width` values.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub async fn execute_many(&mut self, bulk: Bulk, items: Vec<Vec<Value>>) -> Result<u64, StoreError> {
        let full = (PLACEHOLDERS / bulk.width.max(1)).max(1);
        let mut touched = 0;
        let mut items = items.into_iter();
        let mut left = items.len();
        while left > 0 {
            // Full parts, then powers of four, so that few texts are prepared and few statements run.
            let size = if full <= left {
                full
            } else {
                1 << (left.ilog2() & !1)
            };
            let values: Vec<Value> = items.by_ref().take(size).flatten().collect();
            let text = built(bulk.text(size, self.placeholders()));
            #[cfg(test)]
            record::round_trip(bulk.name);
            let done = self.run(text, values).await;
            touched += done.map_err(|error| StoreError::driver(bulk.name, &error))?;
            left -= size;
        }
        Ok(touched)
    }

    /// Makes everything since the beginning durable, at once.
    ///
    /// # Errors
    /// The driver's; nothing is kept then.
    pub async fn commit(self) -> Result<(), StoreError> {
        #[cfg(test)]
        record::round_trip("commit");
        let done = match self.0.0 {
            Inner::SqliteWrite(transaction) => transaction.commit().await,
            Inner::PostgresWrite(transaction) => transaction.commit().await,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => Ok(()),
        };
        done.map_err(|error| StoreError::driver("commit", &error))
    }
}

impl Db {
    /// Opens the database; a SQLite file is made where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it cannot be reached.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let opened = match address {
            Address::File(path) => Self::open_file(path).await,
            Address::Url(url) => Self::open_url(url.expose()).await,
        };
        opened.map_err(|error| StoreError::driver("open", &error))
    }

    async fn open_file(path: &std::path::Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit reaches the disk: a code must not come back to life after a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(200);
        // Loads touch pages all over the indexes: 64 MiB of cache, and as much log before it is written back, or each
        // page goes to disk again and again.
        let writing = options
            .clone()
            .pragma("cache_size", "-65536")
            .pragma("wal_autocheckpoint", "16384");
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(writing)
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    async fn open_url(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("marelle")
            .statement_cache_capacity(200);
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        Ok(Self::Postgres(pool))
    }

    /// Brings the schema to this version; refuses a database that a newer version has changed.
    ///
    /// # Errors
    /// [`StoreError::Migration`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let done = match self {
            Self::Sqlite { write, .. } => MIGRATIONS.run(write).await,
            Self::Postgres(pool) => MIGRATIONS.run(pool).await,
        };
        done.map_err(|error| StoreError::Migration(error.to_string()))
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where none is free in time.
    pub async fn reader(&self) -> Result<Conn, StoreError> {
        let inner = match self {
            Self::Sqlite { read, .. } => read.acquire().await.map(Inner::SqliteRead),
            Self::Postgres(pool) => pool.acquire().await.map(Inner::PostgresRead),
        };
        inner
            .map(Conn)
            .map_err(|error| StoreError::driver("acquire", &error))
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where no connection is free in time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        #[cfg(test)]
        record::round_trip("begin");
        let inner = match self {
            Self::Sqlite { write, .. } => write.begin_with("BEGIN IMMEDIATE").await.map(Inner::SqliteWrite),
            Self::Postgres(pool) => pool.begin().await.map(Inner::PostgresWrite),
        };
        inner
            .map(|inner| Tx(Conn(inner)))
            .map_err(|error| StoreError::driver("begin", &error))
    }

    /// Waits for what is running and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// The engine's name, for people.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}
