//! From an ONNX file to EZKL's computation graph and settings (spec 05).
//!
//! [`load`] runs tract's front end and its simplifications as EZKL does; [`build`] turns the result
//! into the graph a `model.compiled` holds: scales, rescalings, quantised constants.
//!
//! A network becomes the circuit that EZKL makes of it:
//!
//! ```
//! use std::path::Path;
//! use twain_artifacts::{CompiledModel, read_settings};
//! use twain_onnx::{Reading, build, load};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Path::new("../../tests/vectors/1l_relu-k8-private");
//! let args = read_settings(&folder.join("settings.json"))?.run_args;
//! let network = std::fs::read(folder.join("network.onnx"))?;
//! let network = load(&network, &args.variables, &Reading::default())?;
//! let model = build(&network, &args)?;
//! assert_eq!(model, CompiledModel::read(&folder.join("model.compiled"))?.model);
//! # Ok(())
//! # }
//! ```

mod axes;
mod check;
mod constants;
mod conversion;
mod convert;
mod departure;
mod departures;
mod error;
mod external;
mod images;
mod load;
mod masks;
mod operands;
mod operators;
mod random;
mod reading;
mod recurrent;
mod scales;
mod scan;
mod sklearn;
mod table;

pub use convert::build;
pub use departure::Departure;
pub use departures::departures;
pub use error::OnnxError;
pub use load::{Loaded, analyse_error, guarded, load};
pub use random::random_inputs;
pub use reading::Reading;
pub use table::table;
