//! Damaged files are refused or read as something else; nothing panics or takes memory the file
//! does not justify.

mod common;

use common::{FOLDERS, bytes, shape};
use proptest::prelude::*;
use twain_artifacts::key::{KeyFormat, KeyShape, ProvingKeyFile, VerifyingKeyFile};
use twain_artifacts::srs::{PointCheck, PowersOfTau, SrsFile};
use twain_artifacts::{
    CompiledModel, GraphWitness, InputFile, Proof, clear_values, parse_settings, redact,
};

fn read_all(bytes: &[u8]) {
    if let Ok(compiled) = CompiledModel::parse(bytes) {
        let _ = clear_values(&compiled);
        let _ = redact(&compiled);
        let mut again = Vec::new();
        compiled.encode(&mut again).unwrap();
        assert_eq!(
            CompiledModel::parse(&again).unwrap().model.graph.inputs,
            compiled.model.graph.inputs
        );
    }
    let _ = parse_settings(bytes);
    let _ = GraphWitness::parse(bytes);
    let _ = InputFile::parse(bytes);
    let _ = Proof::parse(bytes);
    if let Ok(srs) = SrsFile::parse(bytes) {
        let _ = srs.g(srs.k(), PointCheck::OnCurve);
    }
    if let Ok(powers) = PowersOfTau::parse(bytes) {
        let _ = powers.g(powers.power(), PointCheck::OnCurve);
    }
    let extremes = KeyShape { permutation_columns: usize::MAX, selectors: usize::MAX };
    for shape in [shape(FOLDERS[3]), extremes] {
        for format in [KeyFormat::RawBytes, KeyFormat::Processed] {
            let _ = VerifyingKeyFile::parse(bytes, format, shape);
            let _ = ProvingKeyFile::parse(bytes, format, shape, 10);
        }
    }
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    const NAMES: [&str; 5] =
        ["settings.json", "model.compiled", "witness.json", "input.json", "vk.key"];
    (prop::sample::select(&FOLDERS[..6]), prop::sample::select(&NAMES[..]))
        .prop_map(|(folder, name)| bytes(folder, name))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn truncated(file in files(), at: prop::sample::Index) {
        read_all(&file[..at.index(file.len())]);
    }

    #[test]
    fn flipped(mut file in files(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for (at, bits) in flips {
            let at = at.index(file.len());
            file[at] ^= bits;
        }
        read_all(&file);
    }

    #[test]
    fn oversized(mut file in files(), at: prop::sample::Index, value in prop::sample::select(&[u64::MAX, 1 << 60, 1 << 40, 1 << 32, 0x7fff_ffff][..])) {
        let at = at.index(file.len().saturating_sub(8));
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        read_all(&file);
    }

    #[test]
    fn any_bytes(file in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&file);
    }
}

#[test]
fn nesting_is_bounded() {
    // one node: index 0, ordinary, and 100000 times Rescaled
    let mut file = [1u64.to_le_bytes(), 0u64.to_le_bytes()].concat();
    file.extend(0u32.to_le_bytes());
    file.extend(6u32.to_le_bytes().repeat(100_000));
    assert!(CompiledModel::parse(&file).unwrap_err().to_string().contains("nested"));
    // 100000 loops within loops
    let mut file = Vec::new();
    for _ in 0..100_000 {
        file.extend([1u64.to_le_bytes(), 0u64.to_le_bytes()].concat());
        file.extend(1u32.to_le_bytes());
    }
    assert!(CompiledModel::parse(&file).unwrap_err().to_string().contains("nested"));
    let file = "[".repeat(100_000);
    assert!(InputFile::parse(file.as_bytes()).is_err());
}
