//! The operations' layouts (spec 03 §5, spec 04 §2–§5): each writes its cells from the cursor on,
//! and records how their values are computed.

mod accumulate;
mod arithmetic;
mod by_digits;
mod conv;
mod decompose;
mod division;
mod dynamic;
mod einsum;
mod freivalds;
mod gather;
mod indices;
mod logarithm;
mod logic;
mod nonlinear;
mod optimum;
mod order;
mod pool;
mod range_check;
mod rounding;
mod shape;
mod sort;
mod steps;
mod zero;

pub(crate) use arithmetic::Pairwise;
pub(crate) use conv::{Convolution, check_formats};
pub(crate) use indices::{gather, scatter};
pub(crate) use optimum::{Scales, softmax_axis};
pub(crate) use range_check::MOST_TABLE_COLUMNS;
pub(crate) use rounding::Rounding;
