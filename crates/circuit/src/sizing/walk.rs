//! Walks a graph for a dry run: nodes in the order of their indices, loops iteration by iteration,
//! then the comparison of the outputs (spec 05 §4.3).

use crate::LayoutError;
use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use std::collections::BTreeMap;
use std::fmt::Display;
use twain_graph::{
    InputMapping, Model, Node, NodeKind, Outlet, OutputMapping, RunArgs, SubGraph, SupportedOp,
    Visibility,
};

/// Most elements of a tensor; a circuit has at most that many rows.
const MOST_ELEMENTS: usize = 1 << 28;
/// Most iterations of a loop.
const MOST_ITERATIONS: usize = 1 << 20;

/// Counts a model.
pub(crate) fn walk(model: &Model, args: &RunArgs, region: &mut Region) -> Result<(), LayoutError> {
    let mut inputs = BTreeMap::new();
    for idx in &model.graph.inputs {
        if let Some(kind) = model.graph.nodes.get(idx) {
            let dims = kind.out_dims().first().cloned().unwrap_or_default();
            check_length(&dims).map_err(LayoutError::Operands)?;
            inputs.insert(*idx, unknown(dims, &model.visibility.input, region));
        }
    }
    let results = nodes(model, region, &inputs)?;
    let visibility = &args.output_visibility;
    for outlet in &model.graph.outputs {
        let missing = || LayoutError::Operands("an output has no result".into());
        let output = results.get(outlet).ok_or_else(missing)?;
        if visibility.is_public() || visibility.is_fixed() {
            let comparator = unknown(output.dims.clone(), visibility, region);
            if args.ignore_range_check_inputs_outputs {
                region.assign(&output.elements);
                region.assign(&comparator.elements);
            } else {
                for tensor in [output, &comparator] {
                    region.decompose(tensor, false).map_err(LayoutError::Operands)?;
                }
            }
            region.enforce_equal(output, &comparator);
        } else if *visibility != Visibility::Private
            && !matches!(visibility, Visibility::Hashed { hash_is_public: false, .. })
        {
            region.assign(&output.elements);
        }
    }
    Ok(())
}

/// The error of a node, from the reason.
fn at_node(node: &impl Display) -> impl Fn(String) -> LayoutError + Copy {
    move |reason| LayoutError::Node {
        node: node.to_string(),
        source: Box::new(LayoutError::Operands(reason)),
    }
}

/// Refuses what no circuit holds, before memory is taken for it.
fn check_length(dims: &[usize]) -> Result<(), String> {
    match dims.iter().try_fold(1usize, |length, dim| length.checked_mul(*dim)) {
        Some(0..=MOST_ELEMENTS) => Ok(()),
        _ => Err(format!("a tensor {dims:?} is too large for a circuit")),
    }
}

/// A tensor not known yet; its elements are part of the circuit if it is fixed.
fn unknown(dims: Vec<usize>, visibility: &Visibility, region: &mut Region) -> Tensor {
    let mut tensor = Tensor::values(dims);
    if visibility.is_fixed() {
        tensor.elements.fill_with(|| region.unknown_constant());
    }
    tensor
}

/// Counts the nodes of a model or of a loop's body.
fn nodes(
    model: &Model,
    region: &mut Region,
    inputs: &BTreeMap<usize, Tensor>,
) -> Result<BTreeMap<Outlet, Tensor>, LayoutError> {
    let mut results: BTreeMap<Outlet, Tensor> = BTreeMap::new();
    for kind in model.graph.nodes.values() {
        let fail = at_node(kind);
        let mut operands = Vec::with_capacity(kind.inputs().len());
        for outlet in kind.inputs() {
            let missing = || fail("an operand has no result".into());
            operands.push(results.get(outlet).ok_or_else(missing)?.clone());
        }
        let tensors = match kind {
            NodeKind::Node(node) => {
                vec![walk_node(node, region, &operands, inputs).map_err(fail)?]
            }
            NodeKind::SubGraph(subgraph) => {
                let count = iterations(subgraph, &operands).map_err(fail)?;
                walk_loop(subgraph, region, operands, count)?
            }
        };
        for (slot, tensor) in tensors.into_iter().enumerate() {
            results.insert(Outlet { node: kind.idx(), slot }, tensor);
        }
    }
    Ok(results)
}

fn walk_node(
    node: &Node,
    region: &mut Region,
    operands: &[Tensor],
    inputs: &BTreeMap<usize, Tensor>,
) -> Result<Tensor, String> {
    check_length(&node.out_dims)?;
    let result = match &node.op {
        SupportedOp::Constant(constant) => {
            let values = &constant.quantized_values;
            let tensor = match values.visibility {
                Some(Visibility::Fixed) => {
                    let elements = values.inner.iter().map(|value| Element::Constant(*value));
                    Tensor::new(elements.collect(), values.dims.clone())?
                }
                _ => Tensor::values(values.dims.clone()),
            };
            match node.num_uses {
                1 => tensor,
                _ => region.apply(&node.op, &[tensor])?,
            }
        }
        SupportedOp::Input(_) => {
            let tensor = inputs.get(&node.idx).ok_or("not among the graph's inputs")?;
            region.apply(&node.op, std::slice::from_ref(tensor))?
        }
        op => region.apply(op, operands)?,
    };
    result.reshape(&node.out_dims)
}

/// How often a loop's body runs.
fn iterations(subgraph: &SubGraph, operands: &[Tensor]) -> Result<usize, String> {
    let mut count = None;
    for (mapping, operand) in subgraph.input_mappings.iter().zip(operands) {
        let InputMapping::Stacked { axis, chunk } = *mapping else { continue };
        let length = operand.dims.get(axis).ok_or_else(|| format!("no axis {axis}"))?;
        if chunk == 0 || length.div_ceil(chunk) != *count.get_or_insert(length.div_ceil(chunk)) {
            return Err("its operands have different numbers of slices".into());
        }
    }
    Some(count.unwrap_or(1))
        .filter(|c| *c <= MOST_ITERATIONS)
        .ok_or_else(|| "too many iterations".into())
}

/// Counts a loop; its results, by outlet.
fn walk_loop(
    subgraph: &SubGraph,
    region: &mut Region,
    mut operands: Vec<Tensor>,
    iterations: usize,
) -> Result<Vec<Tensor>, LayoutError> {
    let fail = at_node(subgraph);
    let body = &subgraph.model;
    let mut outlets: BTreeMap<usize, Tensor> = BTreeMap::new();
    for iteration in 0..iterations {
        let mut inputs = BTreeMap::new();
        let mappings = subgraph.input_mappings.iter().zip(&operands);
        for (idx, (mapping, operand)) in body.graph.inputs.iter().zip(mappings) {
            let part = match *mapping {
                InputMapping::Stacked { axis, chunk } => {
                    let mut ranges: Vec<_> = operand.dims.iter().map(|dim| 0..*dim).collect();
                    if let Some(range) = ranges.get_mut(axis) {
                        *range = iteration * chunk..((iteration + 1) * chunk).min(range.end);
                    }
                    operand.slice(&ranges).map_err(fail)?
                }
                InputMapping::Full | InputMapping::State => operand.clone(),
            };
            inputs.insert(*idx, part);
        }
        let results = nodes(body, region, &inputs)?;
        let before = outlets.clone();
        let mut states = Vec::new();
        for (outlet, mappings) in body.graph.outputs.iter().zip(&subgraph.output_mappings) {
            let missing = || fail("an output of its body has no result".into());
            let result = results.get(outlet).ok_or_else(missing)?;
            for mapping in mappings {
                let value = match (mapping, before.get(&mapping.outlet())) {
                    (OutputMapping::Stacked { axis, .. }, Some(before)) => {
                        Tensor::concat(&[before.clone(), result.clone()], *axis).map_err(fail)?
                    }
                    _ => result.clone(),
                };
                outlets.insert(mapping.outlet(), value);
                if mapping.is_state() {
                    states.push(result.clone());
                }
            }
        }
        let mut states = states.into_iter();
        for (mapping, operand) in subgraph.input_mappings.iter().zip(&mut operands) {
            if *mapping == InputMapping::State {
                *operand = states.next().ok_or_else(|| fail("a state is missing".into()))?;
            }
        }
    }
    Ok(outlets.into_values().collect())
}
