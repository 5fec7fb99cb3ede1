//! One attempt of a command: its files are brought to where it runs, its flags are completed with
//! what is the server's to say, and at its end what it wrote is taken into the project.

use super::app::App;
use super::circuits;
use super::job_log;
use crate::database::{Command, Peer, Project, Recipe};
use crate::error::{Code, ServiceError};
use crate::executor::{Attempt, Ended, LOG, SPEC};
use crate::folder::{Folder, make_private};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A command with what it belongs to.
#[derive(Debug)]
pub struct Context {
    /// The command.
    pub command: Command,
    /// Its recipe.
    pub recipe: Recipe,
    /// Its project.
    pub project: Project,
    /// The peers of the project.
    pub peers: Vec<Peer>,
}

impl Context {
    /// The folder of the latest attempt.
    pub fn folder(&self, app: &App) -> PathBuf {
        app.attempt(&self.command.key, self.command.attempt)
    }

    /// The log of the latest attempt.
    pub fn log(&self, app: &App) -> PathBuf {
        self.folder(app).join(LOG)
    }

    /// Seconds it may run.
    pub fn run_seconds(&self) -> u64 {
        let limit = self.project.limits.run_seconds;
        self.recipe.timeout.map_or(limit, |seconds| seconds.min(limit))
    }
}

/// Brings the files of an attempt to where it runs, and writes down what is to run.
pub async fn prepare(app: &App, context: &Context) -> Result<Attempt, ServiceError> {
    let Context { command, recipe, project, .. } = context;
    let work = app.work(&recipe.project, &recipe.id)?;
    let files = app.files_of(recipe)?;
    for name in &command.job.reads {
        // What an earlier command of the recipe wrote comes before what others have put there
        // since.
        if !work.has(name) {
            match work.take(&files, name) {
                Ok(()) => {}
                // Twain says which file it misses, and what for.
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    if command.job.pair.is_some() {
        let circuit = command.job.value("compiled-circuit").unwrap_or("model.compiled");
        if work.has(circuit) {
            // Refuses the other side's secret of a circuit that is here already.
            circuits::invitation(app, project, work.path(), circuit, "host:1", 1).await?;
        }
    }
    let ezkl = app.at(&["projects", &project.name, "ezkl"]);
    let account = app.account(&project.name)?;
    circuits::link_srs(app, &ezkl.join("srs"))?;
    let folder = context.folder(app);
    make_private(&folder)?;
    let twain = app.options.twain.clone().unwrap_or_default();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let attempt = Attempt {
        id: command.attempt_id.clone().unwrap_or_default(),
        folder: folder.clone(),
        program: twain,
        arguments: arguments(app, context).await?,
        directory: work.path().to_path_buf(),
        environment: vec![
            ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
            ("HOME".into(), text(work.path())),
            ("EZKL_REPO_PATH".into(), text(&ezkl)),
        ],
        account,
        memory_bytes: project.limits.memory_bytes,
        log_bytes: project.limits.log_bytes,
        run_seconds: context.run_seconds(),
        lease_seconds: app.executor.place().lease_seconds,
    };
    let spec = serde_json::to_vec(&attempt)
        .map_err(|error| ServiceError::internal("writing an attempt", error))?;
    let failed = |error| ServiceError::internal("writing an attempt", error);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(SPEC))
        .map_err(failed)?;
    file.write_all(&spec).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(attempt)
}

/// The command's flags, with what the server says of the peer.
async fn arguments(app: &App, context: &Context) -> Result<Vec<String>, ServiceError> {
    let job = &context.command.job;
    let Some(pair) = &job.pair else { return Ok(job.arguments(&[])) };
    let fingerprint = context.command.peer.clone().unwrap_or_default();
    let Some(peer) = context.peers.iter().find(|peer| peer.fingerprint == fingerprint) else {
        let text = "the peer was removed from the project meanwhile";
        return Err(ServiceError::new(Code::UnknownPeer, text));
    };
    let identity = app.identity(&context.project.name);
    let mut replace = vec![
        ("identity", identity.to_string_lossy().into_owned()),
        ("peer", peer.fingerprint.clone()),
    ];
    if pair.port.is_some() {
        // The relay leads there; the system chooses a port that is free.
        replace.push(("local-addr", app.executor.place().listen.into()));
    }
    if let Some(remote) = pair.remote.as_ref().or(peer.address.as_ref()) {
        let address = app.options.peer_policy().resolve(remote).await?;
        replace.push(("remote-peer", address.to_string()));
    }
    if !job.has("connect-timeout") {
        replace.push(("connect-timeout", app.options.connect_seconds.to_string()));
    }
    Ok(job.arguments(&replace))
}

/// Takes what a command wrote into the project, and keeps what its result is to hold.
pub fn collect(app: &App, context: &Context) -> Result<(), ServiceError> {
    let Context { command, recipe, .. } = context;
    let work = app.work(&recipe.project, &recipe.id)?;
    let files = app.files_of(recipe)?;
    for name in &command.job.writes {
        match files.take(&work, name) {
            Ok(()) => {}
            // Revealed outputs are written on one side only.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    keep_outputs(app, context, &work)
}

fn keep_outputs(app: &App, context: &Context, work: &Folder) -> Result<(), ServiceError> {
    let command = &context.command;
    if command.outputs.files.is_empty() {
        return Ok(());
    }
    let outputs = Folder::open(&app.outputs(&command.key))?;
    for name in &command.outputs.files {
        let from = if work.has(name) {
            outputs.take(work, name)
        } else {
            outputs.take(&app.files_of(&context.recipe)?, name)
        };
        match from {
            Ok(()) => {}
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Why a command failed: a stable word, and a line for people.
pub fn failure(app: &App, context: &Context, ended: &Ended) -> (String, String) {
    if let Some(text) = &ended.failed {
        return ("internal".into(), format!("the program could not be started: {text}"));
    }
    if let Some(signal) = ended.signal {
        return ("signal".into(), format!("ended by signal {signal}"));
    }
    let (lines, _) = all_lines(&context.log(app));
    let told = job_log::Told::of(&lines);
    let exit = ended.exit.unwrap_or(-1);
    let last = || lines.last().cloned().unwrap_or_default();
    let (code, text) = told.error.unwrap_or_else(|| ("exit".into(), last()));
    let word = match code.as_str() {
        "link" if !told.connected => "no_peer",
        "link" | "peer-misbehaved" | "peer-differs" => "peer",
        _ if text.contains("memory allocation") => "out_of_memory",
        _ => "exit",
    };
    (word.into(), format!("exit status {exit}: {text}"))
}

/// All lines of a log.
pub fn all_lines(path: &Path) -> (Vec<String>, u64) {
    let (mut all, mut at) = (Vec::new(), 0);
    while let Ok((lines, end)) = job_log::lines(path, at) {
        if end == at {
            break;
        }
        all.extend(lines);
        at = end;
    }
    (all, at)
}
