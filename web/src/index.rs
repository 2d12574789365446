//! The database: sign-ins, and the index of recordings, which is a cache that the bundles rebuild.
//!
//! SQLite today. The statements are written so that PostgreSQL runs them too (numbered parameters, `ON CONFLICT`,
//! `RETURNING`); it gets a migrations folder of its own beside `migrations/sqlite`.

mod recordings;
mod sign_ins;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub(crate) use recordings::{Cursor, Row, Scope};

/// How long a statement waits for another writer before it fails.
const BUSY: Duration = Duration::from_secs(5);

/// Connections to the database; a request that finds none free waits, at most `BUSY`.
const MAX_CONNECTIONS: u32 = 4;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The database, opened and migrated.
pub(crate) struct Index {
    pool: SqlitePool,
}

/// What the database would not do.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file could not be made.
    #[error("the index {path} cannot be made")]
    Make {
        /// The database file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is there and cannot be opened.
    #[error("the index {path} cannot be opened")]
    Open {
        /// The database file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// Its tables are not what this program's migrations would make of them.
    #[error("the index cannot be brought to this version")]
    Migrate(#[from] MigrateError),
    /// A statement failed.
    #[error("the index refused a statement")]
    Statement(#[from] sqlx::Error),
    /// A stored value cannot be read back.
    #[error("the index holds a value that cannot be read")]
    Value(#[from] serde_json::Error),
}

impl Index {
    /// Opens the SQLite file at `path`, made (mode 0600) when absent, and brings it to this version.
    pub(crate) async fn open(path: &Path) -> Result<Index, IndexError> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        drop(file.map_err(|source| IndexError::Make { path: path.to_owned(), source })?);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // Else a power cut could bring back a sign-in that was ended, or a link that was used.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(|source| IndexError::Open { path: path.to_owned(), source })?;
        MIGRATIONS.run(&pool).await?;
        Ok(Index { pool })
    }

    /// Closes all connections, so that the file holds everything and may be moved.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
