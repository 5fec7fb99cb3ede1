//! The page of a project: whose secret it holds, its key, its peers, its files, and invitations.

use super::layout::{bar, copyable, fingerprint, form_key, moment, page};
use super::visitor::{PageError, Visitor};
use crate::database::{Peer, Project, Recipe, Role, audit};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::app::{App, check_name};
use crate::server::extract::Path;
use crate::server::routes::peers::{What as InviteFor, invitation_of};
use axum::extract::{Form, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use twain_link::identity::Fingerprint;

const DAY: i64 = 24 * 3600 * 1000;

/// A project.
pub async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Html<String>, PageError> {
    let content = content(&app, &visitor, &name, html! {})?;
    Ok(Html(page(&name, Some(visitor.menu()), content).into_string()))
}

fn content(
    app: &App,
    visitor: &Visitor,
    name: &str,
    above: Markup,
) -> Result<Markup, ServiceError> {
    let project = visitor.who.project(app, name, Role::Read)?;
    let files = app.files(name, None)?.list()?;
    let (peers, active, cpu) = app.database.read(|connection| {
        Ok((
            Peer::all(connection, name)?,
            Recipe::active(connection, name)?,
            Project::cpu_seconds_since(connection, name, now() - DAY)?,
        ))
    })?;
    let stored: u64 = files.iter().map(|file| file.bytes).sum();
    let may_run = visitor.who.at_least(Role::Run).is_ok();
    let limits = &project.limits;
    let other = if project.side == "model" { "data" } else { "model" };
    Ok(html! {
        (above)
        section.card {
            h2 { "Holds the " (project.side) "'s secret" }
            p { "Whoever runs this server sees it. The " (other) "'s secret of the same circuit stays "
                "on the peer's machine, and is refused here." }
            h3 { "Its key" }
            (fingerprint(&project.fingerprint))
            p.dim { "Peers compare this over a channel that both trust." }
        }
        section.card {
            h2 { "Peers" }
            @if peers.is_empty() {
                p { "Nobody yet. The peer prints its fingerprint with " code { "twain identity" }
                    "; add it here." }
            } @else {
                table { thead { tr { th { "Name" } th { "Fingerprint" } th { "Proofs a day" }
                    th.number { "Bundles kept" } } }
                    tbody { @for peer in &peers { tr {
                        td data-label="Name" { (peer.name) }
                        td data-label="Fingerprint" { code { (peer.fingerprint) } }
                        td data-label="Proofs a day" {
                            (peer.proofs_a_day.map_or("any number".into(), |n| n.to_string()))
                        }
                        td.number data-label="Bundles kept" { (peer.keep_bundles.unwrap_or(0)) }
                    } } } }
            }
            @if may_run {
                form.row method="post" action={ "/p/" (name) "/peer" } {
                    (form_key(&visitor.menu()))
                    label { "Name " input name="name" required; }
                    label { "Fingerprint " input name="fingerprint" required placeholder="sha256:…"; }
                    button { "Add" }
                }
                @if files.iter().any(|file| file.name == "model.compiled") {
                    form.row method="post" action={ "/p/" (name) "/invite" } {
                        (form_key(&visitor.menu()))
                        button { "Make an invitation" }
                    }
                } @else {
                    p.dim { "Invitations are for a circuit: run compile-circuit first." }
                }
            }
        }
        section.card {
            h2 { "Use" }
            (bar("Jobs", f64::from(active), f64::from(limits.active_recipes), ""))
            (bar("Storage", stored as f64, limits.stored_bytes as f64, "bytes"))
            (bar("Files", files.len() as f64, f64::from(limits.files), ""))
            (bar("Processor", cpu, limits.cpu_seconds_a_day as f64, "s in 24 hours"))
        }
        section.card {
            h2 { "Files" }
            @if files.is_empty() {
                p { "None yet: " code { "lilith update-artifact -a " (name) " -m network.onnx" } }
            } @else {
                table { thead { tr { th { "Name" } th.number { "Bytes" } th { "Written" } } }
                    tbody { @for file in &files { tr {
                        td data-label="Name" { (file.name) }
                        td.number data-label="Bytes" { (file.bytes) }
                        td data-label="Written" { (moment(&rfc3339(file.modified))) }
                    } } } }
            }
        }
    })
}

/// An invitation to be made.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    form: String,
}

/// Makes an invitation, and shows it.
pub async fn invite(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Html<String>, PageError> {
    visitor.check_form(&wanted.form)?;
    let made = invitation_of(&app, &visitor.who, &name, InviteFor::default()).await?;
    let text = made["invitation"].as_str().unwrap_or_default();
    let above = html! {
        section.card #invitation {
            h2 { "Invitation" }
            p { "Send this line over a channel that both trust; the peer gives it to "
                code { "twain prove --invite" } "." }
            (copyable("the invitation", text))
        }
    };
    let content = content(&app, &visitor, &name, above)?;
    Ok(Html(page(&name, Some(visitor.menu()), content).into_string()))
}

/// A peer to be added.
#[derive(Debug, Deserialize)]
pub struct NewPeer {
    form: String,
    name: String,
    fingerprint: String,
}

/// Adds a peer.
pub async fn add_peer(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(new): Form<NewPeer>,
) -> Result<Redirect, PageError> {
    visitor.check_form(&new.form)?;
    visitor.who.project(&app, &name, Role::Run)?;
    check_name("a peer", &new.name)?;
    let fingerprint: Fingerprint = new.fingerprint.trim().parse().map_err(
        |error: twain_link::identity::FingerprintError| {
            ServiceError::new(Code::BadRequest, error.to_string())
        },
    )?;
    let peer = Peer {
        fingerprint: fingerprint.to_string(),
        name: new.name,
        address: None,
        proofs_a_day: None,
        keep_bundles: None,
        wait_port: None,
    };
    let token = &visitor.who.token.id;
    app.database.write(|write| {
        peer.put(write, &name)?;
        audit(write, token, Some(&name), "put peer", Some(&peer.fingerprint), "done")
    })?;
    Ok(Redirect::to(&format!("/p/{name}")))
}
