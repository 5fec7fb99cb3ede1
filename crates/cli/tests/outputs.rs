//! Where results go: files appear as a whole, links are followed, devices and pipes are written to
//! and stay what they are; what stands in the way is found before a peer has anything.

mod processes;

use processes::{Running, Side, Site, free_ports, one_error, repository, run, succeed, twain};
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::Command;

const VECTOR: &str = "1l_relu-k8-private";

/// A folder in which a witness can be made.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.compiled", "input.json"] {
        let from = repository("tests/vectors").join(VECTOR).join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    folder
}

/// What `gen-witness` says it fails for, which must be the file's fault.
fn refusal(folder: &Path, output: &str) -> String {
    let output = run(folder, &["gen-witness", "-O", output]);
    assert_eq!(output.status.code(), Some(3));
    one_error(&String::from_utf8(output.stderr).unwrap()).to_string()
}

#[test]
fn links_are_followed() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &["gen-witness"]);
    let expected = fs::read(at("witness.json")).unwrap();
    fs::create_dir(at("elsewhere")).unwrap();
    fs::write(at("elsewhere/old.json"), "old").unwrap();
    symlink("elsewhere/old.json", at("to-old")).unwrap();
    symlink("to-new-too", at("to-new")).unwrap();
    symlink("elsewhere/new.json", at("to-new-too")).unwrap();
    for (link, target) in [("to-old", "elsewhere/old.json"), ("to-new", "elsewhere/new.json")] {
        succeed(folder.path(), &["gen-witness", "-O", link]);
        assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
        assert!(fs::read(at(target)).unwrap() == expected, "{target}");
    }
    assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 2, "nothing is left over");

    symlink("round", at("about")).unwrap();
    symlink("about", at("round")).unwrap();
    assert!(refusal(folder.path(), "round").contains("links that lead to each other"));
    assert!(refusal(folder.path(), "elsewhere").contains("directory"));
}

#[test]
fn devices_and_pipes_stay_what_they_are() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    succeed(folder.path(), &["gen-witness"]);
    let expected = fs::read_to_string(at("witness.json")).unwrap();

    // By links, so that a mistake would replace these.
    symlink("/dev/full", at("full")).unwrap();
    symlink("/dev/stdout", at("stdout")).unwrap();
    assert!(refusal(folder.path(), "full").contains("No space left"));
    assert!(fs::metadata(at("full")).unwrap().file_type().is_char_device());
    assert_eq!(succeed(folder.path(), &["gen-witness", "-O", "stdout"]), expected);
    let file = fs::File::create(at("redirected")).unwrap();
    let mut command = twain(folder.path());
    command.args(["gen-witness", "-O", "stdout"]).stdout(file);
    assert!(command.status().unwrap().success());
    assert_eq!(fs::read_to_string(at("redirected")).unwrap(), expected);

    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = at("pipe");
        move || fs::read_to_string(pipe).unwrap()
    });
    succeed(folder.path(), &["gen-witness", "-O", "pipe"]);
    assert_eq!(reader.join().unwrap(), expected);
    assert!(fs::metadata(at("pipe")).unwrap().file_type().is_fifo());
}

/// One side cannot write its proof; both must say so, though the other could.
fn both_stop(start: impl FnOnce(&Site, [u16; 2]) -> Running, complaint: &str) {
    let site = Site::vector(VECTOR);
    let [model, data] = free_ports();
    let hindered = start(&site, [model, data]);
    let other = site.start(Side::Data, data, model, &["--connect-timeout", "20"]);
    let (hindered, other) = (hindered.end(), other.end());
    assert_eq!(hindered.code, Some(3), "{}", hindered.stderr);
    assert!(hindered.failed().contains(complaint), "{}", hindered.stderr);
    let told = "the model's side cannot start: it cannot write its results";
    assert!(other.failed().contains(told), "{}", other.stderr);
}

#[test]
fn a_missing_folder_is_found_before_the_peer_is_met() {
    let flags = ["--connect-timeout", "20", "--proof-path", "missing/proof.json"];
    both_stop(
        |site, [own, remote]| site.start(Side::Model, own, remote, &flags),
        "missing/proof.json: cannot write the proof",
    );
}

#[test]
fn a_full_disk_is_found_before_the_peer_is_met() {
    let start = |site: &Site, [own, remote]: [u16; 2]| {
        let prove = site.prove(Side::Model, own, remote);
        // As a full disk: no file may be longer than a few blocks.
        let mut limited = Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""]);
        limited.arg(prove.get_program()).args(prove.get_args());
        limited.args(["--peer", site.fingerprint(Side::Data), "--connect-timeout", "20"]);
        limited.current_dir(site.folder(Side::Model)).stderr(std::process::Stdio::piped());
        Running::start(limited, site.file(Side::Model, "proof.json"))
    };
    both_stop(start, "proof.json: cannot write the proof");
}
