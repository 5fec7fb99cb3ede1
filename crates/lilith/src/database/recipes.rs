//! Recipes: chains of commands, and where each command is.

use super::{Key, State, add_event};
use crate::error::ServiceError;
use crate::identifiers::now;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;
use twain_jobs::Job;
use twain_jobs::bodies::Outputs;

/// A recipe to be run.
#[derive(Clone, Debug)]
pub struct NewRecipe {
    /// Its identifier.
    pub id: String,
    /// In which project.
    pub project: String,
    /// In which second name below it.
    pub deployment: Option<String>,
    /// The identifier of the token that asks.
    pub token: String,
    /// By which a repeated request is known.
    pub idempotency: Option<String>,
    /// Where the end is told.
    pub callback: Option<String>,
    /// Seconds each command may run, if less than the project's limit.
    pub timeout: Option<u64>,
    /// What to run.
    pub commands: Vec<NewCommand>,
    /// Ports it holds until its end.
    pub ports: Vec<u16>,
}

/// A command to be run.
#[derive(Clone, Debug)]
pub struct NewCommand {
    /// What.
    pub job: Job,
    /// What of its files is in the result.
    pub outputs: Outputs,
    /// The port at which its peer finds it.
    pub port: Option<u16>,
    /// Its peer's fingerprint.
    pub peer: Option<String>,
}

/// A recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its identifier.
    pub id: String,
    /// Of which project.
    pub project: String,
    /// Of which second name below it.
    pub deployment: Option<String>,
    /// Who asked for it.
    pub token: String,
    /// When.
    pub created: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// `active`, or its end.
    pub state: String,
    /// Where the end is told.
    pub callback: Option<String>,
    /// Whether it is to end.
    pub cancel: bool,
    /// Seconds each command may run, if less than the project's limit.
    pub timeout: Option<u64>,
}

/// A command of a recipe.
#[derive(Clone, Debug)]
pub struct Command {
    /// Which.
    pub key: Key,
    /// What.
    pub job: Job,
    /// What of its files is in the result.
    pub outputs: Outputs,
    /// Where it is.
    pub state: State,
    /// The port at which its peer finds it.
    pub port: Option<u16>,
    /// Its peer's fingerprint.
    pub peer: Option<String>,
    /// How many attempts there were.
    pub attempt: u32,
    /// The latest.
    pub attempt_id: Option<String>,
    /// How the executor calls it.
    pub engine: Option<String>,
    /// What it is doing.
    pub phase: Option<String>,
    /// What people should know of it.
    pub note: Option<String>,
    /// How far its log was read for events.
    pub log_read: u64,
    /// When it could have begun.
    pub queued: Option<i64>,
    /// When it began.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// The exit status.
    pub exit: Option<i32>,
    /// Why it failed: a stable word and a line.
    pub error: Option<(String, String)>,
}

const RECIPE: &str =
    "id, project, deployment, token, created, ended, state, callback, cancel, timeout";

fn recipe_from(row: &Row<'_>) -> rusqlite::Result<Recipe> {
    Ok(Recipe {
        id: row.get(0)?,
        project: row.get(1)?,
        deployment: row.get(2)?,
        token: row.get(3)?,
        created: row.get(4)?,
        ended: row.get(5)?,
        state: row.get(6)?,
        callback: row.get(7)?,
        cancel: row.get(8)?,
        timeout: row.get(9)?,
    })
}

const COMMAND: &str = "recipe, number, job, outputs, commands.state, port, peer, attempt, attempt_id, \
     engine, phase, note, log_read, queued, started, commands.ended, exit, error_code, error_message";

fn command_from(row: &Row<'_>) -> rusqlite::Result<Command> {
    let wrong = |at: usize, error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
    };
    let (job, outputs, state): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let (code, message): (Option<String>, Option<String>) = (row.get(17)?, row.get(18)?);
    Ok(Command {
        key: Key { recipe: row.get(0)?, number: row.get(1)? },
        job: serde_json::from_str(&job).map_err(|error| wrong(2, error))?,
        outputs: serde_json::from_str(&outputs).map_err(|error| wrong(3, error))?,
        state: State::from_name(&state).unwrap_or(State::Errored),
        port: row.get(5)?,
        peer: row.get(6)?,
        attempt: row.get(7)?,
        attempt_id: row.get(8)?,
        engine: row.get(9)?,
        phase: row.get(10)?,
        note: row.get(11)?,
        log_read: row.get(12)?,
        queued: row.get(13)?,
        started: row.get(14)?,
        ended: row.get(15)?,
        exit: row.get(16)?,
        error: code.zip(message),
    })
}

impl NewRecipe {
    /// Adds it: the first command is queued, the others wait.
    pub fn add(&self, transaction: &Connection) -> Result<(), ServiceError> {
        transaction.execute(
            "INSERT INTO recipes
                (id, project, deployment, token, created, state, idempotency, callback, timeout)
             VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?7, ?8)",
            params![
                self.id,
                self.project,
                self.deployment,
                self.token,
                now(),
                self.idempotency,
                self.callback,
                self.timeout
            ],
        )?;
        for port in &self.ports {
            transaction.execute("INSERT INTO ports VALUES (?1, ?2)", params![port, self.id])?;
        }
        for (number, command) in self.commands.iter().enumerate() {
            let text = |value: Result<String, serde_json::Error>| {
                value.map_err(|error| ServiceError::internal("writing a command", error))
            };
            let state = if number == 0 { State::Queued } else { State::Waiting };
            transaction.execute(
                "INSERT INTO commands (recipe, number, job, outputs, state, port, peer, queued)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    self.id,
                    number,
                    text(serde_json::to_string(&command.job))?,
                    text(serde_json::to_string(&command.outputs))?,
                    state.name(),
                    command.port,
                    command.peer,
                    (number == 0).then(now),
                ],
            )?;
            let data = json!({ "state": state.name(), "status": state.status() });
            add_event(transaction, &self.id, Some(number), "state", &data)?;
        }
        Ok(())
    }
}

impl Recipe {
    /// One, if it is there.
    pub fn find(connection: &Connection, id: &str) -> Result<Option<Recipe>, ServiceError> {
        let text = format!("SELECT {RECIPE} FROM recipes WHERE id = ?1");
        Ok(connection.prepare_cached(&text)?.query_row([id], recipe_from).optional()?)
    }

    /// The one that the same request made before.
    pub fn repeated(
        connection: &Connection,
        token: &str,
        idempotency: &str,
    ) -> Result<Option<Recipe>, ServiceError> {
        let text = format!("SELECT {RECIPE} FROM recipes WHERE token = ?1 AND idempotency = ?2");
        let mut statement = connection.prepare_cached(&text)?;
        Ok(statement.query_row([token, idempotency], recipe_from).optional()?)
    }

    /// At most `limit`, newest first, before the identifier `before`.
    pub fn list(
        connection: &Connection,
        project: Option<&str>,
        state: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Recipe>, ServiceError> {
        let text = format!(
            "SELECT {RECIPE} FROM recipes
             WHERE (?1 IS NULL OR project = ?1) AND (?2 IS NULL OR state = ?2)
               AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?4"
        );
        let mut statement = connection.prepare_cached(&text)?;
        let recipes = statement.query_map(params![project, state, before, limit], recipe_from)?;
        Ok(recipes.collect::<Result<_, _>>()?)
    }

    /// How many of a project have not ended.
    pub fn active(connection: &Connection, project: &str) -> Result<u32, ServiceError> {
        let count = connection.query_row(
            "SELECT COUNT(*) FROM recipes WHERE project = ?1 AND state = 'active'",
            [project],
            |row| row.get(0),
        )?;
        Ok(count)
    }
}

impl Command {
    /// The commands of a recipe, in order.
    pub fn all(connection: &Connection, recipe: &str) -> Result<Vec<Command>, ServiceError> {
        let text = format!("SELECT {COMMAND} FROM commands WHERE recipe = ?1 ORDER BY number");
        let mut statement = connection.prepare_cached(&text)?;
        let commands = statement.query_map([recipe], command_from)?;
        Ok(commands.collect::<Result<_, _>>()?)
    }

    /// One, if it is there.
    pub fn find(connection: &Connection, key: &Key) -> Result<Option<Command>, ServiceError> {
        let text = format!("SELECT {COMMAND} FROM commands WHERE recipe = ?1 AND number = ?2");
        let mut statement = connection.prepare_cached(&text)?;
        let command = statement.query_row(params![key.recipe, key.number], command_from);
        Ok(command.optional()?)
    }

    /// All that have not ended and do not wait for others, in the order they came, with their
    /// projects.
    pub fn unfinished(connection: &Connection) -> Result<Vec<(String, Command)>, ServiceError> {
        let text = format!(
            "SELECT {COMMAND}, project FROM commands JOIN recipes ON recipes.id = commands.recipe
             WHERE commands.state NOT IN ('complete', 'errored', 'cancelled')
               AND commands.state != 'waiting'
             ORDER BY recipes.id"
        );
        let mut statement = connection.prepare_cached(&text)?;
        let commands = statement.query_map([], |row| Ok((row.get(19)?, command_from(row)?)))?;
        Ok(commands.collect::<Result<_, _>>()?)
    }

    /// When the latest command of a project with a peer ended, in milliseconds since the epoch.
    pub fn last_with_peer(
        connection: &Connection,
        project: &str,
    ) -> Result<Option<i64>, ServiceError> {
        let ended = connection.query_row(
            "SELECT MAX(commands.ended) FROM commands JOIN recipes ON recipes.id = commands.recipe
             WHERE project = ?1 AND peer IS NOT NULL",
            [project],
            |row| row.get(0),
        )?;
        Ok(ended)
    }

    /// Notes how far its log was read, and what it is doing.
    pub fn note_progress(
        connection: &Connection,
        key: &Key,
        log_read: u64,
        phase: Option<&str>,
    ) -> Result<(), ServiceError> {
        connection
            .prepare_cached(
                "UPDATE commands SET log_read = ?3, phase = COALESCE(?4, phase)
                 WHERE recipe = ?1 AND number = ?2",
            )?
            .execute(params![key.recipe, key.number, log_read, phase])?;
        Ok(())
    }

    /// Notes that it began only now: the executor had it in a queue of its own.
    pub fn begun(connection: &Connection, key: &Key) -> Result<(), ServiceError> {
        connection
            .prepare_cached(
                "UPDATE commands SET started = ?3, note = NULL
                 WHERE recipe = ?1 AND number = ?2 AND state = 'running'",
            )?
            .execute(params![key.recipe, key.number, now()])?;
        Ok(())
    }

    /// Says why it waits in the queue.
    pub fn set_note(connection: &Connection, key: &Key, note: &str) -> Result<(), ServiceError> {
        let changed = connection
            .prepare_cached(
                "UPDATE commands SET note = ?3
                 WHERE recipe = ?1 AND number = ?2 AND note IS NOT ?3",
            )?
            .execute(params![key.recipe, key.number, note])?;
        match changed {
            0 => Ok(()),
            _ => {
                let data = json!({ "note": note });
                add_event(connection, &key.recipe, Some(key.number), "note", &data)
            }
        }
    }
}

/// Ports of a recipe, and who holds one.
pub mod ports {
    use crate::error::ServiceError;
    use rusqlite::{Connection, OptionalExtension, params};

    /// The recipe that holds a port.
    pub fn holder(connection: &Connection, port: u16) -> Result<Option<String>, ServiceError> {
        let mut statement =
            connection.prepare_cached("SELECT recipe FROM ports WHERE port = ?1")?;
        Ok(statement.query_row([port], |row| row.get(0)).optional()?)
    }

    /// Holds a port for a recipe; false if another has it.
    pub fn hold(connection: &Connection, port: u16, recipe: &str) -> Result<bool, ServiceError> {
        let count = connection
            .execute("INSERT OR IGNORE INTO ports VALUES (?1, ?2)", params![port, recipe])?;
        Ok(count == 1 || holder(connection, port)?.as_deref() == Some(recipe))
    }

    /// Those that are held, or where a peer is waited for.
    pub fn taken(connection: &Connection) -> Result<Vec<u16>, ServiceError> {
        let mut statement = connection.prepare_cached(
            "SELECT port FROM ports UNION
             SELECT wait_port FROM peers WHERE wait_port IS NOT NULL",
        )?;
        let ports = statement.query_map([], |row| row.get(0))?;
        Ok(ports.collect::<Result<_, _>>()?)
    }

    /// All that are held.
    pub fn all(connection: &Connection) -> Result<Vec<(u16, String)>, ServiceError> {
        let mut statement = connection.prepare_cached("SELECT port, recipe FROM ports")?;
        let ports = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(ports.collect::<Result<_, _>>()?)
    }
}
