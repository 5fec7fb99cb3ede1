//! Watches over one attempt from its preparation to its end: what its log says becomes events, its
//! limits are enforced, and how it ended is read from the file that its wrapper wrote.

use super::app::App;
use super::attempt::{Context, all_lines, collect, failure, prepare};
use super::job_log::{self, Told};
use super::lock::lock;
use crate::database::{Change, Command, Key, Peer, Project, Recipe, State, add_event, change};
use crate::error::{Code, ServiceError};
use crate::executor::{Ended, EngineState};
use crate::identifiers::now;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between looks at a process.
pub const LOOK: Duration = Duration::from_millis(50);
/// Between asking a process to end and making it.
const PATIENCE: Duration = Duration::from_secs(10);

fn load(app: &App, key: &Key) -> Result<Context, ServiceError> {
    let gone = || ServiceError::new(Code::NotFound, "the recipe is gone");
    app.database.read(|connection| {
        let command = Command::find(connection, key)?.ok_or_else(gone)?;
        let recipe = Recipe::find(connection, &key.recipe)?.ok_or_else(gone)?;
        let project = Project::find(connection, &recipe.project)?.ok_or_else(gone)?;
        let peers = Peer::all(connection, &recipe.project)?;
        Ok(Context { command, recipe, project, peers })
    })
}

/// Brings a command from where it is to its end.
pub async fn supervise(app: &Arc<App>, key: &Key) -> Result<(), ServiceError> {
    let mut context = load(app, key)?;
    if context.command.state == State::Starting && !start(app, &mut context).await? {
        return Ok(());
    }
    let mut asked = None;
    if context.command.state == State::Running {
        let ended = watch(app, &mut context, &mut asked).await?;
        let Some(ended) = ended else { return gone(app, &context, asked) };
        let change_to =
            Change { exit: ended.exit, cpu_seconds: Some(ended.cpu_seconds), ..Change::default() };
        app.database
            .write(|write| change(write, key, &[State::Running], State::Collecting, &change_to))?;
    }
    let Some(ended) = Ended::read(&context.folder(app)) else { return gone(app, &context, asked) };
    finish(app, &context, &ended, asked)
}

/// Starts an attempt, or finds the one that a server before this one started; false if there is
/// none and the command is in the queue again.
async fn start(app: &Arc<App>, context: &mut Context) -> Result<bool, ServiceError> {
    let key = context.command.key.clone();
    let folder = context.folder(app);
    let attempt = context.command.attempt_id.clone().unwrap_or_default();
    let engine = if folder.join(crate::executor::SPEC).exists() {
        // Only a server that ended in between leaves it so.
        let ours = app.executor.list_ours()?;
        let found = ours.into_iter().find(|(_, id)| *id == attempt).map(|(engine, _)| engine);
        if found.is_none() && Ended::read(&folder).is_none() {
            let from = [State::Starting];
            app.database
                .write(|write| change(write, &key, &from, State::Lost, &Change::default()))?;
            return Ok(false);
        }
        found.unwrap_or_default()
    } else {
        let attempt = prepare(app, context).await?;
        app.executor.submit(&attempt)?
    };
    let change_to = Change { engine: Some(engine), ..Change::default() };
    app.database
        .write(|write| change(write, &key, &[State::Starting], State::Running, &change_to))?;
    *context = load(app, &key)?;
    let started = context.command.started.unwrap_or_else(now);
    app.metrics.waited.add(started - context.command.queued.unwrap_or(started));
    Ok(true)
}

/// Why a process was told to end.
#[derive(Clone, Debug)]
enum Asked {
    Cancelled,
    Refused(&'static str, String),
}

/// Where a job is to be found by its peer: the port that its log tells, at the address of the
/// machine that the executor tells.
#[derive(Default)]
struct Aim {
    port: Option<u16>,
    node: Option<IpAddr>,
    told: Option<SocketAddr>,
}

impl Aim {
    fn tell(&mut self, app: &App, outside: Option<u16>) {
        let job = self.node.zip(self.port).map(SocketAddr::from);
        if job.is_some() && self.told != job {
            app.aim(outside, job);
            self.told = job;
        }
    }
}

/// Waits for the end of the process; none if it is gone without a result.
async fn watch(
    app: &Arc<App>,
    context: &mut Context,
    asked: &mut Option<Asked>,
) -> Result<Option<Ended>, ServiceError> {
    let engine = context.command.engine.clone().unwrap_or_default();
    let (folder, log) = (context.folder(app), context.log(app));
    let (mut read, mut aim) = (context.command.log_read, Aim::default());
    if read > 0 {
        // A server before this one knew where it listens.
        aim.port = Told::of(&all_lines(&log).0).listening.map(|address| address.port());
    }
    let (mut asked_at, mut queued): (Option<Instant>, bool) = (None, false);
    loop {
        // In this order: the result is written before the process is gone, the log before the
        // result.
        let state = app.executor.state(&engine);
        let ended = Ended::read(&folder);
        let is_over = ended.is_some() || state == EngineState::Gone;
        match state {
            EngineState::Queued => {
                let note = "waits for the cluster to begin it";
                if !std::mem::replace(&mut queued, true) {
                    app.database
                        .write(|write| Command::set_note(write, &context.command.key, note))?;
                }
            }
            EngineState::Running(node) => {
                aim.node = Some(node);
                if std::mem::take(&mut queued) {
                    app.database.write(|write| Command::begun(write, &context.command.key))?;
                    context.command.started = Some(now());
                }
            }
            EngineState::Unknown | EngineState::Gone => {}
        }
        loop {
            let end = hear(app, context, &log, read, &mut aim, asked)?;
            if !is_over || end == read {
                read = end;
                break;
            }
            read = end;
        }
        if is_over {
            app.aim(context.command.port, None);
            return Ok(ended);
        }
        aim.tell(app, context.command.port);
        if asked.is_none() {
            *asked = reason_to_end(app, context, queued)?;
        }
        match (asked.is_some(), asked_at) {
            (true, None) => {
                app.executor.cancel(&engine, false)?;
                asked_at = Some(Instant::now());
            }
            (true, Some(at)) if at.elapsed() > PATIENCE => app.executor.cancel(&engine, true)?,
            _ => {}
        }
        if *app.ending.borrow() {
            // The next server goes on from here.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Why a process is to end: somebody wants it, or it ran too long; the time in the executor's queue
/// does not count.
fn reason_to_end(
    app: &App,
    context: &Context,
    queued: bool,
) -> Result<Option<Asked>, ServiceError> {
    let key = &context.command.key;
    let recipe = app.database.read(|connection| Recipe::find(connection, &key.recipe))?;
    if recipe.is_none_or(|recipe| recipe.cancel) {
        return Ok(Some(Asked::Cancelled));
    }
    if queued {
        return Ok(None);
    }
    let limit = i64::try_from(context.run_seconds()).unwrap_or(i64::MAX).saturating_mul(1000);
    let ran = now() - context.command.started.unwrap_or_else(now);
    Ok((ran > limit).then(|| {
        let text = format!("ran longer than {} s and was ended", limit / 1000);
        Asked::Refused("timeout", text)
    }))
}

/// Makes events of what the log says since it was last read.
fn hear(
    app: &App,
    context: &Context,
    log: &std::path::Path,
    read: u64,
    aim: &mut Aim,
    asked: &mut Option<Asked>,
) -> Result<u64, ServiceError> {
    let key = &context.command.key;
    let (lines, end) = job_log::lines(log, read)
        .map_err(|error| ServiceError::internal("reading a log", error))?;
    if end == read {
        return Ok(read);
    }
    let told = Told::of(&lines);
    if let Some(job) = told.listening {
        aim.port = Some(job.port());
    }
    if let Some(progress) = told.progress {
        lock(&app.progress).insert(key.clone(), progress);
    }
    if let (Some(expected), Some(limit)) = (told.memory, context.project.limits.memory_bytes)
        && expected > limit
    {
        let text = format!("it would take {expected} bytes of memory; the project may use {limit}");
        *asked = Some(Asked::Refused("out_of_memory", text));
    }
    app.database.write(|write| {
        for (kind, data) in &told.events {
            add_event(write, &key.recipe, Some(key.number), kind, data)?;
        }
        Command::note_progress(write, key, end, told.phase.as_deref())
    })?;
    Ok(end)
}

/// The process is gone without a result.
fn gone(app: &App, context: &Context, asked: Option<Asked>) -> Result<(), ServiceError> {
    let key = &context.command.key;
    let from = [State::Running, State::Collecting];
    let (to, what) = match asked {
        Some(Asked::Cancelled) => (State::Cancelled, Change::default()),
        Some(Asked::Refused(code, text)) => (State::Errored, Change::error(code, text)),
        None => (State::Lost, Change::default()),
    };
    app.database.write(|write| change(write, key, &from, to, &what))?;
    Ok(())
}

/// The process has ended and said how.
fn finish(
    app: &App,
    context: &Context,
    ended: &Ended,
    asked: Option<Asked>,
) -> Result<(), ServiceError> {
    let key = &context.command.key;
    let from = [State::Collecting];
    let succeeded = ended.exit == Some(0);
    // One that was done when it was told to end is done all the same.
    let (to, what) = match asked {
        _ if succeeded => match collect(app, context) {
            Ok(()) => (State::Complete, Change::default()),
            Err(error) => (State::Errored, Change::error(error.code.word(), error.to_string())),
        },
        Some(Asked::Cancelled) => (State::Cancelled, Change::default()),
        Some(Asked::Refused(code, text)) => (State::Errored, Change::error(code, text)),
        None => {
            let cancelled = app
                .database
                .read(|connection| Recipe::find(connection, &key.recipe))?
                .is_some_and(|recipe| recipe.cancel);
            match cancelled {
                true => (State::Cancelled, Change::default()),
                false => {
                    let (code, text) = failure(app, context, ended);
                    (State::Errored, Change::error(&code, text))
                }
            }
        }
    };
    app.metrics.ran.add(ended.ended - ended.started);
    app.database.write(|write| change(write, key, &from, to, &what))?;
    Ok(())
}
