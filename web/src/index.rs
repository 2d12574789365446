//! The database: a cache of what the bundles say, and what people made in the portal; SQLite or PostgreSQL.
//!
//! INVARIANT: `recordings`, `recording_groups`, `recording_policies`, `readings`, `events` and their full text are a cache that
//! [`Index::clear`] empties and the bundles fill again. All else is state, which no rebuild touches.

mod accounts;
mod events;
mod filter;
mod filters;
mod notes;
mod postgres;
mod readings;
mod recordings;
mod search;
mod sign_ins;
mod sqlite;
mod statement;
pub(crate) mod words;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::{PgPool, SqlitePool};

pub(crate) use events::{Entry, LINES, MAX_EVENTS, OnScreen};
pub(crate) use filter::{Scope, Share, Sought};
pub(crate) use filters::{Kept, MAX_FILTERS, SavedFilter};
pub(crate) use notes::{MAX_NOTES, NoteRow};
pub use postgres::Postgres;
pub(crate) use readings::ReadingRow;
pub(crate) use recordings::{Cursor, Row, Written};
pub(crate) use search::{HitCursor, HitRow};
pub(crate) use sign_ins::From;
use statement::either;

/// How long a statement waits for another writer, and a request for a connection, before it fails.
const BUSY: Duration = Duration::from_secs(5);

/// Connections to the database; a request that finds none free waits, at most `BUSY`.
const MAX_CONNECTIONS: u32 = 4;

/// Which database it is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A SQLite file; made, readable by its owner alone, when absent.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server, which must be there.
    Postgres(Postgres),
}

/// The database, opened and migrated.
pub(crate) struct Index {
    database: Opened,
}

enum Opened {
    Sqlite(SqlitePool),
    Postgres(PgPool),
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
    /// The address is not one of a PostgreSQL database.
    #[error("the address of the index is not one of a PostgreSQL database")]
    Address(#[source] sqlx::Error),
    /// The server cannot be reached, or lets nobody in.
    #[error("the index cannot be reached at {place}")]
    Reach {
        /// Host or socket and database, without credentials.
        place: String,
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
    /// Other recordings have taken all keys around the time of this one.
    #[error("the index has no key for the recording")]
    Keys,
}

impl Index {
    /// Opens the database and brings it to this version.
    pub(crate) async fn open(database: &Database) -> Result<Index, IndexError> {
        let database = match database {
            Database::Sqlite(path) => Opened::Sqlite(sqlite::open(path).await?),
            Database::Postgres(at) => Opened::Postgres(postgres::open(at).await?),
        };
        Ok(Index { database })
    }

    /// Closes all connections, so that a file holds everything and may be moved.
    pub(crate) async fn close(&self) {
        either!(self, pool => pool.close().await);
    }

    /// Empties the cache, at once or not at all.
    pub(crate) async fn clear(&self) -> Result<(), IndexError> {
        match &self.database {
            Opened::Sqlite(pool) => sqlite::clear(pool).await,
            Opened::Postgres(pool) => postgres::clear(pool).await,
        }
    }

    /// Lets the database look at how its rows are spread, after many have changed.
    pub(crate) async fn analyze(&self) -> Result<(), IndexError> {
        either!(self, pool, dialect => {
            for statement in dialect::ANALYZE {
                sqlx::query(statement).execute(pool).await?;
            }
        });
        Ok(())
    }
}
