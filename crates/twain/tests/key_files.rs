//! Key files through reading and writing: EZKL's come out as they went in, and its proofs verify.

use rand_core::OsRng;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use twain::key_files::{
    ExtendedForm, KeyFileError, read_proving_key, read_srs, read_verifier_srs, read_verifying_key,
    read_verifying_keys, write_keys, write_verifying_key,
};
use twain_algebra::Domain;
use twain_artifacts::key::KeyFormat;
use twain_artifacts::{CompiledModel, Proof, read_settings};
use twain_circuit::{ProductTree, configure, lay_out};
use twain_party::{Watched, coset_shifts};
use twain_plonk::{ConstraintSystem, KeyError, check_key, generate_keys, verify_any};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name)
}

fn srs_path(k: u32) -> PathBuf {
    folder("srs").join(format!("kzg{}.srs", k.max(8)))
}

fn configured(folder: &Path) -> (ConstraintSystem, u32) {
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let system = configure(&settings, ProductTree::FullySplit).unwrap().0;
    (system, settings.run_args.logrows)
}

/// The folders of circuits made by EZKL.
fn folders() -> Vec<PathBuf> {
    let roots = [folder(""), folder("../circuit_classes")];
    let entries = roots.iter().flat_map(|root| std::fs::read_dir(root).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let folders: Vec<_> = paths.filter(|path| path.join("proof.json").exists()).collect();
    assert_eq!(folders.len(), 8 + 13);
    folders
}

fn name(folder: &Path) -> &str {
    folder.file_name().and_then(|name| name.to_str()).unwrap()
}

#[test]
fn proofs_of_ezkl_verify_from_files() {
    let mut refused = Vec::new();
    for folder in folders() {
        let settings = read_settings(&folder.join("settings.json")).unwrap();
        let k = settings.run_args.logrows;
        let path = folder.join("vk.key");
        let keys = read_verifying_keys(&path, KeyFormat::RawBytes, &settings);
        let keys = match keys {
            Err(KeyFileError::Layout(_)) => {
                refused.push(name(&folder).to_string());
                continue;
            }
            keys => keys.unwrap(),
        };
        let srs = read_verifier_srs(&srs_path(k)).unwrap();
        let proof = Proof::read(&folder.join("proof.json")).unwrap();
        let wide = ["nine_table_columns-k8", "eighteen_table_columns-k7"].contains(&name(&folder));
        assert_eq!(keys.len() > 1, wide, "{}", folder.display());
        let position = verify_any(&keys, &srs, &proof.instances, &proof.proof)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let key = &keys[position];
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("vk.key");
        write_verifying_key(&copy, KeyFormat::RawBytes, key).unwrap();
        assert!(std::fs::read(path).unwrap() == std::fs::read(copy).unwrap());
    }
    // What may be refused, by name, as long as the circuit layer lacks it.
    let known = ["freivalds-k10", "hashed_input-k11"];
    assert!(refused.iter().all(|name| known.contains(&&name[..])), "{refused:?}");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From `model.compiled` and the SRS alone, both keys come out as EZKL's `setup` writes them.
#[test]
fn keys_of_compiled_circuits_equal_those_of_ezkl() {
    let mut refused = Vec::new();
    let directory = tempfile::tempdir().unwrap();
    let (vk_path, pk_path) = (directory.path().join("vk.key"), directory.path().join("pk.key"));
    for folder in folders() {
        let digest = std::fs::read_to_string(folder.join("pk.sha256")).unwrap();
        let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
        let layout = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit);
        let Ok(circuit) = layout else {
            refused.push(name(&folder).to_string());
            continue;
        };
        let k = circuit.assembly.k;
        let srs = read_srs(&srs_path(k), k, &mut OsRng, &Watched::default()).unwrap();
        let expected = std::fs::read(folder.join("vk.key")).unwrap();
        let compress = expected[2] == 1;
        let key = generate_keys(circuit.cs.clone(), circuit.assembly, &srs, compress).unwrap();
        write_keys(&vk_path, &pk_path, KeyFormat::RawBytes, &key, &Watched::default()).unwrap();
        assert!(std::fs::read(&vk_path).unwrap() == expected, "{}", folder.display());
        let ours = sha256(&std::fs::read(&pk_path).unwrap());
        assert_eq!(digest.split_whitespace().next(), Some(&ours[..]), "{}", folder.display());
        let read = |form| {
            let (cs, watched) = (circuit.cs.clone(), Watched::default());
            read_proving_key(&pk_path, KeyFormat::RawBytes, cs, k, form, &watched).unwrap()
        };
        assert!(read(ExtendedForm::Skip) == key);
        let with_cosets = read(ExtendedForm::Read);
        let shifts = coset_shifts(k, with_cosets.system().quotient_pieces()).unwrap();
        let domain = Domain::new(k).unwrap();
        let sigma = with_cosets.sigma();
        for (coset, shift) in shifts.into_iter().enumerate() {
            assert!(sigma.cosets[0][coset] == domain.coset_ntt(&sigma.coefficients[0], shift));
        }
    }
    let known = ["arg_max-k10", "freivalds-k10", "hashed_input-k11", "max_pool-k10"];
    assert!(refused.iter().all(|name| known.contains(&&name[..])), "{refused:?}");
}

#[test]
fn formats_and_sizes() {
    let folder = folder("1l_relu-k8-private");
    let (system, k) = configured(&folder);
    let path = folder.join("vk.key");
    let read = |path: &Path, format, system: &ConstraintSystem, k| {
        read_verifying_key(path, format, system.clone(), k)
    };
    let key = read(&path, KeyFormat::RawBytes, &system, k).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("vk.key");
    write_verifying_key(&copy, KeyFormat::Processed, &key).unwrap();
    assert!(read(&copy, KeyFormat::Processed, &system, k).unwrap() == key);
    assert!(matches!(read(&copy, KeyFormat::RawBytes, &system, k), Err(KeyFileError::File(_))));

    let rows = read(&path, KeyFormat::RawBytes, &system, 9);
    assert!(matches!(rows, Err(KeyFileError::Rows { expected: 9, found: 8, .. })));
    // Settings of another circuit, with as many columns of the permutation and selectors.
    let mut other = system.clone();
    other.fixed_column();
    let error = read(&path, KeyFormat::RawBytes, &other, k);
    let Err(KeyFileError::Key { source, .. }) = error else { panic!("{error:?}") };
    assert!(matches!(source, KeyError::Commitments { expected: 13, found: 12, .. }));
}

#[test]
fn a_larger_srs_is_cut_down() {
    let (small, cut) = (
        read_srs(&srs_path(8), 8, &mut OsRng, &Watched::default()).unwrap(),
        read_srs(&srs_path(9), 8, &mut OsRng, &Watched::default()).unwrap(),
    );
    // The two files have different secrets, so only their shapes agree.
    assert_eq!((small.k(), cut.k()), (8, 8));
    let whole = read_srs(&srs_path(9), 9, &mut OsRng, &Watched::default()).unwrap();
    assert_eq!(cut.g().points(0..256), whole.g().points(0..256));
    assert_eq!(cut, whole.downsize(8).unwrap());
    let error =
        read_srs(&srs_path(9), 10, &mut OsRng, &Watched::default()).unwrap_err().to_string();
    assert!(error.ends_with("get a larger one"), "{error}");
}

/// A key whose permutation lacks a copy, or joins two more cells, proves something else: its peer
/// could tie a guess to a secret, or let parameters loose from their commitment.
#[test]
fn a_key_of_another_circuit_is_told_from_the_circuit_s_own() {
    let compiled = CompiledModel::read(&folder("1l_relu-k8-private/model.compiled")).unwrap();
    let lay = || lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap();
    let (circuit, srs) =
        (lay(), read_srs(&srs_path(8), 8, &mut OsRng, &Watched::default()).unwrap());
    let key =
        |assembly, compress| generate_keys(circuit.cs.clone(), assembly, &srs, compress).unwrap();
    let mut fewer = lay().assembly;
    fewer.copies.pop();
    let mut more = lay().assembly;
    more.copies.push((more.copies[0].0, more.copies[more.copies.len() - 1].0));
    let mut fixed = lay().assembly;
    fixed.fixed[0][0] += twain_algebra::Fr::one();
    let check = |key| check_key(&key, &circuit.cs, &circuit.assembly, &Watched::default());
    for compress in [true, false] {
        check(key(lay().assembly, compress)).unwrap();
        for wrong in [&fewer, &more, &fixed] {
            let checked = check(key(wrong.clone(), compress));
            assert!(matches!(checked, Err(KeyError::OtherCircuit)), "{checked:?}");
        }
    }
}
