//! Uploads: parts of a form become files of the project, streamed to the disk and never looked
//! into.

use super::health::disk_has_room;
use crate::database::{Limits, Project, Role, audit};
use crate::error::{Code, ServiceError};
use crate::folder::{Folder, make_private};
use crate::identifiers::{now, uuid};
use crate::server::app::{App, check_name};
use crate::server::extract::{Path, Query, json_body};
use crate::server::options::SideName;
use crate::server::webhooks;
use crate::server::who::Who;
use axum::Json;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use twain_jobs::check_path;

/// The parts of an upload.
#[derive(Debug, utoipa::ToSchema)]
#[allow(dead_code)] // Only told to readers of the interface's document.
pub struct Upload {
    /// `model` or `data`: whose secret the project holds; for a new one.
    side: Option<String>,
    /// The model, kept as network.onnx.
    #[schema(content_media_type = "application/octet-stream")]
    model: Option<String>,
    /// The input, kept as input.json.
    data: Option<String>,
    /// Data for calibration, kept as calibration.json.
    calibration: Option<String>,
    /// Any other file, under its own name.
    file: Option<String>,
}

/// How an existing project is changed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct How {
    /// A second name below the project.
    deployment: Option<String>,
    /// Write over files that are there. Without it `data` gets a name of its own.
    replace: bool,
}

/// What became of the parts of a form.
#[derive(Default)]
struct Taken {
    side: Option<String>,
    name: Option<String>,
    /// Names for the files, and the files without names yet.
    files: Vec<(String, String)>,
}

fn bad_form(error: MultipartError) -> ServiceError {
    let code = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        _ => Code::BadRequest,
    };
    ServiceError::new(code, format!("the form: {}", error.body_text()))
}

async fn short_text(mut field: Field<'_>) -> Result<String, ServiceError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(bad_form)? {
        bytes.extend(&chunk);
        if bytes.len() > 1000 {
            return Err(ServiceError::new(Code::TooLarge, "a part of the form is too long"));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| ServiceError::new(Code::BadRequest, "a part of the form is not text"))
}

/// Takes the parts of a form into files without names.
async fn take(
    folder: &Folder,
    mut form: Multipart,
    limits: &Limits,
    taken: &mut Taken,
) -> Result<(), ServiceError> {
    let stored: u64 = folder.list()?.iter().map(|entry| entry.bytes).sum();
    let mut room = limits.stored_bytes.saturating_sub(stored);
    while let Some(field) = form.next_field().await.map_err(bad_form)? {
        let part = field.name().unwrap_or_default().to_string();
        let name = match part.as_str() {
            "side" => {
                taken.side = Some(short_text(field).await?);
                continue;
            }
            "artifact_request" => {
                let text = short_text(field).await?;
                let request = json_body(text.as_bytes())?;
                taken.name = request["name"].as_str().map(str::to_string);
                continue;
            }
            "model" => "network.onnx".to_string(),
            "data" => "input.json".to_string(),
            "calibration" => "calibration.json".to_string(),
            "file" => field.file_name().unwrap_or_default().to_string(),
            _ => {
                let text = "parts are: side, model, data, calibration, file";
                return Err(ServiceError::new(Code::BadRequest, text));
            }
        };
        check_path(name.as_ref())?;
        let (mut file, unfinished) = folder.create()?;
        taken.files.push((name, unfinished));
        let most = room.min(limits.file_bytes);
        let written = receive(field, &mut file, most).await?;
        room -= written;
    }
    Ok(())
}

async fn receive(
    mut field: Field<'_>,
    file: &mut std::fs::File,
    most: u64,
) -> Result<u64, ServiceError> {
    let failed = |error| ServiceError::internal("writing an upload", error);
    let mut written = 0;
    while let Some(chunk) = field.chunk().await.map_err(bad_form)? {
        written += chunk.len() as u64;
        if written > most {
            let text = format!("a file may have {most} bytes here");
            return Err(ServiceError::new(Code::TooLarge, text)
                .hint("the project's limits are in `lilith project show`"));
        }
        file.write_all(&chunk).map_err(failed)?;
    }
    tokio::task::block_in_place(|| file.sync_all()).map_err(failed)?;
    Ok(written)
}

/// Makes a project, with its identity and the secret of its callbacks.
fn make_project(app: &App, who: &Who, name: &str, side: &str) -> Result<Project, ServiceError> {
    let folder = app.at(&["projects", name]);
    app.accounts.assign(&folder)?;
    let identity = app.identity(name);
    make_private(&identity)?;
    let fingerprint = twain::pair::fingerprint(&Some(identity))
        .map_err(|error| ServiceError::internal("making an identity", error))?;
    // The key that was made just now, too.
    app.accounts.assign(&folder)?;
    let project = Project {
        name: name.into(),
        side: side.into(),
        fingerprint: fingerprint.to_string(),
        created: now(),
        limits: Limits::default(),
    };
    webhooks::rotate(app, name)?;
    app.database.write(|write| {
        project.add(write)?;
        audit(write, &who.token.id, Some(name), "create project", Some(side), "done")
    })?;
    Ok(project)
}

/// The side of a new project, as the form or the operator says.
fn side_of(app: &App, said: Option<&str>) -> Result<String, ServiceError> {
    match (said, app.options.default_side) {
        (Some(side @ ("model" | "data")), _) => Ok(side.into()),
        (Some(_), _) => Err(ServiceError::new(Code::BadRequest, "a side is model or data")),
        (None, Some(side)) => Ok(side.name().into()),
        (None, None) => Err(ServiceError::new(
            Code::BadRequest,
            "a new project needs a side: model or data, whichever secret it will hold",
        )
        .hint("lilith create-artifact --side model, or the part \"side\" of the form")),
    }
}

/// Makes a project, with the files of a form.
#[utoipa::path(post, path = "/artifact/{name}", params(("name" = String, Path)),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 201, body = serde_json::Value), (status = 400), (status = 403), (status = 409),
              (status = 413), (status = 422)))]
pub async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), ServiceError> {
    who.operator()?;
    check_name("a project", &name)?;
    disk_has_room(&app)?;
    if app.database.read(|connection| Project::find(connection, &name))?.is_some() {
        return Err(ServiceError::new(
            Code::Exists,
            format!("there is a project {name:?} already"),
        )
        .hint("lilith update-artifact adds files to it, with --replace over those there"));
    }
    let form = form_of(request).await?;
    // Until the side is known the files wait in a folder that is no project's.
    let waiting = Folder::open(&app.at(&["uploads", &uuid()]))?;
    let mut taken = Taken::default();
    let result = take(&waiting, form, &Limits::default(), &mut taken).await;
    let made = result.and_then(|()| {
        let side = side_of(&app, taken.side.as_deref())?;
        let project = make_project(&app, &who, &name, &side)?;
        let files = app.files(&name, None)?;
        for (file, unfinished) in &taken.files {
            waiting.keep(unfinished, file)?;
            files.take(&waiting, file)?;
        }
        Ok(json!({
            "name": name, "side": side, "fingerprint": project.fingerprint,
            "files": taken.files.iter().map(|(file, _)| file).collect::<Vec<_>>(),
        }))
    });
    // What was taken has a second name in the project by now.
    let _ = std::fs::remove_dir_all(waiting.path());
    Ok((StatusCode::CREATED, Json(made?)))
}

async fn form_of(request: Request) -> Result<Multipart, ServiceError> {
    Multipart::from_request(request, &()).await.map_err(|error| {
        ServiceError::new(Code::BadRequest, error.body_text()).hint("send multipart/form-data")
    })
}

/// Adds files to a project, or puts others in their place.
#[utoipa::path(put, path = "/artifact/{name}", params(("name" = String, Path), How),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 200, body = serde_json::Value), (status = 400), (status = 404), (status = 409),
              (status = 413), (status = 422)))]
pub async fn update(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
    Query(how): Query<How>,
    request: Request,
) -> Result<Json<Value>, ServiceError> {
    store(&app, &who, &name, &how, request).await.map(Json)
}

/// The same for the oldest clients: the form names the project.
#[utoipa::path(post, path = "/artifact/update",
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 200, body = serde_json::Value), (status = 400), (status = 404)))]
pub async fn update_first_generation(
    State(app): State<Arc<App>>,
    who: Who,
    request: Request,
) -> Result<Json<Value>, ServiceError> {
    let form = form_of(request).await?;
    let waiting = Folder::open(&app.at(&["uploads", &uuid()]))?;
    let mut taken = Taken::default();
    let result = take(&waiting, form, &Limits::default(), &mut taken).await;
    let stored = result.and_then(|()| {
        let name = taken.name.as_deref().ok_or_else(|| {
            ServiceError::new(Code::BadRequest, "the part artifact_request is {\"name\": …}")
        })?;
        let project = who.project(&app, name, Role::Run)?;
        let files = app.files(&project.name, None)?;
        for (file, unfinished) in &taken.files {
            waiting.keep(unfinished, file)?;
            files.take(&waiting, file)?;
        }
        Ok(json!({ "name": name, "files": taken.files.iter().map(|(file, _)| file)
            .collect::<Vec<_>>() }))
    });
    let _ = std::fs::remove_dir_all(waiting.path());
    stored.map(Json)
}

async fn store(
    app: &App,
    who: &Who,
    name: &str,
    how: &How,
    request: Request,
) -> Result<Value, ServiceError> {
    if let Some(deployment) = &how.deployment {
        check_name("a deployment", deployment)?;
    }
    let project = match who.project(app, name, Role::Run) {
        Ok(project) => project,
        // Old clients do not make a project first.
        Err(error) if error.code == Code::NotFound && app.options.default_side.is_some() => {
            who.operator()?;
            check_name("a project", name)?;
            let side = app.options.default_side.map_or("", SideName::name);
            make_project(app, who, name, side)?
        }
        Err(error) => return Err(error),
    };
    disk_has_room(app)?;
    let form = form_of(request).await?;
    let files = app.files(name, how.deployment.as_deref())?;
    let mut taken = Taken::default();
    let result = take(&files, form, &project.limits, &mut taken).await;
    let latest = uuid();
    let stored = result.and_then(|()| keep(&files, &project, how, &taken, &latest));
    match stored {
        Ok(names) => {
            app.database.write(|write| {
                audit(write, &who.token.id, Some(name), "upload", Some(&names.join(" ")), "done")
            })?;
            Ok(json!({ "latest_uuid": latest, "files": names }))
        }
        Err(error) => {
            taken.files.iter().for_each(|(_, unfinished)| files.discard(unfinished));
            Err(error)
        }
    }
}

/// Gives the files their names.
fn keep(
    files: &Folder,
    project: &Project,
    how: &How,
    taken: &Taken,
    latest: &str,
) -> Result<Vec<String>, ServiceError> {
    let there = files.list()?;
    if there.len() + taken.files.len() > project.limits.files as usize {
        let text = format!("the project may have {} files", project.limits.files);
        return Err(ServiceError::new(Code::Quota, text));
    }
    let name = |file: &String| match file.as_str() {
        "input.json" if !how.replace => format!("input_{latest}.json"),
        other => other.to_string(),
    };
    let names: Vec<String> = taken.files.iter().map(|(file, _)| name(file)).collect();
    if let Some(file) = names.iter().find(|name| files.has(name)).filter(|_| !how.replace) {
        return Err(ServiceError::new(Code::Exists, format!("{file:?} is there already"))
            .hint("pass --replace (replace=true) to put the new one in its place"));
    }
    for (name, (_, unfinished)) in names.iter().zip(&taken.files) {
        files.keep(unfinished, name)?;
    }
    Ok(names)
}
