//! Which command begins when. The table is the queue: every step looks at all commands that have
//! not ended, begins what may begin, and takes up what a server before this one left running.

use super::app::App;
use super::lock::lock;
use super::supervise::supervise;
use crate::database::{Change, Command, Key, Project, Recipe, State, change, ports};
use crate::error::ServiceError;
use crate::identifiers::{now, uuid};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
const DAY: i64 = 24 * 3600 * 1000;

/// Steps until the server ends.
pub async fn run(app: Arc<App>) {
    let mut changes = app.database.changes();
    let mut ending = app.ending.subscribe();
    while !*ending.borrow() {
        changes.mark_unchanged();
        if let Err(error) = step(&app) {
            eprintln!("lilith: the scheduler: {error}");
            tokio::time::sleep(PAUSE).await;
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = tokio::time::sleep(PAUSE) => {}
            _ = ending.changed() => {}
        }
    }
}

/// What runs already.
#[derive(Default)]
struct Busy {
    all: usize,
    projects: HashMap<String, usize>,
    /// Bundles of one identity with one peer are one job's at a time.
    pairs: Vec<(String, Option<String>)>,
    /// Of projects that were asked about.
    limits: HashMap<String, Option<Limits>>,
}

/// What a project may begin.
#[derive(Clone, Copy)]
struct Limits {
    /// Commands at a time.
    running: usize,
    /// Whether it has used its processor seconds.
    processor_is_used: bool,
}

impl Busy {
    fn add(&mut self, project: &str, command: &Command) {
        self.all += 1;
        *self.projects.entry(project.into()).or_default() += 1;
        if command.job.pair.is_some() {
            self.pairs.push((project.into(), command.peer.clone()));
        }
    }

    /// What a project may begin, looked up once a step; none if it is gone.
    fn limits_of(&mut self, app: &App, project: &str) -> Result<Option<Limits>, ServiceError> {
        if let Some(limits) = self.limits.get(project) {
            return Ok(*limits);
        }
        let (found, used) = app.database.read(|connection| {
            let found = Project::find(connection, project)?;
            Ok((found, Project::cpu_seconds_since(connection, project, now() - DAY)?))
        })?;
        let limits = found.map(|found| Limits {
            running: found.limits.running as usize,
            processor_is_used: used >= found.limits.cpu_seconds_a_day as f64,
        });
        self.limits.insert(project.into(), limits);
        Ok(limits)
    }
}

fn step(app: &Arc<App>) -> Result<(), ServiceError> {
    let (commands, held) = app
        .database
        .read(|connection| Ok((Command::unfinished(connection)?, ports::all(connection)?)))?;
    let held: Vec<u16> = held.into_iter().map(|(port, _)| port).collect();
    app.relay.keep_only(&held);
    for port in held {
        // The job says so when it is its turn.
        let _ = app.relay.open(port);
    }
    let mut busy = Busy::default();
    for (project, command) in &commands {
        if matches!(command.state, State::Starting | State::Running | State::Collecting) {
            busy.add(project, command);
            begin(app, command.key.clone());
        }
    }
    for (project, command) in &commands {
        match command.state {
            State::Lost => again_or_not(app, command)?,
            State::Queued => {
                if waited_too_long(app, command)? {
                    continue;
                }
                if let Some(reason) = reason_to_wait(app, project, command, &mut busy)? {
                    // Every write wakes this up again: one that changes nothing would, for ever.
                    if command.note.as_ref() != Some(&reason) {
                        app.database
                            .write(|write| Command::set_note(write, &command.key, &reason))?;
                    }
                } else if claim(app, command)? {
                    busy.add(project, command);
                    begin(app, command.key.clone());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Watches over a command, if nobody does.
fn begin(app: &Arc<App>, key: Key) {
    if !lock(&app.supervised).insert(key.clone()) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = supervise(&app, &key).await {
            let change_to = Change::error(error.code.word(), error.to_string());
            let from = [State::Starting, State::Running, State::Collecting];
            let ended =
                app.database.write(|write| change(write, &key, &from, State::Errored, &change_to));
            if let Err(error) = ended {
                eprintln!("lilith: recipe {}: {error}", key.recipe);
                // The scheduler takes it up again.
                tokio::time::sleep(PAUSE).await;
            }
        }
        let recipe = app.database.read(|connection| Recipe::find(connection, &key.recipe));
        if recipe.is_ok_and(|recipe| recipe.is_none_or(|recipe| recipe.state != "active")) {
            app.clean(&key.recipe);
        }
        lock(&app.progress).remove(&key);
        lock(&app.supervised).remove(&key);
        app.database.nudge();
    });
}

fn again_or_not(app: &App, command: &Command) -> Result<(), ServiceError> {
    app.metrics.lost.fetch_add(1, Ordering::Relaxed);
    let (to, what) = match command.attempt <= app.options.retries {
        true => (State::Queued, Change::default()),
        false => {
            let text = format!(
                "the process was gone without a result, {} times: the machine was restarted, or \
                 its memory was full",
                command.attempt
            );
            (State::Errored, Change::error("lost", text))
        }
    };
    app.database.write(|write| change(write, &command.key, &[State::Lost], to, &what))?;
    Ok(())
}

/// Ends a command that waited too long; whether it did.
fn waited_too_long(app: &App, command: &Command) -> Result<bool, ServiceError> {
    let waited = now() - command.queued.unwrap_or_else(now);
    let limit = i64::try_from(app.options.queue_limit().as_millis()).unwrap_or(i64::MAX);
    if waited <= limit {
        return Ok(false);
    }
    let text = format!("waited {} s in the queue: {}", waited / 1000, note_of(command));
    let what = Change::error("timeout", text);
    app.database
        .write(|write| change(write, &command.key, &[State::Queued], State::Errored, &what))?;
    Ok(true)
}

/// Why a command cannot begin yet.
fn reason_to_wait(
    app: &App,
    project: &str,
    command: &Command,
    busy: &mut Busy,
) -> Result<Option<String>, ServiceError> {
    // First what takes no question to the database: a queue may be long, and is looked at often.
    if busy.all >= app.options.slots() {
        return Ok(Some("waits for other jobs of the server to end".into()));
    }
    let pair = (project.to_string(), command.peer.clone());
    if command.job.pair.is_some() && busy.pairs.contains(&pair) {
        return Ok(Some("waits for another job with the same peer to end".into()));
    }
    let Some(limits) = busy.limits_of(app, project)? else { return Ok(None) };
    if busy.projects.get(project).copied().unwrap_or(0) >= limits.running {
        return Ok(Some("waits for other jobs of the project to end".into()));
    }
    if limits.processor_is_used {
        return Ok(Some("waits: the project has used its processor seconds of 24 hours".into()));
    }
    let holder = |port| app.database.read(|connection| ports::holder(connection, port));
    match (command.port, command.port.map(holder).transpose()?.flatten()) {
        (Some(port), Some(holder)) if holder != command.key.recipe => {
            Ok(Some(format!("waits for port {port}, which another recipe holds")))
        }
        _ => Ok(None),
    }
}

fn note_of(command: &Command) -> &str {
    command.note.as_deref().unwrap_or("the server was busy")
}

fn claim(app: &App, command: &Command) -> Result<bool, ServiceError> {
    let what = Change { attempt_id: Some(uuid()), ..Change::default() };
    app.database.write(|write| {
        if let Some(port) = command.port
            && !ports::hold(write, port, &command.key.recipe)?
        {
            return Ok(false);
        }
        change(write, &command.key, &[State::Queued], State::Starting, &what)
    })
}
