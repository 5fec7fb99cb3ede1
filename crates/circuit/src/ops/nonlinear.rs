//! Functions looked up in a static table (spec 03 §5.12).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, Wire};
use crate::tensor::Tensor;
use twain_graph::LookupOp;
use twain_party::Hint;

impl Layouter {
    /// `op` of every element.
    pub fn nonlinearity(&mut self, tensor: &Tensor, op: &LookupOp) -> Result<Tensor, LayoutError> {
        let lookup = self.columns.lookups.iter().position(|lookup| lookup.op == *op);
        let Some(lookup) = lookup else {
            let text = format!("the table {op:?} is not among the required ones");
            return Err(LayoutError::Settings(text));
        };
        let table = self.columns.lookups[lookup].table.clone();
        let width = self.columns.lookups[lookup].outputs.len();
        let last = table.low + table.values.len() as i128 - 1;
        let lowest = table.values.iter().copied().min().unwrap_or(0);
        let highest = table.values.iter().copied().max().unwrap_or(0);
        let bound = Bound::new(lowest as f64, highest as f64);
        let low = table.low;
        let inputs: Vec<Wire> = tensor.wires().collect();
        let hint = self.recorder.hint_id(Hint::Table(table));
        let values = self.recorder.hint(hint, &inputs, &[bound])?;
        let chunks = self.chunk_indices(tensor, low, last, width)?;

        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        let written = self.assign(a, tensor)?;
        let result = self.assign_wires(o, &values, &tensor.dims)?;
        self.assign_wires(b, &chunks, &tensor.dims)?;
        for (i, chunk) in chunks.into_iter().enumerate() {
            let at = self.coordinate(i)?;
            let selectors = &self.columns.lookups[lookup].selectors;
            let selector = selectors[at.block * self.inner() + at.inner];
            self.enable(selector, at.row);
            self.look_up(selector, written.elements[i].wire, (width > 1).then_some(chunk));
        }
        self.cursor += tensor.len();
        Ok(result)
    }

    /// States what EZKL counts as looked up in every run, whatever the values are: calibration sizes the
    /// tables by it.
    pub(super) fn counts_as_looked_up(&mut self, low: i128, high: i128) {
        let extremes = &mut self.lookup_extremes;
        *extremes = (extremes.0.min(low), extremes.1.max(high));
    }
}
