//! Callbacks: who asked for it is told a recipe's end, signed as Standard Webhooks, until it is
//! taken or a day of tries is over. The body is what `GET /recipe/{id}` answers.

use super::answer::answer;
use super::app::App;
use crate::database::Recipe;
use crate::error::{Code, ServiceError};
use crate::http::{Target, send, trust};
use crate::identifiers::{now, secret_bytes};
use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rusqlite::{Connection, params};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Seconds between tries.
const PAUSES: [i64; 7] = [5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600];
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(1);
const PREFIX: &str = "whsec_";

/// The secrets of a project's callbacks, the newest first: at most two.
pub fn secrets(app: &App, project: &str) -> Result<Vec<String>, ServiceError> {
    let path = app.at(&["projects", project, "webhook"]);
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().take(2).map(str::to_string).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(ServiceError::internal("reading a callback secret", error)),
    }
}

/// Makes a new secret; the one before it stays good.
pub fn rotate(app: &App, project: &str) -> Result<Vec<String>, ServiceError> {
    let mut secrets = secrets(app, project)?;
    secrets.insert(0, format!("{PREFIX}{}", BASE64.encode(secret_bytes())));
    secrets.truncate(2);
    let path = app.at(&["projects", project, "webhook"]);
    let failed = |error| ServiceError::internal("writing a callback secret", error);
    let unfinished = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(failed)?;
    file.write_all(secrets.join("\n").as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(unfinished, path).map_err(failed)?;
    Ok(secrets)
}

/// Refuses an address that will not be called.
pub fn check_url(app: &App, url: &str) -> Result<Target, ServiceError> {
    let bad = |text: String| ServiceError::new(Code::BadRequest, format!("callback_url: {text}"));
    if url.len() > 2000 {
        return Err(bad("it is too long".into()));
    }
    let target = Target::parse(url).map_err(|error| bad(error.to_string()))?;
    if !target.https && !app.options.callback_allow.contains(&target.authority()) {
        return Err(bad("only https is called".into())
            .hint("the operator can allow a host in the clear: --callback-allow HOST:PORT"));
    }
    Ok(target)
}

/// Has the end of a recipe told once more.
pub fn again(write: &Connection, recipe: &str, at: i64) -> Result<(), ServiceError> {
    let count = write.execute(
        "UPDATE callbacks SET state = 'pending', tries = 0, next = ?2
         WHERE recipe = ?1 AND state != 'pending'",
        params![recipe, at],
    )?;
    match count {
        0 => Err(ServiceError::new(
            Code::Busy,
            "the recipe has no callback, has not ended, or is being told already",
        )),
        _ => Ok(()),
    }
}

/// `webhook-signature`: one signature a secret.
fn signature(secrets: &[String], id: &str, timestamp: i64, body: &[u8]) -> String {
    let one = |secret: &String| {
        let key = BASE64.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        Some(format!("v1,{}", BASE64.encode(context.sign())))
    };
    secrets.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// Tells ends until the server ends.
pub async fn run(app: Arc<App>) {
    let mut ending = app.ending.subscribe();
    let trust = match trust(None) {
        Ok(trust) => trust,
        Err(error) => return eprintln!("lilith: callbacks: {error}"),
    };
    while !*ending.borrow_and_update() {
        if let Err(error) = step(&app, &trust).await {
            eprintln!("lilith: callbacks: {error}");
        }
        tokio::select! {
            _ = tokio::time::sleep(LOOK) => {}
            _ = ending.changed() => {}
        }
    }
}

async fn step(app: &Arc<App>, trust: &Arc<rustls::ClientConfig>) -> Result<(), ServiceError> {
    let due: Vec<(String, String, usize)> = app.database.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT id, recipe, tries FROM callbacks WHERE state = 'pending' AND next <= ?1
             ORDER BY next LIMIT 16",
        )?;
        let rows =
            statement.query_map([now()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let told = due.into_iter().map(|(id, recipe, tries)| async move {
        let result = tokio::time::timeout(PATIENCE, tell(app, trust, &id, &recipe)).await;
        let answer = match result {
            Ok(Ok(status)) => format!("HTTP {status}"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".into(),
        };
        let taken = answer.starts_with("HTTP 2");
        let counts = [&app.metrics.callbacks_failed, &app.metrics.callbacks_taken];
        counts[usize::from(taken)].fetch_add(1, Ordering::Relaxed);
        let (state, next) = match (taken, PAUSES.get(tries)) {
            (true, _) => ("taken", 0),
            (false, Some(pause)) => ("pending", now() + pause * 1000),
            (false, None) => ("failed", 0),
        };
        app.database.write(|write| {
            write.execute(
                "UPDATE callbacks SET state = ?2, tries = tries + 1, next = ?3, answer = ?4
                 WHERE id = ?1",
                params![id, state, next, answer],
            )?;
            Ok(())
        })
    });
    futures_util::future::join_all(told).await.into_iter().collect()
}

async fn tell(
    app: &App,
    trust: &Arc<rustls::ClientConfig>,
    id: &str,
    recipe: &str,
) -> Result<u16, ServiceError> {
    let gone = || ServiceError::new(Code::NotFound, "the recipe is gone");
    let recipe =
        app.database.read(|connection| Recipe::find(connection, recipe))?.ok_or_else(gone)?;
    let url = recipe.callback.clone().ok_or_else(gone)?;
    let target = check_url(app, &url)?;
    // The address that is looked at is the one that is called.
    let address = match app.options.callback_allow.contains(&target.authority()) {
        true => None,
        false => Some(app.options.peer_policy().resolve(&target.authority()).await?),
    };
    let body = serde_json::to_vec(&answer(app, &recipe, true)?)
        .map_err(|error| ServiceError::internal("writing a callback", error))?;
    let timestamp = now() / 1000;
    let signature = signature(&secrets(app, &recipe.project)?, id, timestamp, &body);
    let request = Request::post(&target.path)
        .header("content-type", "application/json")
        .header("user-agent", concat!("lilith/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Body::from(body))
        .map_err(|error| ServiceError::internal("writing a callback", error))?;
    let failed = |error| ServiceError::new(Code::BadRequest, format!("{error}"));
    let response = send(&target, address, trust, request).await.map_err(failed)?;
    Ok(response.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_string()];
        let signed = signature(
            &secrets,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
