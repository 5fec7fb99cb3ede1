//! Bits, eight a byte, and blocks of 128 of them on the wire. Both sides send equally many.

use crate::channel::{Channel, ChannelError};

/// Sends blocks and receives as many.
pub fn exchange_blocks(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[u128],
) -> Result<Vec<u128>, ChannelError> {
    let frame = own.iter().flat_map(|block| block.to_le_bytes()).collect();
    let theirs = exchange_frame(channel, phase, frame)?;
    let (blocks, _) = theirs.as_chunks::<16>();
    Ok(blocks.iter().map(|bytes| u128::from_le_bytes(*bytes)).collect())
}

/// Sends a frame and receives one as long; no message if it is empty.
pub fn exchange_frame(
    channel: &mut dyn Channel,
    phase: &'static str,
    frame: Vec<u8>,
) -> Result<Vec<u8>, ChannelError> {
    let length = frame.len();
    if length == 0 { Ok(Vec::new()) } else { channel.exchange(phase, frame, length) }
}

/// Sends bits (0 or 1, eight a byte) and receives as many.
pub fn exchange_bits(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[u8],
) -> Result<Vec<u8>, ChannelError> {
    let theirs = exchange_frame(channel, phase, pack_bits(own))?;
    Ok(unpack_bits(&theirs).take(own.len()).collect())
}

/// Eight bits (0 or 1) a byte, the first lowest.
pub fn pack_bits(bits: &[u8]) -> Vec<u8> {
    bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// The way back; the last byte gives all its bits.
pub fn unpack_bits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1))
}
