//! tract's loops to EZKL's (spec 05 §2.6).

use crate::OnnxError;
use crate::conversion::{Conversion, outlet};
use crate::load::analyse_error;
use std::collections::{BTreeMap, BTreeSet};
use tract_core::internal::*;
use tract_core::ops::scan::{InputMapping as TractInput, OutputMapping as TractOutput, Scan};
use twain_graph::{
    Graph, InputMapping, Model, ModelVisibility, NodeKind, Outlet, OutputMapping, SubGraph,
};

/// Scales a loop imposes on its body.
#[derive(Default)]
pub(crate) struct Overrides {
    /// Those of the inputs, in the order of the nodes.
    pub inputs: Option<Vec<i32>>,
    /// Those of results that become a state, by node.
    pub results: BTreeMap<usize, i32>,
}

/// Converts a loop; `convert` does its body.
pub(crate) fn loop_node(
    outside: &Conversion,
    nodes: &BTreeMap<usize, NodeKind>,
    node: &TypedNode,
    scan: &Scan,
    convert: impl FnOnce(&Conversion, &Overrides) -> Result<Graph, OnnxError>,
) -> Result<SubGraph, OnnxError> {
    let fail = |reason: &str| OnnxError::Node {
        index: node.id,
        name: node.name.clone(),
        op: "Scan".into(),
        reason: reason.into(),
    };
    let mut input_scales = Vec::with_capacity(node.inputs.len());
    for inlet in &node.inputs {
        let scale = nodes.get(&inlet.node).and_then(|source| source.out_scales().first());
        input_scales.push(*scale.ok_or_else(|| fail("it reads a node that does not exist"))?);
    }
    let input_mappings: Vec<InputMapping> = scan.input_mapping.iter().map(input_mapping).collect();
    let output_mappings: Vec<Vec<OutputMapping>> =
        scan.output_mapping.iter().enumerate().map(output_mapping).collect();

    let body_outputs = scan.body.output_outlets().map_err(analyse_error)?;
    let overrides = Overrides {
        results: state_scales(&input_scales, &input_mappings, &output_mappings, body_outputs),
        inputs: Some(input_scales),
    };
    // Masks are looked for outside loops.
    let body = Conversion { model: &scan.body, masks: &BTreeSet::new(), ..*outside };
    let graph = convert(&body, &overrides)?;

    let mut out_dims = Vec::with_capacity(node.outputs.len());
    for slot in 0..node.outputs.len() {
        let dims = outside.shape(OutletId::new(node.id, slot));
        out_dims.push(dims.map_err(|reason| fail(&reason))?);
    }
    // Each of EZKL's outlets has the scale of the body's last output.
    let scale = graph
        .outputs
        .last()
        .and_then(|Outlet { node, slot }| graph.nodes.get(node)?.out_scales().get(*slot).copied());
    let scale = scale.ok_or_else(|| fail("its body has no output"))?;
    let args = outside.args;
    Ok(SubGraph {
        model: Model {
            graph,
            visibility: ModelVisibility {
                input: args.input_visibility.clone(),
                params: args.param_visibility.clone(),
                output: args.output_visibility.clone(),
            },
        },
        inputs: node.inputs.iter().map(outlet).collect(),
        idx: node.id,
        output_mappings,
        input_mappings,
        out_scales: vec![scale; out_dims.len()],
        out_dims,
    })
}

fn input_mapping(mapping: &TractInput) -> InputMapping {
    match mapping {
        TractInput::Full => InputMapping::Full,
        TractInput::State => InputMapping::State,
        TractInput::Scan(info) => {
            InputMapping::Stacked { axis: info.axis, chunk: info.chunk as usize }
        }
    }
}

fn output_mapping((position, mapping): (usize, &TractOutput<TDim>)) -> Vec<OutputMapping> {
    let is_state = mapping.state;
    let single = |outlet| OutputMapping::Single { outlet, is_state };
    let last = mapping.last_value_slot.map(single).or(is_state.then(|| single(position)));
    let stacked = mapping.scan.map(|(outlet, info)| OutputMapping::Stacked {
        outlet,
        axis: info.axis,
        is_state: false,
    });
    last.into_iter().chain(stacked).collect()
}

/// The scale of the operand each state begins with, by the node of the body that makes the next
/// one; EZKL imposes it on all later outputs of the body too, up to the next state.
fn state_scales(
    input_scales: &[i32],
    inputs: &[InputMapping],
    outputs: &[Vec<OutputMapping>],
    body_outputs: &[OutletId],
) -> BTreeMap<usize, i32> {
    let states = inputs.iter().zip(input_scales);
    let scales = states.filter(|(mapping, _)| **mapping == InputMapping::State);
    let outlets = outputs.iter().flatten().filter(|mapping| mapping.is_state());
    let mut imposed = BTreeMap::new();
    for ((_, scale), state) in scales.zip(outlets) {
        let mut end = 0;
        for (mappings, outlet) in outputs.iter().zip(body_outputs) {
            end += mappings.len();
            if end > state.outlet() {
                imposed.insert(outlet.node, *scale);
            }
        }
    }
    imposed
}
