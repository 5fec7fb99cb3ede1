//! Integers modulo a power of two, many at a time: masks, what they cover, and responses (protocol
//! §2.1).
//!
//! A vector holds `N` numbers modulo `2^bits` in limbs of 52 bits. What is signed is held as it is
//! modulo `2^bits`; a mask and a response stand for the number less `2^(bits - 1)`.

use crate::Error;
use crate::bounds::{MASK_BITS, MAX_BATCH};
use crate::buffer::Words;
use crate::context::Prime;
use crate::kernels;
use crate::modulus::{MASK, Modulus};
use crate::parameters::SLOTS;
use crate::secret::Limbs;

/// Bits of a limb.
const LIMB: u32 = 52;

/// Limbs of a number of so many bits.
pub const fn limbs(bits: u32) -> usize {
    bits.div_ceil(LIMB) as usize
}

/// Bits of limb `index` of a number of so many bits.
fn limb_bits(bits: u32, index: usize) -> u32 {
    bits.saturating_sub(LIMB * index as u32).min(LIMB)
}

/// `X^exponent · x` added to `sums`, in words that wrap around.
pub fn add_shifted(sums: &mut [u64], x: &[u64], exponent: usize) {
    let (shift, is_negated) = (exponent % SLOTS, exponent % (2 * SLOTS) >= SLOTS);
    let (wrapped, straight) = sums.split_at_mut(shift);
    let (first, last) = x.split_at(SLOTS - shift);
    let add = |sums: &mut [u64], x: &[u64]| {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
    };
    let subtract = |sums: &mut [u64], x: &[u64]| {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.wrapping_sub(*x));
    };
    match is_negated {
        false => {
            add(straight, first);
            subtract(wrapped, last);
        }
        true => {
            subtract(straight, first);
            add(wrapped, last);
        }
    }
}

/// From sums and differences of residues, at most [`MAX_BATCH`] and one more, to residues.
pub fn reduce(modulus: &Modulus, sums: &mut Words) {
    // Above 0, and in two words as the kernels take them.
    let offset = (MAX_BATCH as u64 + 1) * modulus.prime;
    let mut high = Words::new();
    for (sum, high) in sums.iter_mut().zip(high.iter_mut()) {
        let positive = sum.wrapping_add(offset);
        *high = positive >> LIMB;
        *sum = positive & MASK;
    }
    let low = sums.clone();
    let power = |exponent: u32| modulus.power(2, u64::from(exponent));
    let terms = [(&low[..], power(LIMB)), (&high[..], power(2 * LIMB))];
    sums.fill(0);
    kernels::linear_combination(modulus, &terms, 0, sums);
}

/// `mask += X^exponent · value` modulo `2^bits`.
pub fn add_shifted_wide<const K: usize>(
    mask: &mut Limbs<K>,
    value: &Limbs<K>,
    exponent: usize,
    bits: u32,
) {
    let (shift, is_negated) = (exponent % SLOTS, exponent % (2 * SLOTS) >= SLOTS);
    for i in 0..SLOTS {
        let from = (i + SLOTS - shift) % SLOTS;
        // Minus a number is its complement plus one.
        let negated = (i < shift) != is_negated;
        let (flip, mut carry) = if negated { (MASK, 1) } else { (0, 0) };
        for (limb, (sum, x)) in mask.0.iter_mut().zip(&value.0).enumerate() {
            let total = sum[i] + (x[from] ^ flip) + carry;
            sum[i] = total & ((1 << limb_bits(bits, limb)) - 1);
            carry = total >> LIMB;
        }
    }
}

/// Whether all of these responses are so far from the ends of their range that their masks may have
/// covered anything: their highest [`MASK_BITS`] bits are neither all 0 nor all 1. Takes the same
/// time whatever they are.
pub fn hides<const K: usize>(numbers: &Limbs<K>, bits: u32) -> bool {
    const { assert!(K > 0) }
    // With a shorter highest limb the upper end would not be seen.
    assert!(limb_bits(bits, K - 1) >= MASK_BITS, "the highest limb holds what is looked at");
    let shift = limb_bits(bits, K - 1) - MASK_BITS;
    let ones = (1u64 << MASK_BITS) - 1;
    let is_at_an_end = |found, word: &u64| {
        let top = word >> shift;
        found | u64::from(top == 0) | u64::from(top == ones)
    };
    numbers.0[K - 1].iter().fold(0, is_at_an_end) == 0
}

/// Small signed numbers: words less `offset`, in limbs.
pub fn signed<const K: usize>(words: &[u64], offset: u64) -> Limbs<K> {
    let mut out = Limbs::new();
    for (i, word) in words.iter().enumerate() {
        store(&mut out, i, [i128::from(*word) - i128::from(offset)]);
    }
    out
}

/// Writes the number `Σ terms_j · 2^(52 j)`, modulo `2^(52 K)`, at place `i`.
pub fn store<const K: usize, const J: usize>(out: &mut Limbs<K>, i: usize, terms: [i128; J]) {
    let mut carry = 0;
    for (limb, out) in out.0.iter_mut().enumerate() {
        let total = carry + terms.get(limb).copied().unwrap_or(0);
        out[i] = total as u64 & MASK;
        carry = total >> LIMB;
    }
}

/// Residues of `factor` times the numbers that masks or responses stand for, as coefficients.
pub fn residues<const K: usize>(
    prime: &Prime,
    numbers: &Limbs<K>,
    bits: u32,
    factor: u64,
) -> Words {
    let modulus = &prime.modulus;
    let power = |exponent: u32| modulus.multiply(modulus.power(2, u64::from(exponent)), factor);
    let terms: [(&[u64], u64); K] =
        std::array::from_fn(|j| (&numbers.0[j][..], power(LIMB * (j as u32 + 1))));
    let mut out = Words::new();
    kernels::linear_combination(modulus, &terms, modulus.negate(power(bits - 1)), &mut out);
    out
}

/// Appends the numbers' bits, limb by limb, least significant first.
pub fn write<const K: usize>(numbers: &Limbs<K>, bits: u32, out: &mut Vec<u8>) {
    for (limb, words) in numbers.0.iter().enumerate() {
        let bits = limb_bits(bits, limb);
        let (mut held, mut count) = (0u128, 0);
        for word in words.iter() {
            held |= u128::from(*word) << count;
            count += bits;
            if count >= u64::BITS {
                out.extend_from_slice(&(held as u64).to_le_bytes());
                held >>= u64::BITS;
                count -= u64::BITS;
            }
        }
    }
}

/// Reads what [`write()`] wrote, from the front of `bytes`. Any bytes are numbers of so many bits.
///
/// # Errors
/// [`Error::Length`] if there are too few.
pub fn read<const K: usize>(bytes: &mut &[u8], bits: u32) -> Result<Limbs<K>, Error> {
    // So many words of any width end where a word of 64 bits does.
    const { assert!(SLOTS.is_multiple_of(64)) }
    let mut out = Limbs::new();
    for (limb, words) in out.0.iter_mut().enumerate() {
        let bits = limb_bits(bits, limb);
        let expected = bits as usize * SLOTS / 8;
        let Some((plane, rest)) = bytes.split_at_checked(expected) else {
            return Err(Error::Length { got: bytes.len(), expected });
        };
        *bytes = rest;
        let mut plane = plane.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk));
        let (mut held, mut count) = (0u128, 0);
        for word in words.iter_mut() {
            if count < bits {
                held |= u128::from(plane.next().unwrap_or(0)) << count;
                count += u64::BITS;
            }
            *word = held as u64 & ((1 << bits) - 1);
            held >>= bits;
            count -= bits;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::{ERROR_BITS, SECRET_BITS};
    use crate::context::context;
    use crate::expand::Stream;
    use crate::secret::integers;

    fn random<const K: usize>(seed: u8, bits: u32) -> Limbs<K> {
        integers(&mut Stream::new(&[seed; 32]), bits)
    }

    /// The residues of the numbers as they are, without the offset.
    fn plain<const K: usize>(numbers: &Limbs<K>, bits: u32, prime: &Prime) -> Words {
        let mut out = residues(prime, numbers, bits, 1);
        let half = prime.modulus.power(2, u64::from(bits) - 1);
        out.iter_mut().for_each(|word| *word = prime.modulus.add(*word, half));
        out
    }

    #[test]
    fn numbers_survive_the_wire() {
        for bits in [60, 95, 103, 104] {
            let numbers: Limbs<2> = random(1, bits);
            let mut bytes = Vec::new();
            write(&numbers, bits, &mut bytes);
            assert_eq!(bytes.len(), bits as usize * SLOTS / 8);
            let read_back: Limbs<2> = read(&mut &bytes[..], bits).unwrap();
            assert!(read_back.0 == numbers.0);
            assert!(read::<2>(&mut &bytes[1..], bits).is_err());
        }
    }

    #[test]
    fn shifts_are_products_with_monomials() {
        let prime = &context().primes[0];
        let modulus = &prime.modulus;
        for exponent in [0, 1, 77, SLOTS - 1, SLOTS, SLOTS + 5, 2 * SLOTS - 1] {
            let (mut mask, value): (Limbs<3>, Limbs<3>) = (random(2, 150), random(3, 100));
            let (old, x) = (plain(&mask, 150, prime), plain(&value, 150, prime));
            add_shifted_wide(&mut mask, &value, exponent, 150);
            let new = plain(&mask, 150, prime);
            let (mut sums, wrap) = (old.clone(), modulus.power(2, 150));
            add_shifted(&mut sums, &x, exponent);
            for i in 0..SLOTS {
                let expected = (sums[i] as i64).rem_euclid(modulus.prime as i64) as u64;
                // Below 0 or beyond 2^150 once at most.
                let wraps = [0, wrap, modulus.negate(wrap)];
                assert!(wraps.iter().any(|wrap| modulus.add(new[i], *wrap) == expected));
            }
            let i = 5;
            let from = (i + SLOTS - exponent % SLOTS) % SLOTS;
            let negated = (i < exponent % SLOTS) != (exponent >= SLOTS);
            let moved = if negated { modulus.negate(x[from]) } else { x[from] };
            let sum = (sums[i] as i64).rem_euclid(modulus.prime as i64) as u64;
            assert_eq!(sum, modulus.add(old[i], moved));
        }
    }

    #[test]
    fn the_largest_sums_are_reduced() {
        for prime in &context().primes {
            let p = prime.modulus.prime as i64;
            let most = MAX_BATCH as i64 * (p - 1);
            let cases = [most + p - 1, most, p, p - 1, 1, 0, -1, -p, -most, -most - p + 1];
            let mut sums = Words::new();
            sums.iter_mut().zip(cases.iter().cycle()).for_each(|(sum, case)| *sum = *case as u64);
            reduce(&prime.modulus, &mut sums);
            for (sum, case) in sums.iter().zip(cases.iter().cycle()) {
                assert_eq!(*sum as i64, case.rem_euclid(p));
            }
        }
    }

    /// What is covered is below `2^(bits - MASK_BITS)` in size: a mask that such a number moved out
    /// of its range, or might have, is refused, and no other.
    #[test]
    fn responses_near_an_end_are_refused() {
        for (bits, covered) in [(SECRET_BITS, 1u128), (ERROR_BITS, 32), (96, 1 << 52)] {
            let all = 1u128 << bits;
            let cases = [
                (0, false),
                (covered - 1, false),
                (covered, true),
                (all / 2, true),
                (all - covered - 1, true),
                (all - covered, false),
                (all - 1, false),
            ];
            for (number, hides_it) in cases {
                let mut words: [Words; 2] = [Words::new(), Words::new()];
                words[0].fill(1 << 20);
                words[1].fill(1 << 20);
                let (low, high) = (number as u64 & MASK, (number >> LIMB) as u64);
                (words[0][77], words[1][77]) = (low, high);
                let [low, high] = words;
                let hidden = match bits {
                    96 => hides(&Limbs([low, high]), bits),
                    _ => hides(&Limbs([low]), bits),
                };
                assert_eq!(hidden, hides_it, "{number} of {bits} bits");
            }
        }
    }

    #[test]
    fn signed_numbers_are_stored_modulo_the_width() {
        let words: Vec<u64> = (0..SLOTS as u64).map(|i| i % 43).collect();
        let mut numbers: Limbs<2> = signed(&words, 21);
        let half: Limbs<2> = {
            let mut half = Limbs::new();
            half.0[1].fill(1 << 42);
            half
        };
        // Plus the offset they stand for what they are.
        add_shifted_wide(&mut numbers, &half, 0, 95);
        let prime = &context().primes[3];
        let residues = residues(prime, &numbers, 95, 1);
        for (residue, word) in residues.iter().zip(&words) {
            assert_eq!(prime.modulus.add(*residue, 21), *word);
        }
    }
}
