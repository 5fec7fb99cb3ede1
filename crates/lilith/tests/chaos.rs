//! Slow: `cargo xtask lilith-chaos`. Two hundred recipes of four projects while the server is
//! killed ten times, jobs are killed, and the disk is full once, after which no secret is where it
//! does not belong; and a pair whose either side is killed after every phase.

mod site;

use axum::http::Method;
use lilith::executor::{Executor, Local};
use serde_json::{Value, json};
use site::{Customer, Server, until};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RECIPES: usize = 200;
const KILLS: usize = 10;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's constants for a linear congruence; the high bits are good enough for a test.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// Kinds of recipes: their commands, and how their last command may end.
const KINDS: [(&str, &[&str], &[&str]); 4] = [
    ("chain", &["gen-witness -D '{input}' -O w{}.json", "mock -W w{}.json"], &["complete"]),
    ("setup", &["setup --vk-path v{} --pk-path k{}"], &["complete"]),
    ("fails", &["mock -W none{}"], &["exit"]),
    ("no peer", &["prove --id model --local-addr auto --connect-timeout 1"], &["no_peer"]),
];

/// The first command of each attempt that runs, by recipe.
fn running(executor: &Local, server: &Server) -> Vec<(String, String)> {
    let folders = executor.list_ours().unwrap_or_default().into_iter();
    let folder = |engine: &str| -> Option<String> {
        let (number, _) = engine.split_once(':')?;
        let line = fs::read(Path::new("/proc").join(number).join("cmdline")).ok()?;
        let folder = line.split(|byte| *byte == 0).nth(3)?;
        let below = Path::new(std::str::from_utf8(folder).ok()?);
        let below = below.strip_prefix(server.directory.join("recipes")).ok()?;
        // RECIPE/NUMBER-ATTEMPT.
        Some(below.to_str()?.rsplit_once('-')?.0.to_string())
    };
    folders.filter_map(|(engine, _)| Some((folder(&engine)?, engine))).collect()
}

/// The first parameters of the circuit's network.
const WEIGHTS: [f32; 4] = [0.7215739, -0.90356404, 0.14782026, -0.20073687];

/// Bytes that only a secret has: of tokens, of values of the input, and of parameters, as text and
/// as a network's file has them.
fn secrets(tokens: &[&str]) -> Vec<Vec<u8>> {
    let circuit = site::repository(site::CIRCUIT);
    let raw: Vec<u8> = WEIGHTS.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let network = fs::read(circuit.join("network.onnx")).unwrap();
    assert!(network.windows(raw.len()).any(|window| window == raw), "other parameters");
    let input = fs::read_to_string(circuit.join("input.json")).unwrap();
    let input: Value = serde_json::from_str(&input).unwrap();
    let values = input["input_data"][0].as_array().unwrap();
    let values = values.iter().map(|value| value.as_f64().unwrap());
    let numbers = values.chain(WEIGHTS.into_iter().map(f64::from));
    // So many digits that nothing else has them.
    let numbers = numbers.map(|number| format!("{:.9}", number.abs()).as_bytes()[..8].to_vec());
    let tokens = tokens.iter().map(|token| token.rsplit('_').next().unwrap().as_bytes().to_vec());
    numbers.chain(tokens).chain([raw]).collect()
}

/// Which of the secrets is in some bytes.
fn secret_in<'a>(secrets: &'a [Vec<u8>], bytes: &[u8]) -> Option<&'a [u8]> {
    let holds = |secret: &&Vec<u8>| bytes.windows(secret.len()).any(|window| window == **secret);
    secrets.iter().find(holds).map(Vec::as_slice)
}

/// Looks for secrets in the names of all files below a folder, and in all of them but those of
/// projects, which are what users put there and what their commands made.
fn look_for(secrets: &[Vec<u8>], folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap().as_encoded_bytes();
        assert_eq!(secret_in(secrets, name), None, "a secret in the name {}", path.display());
        let is_users = path.parent().is_some_and(|folder| folder.ends_with("files"));
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => look_for(secrets, &path),
            kind if kind.is_file() && !is_users => {
                let found = fs::read(&path).unwrap();
                assert_eq!(secret_in(secrets, &found), None, "a secret in {}", path.display());
            }
            _ => {}
        }
    }
}

/// Arguments of all processes of the machine, but of this one.
fn arguments() -> HashSet<Vec<u8>> {
    let own = std::process::id().to_string();
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| entry.file_name().to_str() != Some(&own))
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .collect()
}

#[test]
#[ignore = "slow: cargo xtask lilith-chaos"]
fn nothing_is_lost_and_nothing_runs_twice() {
    let mut numbers = Numbers(5);
    let flags = ["--peer-ports", "17200-17209", "--requests-a-second", "10000"];
    let mut server = Server::start(&flags);
    let mut tokens = Vec::new();
    for number in 0..4 {
        let name = format!("p{number}");
        server.with_model(&name);
        let input = site::repository(site::CIRCUIT).join("input.json");
        server.succeed(&[
            "update-artifact",
            "-a",
            &name,
            "--replace",
            "-i",
            input.to_str().unwrap(),
        ]);
        let token = server.succeed(&["token", "create", "-a", &name, "--role", "run"]);
        tokens.push(token.trim().to_string());
        let stranger = format!("sha256:{number:064x}");
        server.succeed(&["peer", "add", "-a", &name, "stranger", &stranger]);
    }
    let executor = Local::new(&server.directory).unwrap();
    let input = fs::read_to_string(site::repository(site::CIRCUIT).join("input.json")).unwrap();
    let mut seen = HashSet::new();
    let (mut ids, mut kills, mut killed, mut full, mut refused) = (Vec::new(), 0, 0, 0, 0);
    let began = Instant::now();
    while ids.len() < RECIPES || kills < KILLS {
        if ids.len() < RECIPES {
            let project = ids.len() % 4;
            let (kind, commands, ends) = KINDS[numbers.below(KINDS.len())];
            let number = ids.len().to_string();
            let lines: Vec<_> = commands
                .iter()
                .map(|line| line.replace("{}", &number).replace("{input}", &input))
                .collect();
            let body = json!({ "artifact": format!("p{project}"), "commands": lines });
            let (status, answer) =
                server.json_as(&tokens[project], Method::POST, "/recipe", Some(&body));
            match status {
                201 => ids.push((answer["id"].as_str().unwrap().to_string(), kind, ends)),
                // Ports, and quota.
                409 | 429 => refused += 1,
                _ => panic!("{status} {answer}"),
            }
        }
        let now = running(&executor, &server);
        let commands: HashSet<_> = now.iter().map(|(command, _)| command).collect();
        assert_eq!(commands.len(), now.len(), "two attempts of a command at once: {now:?}");
        seen.extend(arguments());
        if numbers.below(100) < 6 && kills < KILLS {
            server.kill_and_restart();
            kills += 1;
        }
        if numbers.below(100) < 10 && !now.is_empty() {
            executor.cancel(&now[numbers.below(now.len())].1, true).unwrap();
            killed += 1;
        }
        if ids.len() == RECIPES / 2 && full == 0 {
            full = refusals_of_a_full_disk(&mut server, &tokens[0]);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (id, kind, ends) in &ids {
        let ended = server.end(id);
        let last = ended.as_array().unwrap().last().unwrap();
        let end = last["error"]["code"].as_str().or(last["state"].as_str()).unwrap().to_string();
        // An attempt that was killed twice is lost, and what comes after it has failed with it; one
        // whose program was killed, and not its wrapper, ended by a signal.
        let may = ends.contains(&&*end) || ["lost", "signal", "previous_failed"].contains(&&*end);
        assert!(may, "{kind}: {ended}");
        *counts.entry((kind, end)).or_default() += 1;
    }
    let metrics = String::from_utf8(server.request(Method::GET, "/metrics", &[], "").2).unwrap();
    assert!(metrics.contains("lilith_ports_used 0"), "a port is left: {metrics}");
    assert!(executor.list_ours().unwrap().is_empty(), "a process is left");
    for (kind, end) in counts.keys() {
        println!("{kind:<10} {end:<16} {:>4}", counts[&(*kind, end.clone())]);
    }
    println!(
        "{} recipes, the server killed {kills} times and jobs {killed} times; {refused} refused for want of \
         a port, {full} for a full disk; {:.0} s",
        ids.len(),
        began.elapsed().as_secs_f64()
    );

    // No token, and nothing of inputs and parameters, is anywhere but where it belongs: what was
    // said in a command line went to a file where the recipe ran, which is gone.
    let left = || {
        let recipes = fs::read_dir(server.directory.join("recipes")).unwrap().flatten();
        recipes.filter(|recipe| recipe.path().join("work").exists()).count()
    };
    until("nothing is left of where recipes ran", || left() == 0);
    let known: Vec<&str> = tokens.iter().chain([&server.token]).map(String::as_str).collect();
    let secrets = secrets(&known);
    look_for(&secrets, &server.directory);
    for line in &seen {
        let found = secret_in(&secrets, line);
        assert_eq!(found, None, "in the arguments {}", String::from_utf8_lossy(line));
    }
    println!(
        "{} secrets in no log, name or table, nor in {} processes' arguments",
        secrets.len(),
        seen.len()
    );
}

/// Has the server find its disk full: what it refuses, and that it goes on when there is room
/// again.
fn refusals_of_a_full_disk(server: &mut Server, token: &str) -> usize {
    // More than there is of it anywhere.
    server.restart_with(&["--disk-floor", "1152921504606846976"]);
    let body = json!({ "artifact": "p0", "commands": ["mock"] });
    let (status, answer) = server.json_as(token, Method::POST, "/recipe", Some(&body));
    assert_eq!((status, &answer["code"]), (429, &json!("quota")), "{answer}");
    assert_eq!(server.request(Method::GET, "/readyz", &[], "").0, 503);
    server.kill_and_restart();
    1
}

/// The disk is really full: the server's folder is on a small one. For root, who can have such a
/// disk.
#[test]
#[ignore = "slow: cargo xtask lilith-chaos"]
fn a_full_disk_loses_nothing() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root mounts a small disk");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mounted = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).arg(place.path()).status();
        assert!(status.unwrap().success(), "{program}");
    };
    mounted("mount", &["-t", "tmpfs", "-o", "size=48m", "tmpfs"]);
    let directory = place.path().join("server");
    let result = std::panic::catch_unwind(|| {
        let server = Server::start_in(&directory, &["--disk-floor", "0"]);
        server.with_model("credit");
        let setup = |number: usize| {
            let line = format!("setup --vk-path v{number} --pk-path k{number}");
            json!({ "artifact": "credit", "commands": [line] })
        };
        let mut ids = Vec::new();
        let filler = place.path().join("filler");
        for number in 0..12 {
            let (status, answer) = server.json(Method::POST, "/recipe", Some(&setup(number)));
            match status {
                201 => ids.push(answer["id"].as_str().unwrap().to_string()),
                // It says so, and nothing of the recipe is there.
                _ => assert!(number > 3 && answer["code"] == "internal", "{status} {answer}"),
            }
            if number == 3 {
                let mut file = File::create(&filler).unwrap();
                while file.write_all(&[0; 1 << 16]).is_ok() {}
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        fs::remove_file(&filler).unwrap();
        let mut complete = 0;
        for id in &ids {
            let ended = server.end(id);
            let code = ended[0]["error"]["code"].as_str();
            assert!(ended[0]["status"] == "Complete" || code.is_some(), "{ended}");
            complete += usize::from(ended[0]["status"] == "Complete");
        }
        println!("{} of 12 taken, {complete} complete, with a disk that was full", ids.len());
        // There is room again: all is as before.
        let (_, answer) = server.json(Method::POST, "/recipe", Some(&setup(99)));
        let ended = server.end(answer["id"].as_str().unwrap());
        assert_eq!(ended[0]["status"], "Complete", "{ended}");
        assert!(Local::new(&directory).unwrap().list_ours().unwrap().is_empty());
    });
    std::thread::sleep(Duration::from_millis(200));
    mounted("umount", &["-l"]);
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Phases after which either side is killed.
const PHASES: [&str; 11] = [
    "connect",
    "witness",
    "commit advice",
    "lookups",
    "permutation",
    "commit sums",
    "transforms",
    "quotient",
    "evaluations",
    "opening",
    "verify",
];

/// From the end of this phase on each side can finish without the other, so that a side may have
/// its proof before the other is killed.
const LATE: &str = "evaluations";

const MORE: [&str; 4] = ["--srs-path", "kzg.srs", "--ended-sessions", "1000"];

/// Waits until a log tells the end of a phase.
fn ended(lines: &mut impl Iterator<Item = String>, phase: &str) {
    let is_it = |line: String| {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        event["phase"] == phase && event["state"] == "ended"
    };
    assert!(lines.any(is_it), "{phase} did not end");
}

/// The code of an error, or that there is none.
fn outcome(told: &Value) -> &str {
    told[0]["error"]["code"].as_str().unwrap_or("complete")
}

#[test]
#[ignore = "slow: cargo xtask lilith-chaos"]
fn a_pair_that_fails_at_any_phase_is_followed_by_one_that_does_not() {
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    // Each session that ends so is counted; here all of them are wanted.
    let line = "prove --id model --local-addr auto --ended-sessions 1000";
    let body = json!({ "artifact": "credit", "commands": [line] });
    let start = || {
        let (status, made) = server.json(Method::POST, "/recipe", Some(&body));
        assert_eq!(status, 201, "{made}");
        let invitation = made["peer"]["invitation"].as_str().unwrap();
        let words = ["--log-format", "json", "prove", "--id", "data", "--invite", invitation];
        let mut theirs = customer.twain(&[&words[..], &MORE].concat());
        (made["id"].as_str().unwrap().to_string(), theirs.stdout(Stdio::null()).spawn().unwrap())
    };
    let late = PHASES.iter().position(|phase| *phase == LATE).unwrap();
    for (number, phase) in PHASES.into_iter().enumerate() {
        let may_finish = number >= late;
        let fits = |told: &Value, code: &str| {
            told[0]["error"]["code"] == code || may_finish && told[0]["status"] == "Complete"
        };
        // The customer's process.
        let (id, mut theirs) = start();
        let mut lines = BufReader::new(theirs.stderr.take().unwrap()).lines().map_while(Result::ok);
        ended(&mut lines, phase);
        theirs.kill().unwrap();
        theirs.wait().unwrap();
        let told = server.end(&id);
        assert!(fits(&told, "peer"), "{phase}: {told}");
        let customers = outcome(&told);

        // The hosted one.
        let (id, mut theirs) = start();
        let log = server.directory.join("recipes").join(&id).join("0-1/log");
        until("the log", || log.exists());
        let mut tail = Command::new("tail")
            .args(["-n", "+1", "-s", "0.01", "-f"])
            .arg(&log)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map_while(Result::ok);
        ended(&mut lines, phase);
        for process in server.processes(&id) {
            Command::new("kill").args(["-9", &process]).status().unwrap();
        }
        tail.kill().unwrap();
        tail.wait().unwrap();
        let told = server.end(&id);
        assert!(fits(&told, "signal"), "{phase}: {told}");
        // The status of a link that is gone.
        let theirs = theirs.wait().unwrap().code();
        assert!(theirs == Some(6) || may_finish && theirs == Some(0), "{phase}: {theirs:?}");

        // The next one.
        let (id, mut theirs) = start();
        assert!(theirs.wait().unwrap().success());
        let next = server.end(&id);
        assert_eq!(next[0]["status"], "Complete", "{next}");
        println!(
            "{phase:<14} customer killed: {customers}; hosted killed: {}; the next: complete",
            outcome(&told)
        );
    }
    let counts = String::from_utf8(server.request(Method::GET, "/metrics", &[], "").2).unwrap();
    assert!(counts.contains("lilith_ports_used 0"), "{counts}");
}
