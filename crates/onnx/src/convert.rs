//! tract's graph to EZKL's, node by node (spec 05 §1.3, §2.1, §2.2, §2.5).

use crate::OnnxError;
use crate::constants::{input_type, requantize};
use crate::conversion::{Conversion, outlet};
use crate::load::{Loaded, analyse_error, guarded};
use crate::masks::clamp;
use crate::operands::Operands;
use crate::operators::{constant_node, operator};
use crate::scales::{homogeneous, homogenise, out_scale, rebase, rebase_state};
use crate::scan::{Overrides, loop_node};
use std::collections::BTreeMap;
use tract_core::internal::*;
use tract_core::ops::scan::Scan;
use twain_graph::{
    Graph, Input, Model, ModelVisibility, Node, NodeKind, RunArgs, SupportedOp,
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
    let conversion = Conversion {
        model: &loaded.model,
        symbols: &loaded.symbols,
        args,
        masks: &loaded.masks,
        clamps_masks: loaded.clamps_masks,
    };
    let graph = guarded(|| conversion.graph(&Overrides::default()))?;
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

impl Conversion<'_> {
    /// All nodes, inputs and outputs.
    pub fn graph(&self, overrides: &Overrides) -> Result<Graph, OnnxError> {
        let model = self.model;
        let mut input_scales = overrides.inputs.iter().flatten();
        let mut nodes = BTreeMap::new();
        let body = |body: &Conversion, overrides: &Overrides| body.graph(overrides);
        for node in &model.nodes {
            let fail = |reason| OnnxError::Node {
                index: node.id,
                name: node.name.clone(),
                op: node.op.name().into_owned(),
                reason,
            };
            let mut kind = match node.op_as::<Scan>() {
                Some(scan) => NodeKind::SubGraph(loop_node(self, &nodes, node, scan, body)?),
                None => NodeKind::Node(self.node(&mut nodes, node).map_err(fail)?),
            };
            if let NodeKind::Node(converted) = &mut kind {
                let input_scale = match converted.op {
                    SupportedOp::Input(_) => input_scales.next(),
                    _ => None,
                };
                impose(converted, input_scale.copied(), overrides.results.get(&node.id))
                    .map_err(fail)?;
            }
            nodes.insert(node.id, kind);
        }
        nodes.retain(|_, kind| !matches!(kind, NodeKind::Node(node) if node.num_uses == 0));
        for kind in nodes.values_mut() {
            if let NodeKind::Node(Node { op: SupportedOp::Constant(constant), .. }) = kind {
                constant.raw_values = GraphTensor::empty();
            }
        }

        let inputs = model.input_outlets().map_err(analyse_error)?;
        let outputs = model.output_outlets().map_err(analyse_error)?;
        let mut output_types = Vec::with_capacity(outputs.len());
        for outlet in outputs {
            let datum = model.outlet_fact(*outlet).map_err(analyse_error)?.datum_type;
            let unknown =
                || OnnxError::Analyse(format!("an output has elements of type {datum:?}"));
            output_types.push(input_type(datum).ok_or_else(unknown)?);
        }
        Ok(Graph {
            nodes,
            inputs: inputs.iter().map(|outlet| outlet.node).collect(),
            outputs: outputs.iter().map(outlet).collect(),
            output_types,
        })
    }

    /// A constant that masks a softmax.
    fn mask(&self, node: &TypedNode) -> Result<SupportedOp, String> {
        let made = match self.clamps_masks {
            true => constant_node(node, self.args, clamp),
            false => constant_node(node, self.args, |_| ()),
        };
        made.map_err(|reason| {
            format!(
                "{reason}; it masks a softmax: pass --clamp-masks, which takes numbers below -10000 \
                 as -100, to each command that reads the model, or export it with -100"
            )
        })
    }

    /// Converts one node; an error is the reason.
    fn node(
        &self,
        nodes: &mut BTreeMap<usize, NodeKind>,
        node: &TypedNode,
    ) -> Result<Node, String> {
        let args = self.args;
        let mut records = Vec::with_capacity(node.inputs.len());
        for inlet in &node.inputs {
            let source = nodes.get(&inlet.node);
            records.push(source.ok_or("it reads a node that does not come before it")?.clone());
        }
        let mut out_dims = self.shape(OutletId::new(node.id, 0))?;
        let mut operands = Operands::new(records, &out_dims);
        let op = match self.masks.contains(&node.id) {
            true => self.mask(node)?,
            false => operator(node, &mut operands, args)?,
        };
        let (records, deleted) = operands.into_changes();
        for record in records {
            nodes.insert(record.idx(), record);
        }

        let kept = node.inputs.iter().enumerate().filter(|(p, _)| !deleted.contains(p));
        let kept: Vec<OutletId> = kept.map(|(_, outlet)| *outlet).collect();
        let mut in_scales = Vec::with_capacity(kept.len());
        for outlet in &kept {
            let scale = nodes.get(&outlet.node).and_then(|s| s.out_scales().get(outlet.slot));
            in_scales.push(*scale.ok_or("it reads an output that does not exist")?);
        }
        for position in homogeneous(&op) {
            let inlet = node.inputs.get(position).filter(|_| !deleted.contains(&position));
            let source = inlet.and_then(|inlet| nodes.get_mut(&inlet.node));
            let Some(NodeKind::Node(source)) = source else { continue };
            let SupportedOp::Constant(constant) = &mut source.op else { continue };
            if let Some(largest) = in_scales.iter().max().filter(|l| **l > source.out_scale)
                && source.num_uses == 1
            {
                requantize(constant, *largest, &args.param_visibility)
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
        Ok(Node {
            op,
            out_scale,
            inputs: kept.iter().map(outlet).collect(),
            out_dims,
            idx: node.id,
            num_uses: uses.max(1),
        })
    }
}

/// Gives a node of a loop's body the scale the loop wants.
fn impose(node: &mut Node, input: Option<i32>, result: Option<&i32>) -> Result<(), String> {
    if let (SupportedOp::Input(Input { scale, .. }), Some(imposed)) = (&mut node.op, input) {
        *scale = imposed;
        node.out_scale = imposed;
    }
    if let Some(target) = result {
        let op = std::mem::replace(&mut node.op, SupportedOp::Unknown);
        node.op = rebase_state(op, node.out_scale, *target)?;
        node.out_scale = *target;
    }
    Ok(())
}
