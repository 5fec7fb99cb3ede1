//! Projects: one side's secret, its identity, and what it may use of the server.

use crate::error::{Code, ServiceError};
use crate::identifiers::now;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// What a project may use. Every member has a default, so that old rows can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Recipes that have not ended.
    pub active_recipes: u32,
    /// Commands that run at a time.
    pub running: u32,
    /// Commands of one recipe.
    pub commands: u32,
    /// Processor seconds in 24 hours.
    pub cpu_seconds_a_day: u64,
    /// Bytes of all files together.
    pub stored_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files.
    pub files: u32,
    /// Bytes kept of a command's log.
    pub log_bytes: u64,
    /// Seconds that a command may run.
    pub run_seconds: u64,
    /// Bytes of address space of a command; none for no limit.
    pub memory_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            active_recipes: 100,
            running: 4,
            commands: 20,
            cpu_seconds_a_day: 24 * 3600,
            stored_bytes: 20 << 30,
            file_bytes: 2 << 30,
            files: 1000,
            log_bytes: 4 << 20,
            run_seconds: 6 * 3600,
            memory_bytes: None,
        }
    }
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name, which is also that of its folder.
    pub name: String,
    /// `model` or `data`: whose secret is in it.
    pub side: String,
    /// By which its peers know it.
    pub fingerprint: String,
    /// Milliseconds since the epoch.
    pub created: i64,
    /// What it may use.
    pub limits: Limits,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Project> {
    let limits: String = row.get(4)?;
    Ok(Project {
        name: row.get(0)?,
        side: row.get(1)?,
        fingerprint: row.get(2)?,
        created: row.get(3)?,
        limits: serde_json::from_str(&limits).unwrap_or_default(),
    })
}

const COLUMNS: &str = "name, side, fingerprint, created, limits";

impl Project {
    /// All, by name.
    pub fn all(connection: &Connection) -> Result<Vec<Project>, ServiceError> {
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM projects ORDER BY name"))?;
        let projects = statement.query_map([], from_row)?;
        Ok(projects.collect::<Result<_, _>>()?)
    }

    /// One, if it is there.
    pub fn find(connection: &Connection, name: &str) -> Result<Option<Project>, ServiceError> {
        let text = format!("SELECT {COLUMNS} FROM projects WHERE name = ?1");
        Ok(connection.prepare_cached(&text)?.query_row([name], from_row).optional()?)
    }

    /// Adds it.
    pub fn add(&self, connection: &Connection) -> Result<(), ServiceError> {
        if Self::find(connection, &self.name)?.is_some() {
            let text = format!("there is a project {:?} already", self.name);
            return Err(ServiceError::new(Code::Exists, text));
        }
        let limits = serde_json::to_string(&self.limits)
            .map_err(|error| ServiceError::internal("writing limits", error))?;
        connection.execute(
            "INSERT INTO projects (name, side, fingerprint, created, limits)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.name, self.side, self.fingerprint, now(), limits],
        )?;
        Ok(())
    }

    /// Changes what it may use.
    pub fn set_limits(
        connection: &Connection,
        name: &str,
        limits: &Limits,
    ) -> Result<(), ServiceError> {
        let limits = serde_json::to_string(limits)
            .map_err(|error| ServiceError::internal("writing limits", error))?;
        connection
            .execute("UPDATE projects SET limits = ?2 WHERE name = ?1", params![name, limits])?;
        Ok(())
    }

    /// Whether anything of it is still to be run.
    pub fn is_busy(connection: &Connection, name: &str) -> Result<bool, ServiceError> {
        let active: i64 = connection.query_row(
            "SELECT COUNT(*) FROM recipes WHERE project = ?1 AND state = 'active'",
            [name],
            |row| row.get(0),
        )?;
        Ok(active > 0)
    }

    /// Removes it, and all that is known of its recipes, peers and tokens.
    pub fn remove(connection: &Connection, name: &str) -> Result<(), ServiceError> {
        if Self::is_busy(connection, name)? {
            let text = "recipes of the project have not ended: cancel them first";
            return Err(ServiceError::new(Code::Busy, text));
        }
        connection.execute("DELETE FROM projects WHERE name = ?1", [name])?;
        Ok(())
    }

    /// Processor seconds it has used since a time.
    pub fn cpu_seconds_since(
        connection: &Connection,
        name: &str,
        since: i64,
    ) -> Result<f64, ServiceError> {
        let sum = connection.query_row(
            "SELECT COALESCE(SUM(cpu_seconds), 0.0) FROM commands
             JOIN recipes ON recipes.id = commands.recipe
             WHERE project = ?1 AND commands.ended >= ?2",
            params![name, since],
            |row| row.get(0),
        )?;
        Ok(sum)
    }

    /// Notes that a project proves a circuit. Both secrets of one circuit under one operator are
    /// not secret from that operator: a project with the other side of it is refused, if not
    /// `both`.
    pub fn note_circuit(
        &self,
        connection: &Connection,
        digest: &str,
        both: bool,
    ) -> Result<(), ServiceError> {
        let other: Option<String> = connection
            .query_row(
                "SELECT name FROM circuits JOIN projects ON projects.name = circuits.project
                 WHERE digest = ?1 AND side != ?2",
                params![digest, self.side],
                |row| row.get(0),
            )
            .optional()?;
        if other.is_some() && !both {
            let text = "a project of this server holds the other side's secret of the same circuit";
            return Err(ServiceError::new(Code::WrongSide, text).hint(
                "two secrets on one server are not secret from who runs it; for tests and demos \
                 the server can be started with --allow-both-sides",
            ));
        }
        connection.execute(
            "INSERT OR IGNORE INTO circuits (project, digest) VALUES (?1, ?2)",
            params![self.name, digest],
        )?;
        Ok(())
    }
}
