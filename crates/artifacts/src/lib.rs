//! EZKL's files: settings, compiled circuit, input, witness, proof, SRS and keys.
//!
//! Every file has a reader that refuses what is not one (naming the file, the place and what to
//! do), and a writer whose output EZKL 23.0.5 reads and, where EZKL's own writing is deterministic,
//! equals to the byte. Readers of bytes (`parse`) are what the fuzz targets call. Writes are
//! atomic: a file is either the old or the whole new one ([`Destination`]).
//!
//! Sources: spec 02 (settings, compiled model, JSON files) and spec 01 §1.2, §1.3, §2, §4.4, §7
//! (scalars, points, SRS, keys, proof).
//!
//! An input becomes the numbers of a circuit:
//!
//! ```
//! use std::path::Path;
//! use twain_algebra::Fr;
//! use twain_artifacts::{CompiledModel, InputFile};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Path::new("../../tests/vectors/1l_relu-k8-private");
//! let compiled = CompiledModel::read(&folder.join("model.compiled"))?;
//! let input = InputFile::parse(br#"{"input_data": [[0.5, -1, 0.25]]}"#)?;
//! // 7 bits behind the point, as the circuit's settings say.
//! let scaled = input.quantize(&compiled.model)?;
//! assert_eq!(scaled, [[Fr::from(64), -Fr::from(128), Fr::from(32)]]);
//!
//! let mistake = InputFile::parse(b"{}").expect_err("there are no inputs");
//! assert!(mistake.to_string().contains("input_data"));
//! # Ok(())
//! # }
//! ```

mod binary;
mod bind;
mod clear_values;
mod compiled;
mod destination;
mod error;
mod felt;
mod json;
pub mod key;
mod points;
mod recognise;
mod redact;
mod source;
pub mod srs;

pub use bind::bind_params;
pub use clear_values::{ClearValue, clear_values};
pub use compiled::CompiledModel;
pub use destination::{Destination, Prepared};
pub use error::{ArtifactError, ArtifactKind, FormatError};
pub use felt::{field_from_hex, field_to_hex, field_to_pretty, point_from_hex, point_to_hex};
pub use json::input::{InputElement, InputFile};
pub use json::output::OutputFile;
pub use json::pretty::PrettyElements;
pub use json::proof::{Proof, Split};
pub use json::settings::{parse_settings, read_settings, write_settings};
pub use json::witness::{GraphWitness, LookupExtremes, Processed, ProcessedElements};
pub use recognise::{ONNX_MODEL, recognise, recognise_bytes};
pub use redact::redact;
