//! From an ONNX file to EZKL's computation graph and settings (spec 05).
//!
//! [`load`] runs tract's front end and its simplifications as EZKL does; [`build`] turns the result
//! into the graph a `model.compiled` holds: scales, rescalings, quantised constants.

mod axes;
mod check;
mod constants;
mod conversion;
mod convert;
mod departures;
mod error;
mod external;
mod images;
mod load;
mod masks;
mod operands;
mod operators;
mod random;
mod recurrent;
mod scales;
mod scan;
mod sklearn;
mod table;

pub use convert::build;
pub use departures::{Departure, departures};
pub use error::OnnxError;
pub use load::{Loaded, Reading, analyse_error, guarded, load};
pub use random::random_inputs;
pub use table::table;
