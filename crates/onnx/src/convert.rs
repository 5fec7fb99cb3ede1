//! tract's graph to EZKL's, node by node (spec 05 §1.3, §2.1, §2.2, §2.5).

use crate::OnnxError;
use crate::constants::{input_type, requantize};
use crate::load::Loaded;
use crate::operators::{Operands, operator};
use crate::scales::{homogeneous, homogenise, out_scale, rebase};
use std::collections::BTreeMap;
use tract_core::internal::*;
use twain_graph::{
    Graph, Model, ModelVisibility, Node, NodeKind, Outlet, RunArgs, SupportedOp,
    Tensor as GraphTensor, Visibility,
};

/// The graph of a model with the scales and visibilities of `args`.
///
/// # Errors
/// An operator without a counterpart, with its node; visibilities that do not go together; values
/// that do not fit.
pub fn build(loaded: &Loaded, args: &RunArgs) -> Result<Model, OnnxError> {
    let visibility = ModelVisibility {
        input: args.input_visibility.clone(),
        params: args.param_visibility.clone(),
        output: args.output_visibility.clone(),
    };
    check_visibility(&visibility)?;
    let Loaded { model, symbols } = loaded;
    let analyse = |error: TractError| OnnxError::Analyse(format!("{error:#}"));

    let mut nodes = BTreeMap::new();
    for node in &model.nodes {
        convert(&mut nodes, model, symbols, args, node).map_err(|reason| OnnxError::Node {
            index: node.id,
            name: node.name.clone(),
            op: node.op.name().into_owned(),
            reason,
        })?;
    }
    nodes.retain(|_, node| node.num_uses > 0);
    for node in nodes.values_mut() {
        if let SupportedOp::Constant(constant) = &mut node.op {
            constant.raw_values = GraphTensor::empty();
        }
    }

    let inputs = model.input_outlets().map_err(analyse)?;
    let outputs = model.output_outlets().map_err(analyse)?;
    let mut output_types = Vec::with_capacity(outputs.len());
    for outlet in outputs {
        let datum = model.outlet_fact(*outlet).map_err(analyse)?.datum_type;
        let unknown = || OnnxError::Analyse(format!("an output has elements of type {datum:?}"));
        output_types.push(input_type(datum).ok_or_else(unknown)?);
    }
    let graph = Graph {
        nodes: nodes.into_iter().map(|(idx, node)| (idx, NodeKind::Node(node))).collect(),
        inputs: inputs.iter().map(|outlet| outlet.node).collect(),
        outputs: outputs.iter().map(outlet).collect(),
        output_types,
    };
    let model = Model { graph, visibility };
    model.validate()?;
    Ok(model)
}

fn check_visibility(visibility: &ModelVisibility) -> Result<(), OnnxError> {
    let ModelVisibility { input, params, output } = visibility;
    if params.is_public() {
        return Err(OnnxError::Visibility("parameters cannot be public instances; use fixed"));
    }
    if [input, params, output].iter().all(|visibility| **visibility == Visibility::Private) {
        return Err(OnnxError::Visibility(
            "inputs, parameters and outputs are all private: a proof would say nothing; make one \
             of them public, fixed, hashed or polycommit",
        ));
    }
    Ok(())
}

fn outlet(outlet: &OutletId) -> Outlet {
    Outlet { node: outlet.node, slot: outlet.slot }
}

/// Converts one node; an error is the reason.
fn convert(
    nodes: &mut BTreeMap<usize, Node>,
    model: &TypedModel,
    symbols: &SymbolValues,
    args: &RunArgs,
    node: &TypedNode,
) -> Result<(), String> {
    let shape = |outlet: OutletId| -> Result<Vec<usize>, String> {
        let fact = model.outlet_fact(outlet).map_err(|error| format!("{error:#}"))?;
        let dims = fact.shape.eval_to_usize(symbols).map_err(|error| {
            format!("its shape is not known ({error}): set the dimension with --variables")
        })?;
        Ok(dims.to_vec())
    };
    let mut records = Vec::with_capacity(node.inputs.len());
    let mut shapes = Vec::with_capacity(node.inputs.len());
    for inlet in &node.inputs {
        let source = nodes.get(&inlet.node);
        let source = source.ok_or("it reads a node that does not come before it")?;
        records.push(source.clone());
        shapes.push(shape(*inlet)?);
    }
    let mut out_dims = shape(OutletId::new(node.id, 0))?;
    let mut operands = Operands { records, shapes, out_dims: &out_dims, deleted: Vec::new() };
    let op = operator(node, &mut operands, args)?;
    let Operands { records, deleted, .. } = operands;
    for record in records {
        nodes.insert(record.idx, record);
    }

    let kept = node.inputs.iter().enumerate().filter(|(p, _)| !deleted.contains(p));
    let kept: Vec<OutletId> = kept.map(|(_, outlet)| *outlet).collect();
    let mut in_scales: Vec<i32> =
        kept.iter().filter_map(|o| nodes.get(&o.node)).map(|source| source.out_scale).collect();
    for position in homogeneous(&op) {
        let Some(inlet) = node.inputs.get(position).filter(|_| !deleted.contains(&position)) else {
            continue;
        };
        let largest = in_scales.iter().max().copied();
        let Some(source) = nodes.get_mut(&inlet.node) else { continue };
        let SupportedOp::Constant(constant) = &mut source.op else { continue };
        if let Some(largest) = largest.filter(|largest| *largest > source.out_scale)
            && source.num_uses == 1
        {
            requantize(constant, largest, &args.param_visibility)
                .map_err(|error| error.to_string())?;
        }
        source.out_scale = constant.quantized_values.scale.unwrap_or_default();
        if let Some(scale) = in_scales.get_mut(position) {
            *scale = source.out_scale;
        }
    }

    let op = homogenise(op, &in_scales)?;
    let scale = out_scale(&op, &in_scales)?;
    let op = rebase(op, scale, args)?;
    let out_scale = out_scale(&op, &in_scales)?;
    if out_dims.is_empty() {
        out_dims.push(1);
    }
    let uses: usize = node.outputs.iter().map(|output| output.successors.len()).sum();
    let converted = Node {
        op,
        out_scale,
        inputs: kept.iter().map(outlet).collect(),
        out_dims,
        idx: node.id,
        num_uses: uses.max(1),
    };
    nodes.insert(node.id, converted);
    Ok(())
}
