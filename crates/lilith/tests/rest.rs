//! The service over HTTP, as clients of all generations speak to it.

mod site;

use aws_lc_rs::hmac;
use axum::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use site::{CIRCUIT, Server, repository};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A form with files: the names of their parts, their own names, their contents.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--xx--\r\n");
    ("multipart/form-data; boundary=xx".into(), body)
}

fn upload(
    server: &Server,
    method: Method,
    path: &str,
    parts: &[(&str, Option<&str>, &[u8])],
) -> (u16, Value) {
    let (kind, body) = form(parts);
    let (status, _, bytes) = server.request(method, path, &[("content-type", &kind)], body);
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn file(name: &str) -> Vec<u8> {
    fs::read(repository(CIRCUIT).join(name)).unwrap()
}

fn post(server: &Server, path: &str, body: &Value) -> String {
    let (status, answer) = server.json(Method::POST, path, Some(body));
    assert_eq!(status, 201, "{answer}");
    answer["id"].as_str().unwrap().to_string()
}

/// A project with a compiled circuit and keys.
fn ready(server: &Server) {
    server.with_model("credit");
}

#[test]
fn bodies_of_all_generations() {
    let server = Server::start(&["--default-side", "model"]);
    ready(&server);
    let input = file("input.json");
    let witness = |data: &str, output: &str| {
        json!({ "GenWitness": {
            "data": data, "compiled_circuit": "model.compiled", "output": output } })
    };
    let prove = |witness: &str, proof: &str| {
        json!({ "Prove": {
            "witness": witness, "compiled_circuit": "model.compiled", "pk_path": "pk.key",
            "proof_path": proof, "srs_path": null, "proof_type": "Single",
            "check_mode": "UNSAFE" } })
    };
    // 1: a form that names the project, spells.
    let request = br#"{"name":"credit"}"#;
    let parts: [(&str, Option<&str>, &[u8]); 2] =
        [("artifact_request", None, request), ("data", Some("input.json"), &input)];
    assert_eq!(upload(&server, Method::POST, "/artifact/update", &parts).0, 200);
    let body = json!([
        { "ezkl_command": witness("input.json", "witness.json"), "working_dir": "credit" },
        { "ezkl_command": prove("witness.json", "proof.json"), "working_dir": "credit" },
    ]);
    let id = post(&server, "/post-spell", &body);
    server.end(&id);
    let (status, spells) = server.json(Method::GET, &format!("/get-spell/{id}"), None);
    assert_eq!((status, &spells[1]["status"]), (200, &json!("Complete")), "{spells}");
    assert_eq!(spells[1]["spell_id"], id.as_str());
    let proof: Value = serde_json::from_str(spells[1]["output"].as_str().unwrap()).unwrap();
    assert!(proof["proof"].is_array() || proof["hex_proof"].is_string(), "a proof");
    assert!(spells[1]["logs"].as_str().unwrap().contains("proof took "), "{spells}");

    // 2: files that have a name of their own.
    let parts: [(&str, Option<&str>, &[u8]); 1] = [("data", Some("x.json"), &input)];
    let (status, answer) = upload(&server, Method::PUT, "/artifact/credit", &parts);
    assert_eq!(status, 200);
    let uuid = answer["latest_uuid"].as_str().unwrap();
    let (data, out) = (format!("input_{uuid}.json"), format!("witness_{uuid}.json"));
    let proof = format!("proof_{uuid}.json");
    let body = json!([
        { "ezkl_command": witness(&data, &out), "working_dir": "credit" },
        { "ezkl_command": prove(&out, &proof), "working_dir": "credit" },
    ]);
    let id = post(&server, "/spell", &body);
    let spells = server.end(&id);
    assert_eq!(spells[1]["status"], "Complete", "{spells}");
    assert_eq!(server.json(Method::GET, &format!("/spell/{id}"), None).0, 200);
    let (status, _, content) =
        server.request(Method::GET, &format!("/artifact/credit/{proof}"), &[], "");
    assert_eq!((status, content.is_empty()), (200, false));

    // 3: data in the same request.
    let input: Value = serde_json::from_slice(&input).unwrap();
    let body = json!({
        "commands": [
            { "artifact": "credit", "ezkl_command": witness("input.json", "witness.json") },
            { "artifact": "credit", "ezkl_command": prove("witness.json", "proof.json") },
        ],
        "data": [{ "input_data": input["input_data"] }],
    });
    let id = post(&server, "/recipe", &body);
    server.end(&id);
    let (_, one) = server.json(Method::GET, &format!("/recipe/{id}?indices=1"), None);
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!((&one[0]["index"], &one[0]["status"]), (&json!(1), &json!("Complete")), "{one}");

    // 4: flags and values in one string, deployments, outputs as a list.
    let put = [
        ("file", Some("model.compiled"), &file("model.compiled")[..]),
        ("file", Some("settings.json"), &file("settings.json")[..]),
    ];
    let (status, answer) =
        upload(&server, Method::PUT, "/artifact/credit?deployment=prod-1&replace=true", &put);
    assert_eq!(status, 200, "{answer}");
    let command = |words: Value, outputs: Value| {
        json!({ "artifact": "credit", "deployment": "prod-1", "binary": "ezkl", "command": words,
                "output_path": outputs })
    };
    let body = json!({
        "commands": [
            command(json!(["setup"]), json!([])),
            command(json!(["gen-witness", "--data input.json"]), json!([])),
            command(json!(["prove", "--proof-type single", "--witness witness.json"]),
                    json!(["proof.json"])),
            command(json!(["verify"]), json!(null)),
        ],
        "data": [{ "target_path": "input.json", "data": input }],
        "response_settings": null,
    });
    let id = post(&server, "/recipe?user_id=00000000-0000-0000-0000-000000000000", &body);
    let ended = server.end(&id);
    assert_eq!(ended[3]["status"], "Complete", "{ended}");
    let text = ended[2]["output"][0]["utf8_string"].as_str().unwrap();
    let path = "/artifact/credit/file/proof.json?deployment=prod-1";
    assert_eq!(server.request(Method::GET, path, &[], "").2, text.as_bytes());
    assert_eq!(server.json(Method::GET, &path.replace("prod-1", "prod-2"), None).0, 404);

    let chain = json!({ "commands": [{ "artifact": "credit", "command": ["prove"] }],
        "response_settings": { "callback": { "chain": 1 } } });
    let (status, answer) = server.json(Method::POST, "/recipe", Some(&chain));
    assert_eq!((status, &answer["code"]), (422, &json!("unsupported")));
    assert!(answer["message"].is_string() && answer["hint"].is_string());
}

#[test]
fn inline_data_are_in_no_table_log_or_argument() {
    let server = Server::start(&[]);
    ready(&server);
    let mut input: Value = serde_json::from_slice(&file("input.json")).unwrap();
    input["input_data"][0][0] = json!(0.123454321);
    let line = format!("gen-witness -D '{input}' -O w.json");
    let body = json!({ "artifact": "credit", "commands": [line] });
    let id = post(&server, "/recipe", &body);
    let ended = server.end(&id);
    assert_eq!(ended[0]["status"], "Complete", "{ended}");
    assert!(!ended.to_string().contains("0.123454321"));
    let recipe = server.directory.join("recipes").join(&id);
    for name in ["lilith.db", "lilith.db-wal"] {
        let content = fs::read(server.directory.join(name)).unwrap_or_default();
        assert!(!content.windows(11).any(|window| window == b"0.123454321"), "{name}");
    }
    let log = fs::read_to_string(recipe.join("0-1/log")).unwrap();
    let spec = fs::read_to_string(recipe.join("0-1/attempt.json")).unwrap();
    assert!(!log.contains("0.123454321") && !spec.contains("0.123454321"));
    // The file that they went to goes soon after the recipe's end.
    let since = Instant::now();
    while recipe.join("work").exists() {
        assert!(since.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn events_go_on_where_they_were() {
    let server = Server::start(&[]);
    ready(&server);
    let body = json!({ "artifact": "credit", "commands": ["table -M none.onnx"] });
    let id = post(&server, "/recipe", &body);
    let listen = |headers: &[(&str, &str)]| {
        let path = format!("/recipe/{id}/events?log=true");
        let (status, _, body) = server.request(Method::GET, &path, headers, "");
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    };
    let all = listen(&[]);
    let ids: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert!(ids.len() >= 5 && ids.windows(2).all(|two| two[0] != two[1]), "{all}");
    for text in ["event: state", "\"state\":\"running\"", "event: log", "event: end"] {
        assert!(all.contains(text), "{all}");
    }
    let rest = listen(&[("last-event-id", ids[ids.len() - 3])]);
    let after: Vec<&str> = rest.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(after, ids[ids.len() - 2..]);
}

#[test]
fn ends_are_told_signed_and_again() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = receiver.local_addr().unwrap().to_string();
    let server = Server::start(&["--callback-allow", &host]);
    ready(&server);
    for url in ["http://127.0.0.1:1/x", "ftp://a/", "nothing", "http://user@a/"] {
        let body = json!({ "artifact": "credit", "commands": ["mock"], "callback_url": url });
        assert_eq!(server.json(Method::POST, "/recipe", Some(&body)).0, 400, "{url}");
    }
    let path = format!("/recipe?callback_url=http://{host}/hook");
    let id = post(&server, &path, &json!([{ "artifact": "credit", "command": "mock" }]));
    let secrets = server.succeed(&["project", "webhook", "credit", "--rotate"]);
    assert_eq!(secrets.lines().count(), 2, "two are good while one follows the other");
    let key = BASE64.decode(secrets.lines().next().unwrap().trim_start_matches("whsec_")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut ids = Vec::new();
    for status in ["500 Later", "204 Taken"] {
        let (mut stream, _) = receiver.accept().unwrap();
        let mut text = Vec::new();
        let body = loop {
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            text.extend(&bytes[..count]);
            let said = String::from_utf8_lossy(&text);
            let length = said.lines().find_map(|line| line.strip_prefix("content-length: "));
            if let (Some((_, body)), Some(length)) = (said.split_once("\r\n\r\n"), length)
                && body.len() >= length.parse().unwrap()
            {
                break body.to_string();
            }
        };
        let said = String::from_utf8_lossy(&text).into_owned();
        let header = |name: &str| {
            let start = format!("{name}: ");
            said.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_string()
        };
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let signature = format!("v1,{}", BASE64.encode(hmac::sign(&key, signed.as_bytes())));
        let signatures = header("webhook-signature");
        assert!(signatures.split(' ').any(|it| it == signature), "{signatures}");
        let list: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&list[0]["recipe_id"], &list[0]["status"]), (&json!(id), &json!("Errored")));
        ids.push(header("webhook-id"));
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
    assert_eq!(ids[0], ids[1], "the same event both times");
}

#[test]
fn requests_are_answered_by_the_book() {
    let server = Server::start(&[]);
    ready(&server);
    // Once, however often it is asked for.
    let body = json!({ "artifact": "credit", "commands": ["mock"] });
    let headers = [("idempotency-key", "once"), ("content-type", "application/json")];
    let ask = || server.request(Method::POST, "/recipe", &headers, body.to_string()).2;
    let id = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).unwrap()["id"].clone();
    assert_eq!(id(ask()), id(ask()));
    // Parts of files.
    let path = "/artifact/credit/file/settings.json";
    let (status, headers, whole) = server.request(Method::GET, path, &[], "");
    assert_eq!(status, 200);
    assert!(headers["etag"].to_str().unwrap().len() == 66);
    let (status, headers, part) = server.request(Method::GET, path, &[("range", "bytes=2-5")], "");
    assert_eq!((status, &part[..]), (206, &whole[2..6]));
    assert_eq!(headers["content-range"], format!("bytes 2-5/{}", whole.len()).as_str());
    assert_eq!(server.request(Method::GET, path, &[("range", "bytes=999999999-")], "").0, 416);
    // Files are not written over by accident.
    let parts = [("file", Some("settings.json"), &b"{}"[..])];
    let (status, answer) = upload(&server, Method::PUT, "/artifact/credit", &parts);
    assert_eq!((status, &answer["code"]), (409, &json!("exists")));
    let escapes = [("file", Some("../x"), &b"{}"[..])];
    assert_eq!(upload(&server, Method::PUT, "/artifact/credit", &escapes).0, 422);
    assert_eq!(upload(&server, Method::PUT, "/artifact/credit", &[("x", None, b"")]).0, 400);
    // Limits.
    let limits = json!({ "file_bytes": 10, "commands": 1 });
    assert_eq!(server.json(Method::PUT, "/artifact/credit/limits", Some(&limits)).0, 200);
    let parts = [("file", Some("large"), &b"eleven byte"[..])];
    assert_eq!(upload(&server, Method::PUT, "/artifact/credit", &parts).0, 413);
    let two = json!({ "artifact": "credit", "commands": ["mock", "mock"] });
    assert_eq!(server.json(Method::POST, "/recipe", Some(&two)).0, 429);
    let unknown = json!({ "file_byte": 10 });
    assert_eq!(server.json(Method::PUT, "/artifact/credit/limits", Some(&unknown)).0, 400);
    // What is not there, not JSON, not understood.
    for (method, path, body, status) in [
        (Method::GET, "/nothing", "", 404),
        (Method::PATCH, "/recipe", "", 405),
        (Method::POST, "/recipe", "{", 400),
        (Method::POST, "/recipe", "[]", 400),
        (Method::GET, "/recipe/nothing", "", 404),
        (Method::GET, "/recipe?limit=x", "", 400),
        (Method::GET, "/recipe?status=odd", "", 400),
        (Method::GET, "/artifact/credit/file/none", "", 404),
    ] {
        let (found, _, answer) = server.request(method, path, &[], body);
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        assert_eq!(found, status, "{path} {answer}");
        assert!(answer["message"].is_string() && answer["code"].is_string(), "{path} {answer}");
    }
}

#[test]
fn the_interface_is_documented_and_counted() {
    let server = Server::start(&[]);
    let (status, document) = server.json_as("", Method::GET, "/openapi.json", None);
    assert_eq!((status, document["openapi"].as_str().unwrap().starts_with("3.1")), (200, true));
    for (path, method) in [
        ("/artifact/{name}", "put"),
        ("/recipe", "post"),
        ("/recipe/{id}/events", "get"),
        ("/artifact/{name}/invite", "get"),
        ("/token", "post"),
    ] {
        assert!(document["paths"][path][method]["responses"].is_object(), "{method} {path}");
    }
    let text = |path: &str| {
        let (status, _, body) = server.request(Method::GET, path, &[("x-api-key", "")], "");
        assert_eq!(status, 200, "{path}");
        String::from_utf8(body).unwrap()
    };
    assert!(text("/ping").contains("\"executor\":\"local\""));
    text("/healthz");
    text("/readyz");
    server.succeed(&["project", "create", "p", "--side", "data"]);
    let body = json!({ "artifact": "p", "commands": ["mock"] });
    server.end(&post(&server, "/recipe", &body));
    let counts = text("/metrics");
    for line in [
        "lilith_jobs{state=\"errored\",command=\"mock\"} 1",
        "lilith_job_seconds_count 1",
        "lilith_executor_up 1",
        "lilith_storage_bytes{project=\"p\"} 0",
        "lilith_http_requests_total{status=\"2xx\"}",
    ] {
        assert!(counts.contains(line), "{line}: {counts}");
    }
}
