//! Functions of an integer that neither side of a pair knows, cut into what two parties can do: a
//! table around 0, and further out, where the function has few steps, a comparison for each step.

use std::sync::Arc;
use twain_graph::numbers::integer_to_field;
use twain_party::{Hint, StaticTable, evaluate_hint, signed_integer};

/// Sizes of the table, as log2 of its largest argument and one more, and how many steps may be
/// left: the first that fits is taken.
const TABLES: [(u32, usize); 5] = [(12, 16), (14, 16), (16, 36), (18, 132), (19, MOST_STEPS)];
/// Most comparisons for one value.
const MOST_STEPS: usize = 260;
/// Arguments are at most this in size.
pub(crate) const MOST_ARGUMENT: i128 = 1 << 100;
/// Table entries are at most this in size: what is larger has steps of its own. A table's entries
/// are shared modulo 2^128, and a share of a large one goes wrong too often.
pub(crate) const MOST_ENTRY: i128 = 1 << 40;

/// A function on the integers of an interval.
#[derive(Debug)]
pub(crate) struct StepFunction {
    pub hint: Hint,
    pub domain: (i128, i128),
    /// Around 0, which it holds; none if there are steps only.
    pub table: Option<Arc<StaticTable>>,
    /// Its value below all steps, without the table's.
    pub start: i128,
    /// Where it changes; what the table holds counts as 0.
    pub steps: Vec<Step>,
}

/// A change of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The first argument after it.
    pub from: i128,
    /// By how much.
    pub by: i128,
    pub edge: Option<Edge>,
}

/// What else happens at a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edge {
    /// The table begins.
    First,
    /// The table is over.
    End,
}

impl StepFunction {
    /// The function of a hint with one output, monotone on either side of 0; none if it has too
    /// many steps.
    pub fn new(hint: &Hint, domain: (i128, i128)) -> Option<Self> {
        let value = |x: i128| {
            let mut outputs = Vec::with_capacity(1);
            evaluate_hint(hint, integer_to_field(x), &mut outputs).ok()?;
            outputs.first().and_then(|output| signed_integer(*output))
        };
        let (low, high) = domain;
        if let Hint::Exponent { .. } = hint {
            let mut steps = Vec::new();
            find_steps(&value, (low, value(low)?), (high, value(high)?), &mut steps)?;
            let start = value(low)?;
            return Some(Self { hint: hint.clone(), domain, table: None, start, steps });
        }
        TABLES.iter().find_map(|(bits, most_steps)| {
            let most = (1i128 << bits) - 1;
            let (first, last) = (low.clamp(-most, 0), high.clamp(0, most));
            let mut steps = Vec::new();
            let mut start = 0;
            if low < first {
                let before = first - 1;
                start = value(low)?;
                find_steps(&value, (low, start), (before, value(before)?), &mut steps)?;
                steps.push(Step { from: first, by: -value(before)?, edge: Some(Edge::First) });
            }
            if high > last {
                let after = last + 1;
                steps.push(Step { from: after, by: value(after)?, edge: Some(Edge::End) });
                find_steps(&value, (after, value(after)?), (high, value(high)?), &mut steps)?;
            }
            let mut values = (first..=last).map(value).collect::<Option<Vec<_>>>()?;
            for (x, entry) in (first..).zip(&mut values) {
                if entry.saturating_abs() > MOST_ENTRY {
                    let by = std::mem::take(entry);
                    if (low..=high).contains(&x) {
                        steps.push(Step { from: x, by, edge: None });
                        steps.push(Step { from: x + 1, by: by.checked_neg()?, edge: None });
                    }
                }
            }
            if steps.len() > *most_steps {
                return None;
            }
            let name = "of a function around 0".into();
            let table = Some(Arc::new(StaticTable { name, low: first, values }));
            Some(Self { hint: hint.clone(), domain, table, start, steps })
        })
    }
}

/// The steps of a function that is monotone between two arguments, given with their values.
fn find_steps(
    value: &impl Fn(i128) -> Option<i128>,
    (from, first): (i128, i128),
    (to, last): (i128, i128),
    steps: &mut Vec<Step>,
) -> Option<()> {
    if first == last {
        return Some(());
    }
    if to - from == 1 {
        steps.push(Step { from: to, by: last.checked_sub(first)?, edge: None });
        return (steps.len() <= MOST_STEPS).then_some(());
    }
    let middle = from + (to - from) / 2;
    let at_middle = value(middle)?;
    find_steps(value, (from, first), (middle, at_middle), steps)?;
    find_steps(value, (middle, at_middle), (to, last), steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program of a function computes.
    fn at(function: &StepFunction, x: i128) -> i128 {
        let steps = function.steps.iter().filter(|step| x >= step.from);
        let sum = function.start + steps.map(|step| step.by).sum::<i128>();
        let table = function.table.as_ref();
        let entry = table.and_then(|t| t.values.get(usize::try_from(x - t.low).ok()?));
        sum + entry.copied().unwrap_or(0)
    }

    #[test]
    fn steps_and_table_give_the_hint() {
        let reciprocal = |bits: u32, of_zero| Hint::Reciprocal { numerator: 1 << bits, of_zero };
        let wide = 1i128 << 40;
        for (hint, domain) in [
            (reciprocal(14, 1 << 59), (-wide, wide)),
            (reciprocal(14, 1 << 120), (0, wide)),
            (reciprocal(14, 7), (0, 9000)),
            (reciprocal(14, 7), (5, 70_000)),
            (reciprocal(26, 1 << 59), (-wide, wide)),
            (Hint::Reciprocal { numerator: 1500, of_zero: -1 }, (-wide, 10)),
            (Hint::SquareRoot { factor: 128 }, (-wide, 100_000)),
            (Hint::Exponent { scale: 128, limit: 128 }, (-wide, wide)),
        ] {
            let function = StepFunction::new(&hint, domain).unwrap();
            assert!(function.steps.len() <= MOST_STEPS);
            let near = [0, 1, 2, 3, 100, 181, 4095, 4096, 4097, 10_000, 16_384, 32_767, 32_768];
            let steps =
                function.steps.iter().flat_map(|step| [step.from - 1, step.from, step.from + 1]);
            let arguments = near.into_iter().flat_map(|x| [x, -x]).chain(steps);
            for x in arguments.chain([domain.0, domain.1]) {
                if (domain.0..=domain.1).contains(&x) {
                    let mut expected = Vec::new();
                    evaluate_hint(&hint, integer_to_field(x), &mut expected).unwrap();
                    assert_eq!(integer_to_field(at(&function, x)), expected[0], "{hint:?} of {x}");
                }
            }
        }
    }

    #[test]
    fn functions_of_too_many_steps_have_no_program() {
        let root = Hint::SquareRoot { factor: 128 };
        assert!(StepFunction::new(&root, (0, 1 << 40)).is_none());
        let reciprocal = Hint::Reciprocal { numerator: 1 << 40, of_zero: 0 };
        assert!(StepFunction::new(&reciprocal, (0, 1 << 50)).is_none());
    }
}
