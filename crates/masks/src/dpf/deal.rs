//! The ideal functionality of making digit masks: a dealer who knows the position. For tests of
//! what is built on top.

use super::checked::Checked;
use super::mask::DigitMask;
use super::tree::{MaskKeys, Scratch, leaf_sums, level_sum};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use twain_party::Role;

/// Both halves, the model's first, of mask `index` of `session`, below `2^bits`, with the lowest
/// `bits` bits of `position`.
pub fn deal(
    session: [u8; 32],
    index: u64,
    bits: u8,
    position: usize,
    rng: &mut ChaCha20Rng,
) -> [Checked<DigitMask>; 2] {
    let width = usize::from(bits);
    let cipher = MaskKeys::derive(&session, index).cipher(width);
    let scratch = &mut Scratch::default();
    let mut block = || u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    let roots = [block() | 1, block() & !1];
    let difference = roots[0] ^ roots[1];
    let mut corrections = Vec::with_capacity(width);
    for level in (0..bits).rev() {
        let [model, data] = roots.map(|root| level_sum(&cipher, root, &corrections, scratch));
        let left = if position >> level & 1 == 0 { difference } else { 0 };
        corrections.push(model ^ data ^ left);
    }
    let [model, data] = roots.map(|root| leaf_sums(&cipher, root, &corrections, scratch));
    let payload = 1u128.wrapping_sub(model.shares).wrapping_add(data.shares);
    let last = if model.controls > data.controls { payload } else { payload.wrapping_neg() };
    let halves = [(Role::Model, roots[0], model), (Role::Data, roots[1], data)];
    halves.map(|(role, root, sums)| {
        let mask = DigitMask::started(session, index, root, corrections.clone());
        Checked::new(mask.finish(role, last, &sums))
    })
}
