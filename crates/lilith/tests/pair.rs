//! Peer jobs: a hosted side and a customer elsewhere, with another identity.

mod site;

use axum::http::Method;
use serde_json::json;
use site::{Customer, Server, free_port, recipe_id};
use std::fs;
use std::process::{Command, Output};

const FILES: [&str; 4] = ["--pk-path", "pk.key", "--srs-path", "kzg.srs"];

fn succeeded(output: Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn fingerprint(server: &Server, project: &str) -> String {
    let (_, shown) = server.json(Method::GET, &format!("/artifact/{project}"), None);
    shown["fingerprint"].as_str().unwrap().to_string()
}

/// The same proof on both sides, which verifies.
fn check(server: &Server, customer: &Customer) {
    server.succeed(&["download-artifact", "-a", "credit", "-f", "proof.json", "-o", "hosted.json"]);
    let hosted = fs::read(server.place().join("hosted.json")).unwrap();
    assert_eq!(hosted, fs::read(customer.file("proof.json")).unwrap());
    let said = customer.succeed(&["verify", "--srs-path", "kzg.srs"]);
    assert!(said.trim().ends_with("verified: true"), "{said}");
}

#[test]
fn the_line_that_users_know() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    let theirs = free_port();
    let line =
        format!("prove --remote-peer 127.0.0.1:{theirs} --local-addr {} --id model", server.port);
    let job = ["job", "-a", "credit", "--command", &line];
    let (code, text) = server.fail(&job);
    assert!(code == 6 && text.contains("has no peers"), "{text}");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let said = server.succeed(&job);
    let id = recipe_id(&said);
    assert!(said.contains(&format!("peer address: 127.0.0.1:{}", server.port)), "{said}");
    let own = format!("127.0.0.1:{theirs}");
    let hosted = format!("127.0.0.1:{}", server.port);
    let prove = ["prove", "--id", "data", "--local-addr", &own, "--remote-peer", &hosted];
    let peer = fingerprint(&server, "credit");
    let mut command = customer.twain(&prove);
    succeeded(command.args(FILES).args(["--peer", &peer]).output().unwrap());
    let got = server.succeed(&["get", "-i", &id, "-p"]);
    assert!(got.contains("STATUS: complete") && got.contains("proof took "), "{got}");
    check(&server, &customer);
    let (_, commands) = server.json(Method::GET, &format!("/recipe/{id}"), None);
    assert_eq!(commands[0]["peer"], customer.fingerprint.as_str());
    // The port is free for the next.
    let said = server.succeed(&job);
    server.succeed(&["cancel", "-i", &recipe_id(&said)]);
    let ended = server.end(&recipe_id(&said));
    assert_eq!(ended[0]["status"], "Cancelled");
}

#[test]
fn a_customer_behind_a_router_proves_with_an_invitation() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let invitation = server.succeed(&["invite", "-a", "credit", "--peer", "applicant"]);
    let invitation = invitation.trim();
    let start = format!("twain-peer:1:127.0.0.1:{}:sha256:", server.port);
    assert!(invitation.starts_with(&start), "{invitation}");
    // Bundles first; then the customer dials before the hosted side is there.
    let mut jobs = Vec::new();
    for (command, flags) in [("preprocess", "--proofs 1"), ("prove", "")] {
        let words = [command, "--id", "data", "--invite", invitation];
        let mut theirs: Command = customer.twain(&words);
        theirs.args(FILES).args(flags.split_whitespace());
        let theirs = theirs.spawn().unwrap();
        let line = format!("{command} {flags} --id model --local-addr auto");
        let job =
            server.client().args(["job", "-a", "credit", "--wait", "--command", &line]).output();
        let said = succeeded(job.unwrap());
        assert!(said.contains(&format!("invitation: {}", &start)), "{said}");
        let output = theirs.wait_with_output().unwrap();
        if command == "prove" {
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(text.contains("Uses bundle"), "{text}");
        }
        succeeded(output);
        jobs.push(recipe_id(&said));
    }
    check(&server, &customer);
    let followed = server.succeed(&["get", "-i", &jobs[1], "--follow"]);
    assert!(followed.contains("[0] running") && followed.contains("witness took"), "{followed}");
    assert!(followed.contains("STATUS: complete"), "{followed}");
}

#[test]
fn bundles_are_kept_ready_while_the_peer_listens() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    let own = format!("127.0.0.1:{}", free_port());
    let add = ["peer", "add", "-a", "credit", "applicant", &customer.fingerprint];
    let (code, text) = server.fail(&[&add[..], &["--keep-bundles", "2"]].concat());
    assert!(code == 2 && text.contains("--address"), "{text}");
    server.succeed(&[&add[..], &["--keep-bundles", "2", "--address", &own]].concat());
    let peer = fingerprint(&server, "credit");
    let listen = |command: &str, patience: &str| {
        let words = [command, "--id", "data", "--local-addr", &own, "--peer", &peer];
        customer.run(&[&words[..], &FILES, &["--connect-timeout", patience]].concat())
    };
    let made = || {
        let (_, recipes) = server.json(Method::GET, "/recipe?artifact=credit&limit=50", None);
        let text = recipes.to_string();
        text.matches("\"preprocess\"").count()
    };
    // Two, and not a third.
    succeeded(listen("preprocess", "30"));
    succeeded(listen("preprocess", "30"));
    assert_eq!(listen("preprocess", "3").status.code(), Some(6));
    let ready = ["bundles", "count", "--id", "data", "--peer", &peer];
    assert_eq!(customer.succeed(&[&ready[..], &FILES].concat()).trim(), "2");
    // Nobody was there at first and at last: that is no recipe.
    assert_eq!(made(), 2);
    // One is used, and made anew.
    let invitation = server.succeed(&["invite", "-a", "credit"]);
    let line = "prove --id model --local-addr auto --connect-timeout 30";
    let said = server.succeed(&["job", "-a", "credit", "--command", line]);
    let output = customer
        .run(&[&["prove", "--id", "data", "--invite", invitation.trim()][..], &FILES].concat());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Uses bundle"));
    succeeded(output);
    server.end(&recipe_id(&said));
    succeeded(listen("preprocess", "30"));
    assert_eq!(listen("preprocess", "3").status.code(), Some(6));
    assert_eq!(made(), 3);
}

#[test]
fn two_servers_keep_bundles_with_each_other() {
    // The company's server dials; the customer's waits.
    let (company, theirs, customer) = (Server::start(&[]), Server::start(&[]), Customer::new());
    company.with_model("credit");
    for file in ["model.compiled", "input.json", "settings.json", "pk.key", "vk.key"] {
        let path = customer.file(file).to_string_lossy().into_owned();
        let make: &[&str] = match file {
            "model.compiled" => &["create-artifact", "-a", "applicant", "--side", "data"],
            _ => &["update-artifact", "-a", "applicant", "--replace"],
        };
        theirs.succeed(&[make, &["--file", &path]].concat());
    }
    let (model, data) = (fingerprint(&company, "credit"), fingerprint(&theirs, "applicant"));
    let address = format!("127.0.0.1:{}", theirs.port);
    let port = theirs.port.to_string();
    let wait = ["--wait-port", &port];
    let add = ["peer", "add", "-a", "applicant", "company", &model];
    let (code, text) = theirs.fail(&[&add[..], &wait].concat());
    assert!(code == 2 && text.contains("--keep-bundles"), "{text}");
    theirs.succeed(&[&add[..], &["--keep-bundles", "2"], &wait].concat());
    // Another peer cannot be waited for there.
    let other = ["peer", "add", "-a", "applicant", "other", &customer.fingerprint];
    let (code, text) = theirs.fail(&[&other[..], &["--keep-bundles", "2"], &wait].concat());
    assert!(code == 6 && text.contains("another peer is waited for"), "{text}");
    let add = ["peer", "add", "-a", "credit", "applicant", &data];
    company.succeed(&[&add[..], &["--keep-bundles", "2", "--address", &address]].concat());
    let made = |server: &Server, project: &str| {
        let path = format!("/recipe?artifact={project}&status=complete&limit=50");
        let (_, recipes) = server.json(Method::GET, &path, None);
        recipes.to_string().matches("\"preprocess\"").count()
    };
    site::until("two bundles on both sides", || {
        made(&company, "credit") == 2 && made(&theirs, "applicant") == 2
    });
    // There are enough: nobody waits any more.
    site::until("the port is closed", || std::net::TcpStream::connect(&address).is_err());
    // A proof takes one, and another is made.
    let line = format!("prove --id data --local-addr {} --connect-timeout 60", theirs.port);
    let waits = theirs.succeed(&["job", "-a", "applicant", "--command", &line]);
    let line = format!("prove --id model --remote-peer {address} --connect-timeout 60");
    let dials = company.succeed(&["job", "-a", "credit", "--command", &line]);
    let ended = company.end(&recipe_id(&dials));
    assert_eq!(ended[0]["status"], "Complete", "{ended}");
    assert!(ended.to_string().contains("Uses bundle"), "{ended}");
    assert_eq!(theirs.end(&recipe_id(&waits))[0]["status"], "Complete");
    site::until("a third bundle on both sides", || {
        made(&company, "credit") == 3 && made(&theirs, "applicant") == 3
    });
}

#[test]
fn what_the_hosted_side_holds_stays_apart() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    server.succeed(&["invite", "-a", "credit"]);
    // Another project with the other side of the same circuit.
    let redacted = customer.file("model.compiled").to_string_lossy().into_owned();
    server.succeed(&["create-artifact", "-a", "data", "--side", "data", "--file", &redacted]);
    let (_, text) = server.fail(&["invite", "-a", "data"]);
    assert!(text.contains("the other side's secret of the same circuit"), "{text}");
    server.succeed(&["peer", "add", "-a", "data", "x", &fingerprint(&server, "credit")]);
    let run = |line: &str| {
        let arguments = ["job", "-a", "data", "--wait", "--command", line];
        String::from_utf8(server.client().args(arguments).output().unwrap().stdout).unwrap()
    };
    let said = run("prove --id data --local-addr auto");
    assert!(said.contains("error (wrong_side)"), "{said}");
    for (line, code) in [
        ("prove --id data --local-addr 7", "port_taken"),
        ("prove --id data --remote-peer 169.254.169.254:80", "forbidden"),
        ("prove --id data --remote-peer nobody.invalid:80", "forbidden"),
    ] {
        let body = json!({ "artifact": "data", "commands": [line] });
        let (status, answer) = server.json(Method::POST, "/recipe", Some(&body));
        assert_eq!(answer["code"], code, "{status} {answer}");
    }
    let stranger = format!("prove --id data --local-addr auto --peer sha256:{}", "0".repeat(64));
    let body = json!({ "artifact": "data", "commands": [stranger] });
    let (status, answer) = server.json(Method::POST, "/recipe", Some(&body));
    assert_eq!((status, &answer["code"]), (422, &json!("unknown_peer")));
}

#[test]
fn a_peer_that_does_not_come_and_one_that_goes_are_told_apart() {
    let server = Server::start(&["--connect-seconds", "1"]);
    let customer = Customer::new();
    server.with_model("credit");
    let add = ["peer", "add", "-a", "credit", "applicant", &customer.fingerprint];
    server.succeed(&[&add[..], &["--proofs-a-day", "1"]].concat());
    let line = "prove --id model --local-addr auto";
    let two = json!({ "artifact": "credit", "commands": [line, line] });
    assert_eq!(server.json(Method::POST, "/recipe", Some(&two)).0, 429, "one a day");
    let run = |line: &str| {
        let body = json!({ "artifact": "credit", "commands": [line] });
        let (status, answer) = server.json(Method::POST, "/recipe", Some(&body));
        assert_eq!(status, 201, "{answer}");
        answer
    };
    let made = run("prove --id model --local-addr auto");
    let ended = server.end(made["id"].as_str().unwrap());
    assert_eq!(ended[0]["error"]["code"], "no_peer", "{ended}");

    let made = run("prove --id model --local-addr auto --connect-timeout 30");
    let invitation = made["peer"]["invitation"].as_str().unwrap();
    let mut theirs = customer.twain(&["--log-format", "json", "prove", "--id", "data"]);
    let mut theirs = theirs.args(["--invite", invitation]).args(FILES).spawn().unwrap();
    use std::io::{BufRead, BufReader};
    let mut lines = BufReader::new(theirs.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().is_ok_and(|it| it.contains("\"connected\""))).unwrap().unwrap();
    theirs.kill().unwrap();
    theirs.wait().unwrap();
    let ended = server.end(made["id"].as_str().unwrap());
    assert_eq!(ended[0]["error"]["code"], "peer", "{ended}");
    // What it may have learnt counts: one a day.
    let body = json!({ "artifact": "credit", "commands": ["prove --id model --local-addr auto"] });
    let (status, answer) = server.json(Method::POST, "/recipe", Some(&body));
    assert_eq!((status, &answer["code"]), (429, &json!("quota")));
}
