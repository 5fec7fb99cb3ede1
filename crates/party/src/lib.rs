//! What one side of a proof can do, however many sides there are.
//!
//! The witness interpreter (`twain-circuit`) and the prover (`twain-plonk`) are written once, over
//! [`Party`]. A party holds *shares*: vectors of scalars that add up, over all parties, to the value.
//! Linear operations are local and are done on the share vectors directly; everything else goes
//! through the two traits here. [`Alone`] does it locally (its share *is* the value); the second
//! implementation, over a channel, is `twain-mpc`'s `TwoParty`.
//!
//! Sources: `docs/protocol.md` (kinds of values, what is opened when) and the counts document it cites.

mod alone;
mod blinding;
mod error;
mod hint;
mod kind;
mod numerator;
mod operand;
mod party;
mod shares;

pub use alone::{Alone, evaluate_hint, signed_integer};
pub use blinding::{BlindingItem, BlindingSeeds, Seed};
pub use error::PartyError;
pub use hint::{Hint, HintBatch, LookupArgument, LookupUse, Multiplicities, StaticTable};
pub use kind::{CellKinds, Kind, Role};
pub use numerator::{
    KnownPolynomial, Node, NodeId, Numerator, PublicPolynomial, SecretPolynomial, coset_shifts,
    recombination,
};
pub use operand::Operand;
pub use party::{Opening, Party, ProverParty, WitnessParty};
pub use shares::{Factors, Shares};
