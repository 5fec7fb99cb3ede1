//! Models as skl2onnx writes them: operators of the domain `ai.onnx.ml` are replaced by plain ones
//! that compute the same, before anything else reads the file.

mod labels;
mod linear;
mod rewriter;
mod trees;

use crate::OnnxError;
use crate::departure::{Departure, name_of};
use rewriter::Rewriter;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto};

const DOMAIN: &str = "ai.onnx.ml";

/// Replaces all operators of scikit-learn's domain; what of their meaning is left out.
pub(crate) fn rewrite(model: &mut ModelProto) -> Result<Vec<Departure>, OnnxError> {
    let plain = model.opset_import.iter().find(|opset| opset.domain.is_empty());
    let opset = plain.map_or(1, |opset| opset.version);
    let Some(graph) = model.graph.as_mut() else { return Ok(Vec::new()) };
    if !graph.node.iter().any(|node| node.domain == DOMAIN) {
        return Ok(Vec::new());
    }
    let nodes = std::mem::take(&mut graph.node);
    let mut rewriter = Rewriter::new(opset, graph);
    let mut departures = Vec::new();
    for node in nodes {
        if node.domain != DOMAIN {
            rewriter.keep(node);
            continue;
        }
        rewriter.begin(&node);
        let left_out = replace(&mut rewriter, &node).map_err(|reason| OnnxError::Operator {
            name: name_of(&node),
            op: node.op_type.clone(),
            reason,
        })?;
        departures.extend(left_out.map(|what| Departure {
            name: name_of(&node),
            op: node.op_type.clone(),
            what,
        }));
    }
    let (nodes, constants) = rewriter.finish();
    graph.node = nodes;
    graph.initializer.extend(constants);
    untyped_outputs(graph);
    Ok(departures)
}

/// Outputs that were maps or texts are tensors of numbers now.
fn untyped_outputs(graph: &mut GraphProto) {
    for output in &mut graph.output {
        *output = ValueInfoProto { name: output.name.clone(), ..ValueInfoProto::default() };
    }
}

/// Writes the nodes that compute the same; what is left out, if anything.
fn replace(rewriter: &mut Rewriter, node: &NodeProto) -> Result<Option<String>, String> {
    let input = |position: usize| {
        let input = node.input.get(position).map(String::as_str);
        input.ok_or_else(|| format!("input {position} is missing"))
    };
    let output = |position: usize| node.output.get(position).cloned().unwrap_or_default();
    match node.op_type.as_str() {
        "Scaler" => linear::scaler(rewriter, node, input(0)?, output(0)),
        "Normalizer" => linear::normalizer(rewriter, node, input(0)?, output(0)),
        "Binarizer" => linear::binarizer(rewriter, node, input(0)?, output(0)),
        "LinearRegressor" => linear::regressor(rewriter, node, input(0)?, output(0)),
        "LinearClassifier" => linear::classifier(rewriter, node, input(0)?, [output(0), output(1)]),
        "TreeEnsembleRegressor" => trees::regressor(rewriter, node, input(0)?, output(0)),
        "TreeEnsembleClassifier" => {
            trees::classifier(rewriter, node, input(0)?, [output(0), output(1)])
        }
        "ZipMap" => {
            rewriter.op_as("Identity", &[input(0)?], vec![], output(0));
            Ok(None)
        }
        "ArrayFeatureExtractor" => rewriter.extract(input(0)?, input(1)?, output(0)),
        _ => Err("the operator is not known: of scikit-learn's, Scaler, Normalizer, Binarizer, \
                  linear models, ensembles of trees and ZipMap are; replace it in the pipeline"
            .into()),
    }
}
