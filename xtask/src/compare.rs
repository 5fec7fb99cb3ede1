//! One circuit, both tools: equal keys, equal witness, proofs that the other accepts.

use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read, read_json, sha256, write_json};
use crate::twain::Twain;
use std::path::Path;

/// Compares our tool with what EZKL made of a circuit; `made` is a folder for our files. The answer
/// lists what is different.
pub fn compare(
    twain: &Twain,
    ezkl: &Ezkl,
    reference: &Folder,
    made: &Folder,
    srs: &Path,
) -> Result<Vec<String>, Error> {
    std::fs::create_dir_all(&made.0).map_err(Error::file(&made.0))?;
    let settings = reference.settings()?;
    let mut differences = Vec::new();
    let mut note = |what: &str, result: Result<bool, Error>| match result {
        Ok(true) => true,
        Ok(false) => {
            differences.push(format!("{what} differs"));
            false
        }
        Err(error) => {
            differences.push(format!("{what}: {error}"));
            false
        }
    };
    let set_up = note("setup", twain.setup(reference, made, srs).map(|()| true));
    if set_up {
        note("vk.key", same(reference, made, "vk.key"));
        note("pk.key", same_proving_key(reference, made));
    }
    let run = twain.witness(reference, made, srs, settings).map(|()| true);
    let has_witness = note("gen-witness", run);
    if has_witness {
        note("witness.json", same(reference, made, "witness.json"));
    }
    if set_up && has_witness {
        let proof = twain.prove(reference, made, made, srs, false);
        if note("prove", proof.map(|_| true)) {
            let accepted = ezkl.verify(reference, srs, &made.at("proof.json"));
            note("our proof, by EZKL", accepted.map(|()| true));
        }
    }
    let accepted = twain.verify(reference, srs, &reference.at("proof.json"));
    note("EZKL's proof, by us", accepted.map(|()| true));
    // The check above would mean nothing if anything were accepted.
    let altered = alter(&reference.at("proof.json"), &made.at("altered.json"));
    let rejected =
        altered.map(|()| twain.verify(reference, srs, &made.at("altered.json")).is_err());
    note("EZKL's proof with one bit changed, by us", rejected);
    Ok(differences)
}

/// Whether a file has the same bytes in both folders.
pub fn same(reference: &Folder, made: &Folder, name: &str) -> Result<bool, Error> {
    Ok(read(&reference.at(name))? == read(&made.at(name))?)
}

/// Whether the proving keys are the same; in place of the reference's its digest may be there, as
/// `sha256sum` prints it.
pub fn same_proving_key(reference: &Folder, made: &Folder) -> Result<bool, Error> {
    let digest = if reference.has("pk.key") {
        sha256(&reference.at("pk.key"))?
    } else {
        let line = String::from_utf8_lossy(&read(&reference.at("pk.sha256"))?).into_owned();
        line.split_whitespace().next().unwrap_or_default().to_owned()
    };
    Ok(digest == sha256(&made.at("pk.key"))?)
}

/// Writes a proof with the lowest bit of its last byte changed: the opening's last coordinate.
fn alter(from: &Path, to: &Path) -> Result<(), Error> {
    let mut proof = read_json(from)?;
    let missing = || Error::content(from.display(), "it holds no proof");
    let last = proof["proof"].as_array_mut().and_then(|bytes| bytes.last_mut());
    let last = last.ok_or_else(missing)?;
    *last = (last.as_u64().ok_or_else(missing)? ^ 1).into();
    let bytes: Vec<u8> = serde_json::from_value(proof["proof"].clone()).map_err(|_| missing())?;
    proof["hex_proof"] = format!("0x{}", hex::encode(bytes)).into();
    write_json(to, &proof)
}
