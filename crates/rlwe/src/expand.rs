//! Pseudorandom words: AES-256 in counter mode (the processor's AES instructions are found at run
//! time by the `aes` crate), keyed by a seed that is used once.
//!
//! Two uses: the public uniform halves of keys and encryptions, which both parties expand from the
//! session's identifier, so that neither can choose them (protocol §2); and the secret errors,
//! masks and floods, from seeds drawn from the caller's generator.

use crate::buffer::Words;
use crate::modulus::Modulus;
use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use zerocopy::IntoBytes;
use zeroize::Zeroizing;

/// Words made per call of the cipher: many, since a call loads its keys anew.
const BATCH: usize = 512;

/// A stream of pseudorandom words.
pub struct Stream {
    cipher: Aes256,
    /// Number of the next block.
    block: u64,
}

impl Stream {
    /// The stream of a key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { cipher: Aes256::new(&Array::from(*key)), block: 0 }
    }

    /// A stream whose key is drawn from `rng`.
    pub fn from_rng(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut());
        Self::new(&key)
    }

    /// The next words. Every batch of words, also one that is not full, takes the same number of
    /// blocks.
    pub fn fill(&mut self, words: &mut [u64]) {
        for words in words.chunks_mut(BATCH) {
            let (blocks, odd) = words.as_chunks_mut::<2>();
            for (block, number) in blocks.iter_mut().zip(self.block..) {
                *block = [number.to_le(), 0];
            }
            self.encrypt(blocks);
            if let [odd] = odd {
                let mut block = Zeroizing::new([(self.block + blocks.len() as u64).to_le(), 0]);
                self.encrypt(std::slice::from_mut(&mut *block));
                *odd = block[0];
            }
            self.block += BATCH as u64 / 2;
        }
    }

    /// Encrypts blocks of two words, lowest bytes first.
    fn encrypt(&self, blocks: &mut [[u64; 2]]) {
        let (bytes, _) = blocks.as_mut_bytes().as_chunks_mut::<16>();
        self.cipher.encrypt_blocks(Array::cast_slice_from_core_mut(bytes));
        blocks.as_flattened_mut().iter_mut().for_each(|word| *word = u64::from_le(*word));
    }

    /// The next word. Costs a call of the cipher: for the rare repetition only.
    fn word(&mut self) -> u64 {
        let mut word = [0];
        self.fill(&mut word);
        word[0]
    }
}

/// The residues modulo one prime of the uniform half numbered `counter` of a session: the words of
/// the stream keyed by `SHA-256(label, session, counter, prime)`, their low bits; one that is not
/// below the prime is replaced, in order of position, by the next that is.
pub fn uniform_half(session: &[u8; 32], counter: u64, modulus: &Modulus, out: &mut [u64]) {
    let mut hash = Sha256::new();
    hash.update(b"twain ring-LWE uniform half");
    hash.update(session);
    hash.update(counter.to_le_bytes());
    hash.update(modulus.prime.to_le_bytes());
    let mut stream = Stream::new(&hash.finalize().into());
    stream.fill(out);
    let mask = u64::MAX >> modulus.prime.leading_zeros();
    for words in out.chunks_mut(BATCH) {
        // Its top bit is set once a word is not below the prime, which is rare.
        let mut beyond = 0;
        for word in &mut *words {
            *word &= mask;
            beyond |= (modulus.prime - 1).wrapping_sub(*word);
        }
        if beyond >> 63 == 0 {
            continue;
        }
        for word in words.iter_mut().filter(|word| **word >= modulus.prime) {
            while *word >= modulus.prime {
                *word = stream.word() & mask;
            }
        }
    }
}

/// The uniform half in a new buffer.
pub fn new_uniform_half(session: &[u8; 32], counter: u64, modulus: &Modulus) -> Words {
    let mut out = Words::new();
    uniform_half(session, counter, modulus, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{PRIMES, SLOTS};

    #[test]
    fn stream_is_the_counter_mode_of_aes() {
        // Two calls continue one stream, and the first block is AES-256 of zero under a zero key
        // (NIST's AESAVS, appendix C.1 family: dc95c078a2408989ad48a21492842087).
        let mut stream = Stream::new(&[0; 32]);
        let mut words = [0; 2];
        stream.fill(&mut words);
        assert_eq!(words[0].to_le_bytes(), 0xdc95c078a2408989u64.to_be_bytes());
        assert_eq!(words[1].to_le_bytes(), 0xad48a21492842087u64.to_be_bytes());
    }

    #[test]
    fn every_call_begins_with_a_block_of_its_own() {
        let mut long = vec![0; 2 * BATCH];
        Stream::new(&[3; 32]).fill(&mut long);
        for length in [1, 2, 3, 64, BATCH - 1, BATCH] {
            let (mut stream, mut first) = (Stream::new(&[3; 32]), vec![0; length]);
            stream.fill(&mut first);
            assert_eq!(first, long[..length]);
            assert_eq!(stream.word(), long[BATCH]);
        }
    }

    #[test]
    fn halves_differ_by_every_input_and_are_in_range() {
        let modulus = Modulus::new(PRIMES[14]);
        let half = new_uniform_half(&[1; 32], 0, &modulus);
        assert!(half.iter().all(|&x| x < modulus.prime));
        assert_eq!(half, new_uniform_half(&[1; 32], 0, &modulus));
        assert_ne!(half, new_uniform_half(&[2; 32], 0, &modulus));
        assert_ne!(half, new_uniform_half(&[1; 32], 1, &modulus));
        assert_ne!(half[..8], new_uniform_half(&[1; 32], 0, &Modulus::new(PRIMES[13]))[..8]);
        let mean = half.iter().map(|&x| x as f64).sum::<f64>() / SLOTS as f64;
        assert!((mean / modulus.prime as f64 - 0.5).abs() < 0.01);
    }
}
