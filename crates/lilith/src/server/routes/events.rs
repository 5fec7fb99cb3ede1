//! Events of a recipe while they happen (server-sent events). What is in the table has a sequence
//! number, from which a listener goes on after a break (`Last-Event-ID`); log lines and progress
//! have none, and are left out for who reads slowly.

use super::recipes::find;
use crate::database::{Command, Event, Key, Role};
use crate::error::ServiceError;
use crate::identifiers::rfc3339;
use crate::server::app::App;
use crate::server::extract::{Path, Query};
use crate::server::job_log;
use crate::server::lock::lock;
use crate::server::who::Who;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ALIVE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(250);

/// What to listen to.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct What {
    /// Events after this sequence number, as `Last-Event-ID`.
    pub after: Option<i64>,
    /// Log lines too.
    pub log: bool,
}

/// The events of a recipe, those that were and those to come, until its end.
#[utoipa::path(get, path = "/recipe/{id}/events", params(("id" = String, Path), What),
    responses((status = 200, content_type = "text/event-stream"), (status = 404)))]
pub async fn stream(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    Query(what): Query<What>,
    headers: HeaderMap,
) -> Result<Response, ServiceError> {
    find(&app, &who, &id, Role::Read)?;
    Ok(response(app, id, what, &headers))
}

/// The same for who is known already.
pub fn response(app: Arc<App>, recipe: String, what: What, headers: &HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let changes = app.database.changes();
    let listener = Listener {
        app,
        recipe,
        sequence: last.or(what.after).unwrap_or(0),
        log: what.log,
        offsets: HashMap::new(),
        told: HashMap::new(),
        commands: Vec::new(),
        is_news: true,
        ended: false,
        changes,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let text = listener.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), listener))
    });
    let headers = [("content-type", "text/event-stream"), ("x-accel-buffering", "no")];
    (headers, Body::from_stream(events)).into_response()
}

struct Listener {
    app: Arc<App>,
    recipe: String,
    sequence: i64,
    log: bool,
    offsets: HashMap<(usize, u32), u64>,
    told: HashMap<usize, Value>,
    /// The commands and their attempts when they were last looked up.
    commands: Vec<(Key, u32)>,
    /// Whether something may have changed since.
    is_news: bool,
    ended: bool,
    changes: tokio::sync::watch::Receiver<u64>,
}

impl Listener {
    /// The next piece of the stream; none after the end.
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let since = Instant::now();
        loop {
            let mut text = String::new();
            let is_news =
                std::mem::take(&mut self.is_news) || self.changes.has_changed().unwrap_or(true);
            self.changes.mark_unchanged();
            // Lines first: they were written before what they led to.
            if self.look(is_news, &mut text).is_err() {
                self.ended = true;
            }
            if !text.is_empty() || self.ended {
                return Some(text);
            }
            if since.elapsed() >= ALIVE {
                return Some(": alive\n\n".into());
            }
            let mut ending = self.app.ending.subscribe();
            if *ending.borrow_and_update() {
                return None;
            }
            tokio::select! {
                _ = self.changes.changed() => self.is_news = true,
                _ = tokio::time::sleep(LOOK) => {}
                _ = ending.changed() => {}
            }
        }
    }

    /// What there is to tell; the database is only asked if something has changed there.
    fn look(&mut self, is_news: bool, text: &mut String) -> Result<(), ServiceError> {
        let mut events = Vec::new();
        if is_news {
            let (found, commands) = self.app.database.read(|connection| {
                let found = Event::after(connection, &self.recipe, self.sequence)?;
                Ok((found, Command::all(connection, &self.recipe)?))
            })?;
            events = found;
            // None are left if the project was deleted.
            self.ended = commands.is_empty();
            let attempts = commands.into_iter().map(|command| (command.key, command.attempt));
            self.commands = attempts.collect();
        }
        for (key, attempt) in self.commands.clone() {
            self.look_at(&key, attempt, text);
        }
        if events.len() == Event::AT_A_TIME {
            // There are more.
            self.is_news = true;
        }
        for event in events {
            let mut data = event.data;
            data["at"] = rfc3339(event.at).into();
            data["index"] = event.number.into();
            text.push_str(&format!("id: {}\nevent: {}\n", event.sequence, event.kind));
            text.push_str(&format!("data: {data}\n\n"));
            self.sequence = event.sequence;
            self.ended |= event.kind == "end";
        }
        Ok(())
    }

    fn look_at(&mut self, key: &Key, attempt: u32, text: &mut String) {
        let progress = lock(&self.app.progress).get(key).cloned();
        if let Some(mut progress) = progress
            && self.told.insert(key.number, progress.clone()).as_ref() != Some(&progress)
        {
            progress["index"] = key.number.into();
            text.push_str(&format!("event: progress\ndata: {progress}\n\n"));
        }
        if !self.log || attempt == 0 {
            return;
        }
        let path = self.app.attempt(key, attempt).join(crate::executor::LOG);
        let offset = self.offsets.entry((key.number, attempt)).or_default();
        // A log that cannot be read now can be asked for later.
        let Ok((lines, end)) = job_log::lines(&path, *offset) else { return };
        *offset = end;
        for line in lines.iter().filter_map(|line| job_log::for_people(line)) {
            let data = json!({ "index": key.number, "line": line });
            text.push_str(&format!("event: log\ndata: {data}\n\n"));
        }
    }
}
