//! Functions looked up in a static table (spec 03 §5.12).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, HintId, Wire};
use crate::step_function::MOST_ENTRY;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::sync::Arc;
use twain_graph::LookupOp;
use twain_party::{Hint, Kind, StaticTable};

/// The values of a table.
fn bound_of(table: &StaticTable) -> Bound {
    let lowest = table.values.iter().copied().min().unwrap_or(0);
    let highest = table.values.iter().copied().max().unwrap_or(0);
    Bound::new(lowest as f64, highest as f64)
}

/// The table on arguments `low..=high` only; the whole if it is not that wide.
fn part_of(table: &Arc<StaticTable>, (low, high): (i128, i128)) -> Arc<StaticTable> {
    let index = |x: i128| usize::try_from(x - table.low).ok();
    let entries =
        index(low).zip(index(high)).and_then(|(first, last)| table.values.get(first..=last));
    match entries {
        Some(values) if !values.is_empty() && values.len() < table.values.len() => {
            let (name, values) = (table.name.clone(), values.to_vec());
            Arc::new(StaticTable { name, low, values })
        }
        _ => table.clone(),
    }
}

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
        let low = table.low;
        let inputs: Vec<Wire> = tensor.wires().collect();
        let large = table.values.iter().any(|value| value.saturating_abs() > MOST_ENTRY);
        let values = if large {
            self.large_entries(&table, &inputs)?
        } else {
            let bound = bound_of(&table);
            let hint = self.recorder.hint_id(Hint::Table(table));
            self.recorder.hint(hint, &inputs, &[bound])?
        };
        let held_by = self.table_columns(tensor, (low, last), width)?;

        let (a, b, o) = (self.columns.a, self.columns.b, self.columns.o);
        let written = self.assign(a, tensor)?;
        let result = self.assign_wires(o, &values, &tensor.dims)?;
        let selectors = self.columns.lookups[lookup].selectors.clone();
        self.look_up(&written, b, held_by, &selectors)?;
        Ok(result)
    }

    /// The values of a table some of whose entries are too large for two parties. What neither side
    /// knows is looked up in the part of the table that its range allows.
    fn large_entries(
        &mut self,
        table: &Arc<StaticTable>,
        inputs: &[Wire],
    ) -> Result<Vec<Wire>, LayoutError> {
        let last = table.low + table.values.len() as i128 - 1;
        // Parts by their first and last arguments.
        let mut parts: BTreeMap<(i128, i128), (HintId, Bound)> = BTreeMap::new();
        let mut values = Vec::with_capacity(inputs.len());
        for wire in inputs {
            let wire = self.recorder.now(*wire);
            let range = match (self.recorder.kind(wire), self.recorder.bound(wire).integers()) {
                (Kind::Shared, Some((low, high))) => (low.max(table.low), high.min(last)),
                _ => (table.low, last),
            };
            let (hint, bound) = match parts.get(&range) {
                Some(part) => *part,
                None => {
                    let part = part_of(table, range);
                    let bound = bound_of(&part);
                    let part = (self.recorder.hint_id(Hint::Table(part)), bound);
                    parts.insert(range, part);
                    part
                }
            };
            values.extend(self.recorder.hint(hint, &[wire], &[bound])?);
        }
        Ok(values)
    }

    /// States what EZKL counts as looked up in every run, whatever the values are: calibration sizes the
    /// tables by it.
    pub(super) fn counts_as_looked_up(&mut self, low: i128, high: i128) {
        let extremes = &mut self.lookup_extremes;
        *extremes = (extremes.0.min(low), extremes.1.max(high));
    }
}
