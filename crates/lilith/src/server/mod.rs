//! `lilith serve`: from what the operator says to a server that runs, and its end.

mod accounts;
mod answer;
pub mod app;
mod attempt;
mod circuits;
pub mod config;
mod exposition;
mod extract;
mod job_log;
mod keeper;
mod limits;
mod lock;
mod metrics;
pub mod options;
mod pages;
mod routes;
mod scheduler;
mod sessions;
mod supervise;
mod tls;
mod webhooks;
mod who;

use crate::database::{Command, Database, Recipe, Role, State, Token};
use crate::error::{Code, ServiceError};
use crate::executor::{Executor, Local, Slurm};
use crate::folder::make_private;
use crate::relay::Relay;
use accounts::Accounts;
use app::App;
use nix::fcntl::{Flock, FlockArg};
use options::{ExecutorName, Options, TRUST};
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server until it is told to end.
pub async fn serve(mut options: Options) -> Result<(), ServiceError> {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    make_private(&options.directory)?;
    options.directory = fs::canonicalize(&options.directory)
        .map_err(|error| ServiceError::internal("finding the server's folder", error))?;
    options.twain = Some(twain_program(options.twain.as_deref())?);
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificates), Some(key)) => Some(tls::config(certificates, key)?),
        _ => None,
    };
    if tls.is_none() && !options.listen.ip().is_loopback() && !options.insecure_http {
        let text = format!("{} is not loopback, and there is no TLS", options.listen);
        return Err(ServiceError::new(Code::BadRequest, text).hint(
            "give --tls-cert and --tls-key; or --insecure-http, if another server before this one \
             speaks TLS",
        ));
    }
    let _lock = lock_folder(&options.directory)?;
    let app = Arc::new(open(options)?);
    sweep(&app)?;
    let listener = TcpListener::bind(app.options.listen).await;
    let listener = listener.map_err(|error| {
        let text = format!("cannot listen on {}: {error}", app.options.listen);
        ServiceError::new(Code::PortTaken, text)
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| ServiceError::internal("asking where it listens", error))?;
    greet(&app, address, tls.is_some())?;
    let tasks = [
        tokio::spawn(scheduler::run(app.clone())),
        tokio::spawn(webhooks::run(app.clone())),
        tokio::spawn(keeper::run(app.clone())),
    ];
    let service = routes::router(app.clone(), pages::router())
        .into_make_service_with_connect_info::<tls::Caller>();
    let ended = end_of(app.clone());
    let served = match tls {
        None => axum::serve(listener, service).with_graceful_shutdown(ended).await,
        Some(config) => {
            let listener = tls::TlsListener::new(listener, config)
                .map_err(|error| ServiceError::internal("listening", error))?;
            axum::serve(listener, service).with_graceful_shutdown(ended).await
        }
    };
    for task in tasks {
        // They end by themselves; processes of jobs go on without the server.
        let _ = tokio::time::timeout(Duration::from_secs(5), task).await;
    }
    // Those who watch over jobs stop looking within this time.
    tokio::time::sleep(supervise::LOOK * 4).await;
    served.map_err(|error| ServiceError::internal("serving", error))
}

fn open(options: Options) -> Result<App, ServiceError> {
    let database = Database::open(&options.directory.join("lilith.db"))?;
    let executor: Arc<dyn Executor> = match options.executor {
        ExecutorName::Local => Arc::new(Local::new(&options.directory)?),
        ExecutorName::Slurm => Arc::new(Slurm::new(&options.directory, options.sbatch.clone())?),
    };
    Ok(App {
        relay: Relay::new(options.peer_bind()),
        limiter: limits::Limiter::new(options.requests_a_second),
        sessions: sessions::Sessions::default(),
        metrics: metrics::Metrics::default(),
        supervised: Default::default(),
        progress: Default::default(),
        accounts: Accounts::new(&options)?,
        ending: tokio::sync::watch::channel(false).0,
        database,
        executor,
        options,
    })
}

/// Two servers on one folder would run the same jobs.
fn lock_folder(directory: &Path) -> Result<Flock<File>, ServiceError> {
    let path = directory.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| ServiceError::internal("opening the lock", error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
        let text = format!("another server runs on {}", directory.display());
        ServiceError::new(Code::Busy, text)
    })
}

/// The program `twain`: as the operator says, or beside this one.
fn twain_program(said: Option<&Path>) -> Result<PathBuf, ServiceError> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("twain"));
    let path = said.map(Path::to_path_buf).or_else(beside).unwrap_or_default();
    fs::canonicalize(&path).map_err(|error| {
        let text = format!("the program twain is not at {}: {error}", path.display());
        ServiceError::new(Code::NotFound, text).hint("say where it is: --twain PATH")
    })
}

/// Removes what a server that was killed left half-way, and ends processes that nobody waits for.
fn sweep(app: &App) -> Result<(), ServiceError> {
    let _ = fs::remove_dir_all(app.at(&["uploads"]));
    let unfinished = app.database.read(Command::unfinished)?;
    let expected = |attempt: &str| {
        unfinished.iter().any(|(_, command)| {
            let runs = matches!(command.state, State::Starting | State::Running);
            runs && command.attempt_id.as_deref() == Some(attempt)
        })
    };
    for (engine, attempt) in app.executor.list_ours()? {
        if !expected(&attempt) {
            app.executor.cancel(&engine, true)?;
        }
    }
    let entries = fs::read_dir(app.at(&["recipes"])).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let recipe = app.database.read(|connection| Recipe::find(connection, &name))?;
        match recipe {
            None => drop(fs::remove_dir_all(entry.path())),
            Some(recipe) if recipe.state != "active" => app.clean(&recipe.id),
            Some(_) => {}
        }
    }
    let projects = fs::read_dir(app.at(&["projects"])).into_iter().flatten().flatten();
    for project in projects {
        remove_unfinished(&project.path().join("files"));
        let deployments = fs::read_dir(project.path().join("deployments")).into_iter().flatten();
        deployments.flatten().for_each(|folder| remove_unfinished(&folder.path()));
    }
    Ok(())
}

fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".new-") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The first start prints a token: the only time that it is shown.
fn greet(app: &App, address: SocketAddr, tls: bool) -> Result<(), ServiceError> {
    eprintln!("{TRUST}");
    let first = app.database.read(Token::all)?.is_empty();
    if first {
        let (_, text) =
            app.database.write(|write| Token::make(write, "first", Role::Admin, None, None))?;
        match &app.options.first_token {
            None => println!("admin token (shown once): {}", text.as_str()),
            Some(path) => {
                let file = File::options().write(true).create_new(true).mode(0o600).open(path);
                let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
                written.map_err(|error| {
                    let doing = format!("writing the first token to {}", path.display());
                    ServiceError::internal(doing, error)
                })?;
            }
        }
    }
    let scheme = if tls { "https" } else { "http" };
    println!("listening on {scheme}://{address}");
    // Whoever reads this may start to ask.
    std::io::stdout().flush().map_err(|error| ServiceError::internal("printing", error))
}

/// Waits for `TERM` or `INT`.
async fn end_of(app: Arc<App>) {
    let hear = |kind| signal(kind);
    match (hear(SignalKind::terminate()), hear(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
    app.ending.send_replace(true);
}
