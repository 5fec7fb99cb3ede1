//! A compiled model without its private parameters (spec 02 §6.4): what the model's owner gives
//! away so that others can set the keys up and verify.

use crate::json::witness::GraphWitness;
use crate::{CompiledModel, FormatError};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::{SupportedOp, Tensor, Visibility};

/// What marks a redacted file: a width no run has, in the place of the compiled model's empty
/// witness, which nothing reads.
const REDACTED: i128 = -1;

/// The same model with every parameter that is not part of the circuit set to 0: the file has the
/// same length and gives the same keys.
///
/// What remains visible is listed by [`crate::clear_values`].
///
/// # Errors
/// If parameters are `fixed`: then they are part of the keys, and nothing can hide them.
pub fn redact(compiled: &CompiledModel) -> Result<CompiledModel, FormatError> {
    let fixed = Visibility::Fixed;
    if compiled.model.visibility.params == fixed
        || compiled.settings.run_args.param_visibility == fixed
    {
        let reason = "its parameters are fixed, that is, part of the keys, so they cannot be removed; \
                      compile with --param-visibility private, hashed or polycommit";
        return Err(FormatError::Mismatch(reason.into()));
    }
    let mut redacted = compiled.clone();
    redacted.model.for_each_node_mut(&mut |node| redact_op(&mut node.op));
    let lengths = compiled.witness.inputs.iter().map(Vec::len);
    redacted.witness = GraphWitness::zero(lengths);
    redacted.witness.max_range_size = REDACTED;
    Ok(redacted)
}

impl CompiledModel {
    /// Whether [`redact`] wrote it.
    pub fn is_redacted(&self) -> bool {
        self.witness.max_range_size == REDACTED
    }
}

fn redact_op(op: &mut SupportedOp) {
    match op {
        SupportedOp::Constant(constant) => {
            if constant.quantized_values.visibility != Some(Visibility::Fixed) {
                constant.quantized_values.inner.fill(Fr::ZERO);
            }
            constant.raw_values = Tensor::empty();
        }
        SupportedOp::Rescaled(rescaled) => redact_op(&mut rescaled.inner),
        SupportedOp::RebaseScale(rebased) => redact_op(&mut rebased.inner),
        _ => {}
    }
}
