//! Private model, private data, one ordinary EZKL proof: the library behind the `twain` command.
//!
//! - [`alone`]: from an ONNX file to a verified proof by one prover who holds everything.
//! - [`calibration`]: scales and sizes from sample data, and how good they are.
//! - [`pair`]: the same proof by two processes that hold one secret each.
//! - [`ceremony`]: the files that `get-srs` downloads.
//! - [`evm`]: the way to a smart contract.
//! - [`observe`]: what a session tells whoever runs it, and how it is ended early.
//! - [`Error`]: sorted by who is at [`Fault`], with stable codes.
//!
//! There is no global state: sessions of different roles run in one process. In-memory, a pair is
//! two [`pair::Side`]s over two ends of a channel:
//!
//! ```
//! use std::path::Path;
//! use twain::observe::Run;
//! use twain::pair::{CommonFiles, Side};
//! use twain::{ProverFiles, alone};
//! use twain_link::channel::memory_pair;
//! use twain_party::Role;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let run = Run::silent();
//! let vector = Path::new("../../tests/vectors/1l_relu-k8-private");
//! let (circuit, srs) = (vector.join("model.compiled"), vector.join("../srs/kzg8.srs"));
//! // The model's owner gives the circuit away without the parameters; either makes the keys.
//! let folder = tempfile::tempdir()?;
//! let [redacted, pk_path, vk_path] =
//!     ["redacted.compiled", "pk.key", "vk.key"].map(|name| folder.path().join(name));
//! alone::redact(&circuit)?.write(&redacted)?;
//! let setup = alone::Setup {
//!     compiled_circuit: redacted.clone(),
//!     srs: Some(srs.clone()),
//!     vk_path,
//!     pk_path: pk_path.clone(),
//!     witness: None,
//!     compress: true,
//!     allow_unbound_einsums: false,
//! };
//! alone::setup(&setup, &run)?;
//!
//! let files = |compiled_circuit| {
//!     let (pk_path, srs_path) = (pk_path.clone(), Some(srs.clone()));
//!     let allow_unbound_einsums = false;
//!     let prover = ProverFiles { compiled_circuit, pk_path, srs_path, allow_unbound_einsums };
//!     CommonFiles { prover, allow_polycommit: false, own_inputs: None }
//! };
//! let input = r#"{"input_data": [[0.5, -1, 0.25]]}"#;
//! let model = Side::read(Role::Model, &files(circuit), "", &run)?;
//! let data = Side::read(Role::Data, &files(redacted), input, &run)?;
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
pub mod ceremony;
mod error;
pub mod evm;
pub mod files;
mod input_hash;
pub mod key_files;
pub mod observe;
mod owners;
pub mod pair;
mod prover;

pub use error::{AtFile, Error, Fault};
pub use input_hash::{InputHash, InputHashError};
pub use prover::{Prover, ProverFiles};
