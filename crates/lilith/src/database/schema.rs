//! The tables. `version` says which; later versions of the server bring older tables forward.

use rusqlite::Connection;

const VERSION: i64 = 3;

/// From version 1: peers with which bundles are kept ready.
const SECOND: &str = "ALTER TABLE peers ADD COLUMN keep_bundles INTEGER;";
/// From version 2: peers that are waited for.
const THIRD: &str = "ALTER TABLE peers ADD COLUMN wait_port INTEGER;";

const TABLES: &str = "
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    role TEXT NOT NULL,
    project TEXT REFERENCES projects(name) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    last_used INTEGER
) STRICT;
CREATE TABLE projects (
    name TEXT PRIMARY KEY,
    side TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created INTEGER NOT NULL,
    limits TEXT NOT NULL
) STRICT;
-- The circuits a project has invited peers for, or proven: the other side's secret of the same circuit
-- is refused.
CREATE TABLE circuits (
    project TEXT NOT NULL REFERENCES projects(name) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (project, digest)
) STRICT;
CREATE TABLE peers (
    project TEXT NOT NULL REFERENCES projects(name) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT,
    proofs_a_day INTEGER,
    keep_bundles INTEGER,
    wait_port INTEGER,
    PRIMARY KEY (project, fingerprint),
    UNIQUE (project, name)
) STRICT;
CREATE TABLE recipes (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects(name) ON DELETE CASCADE,
    deployment TEXT,
    token TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    state TEXT NOT NULL,
    idempotency TEXT,
    callback TEXT,
    cancel INTEGER NOT NULL DEFAULT 0,
    timeout INTEGER
) STRICT;
CREATE INDEX recipes_of_project ON recipes (project, id);
CREATE INDEX recipes_active ON recipes (state) WHERE state = 'active';
CREATE UNIQUE INDEX recipes_idempotency ON recipes (token, idempotency);
CREATE TABLE commands (
    recipe TEXT NOT NULL REFERENCES recipes(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    job TEXT NOT NULL,
    outputs TEXT NOT NULL,
    state TEXT NOT NULL,
    port INTEGER,
    peer TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    attempt_id TEXT,
    engine TEXT,
    phase TEXT,
    note TEXT,
    log_read INTEGER NOT NULL DEFAULT 0,
    queued INTEGER,
    started INTEGER,
    ended INTEGER,
    cpu_seconds REAL,
    exit INTEGER,
    error_code TEXT,
    error_message TEXT,
    PRIMARY KEY (recipe, number)
) STRICT;
CREATE INDEX commands_active ON commands (state)
    WHERE state NOT IN ('complete', 'errored', 'cancelled');
CREATE TABLE ports (
    port INTEGER PRIMARY KEY,
    recipe TEXT NOT NULL REFERENCES recipes(id) ON DELETE CASCADE
) STRICT;
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    recipe TEXT NOT NULL REFERENCES recipes(id) ON DELETE CASCADE,
    number INTEGER,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_recipe ON events (recipe, sequence);
CREATE TABLE callbacks (
    id TEXT PRIMARY KEY,
    recipe TEXT NOT NULL REFERENCES recipes(id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL,
    answer TEXT
) STRICT;
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    token TEXT NOT NULL,
    project TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    result TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
";

/// Makes the tables where there are none.
pub fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps: &[&str] = match version {
        0 => &[TABLES],
        1 => &[SECOND, THIRD],
        2 => &[THIRD],
        VERSION => return Ok(()),
        _ => {
            return Err(rusqlite::Error::InvalidParameterName(format!(
                "the tables are of version {version}; this program knows version {VERSION}"
            )));
        }
    };
    let all = format!("BEGIN; {} PRAGMA user_version = {VERSION}; COMMIT;", steps.concat());
    connection.execute_batch(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_earlier_versions_are_brought_forward() {
        let second = TABLES.replace("    wait_port INTEGER,\n", "");
        let first = second.replace("    keep_bundles INTEGER,\n", "");
        let older = [(first, 1), (second, 2)].map(|(tables, version)| {
            let old = Connection::open_in_memory().unwrap();
            old.execute_batch(&format!("{tables} PRAGMA user_version = {version};")).unwrap();
            old
        });
        let new = Connection::open_in_memory().unwrap();
        for connection in older.iter().chain([&new]) {
            prepare(connection).unwrap();
            // Nothing more to do.
            prepare(connection).unwrap();
        }
        let columns = |connection: &Connection| -> Vec<String> {
            let mut statement =
                connection.prepare("SELECT name FROM pragma_table_info('peers')").unwrap();
            let mut names: Vec<String> = statement
                .query_map([], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            names.sort();
            names
        };
        for old in &older {
            assert_eq!(columns(old), columns(&new));
        }
        new.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(prepare(&new).is_err());
    }
}
