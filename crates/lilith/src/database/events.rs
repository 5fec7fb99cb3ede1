//! What happened: events of recipes, by a sequence number that listeners resume from, and the audit
//! log, which is only ever added to. Neither has values of files in it.

use crate::error::ServiceError;
use crate::identifiers::now;
use rusqlite::{Connection, Row, params};
use serde_json::Value;

/// Something that happened to a recipe.
#[derive(Clone, Debug)]
pub struct Event {
    /// Larger for later ones.
    pub sequence: i64,
    /// Which command; none for the recipe as a whole.
    pub number: Option<usize>,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// `state`, `listening`, `connected`, `phase`, `forecast`, `note`, `end`.
    pub kind: String,
    /// What there is to say.
    pub data: Value,
}

/// Adds an event.
pub fn add_event(
    transaction: &Connection,
    recipe: &str,
    number: Option<usize>,
    kind: &str,
    data: &Value,
) -> Result<(), ServiceError> {
    transaction
        .prepare_cached(
            "INSERT INTO events (recipe, number, at, kind, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![recipe, number, now(), kind, data.to_string()])?;
    Ok(())
}

impl Event {
    /// So many are given at a time.
    pub const AT_A_TIME: usize = 1000;

    /// The events of a recipe after a sequence number, oldest first, [`Self::AT_A_TIME`] at most.
    pub fn after(
        connection: &Connection,
        recipe: &str,
        sequence: i64,
    ) -> Result<Vec<Event>, ServiceError> {
        let mut statement = connection.prepare_cached(
            "SELECT sequence, number, at, kind, data FROM events
             WHERE recipe = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
        )?;
        let event = |row: &Row<'_>| {
            let data: String = row.get(4)?;
            Ok(Event {
                sequence: row.get(0)?,
                number: row.get(1)?,
                at: row.get(2)?,
                kind: row.get(3)?,
                data: serde_json::from_str(&data).unwrap_or_default(),
            })
        };
        let events = statement.query_map(params![recipe, sequence, Self::AT_A_TIME], event)?;
        Ok(events.collect::<Result<_, _>>()?)
    }

    /// The sequence number of a recipe's latest event; 0 if there is none.
    pub fn latest(connection: &Connection, recipe: &str) -> Result<i64, ServiceError> {
        let latest = connection.query_row(
            "SELECT COALESCE(MAX(sequence), 0) FROM events WHERE recipe = ?1",
            [recipe],
            |row| row.get(0),
        )?;
        Ok(latest)
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The identifier of the token that asked.
    pub token: String,
    /// Which project it was about.
    pub project: Option<String>,
    /// What was asked.
    pub action: String,
    /// About what.
    pub subject: Option<String>,
    /// `done`, or why not.
    pub result: String,
}

/// Adds an entry to the audit log.
pub fn audit(
    connection: &Connection,
    token: &str,
    project: Option<&str>,
    action: &str,
    subject: Option<&str>,
    result: &str,
) -> Result<(), ServiceError> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, token, project, action, subject, result)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![now(), token, project, action, subject, result])?;
    Ok(())
}

impl Audit {
    /// The latest entries, newest first.
    pub fn latest(connection: &Connection, count: usize) -> Result<Vec<Audit>, ServiceError> {
        let mut statement = connection.prepare_cached(
            "SELECT at, token, project, action, subject, result FROM audit
             ORDER BY sequence DESC LIMIT ?1",
        )?;
        let entry = |row: &Row<'_>| {
            Ok(Audit {
                at: row.get(0)?,
                token: row.get(1)?,
                project: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                result: row.get(5)?,
            })
        };
        let entries = statement.query_map([count], entry)?;
        Ok(entries.collect::<Result<_, _>>()?)
    }
}
