//! Operators of scikit-learn's domain, replaced by plain ones: they compute what ONNX Runtime does
//! (`tests/onnx/sklearn_operators`), and have a circuit.

mod files;

use files::repository;
use tract_core::internal::*;
use twain_circuit::settings;
use twain_graph::RunArgs;
use twain_onnx::{Reading, build, departures, load};

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn same_as_onnx_runtime(name: &str) {
    let folder = repository().join("tests/onnx/sklearn_operators");
    let onnx = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let loaded = load(&onnx, &[], &Reading::default()).unwrap();
    let plan = loaded.model.clone().into_runnable().unwrap();
    let rows = expected["rows"].as_array().unwrap();
    for (row, wanted) in rows.iter().zip(expected["outputs"].as_array().unwrap()) {
        let row: Vec<f32> = numbers(row).into_iter().map(|number| number as f32).collect();
        let outputs = plan.run(tvec!(Tensor::from_shape(&[1, 3], &row).unwrap().into())).unwrap();
        let wanted = wanted.as_array().unwrap();
        assert_eq!(outputs.len(), wanted.len(), "{name}");
        for (output, wanted) in outputs.iter().zip(wanted) {
            let output = output.cast_to::<f64>().unwrap();
            let (output, wanted) = (output.as_slice::<f64>().unwrap(), numbers(wanted));
            assert_eq!(output.len(), wanted.len(), "{name}");
            let close = output.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close, "{name} of {row:?}: {output:?} instead of {wanted:?}");
        }
    }
    let args = RunArgs::default();
    let model = build(&loaded, &args).unwrap();
    assert!(departures(&loaded, &model).is_empty(), "{name}");
    assert!(settings(&model, &args, 0).unwrap().num_rows > 0, "{name}");
}

#[test]
fn preprocessing() {
    for name in ["scaler", "scaler_of_one", "normalizer_l1", "normalizer_l2", "binarizer"] {
        same_as_onnx_runtime(name);
    }
    same_as_onnx_runtime("labels_of_positions");
}

#[test]
fn linear_models() {
    for name in ["linear_regressor", "linear_classifier", "logistic_regression"] {
        same_as_onnx_runtime(name);
    }
}

#[test]
fn ensembles_of_trees() {
    for name in [
        "tree_regressor",
        "tree_regressor_gt",
        "tree_classifier",
        "tree_classifier_of_two",
        "tree_classifier_of_margins",
    ] {
        same_as_onnx_runtime(name);
    }
}
