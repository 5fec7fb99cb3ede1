//! Servers that are killed, jobs that are killed, jobs that are cancelled: nothing is lost, nothing
//! runs twice at once, no port stays taken.

mod site;

use axum::http::Method;
use lilith::executor::{Executor, Local};
use serde_json::{Value, json};
use site::{Customer, Server};
use std::time::{Duration, Instant};

fn post(server: &Server, body: &Value) -> String {
    let (status, answer) = server.json(Method::POST, "/recipe", Some(body));
    assert_eq!(status, 201, "{answer}");
    answer["id"].as_str().unwrap().to_string()
}

/// Waits until the first command of a recipe is in a state.
fn until(server: &Server, id: &str, state: &str) {
    let since = Instant::now();
    loop {
        let (_, commands) = server.json(Method::GET, &format!("/recipe/{id}"), None);
        if commands[0]["state"] == state {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "not {state}: {commands}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A job that waits for its peer: `--connect-timeout` is long.
fn waiting(server: &Server) -> String {
    let line = "prove --id model --local-addr auto --connect-timeout 60";
    post(server, &json!({ "artifact": "credit", "commands": [line] }))
}

#[test]
fn a_job_outlives_its_server() {
    let mut server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let invitation = server.succeed(&["invite", "-a", "credit"]);
    let id = waiting(&server);
    until(&server, &id, "running");
    let executor = Local::new(&server.directory).unwrap();
    let before = executor.list_ours().unwrap();
    assert_eq!(before.len(), 1);
    server.kill_and_restart();
    assert_eq!(executor.list_ours().unwrap(), before, "the same process");
    let files = ["--pk-path", "pk.key", "--srs-path", "kzg.srs"];
    let prove = ["prove", "--id", "data", "--invite", invitation.trim()];
    customer.succeed(&[&prove[..], &files].concat());
    let ended = server.end(&id);
    assert_eq!((&ended[0]["status"], &ended[0]["attempt"]), (&json!("Complete"), &json!(1)));
}

#[test]
fn a_job_that_is_killed_is_tried_again_once() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let id = waiting(&server);
    let executor = Local::new(&server.directory).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        until(&server, &id, "running");
        let ours = executor.list_ours().unwrap();
        assert!(ours.len() <= 1, "never two at once: {ours:?}");
        if let Some((engine, attempt)) = ours.into_iter().next()
            && !seen.contains(&attempt)
        {
            executor.cancel(&engine, true).unwrap();
            seen.push(attempt);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let ended = server.end(&id);
    assert_eq!((&ended[0]["attempt"], &ended[0]["error"]["code"]), (&json!(2), &json!("lost")));
    assert!(executor.list_ours().unwrap().is_empty());
    let counts = String::from_utf8(server.request(Method::GET, "/metrics", &[], "").2).unwrap();
    assert!(counts.contains("lilith_attempts_lost_total 2"), "{counts}");
    assert!(counts.contains("lilith_ports_used 0"), "{counts}");
}

#[test]
fn what_is_cancelled_or_takes_too_long_ends() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let id = waiting(&server);
    // Behind it: the port is held, and so is the peer.
    let second = waiting_at(&server);
    until(&server, &id, "running");
    until(&server, &second, "queued");
    server.succeed(&["cancel", "-i", &second]);
    assert_eq!(server.end(&second)[0]["status"], "Cancelled");
    server.succeed(&["cancel", "-i", &id]);
    assert_eq!(server.end(&id)[0]["status"], "Cancelled");
    let output = server.client().args(["get", "-i", &id]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(server.fail(&["cancel", "-i", &id]).0, 6);
    let line = "prove --id model --local-addr auto --connect-timeout 60";
    let body = json!({ "artifact": "credit", "commands": [line, "verify"], "timeout": 1 });
    let ended = server.end(&post(&server, &body));
    assert_eq!(ended[0]["error"]["code"], "timeout", "{ended}");
    assert_eq!(ended[1]["error"]["code"], "previous_failed");
    let executor = Local::new(&server.directory).unwrap();
    assert!(executor.list_ours().unwrap().is_empty());
}

fn waiting_at(server: &Server) -> String {
    let line = format!("prove --id model --local-addr {}", server.port);
    post(server, &json!({ "artifact": "credit", "commands": [line] }))
}

#[test]
fn servers_killed_at_random_lose_nothing() {
    let mut server = Server::start(&[]);
    server.with_model("credit");
    let mut ids = Vec::new();
    for round in 0..4 {
        for number in 0..6 {
            let output = format!("s{round}-{number}.key");
            let line = format!("setup --vk-path {output} --pk-path p-{output}");
            ids.push(post(&server, &json!({ "artifact": "credit", "commands": [line, "mock"] })));
        }
        std::thread::sleep(Duration::from_millis(40 + 130 * round));
        server.kill_and_restart();
    }
    for id in &ids {
        let ended = server.end(id);
        assert_eq!(ended[0]["status"], "Complete", "{ended}");
        // There is no witness: the second command fails, once.
        assert_eq!(ended[1]["error"]["code"], "exit", "{ended}");
    }
    let files = server.succeed(&["list-artifacts", "-a", "credit"]);
    let keys = files.lines().filter(|line| line.starts_with("p-s"));
    assert_eq!(keys.count(), 24, "{files}");
    assert!(Local::new(&server.directory).unwrap().list_ours().unwrap().is_empty());
}
