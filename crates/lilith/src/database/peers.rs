//! Whom a project proves with: the server never trusts a key on first use.

use crate::error::{Code, ServiceError};
use rusqlite::{Connection, Row, params};
use serde::Serialize;

/// A peer of a project.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Peer {
    /// `sha256:…`, as its `twain identity` prints it.
    pub fingerprint: String,
    /// What the project calls it.
    pub name: String,
    /// `HOST:PORT` where it listens, if it does.
    pub address: Option<String>,
    /// How many proofs a day are made with it at most: each teaches it something.
    pub proofs_a_day: Option<u32>,
    /// How many bundles are kept ready with it while it can be reached.
    pub keep_bundles: Option<u32>,
    /// The port of this server where it is waited for, so that it can keep them, too.
    pub wait_port: Option<u16>,
}

impl Peer {
    /// The peers of a project, by name.
    pub fn all(connection: &Connection, project: &str) -> Result<Vec<Peer>, ServiceError> {
        let mut statement = connection.prepare_cached(
            "SELECT fingerprint, name, address, proofs_a_day, keep_bundles, wait_port FROM peers
             WHERE project = ?1 ORDER BY name",
        )?;
        let peer = |row: &Row<'_>| {
            Ok(Peer {
                fingerprint: row.get(0)?,
                name: row.get(1)?,
                address: row.get(2)?,
                proofs_a_day: row.get(3)?,
                keep_bundles: row.get(4)?,
                wait_port: row.get(5)?,
            })
        };
        let peers = statement.query_map([project], peer)?;
        Ok(peers.collect::<Result<_, _>>()?)
    }

    /// Adds it to a project, or changes what is known of it.
    pub fn put(&self, connection: &Connection, project: &str) -> Result<(), ServiceError> {
        let put = connection.execute(
            "INSERT INTO peers (project, fingerprint, name, address, proofs_a_day, keep_bundles, wait_port)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (project, fingerprint) DO UPDATE
             SET name = ?3, address = ?4, proofs_a_day = ?5, keep_bundles = ?6, wait_port = ?7",
            params![
                project,
                self.fingerprint,
                self.name,
                self.address,
                self.proofs_a_day,
                self.keep_bundles,
                self.wait_port
            ],
        );
        match put {
            Ok(_) => Ok(()),
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
            {
                let text = format!("another peer of the project has the name {:?}", self.name);
                Err(ServiceError::new(Code::Exists, text))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a peer other than this one is waited for at a port.
    pub fn is_waited_for_elsewhere(
        connection: &Connection,
        port: u16,
        project: &str,
        fingerprint: &str,
    ) -> Result<bool, ServiceError> {
        let others = connection.query_row(
            "SELECT COUNT(*) FROM peers
             WHERE wait_port = ?1 AND NOT (project = ?2 AND fingerprint = ?3)",
            params![port, project, fingerprint],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(others > 0)
    }

    /// Removes a peer.
    pub fn remove(
        connection: &Connection,
        project: &str,
        fingerprint: &str,
    ) -> Result<(), ServiceError> {
        let count = connection.execute(
            "DELETE FROM peers WHERE project = ?1 AND fingerprint = ?2",
            params![project, fingerprint],
        )?;
        match count {
            0 => Err(ServiceError::new(Code::NotFound, "the project has no such peer")),
            _ => Ok(()),
        }
    }

    /// How many proofs with it were asked for since a time that have met it, or still may.
    pub fn proofs_since(
        connection: &Connection,
        project: &str,
        fingerprint: &str,
        since: i64,
    ) -> Result<u32, ServiceError> {
        let count = connection.query_row(
            "SELECT COUNT(*) FROM commands JOIN recipes ON recipes.id = commands.recipe
             WHERE project = ?1 AND peer = ?2 AND recipes.created >= ?3
               AND json_extract(job, '$.command') = 'prove'
               AND (commands.state NOT IN ('complete', 'errored', 'cancelled') OR EXISTS (
                   SELECT 1 FROM events WHERE events.recipe = commands.recipe
                       AND events.number = commands.number AND kind = 'connected'))",
            params![project, fingerprint, since],
            |row| row.get(0),
        )?;
        Ok(count)
    }
}
