//! Plaintexts in limbs, and the secret distributions.

use crate::buffer::{Words, erase};
use crate::expand::Stream;
use crate::kernels::LIMBS;
use crate::lanes::{self, Kernel, Lanes};
use crate::parameters::{ERROR_FLIPS, FLOOD_BITS, PLAINTEXT_MODULUS};
use twain_algebra::Fr;

/// A polynomial over the integers in 52-bit limbs, each limb `N` words. What the number
/// stands for (an offset, a bound) is said by the function that makes it.
pub struct Limbs<const K: usize>(pub [Words; K]);

impl<const K: usize> Limbs<K> {
    /// Zeros.
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| Words::new()))
    }
}

/// The coefficients of a plaintext.
pub type Coefficients = Limbs<LIMBS>;

/// Limbs of a flood.
pub const FLOOD_LIMBS: usize = FLOOD_BITS.div_ceil(52) as usize;

/// Errors plus [`ERROR_FLIPS`]: the centred binomial distribution, shifted to be positive.
pub fn errors(stream: &mut Stream) -> Words {
    let mut words = Words::new();
    stream.fill(&mut words);
    lanes::run(CountFlips(&mut words));
    words
}

/// From uniform words to differences of coin flips. Plain code: the compiler makes vectors of it.
struct CountFlips<'a>(&'a mut [u64]);

impl Kernel for CountFlips<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let mask = (1u64 << ERROR_FLIPS) - 1;
        for word in self.0 {
            // plus + 21 - minus: the ones among the first flips and the zeros among the others.
            let flips = (*word ^ mask << ERROR_FLIPS) & (mask << ERROR_FLIPS | mask);
            *word = u64::from(flips.count_ones());
        }
    }
}

/// Uniform among 0, 1, 2 (to within 2^-62): a ternary polynomial plus one.
pub fn ternary(stream: &mut Stream) -> Words {
    let mut words = Words::new();
    stream.fill(&mut words);
    for word in words.iter_mut() {
        *word = ((u128::from(*word) * 3) >> 64) as u64;
    }
    words
}

/// Uniform integers of `bits` bits, not centred.
pub fn integers<const K: usize>(stream: &mut Stream, bits: u32) -> Limbs<K> {
    let mut limbs = Limbs::new();
    for (i, limb) in limbs.0.iter_mut().enumerate() {
        stream.fill(limb);
        let left = bits.saturating_sub(52 * i as u32).min(52);
        let mask = (1u64 << left) - 1;
        limb.iter_mut().for_each(|word| *word &= mask);
    }
    limbs
}

/// `out.len()` uniform scalars.
pub fn uniform_scalars(stream: &mut Stream, out: &mut [Fr]) {
    const BATCH: usize = 256;
    let mut words = [0u64; 4 * BATCH];
    let mut filled = 0;
    // Uniform limbs below the modulus are a uniform scalar, in whatever form limbs are kept.
    while filled < out.len() {
        stream.fill(&mut words);
        // A quarter is refused, so every one is written and the next may take its place: a branch
        // would be mispredicted.
        for limbs in words.as_chunks::<4>().0 {
            let mut limbs = *limbs;
            limbs[3] >>= 2;
            let Some(place) = out.get_mut(filled) else { break };
            *place = Fr(limbs);
            filled += usize::from(is_below_modulus(&limbs));
        }
    }
    erase(&mut words);
}

fn is_below_modulus(limbs: &[u64; 4]) -> bool {
    let below = |borrow, (limb, modulus): (&u64, u64)| {
        let (difference, first) = limb.overflowing_sub(modulus);
        first | difference.overflowing_sub(u64::from(borrow)).1
    };
    limbs.iter().zip(PLAINTEXT_MODULUS).fold(false, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(words: &[u64], centre: f64) -> (f64, f64) {
        let n = words.len() as f64;
        let mean = words.iter().map(|&x| x as f64 - centre).sum::<f64>() / n;
        let variance = words.iter().map(|&x| (x as f64 - centre).powi(2)).sum::<f64>() / n;
        (mean, variance)
    }

    #[test]
    fn errors_and_secrets_have_their_moments() {
        let mut stream = Stream::new(&[7; 32]);
        let (mean, variance) = moments(&errors(&mut stream), 21.0);
        assert!(mean.abs() < 0.1 && (variance - 10.5).abs() < 0.5, "{mean} {variance}");
        let (mean, variance) = moments(&ternary(&mut stream), 1.0);
        assert!(mean.abs() < 0.03 && (variance - 2.0 / 3.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn integers_have_exactly_their_bits() {
        let mut stream = Stream::new(&[8; 32]);
        let limbs: Limbs<FLOOD_LIMBS> = integers(&mut stream, FLOOD_BITS);
        let top = limbs.0[FLOOD_LIMBS - 1].iter().fold(0, |all, &word| all | word);
        assert_eq!(64 - top.leading_zeros(), FLOOD_BITS - 52 * (FLOOD_LIMBS as u32 - 1));
        assert!(integers::<3>(&mut stream, 60).0[2].iter().all(|&word| word == 0));
    }

    #[test]
    fn scalars_are_uniform_and_reproducible() {
        let (mut a, mut b) = (vec![Fr::default(); 1000], vec![Fr::default(); 700]);
        uniform_scalars(&mut Stream::new(&[9; 32]), &mut a);
        uniform_scalars(&mut Stream::new(&[9; 32]), &mut b);
        assert_eq!(a[..700], b);
        assert!(a.iter().all(|x| is_below_modulus(&x.0)));
        let half = a.iter().filter(|x| x.0[3] >= PLAINTEXT_MODULUS[3] / 2).count();
        assert!((400..600).contains(&half));
    }
}
