//! The operations' layouts (spec 03 §5, spec 04 §2–§5): each writes its cells from the cursor on, and
//! records how their values are computed.

mod accumulate;
mod arithmetic;
mod conv;
mod decompose;
mod einsum;
mod freivalds;
mod logic;
mod nonlinear;
mod shape;

pub(crate) use arithmetic::Pairwise;
pub(crate) use conv::{Convolution, check_formats};
pub(crate) use decompose::Decompositions;
pub(crate) use shape::{gather, gather_elements};
