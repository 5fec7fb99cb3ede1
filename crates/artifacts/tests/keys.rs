//! Key files: EZKL's come out the same, and a made one reads back polynomial by polynomial.

mod common;

use common::{FOLDERS, bytes, path, shape};
use std::borrow::Cow;
use std::fs;
use twain_algebra::{Fr, Uninterrupted};
use twain_artifacts::key::{
    KeyFormat, KeyPolynomial, KeyShape, ProvingKeyFile, SelectorRows, VerifyingKeyFile,
    prepare_proving_key,
};

const RAW: KeyFormat = KeyFormat::RawBytes;

fn encoded(key: &VerifyingKeyFile, format: KeyFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.encode(format, &mut bytes).unwrap();
    bytes
}

#[test]
fn verifying_keys_round_trip_in_both_formats() {
    for name in FOLDERS {
        let original = bytes(name, "vk.key");
        let key = VerifyingKeyFile::read(&path(name, "vk.key"), RAW, shape(name)).unwrap();
        assert!(key.compress_selectors);
        assert!(encoded(&key, RAW) == original, "{name}");
        assert!(encoded(&key, KeyFormat::RawBytesUnchecked) == original, "{name}");
        let processed = encoded(&key, KeyFormat::Processed);
        assert_eq!(original.len() - processed.len(), 32 * (12 + shape(name).permutation_columns));
        let again = VerifyingKeyFile::parse(&processed, KeyFormat::Processed, shape(name)).unwrap();
        assert_eq!(again, key, "{name}");
    }
}

#[test]
fn a_verifying_key_of_another_shape_is_refused() {
    let key = bytes(FOLDERS[3], "vk.key");
    let shape = shape(FOLDERS[3]);
    let refused = |bytes: &[u8], format, shape| {
        VerifyingKeyFile::parse(bytes, format, shape).unwrap_err().to_string()
    };
    let other = KeyShape { selectors: 15, ..shape };
    assert!(refused(&key, RAW, other).contains("bytes"));
    assert!(refused(&key, KeyFormat::Processed, shape).contains("bytes"));
    assert!(refused(&key[1..], RAW, shape).contains("version"));
    assert!(refused(&key[..key.len() - 1], RAW, shape).contains("bytes"));
    let mut wrong = key.clone();
    wrong[10] ^= 1;
    assert!(refused(&wrong, RAW, shape).contains("curve"));
    let huge = [3, 28, 1, 0xff, 0xff, 0xff, 0xff];
    assert!(refused(&huge, RAW, shape).contains("bytes"));
}

#[test]
fn selector_rows() {
    let rows: Vec<bool> = (0..16).map(|row| row % 3 == 0).collect();
    let packed = SelectorRows::from_rows(&rows);
    assert_eq!(packed.len(), 16);
    assert_eq!(packed.rows().collect::<Vec<_>>(), rows);
}

/// A key of 8 rows with 2 fixed and 3 permutation columns, 1 selector, extended to 16.
fn small_key() -> (VerifyingKeyFile, KeyShape) {
    let points = VerifyingKeyFile::read(&path(FOLDERS[3], "vk.key"), RAW, shape(FOLDERS[3]))
        .unwrap()
        .permutation_commitments;
    let key = VerifyingKeyFile {
        k: 3,
        compress_selectors: true,
        fixed_commitments: points[..2].to_vec(),
        permutation_commitments: points[2..5].to_vec(),
        selectors: vec![SelectorRows::from_rows(&[
            true, false, false, true, true, false, true, false,
        ])],
    };
    (key, KeyShape { permutation_columns: 3, selectors: 1 })
}

/// Scalars that are different for each polynomial.
fn scalars(which: KeyPolynomial) -> Vec<Fr> {
    use KeyPolynomial::*;
    let (start, length) = match which {
        L0 => (1, 16),
        LLast => (2, 16),
        LActive => (3, 16),
        FixedValues(i) => (10 + i, 8),
        FixedCoefficients(i) => (20 + i, 8),
        FixedCoset(i) => (30 + i, 16),
        PermutationValues(i) => (40 + i, 8),
        PermutationCoefficients(i) => (50 + i, 8),
        PermutationCoset(i) => (60 + i, 16),
    };
    (0..length).map(|row| -Fr::from(1000 * start as u64 + row)).collect()
}

fn all_polynomials() -> Vec<KeyPolynomial> {
    use KeyPolynomial::*;
    let mut all = vec![L0, LLast, LActive];
    all.extend((0..2).flat_map(|i| [FixedValues(i), FixedCoefficients(i), FixedCoset(i)]));
    let permutation = |i| [PermutationValues(i), PermutationCoefficients(i), PermutationCoset(i)];
    all.extend((0..3).flat_map(permutation));
    all
}

#[test]
fn proving_keys_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pk.key");
    let (key, shape) = small_key();
    for format in [RAW, KeyFormat::Processed] {
        let written = prepare_proving_key(&file, format, &key, 4, &Uninterrupted, |which| {
            Cow::Owned(scalars(which))
        });
        written.unwrap().place().unwrap();
        let written = fs::read(&file).unwrap();
        assert!(written.starts_with(&encoded(&key, format)));
        // spec 01 §4.4
        let (fixed, permutation, n, extended) = (2, 3, 8, 16);
        let size =
            3 * (4 + 32 * extended) + (fixed + permutation) * (24 + 64 * n + 32 * extended) + 24;
        assert_eq!(written.len() - encoded(&key, format).len(), size);

        let read = ProvingKeyFile::open(&file, format, shape, 4).unwrap();
        assert_eq!(read.verifying_key(), &key);
        for which in all_polynomials() {
            assert_eq!(read.polynomial(which).unwrap(), scalars(which), "{which:?}");
        }
        assert!(read.polynomial(KeyPolynomial::FixedValues(2)).is_err());
        for extended_k in [0, 3, 5, 28, 29, u32::MAX] {
            assert!(ProvingKeyFile::parse(&written, format, shape, extended_k).is_err());
        }
    }
}

#[test]
fn every_length_prefix_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pk.key");
    let (key, shape) = small_key();
    let written = prepare_proving_key(&file, RAW, &key, 4, &Uninterrupted, |which| {
        Cow::Owned(scalars(which))
    });
    written.unwrap().place().unwrap();
    let written = fs::read(&file).unwrap();
    let head = encoded(&key, RAW).len();
    // the prefixes are the only 4-byte words equal to 2, 3, 8 or 16: scalars are large negatives
    let mut checked = 0;
    for offset in head..written.len() - 3 {
        if matches!(written[offset..offset + 4], [0, 0, 0, 2 | 3 | 8 | 16]) {
            let mut wrong = written.clone();
            wrong[offset + 3] ^= 4;
            assert!(ProvingKeyFile::parse(&wrong, RAW, shape, 4).is_err(), "byte {offset}");
            checked += 1;
        }
    }
    assert_eq!(checked, 3 + 6 + 2 * 3 * 2 + 2 * 3 * 3);
    let mut wrong = written.clone();
    wrong[head + 4..head + 36].fill(0xff);
    let read = ProvingKeyFile::parse(&wrong, RAW, shape, 4).unwrap();
    let error = read.polynomial(KeyPolynomial::L0).unwrap_err().to_string();
    assert!(error.contains("modulus"), "{error}");
    assert!(ProvingKeyFile::parse(&written[..written.len() - 1], RAW, shape, 4).is_err());
}

#[test]
fn a_polynomial_of_the_wrong_length_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pk.key");
    let (key, _) = small_key();
    let wrong = prepare_proving_key(&file, RAW, &key, 4, &Uninterrupted, |_| {
        Cow::Owned(vec![Fr::zero(); 16])
    });
    assert!(wrong.err().unwrap().to_string().contains("FixedValues(0) has 16 scalars, not 8"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "reads the large keys: set TWAIN_VECTORS to a folder of vectors with pk.key files"]
fn ezkl_s_proving_keys_round_trip() {
    let vectors = std::path::PathBuf::from(std::env::var("TWAIN_VECTORS").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("pk.key");
    for (name, extended_k) in [
        ("1l_mlp-k10-fixed", 12),
        ("1l_mlp-k9-polycommit", 11),
        ("1l_mlp-k9-private", 11),
        ("1l_relu-k8-private", 10),
        ("credit_mlp-k10-polycommit", 12),
        ("credit_mlp-k10-private", 12),
    ] {
        let file = vectors.join(name).join("pk.key");
        let key = ProvingKeyFile::open(&file, RAW, shape(name), extended_k).unwrap();
        assert!(encoded(key.verifying_key(), RAW) == bytes(name, "vk.key"), "{name}");
        prepare_proving_key(&copy, RAW, key.verifying_key(), extended_k, &Uninterrupted, |which| {
            Cow::Owned(key.polynomial(which).unwrap())
        })
        .unwrap()
        .place()
        .unwrap();
        assert!(fs::read(&copy).unwrap() == fs::read(&file).unwrap(), "{name}");
    }
}
