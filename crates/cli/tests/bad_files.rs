//! Files that are cut short, changed, or not what they should be, for every command that reads
//! them: one line that names the file and says what to do, an exit status of docs/errors.md, and
//! what was there stays as it was.

mod processes;

use processes::{Side, Site, one_error, repository, run, succeed};
use std::fs;
use std::path::{Path, PathBuf};

const VECTOR: &str = "1l_relu-k8-private";
const OUTPUTS: [&str; 5] = ["out.json", "out.vk", "out.pk", "out.compiled", "out.srs"];

const GEN_WITNESS: &[&str] = &["gen-witness", "-O", "out.json"];
const SETUP: &[&str] =
    &["setup", "--srs-path", "kzg.srs", "--vk-path", "out.vk", "--pk-path", "out.pk"];
const PROVE: &[&str] = &["prove", "--srs-path", "kzg.srs", "--proof-path", "out.json"];
const VERIFY: &[&str] = &["verify", "--srs-path", "kzg.srs"];
const VK_FROM_PK: &[&str] = &["gen-vk-from-pk", "--vk-path", "out.vk"];
const COMPILE: &[&str] = &["compile-circuit", "--compiled-circuit", "out.compiled"];

/// A command, and the files it reads.
const COMMANDS: [(&[&str], &[&str]); 11] = [
    (GEN_WITNESS, &["model.compiled", "input.json"]),
    (&["mock"], &["model.compiled", "witness.json"]),
    (SETUP, &["model.compiled", "kzg.srs"]),
    (PROVE, &["model.compiled", "kzg.srs", "pk.key", "witness.json"]),
    (VERIFY, &["settings.json", "proof.json", "vk.key", "kzg.srs"]),
    (VK_FROM_PK, &["pk.key", "settings.json"]),
    (&["redact", "-O", "out.compiled", "--yes"], &["model.compiled"]),
    (&["bind-params", "-O", "out.compiled"], &["model.compiled"]),
    (COMPILE, &["settings.json", "network.onnx"]),
    (&["get-srs", "--from", "kzg.srs", "--srs-path", "out.srs"], &["kzg.srs", "settings.json"]),
    (&["get-srs", "--from", "powers.ptau", "--srs-path", "out.srs"], &["powers.ptau"]),
];

/// A folder with one of everything, and old outputs.
fn everything() -> (Site, PathBuf) {
    let site = Site::vector(VECTOR);
    let folder = site.folder(Side::Model);
    for name in ["settings.json", "vk.key"] {
        fs::copy(site.path(name), folder.join(name)).unwrap();
    }
    let vector = repository("tests/vectors").join(VECTOR);
    for name in ["input.json", "network.onnx"] {
        fs::copy(vector.join(name), folder.join(name)).unwrap();
    }
    fs::copy(repository("tests/srs/powers-8.ptau"), folder.join("powers.ptau")).unwrap();
    succeed(&folder, &["gen-witness"]);
    let prove = ["prove", "--srs-path", "kzg.srs"];
    let written = "written proof.json: 3 public values; ";
    assert_eq!(succeed(&folder, &prove), format!("{written}verified: true\n"));
    let unchecked = [&prove[..], &["--check-mode", "unsafe"]].concat();
    let unverified = format!("{written}not verified (--check-mode unsafe)\n");
    assert_eq!(succeed(&folder, &unchecked), unverified);
    let verify = succeed(&folder, &["verify", "--srs-path", "kzg.srs"]);
    assert_eq!(verify, "proof.json: 3 public values; verified: true\n");
    reset_outputs(&folder);
    (site, folder)
}

fn reset_outputs(folder: &Path) {
    OUTPUTS.iter().for_each(|output| fs::write(folder.join(output), "old").unwrap());
}

/// Runs a command that must fail with a line in which all of `words` are.
fn refuses(folder: &Path, arguments: &[&str], words: &[&str], about: &str) {
    let output = run(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let about = format!("{arguments:?}, {about}: {stderr}");
    assert!(output.status.code().is_some_and(|code| (2..=12).contains(&code)), "{about}");
    assert!(!stderr.contains("panicked"), "{about}");
    let message = one_error(&stderr);
    assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {about}");
    for output in OUTPUTS {
        assert_eq!(fs::read(folder.join(output)).unwrap(), b"old", "{about}");
    }
    let left = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?} of {about}");
}

/// As [`refuses`], or it succeeds.
fn refuses_or_reads(folder: &Path, arguments: &[&str], about: &str) {
    if run(folder, arguments).status.success() {
        reset_outputs(folder);
    } else {
        refuses(folder, arguments, &[], about);
    }
}

#[test]
fn damaged() {
    let (_site, folder) = everything();
    for (arguments, files) in COMMANDS {
        for file in files {
            let path = folder.join(file);
            let good = fs::read(&path).unwrap();
            let half = good.len() / 2;
            let damages: [(&str, Vec<u8>); 5] = [
                ("empty", Vec::new()),
                ("of one byte", good[..1].to_vec()),
                ("half", good[..half].to_vec()),
                ("cut by a byte", good[..good.len() - 1].to_vec()),
                ("of ones", vec![0xff; 4096]),
            ];
            for (damage, content) in damages {
                fs::write(&path, content).unwrap();
                refuses(&folder, arguments, &[file], &format!("{file} {damage}"));
            }
            // What has changed or grown may still be read.
            let longer = [&good[..], &[0x20; 4096]].concat();
            fs::write(&path, longer).unwrap();
            refuses_or_reads(&folder, arguments, &format!("{file} with more at its end"));
            for place in [0, 9, half / 2, half, good.len() - 2] {
                let mut content = good.clone();
                content[place] ^= 0x10;
                fs::write(&path, content).unwrap();
                refuses_or_reads(&folder, arguments, &format!("{file} changed at {place}"));
            }
            fs::remove_file(&path).unwrap();
            refuses(&folder, arguments, &[file], &format!("{file} missing"));
            fs::write(&path, good).unwrap();
        }
    }
}

#[test]
fn whole_but_wrong() {
    let (_site, folder) = everything();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let refuses = |arguments, words: &[&str]| refuses(&folder, arguments, words, "whole but wrong");

    write("input.json", r#"{"input_data":[[1.0,2.0]]}"#);
    refuses(GEN_WITNESS, &["input.json", "2 elements", "shape"]);
    write("input.json", r#"{"input_data":[]}"#);
    refuses(GEN_WITNESS, &["input.json", "0 lists"]);
    let good = fs::read_to_string(repository("tests/vectors").join(VECTOR).join("input.json"));
    let mut input: serde_json::Value = serde_json::from_str(&good.unwrap()).unwrap();
    input["input_data"][0][0] = 1e15.into();
    write("input.json", &input.to_string());
    refuses(GEN_WITNESS, &["input.json", "out of the range", "smaller scale"]);

    // Another circuit's, of the same and of another size.
    let other = |name: &str| repository("tests/vectors").join(name);
    let keep = |name: &str| fs::read(folder.join(name)).unwrap();
    for (name, arguments) in [("pk.key", PROVE), ("vk.key", VERIFY)] {
        let good = keep(name);
        let site = Site::vector("1l_mlp-k9-private");
        let from = if name == "pk.key" { site.file(Side::Model, name) } else { site.path(name) };
        fs::copy(from, folder.join(name)).unwrap();
        refuses(arguments, &[name, "setup"]);
        fs::write(folder.join(name), good).unwrap();
    }
    let good = keep("kzg.srs");
    succeed(&folder, &["gen-srs", "--srs-path", "kzg.srs", "--logrows", "7"]);
    refuses(SETUP, &["kzg.srs", "2^8 rows", "get a larger one"]);
    refuses(PROVE, &["kzg.srs", "2^8 rows", "get a larger one"]);
    succeed(&folder, &["gen-srs", "--srs-path", "kzg.srs", "--logrows", "8"]);
    refuses(PROVE, &["pk.key", "does not verify", "this SRS"]);
    refuses(VERIFY, &["vk.key", "another SRS"]);
    fs::write(folder.join("kzg.srs"), good).unwrap();

    let good = keep("proof.json");
    fs::copy(other("1l_mlp-k9-private/proof.json"), folder.join("proof.json")).unwrap();
    refuses(VERIFY, &["proof.json", "not valid"]);
    fs::write(folder.join("proof.json"), good).unwrap();

    let good = keep("witness.json");
    fs::copy(other("1l_mlp-k9-private/witness.json"), folder.join("witness.json")).unwrap();
    refuses(PROVE, &["witness.json"]);
    fs::write(folder.join("witness.json"), good).unwrap();

    // Of another version.
    let settings = fs::read_to_string(folder.join("settings.json")).unwrap();
    write("settings.json", &settings.replace("23.0.5", "22.2.1"));
    for arguments in [VERIFY, VK_FROM_PK, COMPILE] {
        refuses(arguments, &["settings.json", "22.2.1", "23.0.5", "again"]);
    }
    write("settings.json", &settings);
    let circuit = keep("model.compiled");
    let mut foreign = circuit.clone();
    let (old, new) = (b"23.0.5", b"22.2.1");
    let places: Vec<usize> =
        (0..circuit.len()).filter(|&i| circuit[i..].starts_with(old)).collect();
    places.iter().for_each(|&place| foreign[place..place + new.len()].copy_from_slice(new));
    fs::write(folder.join("model.compiled"), foreign).unwrap();
    for arguments in [GEN_WITNESS, SETUP, PROVE, &["mock"]] {
        refuses(arguments, &["model.compiled", "22.2.1", "23.0.5", "again"]);
    }
    fs::write(folder.join("model.compiled"), circuit).unwrap();
}

/// `setup` writes both keys or none.
#[test]
fn outputs_that_cannot_be_written() {
    let (_site, folder) = everything();
    fs::create_dir(folder.join("folder")).unwrap();
    for (vk, pk, named) in [
        ("out.vk", "folder", "folder"),
        ("folder", "out.pk", "folder"),
        ("out.vk", "nowhere/out.pk", "nowhere"),
        ("nowhere/out.vk", "out.pk", "nowhere"),
    ] {
        let arguments = ["setup", "--srs-path", "kzg.srs", "--vk-path", vk, "--pk-path", pk];
        refuses(&folder, &arguments, &[named, "cannot write"], "unwritable");
    }
    let arguments = ["gen-witness", "-O", "nowhere/witness.json"];
    refuses(&folder, &arguments, &["nowhere", "cannot write"], "unwritable");
    let arguments = ["prove", "--srs-path", "kzg.srs", "--proof-path", "folder"];
    refuses(&folder, &arguments, &["folder", "cannot write"], "unwritable");
}

/// Data given as JSON are no path: an error about them does not repeat them.
#[test]
fn data_on_the_command_line_are_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let vector = repository("tests/vectors/1l_relu-k8-private/model.compiled");
    fs::copy(vector, folder.path().join("model.compiled")).unwrap();
    for data in ["{\"input_data\": [[0.8125]]}", "{\"input_data\": [[0.8125, 1e30, 0.25]]}"] {
        let output = run(folder.path(), &["gen-witness", "-D", data]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains("the data given on the command line"));
        assert!(!stderr.contains("0.8125"), "{stderr}");
    }
}
