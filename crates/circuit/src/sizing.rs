//! The settings of a circuit: a dry run of its layout that counts cells, constants and tables, in
//! the order EZKL lays nodes out (spec 05 §4). Where EZKL's lists have an arbitrary order, ours is
//! the order of first use.

mod dynamic;
mod einsum;
mod functions;
mod indexing;
mod operations;
mod pools;
mod primitives;
mod region;
mod tensor;
mod walk;

use crate::LayoutError;
use region::Region;
use twain_graph::{
    EZKL_VERSION, EinsumParams, InputType, Model, ModuleSizes, Node, NodeKind, RunArgs, Settings,
    SupportedOp, Visibility,
};

/// Rows of the hash of `length` elements.
fn hash_rows(length: usize) -> usize {
    41 * length + 2
}

/// The settings of a model, as `gen-settings` writes them. `timestamp` is in milliseconds since
/// 1970.
///
/// # Errors
/// Operands that do not fit an operation, with its node; run arguments that make no circuit.
pub fn settings(model: &Model, args: &RunArgs, timestamp: u128) -> Result<Settings, LayoutError> {
    let graph = &model.graph;
    let region = Region::new(
        args.logrows,
        args.num_inner_cols,
        args.decomp_base as u64,
        args.decomp_legs,
        !args.disable_freivalds,
    );
    let out_of_range = || LayoutError::Settings("logrows or num_inner_cols is out of range".into());
    let mut region = region.ok_or_else(out_of_range)?;
    walk::walk(model, args, &mut region)?;

    let input_nodes: Vec<&Node> = graph.inputs.iter().filter_map(|idx| node(model, *idx)).collect();
    let input_shapes: Vec<_> = input_nodes.iter().map(|node| node.out_dims.clone()).collect();
    let outputs: Vec<(&Vec<usize>, i32)> = graph
        .outputs
        .iter()
        .filter_map(|o| {
            let kind = graph.nodes.get(&o.node)?;
            Some((kind.out_dims().get(o.slot)?, *kind.out_scales().get(o.slot)?))
        })
        .collect();
    let output_shapes: Vec<_> = outputs.iter().map(|(dims, _)| (*dims).clone()).collect();
    let mut model_instance_shapes = Vec::new();
    if args.input_visibility.is_public() {
        model_instance_shapes.extend(input_shapes.clone());
    }
    if args.output_visibility.is_public() {
        model_instance_shapes.extend(output_shapes.clone());
    }
    let module_sizes = module_sizes(model, args, &input_shapes, &output_shapes);
    let input_type = |node: &&Node| match &node.op {
        SupportedOp::Input(input) => input.datum_type,
        _ => InputType::Unknown,
    };
    Ok(Settings {
        run_args: args.clone(),
        num_rows: (region.cells / region.inner).max(module_sizes.poseidon.0),
        total_assignments: region.cells,
        total_const_size: region.constants.len(),
        dynamic_lookup_params: region.dynamic,
        shuffle_params: region.shuffles,
        einsum_params: EinsumParams {
            equations: region.equations,
            total_einsum_col_size: region.einsum_cells,
        },
        model_instance_shapes,
        model_output_scales: outputs.iter().map(|(_, scale)| *scale).collect(),
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
