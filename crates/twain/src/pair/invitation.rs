//! Invitations: one line by which a side tells the other where it can be dialled, which key it has,
//! which circuit it proves and until when it waits. The line is no secret, but whoever changes it
//! on its way chooses the peer: it travels over a channel both trust.
//!
//! `twain-peer:1:HOST:PORT:sha256:FINGERPRINT:CIRCUIT:EXPIRES:CHECK`, where `CIRCUIT` is the digest
//! of the circuit without parameters, `EXPIRES` is in seconds since the Unix epoch, and `CHECK` are
//! the first eight hexadecimal digits of the SHA-256 of all before its colon: against slips of
//! those who read it out or copy a part.

use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use twain_link::identity::Fingerprint;

const START: &str = "twain-peer:1:";
/// Far more than a host name takes.
const LONGEST: usize = 600;
const CHECK_DIGITS: usize = 8;

/// What a side tells the other to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// `host:port` to dial; an IPv6 address stands in brackets.
    pub address: String,
    /// The inviting side's key.
    pub fingerprint: Fingerprint,
    /// SHA-256 of the encoded circuit without parameters.
    pub circuit: [u8; 32],
    /// Seconds since the Unix epoch.
    pub expires: u64,
}

/// Why a text is no invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Another kind of text, or a later version of it.
    #[error("an invitation starts with `{START}` and has no blanks in it")]
    Start,
    /// A part is missing or malformed.
    #[error("the invitation is damaged: ask for it again, and copy all of the line")]
    Damaged,
    /// The check digits are those of another text.
    #[error("the invitation's check digits do not fit: a character was changed on the way")]
    Check,
}

fn check_digits(text: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(text.as_bytes()));
    digits.truncate(CHECK_DIGITS);
    digits
}

/// Whether a text is `host:port`, without what a line could be broken by.
pub(super) fn is_address(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let host_is_fine = match bracketed {
        true => host[1..host.len() - 1].chars().all(|c| c.is_ascii_hexdigit() || ":.%".contains(c)),
        false => !host.is_empty() && host.chars().all(plain),
    };
    host_is_fine && port.parse::<u16>().is_ok_and(|number| number != 0)
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, fingerprint, circuit, expires } = self;
        let text = format!("{START}{address}:{fingerprint}:{}:{expires}", hex::encode(circuit));
        write!(f, "{text}:{}", check_digits(&text))
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Self, InvitationError> {
        let text = text.trim();
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || !text.starts_with(START) {
            return Err(InvitationError::Start);
        }
        let (body, check) = text.rsplit_once(':').ok_or(InvitationError::Damaged)?;
        if !check.eq_ignore_ascii_case(&check_digits(body)) {
            return Err(InvitationError::Check);
        }
        let mut parts = body.rsplitn(5, ':');
        let mut part = || parts.next().ok_or(InvitationError::Damaged);
        let (expires, circuit, digits, kind, start) = (part()?, part()?, part()?, part()?, part()?);
        let mut digest = [0; 32];
        hex::decode_to_slice(circuit, &mut digest).map_err(|_| InvitationError::Damaged)?;
        let fingerprint = format!("{kind}:{digits}").parse();
        let invitation = Self {
            address: start.get(START.len()..).unwrap_or_default().into(),
            fingerprint: fingerprint.map_err(|_| InvitationError::Damaged)?,
            circuit: digest,
            expires: expires.parse().map_err(|_| InvitationError::Damaged)?,
        };
        // One text for one invitation: nothing in it is read past.
        let same = invitation.to_string().eq_ignore_ascii_case(text);
        (is_address(&invitation.address) && same)
            .then_some(invitation)
            .ok_or(InvitationError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(address: &str) -> Invitation {
        let (fingerprint, circuit) = (Fingerprint([7; 32]), [9; 32]);
        Invitation { address: address.into(), fingerprint, circuit, expires: 1_800_000_000 }
    }

    #[test]
    fn text_round_trips() {
        for address in ["prove.example:7101", "203.0.113.9:7000", "[2001:db8::1]:7"] {
            let made = invitation(address);
            assert_eq!(made.to_string().parse(), Ok(made.clone()), "{address}");
            assert_eq!(format!(" {made}\n").parse(), Ok(made), "{address}");
        }
    }

    #[test]
    fn a_changed_character_is_noticed_wherever_it_is() {
        let text = invitation("prove.example:7101").to_string();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'3' { b'4' } else { b'3' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed.parse::<Invitation>().is_err(), "{changed}");
            assert!(text[..at].parse::<Invitation>().is_err());
        }
    }

    #[test]
    fn addresses_are_looked_at() {
        for address in ["", "host", "host:0", "host:70000", "a b:7", "[]:7", "[x]:7", "a:b:7"] {
            let text = invitation(address).to_string();
            assert!(text.parse::<Invitation>().is_err(), "{address}");
            assert!(!is_address(address));
        }
    }
}
