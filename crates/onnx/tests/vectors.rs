//! Files of the real tool: compiled circuits must come out the same to the byte, settings but for
//! the orders EZKL leaves to chance.

mod files;

use files::{ordered, repository};
use std::path::PathBuf;
use twain_artifacts::{CompiledModel, read_settings};
use twain_circuit::settings;
use twain_graph::CheckMode;
use twain_onnx::{OnnxError, Reading, build, load, random_inputs};

/// Folders with an ONNX file, its settings and the circuit EZKL compiled.
fn folders() -> Vec<PathBuf> {
    let root = repository().join("tests/vectors");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.extend(
        std::env::var_os("TWAIN_MORE_VECTORS")
            .iter()
            .flat_map(|root| std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path())),
    );
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
        let loaded = load(&onnx, &settings.run_args.variables, &Reading::default()).unwrap();
        let model = build(&loaded, &settings.run_args).unwrap();
        settings.check_mode = CheckMode::UNSAFE;
        let expected = CompiledModel::read(&folder.join("model.compiled")).unwrap();
        assert_eq!(model, expected.model, "{}", folder.display());
        // The settings come from another file, whose maps EZKL may have written in another order.
        settings.einsum_params = expected.settings.einsum_params.clone();
        let mut bytes = Vec::new();
        CompiledModel::new(model, settings).encode(&mut bytes).unwrap();
        let expected = std::fs::read(folder.join("model.compiled")).unwrap();
        assert!(bytes == expected, "{}", folder.display());
    }
}

#[test]
fn measures_the_same_circuit() {
    for folder in folders() {
        let expected = read_settings(&folder.join("settings.json")).unwrap();
        let onnx = std::fs::read(folder.join("network.onnx")).unwrap();
        let loaded = load(&onnx, &expected.run_args.variables, &Reading::default()).unwrap();
        let model = build(&loaded, &expected.run_args).unwrap();
        let timestamp = expected.timestamp.unwrap();
        let measured = settings(&model, &expected.run_args, timestamp).unwrap();
        let (found, wanted) = (ordered(&measured), ordered(&expected));
        for (key, value) in wanted.as_object().unwrap() {
            assert_eq!(&found[key], value, "{key} of {}", folder.display());
        }
        assert_eq!(measured, settings(&model, &expected.run_args, timestamp).unwrap());
    }
}

fn mlp() -> Vec<u8> {
    let root = repository().join("tests/vectors");
    std::fs::read(root.join("1l_mlp-k9-private/network.onnx")).unwrap()
}

fn batch_of_one() -> Vec<(String, usize)> {
    vec![("batch_size".into(), 1)]
}

/// As the real `gen_random_data` with seed 21242.
#[test]
fn random_inputs_are_those_of_the_tool() {
    let loaded = load(&mlp(), &batch_of_one(), &Reading::default()).unwrap();
    let expected = [0.2909665107727051, 0.3558194637298584, 0.1625751256942749];
    assert_eq!(random_inputs(&loaded, 21242, 0.0, 1.0).unwrap(), [expected]);
    let expected = [-0.6722679138183594, -0.1534442901611328, -1.6993989944458008];
    assert_eq!(random_inputs(&loaded, 21242, -3.0, 5.0).unwrap(), [expected]);
}

#[test]
fn refuses_what_is_no_model() {
    let onnx = mlp();
    let error = |bytes: &[u8]| load(bytes, &batch_of_one(), &Reading::default()).unwrap_err();
    assert!(matches!(error(b""), OnnxError::Parse(_)));
    assert!(matches!(error(b"{\"input_data\": [[1.0]]}"), OnnxError::Parse(_)));
    for length in 1..onnx.len() {
        // A cut at the end of a top-level field leaves a model.
        if let Ok(loaded) = load(&onnx[..length], &batch_of_one(), &Reading::default()) {
            assert!(build(&loaded, &twain_graph::RunArgs::default()).is_ok(), "{length}");
        }
    }
    let text = error(&onnx[..onnx.len() / 2]).to_string();
    assert!(text.contains("not a complete ONNX model"), "{text}");
}

#[test]
fn refuses_a_model_nothing_is_public_of() {
    let loaded = load(&mlp(), &batch_of_one(), &Reading::default()).unwrap();
    let private = twain_graph::Visibility::Private;
    let args = twain_graph::RunArgs { output_visibility: private, ..Default::default() };
    assert!(matches!(build(&loaded, &args), Err(OnnxError::Visibility(_))));
}
