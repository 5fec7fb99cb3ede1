//! What an ONNX file must have before it is analysed: weights inside, operators the reader knows, no
//! quantisation of its own. Each refusal names the node or tensor and says what to do.

use crate::OnnxError;
use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto, tensor_proto::DataLocation};

/// Operators of models that are quantised already; their scales would be lost in the circuit.
const QUANTISED: [&str; 5] =
    ["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"];

/// Checks a graph and the graphs inside its nodes.
pub(crate) fn check_graph(graph: &GraphProto, known: &OnnxOpRegister) -> Result<(), OnnxError> {
    graph.initializer.iter().try_for_each(check_tensor)?;
    for node in &graph.node {
        check_operator(node, known)?;
        for attribute in &node.attribute {
            attribute.t.iter().chain(&attribute.tensors).try_for_each(check_tensor)?;
            for inner in attribute.g.iter().chain(&attribute.graphs) {
                check_graph(inner, known)?;
            }
        }
    }
    Ok(())
}

fn check_tensor(tensor: &TensorProto) -> Result<(), OnnxError> {
    if tensor.data_location != Some(DataLocation::External as i32) {
        return Ok(());
    }
    let location = tensor.external_data.iter().find(|entry| entry.key == "location");
    Err(OnnxError::ExternalData {
        tensor: tensor.name.clone(),
        file: location.map_or_else(|| "another file".into(), |entry| entry.value.clone()),
    })
}

fn check_operator(node: &NodeProto, known: &OnnxOpRegister) -> Result<(), OnnxError> {
    let op = node.op_type.as_str();
    let reason = if QUANTISED.contains(&op) || op.starts_with("QLinear") {
        "the model is quantised already: export it in floating point; --input-scale and \
         --param-scale decide how the circuit is quantised"
    } else if !known.0.contains_key(op) {
        "the operator is not known: replace it in the model by others (docs/operators.md lists \
         those with a layout)"
    } else {
        return Ok(());
    };
    let named = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    Err(OnnxError::Operator {
        name: named.cloned().unwrap_or_default(),
        op: op.into(),
        reason: reason.into(),
    })
}
