//! Values as sign and digits, as far as it is known before cells are written: in which format, and
//! which wires are decomposed already (spec 03 §5.7).

use crate::program::Wire;
use std::collections::HashMap;

/// The decomposition of the circuit's settings, and the wires decomposed with it already.
#[derive(Clone, Debug)]
pub(crate) struct Decompositions {
    pub format: Format,
    /// Sign, digits and recomposition of a wire, which is the recomposition's wire by then.
    pub known: HashMap<(Wire, Format), Digits>,
}

/// How many digits in which base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Format {
    pub base: u64,
    pub legs: u32,
}

impl Format {
    /// Values that fit are below this in size.
    pub fn limit(&self) -> f64 {
        (self.base as f64).powi(self.legs as i32)
    }

    /// The largest size of a value that fits.
    pub fn largest(&self) -> i128 {
        i128::from(self.base).saturating_pow(self.legs) - 1
    }

    /// Cells of a decomposed value: the sign and the digits.
    pub fn cells(&self) -> usize {
        self.legs as usize + 1
    }
}

impl Decompositions {
    pub fn new(format: Format) -> Self {
        Self { format, known: HashMap::new() }
    }
}

/// A decomposed value.
#[derive(Clone, Debug)]
pub(crate) struct Digits {
    pub sign: Wire,
    pub digits: Vec<Wire>,
    /// Running sums of the digits times the powers of the base, one a row.
    pub running: Vec<Wire>,
    /// The sign times the sum.
    pub value: Wire,
}

/// What is known of the sign beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIs {
    Secret,
    /// 1 in every honest run.
    Positive,
}
