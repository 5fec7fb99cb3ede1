//! One side of a pair: [`TwoParty`], the `Party` of two processes and a channel between them over
//! additive shares, and all it consumes made ahead of time ([`preprocessing`]).
//!
//! Input: a link in its session (`twain-link`), this side's seeds, and a [`preprocessing::Plan`] of the
//! circuit (which [`rehearse`] finds out) or a bundle (`twain-store`). Output: the traits of
//! `twain-party`, over which the witness interpreter and the prover are written. Products come from
//! `twain-ole`, digits from `twain-masks` (`docs/protocol.md`: factors and inverses, digits, the
//! quotient, preprocessing).
//!
//! Two sides multiply secrets, each in a thread of its own:
//!
//! ```
//! use twain_algebra::Fr;
//! use twain_link::channel::{Channel, memory_pair};
//! use twain_pair::TwoParty;
//! use twain_party::{
//!     Kind, Operand, PartyError, PartySeeds, Role, Seed, WireValue, WitnessParty,
//! };
//!
//! /// `weight` is the model's and `input` the data's; a side passes 0 for what it does not know.
//! fn product(end: &mut dyn Channel, weight: Fr, input: Fr, seed: u8) -> Result<Fr, PartyError> {
//!     // Of a secure generator, in real life.
//!     let seeds = PartySeeds { blinding: Seed([seed; 32]), protocol: Seed([seed + 1; 32]) };
//!     let mut party = TwoParty::inline(end, &seeds)?;
//!     let weight = Operand { share: weight, kind: Kind::Owned(Role::Model), bits: 20 };
//!     let input = Operand { share: input, kind: Kind::Owned(Role::Data), bits: 20 };
//!     let (weight, input) =
//!         (WireValue { wire: 0, operand: weight }, WireValue { wire: 1, operand: input });
//!     // What is owned keeps its shares; those of shared values become others here.
//!     party.claim(&[weight, input])?;
//!     Ok(party.inner_products(&[weight], &[input], &[1])?[0])
//! }
//!
//! # fn main() -> Result<(), PartyError> {
//! let (mut model, mut data) = memory_pair([0; 32]);
//! let [of_model, of_data] = std::thread::scope(|scope| {
//!     let of_model = scope.spawn(|| product(&mut model, Fr::from(6), Fr::from(0), 1));
//!     let of_data = product(&mut data, Fr::from(0), Fr::from(7), 3);
//!     [of_model.join().expect("no panic"), of_data]
//! });
//! // Neither share says anything; their sum is the product.
//! assert_eq!(of_model? + of_data?, Fr::from(42));
//! # Ok(())
//! # }
//! ```

mod acceptance;
pub mod arithmetic;
mod coin;
mod factors;
pub mod hints;
mod inverses;
mod points;
pub mod preprocessing;
mod quotient;
mod rehearsal;
mod statement;
mod two_party;
pub mod wires;

pub use acceptance::ArgumentShape;
pub use rehearsal::rehearse;
pub use two_party::TwoParty;
