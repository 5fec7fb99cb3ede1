//! EZKL's keys are rebuilt to the byte from what a circuit's layout determines: the configured
//! fixed columns, the selectors' rows and the permutation, here decoded from the key itself.
//!
//! The repository holds the large proving keys as digests only; where the file itself is found (in
//! the folder of `TWAIN_VECTORS`, else in `../shared/vectors`) the test runs on it.

mod base_circuit;

use base_circuit::{configured, folders, key_bytes, key_parts, srs_points};
use ff::Field;
use halo2curves::serde::SerdeObject;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use twain_algebra::domain::DELTA;
use twain_algebra::{Domain, Fr};
use twain_plonk::{
    Assembly, BitRows, Cell, Column, ConstraintSystem, ExtendedDomain, KeyError, ProvingKey,
    RowPolynomials, Srs, SrsError, generate_keys,
};

fn srs(k: u32) -> Srs {
    let (g, g_lagrange, [g2, s_g2]) = srs_points(k);
    Srs::new(k, g, g_lagrange, g2, s_g2).unwrap()
}

/// The proving key's file, if it is at hand.
fn proving_key_bytes(folder: &Path) -> Option<Vec<u8>> {
    let shared = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/vectors");
    let root = std::env::var_os("TWAIN_VECTORS").map_or_else(shared, PathBuf::from);
    std::fs::read(root.join(folder.file_name()?).join("pk.key")).ok()
}

/// Reads polynomial lists of the proving key.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, length: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
    fn length(&mut self) -> usize {
        u32::from_be_bytes(self.take(4).try_into().unwrap()) as usize
    }
    fn polynomial(&mut self) -> Vec<Fr> {
        let length = self.length();
        self.take(32 * length).chunks(32).map(|b| Fr::from_raw_bytes(b).unwrap()).collect()
    }
    fn list(&mut self) -> Vec<Vec<Fr>> {
        let count = self.length();
        self.take(4 * count);
        (0..count).map(|_| self.polynomial()).collect()
    }
}

/// Copy constraints that give the permutation of these polynomials: the cycle
/// `c -> a_m -> .. -> a_1` comes from copies of `a_1, .., a_m` and `c`, in this order.
fn copies(columns: &[Column], sigma: &[Vec<Fr>], omega: Fr) -> Vec<(Cell, Cell)> {
    let mut cells = HashMap::new();
    let mut start = Fr::ONE;
    for column in columns {
        let mut value = start;
        for row in 0..sigma[0].len() as u32 {
            cells.insert(value.to_raw_bytes(), Cell { column: *column, row });
            value *= omega;
        }
        start *= DELTA;
    }
    let next: HashMap<Cell, Cell> = columns
        .iter()
        .zip(sigma)
        .flat_map(|(column, values)| (0u32..).map(|row| Cell { column: *column, row }).zip(values))
        .map(|(cell, value)| (cell, cells[&value.to_raw_bytes()]))
        .collect();
    let mut seen = std::collections::HashSet::new();
    let mut copies = Vec::new();
    for column in columns {
        for row in 0..sigma[0].len() as u32 {
            let first = Cell { column: *column, row };
            let mut cycle = Vec::new();
            let mut cell = next[&first];
            while cell != first && seen.insert(cell) {
                cycle.push((cell, first));
                cell = next[&cell];
            }
            copies.extend(cycle.into_iter().rev());
        }
    }
    copies
}

fn assembly(system: &ConstraintSystem, key: &[u8], vk: &[u8]) -> Assembly {
    let parts = key_parts(system, vk);
    let mut reader = Reader(&key[vk.len()..]);
    (0..3).for_each(|_| drop(reader.polynomial()));
    let mut fixed = reader.list();
    fixed.truncate(system.fixed_columns());
    reader.list();
    reader.list();
    let sigma = reader.list();
    let copies = copies(system.permutation(), &sigma, Domain::new(parts.k).unwrap().omega());
    Assembly { k: parts.k, fixed, selectors: parts.selectors, copies }
}

fn push_polynomial(file: &mut Vec<u8>, values: &[Fr]) {
    file.extend((values.len() as u32).to_be_bytes());
    values.iter().for_each(|value| file.extend(value.to_raw_bytes()));
}

fn push_list(file: &mut Vec<u8>, length: usize, list: impl ExactSizeIterator<Item = Vec<Fr>>) {
    file.extend((list.len() as u32).to_be_bytes());
    (0..list.len()).for_each(|_| file.extend((length as u32).to_be_bytes()));
    list.for_each(|values| push_polynomial(file, &values));
}

fn proving_key_file(key: &ProvingKey) -> Vec<u8> {
    let parts = key.vk().parts();
    let mut file = vec![3, parts.k as u8, u8::from(parts.compress_selectors)];
    file.extend((parts.fixed_commitments.len() as u32).to_le_bytes());
    for point in parts.fixed_commitments.iter().chain(&parts.permutation_commitments) {
        file.extend(point.to_raw_bytes());
    }
    parts.selectors.iter().for_each(|rows| file.extend(rows.as_bytes()));
    let system = key.system();
    let extended = ExtendedDomain::new(system).unwrap();
    let rows = RowPolynomials::new(system, &Domain::new(system.k()).unwrap());
    for polynomial in [&rows.first, &rows.last, &rows.active] {
        push_polynomial(&mut file, &extended.values(polynomial));
    }
    for columns in [key.fixed(), key.sigma()] {
        push_list(&mut file, system.rows(), columns.values.iter().cloned());
        push_list(&mut file, system.rows(), columns.coefficients.iter().cloned());
        let cosets = columns.coefficients.iter().map(|c| extended.values(c));
        push_list(&mut file, extended.size(), cosets);
    }
    file
}

#[test]
fn keys_are_rebuilt_to_the_byte() {
    let mut found = 0;
    for folder in folders() {
        let Some(expected) = proving_key_bytes(&folder) else { continue };
        let system = configured(&folder);
        let vk = key_bytes(&folder);
        let assembly = assembly(&system, &expected, &vk);
        let srs = srs(assembly.k);
        let key = generate_keys(system, assembly, &srs, true).unwrap();
        let file = proving_key_file(&key);
        assert!(file[..vk.len()] == vk[..], "{folder:?}: vk.key differs");
        assert!(file == expected, "{folder:?}: pk.key differs");
        let digest = std::fs::read_to_string(folder.join("pk.sha256")).unwrap();
        let ours: String = Sha256::digest(&file).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest.split_whitespace().next(), Some(&ours[..]));
        found += 1;
    }
    println!("{found} proving keys rebuilt");
}

/// The system of `1l_relu-k8-private` with an arbitrary layout, valid or not.
fn small_layout() -> (ConstraintSystem, Assembly) {
    let system = base_circuit::configure(0, &[0, -1]);
    let column = system.permutation()[0];
    let mut selectors = vec![BitRows::new(256); system.selectors().len()];
    selectors[0].set(249);
    let cell = |row| Cell { column, row };
    let fixed = vec![vec![Fr::ONE; 256]; system.fixed_columns()];
    (system, Assembly { k: 8, fixed, selectors, copies: vec![(cell(1), cell(249))] })
}

#[test]
fn downsizing_gives_the_same_key() {
    // Any secret's powers do: the Lagrange points must follow from them.
    let large = srs(9);
    let small = large.clone().downsize(8).unwrap();
    assert_eq!(small.g().points(0..256), large.g().points(0..256));
    let values: Vec<Fr> = (0..256).map(base_circuit::scalar).collect();
    let mut coefficients = values.clone();
    Domain::new(8).unwrap().intt(&mut coefficients);
    assert_eq!(small.commit(&coefficients), small.commit_lagrange(&values));
    assert_eq!(small.commit(&coefficients), large.commit(&coefficients));
    assert_eq!(small.downsize(9), Err(SrsError::TooSmall { needed: 9, found: 8 }));

    let (system, assembly) = small_layout();
    let error = generate_keys(system, assembly, &large, true).unwrap_err();
    assert_eq!(error, KeyError::SrsSize { circuit: 8, srs: 9 });
}

#[test]
fn permutation_commitments_commit_to_the_permutation() {
    let (system, assembly) = small_layout();
    let srs = srs(8);
    for compress in [true, false] {
        let key = generate_keys(system.clone(), assembly.clone(), &srs, compress).unwrap();
        let commitments: Vec<_> =
            key.sigma().values.iter().map(|values| srs.commit_lagrange(values)).collect();
        assert_eq!(commitments, key.vk().permutation_commitments());
        let commitments: Vec<_> =
            key.fixed().coefficients.iter().map(|values| srs.commit(values)).collect();
        assert_eq!(commitments, key.vk().fixed_commitments());
        assert_eq!(key.system().fixed_columns(), if compress { 3 + 4 + 5 } else { 3 + 16 });
        assert_eq!(key.vk().parts().selectors.is_empty(), !compress);
    }
}

#[test]
fn layouts_that_do_not_fit_are_refused() {
    let srs = srs(8);
    let error = |change: &dyn Fn(&mut Assembly)| {
        let (system, mut assembly) = small_layout();
        change(&mut assembly);
        generate_keys(system, assembly, &srs, true).unwrap_err()
    };
    let outside = error(&|assembly| assembly.selectors[3].set(250));
    assert_eq!(outside, KeyError::SelectorOutside { index: 3, usable: 250 });
    let missing = error(&|assembly| drop(assembly.selectors.pop()));
    assert_eq!(missing, KeyError::SelectorCount { expected: 16, found: 15 });
    let short = error(&|assembly| assembly.fixed[1].truncate(255));
    assert_eq!(short, KeyError::ColumnLength { index: 1, rows: 256, found: 255 });
    let few = error(&|assembly| drop(assembly.fixed.pop()));
    assert!(matches!(few, KeyError::Columns { expected: 3, found: 2, .. }));
    let blinded = error(&|assembly| assembly.copies[0].0.row = 250);
    assert!(matches!(blinded, KeyError::CopyOutside { .. }));
}

#[test]
fn points_of_an_srs_are_checked() {
    use halo2curves::CurveAffine;
    use halo2curves::bn256::Fq2;
    use twain_algebra::G2Affine;
    use twain_plonk::VerifierSrs;
    let (g, _, [g2, s_g2]) = srs_points(8);
    assert!(VerifierSrs::new(g[0], g2, s_g2).is_ok());
    let off = G2Affine { x: s_g2.x + Fq2::ONE, y: s_g2.y };
    // On the twist, which has a large cofactor, but hardly in the subgroup.
    let outside = (1u64..).find_map(|x| {
        let x = Fq2::from(x);
        let y = Option::<Fq2>::from((x.cube() + G2Affine::b()).sqrt())?;
        Option::<G2Affine>::from(G2Affine::from_xy(x, y))
    });
    for bad in [off, outside.unwrap(), G2Affine::default()] {
        assert!(VerifierSrs::new(g[0], g2, bad).is_err(), "{bad:?}");
        assert!(VerifierSrs::new(g[0], bad, s_g2).is_err());
    }
    let mut bad = g[0];
    bad.y = bad.y.double();
    assert!(VerifierSrs::new(bad, g2, s_g2).is_err());
    assert_eq!(
        Srs::new(9, g.clone(), g, g2, s_g2).unwrap_err(),
        SrsError::Length { k: 9, g: 256, g_lagrange: 256 }
    );
}
