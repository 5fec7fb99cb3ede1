//! The pages: logging in, starting a job, ending it, an invitation; and what other sites cannot do.

mod site;

use axum::http::Method;
use serde_json::json;
use site::{CIRCUIT, Server, repository};

/// A browser that is logged in.
struct Visitor<'a> {
    server: &'a Server,
    cookie: String,
}

impl Visitor<'_> {
    fn get(&self, path: &str) -> (u16, String) {
        let headers = [("cookie", self.cookie.as_str()), ("x-api-key", "")];
        let (status, headers, body) = self.server.request(Method::GET, path, &headers, "");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        (status, String::from_utf8(body).unwrap())
    }

    /// Sends a form; the status, and where the answer leads or what it shows.
    fn post(&self, path: &str, fields: &str) -> (u16, String) {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("x-api-key", ""),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let fields = fields.to_string();
        let (status, headers, body) = self.server.request(Method::POST, path, &headers, fields);
        let location = headers.get("location").map(|it| it.to_str().unwrap().to_string());
        (status, location.unwrap_or_else(|| String::from_utf8(body).unwrap()))
    }

    /// What the forms of a page carry.
    fn key(&self) -> String {
        let (_, page) = self.get("/");
        let (_, rest) = page.split_once("name=\"form\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_string()
    }
}

fn log_in<'a>(server: &'a Server, token: &str) -> Result<Visitor<'a>, u16> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-api-key", "")];
    let form = format!("token={token}");
    let (status, headers, _) = server.request(Method::POST, "/login", &headers, form);
    let cookie = headers.get("set-cookie").ok_or(status)?.to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    Ok(Visitor { server, cookie: cookie.split(';').next().unwrap().into() })
}

#[test]
fn a_job_is_started_watched_and_ended() {
    let server = Server::start(&[]);
    assert_eq!(log_in(&server, "lil_00000000_no").err(), Some(401));
    let visitor = log_in(&server, &server.token).ok().unwrap();
    let (_, page) = visitor.get("/");
    assert!(page.contains("There is no project yet"), "{page}");
    let model = repository(CIRCUIT).join("model.compiled").to_string_lossy().into_owned();
    server.succeed(&["create-artifact", "-a", "credit", "--side", "model", "--file", &model]);
    let key = visitor.key();
    let peer = format!("form={key}&name=applicant&fingerprint=sha256:{}", "5".repeat(64));
    assert_eq!(visitor.post("/p/credit/peer", &peer), (303, "/p/credit".into()));
    let (_, page) = visitor.get("/p/credit");
    assert!(page.contains("applicant") && page.contains("Whoever runs this server"), "{page}");
    let (status, page) = visitor.post("/p/credit/invite", &format!("form={key}"));
    assert!(status == 200 && page.contains("twain-peer:1:127.0.0.1:"), "{page}");
    server.succeed(&["job", "-a", "credit", "--wait", "setup"]);

    let line = "line=prove+--id+model+--local-addr+auto";
    let (status, job) = visitor.post("/run", &format!("form={key}&artifact=credit&{line}"));
    assert_eq!(status, 303, "{job}");
    let (_, page) = visitor.get(&job);
    assert!(page.contains("The other side runs") && page.contains("twain prove --id data"));
    assert!(!page.contains("<style") && !page.contains("onclick") && !page.contains("style="));
    let cancel = format!("{job}/cancel");
    assert_eq!(visitor.post(&cancel, "form=guess").0, 403);
    assert_eq!(visitor.post(&cancel, &format!("form={key}")), (303, job.clone()));
    assert_eq!(server.end(job.trim_start_matches("/r/"))[0]["status"], "Cancelled");
    assert!(visitor.get(&format!("{job}/events")).1.contains("event: end"));
    assert!(visitor.get("/operator").1.contains("put peer"));
    // What people type is shown as text.
    let (status, page) = visitor.post("/run", &format!("form={key}&artifact=%3Cb%3E&line=mock"));
    assert!(status == 404 && page.contains("&lt;b&gt;") && !page.contains("<b>"), "{page}");
    assert_eq!(visitor.post("/logout", &format!("form={key}")).1, "/login");
    assert_eq!(visitor.get("/").0, 303);
}

#[test]
fn pages_show_what_the_token_may_see() {
    let server = Server::start(&[]);
    for name in ["one", "two"] {
        server.succeed(&["project", "create", name, "--side", "model"]);
    }
    let body = json!({ "artifact": "two", "commands": ["mock"] });
    let (_, made) = server.json(Method::POST, "/recipe", Some(&body));
    let foreign = made["id"].as_str().unwrap();
    let token = server.succeed(&["token", "create", "-a", "one", "--role", "read"]);
    let visitor = log_in(&server, token.trim()).ok().unwrap();
    let (_, page) = visitor.get("/");
    assert!(page.contains("/p/one") && !page.contains("/p/two") && !page.contains(foreign));
    assert!(!page.contains("action=\"/run\""), "it may only look");
    for path in ["/p/two", &format!("/r/{foreign}"), &format!("/r/{foreign}/events")] {
        assert_eq!(visitor.get(path).0, 404, "{path}");
    }
    assert_eq!(visitor.get("/operator").0, 403);
    server.succeed(&["token", "revoke", &token[4..12]]);
    assert_eq!(visitor.get("/").0, 303, "its sessions end with a token");
}
