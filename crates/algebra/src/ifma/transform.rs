//! The two passes of a transform compiled for AVX-512 IFMA.
#![allow(unsafe_code)]

use super::scalar::Scalars;
use crate::Fr;
use crate::ntt::{self, FirstPass, Passes, SecondPass};
use crate::tiles::ColumnTile;

/// The passes, if this processor has the instructions.
pub(crate) fn passes() -> Option<Passes<Scalars>> {
    super::available().then_some(Passes { first, second })
}

fn first(pass: &FirstPass<'_, Scalars>, buffer: &mut [Scalars], tile: usize, target: &mut [Fr]) {
    // SAFETY: only `passes` hands this function out, after checking the processor.
    unsafe { first_pass(pass, buffer, tile, target) }
}

fn second(
    pass: &SecondPass<'_, Scalars>,
    buffer: &mut [Scalars],
    tile: usize,
    target: &mut ColumnTile<'_>,
) {
    // SAFETY: as above.
    unsafe { second_pass(pass, buffer, tile, target) }
}

#[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw")]
fn first_pass(
    pass: &FirstPass<'_, Scalars>,
    buffer: &mut [Scalars],
    tile: usize,
    target: &mut [Fr],
) {
    ntt::first_pass(pass, buffer, tile, target);
}

#[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw")]
fn second_pass(
    pass: &SecondPass<'_, Scalars>,
    buffer: &mut [Scalars],
    tile: usize,
    target: &mut ColumnTile<'_>,
) {
    ntt::second_pass(pass, buffer, tile, target);
}
