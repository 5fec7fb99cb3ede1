//! Files that EZKL 23.0.5 made.
#![allow(dead_code)] // each test binary uses a part

use std::path::{Path, PathBuf};
use twain_artifacts::key::KeyShape;

pub const FOLDERS: [&str; 8] = [
    "1l_mlp-k10-fixed",
    "1l_mlp-k9-polycommit",
    "1l_mlp-k9-private",
    "1l_relu-k8-private",
    "credit_mlp-k10-polycommit",
    "credit_mlp-k10-private",
    "small_cnn-k13-private",
    "tiny_cnn-k11-private",
];

pub fn path(folder: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(folder).join(file)
}

pub fn bytes(folder: &str, file: &str) -> Vec<u8> {
    std::fs::read(path(folder, file)).unwrap()
}

/// The shape of the keys of a folder, read off EZKL's pk.key.
pub fn shape(folder: &str) -> KeyShape {
    let permutation_columns = if folder.contains("polycommit") { 9 } else { 8 };
    KeyShape { permutation_columns, selectors: 16 }
}
