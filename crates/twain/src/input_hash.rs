//! The hash of an input, as its owner publishes it and a proof of a circuit with hashed inputs
//! shows it (protocol §1.4): `PLACE=HASH`, the place of the input among those of the circuit, from
//! 0, and 64 hexadecimal digits as in a proof's instances.

use std::fmt;
use std::str::FromStr;
use twain_algebra::Fr;
use twain_artifacts::{field_from_hex, field_to_hex};

/// The hash of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputHash {
    /// The input's place among those of the circuit.
    pub input: usize,
    /// Its Poseidon digest (spec 04 §7.3).
    pub digest: Fr,
}

/// A text that is no hash of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it looks like `1=` and 64 hexadecimal digits, as hash-inputs prints it")]
pub struct InputHashError;

impl fmt::Display for InputHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.input, field_to_hex(&self.digest))
    }
}

impl FromStr for InputHash {
    type Err = InputHashError;

    fn from_str(text: &str) -> Result<Self, InputHashError> {
        let (input, digest) = text.trim().split_once('=').ok_or(InputHashError)?;
        let input = input.parse().map_err(|_| InputHashError)?;
        let digest = field_from_hex(digest).ok_or(InputHashError)?;
        Ok(Self { input, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let hash = InputHash { input: 12, digest: -Fr::from(7) };
        assert_eq!(format!(" {hash}\n").parse(), Ok(hash));
        for text in ["", "1", "=", "x=00", "1=00", &format!("{hash}0")] {
            assert_eq!(text.parse::<InputHash>(), Err(InputHashError), "{text}");
        }
    }
}
