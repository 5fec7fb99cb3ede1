//! Tying parameters to their uses (spec 02 §6.6).

use crate::CompiledModel;
use twain_graph::SupportedOp;

/// Gives every parameter at least two uses, and returns how many had fewer.
///
/// EZKL lays a parameter with one use out afresh at every read, unconstrained: two rows of a batch,
/// or the hash and the computation, may then use different values. With two uses it is laid out
/// once and copied. The circuit changes, so the sizes in the settings (rows, assignments) must be
/// measured again before keys are made.
pub fn bind_params(compiled: &mut CompiledModel) -> usize {
    let mut changed = 0;
    compiled.model.for_each_node_mut(&mut |node| {
        if matches!(node.op, SupportedOp::Constant(_)) && node.num_uses < 2 {
            node.num_uses = 2;
            changed += 1;
        }
    });
    changed
}
