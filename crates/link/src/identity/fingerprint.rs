//! The fingerprint of a public key: the SHA-256 of its SubjectPublicKeyInfo, as text
//! `sha256:` and 64 hexadecimal digits; to be read out, the digits in groups.

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "sha256:";

/// Names a public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// Not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is `sha256:` and 64 hexadecimal digits")]
pub struct FingerprintError;

impl Fingerprint {
    /// The fingerprint of a key, given as a SubjectPublicKeyInfo in DER.
    pub fn of_public_key(public_key: &[u8]) -> Self {
        Self(Sha256::digest(public_key).into())
    }

    /// The digits in groups of four, for who reads them out or compares them by eye. Read as well
    /// as the plain form.
    pub fn in_groups(&self) -> String {
        let groups = self.0.chunks(2).map(hex::encode);
        groups.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = match text.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        // Copied from where they stand in groups.
        let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let mut digest = [0; 32];
        hex::decode_to_slice(digits, &mut digest).map_err(|_| FingerprintError)?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(digest: [u8; 32]) {
            let fingerprint = Fingerprint(digest);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            prop_assert_eq!(fingerprint.to_string().to_uppercase().parse(), Ok(fingerprint));
            prop_assert_eq!(hex::encode(digest).parse(), Ok(fingerprint));
            prop_assert_eq!(fingerprint.in_groups().parse(), Ok(fingerprint));
            prop_assert_eq!(fingerprint.in_groups().replace(' ', "-").parse(), Ok(fingerprint));
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            if let Ok(fingerprint) = text.parse::<Fingerprint>() {
                let digits = text.replace(|c: char| c.is_whitespace() || c == '-', "");
                prop_assert!(fingerprint.to_string().ends_with(&digits.to_lowercase()));
            }
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        for text in
            ["", "sha256:", "sha256: - ", "sha256:00", &"0".repeat(63), &"0".repeat(66), "ſha256:é"]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }
}
