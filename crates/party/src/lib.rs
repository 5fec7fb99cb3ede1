//! What one side of a proof can do, however many sides there are.
//!
//! The witness interpreter (`twain-circuit`) and the prover (`twain-plonk`) are written once, over
//! [`Party`]. A party holds *shares*: vectors of scalars that add up, over all parties, to the value.
//! Linear operations are local and are done on the share vectors directly; everything else goes
//! through the two traits here. [`Alone`] does it locally (its share *is* the value); the second
//! implementation, over a channel, is `twain-pair`'s `TwoParty`.
//!
//! Sources: `docs/protocol.md` (kinds of values, what is opened when), `docs/counts.md`.

mod alone;
mod blinding;
mod error;
mod hint;
mod kind;
mod numerator;
mod operand;
mod party;
mod seeds;
mod shares;
mod watch;

pub use alone::{Alone, evaluate_hint};
pub use blinding::{BlindingItem, BlindingSeeds, Seed};
pub use error::PartyError;
pub use hint::{Hint, HintBatch, LookupArgument, LookupUse, Multiplicities, StaticTable};
pub use kind::{CellKinds, Kind, Role};
pub use numerator::{
    KnownPolynomial, Node, NodeId, Numerator, PublicPolynomial, QuotientOperands, SecretPolynomial,
    coset_shifts, recombination,
};
pub use operand::Operand;
pub use party::{Opening, Party, ProverParty, WitnessParty};
pub use seeds::PartySeeds;
pub use shares::{Factors, Shares};
pub use twain_algebra::signed_integer;
pub use watch::{Phase, Watch, Watched};
