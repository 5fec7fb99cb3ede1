//! What a redacted compiled model still shows (spec 02 §6.1, §6.2): scalars and index tensors that
//! came from the network's constants but are part of operations, and settings that depend on the
//! parameters.

use crate::{CompiledModel, field_to_hex};
use std::fmt;
use twain_algebra::{Fr, signed_integer};
use twain_graph::{Constant, HybridOp, LookupOp, PolyOp, SupportedOp, Tensor, Visibility};

/// Elements of a tensor that a description shows.
const SHOWN: usize = 16;

/// A value that stays in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearValue {
    /// Where it is: a node as in messages, or a key of the settings.
    pub place: String,
    /// What it is.
    pub value: String,
}

/// As `node 5 (Linear Pow): exponent 3`.
impl fmt::Display for ClearValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.value)
    }
}

/// The values of `compiled` that [`crate::redact`] leaves in clear and that may come from the
/// network's parameters, in the order of the nodes; then those of the settings. The shape of the
/// graph and the shapes and scales of its tensors are visible as well, and not listed.
pub fn clear_values(compiled: &CompiledModel) -> Vec<ClearValue> {
    let mut values = Vec::new();
    compiled.model.for_each_node(&mut |node| {
        for value in of_op(&node.op) {
            values.push(ClearValue { place: node.to_string(), value });
        }
    });
    let settings = &compiled.settings;
    let mut add = |place: &str, value: String| {
        values.push(ClearValue { place: format!("settings, {place}"), value });
    };
    if !settings.required_lookups.is_empty() {
        let (low, high) = settings.run_args.lookup_range;
        add("lookup_range", format!("{low} to {high}, from activations if it was calibrated"));
    }
    for lookup in &settings.required_lookups {
        if let Some(scalar) = of_lookup(lookup) {
            add("required_lookups", format!("{} {scalar}", lookup.name()));
        }
    }
    values
}

fn of_op(op: &SupportedOp) -> Vec<String> {
    match op {
        SupportedOp::Linear(op) => of_poly(op).into_iter().collect(),
        SupportedOp::Nonlinear(op) => of_lookup(op).into_iter().collect(),
        SupportedOp::Hybrid(HybridOp::Div { denom }) => vec![format!("divisor {denom}")],
        SupportedOp::Hybrid(HybridOp::Gather { constant_idx: Some(indices), .. }) => {
            vec![indices_of(indices)]
        }
        SupportedOp::Constant(constant) => of_constant(constant),
        SupportedOp::Rescaled(rescaled) => of_op(&rescaled.inner),
        SupportedOp::RebaseScale(rebased) => of_op(&rebased.inner),
        SupportedOp::Hybrid(_) | SupportedOp::Input(_) | SupportedOp::Unknown => Vec::new(),
    }
}

fn of_poly(op: &PolyOp) -> Option<String> {
    match op {
        PolyOp::GatherElements { constant_idx: indices, .. }
        | PolyOp::GatherND { indices, .. }
        | PolyOp::ScatterElements { constant_idx: indices, .. }
        | PolyOp::ScatterND { constant_idx: indices } => indices.as_ref().map(indices_of),
        PolyOp::Pow { exponent } => Some(format!("exponent {exponent}")),
        // Slope 0 is ReLU.
        PolyOp::LeakyReLU { slope, .. } if *slope != 0.0 => Some(format!("slope {slope}")),
        PolyOp::Identity { out_scale: Some(scale) } => {
            Some(format!("a power of two or a shift, by its scale {scale}"))
        }
        _ => None,
    }
}

fn of_lookup(op: &LookupOp) -> Option<String> {
    match op {
        LookupOp::Pow { a, .. } => Some(format!("exponent {a}")),
        LookupOp::Exp { base, .. } => Some(format!("base {base}")),
        LookupOp::Div { denom } => Some(format!("divisor {denom}")),
        _ => None,
    }
}

fn of_constant(constant: &Constant) -> Vec<String> {
    let values = &constant.quantized_values;
    if values.visibility != Some(Visibility::Fixed) {
        return Vec::new();
    }
    let show = |value: &Fr| match signed_integer(*value) {
        Some(integer) => integer.to_string(),
        None => field_to_hex(value),
    };
    let shown = values.inner.iter().take(SHOWN).map(show).collect();
    vec![format!("fixed values of shape {:?}: {}", values.dims, list(shown, values.len()))]
}

fn indices_of(indices: &Tensor<usize>) -> String {
    let shown = indices.inner.iter().take(SHOWN).map(usize::to_string).collect();
    format!("indices of shape {:?}: {}", indices.dims, list(shown, indices.len()))
}

fn list(shown: Vec<String>, count: usize) -> String {
    let text = format!("[{}]", shown.join(", "));
    match count - shown.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
