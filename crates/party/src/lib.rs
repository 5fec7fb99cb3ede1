//! What one side of a proof can do, however many sides there are.
//!
//! The witness interpreter (`twain-circuit`) and the prover (`twain-plonk`) are written once, over
//! [`Party`]. A party holds *shares*: vectors of scalars that add up, over all parties, to the
//! value. Linear operations are local and are done on the share vectors directly; everything else
//! goes through the two traits here. [`Alone`] does it locally (its share *is* the value); the
//! second implementation, over a channel, is `twain-pair`'s `TwoParty`.
//!
//! Sources: `docs/protocol.md` (kinds of values, what is opened when), `docs/counts.md`.
//!
//! The same code runs on one side of a pair; alone, the share is the value:
//!
//! ```
//! use twain_algebra::Fr;
//! use twain_party::{Alone, Kind, Operand, PartyError, Role, Seed, WireValue, WitnessParty};
//!
//! /// Two secrets times each other.
//! fn product(party: &mut impl WitnessParty, weight: Fr, input: Fr) -> Result<Fr, PartyError> {
//!     let weight = Operand { share: weight, kind: Kind::Owned(Role::Model), bits: 20 };
//!     let input = Operand { share: input, kind: Kind::Owned(Role::Data), bits: 20 };
//!     let (weight, input) =
//!         (WireValue { wire: 0, operand: weight }, WireValue { wire: 1, operand: input });
//!     party.claim(&[weight, input])?;
//!     Ok(party.inner_products(&[weight], &[input], &[1])?[0])
//! }
//!
//! # fn main() -> Result<(), PartyError> {
//! let mut alone = Alone::new(Seed([7; 32]));
//! assert_eq!(product(&mut alone, Fr::from(6), Fr::from(7))?, Fr::from(42));
//! # Ok(())
//! # }
//! ```

mod alone;
mod argument;
mod blinding;
mod error;
mod hint;
mod kind;
mod numerator;
mod operand;
mod party;
mod seeds;
mod shares;
mod statement;
mod watch;

pub use alone::{Alone, evaluate_hint};
pub use argument::{Accepted, Argument, ArgumentPolynomial, PointOpening, QuotientPart};
pub use blinding::{BlindingItem, BlindingSeeds, Seed};
pub use error::PartyError;
pub use hint::{
    Hint, HintBatch, LookupArgument, LookupUse, Multiplicities, StaticTable, TABLE_OF_INVERSES,
};
pub use kind::{CellKinds, Kind, Role};
pub use numerator::{
    KnownPolynomial, Node, NodeId, Numerator, PublicPolynomial, QuotientOperands, SecretPolynomial,
    coset_shifts, recombination,
};
pub use operand::{Inverted, Operand, WireForm, WireTerm, WireValue};
pub use party::{Opening, Party, ProverParty, Tested, WitnessParty};
pub use seeds::PartySeeds;
pub use shares::{Factors, Shares};
pub use statement::{
    Affine, Combination, LateInverse, LookupShape, LookupStatement, OwnedPolynomial, SecretWire,
    Statement, StatementShape,
};
pub use twain_algebra::signed_integer;
pub use watch::{Phase, Watch, Watched};
