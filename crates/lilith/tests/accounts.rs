//! A Unix user for each project: what the system keeps apart, and that nothing else changes. For
//! root only.

mod site;

use axum::http::Method;
use serde_json::json;
use site::{CIRCUIT, Customer, Server, repository, twain, until};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const USERS: std::ops::RangeInclusive<u32> = 310_000..=310_001;

/// Whether a program of a user succeeds.
fn can(user: u32, program: &str, path: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg(path).uid(user).gid(user).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir("/").status().expect("starts").success()
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => vec![path],
        })
        .collect()
}

/// A folder that all users can read, with what servers need.
fn open_to_all() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let place = tempfile::tempdir().expect("a folder");
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(place.path(), 0o755);
    let (program, srs) = (place.path().join("twain"), place.path().join("srs"));
    fs::copy(twain(), &program).unwrap();
    fs::create_dir(&srs).unwrap();
    let one = srs.join("kzg10.srs");
    fs::copy(repository("tests/vectors/srs/kzg10.srs"), &one).unwrap();
    open(&one, 0o644);
    open(&program, 0o755);
    open(&srs, 0o755);
    (place, program, srs)
}

#[test]
fn the_system_keeps_projects_apart() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root starts processes of other users");
        return;
    }
    let (place, program, srs) = open_to_all();
    // By way of the file that `--config` reads.
    let config = place.path().join("lilith.toml");
    let range = format!("{}-{}", USERS.start(), USERS.end());
    fs::write(&config, format!("user-per-project = \"{range}\"\nconnect-seconds = 30\n")).unwrap();
    let flags = ["--config", "--twain", "--srs"].into_iter().zip([&config, &program, &srs]);
    let flags: Vec<&str> = flags.flat_map(|(flag, path)| [flag, path.to_str().unwrap()]).collect();
    let mut server = Server::start(&flags);
    let (directory, model) = (server.directory.clone(), repository(CIRCUIT).join("model.compiled"));
    for name in ["one", "two"] {
        server.with_model(name);
    }
    let (code, text) = server.fail(&["project", "create", "three", "--side", "model"]);
    assert!(code == 6 && text.contains("all of --user-per-project's users"), "{text}");
    let below = |project: &str, name: &str| directory.join("projects").join(project).join(name);
    // The process that made them was that user's.
    let users = ["one", "two"].map(|name| fs::metadata(below(name, "files/vk.key")).unwrap().uid());
    assert!(users[0] != users[1] && users.iter().all(|user| USERS.contains(user)), "{users:?}");
    for (own, other, project) in [(users[0], users[1], "one"), (users[1], users[0], "two")] {
        let mut all = files(&below(project, "files"));
        all.extend(files(&below(project, "identity")));
        assert!(all.len() > 3, "{all:?}");
        for path in &all {
            assert!(can(own, "cat", path), "{}", path.display());
            assert!(!can(other, "cat", path), "{}", path.display());
        }
        assert!(!can(other, "ls", &below(project, "files")));
        assert!(!can(own, "cat", &below(project, "webhook")));
        for path in ["", "projects", "recipes", "lilith.db"].map(|name| directory.join(name)) {
            assert!(!can(own, if path.is_dir() { "ls" } else { "cat" }, &path));
        }
    }

    // A job with a peer, by its own user, with nothing more; another server goes on with it.
    let customer = Customer::new();
    server.succeed(&["peer", "add", "-a", "one", "applicant", &customer.fingerprint]);
    let line = "prove --id model --local-addr auto";
    let body = json!({ "artifact": "one", "commands": [line] });
    let (status, made) = server.json(Method::POST, "/recipe", Some(&body));
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    until("it runs", || server.processes(id).len() == 1);
    let status = Path::new("/proc").join(&server.processes(id)[0]).join("status");
    let status = fs::read_to_string(status).unwrap();
    let said = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    let user = users[0].to_string();
    let all_four = [user.as_str(); 4].join("\t");
    assert_eq!((said("Uid:"), said("Gid:"), said("Groups:")), (&*all_four, &*all_four, ""));
    assert_eq!((said("NoNewPrivs:"), said("CapEff:")), ("1", "0000000000000000"));
    server.kill_and_restart();
    let invitation = made["peer"]["invitation"].as_str().unwrap();
    let prove = ["prove", "--id", "data", "--invite", invitation, "--srs-path", "kzg.srs"];
    customer.succeed(&prove);
    assert_eq!(server.end(id)[0]["status"], "Complete");
    server.succeed(&["download-artifact", "-a", "one", "-f", "proof.json", "-o", "hosted.json"]);
    let hosted = fs::read(server.place().join("hosted.json")).unwrap();
    assert_eq!(hosted, fs::read(customer.file("proof.json")).unwrap());

    // A second name below a project is its user's, too.
    let model = model.to_str().unwrap();
    server.succeed(&["update-artifact", "-a", "two", "-d", "next", "--file", model]);
    let said = server.succeed(&["job", "-a", "two", "-d", "next", "--wait", "setup"]);
    assert!(said.contains("complete"), "{said}");
    let key = below("two", "deployments/next/vk.key");
    assert!(can(users[1], "cat", &key) && !can(users[0], "cat", &key));
}
