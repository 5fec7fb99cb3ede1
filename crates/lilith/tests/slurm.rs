//! Jobs on a real Slurm: `cargo xtask slurm` sets one up with two nodes of one core each, says
//! where it is in `SLURM_CONF` and `TWAIN_SLURM`, and runs this. Each step tells what became of its
//! job, and whether that is right. The nodes see the server's folder as it is; that a fence holds
//! where they see it later, as over a network, is tried by itself.

mod site;

use axum::http::Method;
use lilith::executor::{Attempt, FENCE, FENCED, RESULT, SPEC};
use serde_json::{Value, json};
use site::{Customer, Server, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: [&str; 4] = ["--pk-path", "pk.key", "--srs-path", "kzg.srs"];
const PROVE: &str = "prove --id model --local-addr auto --connect-timeout 100";

/// What a program of Slurm's says.
fn ask(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("Slurm is there");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_string()
}

/// Job number, state and node of the attempts of a recipe, in their order.
fn attempts(server: &Server, id: &str) -> Vec<(String, String, String)> {
    let folder = server.directory.join("recipes").join(id);
    let said = ask("squeue", &["-h", "--states=all", "--sort=i", "-o", "%A|%T|%B|%Z"]);
    let of = |line: &str| {
        let parts: Vec<_> = line.splitn(4, '|').map(str::to_string).collect();
        let [number, state, node, place] = <[String; 4]>::try_from(parts).ok()?;
        PathBuf::from(place).starts_with(&folder).then_some((number, state, node))
    };
    said.lines().filter_map(of).collect()
}

fn post(server: &Server, body: &Value) -> Value {
    let (status, answer) = server.json(Method::POST, "/recipe", Some(body));
    assert_eq!(status, 201, "{answer}");
    answer
}

fn first(server: &Server, id: &str) -> Value {
    server.json(Method::GET, &format!("/recipe/{id}"), None).1[0].clone()
}

/// A job that waits for its peer, on a node; its identifier and invitation.
fn waits(server: &Server, project: &str, peer: &str) -> (String, String) {
    let line = format!("{PROVE} --peer {peer}");
    let made = post(server, &json!({ "artifact": project, "commands": [line] }));
    let text = |value: &Value| value.as_str().expect("text").to_string();
    (text(&made["id"]), text(&made["peer"]["invitation"]))
}

fn on_a_node(server: &Server, id: &str) -> String {
    until("the program runs on a node", || server.processes(id).len() == 1);
    attempts(server, id).pop().expect("a job").2
}

/// Tells the end of a step.
fn tell(server: &Server, what: &str, id: &str, began: Instant) {
    let took = began.elapsed().as_secs_f64();
    let ended = first(server, id);
    let code = ended["error"]["code"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
    let jobs =
        attempts(server, id).into_iter().map(|(_, state, node)| format!("{state} on {node}"));
    let jobs: Vec<_> = jobs.collect();
    let state = ended["state"].as_str().unwrap_or_default();
    println!("{what:<44} {took:>5.1} s  {:<44} {state}{code}", jobs.join(", "));
}

#[test]
#[ignore = "needs a Slurm: cargo xtask slurm"]
fn every_job_ends_as_it_should() {
    let cluster =
        PathBuf::from(std::env::var_os("TWAIN_SLURM").expect("cargo xtask slurm says it"));
    let host = std::env::var("TWAIN_SLURM_HOST").expect("cargo xtask slurm says it");
    let mut server = Server::start(&[
        "--peer-ports",
        "27100-27139",
        "--executor",
        "slurm",
        "--peer-host",
        &host,
        "--peer-bind",
        "0.0.0.0",
        "--allow-both-sides",
    ]);
    println!("{:<44} {:>7}  {:<44} Lilith", "", "", "Slurm");
    let customer = Customer::new();
    let strangers: Vec<String> = (1..4).map(|n| format!("sha256:{n:064x}")).collect();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    for (number, stranger) in strangers.iter().enumerate() {
        let name = format!("stranger-{number}");
        server.succeed(&["peer", "add", "-a", "credit", &name, stranger]);
    }
    let prove = |invitation: &str| {
        let words = ["prove", "--id", "data", "--invite", invitation];
        customer.twain(&[&words[..], &FILES].concat())
    };
    let the_same_proof = || {
        let hosted = ["download-artifact", "-a", "credit", "-f", "proof.json", "-o", "hosted.json"];
        server.succeed(&hosted);
        let hosted = fs::read(server.place().join("hosted.json")).unwrap();
        assert_eq!(hosted, fs::read(customer.file("proof.json")).unwrap());
        let said = customer.succeed(&["verify", "--srs-path", "kzg.srs"]);
        assert!(said.trim().ends_with("verified: true"), "{said}");
    };

    // One side hosted.
    let began = Instant::now();
    let (id, invitation) = waits(&server, "credit", &customer.fingerprint);
    let output = prove(&invitation).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.end(&id)[0]["status"], "Complete");
    assert_eq!(attempts(&server, &id).len(), 1);
    the_same_proof();
    tell(&server, "a proof with one side hosted", &id, began);

    // Both sides hosted, each on a node of its own.
    let began = Instant::now();
    for file in ["model.compiled", "input.json", "settings.json", "pk.key", "vk.key"] {
        let path = customer.file(file).to_string_lossy().into_owned();
        let make: &[&str] = match file {
            "model.compiled" => &["create-artifact", "-a", "applicant", "--side", "data"],
            _ => &["update-artifact", "-a", "applicant", "--replace"],
        };
        server.succeed(&[make, &["--file", &path]].concat());
    }
    let key = |project: &str| {
        let (_, shown) = server.json(Method::GET, &format!("/artifact/{project}"), None);
        shown["fingerprint"].as_str().unwrap().to_string()
    };
    let (model, data) = (key("credit"), key("applicant"));
    server.succeed(&["peer", "add", "-a", "credit", "hosted", &data]);
    server.succeed(&["peer", "add", "-a", "applicant", "hosted", &model]);
    let (id, _) = waits(&server, "credit", &data);
    let address =
        first(&server, &id)["port"].as_u64().map(|port| format!("{host}:{port}")).unwrap();
    let line = format!("prove --id data --remote-peer {address} --connect-timeout 60");
    let made = post(&server, &json!({ "artifact": "applicant", "commands": [line] }));
    let other = made["id"].as_str().unwrap().to_string();
    for id in [&id, &other] {
        let ended = server.end(id);
        assert_eq!(ended[0]["status"], "Complete", "{ended}");
    }
    let nodes = [&id, &other].map(|id| attempts(&server, id)[0].2.clone());
    assert_ne!(nodes[0], nodes[1]);
    let proofs = ["credit", "applicant"].map(|project| {
        let path = format!("/artifact/{project}/file/proof.json");
        server.request(Method::GET, &path, &[], "").2
    });
    assert_eq!(proofs[0], proofs[1]);
    tell(&server, "a proof with both sides hosted: model", &id, began);
    tell(&server, "                                data", &other, began);

    // A command that fails.
    let began = Instant::now();
    let made = post(&server, &json!({ "artifact": "credit", "commands": ["mock -W none.json"] }));
    let id = made["id"].as_str().unwrap();
    let ended = server.end(id);
    assert_eq!(ended[0]["error"]["code"], "exit", "{ended}");
    tell(&server, "a command that fails", id, began);

    // One is cancelled while it runs, one while Slurm has it in its queue.
    let began = Instant::now();
    let running: Vec<_> =
        strangers[..2].iter().map(|peer| waits(&server, "credit", peer).0).collect();
    running.iter().for_each(|id| drop(on_a_node(&server, id)));
    let (queued, _) = waits(&server, "credit", &strangers[2]);
    until("it waits for the cluster", || {
        first(&server, &queued)["note"] == "waits for the cluster to begin it"
    });
    server.succeed(&["cancel", "-i", &queued]);
    assert_eq!(server.end(&queued)[0]["status"], "Cancelled");
    tell(&server, "cancelled in Slurm's queue", &queued, began);
    for id in &running {
        let began = Instant::now();
        server.succeed(&["cancel", "-i", id]);
        assert_eq!(server.end(id)[0]["status"], "Cancelled");
        assert_eq!(server.processes(id).len(), 0);
        tell(&server, "cancelled while it ran", id, began);
    }

    // One takes too long.
    let began = Instant::now();
    let line = format!("{PROVE} --peer {}", strangers[0]);
    let made = post(&server, &json!({ "artifact": "credit", "commands": [line], "timeout": 3 }));
    let id = made["id"].as_str().unwrap();
    assert_eq!(server.end(id)[0]["error"]["code"], "timeout");
    tell(&server, "ran longer than it may", id, began);

    // A wrapper is killed, and its program with it: tried again.
    let began = Instant::now();
    let (id, invitation) = waits(&server, "credit", &customer.fingerprint);
    on_a_node(&server, &id);
    let program = &server.processes(&id)[0];
    let status = fs::read_to_string(format!("/proc/{program}/status")).unwrap();
    let wrapper = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim();
    assert!(Command::new("kill").args(["-9", wrapper]).status().unwrap().success());
    until("another attempt", || {
        let now = first(&server, &id);
        assert!(now["error"].is_null(), "{now}");
        attempts(&server, &id).len() == 2
    });
    assert!(prove(&invitation).stderr(Stdio::null()).status().unwrap().success());
    assert_eq!(server.end(&id)[0]["status"], "Complete");
    tell(&server, "its processes were killed", &id, began);

    // The server is killed: the next one goes on with the same job.
    let began = Instant::now();
    let (id, invitation) = waits(&server, "credit", &customer.fingerprint);
    let node = on_a_node(&server, &id);
    server.kill_and_restart();
    assert!(prove(&invitation).stderr(Stdio::null()).status().unwrap().success());
    let ended = server.end(&id);
    assert_eq!((&ended[0]["status"], &ended[0]["attempt"]), (&json!("Complete"), &json!(1)));
    assert_eq!(attempts(&server, &id)[0].2, node);
    tell(&server, "the server was killed", &id, began);

    // The daemon of a node is killed. What ran there goes on running: it is fenced, and only then
    // is there another attempt, on the other node.
    let began = Instant::now();
    let (id, invitation) = waits(&server, "credit", &customer.fingerprint);
    let node = on_a_node(&server, &id);
    let daemon = fs::read_to_string(cluster.join(format!("slurmd.{node}.pid"))).unwrap();
    assert!(Command::new("kill").args(["-9", daemon.trim()]).status().unwrap().success());
    let mut most = 0;
    until("another attempt", || {
        most = most.max(server.processes(&id).len());
        attempts(&server, &id).len() == 2
    });
    assert!(prove(&invitation).stderr(Stdio::null()).status().unwrap().success());
    let ended = server.end(&id);
    assert_eq!((&ended[0]["status"], &ended[0]["attempt"]), (&json!("Complete"), &json!(2)));
    let jobs = attempts(&server, &id);
    assert!(jobs[0].2 == node && jobs[1].2 != node, "{jobs:?}");
    assert_eq!(most, 1, "two programs of one command at a time");
    let folder = server.directory.join("recipes").join(&id);
    assert!(folder.join("0-1/fenced").exists() && !folder.join("0-1/result.json").exists());
    tell(&server, "the daemon of its node was killed", &id, began);
}

/// For how long the node's view of the folder hides what is new in it.
const HIDDEN: Duration = Duration::from_secs(20);

/// A view of a folder whose answers the system keeps for a time, as those of a file system of a
/// network: also that a file is not there.
struct View(PathBuf);

impl View {
    fn of(folder: &Path, at: PathBuf) -> Self {
        fs::create_dir(&at).unwrap();
        let seconds = HIDDEN.as_secs();
        let kept = ["attr_timeout", "entry_timeout", "negative_timeout"];
        let kept = kept.map(|name| format!("{name}={seconds}")).join(",");
        let status = Command::new("bindfs").args(["-o", &kept]).arg(folder).arg(&at).status();
        assert!(status.expect("bindfs is there").success());
        Self(at)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let _ = Command::new("fusermount").args(["-u", "-z"]).arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs bindfs: cargo xtask slurm"]
fn a_fence_holds_where_new_files_are_seen_late() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("server");
    fs::create_dir_all(folder.join("attempt")).unwrap();
    let view = View::of(&folder, place.path().join("node"));
    let seen = view.0.join("attempt");
    let attempt = Attempt {
        id: "one".into(),
        folder: seen.clone(),
        program: "/bin/sleep".into(),
        arguments: vec!["600".into()],
        directory: place.path().into(),
        environment: Vec::new(),
        account: None,
        memory_bytes: None,
        log_bytes: 1000,
        run_seconds: 600,
        // Looks that are answered from memory are looks.
        lease_seconds: Some(5),
    };
    let at = |name: &str| folder.join("attempt").join(name);
    fs::write(at(SPEC), serde_json::to_vec(&attempt).unwrap()).unwrap();
    let mut wrapper = Command::new(site::LILITH).args(["exec", "one"]).arg(&seen).spawn().unwrap();
    // It has looked, and is remembered to have found nothing.
    std::thread::sleep(Duration::from_secs(2));
    fs::write(at(FENCE), "").unwrap();
    assert!(!seen.join(FENCE).exists(), "the view hides nothing");
    let began = Instant::now();
    wrapper.wait().unwrap();
    let took = began.elapsed();
    println!("a fence that was hidden for {HIDDEN:?} held after {:.1} s", took.as_secs_f64());
    assert!(took > Duration::from_secs(5) && took < HIDDEN + Duration::from_secs(3), "{took:?}");
    assert!(at(FENCED).exists() && !at(RESULT).exists());
}
