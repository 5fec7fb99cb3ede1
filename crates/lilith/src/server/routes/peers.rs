//! Peers of a project, and invitations for them.

use crate::database::{Peer, Role, audit, ports};
use crate::error::{Code, ServiceError};
use crate::server::app::{App, check_name};
use crate::server::circuits;
use crate::server::extract::{Path, Query, bad_query, json_body};
use crate::server::who::Who;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use twain_link::identity::Fingerprint;

/// They take room, and are good for a week.
const MOST_BUNDLES: u32 = 1000;

/// What there is to say of a peer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What the project calls it.
    name: String,
    /// `HOST:PORT` where it listens, if it does.
    address: Option<String>,
    /// How many proofs a day are made with it at most.
    proofs_a_day: Option<u32>,
    /// How many bundles are to be ready with it, while it listens at its address, or dials
    /// `wait_port`.
    keep_bundles: Option<u32>,
    /// The port of this server where it is waited for while there are too few.
    wait_port: Option<u16>,
}

fn fingerprint(text: &str) -> Result<String, ServiceError> {
    let parsed: Result<Fingerprint, _> = text.parse();
    parsed
        .map(|fingerprint| fingerprint.to_string())
        .map_err(|error| ServiceError::new(Code::BadRequest, error.to_string()))
}

/// Says that the project proves with a peer, known by its fingerprint.
#[utoipa::path(put, path = "/artifact/{name}/peer/{fingerprint}",
    params(("name" = String, Path), ("fingerprint" = String, Path)), request_body = About,
    responses((status = 204), (status = 400), (status = 404), (status = 409)))]
pub async fn put(
    State(app): State<Arc<App>>,
    who: Who,
    Path((name, text)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> Result<StatusCode, ServiceError> {
    let project = who.project(&app, &name, Role::Run)?;
    let about: About = serde_json::from_value(json_body(&body)?)
        .map_err(|error| ServiceError::new(Code::BadRequest, error.to_string()))?;
    check_name("a peer", &about.name)?;
    let fingerprint = fingerprint(&text)?;
    if fingerprint == project.fingerprint {
        return Err(ServiceError::new(Code::BadRequest, "this is the project's own fingerprint"));
    }
    if about.address.as_ref().is_some_and(|address| address.len() > 300) {
        return Err(ServiceError::new(Code::BadRequest, "an address is HOST:PORT"));
    }
    if about.keep_bundles.is_some_and(|bundles| bundles > MOST_BUNDLES) {
        let text = format!("keep_bundles: {MOST_BUNDLES} at most");
        return Err(ServiceError::new(Code::BadRequest, text));
    }
    if about.keep_bundles.is_some() && about.address.is_none() && about.wait_port.is_none() {
        let text = "bundles are kept with a peer that one of the two dials: give the address where \
                    it listens, or one of this server's ports as wait_port (--wait-port) for it to \
                    dial; of two servers one needs each";
        return Err(ServiceError::new(Code::BadRequest, text));
    }
    if about.wait_port.is_some() && about.keep_bundles.is_none() {
        let text = "wait_port is where a peer is waited for that keeps bundles: say how many, with \
                    keep_bundles";
        return Err(ServiceError::new(Code::BadRequest, text));
    }
    if let Some(port) = about.wait_port.filter(|port| !app.options.peer_ports.contains(port)) {
        let text = format!("{port} is not one of the server's ports for peers");
        return Err(ServiceError::new(Code::PortTaken, text));
    }
    let About { name: peer_name, address, proofs_a_day, keep_bundles, wait_port } = about;
    let peer =
        Peer { fingerprint, name: peer_name, address, proofs_a_day, keep_bundles, wait_port };
    app.database.write(|write| {
        if let Some(port) = peer.wait_port
            && Peer::is_waited_for_elsewhere(write, port, &name, &peer.fingerprint)?
        {
            let text = format!("another peer is waited for at port {port}");
            return Err(ServiceError::new(Code::PortTaken, text));
        }
        peer.put(write, &name)?;
        audit(write, &who.token.id, Some(&name), "put peer", Some(&peer.fingerprint), "done")
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that the project no longer proves with a peer.
#[utoipa::path(delete, path = "/artifact/{name}/peer/{fingerprint}",
    params(("name" = String, Path), ("fingerprint" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path((name, text)): Path<(String, String)>,
) -> Result<StatusCode, ServiceError> {
    who.project(&app, &name, Role::Run)?;
    let fingerprint = fingerprint(&text)?;
    app.database.write(|write| {
        Peer::remove(write, &name, &fingerprint)?;
        audit(write, &who.token.id, Some(&name), "remove peer", Some(&fingerprint), "done")
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the invitation is for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct What {
    /// For whom: the name or the fingerprint of one of the project's peers.
    peer: Option<String>,
    /// The compiled circuit (model.compiled).
    circuit: Option<String>,
    /// The port that the peer is to dial (the first of the server's that is free).
    port: Option<u16>,
    /// For how many days it is good (7).
    days: Option<u32>,
    /// A second name below the project.
    deployment: Option<String>,
}

/// An invitation: the line that the other side gives `twain prove --invite`.
#[utoipa::path(get, path = "/artifact/{name}/invite", params(("name" = String, Path), What),
    responses((status = 200, body = serde_json::Value), (status = 400), (status = 404), (status = 422)))]
pub async fn invite(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
    Query(what): Query<What>,
) -> Result<Json<Value>, ServiceError> {
    invitation_of(&app, &who, &name, what).await.map(Json)
}

/// An invitation, and what it says.
pub async fn invitation_of(
    app: &App,
    who: &Who,
    name: &str,
    what: What,
) -> Result<Value, ServiceError> {
    let project = who.project(app, name, Role::Run)?;
    let peers = app.database.read(|connection| Peer::all(connection, name))?;
    if let Some(wanted) = &what.peer
        && !peers.iter().any(|peer| peer.name == *wanted || peer.fingerprint == *wanted)
    {
        let text = "the project has no such peer";
        return Err(ServiceError::new(Code::UnknownPeer, text).hint("add it: lilith peer add"));
    }
    let days = what.days.unwrap_or(7);
    if !(1..=3650).contains(&days) {
        return Err(bad_query("days: 1 to 3650"));
    }
    let port = match what.port {
        Some(port) if app.options.peer_ports.contains(&port) => port,
        Some(port) => {
            return Err(ServiceError::new(
                Code::PortTaken,
                format!("{port} is not one of the server's ports for peers"),
            ));
        }
        None => {
            let taken = app.database.read(ports::taken)?;
            let free = |port: &u16| !taken.contains(port);
            let first = *app.options.peer_ports.start();
            app.options.peer_ports.clone().find(free).unwrap_or(first)
        }
    };
    if let Some(deployment) = &what.deployment {
        check_name("a deployment", deployment)?;
    }
    let circuit = what.circuit.as_deref().unwrap_or("model.compiled");
    let files = app.files(name, what.deployment.as_deref())?;
    // Looked at here, so that twain is given no link to follow.
    files.read(circuit)?;
    let address = app.peer_address(port);
    let found = circuits::invitation(app, &project, files.path(), circuit, &address, days).await?;
    app.database.write(|write| {
        audit(write, &who.token.id, Some(name), "invite", what.peer.as_deref(), "done")
    })?;
    Ok(json!({
        "invitation": found.to_string(), "address": address, "port": port,
        "fingerprint": project.fingerprint, "circuit": hex::encode(found.circuit),
        "expires_at": crate::identifiers::rfc3339(
            i64::try_from(found.expires).unwrap_or(i64::MAX / 1000) * 1000),
    }))
}
