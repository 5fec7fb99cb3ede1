//! Work with a peer. Each side reads what both must hold ([`CommonFiles`]) and what it puts in,
//! refuses what makes no sense (`refusals`), plans (`planning`), tells its user what will be learnt
//! and what it will take ([`Forecast`]), meets the peer (`session`) and works: it proves
//! ([`prove()`]), or makes bundles ahead of time ([`preprocess()`]).

mod bundles;
mod check;
mod commitments;
mod ended;
mod files;
mod forecast;
mod hashes;
mod invitation;
mod invited;
mod learnt;
mod limits;
mod outputs;
mod peers;
mod planning;
mod preprocess;
mod prove;
mod published;
mod refusals;
mod secret;
mod session;
mod side;
mod tested;

pub use crate::owners::OwnInputs;
pub use bundles::{bundles, count_bundles, remove_bundles, rotate_identity};
pub use check::{Checked, check, forecasts};
pub use files::{Common, CommonFiles};
pub use forecast::Forecast;
pub use invitation::{Invitation, InvitationError};
pub use invited::invite;
pub use outputs::Reveal;
pub use peers::{add_peer, named_identities, named_peers, new_identity, remove_peer};
pub use preprocess::preprocess;
pub use prove::{Meeting, ProveFiles, prove};
pub use session::{Peer, fingerprint};
pub use side::{Proven, Side, Terms};
