//! How a peer is met: the flags of every command that works with one, and invitations.

use crate::files::Files;
use crate::side::Side;
use clap::{ArgAction, ArgGroup, Args};
use std::path::PathBuf;
use std::time::Duration;
use twain::pair::Invitation;

/// Flags for work with a peer: `--id` and an address to dial, one to listen on, or both.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("address").multiple(true).args(["remote_peer", "local_addr", "invite"])))]
pub struct Pair {
    /// HOST:PORT where the peer listens, or the name that `peers add` gave it.
    #[arg(long, value_name = "ADDRESS", requires = "id")]
    pub remote_peer: Option<String>,
    /// The peer's invitation, instead of its address and fingerprint.
    #[arg(long, value_name = "TEXT", requires = "id", conflicts_with_all = ["remote_peer", "peer"])]
    pub invite: Option<Invitation>,
    /// ADDR:PORT to listen on.
    #[arg(long, requires = "id")]
    pub local_addr: Option<String>,
    /// Which secret this side holds.
    #[arg(long, value_enum, requires = "address")]
    pub id: Option<Side>,
    /// The inputs of the circuit that are this side's, by their places from 0: `0,2`; all others
    /// are the peer's, which must say so [default: all are the data's side's].
    #[arg(long, value_name = "PLACES", requires = "id", value_delimiter = ',', action = ArgAction::Append)]
    pub own_inputs: Vec<usize>,
    /// The peer's fingerprint, as its `twain identity` prints it.
    #[arg(long, requires = "id")]
    pub peer: Option<String>,
    /// Folder or name of the identity [default: ~/.config/twain].
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// How long to wait for the peer to appear, in seconds.
    #[arg(long, default_value = "60", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// How long the peer may be silent, in seconds; it gives signs of life while it computes.
    #[arg(long, default_value = "300", value_parser = seconds)]
    pub idle_timeout: Duration,
    /// How long the session may take once the peer is there, in seconds [default: an hour, or 20
    /// times what is expected without AVX-512 over 100 Mbit/s and 100 ms if that is longer].
    #[arg(long, value_parser = seconds)]
    pub session_timeout: Option<Duration>,
    /// Begin although up to N sessions with this peer have ended without a result: each may have
    /// told it something about the secret here, if it cheats, so that after three each further one
    /// is asked for.
    #[arg(long, value_name = "N", requires = "id")]
    pub ended_sessions: Option<u32>,
    /// Accept that every proof publishes one exact linear equation of the committed values.
    #[arg(long, requires = "id")]
    pub allow_polycommit: bool,
}

impl Pair {
    /// What is said of whose the inputs are.
    pub fn own_inputs(&self) -> Option<twain::pair::OwnInputs> {
        let inputs = self.own_inputs.clone();
        let role = self.id.filter(|_| !inputs.is_empty())?.into();
        Some(twain::pair::OwnInputs { role, inputs })
    }

    /// As the library takes it.
    pub fn peer(&self) -> twain::pair::Peer {
        let peer = twain::pair::Peer {
            remote_peer: self.remote_peer.clone(),
            local_addr: self.local_addr.clone(),
            peer: self.peer.clone(),
            identity: self.identity.clone(),
            invitation: None,
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            session_timeout: self.session_timeout,
            ended_sessions: self.ended_sessions,
        };
        match self.invite.clone() {
            Some(invitation) => peer.invited(invitation),
            None => peer,
        }
    }
}

/// Thirty years: later times can be computed with.
const MOST_SECONDS: f64 = 1e9;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_string())?;
    if seconds > MOST_SECONDS {
        return Err(format!("at most {MOST_SECONDS} seconds"));
    }
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

/// Flags of `invite`.
#[derive(Debug, Args)]
pub struct Invite {
    /// The compiled circuit the peer is to prove with this side.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// HOST:PORT where the peer can dial this side.
    #[arg(long)]
    pub address: String,
    /// For how many days it is good.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// Folder or name of the identity [default: ~/.config/twain].
    #[arg(long)]
    pub identity: Option<PathBuf>,
}

impl Invite {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.compiled_circuit])
    }
}
