//! The commands of README.md, run as they stand there by people who start with nothing but their
//! own files: in one folder (Alone), and in two with a home each (With a peer).

mod processes;

use processes::{free_ports, repository, succeed};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use tempfile::TempDir;

const NETWORK: &str = "tests/models/credit_mlp_wide";
const CEREMONY: &str = "powersOfTau28_hez_final_15.ptau";

/// What a section of the README tells its reader to do.
#[derive(Debug)]
enum Step {
    /// Commands of the two sides, which they run at the same time.
    Run { alice: String, bob: String },
    /// Alice gives Bob these files.
    Give(Vec<String>),
}

/// The lines of a section.
fn section(title: &str) -> Vec<String> {
    let text = fs::read_to_string(repository("README.md")).unwrap();
    let lines = text.lines().skip_while(|line| *line != format!("## {title}")).skip(1);
    lines.take_while(|line| !line.starts_with("## ")).map(|line| line.trim().to_string()).collect()
}

/// The steps of the walkthrough: a block of commands is one, `\` continues a line.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut in_block, mut continued) = (false, None);
    for line in section("With a peer") {
        let command = ["alice$", "bob$"]
            .into_iter()
            .find_map(|prompt| Some((prompt, line.strip_prefix(prompt)?)))
            .or_else(|| Some((continued?, line.as_str())));
        let Some((prompt, command)) = command else {
            in_block = false;
            if line.starts_with("Alice gives Bob") {
                let names = line.split('`').skip(1).step_by(2).map(str::to_string);
                steps.push(Step::Give(names.collect()));
            }
            continue;
        };
        if !in_block {
            steps.push(Step::Run { alice: String::new(), bob: String::new() });
        }
        in_block = true;
        continued = command.ends_with('\\').then_some(prompt);
        if let Some(Step::Run { alice, bob }) = steps.last_mut() {
            let script = if prompt == "alice$" { alice } else { bob };
            script.push_str(command.trim());
            script.push('\n');
        }
    }
    steps
}

/// A person at a machine: a home, and a folder they work in.
struct Person(TempDir);

impl Person {
    /// Has these files of the network's folder under these names, and the file of the ceremony.
    fn with(files: &[(&str, &str)], ceremony: &Path) -> Self {
        let person = Person(tempfile::tempdir().unwrap());
        fs::create_dir(person.folder()).unwrap();
        for (from, to) in files {
            fs::copy(repository(NETWORK).join(from), person.file(to)).unwrap();
        }
        fs::hard_link(ceremony, person.file(CEREMONY)).unwrap();
        person
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("work")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Runs commands in their shell, with `twain` installed.
    fn run(&self, script: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_twain")).parent().unwrap();
        let mut path = std::ffi::OsString::from(program);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", script]).current_dir(self.folder()).env("PATH", path);
        shell.env("HOME", self.0.path()).env_remove("XDG_CONFIG_HOME");
        shell.env_remove("RUST_LOG").env_remove("EZKL_KEY_FORMAT");
        shell.output().expect("a shell")
    }

    /// The same, which must succeed; the standard output.
    fn succeed(&self, script: &str) -> String {
        let output = self.run(script);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn files(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.folder()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// A file of a ceremony, as far as it is looked at: powers of 2^16 rows' test SRS in snarkjs' form.
fn ceremony(folder: &Path) -> PathBuf {
    succeed(folder, &["gen-srs", "--logrows", "16", "--srs-path", "kzg16.srs"]);
    let srs = fs::read(folder.join("kzg16.srs")).unwrap();
    let head = fs::read(repository("tests/srs/powers-8.ptau")).unwrap();
    // Magic, version, number of sections; the header's section up to the power.
    let mut file = head[..12].to_vec();
    file[8] = 3;
    let header =
        head.windows(12).position(|at| at == [1, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    file.extend(&head[header..header + 12 + 36]);
    file.extend([15u32, 15].map(u32::to_le_bytes).concat());
    let g1 = &srs[4..4 + 64 * ((1 << 16) - 1)];
    let mut g2 = srs[srs.len() - 256..].to_vec();
    g2.resize(128 << 15, 0);
    for (kind, content) in [(2u32, g1), (3, &g2)] {
        file.extend(kind.to_le_bytes());
        file.extend((content.len() as u64).to_le_bytes());
        file.extend(content);
    }
    let path = folder.join(CEREMONY);
    fs::write(&path, file).unwrap();
    path
}

#[test]
fn alone() {
    let place = tempfile::tempdir().unwrap();
    let files = ["network.onnx", "input.json"].map(|name| (name, name));
    let files = [files[0], files[1], ("input.json", "samples.json")];
    let person = Person::with(&files, &ceremony(place.path()));
    let lines = section("Alone");
    let commands: Vec<_> = lines.iter().filter(|line| line.starts_with("twain ")).collect();
    assert!(commands.len() > 8, "{commands:?}");
    let said = commands.iter().map(|command| person.succeed(command)).collect::<String>();
    assert!(said.trim().ends_with("verified: true"), "{said}");
}

#[test]
fn with_a_peer() {
    let place = tempfile::tempdir().unwrap();
    let ceremony = ceremony(place.path());
    let samples = ("input.json", "samples.json");
    let alice = Person::with(&[("network.onnx", "network.onnx"), samples], &ceremony);
    let bob = Person::with(&[("input.json", "input.json")], &ceremony);
    let [alices_port, bobs_port] = free_ports().map(|port| port.to_string());
    let mut fingerprints = [String::new(), String::new()];
    let mut verified = false;
    for step in steps() {
        let (mut scripts, people) = match step {
            Step::Run { alice: by_alice, bob: by_bob } => ([by_alice, by_bob], [&alice, &bob]),
            Step::Give(names) => {
                assert!(!names.is_empty());
                for name in names {
                    fs::copy(alice.file(&name), bob.file(&name)).unwrap();
                }
                continue;
            }
        };
        for script in &mut scripts {
            *script = script
                .replace("0.0.0.0:7001", &format!("127.0.0.1:{alices_port}"))
                .replace("0.0.0.0:7000", &format!("127.0.0.1:{bobs_port}"))
                .replace("alice.example:7001", &format!("127.0.0.1:{alices_port}"))
                .replace("bob.example:7000", &format!("127.0.0.1:{bobs_port}"))
                .replace("ALICES_FINGERPRINT", &fingerprints[0])
                .replace("BOBS_FINGERPRINT", &fingerprints[1]);
        }
        let said = thread::scope(|scope| {
            let other = scope.spawn(|| people[1].succeed(&scripts[1]));
            [people[0].succeed(&scripts[0]), other.join().expect("Bob's commands succeed")]
        });
        verified |= said[1].trim().ends_with("verified: true");
        if scripts[0].trim() == "twain identity" {
            fingerprints = said.map(|text| text.trim().to_string());
        }
    }
    assert!(verified);
    assert_eq!(
        fs::read(alice.file("proof.json")).unwrap(),
        fs::read(bob.file("proof.json")).unwrap()
    );
    let bobs = ["input.json", "model.redacted.compiled", "settings.json", "pk.key", "vk.key"];
    let bobs = bobs.into_iter().chain(["proof.json", CEREMONY]).map(str::to_string);
    assert_eq!(bob.files(), bobs.collect(), "all Bob ever has");
}
