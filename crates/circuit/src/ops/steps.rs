//! The program of a function of an integer that neither side of a pair knows.
//!
//! With `b_t = [x >= t]` from comparisons, `inside = b_low - b_(high + 1)` says whether the table
//! `low..=high` holds `x`, and
//! `f(x) = table(inside * x) - (1 - inside) * table(0) + sum of w_t * b_t + c`: all comparisons at
//! once, a product, a lookup. It is the value that the hint gives who knows `x`.

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, MINUS_ONE, ONE, Wire, ZERO};
use crate::step_function::{Edge, MOST_ARGUMENT, Step, StepFunction};
use std::sync::Arc;
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

impl Layouter {
    /// A hint of a value neither side knows, if it is a function that two parties can compute so.
    pub(super) fn step_function(
        &mut self,
        hint: &Hint,
        x: Wire,
    ) -> Result<Option<Wire>, LayoutError> {
        let domain = self.recorder.bound(x).integers();
        let Some(domain) =
            domain.filter(|(low, high)| *low >= -MOST_ARGUMENT && *high <= MOST_ARGUMENT)
        else {
            return Ok(None);
        };
        let known = |f: &&Arc<StepFunction>| f.domain == domain && f.hint == *hint;
        let function = match self.step_functions.iter().find(known) {
            Some(function) => function.clone(),
            None => {
                let Some(function) = StepFunction::new(hint, domain) else { return Ok(None) };
                let function = Arc::new(function);
                self.step_functions.push(function.clone());
                function
            }
        };
        self.evaluate_steps(&function, x).map(Some)
    }

    fn evaluate_steps(&mut self, function: &StepFunction, x: Wire) -> Result<Wire, LayoutError> {
        let recorder = &mut self.recorder;
        let mut terms = vec![(recorder.constant(integer_to_field(function.start)), ONE)];
        let mut not_inside: Vec<(Wire, Wire)> = Vec::new();
        let at_least = recorder.hint_id(Hint::NotNegative);
        for Step { from, by, edge } in &function.steps {
            let from = recorder.constant(integer_to_field(*from));
            let distance = recorder.sub(x, from);
            let bits = recorder.hint(at_least, &[distance], &[Bound::BIT])?;
            let bit = bits.first().copied().unwrap_or(ZERO);
            terms.push((recorder.constant(integer_to_field(*by)), bit));
            match edge {
                Some(Edge::First) => not_inside.extend([(ONE, ONE), (MINUS_ONE, bit)]),
                Some(Edge::End) => not_inside.push((ONE, bit)),
                None => {}
            }
        }
        if let Some(table) = &function.table {
            let outside = recorder.linear(&not_inside);
            let inside = recorder.sub(ONE, outside);
            let argument = recorder.mul(inside, x);
            let last = table.low + table.values.len() as i128 - 1;
            recorder.refine(argument, Bound::new(table.low as f64, last as f64));
            let zero = usize::try_from(-table.low).ok().and_then(|zero| table.values.get(zero));
            let at_zero = recorder.constant(integer_to_field(-zero.copied().unwrap_or(0)));
            terms.push((at_zero, outside));
            let smallest = table.values.iter().min().copied().unwrap_or(0);
            let largest = table.values.iter().max().copied().unwrap_or(0);
            let bound = Bound::new(smallest as f64, largest as f64);
            let hint = recorder.hint_id(Hint::Table(table.clone()));
            let found = recorder.hint(hint, &[argument], &[bound])?;
            terms.extend(found.first().map(|wire| (ONE, *wire)));
        }
        Ok(recorder.linear(&terms))
    }
}
