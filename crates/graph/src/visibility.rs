//! Who may see a tensor (spec 02 §1.2, §2.5).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who may see inputs, parameters or outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Visibility {
    /// Only the prover.
    #[default]
    Private,
    /// Everyone: part of the proof's instances.
    Public,
    /// Only the Poseidon hash is seen.
    Hashed {
        /// Whether the hash is a public instance; if not, it is fed to the model.
        hash_is_public: bool,
        /// Where the hash goes if it is not public.
        outlets: Vec<usize>,
    },
    /// Only a KZG commitment is seen ("polycommit" on the command line).
    KZGCommit,
    /// Part of the circuit, so of the keys.
    Fixed,
}

impl Visibility {
    /// Whether the values are part of the circuit.
    pub fn is_fixed(&self) -> bool {
        *self == Visibility::Fixed
    }

    /// Whether the values are public instances.
    pub fn is_public(&self) -> bool {
        *self == Visibility::Public
    }

    /// Whether the values are hashed.
    pub fn is_hashed(&self) -> bool {
        matches!(self, Visibility::Hashed { .. })
    }

    /// Whether the hash of the values is a public instance.
    pub fn is_hashed_public(&self) -> bool {
        matches!(self, Visibility::Hashed { hash_is_public: true, .. })
    }

    /// Whether the values are committed to with KZG.
    pub fn is_polycommit(&self) -> bool {
        *self == Visibility::KZGCommit
    }

    /// Whether a module (hash or commitment) processes the values.
    pub fn requires_processing(&self) -> bool {
        self.is_hashed() || self.is_polycommit()
    }

    /// Reads EZKL's command-line spelling: `private`, `public`, `fixed`, `polycommit`, `hashed`,
    /// `hashed/public`, `hashed/private/0,1`. `None` for any other word.
    pub fn from_flag(text: &str) -> Option<Self> {
        Some(match text {
            "private" => Visibility::Private,
            "public" => Visibility::Public,
            "fixed" => Visibility::Fixed,
            "polycommit" => Visibility::KZGCommit,
            "hashed" | "hashed/public" => {
                Visibility::Hashed { hash_is_public: true, outlets: Vec::new() }
            }
            _ => {
                let outlets = text.strip_prefix("hashed/private/")?;
                let outlets = outlets.split(',').map(|slot| slot.trim().parse().ok());
                Visibility::Hashed {
                    hash_is_public: false,
                    outlets: outlets.collect::<Option<_>>()?,
                }
            }
        })
    }
}

/// EZKL's command-line spelling.
impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Visibility::Private => f.write_str("private"),
            Visibility::Public => f.write_str("public"),
            Visibility::Fixed => f.write_str("fixed"),
            Visibility::KZGCommit => f.write_str("polycommit"),
            Visibility::Hashed { hash_is_public: true, .. } => f.write_str("hashed/public"),
            Visibility::Hashed { outlets, .. } => {
                let outlets: Vec<String> = outlets.iter().map(usize::to_string).collect();
                write!(f, "hashed/private/{}", outlets.join(","))
            }
        }
    }
}

/// The visibilities of a model, in the order of `model.compiled` (which differs from `run_args`').
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelVisibility {
    /// Of the inputs: decides whether they are bound to the instance column.
    pub input: Visibility,
    /// Of the parameters.
    pub params: Visibility,
    /// Of the outputs.
    pub output: Visibility,
}
