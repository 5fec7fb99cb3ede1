//! The client commands, one after the other.

use super::error::ClientError;
use super::recipes::{get, job, logs};
use super::settings::Settings;
use super::upload::upload;
use super::{Client, escaped};
use crate::arguments::{Arguments, Command, Files, PeerCommand, ProjectCommand, TokenCommand};
use axum::body::Body;
use axum::http::{HeaderMap, Method};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Does what a client command says.
pub async fn run(arguments: Arguments) -> Result<ExitCode, ClientError> {
    let as_json = arguments.common.json;
    let client = Client::new(Settings::new(&arguments.common)?)?;
    match arguments.command {
        Command::Ping => ping(&client, as_json).await?,
        Command::Project(command) => project(&client, command, as_json).await?,
        Command::CreateArtifact { artifact, side, files } => {
            let path = format!("/artifact/{}", escaped(&artifact));
            let side = side.map(|side| side.name());
            let answer = upload(&client, Method::POST, &path, side, &files).await?;
            tell(&answer, as_json, &["name", "side", "fingerprint"]);
        }
        Command::UpdateArtifact { artifact, deployment, replace, files } => {
            let mut path = format!("/artifact/{}?replace={replace}", escaped(&artifact));
            if let Some(deployment) = deployment {
                path.push_str(&format!("&deployment={}", escaped(&deployment)));
            }
            let answer = upload(&client, Method::PUT, &path, None, &files).await?;
            tell(&answer, as_json, &["latest_uuid"]);
        }
        Command::ListArtifacts { artifact: None } => list_projects(&client, as_json).await?,
        Command::ListArtifacts { artifact: Some(name) } => {
            let path = format!("/artifact/{}", escaped(&name));
            let answer = client.json(Method::GET, &path, None).await?;
            match as_json {
                true => println!("{}", answer["files"]),
                false => print_files(&answer),
            }
        }
        Command::DownloadArtifact { artifact, deployment, file, output } => {
            download(&client, &artifact, deployment, &file, output).await?;
        }
        Command::DeleteArtifact { artifact, file } => {
            let path = format!("/artifact/{}/file/{}", escaped(&artifact), escaped(&file));
            client.json(Method::DELETE, &path, None).await?;
        }
        Command::Job(arguments) => {
            say_user_id(&arguments.user_id);
            return job(&client, arguments, as_json).await;
        }
        Command::Get { id, user_id, poll_til_done, follow } => {
            say_user_id(&user_id);
            let id = match id {
                Some(id) => id,
                None => latest(&client).await?,
            };
            return get(&client, &id, poll_til_done, follow, as_json).await;
        }
        Command::Cancel { id } => {
            let path = format!("/recipe/{}", escaped(&id));
            let answer = client.json(Method::DELETE, &path, None).await?;
            tell(&answer, as_json, &["id"]);
        }
        Command::List { artifact, status, limit } => {
            list(&client, artifact, status, limit, as_json).await?;
        }
        Command::Logs { id, raw } => logs(&client, &id, raw).await?,
        Command::Peer(command) => peer(&client, command, as_json).await?,
        Command::Invite { artifact, peer, port, circuit, days, output } => {
            let mut path = format!(
                "/artifact/{}/invite?days={days}&circuit={}",
                escaped(&artifact),
                escaped(&circuit)
            );
            if let Some(peer) = peer {
                path.push_str(&format!("&peer={}", escaped(&peer)));
            }
            if let Some(port) = port {
                path.push_str(&format!("&port={port}"));
            }
            let answer = client.json(Method::GET, &path, None).await?;
            invitation(&answer, output.as_deref(), as_json)?;
        }
        Command::Token(command) => token(&client, command, as_json).await?,
        Command::Serve(_)
        | Command::Exec { .. }
        | Command::Demo { .. }
        | Command::Completions { .. } => {
            return Err(ClientError::Usage("not a command of the client".into()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn say_user_id(user_id: &Option<String>) {
    if user_id.is_some() {
        eprintln!("-q is not looked at here: a token says who asks, and for which project");
    }
}

/// The members of an answer that people want, or all of it.
fn tell(answer: &Value, as_json: bool, members: &[&str]) {
    if as_json {
        return println!("{answer}");
    }
    for member in members {
        match &answer[member] {
            Value::Null => {}
            Value::String(text) => println!("{member}: {text}"),
            other => println!("{member}: {other}"),
        }
    }
    for file in answer["files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("file: {file}");
    }
}

async fn ping(client: &Client, as_json: bool) -> Result<(), ClientError> {
    let answer = client.json(Method::GET, "/ping", None).await?;
    match as_json {
        true => println!("{answer}"),
        false => {
            tell(&answer, false, &["version", "executor", "time"]);
            println!("here: {}", crate::identifiers::rfc3339(crate::identifiers::now()));
        }
    }
    Ok(())
}

async fn latest(client: &Client) -> Result<String, ClientError> {
    let answer = client.json(Method::GET, "/recipe?limit=1", None).await?;
    let id = answer["recipes"][0]["id"].as_str();
    id.map(str::to_string).ok_or_else(|| ClientError::Usage("there is no recipe yet".into()))
}

async fn list_projects(client: &Client, as_json: bool) -> Result<(), ClientError> {
    let answer = client.json(Method::GET, "/artifact", None).await?;
    if as_json {
        println!("{answer}");
        return Ok(());
    }
    for project in answer.as_array().into_iter().flatten() {
        let text = |name: &str| project[name].as_str().unwrap_or_default();
        println!("{:<24} {:<6} {}", text("name"), text("side"), text("fingerprint"));
    }
    Ok(())
}

fn print_files(project: &Value) {
    for file in project["files"].as_array().into_iter().flatten() {
        let bytes = file["bytes"].as_u64().unwrap_or(0);
        let text = |name: &str| file[name].as_str().unwrap_or_default();
        println!("{:<28} {bytes:>12} {} {}", text("name"), text("modified"), text("sha256"));
    }
}

async fn project(
    client: &Client,
    command: ProjectCommand,
    as_json: bool,
) -> Result<(), ClientError> {
    match command {
        ProjectCommand::Create { name, side } => {
            let files =
                Files { data_path: None, model_path: None, calibration_path: None, file: vec![] };
            let path = format!("/artifact/{}", escaped(&name));
            let answer = upload(client, Method::POST, &path, Some(side.name()), &files).await?;
            tell(&answer, as_json, &["name", "side", "fingerprint"]);
        }
        ProjectCommand::List => list_projects(client, as_json).await?,
        ProjectCommand::Show { name } => {
            let path = format!("/artifact/{}", escaped(&name));
            let answer = client.json(Method::GET, &path, None).await?;
            if as_json {
                println!("{answer}");
                return Ok(());
            }
            tell(&answer, false, &["name", "side", "fingerprint", "peer_host", "peer_ports"]);
            println!("peers: {}", answer["peers"]);
            println!("used: {}", answer["quota"]["used"]);
            println!("limits: {}", answer["quota"]["limits"]);
            print_files(&answer);
        }
        ProjectCommand::Delete { name } => {
            let path = format!("/artifact/{}", escaped(&name));
            client.json(Method::DELETE, &path, None).await?;
        }
        ProjectCommand::Limit { name, limits } => {
            let limits: Value = serde_json::from_str(&limits)
                .map_err(|error| ClientError::Usage(format!("the limits: {error}")))?;
            let path = format!("/artifact/{}/limits", escaped(&name));
            let answer = client.json(Method::PUT, &path, Some(&limits)).await?;
            println!("{answer}");
        }
        ProjectCommand::Webhook { name, rotate } => {
            let path = format!("/artifact/{}/webhook", escaped(&name));
            let method = if rotate { Method::POST } else { Method::GET };
            let answer = client.json(method, &path, None).await?;
            match as_json {
                true => println!("{answer}"),
                false => {
                    let secrets = answer["secrets"].as_array().into_iter().flatten();
                    secrets.filter_map(Value::as_str).for_each(|secret| println!("{secret}"));
                }
            }
        }
    }
    Ok(())
}

async fn download(
    client: &Client,
    project: &str,
    deployment: Option<String>,
    file: &str,
    output: Option<PathBuf>,
) -> Result<(), ClientError> {
    let own = Path::new(file).file_name().map(PathBuf::from).unwrap_or_default();
    let output = output.unwrap_or(own);
    let mut path = format!("/artifact/{}/file/{}", escaped(project), escaped(file));
    if let Some(deployment) = deployment {
        path.push_str(&format!("?deployment={}", escaped(&deployment)));
    }
    let response = client.send(Method::GET, &path, HeaderMap::new(), Body::empty()).await?;
    let failed = |error: &dyn std::fmt::Display| {
        ClientError::Usage(format!("{}: {error}", output.display()))
    };
    let folder = output.parent().filter(|path| !path.as_os_str().is_empty());
    let mut kept = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| failed(&error))?;
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed(&error))?;
        let bytes = frame.into_data().unwrap_or_default();
        kept.write_all(&bytes).map_err(|error| failed(&error))?;
    }
    kept.persist(&output).map_err(|error| failed(&error))?;
    Ok(())
}

async fn list(
    client: &Client,
    artifact: Option<String>,
    status: Option<String>,
    limit: usize,
    as_json: bool,
) -> Result<(), ClientError> {
    let mut path = format!("/recipe?limit={limit}");
    for (name, value) in [("artifact", artifact), ("status", status)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", escaped(&value)));
        }
    }
    let answer = client.json(Method::GET, &path, None).await?;
    if as_json {
        println!("{answer}");
        return Ok(());
    }
    for recipe in answer["recipes"].as_array().into_iter().flatten() {
        let text = |name: &str| recipe[name].as_str().unwrap_or_default();
        let commands = recipe["commands"].as_array().into_iter().flatten();
        let names: Vec<&str> = commands.filter_map(|it| it["command"].as_str()).collect();
        println!(
            "{} {:<9} {} {:<20} {}",
            text("id"),
            text("status"),
            text("created_at"),
            text("artifact"),
            names.join(", ")
        );
    }
    Ok(())
}

async fn peer(client: &Client, command: PeerCommand, as_json: bool) -> Result<(), ClientError> {
    let peers = |project: &str| {
        let path = format!("/artifact/{}", escaped(project));
        async move { client.json(Method::GET, &path, None).await }
    };
    match command {
        PeerCommand::Add {
            artifact,
            name,
            fingerprint,
            address,
            proofs_a_day,
            keep_bundles,
            wait_port,
        } => {
            let path = format!("/artifact/{}/peer/{}", escaped(&artifact), escaped(&fingerprint));
            let body = json!({ "name": name, "address": address, "proofs_a_day": proofs_a_day,
                               "keep_bundles": keep_bundles, "wait_port": wait_port });
            client.json(Method::PUT, &path, Some(&body)).await?;
        }
        PeerCommand::List { artifact } => {
            let answer = peers(&artifact).await?;
            match as_json {
                true => println!("{}", answer["peers"]),
                false => {
                    for peer in answer["peers"].as_array().into_iter().flatten() {
                        let text = |name: &str| peer[name].as_str().unwrap_or_default();
                        println!(
                            "{:<20} {} {}",
                            text("name"),
                            text("fingerprint"),
                            text("address")
                        );
                    }
                }
            }
        }
        PeerCommand::Remove { artifact, peer } => {
            let answer = peers(&artifact).await?;
            let known = answer["peers"].as_array().into_iter().flatten();
            let mut same = known.filter(|it| it["name"] == peer.as_str());
            let fingerprint = same.next().and_then(|it| it["fingerprint"].as_str());
            let fingerprint = fingerprint.unwrap_or(&peer);
            let path = format!("/artifact/{}/peer/{}", escaped(&artifact), escaped(fingerprint));
            client.json(Method::DELETE, &path, None).await?;
        }
    }
    Ok(())
}

/// The line, and the fingerprint in groups: to be compared over a channel that both trust.
fn invitation(answer: &Value, output: Option<&Path>, as_json: bool) -> Result<(), ClientError> {
    let text = answer["invitation"].as_str().unwrap_or_default();
    if let Some(path) = output {
        std::fs::write(path, format!("{text}\n"))
            .map_err(|error| ClientError::Usage(format!("{}: {error}", path.display())))?;
    }
    if as_json {
        println!("{answer}");
        return Ok(());
    }
    println!("{text}");
    let digits = answer["fingerprint"].as_str().unwrap_or_default();
    let digits = digits.strip_prefix("sha256:").unwrap_or(digits).as_bytes();
    let groups: Vec<_> = digits.chunks(4).map(String::from_utf8_lossy).collect();
    eprintln!("Send the line over a channel that both trust, and compare the fingerprint:");
    groups.chunks(8).for_each(|line| eprintln!("  {}", line.join(" ")));
    Ok(())
}

async fn token(client: &Client, command: TokenCommand, as_json: bool) -> Result<(), ClientError> {
    match command {
        TokenCommand::Create { artifact, role, expires, name } => {
            let body = json!({
                "name": name, "role": role.name(), "project": artifact, "expires_in": expires,
            });
            let answer = client.json(Method::POST, "/token", Some(&body)).await?;
            match as_json {
                true => println!("{answer}"),
                false => println!("{}", answer["token"].as_str().unwrap_or_default()),
            }
        }
        TokenCommand::List => {
            let answer = client.json(Method::GET, "/token", None).await?;
            if as_json {
                println!("{answer}");
                return Ok(());
            }
            for token in answer.as_array().into_iter().flatten() {
                let text = |name: &str| token[name].as_str().unwrap_or("-");
                println!(
                    "{} {:<6} {:<20} expires {} last used {} {}",
                    text("id"),
                    text("role"),
                    text("project"),
                    text("expires_at"),
                    text("last_used_at"),
                    text("name")
                );
            }
        }
        TokenCommand::Revoke { id } => {
            client.json(Method::DELETE, &format!("/token/{}", escaped(&id)), None).await?;
        }
    }
    Ok(())
}
