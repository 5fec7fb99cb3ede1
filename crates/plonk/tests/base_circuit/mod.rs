//! The circuit of spec 01 appendix A, configured by hand (one block, two inner columns, range
//! checks of one table column each), and the files EZKL made for such circuits.

#![allow(dead_code)] // each test uses a part

use ff::{Field, FromUniformBytes, PrimeField};
use halo2curves::serde::SerdeObject;
use serde_json::Value;
use std::path::{Path, PathBuf};
use twain_algebra::{Fr, G1Affine, G2Affine};
use twain_plonk::{BitRows, Column, ConstraintSystem, Expression, VerifierSrs, VerifyingKeyParts};

/// Configures the circuit for range checks with these lower ends.
pub fn configure(committed_columns: usize, lower_ends: &[i64]) -> ConstraintSystem {
    let mut system = ConstraintSystem::new();
    for _ in 0..committed_columns {
        let column = system.unblinded_advice_column(0);
        system.enable_equality(column);
    }
    let advice: Vec<Column> = (0..6)
        .map(|_| {
            let column = system.advice_column(0);
            system.enable_equality(column);
            column
        })
        .collect();
    let (a, b, o) = (&advice[0..2], &advice[2..4], &advice[4..6]);
    let constants = system.fixed_column();
    system.enable_constant(constants);
    let instance = system.instance_column();
    system.enable_equality(instance);
    // Add, Sub, Mult for each inner column; DotInit, Dot, CumProd, CumProdInit, Sum, SumInit.
    let selectors: Vec<_> = (0..12).map(|_| Expression::from(system.selector())).collect();

    type Gate = fn(Expression, Expression) -> Expression;
    let element_wise: [(usize, Gate); 3] =
        [(0, |a, b| a + b), (2, |a, b| a * b), (1, |a, b| a - b)];
    for (selector, gate) in element_wise {
        for y in 0..2 {
            let right = gate(system.query(a[y], 0), system.query(b[y], 0));
            let out = system.query(o[y], 0);
            system.gate("element-wise", vec![selectors[3 * y + selector].clone() * (out - right)]);
        }
    }
    let accumulating = [(7, true), (6, false), (9, false), (8, true), (11, false), (10, true)];
    for (selector, continues) in accumulating {
        let product = matches!(selector, 8 | 9);
        let mut fold = Expression::from(if product { Fr::ONE } else { Fr::ZERO });
        for y in 0..2 {
            let right = system.query(b[y], 0);
            fold = match selector {
                6 | 7 => fold + system.query(a[y], 0) * right,
                8 | 9 => fold * right,
                _ => fold + right,
            };
        }
        if continues {
            let before = system.query(o[0], -1);
            fold = if product { before * fold } else { before + fold };
        }
        let out = system.query(o[0], 0);
        system.gate("accumulating", vec![selectors[selector].clone() * (out - fold)]);
    }
    for lower in lower_ends {
        let table = system.fixed_column();
        for column in a {
            let selector = Expression::from(system.complex_selector());
            let on = selector.clone() * Expression::from(Fr::ONE);
            let off = Expression::from(Fr::ONE) - on.clone();
            let value = system.query(*column, 0);
            let input = on * value + off * Expression::from(signed(*lower));
            system.lookup("range", vec![(input, table)]);
            system.gate("index", vec![selector * Expression::from(Fr::ZERO)]);
        }
    }
    system
}

/// A signed integer as a scalar.
pub fn signed(value: i64) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// The folders of EZKL's artifacts in the repository.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let all = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = all.filter(|path| path.join("vk.key").exists()).collect();
    folders.sort();
    assert_eq!(folders.len(), 8);
    folders
}

/// A JSON file of a folder.
pub fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The constraint system of a folder's circuit.
pub fn configured(folder: &Path) -> ConstraintSystem {
    let settings = json(folder, "settings.json");
    assert_eq!(settings["run_args"]["num_inner_cols"], 2);
    assert_eq!(settings["required_lookups"].as_array().unwrap().len(), 0);
    let committed = settings["module_sizes"]["polycommit"].as_array().unwrap().len();
    let ranges = settings["required_range_checks"].as_array().unwrap();
    let lower: Vec<i64> = ranges.iter().map(|range| range[0].as_i64().unwrap()).collect();
    configure(committed, &lower)
}

/// The content of a raw verifying key; the number of permutation columns follows from the system.
pub fn key_parts(system: &ConstraintSystem, bytes: &[u8]) -> VerifyingKeyParts {
    let k = u32::from(bytes[1]);
    let fixed = u32::from_le_bytes(bytes[3..7].try_into().unwrap()) as usize;
    let permutation = system.permutation().len();
    let points: Vec<G1Affine> = bytes[7..][..64 * (fixed + permutation)]
        .chunks(64)
        .map(G1Affine::from_raw_bytes_unchecked)
        .collect();
    let bits = bytes[7 + 64 * points.len()..].chunks((1usize << k) / 8);
    VerifyingKeyParts {
        k,
        compress_selectors: bytes[2] == 1,
        fixed_commitments: points[..fixed].to_vec(),
        permutation_commitments: points[fixed..].to_vec(),
        selectors: bits
            .take(system.selectors().len())
            .map(|b| BitRows::from_bytes(b.to_vec()))
            .collect(),
    }
}

/// Bytes of a folder's verifying key.
pub fn key_bytes(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("vk.key")).unwrap()
}

/// The SRS of the test artifacts for `2^k` rows: its points in G1, then those in G2.
pub fn srs_points(k: u32) -> (Vec<G1Affine>, Vec<G1Affine>, [G2Affine; 2]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/srs");
    let bytes = std::fs::read(root.join(format!("kzg{k}.srs"))).unwrap();
    let n = 1usize << k;
    let mut points = bytes[4..][..128 * n].chunks(64).map(G1Affine::from_raw_bytes_unchecked);
    let g = points.by_ref().take(n).collect();
    let g_lagrange = points.collect();
    let g2 = bytes[4 + 128 * n..].chunks(128).map(G2Affine::from_raw_bytes_unchecked);
    (g, g_lagrange, g2.collect::<Vec<_>>().try_into().unwrap())
}

/// The verifier's part of the SRS.
pub fn verifier_srs(k: u32) -> VerifierSrs {
    let (g, _, [g2, s_g2]) = srs_points(k);
    VerifierSrs::new(g[0], g2, s_g2).unwrap()
}

/// Instances and bytes of a folder's proof.
pub fn proof(folder: &Path) -> (Vec<Vec<Fr>>, Vec<u8>) {
    let file = json(folder, "proof.json");
    let scalar = |text: &Value| {
        let mut repr = [0u8; 32];
        let text = text.as_str().unwrap();
        for (i, byte) in repr.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
        }
        Fr::from_repr(repr.into()).unwrap()
    };
    let columns = file["instances"].as_array().unwrap().iter();
    let instances = columns.map(|c| c.as_array().unwrap().iter().map(scalar).collect()).collect();
    let bytes = file["proof"].as_array().unwrap().iter().map(|b| b.as_u64().unwrap() as u8);
    (instances, bytes.collect())
}

/// A deterministic scalar.
pub fn scalar(seed: u64) -> Fr {
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Fr::from_uniform_bytes(&bytes).cube() + Fr::from(seed)
}
