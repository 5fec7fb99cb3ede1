//! Constants that mask a softmax: exporters write "minus infinity" for a place that must not count,
//! which no fixed-point number holds, and of which no table of exponentials is that long. At -100
//! the exponential is 0 in every scale.

use std::collections::BTreeSet;
use tract_core::internal::*;
use tract_core::ops::nn::Softmax;

/// Numbers up to this are no scores but masks.
pub(crate) const MASKED: f32 = -1e4;
/// What takes their place.
const CLAMPED: f32 = -100.0;

/// The constants that reach a softmax through nothing but sums, products, choices and changes of
/// shape, and hold a number that masks: by node.
pub(crate) fn masks(model: &TypedModel) -> BTreeSet<usize> {
    let mut pending: Vec<usize> = Vec::new();
    for node in model.nodes.iter().filter(|node| node.op_is::<Softmax>()) {
        pending.extend(node.inputs.iter().map(|inlet| inlet.node));
    }
    let mut seen = BTreeSet::new();
    let mut masks = BTreeSet::new();
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = model.node(id);
        let first = match &*node.op.name() {
            "Const" => {
                if lowest(node).is_some_and(|lowest| lowest <= MASKED) {
                    masks.insert(id);
                }
                continue;
            }
            "Add" | "Sub" | "Mul" | "Min" | "Max" | "AddAxis" | "RmAxis" | "Reshape"
            | "MoveAxis" | "MultiBroadcastTo" | "Slice" | "Concat" | "Cast" | "Pad" => 0,
            // Its first operand chooses.
            "Iff" => 1,
            _ => continue,
        };
        pending.extend(node.inputs.iter().skip(first).map(|inlet| inlet.node));
    }
    masks
}

/// The smallest number of a constant of floating-point numbers.
pub(crate) fn lowest(node: &TypedNode) -> Option<f32> {
    let tensor = node.outputs.first()?.fact.konst.as_ref()?;
    if !tensor.datum_type().is_float() {
        return None;
    }
    let numbers = tensor.cast_to::<f32>().ok()?;
    numbers.as_slice::<f32>().ok()?.iter().copied().reduce(f32::min)
}

/// The numbers with those that mask at a value a circuit can hold.
pub(crate) fn clamp(numbers: &mut [f32]) {
    numbers.iter_mut().filter(|number| **number <= MASKED).for_each(|number| *number = CLAMPED);
}
