//! `cargo xtask lilith-interop`: the unmodified EZKL accepts the proof of a hosted side and a
//! customer, with the key that the server made.

mod site;

use axum::http::Method;
use serde_json::json;
use site::{CIRCUIT, Customer, Server, quiet, repository};
use std::fs;

#[test]
#[ignore = "needs EZKL's wheel: cargo xtask lilith-interop"]
fn ezkl_accepts_a_hosted_proof() {
    let python = std::env::var_os("TWAIN_EZKL_PYTHON").expect("cargo xtask lilith-interop says it");
    let server = Server::start(&[]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let body = json!({ "artifact": "credit", "commands": ["prove --id model --local-addr auto"] });
    let (_, made) = server.json(Method::POST, "/recipe", Some(&body));
    let invitation = made["peer"]["invitation"].as_str().unwrap();
    let prove = ["prove", "--id", "data", "--invite", invitation, "--srs-path", "kzg.srs"];
    customer.succeed(&prove);
    let ended = server.end(made["id"].as_str().unwrap());
    assert_eq!(ended[0]["status"], "Complete", "{ended}");
    let folder = server.place().join("for-ezkl");
    fs::create_dir(&folder).unwrap();
    for file in ["proof.json", "vk.key", "settings.json"] {
        let path = folder.join(file);
        let download = ["download-artifact", "-a", "credit", "-f", file, "-o"];
        server.succeed(&[&download[..], &[path.to_str().unwrap()]].concat());
    }
    let srs = repository("tests/vectors/srs/kzg10.srs");
    let verdict = |folder: &std::path::Path| {
        let mut command = quiet(&python);
        command.arg(repository("xtask/python/ezkl_tool.py")).arg("verify").arg(folder).arg(&srs);
        let output = command.output().expect("starts");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    assert_eq!(verdict(&folder), "accepted");
    println!("EZKL on the proof of a hosted side and a customer ({CIRCUIT}): accepted");
    // It does look.
    let path = folder.join("proof.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut proof: serde_json::Value = serde_json::from_str(&text).unwrap();
    let instance = proof["instances"][0][0].as_str().unwrap().to_string();
    let first = if instance.starts_with('0') { "1" } else { "0" };
    proof["instances"][0][0] = format!("{first}{}", &instance[1..]).into();
    fs::write(&path, proof.to_string()).unwrap();
    assert!(verdict(&folder).starts_with("rejected"), "{}", verdict(&folder));
}
