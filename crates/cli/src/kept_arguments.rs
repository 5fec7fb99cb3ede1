//! What is kept in an identity's folder: names for peers (`twain peers`) and bundles
//! (`twain bundles`).

use crate::side::Side;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use twain_link::identity::Fingerprint;

/// Flags of `peers`.
#[derive(Debug, Args)]
pub struct Peers {
    /// What to do.
    #[command(subcommand)]
    pub action: PeersAction,
    /// Folder or name of the identity [default: ~/.config/twain].
    #[arg(long, global = true)]
    pub identity: Option<PathBuf>,
}

/// What is done with the names.
#[derive(Debug, Subcommand)]
pub enum PeersAction {
    /// Gives a peer a name: `--remote-peer NAME` then stands for its key and address.
    Add {
        /// Letters, digits, dots, dashes and underscores.
        name: String,
        /// Its fingerprint, as its `twain identity` prints it, compared over a channel both trust.
        fingerprint: String,
        /// HOST:PORT where it listens, if it does.
        address: Option<String>,
    },
    /// Prints the peers that have names: `NAME FINGERPRINT [HOST:PORT]` a line.
    List,
    /// Forgets a name.
    Remove {
        /// The name.
        name: String,
    },
}

/// Flags of `bundles`.
#[derive(Debug, Args)]
pub struct Bundles {
    /// What to do.
    #[command(subcommand)]
    pub action: BundlesAction,
    /// Folder or name of the identity [default: ~/.config/twain].
    #[arg(long, global = true)]
    pub identity: Option<PathBuf>,
}

/// What is done with the bundles.
#[derive(Debug, Subcommand)]
pub enum BundlesAction {
    /// Prints those that no proof has used yet: identifier, what they are for, this side, peer,
    /// age, size.
    List,
    /// Prints how many there are for proofs of a circuit with a peer.
    Count(Box<Count>),
    /// Erases one, or all: proofs make everything on the spot then.
    Remove {
        /// The identifier, or how it begins.
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// Flags of `bundles count`.
#[derive(Debug, Args)]
pub struct Count {
    /// The compiled circuit; at the data's side the redacted one.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The proving key.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// The SRS [default: EZKL's for the number of rows].
    #[arg(long)]
    pub srs_path: Option<PathBuf>,
    /// Which secret this side holds.
    #[arg(long, value_enum)]
    pub id: Side,
    /// The peer's fingerprint, as its `twain identity` prints it.
    #[arg(long)]
    pub peer: Fingerprint,
}
