//! The states of a command, and every way from one to another. Each change is one update that holds
//! only if the command is still where it is thought to be, with its event in the same transaction;
//! what follows from an end (the next command, the recipe's end, its ports, its callback) too.
//!
//! ```text
//! waiting ──▶ queued ──▶ starting ──▶ running ──▶ collecting ──▶ complete
//! (previous   (a slot)   (files       │               │
//!  command)      ▲        there)      ├───────────────┴────────▶ errored
//!                └────── lost ◀───────┘   and from everywhere ──▶ cancelled
//! ```

use super::add_event;
use crate::error::ServiceError;
use crate::identifiers::{now, uuid};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

/// Where a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// For the command before it.
    Waiting,
    /// For a slot, its peer's other jobs, or a port.
    Queued,
    /// An attempt is being made ready.
    Starting,
    /// A process runs.
    Running,
    /// The process has ended; its results are being taken.
    Collecting,
    /// Its process is gone without a result; there may be another attempt.
    Lost,
    /// Done.
    Complete,
    /// Failed.
    Errored,
    /// Ended by who asked for it.
    Cancelled,
}

impl State {
    const ALL: [State; 9] = [
        State::Waiting,
        State::Queued,
        State::Starting,
        State::Running,
        State::Collecting,
        State::Lost,
        State::Complete,
        State::Errored,
        State::Cancelled,
    ];

    /// As the table has it.
    pub const fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Queued => "queued",
            State::Starting => "starting",
            State::Running => "running",
            State::Collecting => "collecting",
            State::Lost => "lost",
            State::Complete => "complete",
            State::Errored => "errored",
            State::Cancelled => "cancelled",
        }
    }

    /// What is written so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The words that clients know.
    pub const fn status(self) -> &'static str {
        match self {
            State::Waiting | State::Queued | State::Starting => "Pending",
            State::Running | State::Collecting | State::Lost => "Running",
            State::Complete => "Complete",
            State::Errored => "Errored",
            State::Cancelled => "Cancelled",
        }
    }

    /// Whether nothing more happens.
    pub const fn is_final(self) -> bool {
        matches!(self, State::Complete | State::Errored | State::Cancelled)
    }
}

/// Which command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Of which recipe.
    pub recipe: String,
    /// From 0.
    pub number: usize,
}

/// What else a change of state says.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The attempt that begins.
    pub attempt_id: Option<String>,
    /// How the executor calls it.
    pub engine: Option<String>,
    /// What people should know of it.
    pub note: Option<String>,
    /// The exit status.
    pub exit: Option<i32>,
    /// Processor seconds.
    pub cpu_seconds: Option<f64>,
    /// A stable word and a line for people.
    pub error: Option<(String, String)>,
}

impl Change {
    /// A failure.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self { error: Some((code.into(), message.into())), ..Self::default() }
    }
}

/// Brings a command from one of the states to another; false if it was in none of them.
pub fn change(
    transaction: &Connection,
    key: &Key,
    from: &[State],
    to: State,
    change: &Change,
) -> Result<bool, ServiceError> {
    let from: Vec<String> = from.iter().map(|state| format!("'{}'", state.name())).collect();
    let text = format!(
        "UPDATE commands SET state = ?3, note = ?4,
            attempt = attempt + (?5 IS NOT NULL), attempt_id = COALESCE(?5, attempt_id),
            log_read = CASE WHEN ?5 IS NULL THEN log_read ELSE 0 END,
            engine = CASE WHEN ?5 IS NULL THEN COALESCE(?6, engine) ELSE NULL END,
            exit = COALESCE(?7, exit), cpu_seconds = COALESCE(?8, cpu_seconds),
            error_code = ?9, error_message = ?10,
            queued = CASE WHEN ?3 = 'queued' THEN ?11 ELSE queued END,
            started = CASE WHEN ?3 = 'running' THEN ?11 ELSE started END,
            ended = CASE WHEN ?12 THEN ?11 ELSE ended END
         WHERE recipe = ?1 AND number = ?2 AND state IN ({})",
        from.join(", ")
    );
    let (code, message) = change.error.clone().unzip();
    let count = transaction.prepare_cached(&text)?.execute(params![
        key.recipe,
        key.number,
        to.name(),
        change.note,
        change.attempt_id,
        change.engine,
        change.exit,
        change.cpu_seconds,
        code,
        message,
        now(),
        to.is_final(),
    ])?;
    if count == 0 {
        return Ok(false);
    }
    let mut data = json!({ "state": to.name(), "status": to.status() });
    if let Some(note) = &change.note {
        data["note"] = note.as_str().into();
    }
    if let Some((code, message)) = &change.error {
        data["error"] = json!({ "code": code, "message": message });
    }
    add_event(transaction, &key.recipe, Some(key.number), "state", &data)?;
    if to.is_final() {
        follow(transaction, key, to)?;
    }
    Ok(true)
}

/// What follows from a command's end.
fn follow(transaction: &Connection, key: &Key, ended: State) -> Result<(), ServiceError> {
    let next = Key { recipe: key.recipe.clone(), number: key.number + 1 };
    let waiting = [State::Waiting];
    let cancelled: bool = transaction.query_row(
        "SELECT cancel FROM recipes WHERE id = ?1",
        [&key.recipe],
        |row| row.get(0),
    )?;
    let went_on = match ended {
        State::Complete if !cancelled => {
            change(transaction, &next, &waiting, State::Queued, &Change::default())?
        }
        // The end of the next one is followed by that of those after it.
        State::Errored => {
            let why = Change::error("previous_failed", "a command before it failed");
            change(transaction, &next, &waiting, State::Errored, &why)?
        }
        _ => change(transaction, &next, &waiting, State::Cancelled, &Change::default())?,
    };
    if went_on {
        return Ok(());
    }
    let recipe = &key.recipe;
    let callback: Option<Option<String>> = transaction
        .query_row(
            "UPDATE recipes SET state = ?2, ended = ?3 WHERE id = ?1 AND state = 'active'
             RETURNING callback",
            params![recipe, ended.name(), now()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(callback) = callback else { return Ok(()) };
    transaction.execute("DELETE FROM ports WHERE recipe = ?1", [recipe])?;
    if callback.is_some() {
        transaction.execute(
            "INSERT INTO callbacks (id, recipe, state, next) VALUES (?1, ?2, 'pending', ?3)",
            params![format!("msg_{}", uuid()), recipe, now()],
        )?;
    }
    let data = json!({ "state": ended.name(), "status": ended.status() });
    add_event(transaction, recipe, None, "end", &data)
}

/// Asks for a recipe's end. Commands without a process end at once, the others when it is gone.
pub fn cancel(transaction: &Connection, recipe: &str) -> Result<bool, ServiceError> {
    let asked = transaction
        .execute("UPDATE recipes SET cancel = 1 WHERE id = ?1 AND state = 'active'", [recipe])?;
    if asked == 0 {
        return Ok(false);
    }
    let numbers: Vec<usize> = transaction
        .prepare_cached(
            "SELECT number FROM commands WHERE recipe = ?1 AND state IN ('queued', 'lost')",
        )?
        .query_map([recipe], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for number in numbers {
        let key = Key { recipe: recipe.into(), number };
        let from = [State::Queued, State::Lost];
        change(transaction, &key, &from, State::Cancelled, &Change::default())?;
    }
    Ok(true)
}
