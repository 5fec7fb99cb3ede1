//! A real server on loopback with its real `twain` processes, and a customer's folder beside it.
#![allow(dead_code)] // Each test binary uses a part.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use lilith::http::{Target, send, trust};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const LILITH: &str = env!("CARGO_BIN_EXE_lilith");
/// A small circuit: few digits, 2^10 rows.
pub const CIRCUIT: &str = "tests/vectors/credit_mlp-k10-private";

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The program `twain`, which is built if it is not there.
pub fn twain() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = Path::new(LILITH).with_file_name("twain");
        if !path.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
            let built = Command::new(cargo)
                .args(["build", "-p", "twain-cli", "--bin", "twain"])
                .current_dir(repository("."))
                .status();
            assert!(built.expect("cargo starts").success());
        }
        path
    })
}

/// Asks every 50 ms until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(90), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port that is free now, and that no other test gets.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() * 7 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (number % 10_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A command that is deaf to its surroundings.
pub fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in ["RUST_LOG", "EZKL_KEY_FORMAT", "LILITH_SERVER_URL", "LILITH_API_KEY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server, and the folder with its data.
pub struct Server {
    pub directory: PathBuf,
    pub address: String,
    pub token: String,
    pub port: u16,
    flags: Vec<String>,
    child: Child,
    stdout: BufReader<ChildStdout>,
    place: TempDir,
}

impl Server {
    /// Starts one.
    pub fn start(flags: &[&str]) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        // Users of projects must get through.
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o711)).expect("set");
        let directory = place.path().join("server");
        Self::start_at(place, directory, flags)
    }

    /// Starts one with its folder elsewhere.
    pub fn start_in(directory: &Path, flags: &[&str]) -> Self {
        Self::start_at(tempfile::tempdir().expect("a folder"), directory.to_path_buf(), flags)
    }

    fn start_at(place: TempDir, directory: PathBuf, flags: &[&str]) -> Self {
        // Enough for a recipe or two; those of other tests are others.
        let port = free_port();
        let mut all = vec![
            "--twain".to_string(),
            twain().to_string_lossy().into_owned(),
            "--peer-ports".into(),
            format!("{port}-{port}"),
            "--srs".into(),
            repository("tests/vectors/srs").to_string_lossy().into_owned(),
            "--peer-allow".into(),
            "127.0.0.0/8".into(),
            "--jobs".into(),
            "4".into(),
        ];
        let mut flags: Vec<&str> = flags.to_vec();
        for name in ["--twain", "--peer-ports", "--srs", "--jobs"] {
            // Given once only: the test's comes before this one.
            if let Some(at) = flags.iter().position(|flag| *flag == name) {
                let own = all.iter().position(|flag| flag == name).expect("above");
                all[own + 1] = flags[at + 1].into();
                flags.drain(at..at + 2);
            }
        }
        all.extend(flags.into_iter().map(str::to_string));
        let (child, stdout) = Self::spawn(&directory, &all);
        let mut server = Server {
            directory,
            address: String::new(),
            token: String::new(),
            port,
            flags: all,
            child,
            stdout,
            place,
        };
        server.greeting();
        server
    }

    fn spawn(directory: &Path, flags: &[String]) -> (Child, BufReader<ChildStdout>) {
        let mut command = quiet(LILITH);
        command.args(["serve", "--listen", "127.0.0.1:0", "--dir"]).arg(directory).args(flags);
        let mut child = command.stderr(Stdio::inherit()).spawn().expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        (child, stdout)
    }

    fn greeting(&mut self) {
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).expect("text") > 0, "the server ended");
            if let Some(token) = line.trim().strip_prefix("admin token (shown once): ") {
                assert!(self.token.is_empty(), "shown once");
                self.token = token.into();
            }
            if let Some(address) = line.trim().strip_prefix("listening on ") {
                self.address = address.into();
                return;
            }
        }
    }

    /// `kill -9`, and another server on the same folder.
    pub fn kill_and_restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with more flags for this time.
    pub fn restart_with(&mut self, more: &[&str]) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        let flags: Vec<_> =
            self.flags.iter().cloned().chain(more.iter().map(|it| it.to_string())).collect();
        let (child, stdout) = Self::spawn(&self.directory, &flags);
        (self.child, self.stdout) = (child, stdout);
        self.greeting();
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A place for files of a test.
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// The client.
    pub fn client(&self) -> Command {
        self.client_with(&self.token)
    }

    /// The client, with another token.
    pub fn client_with(&self, token: &str) -> Command {
        let mut command = quiet(LILITH);
        command.env("LILITH_SERVER_URL", &self.address).env("LILITH_API_KEY", token);
        command.env("HOME", self.place.path()).env_remove("XDG_CONFIG_HOME");
        command.current_dir(self.place.path());
        command
    }

    /// Runs a client command that must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.client().args(arguments).output().expect("starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {complaint} {said}");
        said.into_owned()
    }

    /// Runs a client command that must fail; its exit status and complaint.
    pub fn fail(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.client().args(arguments).output().expect("starts");
        assert!(!output.status.success(), "{arguments:?}");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap_or(-1), complaint)
    }

    /// A request over HTTP: status, headers, body.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (u16, HeaderMap, Vec<u8>) {
        let target = Target::parse(&self.address).expect("an address");
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "x-api-key") {
            request = request.header("x-api-key", &self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let trust = trust(None).expect("no certificates needed");
            let response = send(&target, None, &trust, request).await.expect("an answer");
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            (status, headers, body.to_vec())
        })
    }

    /// The same with JSON both ways.
    pub fn json(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.json_as(&self.token, method, path, body)
    }

    /// The same with another token.
    pub fn json_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let headers = [("x-api-key", token), ("content-type", "application/json")];
        let (status, _, bytes) = self.request(method, path, &headers, body);
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Numbers of the processes that prove for a recipe.
    pub fn processes(&self, id: &str) -> Vec<String> {
        let work = self.directory.join("recipes").join(id).join("work");
        let entries = fs::read_dir("/proc").expect("processes").flatten();
        let runs = |path: PathBuf| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            let proves = line.split(|byte| *byte == 0).nth(3) == Some(b"prove");
            proves && fs::read_link(path.join("cwd")).is_ok_and(|folder| folder == work)
        };
        let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
        entries.filter(|entry| runs(entry.path())).filter_map(name).collect()
    }

    /// Waits for a recipe's end.
    pub fn end(&self, id: &str) -> Value {
        let since = Instant::now();
        loop {
            let (status, commands) = self.json(Method::GET, &format!("/recipe/{id}?wait=10"), None);
            assert_eq!(status, 200, "{commands}");
            let is = |command: &Value, state: &str| command["status"] == state;
            let open = |it: &Value| is(it, "Pending") || is(it, "Running");
            if !commands.as_array().expect("a list").iter().any(open) {
                return commands;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "{commands}");
        }
    }

    /// A project with the model of the small circuit, compiled, and keys.
    pub fn with_model(&self, name: &str) {
        let file = |file: &str| repository(CIRCUIT).join(file).to_string_lossy().into_owned();
        let (compiled, settings) = (file("model.compiled"), file("settings.json"));
        let files = ["--file", &compiled, "--file", &settings];
        self.succeed(&[&["create-artifact", "-a", name, "--side", "model"][..], &files].concat());
        self.succeed(&["job", "-a", name, "--wait", "--command", "setup"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Jobs outlive the server; those of a test must not outlive the test.
        let executor = lilith::executor::Local::new(&self.directory).expect("an executor");
        use lilith::executor::Executor;
        for (engine, _) in executor.list_ours().unwrap_or_default() {
            let _ = executor.cancel(&engine, true);
        }
    }
}

/// Someone else, with a folder and an identity of their own.
pub struct Customer {
    pub place: TempDir,
    pub fingerprint: String,
}

impl Customer {
    /// Has the input, the redacted circuit and the keys.
    pub fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let copy = |from: &str, to: &str| {
            fs::copy(repository(from), place.path().join(to)).expect("copied");
        };
        copy(&format!("{CIRCUIT}/model.compiled"), "full.compiled");
        copy(&format!("{CIRCUIT}/input.json"), "input.json");
        copy(&format!("{CIRCUIT}/settings.json"), "settings.json");
        copy("tests/vectors/srs/kzg10.srs", "kzg.srs");
        let mut customer = Self { place, fingerprint: String::new() };
        let redact = ["redact", "-M", "full.compiled", "-O", "model.compiled", "--yes"];
        customer.succeed(&redact);
        fs::remove_file(customer.file("full.compiled")).expect("removed");
        customer.succeed(&["setup", "--srs-path", "kzg.srs"]);
        customer.fingerprint = customer.succeed(&["identity"]).trim().into();
        customer
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Their `twain`.
    pub fn twain(&self, arguments: &[&str]) -> Command {
        let mut command = quiet(twain());
        command.current_dir(self.place.path()).args(arguments);
        command.env("HOME", self.place.path()).env_remove("XDG_CONFIG_HOME");
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.twain(arguments).output().expect("starts")
    }

    /// The same, which must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The identifier in what `job` prints.
pub fn recipe_id(said: &str) -> String {
    let (_, rest) = said.split_once("Recipe scheduled w/ id: ").expect("an identifier");
    rest.split(';').next().unwrap_or_default().to_string()
}
