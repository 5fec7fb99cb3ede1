//! Frames within the TLS stream: eight bytes of length (little-endian), then the payload. A length
//! of all ones is a sign of life without payload, the one below says that the sender's operator
//! ends the session. The receiver's program knows each length beforehand and compares; nothing is
//! allocated for a length that a peer claims.

use std::collections::VecDeque;

/// Bytes before the payload.
pub(super) const HEADER_LENGTH: usize = 8;

/// Sent when there has been nothing else for a while.
pub(super) const SIGN_OF_LIFE: [u8; HEADER_LENGTH] = [0xff; HEADER_LENGTH];

/// Sent instead of any further frame when this side's operator ends the session.
pub(super) const STOPPED: [u8; HEADER_LENGTH] = (u64::MAX - 1).to_le_bytes();

/// The header of a frame.
pub(super) fn header(length: usize) -> [u8; HEADER_LENGTH] {
    (length as u64).to_le_bytes()
}

/// Follows the frames in a byte stream and leaves out the signs of life.
#[derive(Default)]
pub struct FrameFilter {
    stopped: bool,
    payload_left: u64,
    header: [u8; HEADER_LENGTH],
    header_filled: usize,
}

impl FrameFilter {
    /// Whether the sender's operator has ended the session; nothing counts that comes after that.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Appends the frames (headers and payloads) within `bytes`, wherever it is cut, to `frames`.
    pub fn push(&mut self, mut bytes: &[u8], frames: &mut VecDeque<u8>) {
        while !bytes.is_empty() && !self.stopped {
            if self.payload_left > 0 {
                let left = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
                let (payload, rest) = bytes.split_at(bytes.len().min(left));
                frames.extend(payload);
                self.payload_left -= payload.len() as u64;
                bytes = rest;
                continue;
            }
            let missing = HEADER_LENGTH - self.header_filled;
            let (part, rest) = bytes.split_at(bytes.len().min(missing));
            self.header[self.header_filled..][..part.len()].copy_from_slice(part);
            self.header_filled += part.len();
            bytes = rest;
            if self.header_filled == HEADER_LENGTH {
                self.header_filled = 0;
                if self.header == STOPPED {
                    self.stopped = true;
                } else if self.header != SIGN_OF_LIFE {
                    frames.extend(&self.header);
                    self.payload_left = u64::from_le_bytes(self.header);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn signs_of_life_vanish_wherever_the_stream_is_cut(
            frames in proptest::collection::vec(
                proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)), 0..10),
            cuts in proptest::collection::vec(1usize..12, 0..200),
        ) {
            let (mut stream, mut expected) = (Vec::new(), Vec::new());
            for frame in &frames {
                match frame {
                    None => stream.extend(SIGN_OF_LIFE),
                    Some(payload) => {
                        for bytes in [&header(payload.len())[..], payload] {
                            stream.extend(bytes);
                            expected.extend(bytes);
                        }
                    }
                }
            }
            let (mut filter, mut got) = (FrameFilter::default(), VecDeque::new());
            let mut rest = &stream[..];
            for cut in cuts {
                let (part, more) = rest.split_at(cut.min(rest.len()));
                filter.push(part, &mut got);
                rest = more;
            }
            filter.push(rest, &mut got);
            prop_assert_eq!(Vec::from(got), expected);
        }

        #[test]
        fn nothing_counts_after_the_end(before in 0usize..40, after: Vec<u8>, cut in 1usize..12) {
            let mut stream = header(before).to_vec();
            stream.extend(vec![7; before]);
            let expected = stream.clone();
            stream.extend(STOPPED);
            stream.extend(after);
            let (mut filter, mut got) = (FrameFilter::default(), VecDeque::new());
            stream.chunks(cut).for_each(|part| filter.push(part, &mut got));
            prop_assert!(filter.stopped());
            prop_assert_eq!(Vec::from(got), expected);
        }

        #[test]
        fn any_bytes_pass_without_growing(bytes: Vec<u8>) {
            let (mut filter, mut got) = (FrameFilter::default(), VecDeque::new());
            filter.push(&bytes, &mut got);
            prop_assert!(got.len() <= bytes.len());
        }
    }
}
