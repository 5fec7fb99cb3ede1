//! EZKL's proofs, with one bit changed in the proof, in an instance, or in the verifying key: none is
//! accepted. One bit of every field of every file is tried, another one in each vector.

use ff::Field;
use std::fs;
use std::path::{Path, PathBuf};
use twain::key_files::{check_selectors, read_verifier_srs, read_verifying_keys};
use twain_algebra::Fr;
use twain_artifacts::key::KeyFormat;
use twain_artifacts::{Proof, read_settings};
use twain_graph::Settings;
use twain_party::Watched;
use twain_plonk::{VerifierSrs, verify_any};

/// Bytes of a coordinate or a scalar.
const FIELD: usize = 32;
/// Bytes before the points of a verifying key.
const HEAD: usize = 7;

struct Case {
    settings: Settings,
    key: Vec<u8>,
    srs_path: PathBuf,
    srs: VerifierSrs,
    proof: Proof,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let settings = read_settings(&folder.join("settings.json")).unwrap();
        let srs_path = folder.join(format!("../srs/kzg{}.srs", settings.run_args.logrows));
        Self {
            key: fs::read(folder.join("vk.key")).unwrap(),
            srs: read_verifier_srs(&srs_path).unwrap(),
            srs_path,
            proof: Proof::read(&folder.join("proof.json")).unwrap(),
            settings,
        }
    }

    /// Whether the key, as a file, is one, and accepts the proof.
    fn accepts_with_key(&self, path: &Path, key: &[u8]) -> bool {
        fs::write(path, key).unwrap();
        let Proof { instances, proof, .. } = &self.proof;
        match read_verifying_keys(path, KeyFormat::RawBytes, &self.settings) {
            Ok(keys) => {
                verify_any(&keys, &self.srs, instances, proof).is_ok()
                    && check_selectors(path, &keys[0], &self.srs_path, &Watched::default()).is_ok()
            }
            Err(_) => false,
        }
    }
}

fn flipped(bytes: &[u8], byte: usize, bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[byte] ^= 1 << (bit % 8);
    bytes
}

fn vectors() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|f| f.join("proof.json").exists()).collect();
    folders.sort();
    assert_eq!(folders.len(), 8);
    folders
}

#[test]
fn of_a_proof_or_an_instance() {
    for (number, folder) in vectors().iter().enumerate() {
        let case = Case::read(folder);
        let path = folder.join("vk.key");
        let keys = read_verifying_keys(&path, KeyFormat::RawBytes, &case.settings).unwrap();
        let accepts = |instances: &[Vec<Fr>], proof: &[u8]| {
            verify_any(&keys, &case.srs, instances, proof).is_ok()
        };
        let Proof { instances, proof, .. } = &case.proof;
        assert!(accepts(instances, proof));
        for (field, start) in (0..proof.len()).step_by(FIELD).enumerate() {
            let byte = start + (field + number) % FIELD;
            let changed = flipped(proof, byte, field / FIELD + number);
            assert!(!accepts(instances, &changed), "{}: byte {byte}", folder.display());
        }
        for column in 0..instances.len() {
            for row in 0..instances[column].len() {
                let mut changed = instances.clone();
                changed[column][row] += Fr::from(2).pow([(17 * row + number) as u64 % 253]);
                assert!(!accepts(&changed, proof), "{}: row {row}", folder.display());
            }
        }
    }
}

#[test]
fn of_a_verifying_key() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vk.key");
    for (number, folder) in vectors().iter().enumerate() {
        let case = Case::read(folder);
        assert!(case.accepts_with_key(&path, &case.key));
        let head = 0..HEAD;
        let fields = (HEAD..case.key.len() - FIELD).step_by(FIELD).enumerate();
        let fields = fields.map(|(field, start)| start + (5 * field + number) % FIELD);
        for byte in head.chain(fields) {
            let changed = flipped(&case.key, byte, byte / FIELD + number);
            let accepted = case.accepts_with_key(&path, &changed);
            assert!(!accepted, "{}: byte {byte} of {}", folder.display(), case.key.len());
        }
    }
}
