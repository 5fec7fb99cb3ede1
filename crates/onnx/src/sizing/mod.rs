//! The settings of a circuit: a dry run of its layout that counts cells, constants and tables, in the
//! order EZKL lays nodes out (spec 05 §4). Where EZKL's lists have an arbitrary order, ours is the
//! order of first use.

mod einsum;
mod operations;
mod primitives;
mod region;
mod tensor;

use crate::OnnxError;
use region::Region;
use std::collections::BTreeMap;
use tensor::{Element, Tensor};
use twain_graph::{
    DynamicLookupParams, EZKL_VERSION, EinsumParams, InputType, Model, ModuleSizes, Node, NodeKind,
    Outlet, RunArgs, Settings, ShuffleParams, SupportedOp, Visibility,
};

/// Rows of the hash of `length` elements.
fn hash_rows(length: usize) -> usize {
    41 * length + 2
}

/// The settings of a model, as `gen-settings` writes them. `timestamp` is in milliseconds since 1970.
///
/// # Errors
/// An operation whose size is not known yet; run arguments that make no circuit.
pub fn settings(model: &Model, args: &RunArgs, timestamp: u128) -> Result<Settings, OnnxError> {
    let graph = &model.graph;
    let region = Region::new(
        args.logrows,
        args.num_inner_cols,
        args.decomp_base as u64,
        args.decomp_legs,
        !args.disable_freivalds,
    );
    let mut region =
        region.ok_or(OnnxError::Analyse("logrows or num_inner_cols is out of range".into()))?;
    walk(model, args, &mut region)?;

    let input_nodes: Vec<&Node> = graph.inputs.iter().filter_map(|idx| node(model, *idx)).collect();
    let output_nodes: Vec<&Node> =
        graph.outputs.iter().filter_map(|outlet| node(model, outlet.node)).collect();
    let shapes =
        |nodes: &[&Node]| nodes.iter().map(|node| node.out_dims.clone()).collect::<Vec<_>>();
    let mut model_instance_shapes = Vec::new();
    if args.input_visibility.is_public() {
        model_instance_shapes.extend(shapes(&input_nodes));
    }
    if args.output_visibility.is_public() {
        model_instance_shapes.extend(shapes(&output_nodes));
    }
    let module_sizes = module_sizes(model, args, &shapes(&input_nodes), &shapes(&output_nodes));
    let input_type = |node: &&Node| match &node.op {
        SupportedOp::Input(input) => input.datum_type,
        _ => InputType::Unknown,
    };
    Ok(Settings {
        run_args: args.clone(),
        num_rows: (region.cells / region.inner).max(module_sizes.poseidon.0),
        total_assignments: region.cells,
        total_const_size: region.constants.len(),
        dynamic_lookup_params: DynamicLookupParams::default(),
        shuffle_params: ShuffleParams::default(),
        einsum_params: EinsumParams {
            equations: region.equations,
            total_einsum_col_size: region.einsum_cells,
        },
        model_instance_shapes,
        model_output_scales: output_nodes.iter().map(|node| node.out_scale).collect(),
        model_input_scales: input_nodes.iter().map(|node| node.out_scale).collect(),
        module_sizes,
        required_lookups: region.lookups,
        required_range_checks: region.ranges,
        check_mode: args.check_mode,
        version: EZKL_VERSION.into(),
        num_blinding_factors: None,
        timestamp: Some(timestamp),
        input_types: Some(input_nodes.iter().map(input_type).collect()),
        output_types: Some(graph.output_types.clone()),
    })
}

fn node(model: &Model, idx: usize) -> Option<&Node> {
    match model.graph.nodes.get(&idx)? {
        NodeKind::Node(node) => Some(node),
        NodeKind::SubGraph(_) => None,
    }
}

/// What hashes and commitments process: inputs, all parameters together, outputs.
fn module_sizes(
    model: &Model,
    args: &RunArgs,
    inputs: &[Vec<usize>],
    outputs: &[Vec<usize>],
) -> ModuleSizes {
    let mut parameters = 0;
    model.for_each_node(&mut |node| {
        if let SupportedOp::Constant(constant) = &node.op {
            parameters += constant.quantized_values.len();
        }
    });
    let lengths = |shapes: &[Vec<usize>]| -> Vec<usize> {
        shapes.iter().map(|shape| shape.iter().product()).collect()
    };
    let mut sizes = ModuleSizes { polycommit: Vec::new(), poseidon: (0, vec![0]) };
    let groups = [
        (&args.input_visibility, lengths(inputs)),
        (&args.param_visibility, vec![parameters]),
        (&args.output_visibility, lengths(outputs)),
    ];
    for (visibility, lengths) in groups {
        for length in lengths.into_iter().filter(|length| *length > 0) {
            match visibility {
                Visibility::KZGCommit => sizes.polycommit.push(length),
                Visibility::Hashed { .. } => {
                    sizes.poseidon.0 += hash_rows(length);
                    sizes.poseidon.1[0] += 1;
                }
                _ => {}
            }
        }
    }
    sizes
}

fn walk(model: &Model, args: &RunArgs, region: &mut Region) -> Result<(), OnnxError> {
    let mut results: BTreeMap<Outlet, Tensor> = BTreeMap::new();
    for kind in model.graph.nodes.values() {
        let fail = |reason: String| {
            OnnxError::Graph(twain_graph::GraphError::Node { node: kind.to_string(), reason })
        };
        let NodeKind::Node(node) = kind else {
            return Err(fail("loops are not supported yet".into()));
        };
        let result = walk_node(node, model, region, &results).map_err(fail)?;
        results.insert(Outlet { node: node.idx, slot: 0 }, result);
    }

    let visibility = &args.output_visibility;
    for outlet in &model.graph.outputs {
        let missing = || OnnxError::Analyse("an output has no result".into());
        let output = results.get(outlet).ok_or_else(missing)?;
        if visibility.is_public() || visibility.is_fixed() {
            let comparator = unknown(output.dims.clone(), visibility, region);
            if args.ignore_range_check_inputs_outputs {
                region.assign(&output.elements);
                region.assign(&comparator.elements);
            } else {
                for tensor in [output, &comparator] {
                    region.decompose(tensor, false).map_err(OnnxError::Analyse)?;
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

/// A tensor not known yet; its elements are part of the circuit if it is fixed.
fn unknown(dims: Vec<usize>, visibility: &Visibility, region: &mut Region) -> Tensor {
    let mut tensor = Tensor::values(dims);
    if visibility.is_fixed() {
        tensor.elements.fill_with(|| region.unknown_constant());
    }
    tensor
}

fn walk_node(
    node: &Node,
    model: &Model,
    region: &mut Region,
    results: &BTreeMap<Outlet, Tensor>,
) -> Result<Tensor, String> {
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
            let tensor = unknown(node.out_dims.clone(), &model.visibility.input, region);
            region.apply(&node.op, &[tensor])?
        }
        op => {
            let mut operands = Vec::with_capacity(node.inputs.len());
            for outlet in &node.inputs {
                let operand = results.get(outlet).ok_or("an operand has no result")?;
                operands.push(operand.clone());
            }
            region.apply(op, &operands)?
        }
    };
    result.reshape(&node.out_dims)
}
