//! Keeps bundles ready: while a peer listens at its address, and has fewer of them with a project
//! than the project wants, a `preprocess` is a job like any other, one bundle at a time, when no
//! job with a peer of the project is there or waits. A peer that cannot be reached is tried less
//! and less often.

use super::app::App;
use super::circuits;
use super::routes::submit::submit;
use super::who::Who;
use crate::database::{Command, Peer, Project, Recipe, Role, Token};
use crate::error::ServiceError;
use crate::identifiers::now;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;
use twain_jobs::bodies::{Body, CommandBody};

/// Between two looks at what there is to do.
const LOOK: Duration = Duration::from_secs(1);
/// How soon a peer that was not there is tried again, and at most how late.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(300)];
/// After so long bundles are counted again though nothing has happened: they are good for a week
/// only.
const COUNT_AGAIN: Duration = Duration::from_secs(3600);
/// How long a peer may take to be reached.
const REACH: Duration = Duration::from_secs(3);
/// The files that bundles are for, under the names that commands give them.
const FILES: [&str; 2] = ["model.compiled", "pk.key"];

/// What bundles are counted by; as long as it is the same, so is their number.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    /// The latest command with a peer that has ended.
    ended: Option<i64>,
    /// When the circuit and the key were written.
    written: [Option<SystemTime>; 2],
}

/// What is known of a pair.
#[derive(Debug, Default)]
struct Pair {
    /// Not before this.
    next: Option<Instant>,
    pause: Option<Duration>,
    /// When there were enough.
    enough: Option<(Mark, Instant)>,
    /// The job that makes one.
    recipe: Option<String>,
}

impl Pair {
    fn later(&mut self) {
        let pause = self.pause.map_or(PAUSES[0], |pause| (2 * pause).min(PAUSES[1]));
        self.next = Some(Instant::now() + pause);
        self.pause = Some(pause);
    }
}

/// Looks until the server ends.
pub async fn run(app: Arc<App>) {
    let mut ending = app.ending.subscribe();
    let mut pairs: HashMap<(String, String), Pair> = HashMap::new();
    while !*ending.borrow() {
        if let Err(error) = step(&app, &mut pairs).await {
            eprintln!("lilith: keeping bundles: {error}");
        }
        tokio::select! {
            _ = tokio::time::sleep(LOOK) => {}
            _ = ending.changed() => {}
        }
    }
}

/// A project, a peer with which it wants bundles, where that listens, and how many.
type Wish = (Project, Peer, String, u32);

fn wishes(app: &App) -> Result<Vec<Wish>, ServiceError> {
    app.database.read(|connection| {
        let mut wishes = Vec::new();
        for project in Project::all(connection)? {
            for peer in Peer::all(connection, &project.name)? {
                if let (Some(address), Some(bundles)) = (peer.address.clone(), peer.keep_bundles) {
                    wishes.push((project.clone(), peer, address, bundles));
                }
            }
        }
        Ok(wishes)
    })
}

async fn step(app: &App, pairs: &mut HashMap<(String, String), Pair>) -> Result<(), ServiceError> {
    let wishes = wishes(app)?;
    if wishes.is_empty() {
        pairs.clear();
        return Ok(());
    }
    let unfinished = app.database.read(Command::unfinished)?;
    for (project, peer, address, bundles) in wishes {
        let pair = pairs.entry((project.name.clone(), peer.fingerprint.clone())).or_default();
        let is_busy = |(name, command): &(String, Command)| {
            *name == project.name && command.job.pair.is_some()
        };
        if unfinished.iter().any(is_busy) || pair.next.is_some_and(|at| Instant::now() < at) {
            continue;
        }
        if let Some(recipe) = pair.recipe.take() {
            let ended = app.database.read(|connection| Recipe::find(connection, &recipe))?;
            match ended.is_some_and(|recipe| recipe.state == "complete") {
                true => pair.pause = None,
                false => {
                    pair.later();
                    continue;
                }
            }
        }
        let mark = mark(app, &project)?;
        let has_enough = pair
            .enough
            .as_ref()
            .is_some_and(|(then, at)| *then == mark && at.elapsed() < COUNT_AGAIN);
        if has_enough {
            continue;
        }
        if !is_there(app, &address).await {
            pair.later();
            continue;
        }
        match one_more(app, &project, &peer, &address, bundles).await {
            Ok(None) => pair.enough = Some((mark, Instant::now())),
            Ok(Some(recipe)) => pair.recipe = Some(recipe),
            Err(error) => {
                eprintln!("lilith: bundles of {} with {}: {error}", project.name, peer.name);
                pair.later();
            }
        }
    }
    Ok(())
}

fn mark(app: &App, project: &Project) -> Result<Mark, ServiceError> {
    let ended =
        app.database.read(|connection| Command::last_with_peer(connection, &project.name))?;
    let files = app.files(&project.name, None)?;
    let written = FILES.map(|name| files.read(name).ok()?.metadata().ok()?.modified().ok());
    Ok(Mark { ended, written })
}

/// Whether somebody listens there.
async fn is_there(app: &App, address: &str) -> bool {
    let reach = async {
        let address = app.options.peer_policy().resolve(address).await.ok()?;
        TcpStream::connect(address).await.ok()
    };
    tokio::time::timeout(REACH, reach).await.is_ok_and(|reached| reached.is_some())
}

/// Starts a job that makes a bundle, if there are too few; its identifier.
async fn one_more(
    app: &App,
    project: &Project,
    peer: &Peer,
    address: &str,
    wanted: u32,
) -> Result<Option<String>, ServiceError> {
    let there = circuits::bundles(app, project, &peer.fingerprint).await?;
    if there >= wanted {
        return Ok(None);
    }
    let words = [
        "preprocess",
        "--proofs=1",
        "--connect-timeout=20",
        &format!("--id={}", project.side),
        &format!("--remote-peer={address}"),
        &format!("--peer={}", peer.fingerprint),
    ];
    let words = words.map(str::to_string).to_vec();
    let commands = vec![CommandBody { words, outputs: None, old: false }];
    let body = Body { artifact: project.name.clone(), commands, ..Body::default() };
    // The server itself asks, for this project only.
    let token = Token {
        id: "keeper".into(),
        name: "bundles kept ready".into(),
        role: Role::Run,
        project: Some(project.name.clone()),
        created: now(),
        expires: None,
        last_used: None,
    };
    let answer = submit(app, &Who { token }, body, None).await?;
    Ok(answer["id"].as_str().map(str::to_string))
}
