//! Models as PyTorch, TensorFlow and scikit-learn export them (`tests/onnx`): the graph and the settings
//! are those EZKL makes of them, before and after calibration.

mod files;

use files::{ordered, repository};
use std::path::{Path, PathBuf};
use twain_artifacts::{CompiledModel, read_settings};
use twain_circuit::settings;
use twain_graph::CheckMode;
use twain_onnx::{build, load, table};

/// Compares with a settings file and the circuit EZKL compiled with it.
fn compare(folder: &Path, settings_file: &str, circuit_file: &str) {
    let expected = read_settings(&folder.join(settings_file)).unwrap();
    let args = &expected.run_args;
    let onnx = std::fs::read(folder.join("network.onnx")).unwrap();
    let loaded = load(&onnx, &args.variables).unwrap();
    let model = build(&loaded, args).unwrap();

    let measured = settings(&model, args, expected.timestamp.unwrap()).unwrap();
    let (found, wanted) = (ordered(&measured), ordered(&expected));
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key} of {settings_file}, {}", folder.display());
    }

    let circuit = CompiledModel::read(&folder.join(circuit_file)).unwrap();
    assert_eq!(model, circuit.model, "{circuit_file}, {}", folder.display());
    // The settings inside are those of the file; EZKL writes the maps of its einsums in any order.
    let mut written = expected;
    written.check_mode = CheckMode::UNSAFE;
    written.einsum_params = circuit.settings.einsum_params.clone();
    let mut bytes = Vec::new();
    CompiledModel::new(model, written).encode(&mut bytes).unwrap();
    let wanted = std::fs::read(folder.join(circuit_file)).unwrap();
    assert!(bytes == wanted, "{circuit_file}, {}", folder.display());
}

/// Compares the table of the nodes, row by row, without the drawing.
fn compare_table(folder: &Path) {
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let onnx = std::fs::read(folder.join("network.onnx")).unwrap();
    let loaded = load(&onnx, &settings.run_args.variables).unwrap();
    let drawn = table(&build(&loaded, &settings.run_args).unwrap());
    let rows = drawn.lines().filter_map(|line| line.strip_prefix("│ ")?.strip_suffix("│"));
    let rows: Vec<String> =
        rows.map(|row| row.split('│').map(str::trim).collect::<Vec<_>>().join("|")).collect();
    let expected = std::fs::read_to_string(folder.join("table.txt")).unwrap();
    assert_eq!(rows, expected.lines().collect::<Vec<_>>(), "{}", folder.display());
}

macro_rules! exported {
    ($($model:ident)*) => {$(
        #[test]
        fn $model() {
            let folder = repository().join("tests/onnx").join(stringify!($model));
            compare(&folder, "settings.json", "model.compiled");
            compare(&folder, "calibrated.json", "calibrated.compiled");
            compare_table(&folder);
        }
    )*};
}

exported!(mlp attention lstm pooling batch_norm cnn concat residual sklearn_mlp trees softmax_head transpose
    sigmoid_tanh);

/// Constants of one element in products: their axes of length 1 are gone, and so is every letter of
/// theirs in the einsum.
#[test]
fn constants_of_one_element() {
    let names = [
        "gemm_1_1",
        "matmul_1_1_left",
        "matmul_1_1_batch",
        "conv_1_1",
        "einsum_scalar",
        "rnn_1",
        "gru_1",
        "lstm_1",
        "attention_1",
        "spatial_attention",
    ];
    for name in names {
        compare(&small(name), "settings.json", "model.compiled");
    }
}

fn small(name: &str) -> PathBuf {
    repository().join("tests/onnx/small").join(name)
}
