//! Ring elements as bytes: the residues of one prime after the other, each in as many bits as its
//! prime has, least significant first. The length is fixed by the parameters.

use crate::Error;
use crate::buffer::{Element, Words};
use crate::parameters::{PRIMES, RESIDUE_BITS, SLOTS, element_bytes};
use rayon::prelude::*;

/// Residues packed at a time: four of them take three words, 46 or 48 bits each.
const GROUP: usize = 4;

/// Writes the residues of the first primes; `out` is as long as they are on the wire.
pub fn write_element(residues: &[Words], out: &mut [u8]) {
    debug_assert_eq!(out.len(), element_bytes(residues.len()));
    let mut rest = out;
    let mut parts = Vec::new();
    for (residues, bits) in residues.iter().zip(RESIDUE_BITS) {
        let (part, after) = rest.split_at_mut(SLOTS * bits as usize / 8);
        rest = after;
        parts.push((part, residues, bits));
    }
    parts.into_par_iter().for_each(|(part, residues, bits)| match bits {
        46 => write_residues::<23>(residues, part),
        _ => write_residues::<24>(residues, part),
    });
}

/// `BYTES` bytes hold a group, so a residue has `2·BYTES` bits. A constant, so that the copies are
/// moves.
fn write_residues<const BYTES: usize>(residues: &[u64], out: &mut [u8]) {
    let bits = 2 * BYTES as u32;
    let groups = residues.as_chunks::<GROUP>().0;
    for (bytes, &[a, b, c, d]) in out.as_chunks_mut::<BYTES>().0.iter_mut().zip(groups) {
        let x = a | b << bits;
        let y = b >> (64 - bits) | c << (2 * bits - 64);
        let z = c >> (128 - 2 * bits) | d << (3 * bits - 128);
        bytes[..8].copy_from_slice(&x.to_le_bytes());
        bytes[8..16].copy_from_slice(&y.to_le_bytes());
        bytes[16..].copy_from_slice(&z.to_le_bytes()[..BYTES - 16]);
    }
}

/// Reads a ring element over the first `primes` primes.
///
/// # Errors
/// The length is not that of the element, or a residue is not below its prime.
pub fn read_element(bytes: &[u8], primes: usize) -> Result<Element, Error> {
    let expected = element_bytes(primes);
    if bytes.len() != expected {
        return Err(Error::Length { got: bytes.len(), expected });
    }
    let mut rest = bytes;
    let parts: Vec<_> = PRIMES
        .into_iter()
        .zip(RESIDUE_BITS)
        .take(primes)
        .map(|(prime, bits)| {
            let (part, after) = rest.split_at(SLOTS * bits as usize / 8);
            rest = after;
            (part, prime, bits)
        })
        .collect();
    let parts = parts.into_par_iter();
    let read = parts.map(|(part, prime, bits)| match bits {
        46 => read_residues::<23>(part, prime),
        _ => read_residues::<24>(part, prime),
    });
    read.collect()
}

/// As [`write_residues`].
fn read_residues<const BYTES: usize>(bytes: &[u8], prime: u64) -> Result<Words, Error> {
    let bits = 2 * BYTES as u32;
    let mask = (1u64 << bits) - 1;
    let mut residues = Words::new();
    // Its top bit is set once a residue is not below the prime.
    let mut beyond = 0;
    let groups = bytes.as_chunks::<BYTES>().0;
    for (out, group) in residues.as_chunks_mut::<GROUP>().0.iter_mut().zip(groups) {
        let mut full = [0; 8 * 3];
        full[..BYTES].copy_from_slice(group);
        let words = full.as_chunks::<8>().0;
        let [x, y, z] = [words[0], words[1], words[2]].map(u64::from_le_bytes);
        *out = [
            x & mask,
            (x >> bits | y << (64 - bits)) & mask,
            (y >> (2 * bits - 64) | z << (128 - 2 * bits)) & mask,
            z >> (3 * bits - 128) & mask,
        ];
        beyond |= out.iter().fold(0, |all, &x| all | (prime - 1).wrapping_sub(x));
    }
    if beyond >> 63 == 1 {
        return Err(Error::Residue { prime });
    }
    Ok(residues)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::new_uniform_half;
    use crate::modulus::Modulus;
    use crate::parameters::{ANSWER_PRIMES, FRESH_PRIMES};
    use proptest::prelude::*;

    fn element(primes: usize) -> Element {
        PRIMES[..primes].iter().map(|&p| new_uniform_half(&[3; 32], 5, &Modulus::new(p))).collect()
    }

    #[test]
    fn elements_survive_the_wire() {
        for primes in [ANSWER_PRIMES, FRESH_PRIMES] {
            let mut element = element(primes);
            for (residues, prime) in element.iter_mut().zip(PRIMES) {
                residues[SLOTS - 1] = prime - 1;
            }
            let mut bytes = vec![0; element_bytes(element.len())];
            write_element(&element, &mut bytes);
            assert_eq!(read_element(&bytes, primes).unwrap(), element);
        }
    }

    #[test]
    fn lengths_and_ranges_are_checked() {
        assert!(RESIDUE_BITS.into_iter().all(|bits| bits == 46 || bits == 48));
        let bytes = vec![0; element_bytes(ANSWER_PRIMES)];
        assert!(read_element(&bytes, ANSWER_PRIMES).is_ok());
        let short = read_element(&bytes[1..], ANSWER_PRIMES).unwrap_err();
        assert_eq!(short, Error::Length { got: bytes.len() - 1, expected: bytes.len() });
        for (k, prime) in PRIMES.into_iter().enumerate() {
            let mut element = vec![Words::new(); FRESH_PRIMES];
            element[k][SLOTS - 2] = prime;
            let mut bytes = vec![0; element_bytes(element.len())];
            write_element(&element, &mut bytes);
            let error = read_element(&bytes, FRESH_PRIMES).unwrap_err();
            assert_eq!(error, Error::Residue { prime });
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_bytes_are_read_or_refused(seed in any::<[u8; 32]>(), length in 0usize..3_000_000) {
            let mut bytes = vec![0u8; length];
            bytes.iter_mut().zip(seed.iter().cycle()).for_each(|(b, s)| *b = *s);
            prop_assert!(read_element(&bytes, FRESH_PRIMES).is_err() || length == element_bytes(FRESH_PRIMES));
        }
    }
}
