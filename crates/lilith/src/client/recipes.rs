//! `job`, `get`, `logs`: recipes from the client's side.

use super::error::ClientError;
use super::{Client, escaped};
use crate::arguments::Job;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::process::ExitCode;

/// The exit status that tells how a recipe is.
pub fn exit_code(commands: &Value) -> ExitCode {
    let states: Vec<&str> = statuses(commands);
    let any = |status: &str| states.contains(&status);
    ExitCode::from(match () {
        () if any("Pending") || any("Running") => 4,
        () if any("Errored") => 1,
        () if any("Cancelled") => 3,
        () => 0,
    })
}

fn statuses(commands: &Value) -> Vec<&str> {
    let list = commands.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|command| command["status"].as_str()).collect()
}

/// One word for the whole recipe.
pub fn status(commands: &Value) -> &'static str {
    let states = statuses(commands);
    let any = |status: &str| states.contains(&status);
    match () {
        () if any("Errored") => "errored",
        () if any("Cancelled") => "cancelled",
        () if any("Running") => "running",
        () if any("Pending") && any("Complete") => "running",
        () if any("Pending") => "pending",
        () => "complete",
    }
}

/// The project that is meant when none is named: the only one.
pub async fn only_project(client: &Client) -> Result<String, ClientError> {
    let projects = client.json(Method::GET, "/artifact", None).await?;
    match projects.as_array().map(Vec::as_slice) {
        Some([one]) => Ok(one["name"].as_str().unwrap_or_default().to_string()),
        _ => Err(ClientError::Usage("say which project: -a PROJECT".into())),
    }
}

/// Has commands run.
pub async fn job(client: &Client, job: Job, as_json: bool) -> Result<ExitCode, ClientError> {
    let project = match job.artifact {
        Some(project) => project,
        None => only_project(client).await?,
    };
    let mut commands: Vec<Value> = job.command.iter().map(|line| json!(line)).collect();
    if !job.words.is_empty() {
        commands.push(json!({ "command": job.words }));
    }
    if commands.is_empty() {
        return Err(ClientError::Usage("say what to run: --command \"prove …\"".into()));
    }
    if !job.output_path.is_empty()
        && let Some(last) = commands.last_mut()
    {
        let command = last["command"].take();
        let command = if command.is_null() { last.take() } else { command };
        *last = json!({ "command": command, "output_path": job.output_path });
    }
    let body = json!({
        "artifact": project, "deployment": job.deployment, "commands": commands,
        "callback_url": job.callback_url, "timeout": job.timeout,
    });
    let mut headers = HeaderMap::new();
    if let Some(key) = job.idempotency_key {
        let value = HeaderValue::from_str(&key)
            .map_err(|_| ClientError::Usage("--idempotency-key: one line of ASCII".into()))?;
        headers.insert("idempotency-key", value);
    }
    let answer = client.json_with(Method::POST, "/recipe", headers, Some(&body)).await?;
    let id = answer["id"].as_str().unwrap_or_default().to_string();
    if !as_json {
        println!("Recipe scheduled w/ id: {id}; lilith get -i {id} tells what became of it");
        if let Some(address) = answer["peer"]["address"].as_str() {
            let text = |name: &str| answer["peer"][name].as_str().unwrap_or_default().to_string();
            println!("peer address: {address}");
            println!("fingerprint: {}", text("fingerprint"));
            println!("connect by: {}", text("connect_by"));
            if !text("invitation").is_empty() {
                println!("invitation: {}", text("invitation"));
            }
        }
    } else if !job.wait {
        println!("{answer}");
    }
    if !job.wait {
        return Ok(ExitCode::SUCCESS);
    }
    get(client, &id, true, false, as_json).await
}

/// Tells what became of a recipe, now or at its end.
pub async fn get(
    client: &Client,
    id: &str,
    wait: bool,
    follow: bool,
    as_json: bool,
) -> Result<ExitCode, ClientError> {
    if follow {
        follow_events(client, id, as_json).await?;
    }
    let path = format!("/recipe/{}", escaped(id));
    let mut commands = client.json(Method::GET, &path, None).await?;
    while wait && exit_code(&commands) == ExitCode::from(4) {
        let brief = client.json(Method::GET, &format!("{path}?wait=30&brief=true"), None).await?;
        commands = match exit_code(&brief) == ExitCode::from(4) {
            true => brief,
            false => client.json(Method::GET, &path, None).await?,
        };
    }
    match as_json {
        true => println!("{commands}"),
        false => print(&commands, !follow),
    }
    Ok(exit_code(&commands))
}

fn print(commands: &Value, with_logs: bool) {
    println!("STATUS: {}", status(commands));
    for command in commands.as_array().into_iter().flatten() {
        let text = |name: &str| command[name].as_str().unwrap_or_default();
        let words = command["command"]["command"].as_array().into_iter().flatten();
        let line: Vec<&str> = words.filter_map(Value::as_str).collect();
        println!("{} {}: {}", command["index"], line.join(" "), text("state"));
        for (name, what) in [("started_at", "started"), ("ended_at", "ended"), ("note", "note")] {
            if !text(name).is_empty() {
                println!("  {what}: {}", text(name));
            }
        }
        if command["status"] == "Running" && !text("phase").is_empty() {
            println!("  phase: {}", text("phase"));
        }
        if let Some(message) = command["error"]["message"].as_str() {
            let code = command["error"]["code"].as_str().unwrap_or_default();
            println!("  error ({code}): {message}");
        }
        if with_logs {
            text("logs").lines().for_each(|line| println!("  {line}"));
        }
        for output in command["output"].as_array().into_iter().flatten() {
            if let Some(text) = output["utf8_string"].as_str() {
                println!("{text}");
            }
        }
    }
}

/// Prints events while they come; goes on where it was after a break.
async fn follow_events(client: &Client, id: &str, as_json: bool) -> Result<(), ClientError> {
    let path = format!("/recipe/{}/events?log=true", escaped(id));
    let (mut last, mut breaks) = (String::new(), 0);
    loop {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&last)
            && !last.is_empty()
        {
            headers.insert("last-event-id", value);
        }
        match read_events(client, &path, headers, &mut last, as_json).await {
            Ok(true) => return Ok(()),
            Err(error @ ClientError::Refused { .. }) => return Err(error),
            Err(error) if breaks >= 10 => return Err(error),
            Ok(false) | Err(_) => breaks += 1,
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Whether the end came.
async fn read_events(
    client: &Client,
    path: &str,
    headers: HeaderMap,
    last: &mut String,
    as_json: bool,
) -> Result<bool, ClientError> {
    let response = client.send(Method::GET, path, headers, Body::empty()).await?;
    let mut body = response.into_body();
    let mut rest = Vec::new();
    let mut ended = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Ok(ended) };
        rest.extend(frame.into_data().unwrap_or_default());
        while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = rest.drain(..end + 2).collect();
            ended |= print_event(&String::from_utf8_lossy(&event), last, as_json);
        }
    }
    Ok(ended)
}

fn print_event(text: &str, last: &mut String, as_json: bool) -> bool {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (Some(kind), Some(data)) = (field("event:"), field("data:")) else { return false };
    if let Some(id) = field("id:") {
        *last = id.to_string();
    }
    let mut data: Value = serde_json::from_str(data).unwrap_or_default();
    if as_json {
        data["event"] = kind.into();
        println!("{data}");
        return kind == "end";
    }
    let index = data["index"].as_u64().unwrap_or(0);
    let said = |name: &str| data[name].as_str().unwrap_or_default().to_string();
    match kind {
        "log" => println!("[{index}] {}", said("line")),
        "state" => println!("[{index}] {} {}", said("state"), said("note")),
        "note" => println!("[{index}] {}", said("note")),
        _ => {}
    }
    kind == "end"
}

/// Prints the logs of a recipe's commands.
pub async fn logs(client: &Client, id: &str, raw: bool) -> Result<(), ClientError> {
    let path = format!("/recipe/{}", escaped(id));
    let commands = client.json(Method::GET, &format!("{path}?brief=true"), None).await?;
    for index in 0..commands.as_array().map_or(0, Vec::len) {
        let mut offset = 0;
        loop {
            let part = format!("{path}/log?index={index}&offset={offset}&raw={raw}");
            let response = client.send(Method::GET, &part, HeaderMap::new(), Body::empty()).await?;
            let next = response.headers().get("x-next-offset");
            let next = next.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(offset);
            let text = crate::http::bytes(client.host(), response, super::ANSWER).await?;
            print!("{}", String::from_utf8_lossy(&text));
            if next == offset {
                break;
            }
            offset = next;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_statuses_tell_how_a_recipe_is() {
        let of = |statuses: &[&str]| {
            let commands: Value = statuses.iter().map(|it| json!({ "status": it })).collect();
            (status(&commands), exit_code(&commands))
        };
        assert_eq!(of(&["Complete", "Complete"]), ("complete", ExitCode::from(0)));
        assert_eq!(of(&["Complete", "Errored"]), ("errored", ExitCode::from(1)));
        assert_eq!(of(&["Complete", "Cancelled"]), ("cancelled", ExitCode::from(3)));
        assert_eq!(of(&["Complete", "Pending"]), ("running", ExitCode::from(4)));
        assert_eq!(of(&["Pending"]), ("pending", ExitCode::from(4)));
    }

    #[test]
    fn events_are_resumed_after_the_last() {
        let mut last = String::new();
        assert!(!print_event(
            "id: 7\nevent: state\ndata: {\"state\":\"queued\"}\n\n",
            &mut last,
            true
        ));
        assert_eq!(last, "7");
        assert!(!print_event(": alive\n\n", &mut last, true));
        assert!(print_event("id: 9\nevent: end\ndata: {}\n\n", &mut last, true));
        assert_eq!(last, "9");
    }
}
