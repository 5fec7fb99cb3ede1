//! What an ONNX file must have before it is analysed: operators the reader knows, attributes it
//! heeds, no quantisation of its own. Each refusal names the node and says what to do.

use crate::OnnxError;
use crate::departure::{Departure, name_of};
use crate::reading::Reading;
use crate::recurrent::{is_bidirectional, overlooked};
use std::collections::BTreeMap;
use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

/// Operators of models that are quantised already; their scales would be lost in the circuit.
const QUANTISED: [&str; 4] =
    ["QuantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"];

/// Checks a graph and the graphs inside its nodes; what the circuit will not heed, if that was
/// allowed.
pub(crate) fn check_graph(
    graph: &GraphProto,
    known: &OnnxOpRegister,
    reading: &Reading,
) -> Result<Vec<Departure>, OnnxError> {
    let constants = constants(graph);
    let mut departures = Vec::new();
    for node in &graph.node {
        let refused = |reason: String| OnnxError::Operator {
            name: name_of(node),
            op: node.op_type.clone(),
            reason,
        };
        check_operator(node, known, &constants, reading).map_err(refused)?;
        departures.extend(check_attributes(node, reading).map_err(refused)?);
        for attribute in &node.attribute {
            for inner in attribute.g.iter().chain(&attribute.graphs) {
                departures.extend(check_graph(inner, known, reading)?);
            }
        }
    }
    Ok(departures)
}

/// Tensors that are part of the model, by name.
fn constants(graph: &GraphProto) -> BTreeMap<&str, &TensorProto> {
    let stored = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor));
    let made = graph.node.iter().filter(|node| node.op_type == "Constant").filter_map(|node| {
        let value = node.attribute.iter().find_map(|attribute| attribute.t.as_ref())?;
        Some((node.output.first()?.as_str(), value))
    });
    stored.chain(made).collect()
}

fn check_operator(
    node: &NodeProto,
    known: &OnnxOpRegister,
    constants: &BTreeMap<&str, &TensorProto>,
    reading: &Reading,
) -> Result<(), String> {
    let op = node.op_type.as_str();
    let constant = |position: usize| constants.get(node.input.get(position)?.as_str());
    let kept_as_integers = op == "DequantizeLinear" && constant(0).is_some();
    if kept_as_integers {
        let scales = constant(1).map(|scale| scale.dims.iter().product::<i64>());
        return match scales {
            Some(1) => Ok(()),
            Some(_) if reading.as_ezkl => Ok(()),
            Some(count) => Err(format!(
                "its weights have {count} scales, one for each channel, of which EZKL's circuits use \
                 the first for all: keep the weights in floating point, or with one scale"
            )),
            None => Err("its scale must be part of the model".into()),
        };
    }
    if QUANTISED.contains(&op) || op == "DequantizeLinear" || op.starts_with("QLinear") {
        return Err("the model is quantised already: export it in floating point; --input-scale \
                    and --param-scale decide how the circuit is quantised"
            .into());
    }
    if !known.0.contains_key(op) {
        return Err("the operator is not known: replace it in the model by others \
                    (docs/operators.md lists those with a layout)"
            .into());
    }
    Ok(())
}

fn check_attributes(node: &NodeProto, reading: &Reading) -> Result<Option<Departure>, String> {
    let departure =
        |what: String| Some(Departure { name: name_of(node), op: node.op_type.clone(), what });
    if is_bidirectional(node) {
        return Err(
            "direction = bidirectional has no circuit: use two layers, one of them on the \
                    reversed sequence"
                .into(),
        );
    }
    if let Some(attribute) = overlooked(node) {
        return match reading.as_ezkl {
            true => Ok(departure(format!("its attribute {attribute} is ignored, as EZKL does"))),
            false => Err(format!(
                "its attribute {attribute} is ignored by EZKL: the circuit would be another \
                 network's; write the layer with other operators, or accept EZKL's circuit with \
                 --as-ezkl"
            )),
        };
    }
    let dilated = matches!(node.op_type.as_str(), "MaxPool" | "AveragePool" | "LpPool")
        && node.attribute.iter().any(|attribute| {
            attribute.name == "dilations" && attribute.ints.iter().any(|dilation| *dilation != 1)
        });
    Ok(dilated
        .then(|| "its attribute dilations is ignored, as EZKL does".into())
        .and_then(departure))
}
