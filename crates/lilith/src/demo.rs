//! `lilith demo`: a company's server and its customer on one machine, by the commands that both
//! would type: the server starts, a model becomes a project, the customer proves with an
//! invitation.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const NETWORK: &[u8] = include_bytes!("../../cli/demo/network.onnx");
const INPUT: &[u8] = include_bytes!("../../cli/demo/input.json");

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or a process.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("{command} failed:\n{said}")]
    Failed {
        /// Which.
        command: String,
        /// What it said.
        said: String,
    },
}

fn io<T>(doing: &str, result: std::io::Result<T>) -> Result<T, DemoError> {
    result.map_err(|source| DemoError::Io { doing: doing.into(), source })
}

/// Someone with a folder, who types commands.
struct Person {
    name: &'static str,
    folder: PathBuf,
    /// `lilith` or `twain`, each with its path.
    programs: [(&'static str, PathBuf); 2],
    environment: Vec<(&'static str, String)>,
}

impl Person {
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = self.programs.iter().find(|(name, _)| *name == program);
        let mut command = Command::new(path.map_or(Path::new(program), |(_, path)| path));
        command.args(arguments).current_dir(&self.folder).env("HOME", &self.folder);
        command.env_remove("XDG_CONFIG_HOME").envs(self.environment.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    fn type_in(&self, program: &str, arguments: &[&str]) {
        let words = arguments.iter().map(|word| match word.contains(' ') {
            true => format!("\"{word}\""),
            false => word.to_string(),
        });
        println!("{}$ {program} {}", self.name, words.collect::<Vec<_>>().join(" "));
    }

    /// Runs a command to its end; what it printed.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, DemoError> {
        self.type_in(program, arguments);
        let output = io(program, self.command(program, arguments).output())?;
        if !output.status.success() {
            let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
            said.push_str(&String::from_utf8_lossy(&output.stderr));
            return Err(DemoError::Failed { command: program.into(), said });
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    }
}

/// A process that ends with the demo.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Shows it all.
pub fn run(twain: Option<&Path>) -> Result<(), DemoError> {
    let lilith = io("finding this program", std::env::current_exe())?;
    let twain = twain.map(Path::to_path_buf).unwrap_or_else(|| lilith.with_file_name("twain"));
    let twain = io(&format!("finding twain at {}", twain.display()), fs::canonicalize(&twain))?;
    let place = io("making a folder", tempfile::tempdir())?;
    let programs = [("lilith", lilith), ("twain", twain)];
    let person = |name: &'static str| -> Result<Person, DemoError> {
        let folder = place.path().join(name);
        io("making a folder", fs::create_dir(&folder))?;
        Ok(Person { name, folder, programs: programs.clone(), environment: Vec::new() })
    };
    let (mut company, customer) = (person("company")?, person("customer")?);
    io("writing the model", fs::write(company.folder.join("network.onnx"), NETWORK))?;
    io("writing the input", fs::write(customer.folder.join("input.json"), INPUT))?;

    let (_server, address, token) = start(&company)?;
    company.environment =
        vec![("LILITH_SERVER_URL", address.clone()), ("LILITH_API_KEY", token.clone())];
    company.run(
        "lilith",
        &["create-artifact", "-a", "credit", "--side", "model", "-m", "network.onnx"],
    )?;
    let settings = "gen-settings -K 10 --decomp-base 128 --decomp-legs 3";
    let chain = [
        settings,
        "compile-circuit",
        "gen-srs --srs-path kzg.srs --logrows 10",
        "setup --srs-path kzg.srs",
        "redact --yes",
    ];
    let mut job = vec!["job", "-a", "credit", "--wait"];
    chain.iter().for_each(|line| job.extend(["--command", line]));
    company.run("lilith", &job)?;

    let fingerprint = customer.run("twain", &["identity"])?;
    company.run("lilith", &["peer", "add", "-a", "credit", "customer", &fingerprint])?;
    let invitation = company.run("lilith", &["invite", "-a", "credit", "--peer", "customer"])?;
    println!("{invitation}");
    for file in ["model.redacted.compiled", "kzg.srs", "settings.json"] {
        let to = customer.folder.join(file);
        let get = ["download-artifact", "-a", "credit", "-f", file, "-o", &to.to_string_lossy()];
        company.run("lilith", &get)?;
    }
    let circuit = ["-M", "model.redacted.compiled", "--srs-path", "kzg.srs"];
    customer.run("twain", &[&["setup"], &circuit[..]].concat())?;

    let line = "prove --id model --local-addr auto --srs-path kzg.srs";
    let job = ["job", "-a", "credit", "--wait", "--command", line];
    company.type_in("lilith", &job);
    let hosted = company.command("lilith", &job).stdout(Stdio::piped()).spawn();
    let hosted = io("starting a job", hosted)?;
    let prove = ["prove", "--id", "data", "--invite", &invitation];
    customer.run("twain", &[&prove, &circuit[..]].concat())?;
    let said = io("waiting for the job", hosted.wait_with_output())?;
    if !said.status.success() {
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        return Err(DemoError::Failed { command: "the hosted side".into(), said });
    }
    println!("{}", customer.run("twain", &["verify", "--srs-path", "kzg.srs"])?);
    println!("\nThe pages: {address} (log in with the token {token})");
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        println!("Enter ends the server.");
        let _ = std::io::stdin().lock().read_line(&mut String::new());
    }
    Ok(())
}

/// The company's server, its address and its first token.
fn start(company: &Person) -> Result<(Running, String, String), DemoError> {
    let free = io("finding a free port", TcpListener::bind("127.0.0.1:0"))?;
    let port = io("finding a free port", free.local_addr())?.port().to_string();
    drop(free);
    let twain = company.programs[1].1.to_string_lossy().into_owned();
    let serve = [
        "serve",
        "--dir",
        "lilith",
        "--listen",
        "127.0.0.1:0",
        "--peer-ports",
        &port,
        "--allow-gen-srs",
    ];
    company.type_in("lilith", &serve);
    let mut command = company.command("lilith", &[&serve[..], &["--twain", &twain]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut server = Running(io("starting the server", child)?);
    let mut token = String::new();
    for line in server.0.stdout.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
        let line = io("reading what the server says", line)?;
        if let Some(text) = line.strip_prefix("admin token (shown once): ") {
            token = text.into();
        }
        if let Some(address) = line.strip_prefix("listening on ") {
            return Ok((server, address.into(), token));
        }
    }
    let said = "it ended before it listened".into();
    Err(DemoError::Failed { command: "lilith serve".into(), said })
}
