//! Work with a peer. Each side reads what both must hold ([`files`]) and what it puts in ([`secret`]),
//! refuses what makes no sense ([`refusals`]), plans ([`planning`]) and tells its user what will be
//! learnt and what it will take ([`forecast`]), meets the peer ([`session`]) and works ([`prove`], and `preprocess` beside this
//! folder).

mod commitments;
mod files;
mod forecast;
mod outputs;
mod planning;
mod prove;
mod refusals;
mod secret;
mod session;

pub use prove::prove;
pub use session::identity;

pub(super) use files::{Common, series};
pub(super) use forecast::{limit_text, timeouts_of_bundles};
pub(super) use planning::plan;
pub(super) use session::{finish, identity_of, meet, open_store, role, tell};
