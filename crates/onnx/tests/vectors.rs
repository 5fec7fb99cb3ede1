//! Files of the real tool: the compiled circuit must come out the same, to the byte.

use std::path::{Path, PathBuf};
use twain_artifacts::{CompiledModel, read_settings};
use twain_graph::CheckMode;
use twain_onnx::{build, load};

/// Folders with an ONNX file, its settings and the circuit EZKL compiled.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.extend(std::env::var_os("TWAIN_MORE_VECTORS").iter().flat_map(|root| {
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path())
    }));
    folders.retain(|folder| folder.join("network.onnx").exists());
    folders.sort();
    assert!(folders.len() >= 6);
    folders
}

#[test]
fn compiles_to_the_same_bytes() {
    for folder in folders() {
        let mut settings = read_settings(&folder.join("settings.json")).unwrap();
        let onnx = std::fs::read(folder.join("network.onnx")).unwrap();
        let loaded = load(&onnx, &settings.run_args.variables).unwrap();
        let model = build(&loaded, &settings.run_args).unwrap();
        settings.check_mode = CheckMode::UNSAFE;
        let expected = CompiledModel::read(&folder.join("model.compiled")).unwrap();
        assert_eq!(model.graph.nodes, expected.model.graph.nodes, "{}", folder.display());
        let mut bytes = Vec::new();
        CompiledModel::new(model, settings).encode(&mut bytes).unwrap();
        let expected = std::fs::read(folder.join("model.compiled")).unwrap();
        assert!(bytes == expected, "{}", folder.display());
    }
}
