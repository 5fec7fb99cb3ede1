//! Tokens: who may do what. A token is `lil_ID_SECRET`; the table has the identifier and the digest
//! of the secret, which is compared without a branch on it.

use crate::error::{Code, ServiceError};
use crate::identifiers::{now, secret, sha256, short};
use rusqlite::{Connection, OptionalExtension, Row, params};
use zeroize::Zeroizing;

/// What a token may do, from little to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at its project.
    Read,
    /// Change its project, and run commands in it.
    Run,
    /// Everything, in every project.
    Admin,
}

impl Role {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Run => "run",
            Role::Admin => "admin",
        }
    }

    /// What is written so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Role::Read, Role::Run, Role::Admin].into_iter().find(|role| role.name() == name)
    }
}

/// A token, without its secret.
#[derive(Clone, Debug)]
pub struct Token {
    /// Names it in lists and in the audit log.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The one project it is for; none for all.
    pub project: Option<String>,
    /// When it was made.
    pub created: i64,
    /// When it ends.
    pub expires: Option<i64>,
    /// When it was last used, to a minute.
    pub last_used: Option<i64>,
}

const COLUMNS: &str = "id, name, role, project, created, expires, last_used";
const MINUTE: i64 = 60_000;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Token> {
    let role: String = row.get(2)?;
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: Role::from_name(&role).unwrap_or(Role::Read),
        project: row.get(3)?,
        created: row.get(4)?,
        expires: row.get(5)?,
        last_used: row.get(6)?,
    })
}

impl Token {
    /// Makes a token; its text is shown once and kept nowhere.
    pub fn make(
        connection: &Connection,
        name: &str,
        role: Role,
        project: Option<&str>,
        expires: Option<i64>,
    ) -> Result<(Token, Zeroizing<String>), ServiceError> {
        let (id, secret) = (short(), Zeroizing::new(secret()));
        connection.execute(
            "INSERT INTO tokens (id, name, digest, role, project, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, name, sha256(secret.as_bytes()), role.name(), project, now(), expires],
        )?;
        let text = Zeroizing::new(format!("lil_{id}_{}", secret.as_str()));
        Self::find(connection, &id)?
            .map(|token| (token, text))
            .ok_or_else(|| ServiceError::new(Code::Internal, "a token was not kept"))
    }

    fn find(connection: &Connection, id: &str) -> Result<Option<Token>, ServiceError> {
        let text = format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1 AND revoked IS NULL");
        Ok(connection.prepare_cached(&text)?.query_row([id], from_row).optional()?)
    }

    /// The token with this text, if it is good.
    pub fn check(connection: &Connection, text: &str) -> Result<Token, ServiceError> {
        let refused = || {
            ServiceError::new(Code::Unauthorized, "the token is missing or not good")
                .hint("give it in the header X-API-KEY, or as LILITH_API_KEY to the client")
        };
        let parts = text.strip_prefix("lil_").and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or_else(refused)?;
        let kept: Option<String> = connection
            .prepare_cached("SELECT digest FROM tokens WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        // A digest is compared in either case, so that identifiers cannot be timed.
        let kept_text = kept.clone().unwrap_or_else(|| "0".repeat(64));
        let given = sha256(secret.as_bytes());
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            given.as_bytes(),
            kept_text.as_bytes(),
        );
        if same.is_err() || kept.is_none() {
            return Err(refused());
        }
        let token = Self::find(connection, id)?.ok_or_else(refused)?;
        match token.expires {
            Some(expires) if expires <= now() => Err(refused()),
            _ => Ok(token),
        }
    }

    /// The token with this identifier, while it is good.
    pub fn still_good(connection: &Connection, id: &str) -> Result<Option<Token>, ServiceError> {
        let token = Self::find(connection, id)?;
        Ok(token.filter(|token| token.expires.is_none_or(|expires| expires > now())))
    }

    /// Whether the note of its last use is older than a minute: more often is not worth a write.
    pub fn use_is_news(&self) -> bool {
        self.last_used.is_none_or(|last| now() - last > MINUTE)
    }

    /// Notes that it was used.
    pub fn used(&self, connection: &Connection) -> Result<(), ServiceError> {
        connection
            .execute("UPDATE tokens SET last_used = ?2 WHERE id = ?1", params![self.id, now()])?;
        Ok(())
    }

    /// All that are not revoked.
    pub fn all(connection: &Connection) -> Result<Vec<Token>, ServiceError> {
        let text = format!("SELECT {COLUMNS} FROM tokens WHERE revoked IS NULL ORDER BY created");
        let mut statement = connection.prepare_cached(&text)?;
        let tokens = statement.query_map([], from_row)?;
        Ok(tokens.collect::<Result<_, _>>()?)
    }

    /// Ends a token for good; not the last one of an operator, who could make no other.
    pub fn revoke(connection: &Connection, id: &str) -> Result<(), ServiceError> {
        let is_operators = |token: &Token| token.role == Role::Admin && token.project.is_none();
        let lasts = |token: &Token| token.expires.is_none_or(|expires| expires > now());
        let operators: Vec<Token> =
            Self::all(connection)?.into_iter().filter(|it| is_operators(it) && lasts(it)).collect();
        if let [last] = operators.as_slice()
            && last.id == id
        {
            let text = "this is the last token of an operator: make another one first";
            return Err(ServiceError::new(Code::Busy, text));
        }
        let count = connection.execute(
            "UPDATE tokens SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL",
            params![id, now()],
        )?;
        match count {
            0 => Err(ServiceError::new(Code::NotFound, "there is no such token")),
            _ => Ok(()),
        }
    }
}
