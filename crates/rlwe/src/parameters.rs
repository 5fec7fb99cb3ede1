//! The parameters of the encryption, and why they are secure, correct and hiding (protocol §2,
//! §13).
//!
//! **Ring.** `Z_q[X]/(X^N + 1)` with `N = 2^15`; the plaintext modulus `t` is the order of BN254's
//! scalar field. `t ≡ 1 (mod 2N)`, so a plaintext is `N` slots of the field.
//!
//! **Computational security.** For `N = 2^15`, a ternary secret and errors of standard deviation
//! 3.2, the Homomorphic Encryption Standard (2018, table 1, row `N = 32768`, classical, 128 bits)
//! allows a modulus of 881 bits ([`SECURITY_TABLE`]); ours has 708.
//!
//! **Noise.** A fresh encryption has phase `m + t·e`, `|m| ≤ t/2`, `e` centred binomial with
//! variance [`ERROR_VARIANCE`], at most 21. An answer takes four times it times a plaintext that is
//! a quarter of the multiplier's (protocol §2.1), at most `t/2`: the right plaintext modulo `t`,
//! plus `t·X`. An honest encryption makes `|X|` some `2^267`. What a batch's proof shows of a
//! dishonest one allows `2^355` a product ([`crate::bounds::proved_noise`]), and that is what the
//! flood hides.
//!
//! **Hiding.** The evaluator adds `t·f`, `f` uniform among `2^F` consecutive integers. The distance
//! between `f + X` and `f` is `|X|/2^F`, so over the answers of a session the view is within
//! `Σ N·|X| / 2^F` of one made from the output alone. [`crate::FloodBudget`] adds this up and
//! refuses the answer that would leave too few of [`STATISTICAL_BITS`].
//!
//! **Correctness.** Before the switch of moduli the phase is below
//! `t·(2^(F-1) + |X| + 1) < 0.76·q/2`; the switch to `q'` scales it and adds at most
//! `t·(N + 1)/2 = 2^267.6`, while `0.24·q'/2` is `2^272.9`. Decryption therefore never fails,
//! whatever was proved.

/// Base-2 logarithm of the ring's degree.
pub const LOG_DEGREE: usize = 15;
/// Degree `N` of the ring = slots of a plaintext.
pub const SLOTS: usize = 1 << LOG_DEGREE;

/// Number of primes of the modulus `q'` of an answer.
pub const ANSWER_PRIMES: usize = 6;
/// Number of primes of the modulus `q` of a fresh encryption.
pub const FRESH_PRIMES: usize = 15;

/// The primes of `q`; the first [`ANSWER_PRIMES`] are those of `q'`. Found by [`primes_below`]: the
/// six largest below 2^46 and the nine largest below 2^48 that are 1 modulo `2N`.
pub const PRIMES: [u64; FRESH_PRIMES] = [
    0x3fff_fff7_0001,
    0x3fff_ffe5_0001,
    0x3fff_ffcc_0001,
    0x3fff_ffc7_0001,
    0x3fff_ffb2_0001,
    0x3fff_ffa8_0001,
    0xffff_fffa_0001,
    0xffff_fff0_0001,
    0xffff_ffde_0001,
    0xffff_ffbb_0001,
    0xffff_ffb7_0001,
    0xffff_ffb1_0001,
    0xffff_ff6a_0001,
    0xffff_ff67_0001,
    0xffff_ff28_0001,
];

/// Bits of a residue on the wire, prime by prime.
pub const RESIDUE_BITS: [u32; FRESH_PRIMES] =
    [46, 46, 46, 46, 46, 46, 48, 48, 48, 48, 48, 48, 48, 48, 48];

/// The plaintext modulus `t`, least significant word first.
pub const PLAINTEXT_MODULUS: [u64; 4] =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// An error is the difference of two sums of this many coin flips (centred binomial).
pub const ERROR_FLIPS: u32 = 21;
/// Variance of an error coefficient.
pub const ERROR_VARIANCE: f64 = ERROR_FLIPS as f64 / 2.0;

/// `F`: an answer is flooded with `t` times a uniform integer of this many bits. 449 would do for
/// `2^10` answers of 12 products; `q` has room for five more, which are free.
pub const FLOOD_BITS: u32 = 454;

/// Statistical security of everything one session sends together, in bits.
pub const STATISTICAL_BITS: u32 = 64;

/// Largest `log2 q` at 128 bits of classical security for a ternary secret, by `log2 N`
/// (Homomorphic Encryption Standard, 2018, table 1).
pub const SECURITY_TABLE: [(usize, u32); 6] =
    [(10, 27), (11, 54), (12, 109), (13, 218), (14, 438), (15, 881)];

/// Bytes of a fresh encryption: one ring element modulo `q` (the uniform half is not sent).
pub const FRESH_BYTES: usize = element_bytes(FRESH_PRIMES);
/// Bytes of an answer: two ring elements modulo `q'`.
pub const ANSWER_BYTES: usize = 2 * element_bytes(ANSWER_PRIMES);

/// Bytes of a ring element over the first `primes` primes, bit-packed.
pub const fn element_bytes(primes: usize) -> usize {
    let mut bytes = 0;
    let mut i = 0;
    while i < primes {
        bytes += RESIDUE_BITS[i] as usize * SLOTS / 8;
        i += 1;
    }
    bytes
}

/// The `count` largest primes below `2^bits` that are 1 modulo `2N`: how [`PRIMES`] was found.
pub fn primes_below(bits: u32, count: usize) -> Vec<u64> {
    let step = 2 * SLOTS as u64;
    let mut candidate = (1u64 << bits) + 1;
    let mut primes = Vec::new();
    while primes.len() < count {
        candidate -= step;
        if is_prime(candidate) {
            primes.push(candidate);
        }
    }
    primes
}

/// Miller's test with the bases that decide all numbers below 2^64.
fn is_prime(n: u64) -> bool {
    let product = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(n)) as u64;
    let twos = (n - 1).trailing_zeros();
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].into_iter().all(|base| {
        if n <= base {
            return n == base;
        }
        let mut power = 1;
        for bit in (0..64).rev() {
            power = product(power, power);
            if ((n - 1) >> twos) >> bit & 1 == 1 {
                power = product(power, base);
            }
        }
        power == 1
            || (0..twos).any(|_| {
                let witness = power == n - 1;
                power = product(power, power);
                witness
            })
    })
}

/// Base-2 logarithm of the modulus of the first `primes` primes.
pub fn log2_modulus(primes: usize) -> f64 {
    PRIMES[..primes].iter().map(|&p| (p as f64).log2()).sum()
}

/// Base-2 logarithm of the plaintext modulus.
pub fn log2_plaintext_modulus() -> f64 {
    (PLAINTEXT_MODULUS[3] as f64).log2() + 192.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::{Field, PrimeField};
    use twain_algebra::Fr;

    #[test]
    fn primes_are_those_of_the_search() {
        let mut found = primes_below(46, ANSWER_PRIMES);
        found.extend(primes_below(48, FRESH_PRIMES - ANSWER_PRIMES));
        assert_eq!(found, PRIMES);
        for (p, bits) in PRIMES.into_iter().zip(RESIDUE_BITS) {
            assert_eq!(p % (2 * SLOTS as u64), 1);
            assert_eq!(64 - p.leading_zeros(), bits);
        }
        assert!(!is_prime(561) && !is_prime(3_215_031_751) && is_prime(65_537));
    }

    #[test]
    fn modulus_is_within_the_standard_and_holds_the_flood() {
        let (_, allowed) = SECURITY_TABLE.into_iter().find(|row| row.0 == LOG_DEGREE).unwrap();
        let (q, q_answer) = (log2_modulus(FRESH_PRIMES), log2_modulus(ANSWER_PRIMES));
        assert!(q < f64::from(allowed));
        assert!((707.99..708.0).contains(&q), "{q}");
        // Share of q/2 the flooded phase can take, and what the switch adds.
        let share = (f64::from(FLOOD_BITS) + log2_plaintext_modulus() - q).exp2();
        assert!(share < 0.761, "{share}");
        let rounding = log2_plaintext_modulus() + LOG_DEGREE as f64 - 1.0 + 1e-4;
        assert!(rounding + 5.0 < q_answer - 1.0 + (1.0 - share).log2());
    }

    #[test]
    fn plaintext_modulus_is_the_order_of_the_field() {
        let mut bytes = [0u8; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(PLAINTEXT_MODULUS) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes[0] -= 1;
        assert_eq!(Fr::from_repr(bytes.into()).unwrap(), -Fr::ONE);
        assert_eq!(PLAINTEXT_MODULUS[0] % (2 * SLOTS as u64), 1);
    }

    #[test]
    fn lengths_on_the_wire() {
        assert_eq!(FRESH_BYTES, SLOTS * 708 / 8);
        assert_eq!(ANSWER_BYTES, SLOTS * 2 * 276 / 8);
        // Two fresh encryptions and an answer a triple; one of each a single cross term.
        assert!((2 * FRESH_BYTES + ANSWER_BYTES) as f64 / SLOTS as f64 <= 246.0);
        assert!((FRESH_BYTES + ANSWER_BYTES) as f64 / SLOTS as f64 <= 157.5);
    }
}
