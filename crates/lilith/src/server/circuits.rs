//! Invitations, and the digests of circuits in them. The server parses no upload itself: `twain invite`
//! does, as a process.

use super::app::App;
use crate::database::Project;
use crate::error::{Code, ServiceError};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use twain::pair::Invitation;

/// A circuit is read in much less.
const LIMIT: Duration = Duration::from_secs(120);

/// The invitation of a project for a circuit of its folder, or of a recipe's.
///
/// # Errors
/// What `twain` says of the circuit; [`Code::WrongSide`] if the other side's secret of the same circuit
/// is on this server.
pub async fn invitation(
    app: &App,
    project: &Project,
    folder: &Path,
    circuit: &str,
    address: &str,
    days: u32,
) -> Result<Invitation, ServiceError> {
    let failed = |error| ServiceError::internal("starting twain", error);
    let twain = app.options.twain.clone().unwrap_or_default();
    let child = tokio::process::Command::new(twain)
        .args(["invite", "--address", address, "--days", &days.to_string()])
        .arg(format!("--compiled-circuit={circuit}"))
        .arg("--identity")
        .arg(app.identity(&project.name))
        .current_dir(folder)
        .env_clear()
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
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        let last = last.strip_prefix("error: ").unwrap_or(last);
        return Err(ServiceError::new(Code::BadRequest, format!("no invitation: {last}")).hint(
            "an invitation is for a compiled circuit: run compile-circuit, or name the file with \
             --circuit",
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let invitation: Invitation = text
        .parse()
        .map_err(|error| ServiceError::internal("reading what twain printed", error))?;
    let digest = hex::encode(invitation.circuit);
    app.database
        .write(|write| project.note_circuit(write, &digest, app.options.allow_both_sides))?;
    Ok(invitation)
}
