//! What is kept in an identity's folder: names for peers (`twain peers`) and bundles (`twain bundles`).

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Flags of `peers`.
#[derive(Debug, Args)]
pub struct Peers {
    /// What to do.
    #[command(subcommand)]
    pub action: PeersAction,
    /// Folder of the identity [default: ~/.config/twain].
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
    /// Prints the peers that have names: NAME FINGERPRINT [HOST:PORT] a line.
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
    /// Folder of the identity [default: ~/.config/twain].
    #[arg(long, global = true)]
    pub identity: Option<PathBuf>,
}

/// What is done with the bundles.
#[derive(Debug, Subcommand)]
pub enum BundlesAction {
    /// Prints those that no proof has used yet: identifier, what they are for, this side, peer, age, size.
    List,
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
