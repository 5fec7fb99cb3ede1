//! What all parts of the server share, and where things are in its folder:
//!
//! ```text
//! DIR/lilith.db            what the server knows
//! DIR/lock                 held while it runs: one server a folder
//! DIR/projects/P/files     the project's files
//! DIR/projects/P/deployments/D   those of a second name below it
//! DIR/projects/P/identity  its key, bundles and marks, for `twain`
//! DIR/projects/P/ezkl/srs  SRS files it imported, and links to the operator's
//! DIR/recipes/ID/work      where a recipe's commands run
//! DIR/recipes/ID/N-A       attempt A of command N: log, result
//! DIR/recipes/ID/outputs   what its result holds, N/NAME
//! ```

use super::accounts::{self, Accounts};
use super::limits::Limiter;
use super::metrics::Metrics;
use super::options::Options;
use super::sessions::Sessions;
use crate::database::{Database, Key, Recipe};
use crate::error::{Code, ServiceError};
use crate::executor::Executor;
use crate::folder::Folder;
use crate::relay::Relay;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What all parts of the server share.
#[derive(Debug)]
pub struct App {
    /// What the operator said.
    pub options: Options,
    /// What the server knows.
    pub database: Database,
    /// Where attempts run.
    pub executor: Arc<dyn Executor>,
    /// The way of peers to jobs.
    pub relay: Relay,
    /// Requests a second.
    pub limiter: Limiter,
    /// Who is logged in to the pages.
    pub sessions: Sessions,
    /// Counts for operators.
    pub metrics: Metrics,
    /// Commands that are being watched over.
    pub supervised: Mutex<HashSet<Key>>,
    /// The latest progress of commands that run.
    pub progress: Mutex<HashMap<Key, Value>>,
    /// As whom the jobs of a project run.
    pub accounts: Accounts,
    /// Set when the server is to end.
    pub ending: watch::Sender<bool>,
}

impl App {
    /// A folder of the server's.
    pub fn at(&self, parts: &[&str]) -> PathBuf {
        let mut path = self.options.directory.clone();
        path.extend(parts);
        path
    }

    /// The folder of a project's identity.
    pub fn identity(&self, project: &str) -> PathBuf {
        self.at(&["projects", project, "identity"])
    }

    /// The files of a project, or of a second name below it.
    pub fn files(&self, project: &str, deployment: Option<&str>) -> Result<Folder, ServiceError> {
        let account = self.account(project)?;
        match deployment {
            None => Folder::open_for(&self.at(&["projects", project, "files"]), account),
            Some(name) => {
                Folder::open_for(&self.at(&["projects", project, "deployments", name]), account)
            }
        }
    }

    /// The files a recipe works on.
    pub fn files_of(&self, recipe: &Recipe) -> Result<Folder, ServiceError> {
        self.files(&recipe.project, recipe.deployment.as_deref())
    }

    /// Where the commands of a project's recipe run.
    pub fn work(&self, project: &str, recipe: &str) -> Result<Folder, ServiceError> {
        let account = self.account(project)?;
        let folder = Folder::open_for(&self.at(&["recipes", recipe, "work"]), account)?;
        if account.is_some() {
            accounts::let_through(&self.at(&["recipes", recipe]))?;
        }
        Ok(folder)
    }

    /// As whom the jobs of a project run, if not as the server.
    pub fn account(&self, project: &str) -> Result<Option<u32>, ServiceError> {
        self.accounts.of(&self.at(&["projects", project]))
    }

    /// The folder of an attempt.
    pub fn attempt(&self, key: &Key, attempt: u32) -> PathBuf {
        self.at(&["recipes", &key.recipe, &format!("{}-{attempt}", key.number)])
    }

    /// The files in the result of a command.
    pub fn outputs(&self, key: &Key) -> PathBuf {
        self.at(&["recipes", &key.recipe, "outputs", &key.number.to_string()])
    }

    /// Where peers find a port.
    pub fn peer_address(&self, port: u16) -> String {
        let host = self.options.peer_host.as_str();
        match host.contains(':') && !host.starts_with('[') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    }

    /// Removes where the commands of a recipe ran: what they wrote is in the project.
    pub fn clean(&self, recipe: &str) {
        let _ = std::fs::remove_dir_all(self.at(&["recipes", recipe, "work"]));
    }

    /// Leads who dials a port to a job.
    pub fn aim(&self, port: Option<u16>, job: Option<SocketAddr>) {
        if let Some(port) = port {
            self.relay.aim(port, job);
        }
    }
}

/// Whether a text may be the name of a project or a deployment.
pub fn check_name(what: &str, name: &str) -> Result<(), ServiceError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fine = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(plain)
        && !name.starts_with(['.', '-']);
    match fine {
        true => Ok(()),
        false => Err(ServiceError::new(
            Code::BadPath,
            format!("the name of {what} is 1 to 64 letters, digits, and - _ . within"),
        )),
    }
}
