//! What the command says of itself: version, help with examples, completions, manual pages; and how
//! much it says.

mod processes;

use clap::{CommandFactory, Parser};
use processes::{repository, succeed, twain};
use std::fs;
use twain_cli::arguments::Arguments;

const RELU: &str = "1l_relu-k8-private";

#[test]
fn the_version_names_ezkls() {
    let said = succeed(&repository("."), &["--version"]);
    let start = concat!("twain ", env!("CARGO_PKG_VERSION"), " (");
    let rest = said.strip_prefix(start).and_then(|rest| rest.strip_suffix("EZKL 23.0.5)\n"));
    let rest = rest.unwrap_or_else(|| panic!("{said}"));
    // The commit is known in a clone only.
    let commit = rest.strip_prefix("commit ").and_then(|rest| rest.strip_suffix(", "));
    assert!(rest.is_empty() || commit.is_some_and(|it| it.len() == 10), "{said}");
}

#[test]
fn every_command_has_an_example_that_is_one() {
    for command in Arguments::command().get_subcommands() {
        let name = command.get_name();
        if name == "help" {
            continue;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<&str> =
            help.lines().map(str::trim).filter(|line| line.starts_with("twain ")).collect();
        assert!(!examples.is_empty(), "{name} has none");
        let fingerprint = format!("sha256:{}", "ab".repeat(32));
        for example in examples {
            // Up to a remark in brackets, or what the shell does with it.
            let words = example.split(" (").next().unwrap_or_default();
            let words = words.split(" > ").next().unwrap_or_default();
            let words = words.split_whitespace().map(|word| match word {
                "FINGERPRINT" => fingerprint.as_str(),
                word => word,
            });
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn completions_and_manual_pages_have_every_command() {
    let names: Vec<String> = Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_string())
        .filter(|name| name != "help")
        .collect();
    let script = succeed(&repository("."), &["completions", "bash"]);
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["man-pages", "."]);
    for name in names {
        assert!(script.contains(&format!("twain,{name})")), "{name}");
        let page = fs::read_to_string(folder.path().join(format!("twain-{name}.1"))).unwrap();
        assert!(page.contains(".TH"), "{name}");
    }
    let missing = twain(folder.path()).args(["man-pages", "none"]).output().unwrap();
    assert_ne!(missing.status.code(), Some(0));
}

#[test]
fn it_says_as_much_as_is_wanted() {
    let vector = repository("tests/vectors").join(RELU);
    let said = |flags: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = twain(folder.path());
        command.args(flags).arg("gen-witness").arg("-M").arg(vector.join("model.compiled"));
        let output = command.arg("-D").arg(vector.join("input.json")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (last_line, usual) = said(&[]);
    assert!(last_line.starts_with("written "));
    let (quiet_last_line, quiet) = said(&["-q"]);
    assert_eq!((&quiet_last_line, quiet.as_str()), (&last_line, ""));
    let (_, verbose) = said(&["-v"]);
    assert!(verbose.len() >= usual.len(), "{verbose}");
    let both = twain(&repository(".")).args(["-q", "-v", "identity"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2));
}
