//! What a conversion goes by: tract's graph, the sizes of its dimensions, and the run arguments.

use std::collections::BTreeSet;
use tract_core::internal::*;
use twain_graph::{Outlet, RunArgs};

/// A model on its way.
pub(crate) struct Conversion<'a> {
    pub model: &'a TypedModel,
    pub symbols: &'a SymbolValues,
    pub args: &'a RunArgs,
    /// Constants that mask a softmax, by node.
    pub masks: &'a BTreeSet<usize>,
    /// Whether these are taken as -100.
    pub clamps_masks: bool,
}

impl Conversion<'_> {
    /// The shape of an outlet.
    pub fn shape(&self, outlet: OutletId) -> Result<Vec<usize>, String> {
        let fact = self.model.outlet_fact(outlet).map_err(|error| format!("{error:#}"))?;
        let dims = fact.shape.eval_to_usize(self.symbols).map_err(|error| {
            format!("its shape is not known ({error}): set the dimension with --variables")
        })?;
        Ok(dims.to_vec())
    }
}

/// An outlet of tract's graph.
pub(crate) fn outlet(outlet: &OutletId) -> Outlet {
    Outlet { node: outlet.node, slot: outlet.slot }
}
