//! What the server knows: SQLite with a write-ahead log, written through to the disk at every
//! commit. One connection writes; whatever belongs together is one transaction. No file content, no
//! inline data and no token is in it: tokens are there as digests.

mod events;
mod peers;
mod projects;
mod recipes;
mod schema;
mod tokens;
mod transitions;

pub use events::{Audit, Event, add_event, audit};
pub use peers::Peer;
pub use projects::{Limits, Project};
pub use recipes::{Command, NewCommand, NewRecipe, Recipe, ports};
pub use tokens::{Role, Token};
pub use transitions::{Change, Key, State, cancel, change};

use crate::error::ServiceError;
use crate::waiting::blocking;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The database.
#[derive(Debug)]
pub struct Database {
    connection: Mutex<Connection>,
    changed: watch::Sender<u64>,
}

impl Database {
    /// Opens the database at a path, or makes it.
    pub fn open(path: &Path) -> Result<Self, ServiceError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        schema::prepare(&connection)?;
        Ok(Self { connection: Mutex::new(connection), changed: watch::channel(0).0 })
    }

    /// A transaction failed half-way rolls back when it is dropped, so that a panic leaves nothing
    /// behind that the next one could stumble over.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in one transaction, which is on the disk when this returns; then tells who
    /// waits for changes.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let result = blocking(|| {
            let mut connection = self.connection();
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        self.nudge();
        result
    }

    /// Looks something up.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        blocking(|| work(&self.connection()))
    }

    /// Tells who waits for changes that there is something to look at.
    pub fn nudge(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Hears of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
