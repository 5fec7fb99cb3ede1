//! Scalars on the wire: 32 bytes each, canonical and little-endian, in frames of up to 32 MiB.
//! Input and output are field elements in the order of the caller; how many there are is known to
//! both sides.

use crate::channel::{Channel, Overlap, Scheduled, Way};
use ff::PrimeField;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_party::PartyError;

/// Bytes of a scalar on the wire: canonical, little-endian.
pub const SCALAR_BYTES: usize = 32;

/// Fewer scalars than this are not worth a second thread.
const SCALARS_AT_ONCE: usize = 1 << 12;

/// Writes scalars one after the other.
pub fn encode_scalars(values: &[Fr]) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * SCALAR_BYTES];
    let parts = bytes.par_chunks_mut(SCALARS_AT_ONCE * SCALAR_BYTES);
    parts.zip(values.par_chunks(SCALARS_AT_ONCE)).for_each(|(bytes, values)| {
        for (bytes, value) in bytes.chunks_exact_mut(SCALAR_BYTES).zip(values) {
            bytes.copy_from_slice(value.to_repr().as_ref());
        }
    });
    bytes
}

/// Reads scalars; a value that is not canonical is the peer's fault.
pub fn decode_scalars(bytes: &[u8], phase: &'static str) -> Result<Vec<Fr>, PartyError> {
    bytes
        .par_chunks_exact(SCALAR_BYTES)
        .with_min_len(SCALARS_AT_ONCE)
        .map(|chunk| {
            let mut repr = <Fr as PrimeField>::Repr::default();
            repr.as_mut().copy_from_slice(chunk);
            Option::from(Fr::from_repr(repr)).ok_or_else(|| malformed(phase))
        })
        .collect()
}

/// The peer sent bytes that are no encoding of what was due.
#[derive(Debug, thiserror::Error)]
#[error("the peer sent malformed data during {phase}")]
struct Malformed {
    phase: &'static str,
}

/// The fault of a peer that sent bytes that are no encoding of what was due in `phase`.
pub fn malformed(phase: &'static str) -> PartyError {
    PartyError::Peer(Box::new(Malformed { phase }))
}

/// Scalars in one frame: 32 MiB.
const FRAME_SCALARS: usize = 1 << 20;

/// The lengths of the frames of so many scalars, in bytes.
fn frames(scalars: usize) -> impl Iterator<Item = usize> {
    let starts = (0..scalars).step_by(FRAME_SCALARS);
    starts.map(move |start| SCALAR_BYTES * (scalars - start).min(FRAME_SCALARS))
}

/// The frames of [`exchange_scalars`]: the next one is sent before the peer's is waited for.
pub fn exchange_schedule(own: usize, theirs: usize) -> impl Iterator<Item = Scheduled> {
    let (mut sent, mut received) = (frames(own), frames(theirs));
    let first = sent.next().map(|bytes| (Way::Sent, bytes));
    let steps = 0..own.max(theirs).div_ceil(FRAME_SCALARS);
    let rest = steps.flat_map(move |_| {
        let sent = sent.next().map(|bytes| (Way::Sent, bytes));
        [sent, received.next().map(|bytes| (Way::Received, bytes))]
    });
    first.into_iter().chain(rest.flatten())
}

/// Sends own scalars and receives `count`.
pub fn exchange_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[Fr],
    count: usize,
) -> Result<Vec<Fr>, PartyError> {
    let mut received = Vec::with_capacity(count);
    let mut frames = own.chunks(FRAME_SCALARS);
    for (way, bytes) in exchange_schedule(own.len(), count) {
        match way {
            Way::Sent => channel.send(phase, encode_scalars(frames.next().unwrap_or_default()))?,
            Way::Received => {
                received.extend(decode_scalars(&channel.receive(phase, bytes)?, phase)?);
            }
        }
    }
    Ok(received)
}

/// Sends scalars that the peer takes in when it needs them.
pub fn send_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[Fr],
) -> Result<(), PartyError> {
    for frame in own.chunks(FRAME_SCALARS) {
        channel.send(phase, encode_scalars(frame))?;
    }
    Ok(())
}

/// Expects `count` scalars that the peer has sent with [`send_scalars`] or will send.
pub fn expect_scalars<C: Channel>(channel: &mut Overlap<C>, phase: &'static str, count: usize) {
    frames(count).for_each(|bytes| channel.expect(phase, bytes));
}

/// The scalars that were expected.
pub fn take_scalars<C: Channel>(
    channel: &mut Overlap<C>,
    phase: &'static str,
    count: usize,
) -> Result<Vec<Fr>, PartyError> {
    let mut scalars = Vec::with_capacity(count);
    for _ in frames(count) {
        scalars.extend(decode_scalars(&channel.take()?, phase)?);
    }
    Ok(scalars)
}
