//! A recipe comes in: read, looked at, written down. Whatever is wrong with it is said now, not
//! later.

use super::health::disk_has_room;
use crate::database::{Key, NewCommand, NewRecipe, Peer, Project, Recipe, Role, audit, ports};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339, uuid};
use crate::server::app::{App, check_name};
use crate::server::extract::{Query, json_body};
use crate::server::who::Who;
use crate::server::{circuits, webhooks};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use twain_jobs::PairJob;
use twain_jobs::bodies::{self, Body};

const DAY: i64 = 24 * 3600 * 1000;

/// What stands beside the body.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Beside {
    /// Where the end is told.
    callback_url: Option<String>,
    /// Taken for old clients' sake, and not looked at.
    user_id: Option<String>,
}

/// Has commands run: a list of them, or an object with `commands`, in any of the forms that clients
/// of the service know.
#[utoipa::path(post, path = "/recipe", params(Beside), request_body = serde_json::Value,
    responses((status = 201, body = serde_json::Value), (status = 400), (status = 404), (status = 409),
              (status = 422), (status = 429)))]
pub async fn recipe(
    State(app): State<Arc<App>>,
    who: Who,
    Query(beside): Query<Beside>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<Value>), ServiceError> {
    let mut body = bodies::read(&json_body(&body)?)?;
    body.callback = body.callback.or(beside.callback_url);
    let idempotency = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    submit(&app, &who, body, idempotency).await.map(|answer| (StatusCode::CREATED, Json(answer)))
}

/// Writes a recipe down; the answer to its client.
pub async fn submit(
    app: &App,
    who: &Who,
    body: Body,
    idempotency: Option<&str>,
) -> Result<Value, ServiceError> {
    let project = who.project(app, &body.artifact, Role::Run)?;
    if let Some(deployment) = &body.deployment {
        check_name("a deployment", deployment)?;
    }
    if let Some(key) = idempotency {
        if key.is_empty() || key.len() > 200 {
            return Err(ServiceError::new(
                Code::BadRequest,
                "Idempotency-Key: 1 to 200 characters",
            ));
        }
        let repeated =
            app.database.read(|connection| Recipe::repeated(connection, &who.token.id, key))?;
        if let Some(recipe) = repeated {
            if recipe.project != project.name {
                let text = "the Idempotency-Key was used for another project";
                return Err(ServiceError::new(Code::Exists, text));
            }
            return answer(app, &project, &recipe.id).await;
        }
    }
    if let Some(url) = &body.callback {
        webhooks::check_url(app, url)?;
    }
    disk_has_room(app)?;
    let limits = &project.limits;
    if body.commands.len() > limits.commands as usize {
        let text = format!("a recipe may have {} commands", limits.commands);
        return Err(ServiceError::new(Code::Quota, text));
    }
    let peers = app.database.read(|connection| Peer::all(connection, &project.name))?;
    let (mut commands, mut files) = (Vec::new(), body.data.clone());
    for (number, command) in body.commands.iter().enumerate() {
        let twain_jobs::Read { job, inline } = twain_jobs::read(&command.words, number)?;
        if job.command == "gen-srs" && !app.options.allow_gen_srs {
            let text = "who makes an SRS can forge proofs: gen-srs is not run here";
            return Err(ServiceError::new(Code::Unsupported, text)
                .hint("import a ceremony's with get-srs; for tests: serve --allow-gen-srs"));
        }
        files.extend(inline);
        let (mut peer, mut port) = (None, None);
        if let Some(pair) = &job.pair {
            let known = check_pair(app, &project, pair, &peers).await?;
            (peer, port) = (Some(known.fingerprint.clone()), pair.port);
        }
        let outputs = command.outputs(&job)?;
        commands.push(NewCommand { job, outputs, port, peer });
    }
    if files.iter().any(|(_, content)| content.len() as u64 > limits.file_bytes) {
        return Err(ServiceError::new(
            Code::TooLarge,
            "the data are larger than the project's files",
        ));
    }
    let id = uuid();
    let recipe = NewRecipe {
        id: id.clone(),
        project: project.name.clone(),
        deployment: body.deployment.clone(),
        token: who.token.id.clone(),
        idempotency: idempotency.map(str::to_string),
        callback: body.callback.clone(),
        timeout: body.timeout,
        commands,
        ports: Vec::new(),
    };
    let kept = write_files(app, &recipe, &body, &files)
        .and_then(|()| add(app, who, limits, &peers, recipe));
    if let Err(error) = kept {
        // What was not written down must leave nothing behind.
        let _ = std::fs::remove_dir_all(app.at(&["recipes", &id]));
        return Err(error);
    }
    answer(app, &project, &id).await
}

/// Puts the data of the request where the commands will look for them.
fn write_files(
    app: &App,
    recipe: &NewRecipe,
    body: &Body,
    files: &[(String, String)],
) -> Result<(), ServiceError> {
    let work = app.work(&recipe.project, &recipe.id)?;
    for (name, content) in files {
        work.write(name, content.as_bytes())?;
    }
    let project = app.files(&recipe.project, recipe.deployment.as_deref())?;
    for (name, _) in &body.data {
        project.take(&work, name)?;
    }
    Ok(())
}

/// The peer of a job: the one that the command names, or the project's only one.
async fn check_pair<'a>(
    app: &App,
    project: &Project,
    pair: &PairJob,
    peers: &'a [Peer],
) -> Result<&'a Peer, ServiceError> {
    if pair.side != project.side {
        let text = format!(
            "the project holds the {}'s secret: it is not run with --id {}",
            project.side, pair.side
        );
        return Err(ServiceError::new(Code::WrongSide, text));
    }
    let unknown = |text: String| {
        Err(ServiceError::new(Code::UnknownPeer, text)
            .hint("lilith peer add -a PROJECT NAME FINGERPRINT says whom a project proves with"))
    };
    let peer = match (&pair.peer, peers) {
        (Some(wanted), _) => match peers.iter().find(|peer| peer.fingerprint == *wanted) {
            Some(peer) => peer,
            None => return unknown(format!("{wanted} is none of the project's peers")),
        },
        (None, [only]) => only,
        (None, []) => return unknown("the project has no peers".into()),
        (None, _) => {
            return unknown("the project has several peers: the command has to say --peer".into());
        }
    };
    if let Some(port) = pair.port.filter(|port| *port != 0)
        && !app.options.peer_ports.contains(&port)
    {
        let ports = &app.options.peer_ports;
        let text = format!("--local-addr: {port} is not one of this server's ports for peers");
        return Err(ServiceError::new(Code::PortTaken, text).hint(format!(
            "they are {} to {}; auto takes a free one",
            ports.start(),
            ports.end()
        )));
    }
    if let Some(remote) = pair.remote.as_ref().or(peer.address.as_ref()) {
        app.options.peer_policy().resolve(remote).await?;
    }
    Ok(peer)
}

/// Each proof teaches the peer something: a project can say how many a day are enough.
fn check_budgets(
    write: &rusqlite::Connection,
    recipe: &NewRecipe,
    peers: &[Peer],
) -> Result<(), ServiceError> {
    for peer in peers {
        let Some(limit) = peer.proofs_a_day else { continue };
        let with = |command: &&NewCommand| {
            command.job.command == "prove" && command.peer.as_ref() == Some(&peer.fingerprint)
        };
        let asked = u32::try_from(recipe.commands.iter().filter(with).count()).unwrap_or(u32::MAX);
        let made = Peer::proofs_since(write, &recipe.project, &peer.fingerprint, now() - DAY)?;
        if asked > 0 && made.saturating_add(asked) > limit {
            let text = format!(
                "{made} of {limit} proofs in 24 hours with peer {:?} were made; this would be {asked}",
                peer.name
            );
            let mut error = ServiceError::new(Code::Quota, text);
            error.retry_after = Some(3600);
            return Err(error);
        }
    }
    Ok(())
}

/// Adds the recipe, with the ports that are free; for one that another recipe holds it waits.
fn add(
    app: &App,
    who: &Who,
    limits: &crate::database::Limits,
    peers: &[Peer],
    mut recipe: NewRecipe,
) -> Result<(), ServiceError> {
    let mut auto = None;
    for _ in 0..3 {
        let (held, taken) = app
            .database
            .read(|connection| Ok((ports::all(connection)?, ports::taken(connection)?)))?;
        let is_free = |port: u16| held.iter().all(|(other, _)| *other != port);
        recipe.ports.clear();
        for command in &mut recipe.commands {
            let wanted = command.job.pair.as_ref().and_then(|pair| pair.port);
            let Some(wanted) = wanted else { continue };
            let port = match (wanted, auto) {
                (0, Some(port)) => port,
                (0, None) => {
                    let mut free =
                        app.options.peer_ports.clone().filter(|port| !taken.contains(port));
                    let port =
                        free.find(|port| app.relay.open(*port).is_ok()).ok_or_else(|| {
                            ServiceError::new(Code::PortTaken, "no port for peers is free")
                        })?;
                    auto = Some(port);
                    port
                }
                (port, _) => {
                    // Where the server itself waits for a peer it leaves off for this recipe.
                    if !taken.contains(&port) {
                        app.relay.open(port)?;
                    }
                    port
                }
            };
            command.port = Some(port);
            if is_free(port) && !recipe.ports.contains(&port) {
                recipe.ports.push(port);
            }
        }
        let added = app.database.write(|write| {
            if Recipe::active(write, &recipe.project)? >= limits.active_recipes {
                let text = format!(
                    "the project has {} recipes that have not ended",
                    limits.active_recipes
                );
                let mut error = ServiceError::new(Code::Quota, text);
                error.retry_after = Some(10);
                return Err(error);
            }
            check_budgets(write, &recipe, peers)?;
            if let Some(key) = &recipe.idempotency
                && Recipe::repeated(write, &who.token.id, key)?.is_some()
            {
                let text = "the same request was taken this moment: ask again for its answer";
                return Err(ServiceError::new(Code::Busy, text));
            }
            if recipe.ports.iter().any(|port| !matches!(ports::holder(write, *port), Ok(None))) {
                return Ok(false);
            }
            recipe.add(write)?;
            let lines: Vec<_> =
                recipe.commands.iter().map(|command| command.job.command.as_str()).collect();
            let lines = format!("{} {}", recipe.id, lines.join(" "));
            audit(write, &who.token.id, Some(&recipe.project), "recipe", Some(&lines), "done")?;
            Ok(true)
        })?;
        if added {
            return Ok(());
        }
        auto = None;
    }
    Err(ServiceError::new(Code::PortTaken, "ports were taken by others meanwhile: try again"))
}

/// What a client is told of a recipe that was taken.
async fn answer(app: &App, project: &Project, id: &str) -> Result<Value, ServiceError> {
    let commands = app.database.read(|connection| crate::database::Command::all(connection, id))?;
    let mut answer = json!({
        "id": id,
        "recipe_id": id,
        "spell_id": id,
        "commands": commands.iter().map(|command| json!({
            "index": command.key.number, "status": command.state.status(),
        })).collect::<Vec<_>>(),
    });
    let listens = commands.iter().find_map(|command| Some((command, command.port?)));
    if let Some((command, port)) = listens {
        let connect_by = now() + i64::try_from(app.options.connect_seconds * 1000).unwrap_or(0);
        answer["peer"] = json!({
            "address": app.peer_address(port),
            "fingerprint": project.fingerprint,
            "connect_by": rfc3339(connect_by),
        });
        if let Some(invitation) = invitation(app, project, &command.key, port, command).await {
            answer["peer"]["invitation"] = invitation.into();
        }
    }
    Ok(answer)
}

/// The line for the other side, if the circuit is there already.
async fn invitation(
    app: &App,
    project: &Project,
    key: &Key,
    port: u16,
    command: &crate::database::Command,
) -> Option<String> {
    let recipe = app.database.read(|connection| Recipe::find(connection, &key.recipe)).ok()??;
    let files = app.files_of(&recipe).ok()?;
    let circuit = command.job.value("compiled-circuit").unwrap_or("model.compiled");
    files.read(circuit).ok()?;
    let address = app.peer_address(port);
    let found = circuits::invitation(app, project, files.path(), circuit, &address, 1).await;
    found.ok().map(|invitation| invitation.to_string())
}
