//! Round constants and matrix from the Grain generator of the Poseidon paper (Grassi et al., USENIX
//! Security 2021, appendix E), for the scalar field of BN254 and width 2 (spec 04 §7.3).

use ff::{Field, PrimeField};
use twain_algebra::Fr;

/// Rounds with an s-box on both lanes, half of them at either end.
pub(super) const FULL_ROUNDS: usize = 8;
/// Rounds with an s-box on the first lane.
pub(super) const PARTIAL_ROUNDS: usize = 56;

/// Bits of a field element.
const BITS: usize = 254;
const WIDTH: usize = 2;

/// The constants of the permutation.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    rounds: Vec<[Fr; WIDTH]>,
    pub matrix: [[Fr; WIDTH]; WIDTH],
}

impl Parameters {
    /// Runs the generator.
    pub fn generate() -> Self {
        let mut grain = Grain::new();
        let rounds = (0..FULL_ROUNDS + PARTIAL_ROUNDS).map(|_| [grain.element(), grain.element()]);
        let rounds = rounds.collect();
        let [x0, x1, y0, y1] = [(); 4].map(|()| grain.reduced_element());
        let inverse = |x: Fr, y: Fr| (x + y).invert().unwrap_or(Fr::ZERO);
        let matrix = [[inverse(x0, y0), inverse(x0, y1)], [inverse(x1, y0), inverse(x1, y1)]];
        Self { rounds, matrix }
    }

    /// The constants of a round.
    pub fn round(&self, round: usize) -> [Fr; WIDTH] {
        self.rounds[round]
    }

    /// The inverse of the matrix.
    pub fn inverse_matrix(&self) -> [[Fr; WIDTH]; WIDTH] {
        let [[a, b], [c, d]] = self.matrix;
        let determinant = (a * d - b * c).invert().unwrap_or(Fr::ZERO);
        [[d * determinant, -b * determinant], [-c * determinant, a * determinant]]
    }
}

/// The 80-bit shift register.
struct Grain {
    bits: std::collections::VecDeque<bool>,
}

impl Grain {
    fn new() -> Self {
        let mut bits = std::collections::VecDeque::with_capacity(81);
        let mut push = |value: usize, width: usize| {
            bits.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
        };
        // A prime field, the s-box x^5, and the sizes.
        push(1, 2);
        push(0, 4);
        push(BITS, 12);
        push(WIDTH, 12);
        push(FULL_ROUNDS, 10);
        push(PARTIAL_ROUNDS, 10);
        push((1 << 30) - 1, 30);
        let mut grain = Self { bits };
        for _ in 0..160 {
            grain.shift();
        }
        grain
    }

    fn shift(&mut self) -> bool {
        let bit = [62, 51, 38, 23, 13, 0].into_iter().fold(false, |sum, i| sum ^ self.bits[i]);
        self.bits.pop_front();
        self.bits.push_back(bit);
        bit
    }

    /// A bit that survives: the second of a pair whose first is 1.
    fn bit(&mut self) -> bool {
        loop {
            let keep = self.shift();
            let bit = self.shift();
            if keep {
                return bit;
            }
        }
    }

    /// 254 bits, most significant first, as little-endian bytes.
    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        for position in (0..BITS).rev() {
            bytes[position / 8] |= u8::from(self.bit()) << (position % 8);
        }
        bytes
    }

    /// The next number below the modulus.
    fn element(&mut self) -> Fr {
        loop {
            let element = Option::from(Fr::from_repr(self.bytes().into()));
            if let Some(element) = element {
                return element;
            }
        }
    }

    /// The next number, reduced.
    fn reduced_element(&mut self) -> Fr {
        let bytes = self.bytes();
        bytes
            .iter()
            .rev()
            .fold(Fr::ZERO, |sum, byte| sum * Fr::from(256) + Fr::from(u64::from(*byte)))
    }
}

/// The digest of a message of any length, as the circuit's module makes it (spec 04 §7.3).
pub fn poseidon_hash(message: &[Fr]) -> Fr {
    let parameters = Parameters::generate();
    let power = |x: Fr| x.square().square() * x;
    let partial = FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS;
    let mut state = [Fr::ZERO, Fr::from_raw([0, 1, 0, 0])];
    for word in message {
        state[0] += word;
        for round in 0..FULL_ROUNDS + PARTIAL_ROUNDS {
            let [a, b] = parameters.round(round);
            let (a, b) = (power(state[0] + a), state[1] + b);
            let b = if partial.contains(&round) { b } else { power(b) };
            state = parameters.matrix.map(|row| row[0] * a + row[1] * b);
        }
    }
    state[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_constant_and_a_known_hash() {
        let first = format!("{:?}", Parameters::generate().round(0)[0]);
        assert!(first.starts_with("0x09c46e9e"), "{first}");
        let bytes: [u8; 32] = poseidon_hash(&[8, 4, 16].map(Fr::from)).to_repr().into();
        let known = "ad20d5a6dd09e7ffc5ae1a76ac1e3705ad396650cf6ed4b4b6771c9c4ba5ea12";
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, known);
    }

    #[test]
    fn the_inverse_matrix_is_one() {
        let parameters = Parameters::generate();
        let (m, n) = (parameters.matrix, parameters.inverse_matrix());
        let product = m.map(|[a, b]| [a * n[0][0] + b * n[1][0], a * n[0][1] + b * n[1][1]]);
        assert_eq!(product, [[Fr::ONE, Fr::ZERO], [Fr::ZERO, Fr::ONE]]);
    }
}
