//! A server and its clients, alone: projects, chains of commands, results, and what is refused.

mod site;

use axum::http::Method;
use serde_json::json;
use site::{CIRCUIT, LILITH, Server, quiet, recipe_id, repository, twain};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_model_becomes_a_verified_proof_by_one_chain_of_commands() {
    let server = Server::start(&[]);
    let file = |name: &str| repository(CIRCUIT).join(name).to_string_lossy().into_owned();
    let (model, data) = (file("network.onnx"), file("input.json"));
    let made = ["create-artifact", "-a", "credit", "--side", "model", "-i", &data, "-m", &model];
    let said = server.succeed(&made);
    assert!(said.contains("fingerprint: sha256:") && said.contains("network.onnx"), "{said}");
    assert!(server.fail(&made).1.contains("already"));
    let settings = "gen-settings -K 10 --decomp-base 128 --decomp-legs 3";
    let chain = [settings, "compile-circuit", "setup", "gen-witness", "prove", "verify"];
    let mut arguments = vec!["job", "-a", "credit", "--wait"];
    chain.iter().for_each(|line| arguments.extend(["--command", line]));
    let said = server.succeed(&arguments);
    assert!(said.contains("STATUS: complete") && said.contains("verified: true"), "{said}");
    assert!(said.contains("proof took "), "{said}");
    let id = recipe_id(&said);

    server.succeed(&["download-artifact", "-a", "credit", "-f", "proof.json", "-o", "p.json"]);
    for file in ["vk.key", "settings.json"] {
        server.succeed(&["download-artifact", "-a", "credit", "-f", file]);
    }
    let files = server.succeed(&["list-artifacts", "-a", "credit"]);
    for name in ["network.onnx", "settings.json", "model.compiled", "witness.json", "pk.key"] {
        assert!(files.contains(name), "{files}");
    }
    let mut verify = quiet(twain());
    verify.current_dir(server.place()).args(["verify", "--proof-path", "p.json"]);
    verify.arg("--srs-path").arg(repository("tests/vectors/srs/kzg10.srs"));
    assert!(verify.output().unwrap().status.success());

    let got = server.succeed(&["get", "-i", &id]);
    assert!(got.contains("STATUS: complete"), "{got}");
    assert!(server.succeed(&["list", "-a", "credit"]).contains(&id));
    assert!(server.succeed(&["logs", "-i", &id]).contains("verified: true"));
    server.succeed(&["delete-artifact", "-a", "credit", "-f", "witness.json"]);
    assert!(!server.succeed(&["list-artifacts", "-a", "credit"]).contains("witness.json"));
    // Words after the options, and the project left out: there is only one.
    let said = server.succeed(&["job", "--wait", "gen-witness", "-O", "again.json"]);
    assert!(said.contains("STATUS: complete"), "{said}");
    server.succeed(&["project", "delete", "credit"]);
    assert_eq!(server.fail(&["get", "-i", &id]).0, 6);
    assert!(!server.directory.join("projects/credit").exists());
}

#[test]
fn a_command_that_fails_ends_its_chain_and_says_why() {
    let server = Server::start(&[]);
    server.succeed(&["project", "create", "p", "--side", "data"]);
    let lines = ["job", "-a", "p", "--wait", "--command", "compile-circuit", "--command", "setup"];
    let output = server.client().args(lines).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("STATUS: errored") && said.contains("settings.json"), "{said}");
    let (_, commands) = server.json(Method::GET, &format!("/recipe/{}", recipe_id(&said)), None);
    assert_eq!(commands[0]["error"]["code"], "exit");
    assert_eq!(commands[0]["exit"], 3);
    assert_eq!(commands[1]["error"]["code"], "previous_failed");
    assert_eq!(commands[1]["status"], "Errored");
}

#[test]
fn nothing_leads_out_of_a_project() {
    let server = Server::start(&[]);
    server.succeed(&["project", "create", "p", "--side", "model"]);
    server.succeed(&["project", "create", "other", "--side", "model"]);
    let refused = [
        ("verify --proof-path /etc/passwd", "leads out"),
        ("verify --proof-path ../../other/files/x", "leads out"),
        ("gen-witness -D @../x", "leads out"),
        ("demo", "not run here"),
        ("identity", "not run here"),
        ("bash -c id", "not run here"),
        ("gen-srs --srs-path kzg.srs --logrows 10", "forge"),
        ("prove --no-such-flag", "no-such-flag"),
        ("prove --id model --local-addr auto --identity x", "server's"),
        ("prove --id data --local-addr auto", "model's secret"),
        ("prove --id model --local-addr auto", "no peers"),
        ("verify 'a", "quote"),
    ];
    for (line, reason) in refused {
        let (code, text) = server.fail(&["job", "-a", "p", "--command", line]);
        assert_eq!(code, 6, "{line}: {text}");
        assert!(text.contains(reason), "{line}: {text}");
    }
    // A link in the project's folder, by whatever way it came there.
    let files = server.directory.join("projects/p/files");
    fs::create_dir_all(&files).unwrap();
    symlink(server.directory.join("lilith.db"), files.join("link")).unwrap();
    symlink("/etc", files.join("folder")).unwrap();
    for file in ["link", "folder%2Fpasswd", "..%2F..%2F..%2Flilith.db", "%2Fetc%2Fpasswd"] {
        let (status, _) = server.json(Method::GET, &format!("/artifact/p/file/{file}"), None);
        assert_eq!(status, 422, "{file}");
    }
    let linked = ["job", "-a", "p", "--wait", "verify", "--vk-path", "link"];
    let output = server.client().args(linked).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("bad_path") && said.contains("behind a link"), "{said}");
    for name in ["..", ".x", "a/b", "", "a b"] {
        let (code, _) = server.fail(&["project", "create", name, "--side", "model"]);
        assert!(code != 0);
    }
}

#[test]
fn a_token_sees_its_project_only() {
    let server = Server::start(&[]);
    for name in ["one", "two"] {
        server.succeed(&["project", "create", name, "--side", "model"]);
    }
    let token = |role: &str, project: &str| {
        let arguments = ["token", "create", "-a", project, "--role", role];
        server.succeed(&arguments).trim().to_string()
    };
    let (run, read) = (token("run", "one"), token("read", "one"));
    let (_, made) = server.json(
        Method::POST,
        "/recipe",
        Some(&json!({ "artifact": "two", "commands": ["verify"] })),
    );
    let foreign = made["id"].as_str().unwrap().to_string();
    let as_run = |method: Method, path: &str, body| server.json_as(&run, method, path, body);
    assert_eq!(as_run(Method::GET, "/artifact/one", None).0, 200);
    assert_eq!(as_run(Method::GET, "/artifact", None).1.as_array().unwrap().len(), 1);
    let body = json!({ "artifact": "two", "commands": ["verify"] });
    let recipe = format!("/recipe/{foreign}");
    let hidden = [
        (Method::GET, "/artifact/two".to_string(), None),
        (Method::GET, "/artifact/two/file/x".into(), None),
        (Method::GET, recipe.clone(), None),
        (Method::DELETE, recipe.clone(), None),
        (Method::GET, format!("{recipe}/log"), None),
        (Method::GET, format!("{recipe}/events"), None),
        (Method::GET, "/recipe?artifact=two".into(), None),
        (Method::GET, "/artifact/two/invite".into(), None),
        (Method::POST, "/recipe".into(), Some(&body)),
    ];
    for (method, path, body) in hidden {
        let (status, answer) = as_run(method, &path, body);
        assert_eq!((status, &answer["code"]), (404, &json!("not_found")), "{path}");
    }
    let listed = as_run(Method::GET, "/recipe", None).1;
    assert_eq!(listed["recipes"], json!([]));
    let own = json!({ "artifact": "one", "commands": ["verify"] });
    assert_eq!(server.json_as(&read, Method::POST, "/recipe", Some(&own)).0, 403);
    assert_eq!(server.json_as(&read, Method::DELETE, "/artifact/one/file/x", None).0, 403);
    assert_eq!(as_run(Method::DELETE, "/artifact/one", None).0, 403);
    for (method, path) in [(Method::GET, "/token"), (Method::GET, "/audit")] {
        assert_eq!(as_run(method, path, None).0, 403);
    }
    for token in ["", "lil_00000000_00", &format!("{run}0"), &run[..run.len() - 1]] {
        let (status, answer) = server.json_as(token, Method::GET, "/artifact", None);
        assert_eq!((status, &answer["code"]), (401, &json!("unauthorized")));
    }
    let (code, text) = server.fail(&["token", "revoke", &server.token[4..12]]);
    assert!(code == 6 && text.contains("the last token of an operator"), "{text}");
    let id = &run[4..12];
    server.succeed(&["token", "revoke", id]);
    assert_eq!(as_run(Method::GET, "/artifact/one", None).0, 401);
    let audit = server.json(Method::GET, "/audit", None).1.to_string();
    assert!(audit.contains("revoke token") && audit.contains("create project"), "{audit}");
    let database = fs::read(server.directory.join("lilith.db")).unwrap();
    let secret = &run.as_bytes()[13..];
    assert!(!database.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn a_server_refuses_what_would_not_be_safe() {
    let place = tempfile::tempdir().unwrap();
    let serve = |flags: &[&str]| {
        let mut command = quiet(LILITH);
        command.args(["serve", "--dir"]).arg(place.path().join("d")).arg("--twain").arg(twain());
        let output = command.args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(serve(&["--listen", "0.0.0.0:0"]).contains("--tls-cert"));
    let server = Server::start(&[]);
    let mut second = quiet(LILITH);
    second.args(["serve", "--listen", "127.0.0.1:0", "--twain"]).arg(twain());
    let output = second.arg("--dir").arg(&server.directory).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("another server"));
    let mode = fs::metadata(&server.directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn tokens_and_files_travel_over_tls() {
    let file = |name: &str| {
        repository("crates/lilith/tests/tls").join(name).to_string_lossy().into_owned()
    };
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    let server = Server::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    assert!(server.address.starts_with("https://"), "{}", server.address);
    let model = repository(CIRCUIT).join("network.onnx").to_string_lossy().into_owned();
    let create = ["create-artifact", "-a", "p", "--side", "model", "-m", &model];
    server.succeed(&[&["--ca", &certificate], &create[..]].concat());
    server.succeed(&["--ca", &certificate, "download-artifact", "-a", "p", "-f", "network.onnx"]);
    let downloaded = fs::read(server.place().join("network.onnx")).unwrap();
    assert_eq!(downloaded, fs::read(model).unwrap());
    // A certificate that nobody vouches for, and a server that speaks no plain HTTP.
    assert_eq!(server.fail(&["ping"]).0, 5);
    let plain = server.address.replace("https", "http");
    assert_eq!(server.fail(&["--server", &plain, "ping"]).0, 5);
}

#[test]
fn a_flag_comes_before_the_environment_before_the_settings() {
    let server = Server::start(&[]);
    let folder = server.place().join(".config/lilith");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    let settings = format!("server_url = \"{}\"\napi_key = \"{}\"\n", server.address, server.token);
    fs::write(&file, settings).unwrap();
    let ask = |environment: Option<&str>, flags: &[&str]| {
        let mut command = quiet(LILITH);
        command.env("HOME", server.place()).env_remove("XDG_CONFIG_HOME");
        command.envs(environment.map(|url| ("LILITH_SERVER_URL", url)));
        let output = command.args(["list-artifacts", "--json"]).args(flags).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let output = ask(None, &[]);
    assert_eq!(output.0, 2, "others may read it");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(ask(None, &[]).0, 0);
    let nobody = "http://127.0.0.1:9";
    assert_eq!(ask(Some(nobody), &[]).0, 5);
    assert_eq!(ask(Some(nobody), &["--server", &server.address]).0, 0);
    let key = server.place().join("key");
    fs::write(&key, "lil_00000000_no").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(ask(None, &["--api-key-file", &key.to_string_lossy()]).0, 6);
}
