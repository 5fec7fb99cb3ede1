//! Functions looked up in a static table (spec 03 §5.12).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, HintId, Wire, ZERO};
use crate::step_function::MOST_ENTRY;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::sync::Arc;
use twain_graph::LookupOp;
use twain_party::{Hint, Kind, StaticTable};

/// A part of a table in the program.
#[derive(Clone, Copy)]
struct Part {
    hint: HintId,
    bound: Bound,
    /// The table of what was taken out of it.
    dropped: Option<HintId>,
}

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

/// Entries further apart than this are not lifted from shares of 128 bits.
const MOST_SPREAD: u128 = 1 << 56;

/// A table without the entries that no value can go on with.
struct Kept {
    table: Arc<StaticTable>,
    /// Where entries were taken out, 1; nothing if they are not within the arguments that are left.
    dropped: Option<Arc<StaticTable>>,
}

/// Takes the entries of more than `limit` in size out of a table whose entries are too far apart
/// for two parties. A table that is none of its own then has an end where they begin, if they are
/// all at its ends; otherwise they become 0, and are told.
fn kept(table: &Arc<StaticTable>, limit: i128) -> Kept {
    let whole = || Kept { table: table.clone(), dropped: None };
    let (lowest, highest) = (table.values.iter().min(), table.values.iter().max());
    let spread = lowest.zip(highest).map_or(0, |(low, high)| high.abs_diff(*low));
    if spread <= MOST_SPREAD {
        return whole();
    }
    let fits = |value: &i128| value.unsigned_abs() <= limit.unsigned_abs();
    let (first, last) = (table.values.iter().position(fits), table.values.iter().rposition(fits));
    let Some(values) = first.zip(last).and_then(|(first, last)| table.values.get(first..=last))
    else {
        return whole();
    };
    let low = table.low + first.unwrap_or_default() as i128;
    let name = table.name.clone();
    let dropped = (!values.iter().all(fits)).then(|| {
        let name = format!("{name}, where its values are too large");
        let values = values.iter().map(|value| i128::from(!fits(value))).collect();
        Arc::new(StaticTable { name, low, values })
    });
    let values = values.iter().map(|value| if fits(value) { *value } else { 0 }).collect();
    Kept { table: Arc::new(StaticTable { name, low, values }), dropped }
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
    /// knows is looked up in the part of the table that its range allows, without the entries that
    /// are larger than any value the circuit can decompose: a witness with one of these is refused.
    fn large_entries(
        &mut self,
        table: &Arc<StaticTable>,
        inputs: &[Wire],
    ) -> Result<Vec<Wire>, LayoutError> {
        let last = table.low + table.values.len() as i128 - 1;
        // Parts by their first and last arguments.
        let mut parts: BTreeMap<(i128, i128), Part> = BTreeMap::new();
        let limit = self.decompositions.format.largest().clamp(MOST_ENTRY, MOST_SPREAD as i128 / 2);
        let mut values = Vec::with_capacity(inputs.len());
        for wire in inputs {
            let wire = self.recorder.now(*wire);
            let shared = self.recorder.kind(wire) == Kind::Shared;
            let range = match (shared, self.recorder.bound(wire).integers()) {
                (true, Some((low, high))) => (low.max(table.low), high.min(last)),
                // One more than the whole, for what a side knows: its table is whole.
                (true, None) => (table.low, last),
                (false, _) => (table.low, last + 1),
            };
            let part = match parts.get(&range) {
                Some(part) => *part,
                None => {
                    let part = part_of(table, range);
                    let Kept { table, dropped } = match shared {
                        true => kept(&part, limit),
                        false => Kept { table: part, dropped: None },
                    };
                    let bound = bound_of(&table);
                    let hint = self.recorder.hint_id(Hint::Table(table));
                    let dropped = dropped.map(|table| self.recorder.hint_id(Hint::Table(table)));
                    let part = Part { hint, bound, dropped };
                    parts.insert(range, part);
                    part
                }
            };
            values.extend(self.recorder.hint(part.hint, &[wire], &[part.bound])?);
            if let Some(dropped) = part.dropped {
                for flag in self.recorder.hint(dropped, &[wire], &[Bound::BIT])? {
                    self.recorder.equal(flag, ZERO);
                }
            }
        }
        Ok(values)
    }

    /// States what EZKL counts as looked up in every run, whatever the values are: calibration
    /// sizes the tables by it.
    pub(super) fn counts_as_looked_up(&mut self, low: i128, high: i128) {
        let extremes = &mut self.lookup_extremes;
        *extremes = (extremes.0.min(low), extremes.1.max(high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(low: i128, values: &[i128]) -> Arc<StaticTable> {
        Arc::new(StaticTable { name: "f".into(), low, values: values.to_vec() })
    }

    #[test]
    fn entries_no_value_can_go_on_with() {
        let huge = 1i128 << 60;
        let near = table(-1, &[0, 1 << 50, -(1 << 50)]);
        let same = kept(&near, MOST_ENTRY);
        assert!(same.table == near && same.dropped.is_none());
        // An exponential: they are all at one end.
        let ends = kept(&table(-2, &[0, 1, 2, huge, i128::MAX]), MOST_ENTRY);
        assert!(*ends.table == *table(-2, &[0, 1, 2]) && ends.dropped.is_none());
        // A logarithm: one is in the midst.
        let midst = kept(&table(-2, &[0, 0, i128::MIN, 5, 7]), MOST_ENTRY);
        assert_eq!(midst.table.values, [0, 0, 0, 5, 7]);
        assert_eq!(midst.dropped.unwrap().values, [0, 0, 1, 0, 0]);
        assert_eq!(kept(&table(0, &[-huge, huge]), MOST_ENTRY).table.values, [-huge, huge]);
    }
}
