//! The verifier contract, its calldata, and the chain.
//!
//! - [`Verifier`]: what a contract for one circuit's proofs has to do, from its verifying key.
//! - [`single()`]: the contract for one circuit. [`reusable()`] and [`KeyArtifact`]: one for all,
//!   and the key that comes with every call.
//! - [`calldata`]: calls as EZKL's contracts take them.
//! - [`compiler`]: the user's `solc`. [`chain`]: a node, over JSON-RPC. [`account`]: who pays.
//!
//! ```
//! use twain_evm::calldata;
//!
//! // verifyProof(bytes,uint256[]): selector, two offsets, lengths, and a word of zeros at the end.
//! let call = calldata::verify(&[1; 64], &[]);
//! assert_eq!(call[..4], [0x1e, 0x8e, 0x1e, 0x13]);
//! assert_eq!(call.len(), 4 + 2 * 32 + (32 + 64) + 32 + 32);
//! ```

pub mod account;
pub mod calldata;
pub mod chain;
pub mod compiler;
mod error;
mod memory;
mod program;
mod reusable;
mod single;
mod verifier;

pub use error::EvmError;
pub use reusable::{KeyArtifact, reusable};
pub use single::single;
pub use verifier::Verifier;
