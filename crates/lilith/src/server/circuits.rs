//! Invitations, the digests of circuits in them, and bundles for circuits. The server parses no
//! upload itself: `twain` does, as a process.

use super::app::App;
use crate::database::Project;
use crate::error::{Code, ServiceError};
use crate::folder::make_private;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use twain::pair::Invitation;

/// A circuit is read in much less.
const LIMIT: Duration = Duration::from_secs(120);

/// The invitation of a project for a circuit of its folder, or of a recipe's.
///
/// # Errors
/// What `twain` says of the circuit; [`Code::WrongSide`] if the other side's secret of the same
/// circuit is on this server.
pub async fn invitation(
    app: &App,
    project: &Project,
    folder: &Path,
    circuit: &str,
    address: &str,
    days: u32,
) -> Result<Invitation, ServiceError> {
    let arguments = [
        "invite".into(),
        format!("--address={address}"),
        format!("--days={days}"),
        format!("--compiled-circuit={circuit}"),
    ];
    let text = ask(app, project, folder, &arguments).await?.map_err(|said| {
        ServiceError::new(Code::BadRequest, format!("no invitation: {said}")).hint(
            "an invitation is for a compiled circuit: run compile-circuit, or name the file with \
             --circuit",
        )
    })?;
    let invitation: Invitation = text
        .parse()
        .map_err(|error| ServiceError::internal("reading what twain printed", error))?;
    let digest = hex::encode(invitation.circuit);
    app.database
        .write(|write| project.note_circuit(write, &digest, app.options.allow_both_sides))?;
    Ok(invitation)
}

/// How many bundles a project has for proofs of its circuit (under the names that commands give
/// files) with a peer.
///
/// # Errors
/// What `twain` says of the files.
pub async fn bundles(app: &App, project: &Project, peer: &str) -> Result<u32, ServiceError> {
    let files = app.files(&project.name, None)?;
    let arguments = [
        "bundles".into(),
        "count".into(),
        format!("--id={}", project.side),
        format!("--peer={peer}"),
    ];
    let text = ask(app, project, files.path(), &arguments).await?.map_err(|said| {
        ServiceError::new(Code::BadRequest, format!("no bundles can be counted: {said}"))
    })?;
    let last = text.lines().last().unwrap_or_default();
    last.parse().map_err(|error| ServiceError::internal("reading what twain printed", error))
}

/// What `twain` prints, or what it complains of, run in a folder with the project's identity and
/// SRS files.
async fn ask(
    app: &App,
    project: &Project,
    folder: &Path,
    arguments: &[String],
) -> Result<Result<String, String>, ServiceError> {
    let failed = |error| ServiceError::internal("starting twain", error);
    let mut command = tokio::process::Command::new(app.options.twain.clone().unwrap_or_default());
    if let Some(account) = app.account(&project.name)? {
        // What is read there was uploaded: as for jobs, nothing else is to be in reach.
        command.uid(account).gid(account);
    }
    let ezkl = app.at(&["projects", &project.name, "ezkl"]);
    // The project may not have run anything yet.
    link_srs(app, &ezkl.join("srs"))?;
    let child = command
        .args(arguments)
        .arg("--identity")
        .arg(app.identity(&project.name))
        .current_dir(folder)
        .env_clear()
        .env("EZKL_REPO_PATH", ezkl)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
    let output = output
        .map_err(|_| ServiceError::new(Code::BadRequest, "the circuit took too long to read"))?
        .map_err(failed)?;
    if output.status.success() {
        return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Ok(Err(last.strip_prefix("error: ").unwrap_or(last).to_string()))
}

/// Puts links to the operator's SRS files where `twain` looks for them. A job that imports one
/// of its own puts it in the place of the link, and never writes through it.
pub fn link_srs(app: &App, folder: &Path) -> Result<(), ServiceError> {
    make_private(folder)?;
    let Some(entries) = app.options.srs_folder().and_then(|from| fs::read_dir(from).ok()) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let plain = name.to_str().is_some_and(|name| {
            name.starts_with("kzg") && name.ends_with(".srs") && !name.contains('/')
        });
        if plain && fs::symlink_metadata(folder.join(&name)).is_err() {
            let from = std::path::absolute(entry.path()).unwrap_or_else(|_| entry.path());
            // Another job may have been first.
            let _ = symlink(from, folder.join(&name));
        }
    }
    Ok(())
}
