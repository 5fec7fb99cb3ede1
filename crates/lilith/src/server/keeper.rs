//! Keeps bundles ready: while a peer has fewer of them with a project than the project wants, a
//! `preprocess` is a job like any other, one bundle at a time, when no job with a peer of the
//! project is there or waits. It begins when the peer is found to listen at its address; or, where
//! the peer is waited for at a port of this server, when somebody dials that. So two servers keep
//! bundles with each other if one has the other's address, and that one waits. A peer with which
//! it does not work is tried less and less often.

use super::app::App;
use super::circuits;
use super::routes::submit::submit;
use super::who::Who;
use crate::database::{Command, Peer, Project, Recipe, Role, Token};
use crate::error::ServiceError;
use crate::identifiers::now;
use std::collections::HashMap;
use std::net::TcpListener;
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
    /// Where the peer is waited for.
    waits: Option<TcpListener>,
}

impl Pair {
    fn later(&mut self) {
        let pause = self.pause.map_or(PAUSES[0], |pause| (2 * pause).min(PAUSES[1]));
        self.next = Some(Instant::now() + pause);
        self.pause = Some(pause);
        self.waits = None;
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

/// How a peer is met.
#[derive(Clone, Debug)]
enum Place {
    /// It listens there.
    Address(String),
    /// It dials this port of the server.
    Port(u16),
}

/// A peer with which a project wants bundles.
struct Wish {
    project: Project,
    peer: Peer,
    place: Place,
    bundles: u32,
}

impl Wish {
    fn of(project: &Project, peer: Peer) -> Option<Self> {
        let port = peer.wait_port.map(Place::Port);
        let place = port.or_else(|| peer.address.clone().map(Place::Address))?;
        Some(Self { project: project.clone(), bundles: peer.keep_bundles?, peer, place })
    }

    fn pair(&self) -> (String, String) {
        (self.project.name.clone(), self.peer.fingerprint.clone())
    }
}

fn wishes(app: &App) -> Result<Vec<Wish>, ServiceError> {
    app.database.read(|connection| {
        let mut wishes = Vec::new();
        for project in Project::all(connection)? {
            let peers = Peer::all(connection, &project.name)?;
            wishes.extend(peers.into_iter().filter_map(|peer| Wish::of(&project, peer)));
        }
        Ok(wishes)
    })
}

async fn step(app: &App, pairs: &mut HashMap<(String, String), Pair>) -> Result<(), ServiceError> {
    let wishes = wishes(app)?;
    pairs.retain(|pair, _| wishes.iter().any(|wish| wish.pair() == *pair));
    if wishes.is_empty() {
        return Ok(());
    }
    let unfinished = app.database.read(Command::unfinished)?;
    for wish in wishes {
        let project = &wish.project;
        let pair = pairs.entry(wish.pair()).or_default();
        let is_busy = |(name, command): &(String, Command)| {
            *name == project.name && command.job.pair.is_some()
        };
        if unfinished.iter().any(is_busy) {
            // Who dials now is to see that nobody waits.
            pair.waits = None;
            continue;
        }
        if pair.next.is_some_and(|at| Instant::now() < at) {
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
        let mark = mark(app, project)?;
        let has_enough = pair
            .enough
            .as_ref()
            .is_some_and(|(then, at)| *then == mark && at.elapsed() < COUNT_AGAIN);
        if has_enough {
            continue;
        }
        match one_more(app, &wish, pair).await {
            Ok(Next::Enough) => {
                (pair.enough, pair.waits) = (Some((mark, Instant::now())), None);
            }
            Ok(Next::Waits) => {}
            Ok(Next::NotThere) => pair.later(),
            Ok(Next::Begun(recipe)) => pair.recipe = recipe,
            Err(error) => {
                eprintln!("lilith: bundles of {} with {}: {error}", project.name, wish.peer.name);
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

/// Whether somebody has dialled a port.
fn has_dialled(listener: &TcpListener) -> Result<bool, ServiceError> {
    match listener.accept() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(ServiceError::internal("waiting for a peer", error)),
    }
}

/// What came of looking for a peer.
enum Next {
    /// There are enough bundles.
    Enough,
    /// Nobody listens at its address.
    NotThere,
    /// It is waited for.
    Waits,
    /// A job makes one.
    Begun(Option<String>),
}

/// Begins a job that makes a bundle, if there are too few and the peer is there; waits for it if it
/// is to come.
async fn one_more(app: &App, wish: &Wish, pair: &mut Pair) -> Result<Next, ServiceError> {
    match (&wish.place, &pair.waits) {
        (Place::Address(address), _) if !is_there(app, address).await => return Ok(Next::NotThere),
        (Place::Port(_), Some(listener)) if !has_dialled(listener)? => return Ok(Next::Waits),
        _ => {}
    }
    let there = circuits::bundles(app, &wish.project, &wish.peer.fingerprint).await?;
    if there >= wish.bundles {
        return Ok(Next::Enough);
    }
    // Where somebody has dialled the relay is to listen now.
    if let Place::Port(port) = wish.place
        && pair.waits.take().is_none()
    {
        let failed = |error| ServiceError::internal("waiting for a peer", error);
        let listener = TcpListener::bind((app.options.peer_bind(), port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        pair.waits = Some(listener);
        return Ok(Next::Waits);
    }
    begin(app, wish).await.map(Next::Begun)
}

/// Begins it; the job's recipe.
async fn begin(app: &App, wish: &Wish) -> Result<Option<String>, ServiceError> {
    let Wish { project, peer, place, .. } = wish;
    let met = match place {
        Place::Address(address) => format!("--remote-peer={address}"),
        Place::Port(port) => format!("--local-addr={port}"),
    };
    let words = [
        "preprocess",
        "--proofs=1",
        "--connect-timeout=20",
        &format!("--id={}", project.side),
        &met,
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
