//! Rounding to integers: digits in the base of the fixed-point factor, the last of which is the
//! fraction (spec 04 §5.4).

use super::Pairwise;
use crate::LayoutError;
use crate::decompositions::{Format, SignIs};
use crate::layouter::Layouter;
use crate::program::{MINUS_ONE, ONE, ZERO};
use crate::tensor::{Element, Tensor};
use twain_graph::LookupOp;

/// Which integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Floor,
    Ceil,
    /// The nearest, halves away from 0.
    Nearest,
    /// The nearest, halves to the even one.
    NearestEven,
}

impl Layouter {
    /// Rounds every element at the fixed-point factor `scale`; `legs` digits in that base.
    pub fn round(
        &mut self,
        tensor: &Tensor,
        rounding: Rounding,
        scale: f32,
        legs: usize,
    ) -> Result<Tensor, LayoutError> {
        let format = u32::try_from(legs).ok().map(|legs| Format { base: scale as u64, legs });
        let fits = |format: &Format| format.base >= 2 && (2..=64).contains(&format.legs);
        let format = format.filter(fits).ok_or_else(|| {
            LayoutError::Operands(format!("rounding with {legs} digits in base {scale}"))
        })?;
        let decomposed = self.decompose_with(tensor, format, true, SignIs::Secret)?;
        let middle = (scale / 2.0).round() as u64;
        let middle = self.constant(middle.into());
        let reference = match rounding {
            Rounding::Floor => Some(Element::constant(MINUS_ONE)),
            Rounding::Ceil => Some(Element::constant(ONE)),
            Rounding::Nearest => Some(middle),
            Rounding::NearestEven => {
                self.counts_as_looked_up(0, scale as i128);
                None
            }
        };
        let reference = match reference {
            Some(element) => {
                let written = self.assign(self.columns.b, &Tensor::flat(vec![element]))?;
                self.cursor += 1;
                written
            }
            None => Tensor::flat(vec![middle]),
        };
        let mut digits = decomposed.digits;
        for cells in digits.elements.chunks_mut(format.cells()) {
            let [sign, .., units, fraction] = cells else { continue };
            let step = self.step(rounding, *sign, *units, *fraction, &reference)?;
            let rounded = self.pairwise(&Tensor::flat(vec![*units]), &step, Pairwise::Add)?;
            *units = rounded.elements[0];
            *fraction = Element::constant(ZERO);
        }
        self.recompose(&digits, format)
    }

    /// What is added to the units: 0 or 1.
    fn step(
        &mut self,
        rounding: Rounding,
        sign: Element,
        units: Element,
        fraction: Element,
        reference: &Tensor,
    ) -> Result<Tensor, LayoutError> {
        let [sign, units, fraction] =
            [sign, units, fraction].map(|element| Tensor::flat(vec![element]));
        match rounding {
            Rounding::Floor | Rounding::Ceil => {
                let zero = self.equals_zero(&fraction)?;
                let not_zero = self.not(&zero)?;
                let away = self.equals(&sign, reference)?;
                self.and(&not_zero, &away)
            }
            Rounding::Nearest => {
                let positive = self.equals(&sign, &Tensor::constant(ONE))?;
                let negative = self.equals(&sign, &Tensor::constant(MINUS_ONE))?;
                let half = self.greater_equal(&fraction, reference)?;
                let up = self.and(&positive, &half)?;
                let down = self.and(&negative, &half)?;
                self.or(&up, &down)
            }
            Rounding::NearestEven => {
                let half = self.equals(&fraction, reference)?;
                let odd = self.nonlinearity(&units, &LookupOp::IsOdd)?;
                let to_even = self.and(&odd, &half)?;
                let more = self.greater(&fraction, reference)?;
                self.or(&to_even, &more)
            }
        }
    }
}
