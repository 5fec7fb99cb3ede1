//! Models as PyTorch, TensorFlow and scikit-learn export them (`tests/onnx`): the graph and the
//! settings are those EZKL makes of them, before and after calibration.

mod files;

use files::{ordered, repository};
use std::path::{Path, PathBuf};
use twain_artifacts::{CompiledModel, read_settings};
use twain_circuit::settings;
use twain_graph::CheckMode;
use twain_onnx::{Reading, build, departures, load, table};

/// Compares with a settings file and the circuit EZKL compiled with it.
fn compare(folder: &Path, settings_file: &str, circuit_file: &str) {
    let exactly = Reading::default();
    compare_read(folder, "network.onnx", settings_file, circuit_file, &exactly);
}

/// The same of a network read in a certain way; says where its circuit is not the network.
fn compare_read(
    folder: &Path,
    network: &str,
    settings_file: &str,
    circuit_file: &str,
    reading: &Reading,
) -> Vec<String> {
    let expected = read_settings(&folder.join(settings_file)).unwrap();
    let args = &expected.run_args;
    let onnx = std::fs::read(folder.join(network)).unwrap();
    let loaded = load(&onnx, &args.variables, reading).unwrap();
    let model = build(&loaded, args).unwrap();
    let said = departures(&loaded, &model).iter().map(ToString::to_string).collect();

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
    said
}

/// Compares the table of the nodes, row by row, without the drawing.
fn compare_table(folder: &Path) {
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let onnx = std::fs::read(folder.join("network.onnx")).unwrap();
    let loaded = load(&onnx, &settings.run_args.variables, &Reading::default()).unwrap();
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

/// What EZKL's reader ignores is refused, or ignored as EZKL does.
#[test]
fn attributes_of_recurrent_layers() {
    for (name, attribute) in [
        ("lstm_reverse", "direction = reverse"),
        ("rnn_relu", "activations = Relu"),
        ("gru_activations", "activations = HardSigmoid, Tanh"),
        ("lstm_clip", "clip = 0.25"),
        ("lstm_input_forget", "input_forget = 1"),
    ] {
        let onnx = std::fs::read(small(name).join("network.onnx")).unwrap();
        let refused = load(&onnx, &[], &Reading::default()).unwrap_err().to_string();
        assert!(refused.contains(attribute) && refused.contains("--as-ezkl"), "{refused}");
        let as_ezkl = Reading { as_ezkl: true, ..Reading::default() };
        let (settings, circuit) = ("settings.json", "model.compiled");
        let said = compare_read(&small(name), "network.onnx", settings, circuit, &as_ezkl);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(attribute) && said[0].contains("ignored"), "{}", said[0]);
    }
}

/// Operators to which EZKL's circuits give another meaning: the same circuit, and it is said.
#[test]
fn operators_of_another_meaning() {
    for (name, parts) in [
        ("max_pool_negative_pad", &["(MaxPool)", "padding counts as 0"][..]),
        ("max_pool_dilated", &["(MaxPool)", "dilations is ignored"]),
        ("average_pool_pad", &["(SumPool)", "count_include_pad"]),
        ("equal_cast", &["(==)", "1 becomes 2^-scale"]),
        ("pow_minus_1", &["(Pow)", "the operand itself"]),
        ("cast_to_integers", &["(Cast)", "not towards zero"]),
    ] {
        let (settings, circuit, exactly) = ("settings.json", "model.compiled", Reading::default());
        let said = compare_read(&small(name), "network.onnx", settings, circuit, &exactly);
        assert_eq!(said.len(), 1, "{name}: {said:?}");
        parts.iter().for_each(|part| assert!(said[0].contains(part), "{part}: {}", said[0]));
    }
}

/// Strides that are left out are 1.
#[test]
fn strides_that_are_left_out() {
    for name in ["conv", "conv_transpose", "max_pool", "average_pool"] {
        let folder = small(&format!("{name}_strides"));
        compare(&folder, "settings.json", "model.compiled");
        let (settings, circuit, exactly) = ("settings.json", "model.compiled", Reading::default());
        let bare = "without_strides.onnx";
        assert!(compare_read(&folder, bare, settings, circuit, &exactly).is_empty());
    }
}

/// Weights kept as integers with one scale are constants.
#[test]
fn weights_of_eight_bits() {
    compare(&small("weights_of_int8"), "settings.json", "model.compiled");
}

fn small(name: &str) -> PathBuf {
    repository().join("tests/onnx/small").join(name)
}
