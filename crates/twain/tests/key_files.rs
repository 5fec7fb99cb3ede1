//! Key files through reading and writing: EZKL's come out as they went in, and its proofs verify.

use std::path::{Path, PathBuf};
use twain::key_files::{
    KeyFileError, read_proving_key, read_srs, read_verifier_srs, read_verifying_key,
    write_proving_key, write_verifying_key,
};
use twain_artifacts::key::KeyFormat;
use twain_artifacts::{Proof, read_settings};
use twain_circuit::{ProductTree, configure};
use twain_plonk::{ConstraintSystem, KeyError, generate_keys, verify};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name)
}

fn srs_path(k: u32) -> PathBuf {
    folder("srs").join(format!("kzg{k}.srs"))
}

fn configured(folder: &Path) -> (ConstraintSystem, u32) {
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let system = configure(&settings, ProductTree::FullySplit).unwrap().0;
    (system, settings.run_args.logrows)
}

/// The folders whose proofs were made by EZKL: those of the repository, and of `TWAIN_VECTORS`.
fn folders() -> Vec<PathBuf> {
    let more = std::env::var_os("TWAIN_VECTORS").map(PathBuf::from);
    let roots = [Some(folder("")), more].into_iter().flatten();
    let entries = roots.flat_map(|root| std::fs::read_dir(root).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.join("proof.json").exists()).collect()
}

#[test]
fn proofs_of_ezkl_verify_from_files() {
    let folders = folders();
    assert!(folders.len() >= 8);
    for folder in folders {
        let (system, k) = configured(&folder);
        let path = folder.join("vk.key");
        let key = read_verifying_key(&path, KeyFormat::RawBytes, system, k).unwrap();
        // Any size of SRS will do for the verifier if the secret is the same.
        let near = folder.parent().unwrap().join(format!("kzg{k}.srs"));
        let srs = if near.exists() { near } else { srs_path(k) };
        let srs = read_verifier_srs(&srs).unwrap();
        let proof = Proof::read(&folder.join("proof.json")).unwrap();
        verify(&key, &srs, &proof.instances, &proof.proof)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("vk.key");
        write_verifying_key(&copy, KeyFormat::RawBytes, &key).unwrap();
        assert!(std::fs::read(path).unwrap() == std::fs::read(copy).unwrap());
    }
}
