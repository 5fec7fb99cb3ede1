//! Private model, private data, one ordinary EZKL proof: the library behind the `twain` command.
//!
//! - [`alone`]: from an ONNX file to a verified proof by one prover who holds everything.
//! - [`calibration`]: scales and sizes from sample data, and how good they are.
//! - [`pair`]: the same proof by two processes that hold one secret each.
//! - [`observe`]: what a session tells whoever runs it, and how it is ended early.
//! - [`Error`]: sorted by who is at [`Fault`], with stable codes.
//!
//! There is no global state: sessions of different roles run in one process. In-memory, a pair is
//! two [`pair::Side`]s over two ends of a channel:
//!
//! ```no_run
//! use twain::observe::Run;
//! use twain::pair::{CommonFiles, Side};
//! use twain_link::channel::memory_pair;
//! use twain_party::Role;
//!
//! # fn main() -> Result<(), twain::Error> {
//! let files = |circuit: &str| CommonFiles {
//!     compiled_circuit: circuit.into(),
//!     pk_path: "pk.key".into(),
//!     srs_path: Some("kzg.srs".into()),
//!     allow_polycommit: false,
//!     allow_unbound_einsums: false,
//! };
//! let run = Run::silent();
//! let model = Side::read(Role::Model, &files("model.compiled"), "", &run)?;
//! let data = Side::read(Role::Data, &files("model.redacted.compiled"), "input.json", &run)?;
//! let (mut model_end, mut data_end) = memory_pair([0; 32]);
//! let [one, other] = std::thread::scope(|scope| {
//!     let other = scope.spawn(|| data.prove_over(&mut data_end, &Run::silent()));
//!     let one = model.prove_over(&mut model_end, &Run::silent());
//!     [one, other.join().expect("the data's side does not panic")]
//! });
//! assert_eq!(one?.proof, other?.proof);
//! # Ok(())
//! # }
//! ```

pub mod alone;
pub mod calibration;
mod error;
pub mod files;
pub mod key_files;
pub mod observe;
pub mod pair;

pub use error::{AtFile, Error, Fault};
