//! Evaluation domains: the powers of a root of unity, and transforms between the coefficients of a
//! polynomial and its values there or on a coset (spec 01 §1.4).
//!
//! Natural order everywhere: coefficient `j` belongs to `X^j`, value `i` to `ω^i`.

use ff::{Field, PrimeField, WithSmallOrderMulGroup};

use crate::lanes::{Lanes, PortableLanes};
use crate::ntt::{self, MIN_LOG_LENGTH, Passes, Transform};
use crate::scratch::ScratchPool;
use crate::{AlgebraError, Backend, Fr, backend, vector};

/// Primitive cube root of one, the shift of the first coset of the extended domain.
pub const ZETA: Fr = <Fr as WithSmallOrderMulGroup<3>>::ZETA;

/// `7^(2^28)`, a generator of the group of odd order: its powers tell permuted columns apart.
pub const DELTA: Fr = Fr::DELTA;

/// Base-two logarithm of the order of the largest domain.
pub const MAX_K: u32 = Fr::S;

/// The `2^k` powers of `ω`, with all constants for fast transforms. Make one per size and keep it.
pub struct Domain {
    k: u32,
    omega: Fr,
    omega_inv: Fr,
    n_inv: Fr,
    engine: Engine,
    scratch: ScratchPool,
}

/// Constants in the form of the implementation that runs.
enum Engine {
    /// Too short for lanes: evaluated term by term.
    Short,
    Portable(Box<Directions<PortableLanes>>),
    #[cfg(target_arch = "x86_64")]
    Ifma(Box<Directions<crate::ifma::scalar::Scalars>>),
}

/// Both directions of the transform.
struct Directions<L: Lanes> {
    forward: Transform<L>,
    inverse: Transform<L>,
    passes: Passes<L>,
}

impl<L: Lanes> Directions<L> {
    fn new(k: u32, omega: Fr, omega_inv: Fr, n_inv: Fr, passes: Passes<L>) -> Box<Self> {
        let forward = Transform::new(k, omega, None);
        let inverse = Transform::new(k, omega_inv, Some(n_inv));
        Box::new(Self { forward, inverse, passes })
    }

    fn forward(&self, values: &mut [Fr], shift: Fr, scratch: &ScratchPool) {
        scratch.with(|scratch| self.forward.run(values, scratch, shift, &self.passes));
    }

    fn inverse(&self, values: &mut [Fr], scratch: &ScratchPool) {
        scratch.with(|scratch| self.inverse.run(values, scratch, Fr::ONE, &self.passes));
    }
}

impl Engine {
    fn new(k: u32, omega: Fr, omega_inv: Fr, n_inv: Fr, backend: Backend) -> Self {
        if k < MIN_LOG_LENGTH {
            return Self::Short;
        }
        #[cfg(target_arch = "x86_64")]
        if backend == Backend::Ifma
            && let Some(passes) = crate::ifma::transform::passes()
        {
            return Self::Ifma(Directions::new(k, omega, omega_inv, n_inv, passes));
        }
        let _ = backend;
        let passes = Passes { first: ntt::first_pass, second: ntt::second_pass };
        Self::Portable(Directions::new(k, omega, omega_inv, n_inv, passes))
    }
}

impl Domain {
    /// The domain of `2^k` rows. Fails if `k > 28`.
    pub fn new(k: u32) -> Result<Self, AlgebraError> {
        Self::with_backend(k, backend())
    }

    pub(crate) fn with_backend(k: u32, backend: Backend) -> Result<Self, AlgebraError> {
        if k > MAX_K {
            return Err(AlgebraError::DomainTooLarge { k });
        }
        let order = [1u64 << (MAX_K - k)];
        let omega = Fr::ROOT_OF_UNITY.pow_vartime(order);
        let omega_inv = Fr::ROOT_OF_UNITY_INV.pow_vartime(order);
        let n_inv = Fr::TWO_INV.pow_vartime([u64::from(k)]);
        let engine = Engine::new(k, omega, omega_inv, n_inv, backend);
        Ok(Self { k, omega, omega_inv, n_inv, engine, scratch: ScratchPool::new(1 << k) })
    }

    /// Base-two logarithm of the number of rows.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// Number of rows, `2^k`.
    pub fn n(&self) -> usize {
        1 << self.k
    }

    /// The generator `ω`, of order `2^k`.
    pub fn omega(&self) -> Fr {
        self.omega
    }

    /// `1/ω`.
    pub fn omega_inv(&self) -> Fr {
        self.omega_inv
    }

    /// `1/2^k`.
    pub fn n_inv(&self) -> Fr {
        self.n_inv
    }

    /// `point · ω^rotation`: the point `rotation` rows further.
    pub fn rotate(&self, point: Fr, rotation: i32) -> Fr {
        let root = if rotation < 0 { self.omega_inv } else { self.omega };
        point * root.pow_vartime([u64::from(rotation.unsigned_abs())])
    }

    /// Replaces the `n` coefficients of a polynomial by its values at `ω^i`.
    ///
    /// # Panics
    /// If there are not `n` values; likewise in the other transforms.
    pub fn ntt(&self, values: &mut [Fr]) {
        self.forward(values, Fr::ONE);
    }

    /// Replaces values at `ω^i` by the coefficients of the polynomial of degree below `n`.
    pub fn intt(&self, values: &mut [Fr]) {
        assert_eq!(values.len(), self.n(), "the domain has another size");
        match &self.engine {
            Engine::Short => {
                evaluate_term_by_term(values, self.omega_inv, Fr::ONE);
                vector::scale(values, self.n_inv);
            }
            Engine::Portable(engine) => engine.inverse(values, &self.scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Ifma(engine) => engine.inverse(values, &self.scratch),
        }
    }

    /// The values at `shift·ω^i` of the polynomial with the given coefficients, at most `n`.
    pub fn coset_ntt(&self, coefficients: &[Fr], shift: Fr) -> Vec<Fr> {
        assert!(coefficients.len() <= self.n(), "more coefficients than rows");
        let mut values = Vec::with_capacity(self.n());
        values.extend_from_slice(coefficients);
        values.resize(self.n(), Fr::ZERO);
        self.forward(&mut values, shift);
        values
    }

    /// Replaces the `n` coefficients of a polynomial by its values at `shift·ω^i`.
    pub fn coset_ntt_in_place(&self, values: &mut [Fr], shift: Fr) {
        self.forward(values, shift);
    }

    /// Replaces values at `shift·ω^i` by the coefficients of the polynomial of degree below `n`.
    /// Fails if the shift is zero.
    pub fn coset_intt(&self, values: &mut [Fr], shift: Fr) -> Result<(), AlgebraError> {
        let inverse = Option::<Fr>::from(shift.invert()).ok_or(AlgebraError::ZeroShift)?;
        self.intt(values);
        vector::scale_by_powers(values, inverse);
        Ok(())
    }

    fn forward(&self, values: &mut [Fr], shift: Fr) {
        assert_eq!(values.len(), self.n(), "the domain has another size");
        match &self.engine {
            Engine::Short => evaluate_term_by_term(values, self.omega, shift),
            Engine::Portable(engine) => engine.forward(values, shift, &self.scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Ifma(engine) => engine.forward(values, shift, &self.scratch),
        }
    }
}

/// Replaces a few coefficients by the values at `shift·root^i`.
fn evaluate_term_by_term(values: &mut [Fr], root: Fr, shift: Fr) {
    let mut coefficients = [Fr::ZERO; 1 << MIN_LOG_LENGTH];
    let coefficients = &mut coefficients[..values.len()];
    coefficients.copy_from_slice(values);
    let mut point = shift;
    for value in values {
        *value = vector::eval_polynomial(coefficients, point);
        point *= root;
    }
    crate::erase(coefficients);
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2curves::fft::best_fft;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn random(length: usize, seed: u64) -> Vec<Fr> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        (0..length).map(|_| Fr::random(&mut rng)).collect()
    }

    #[test]
    fn constants_are_those_of_the_specification() {
        let hex = |value: Fr| format!("{value:?}");
        assert_eq!(hex(ZETA), "0x30644e72e131a029048b6e193fd84104cc37a73fec2bc5e9b8ca0b2d36636f23");
        assert_eq!(
            hex(DELTA),
            "0x09226b6e22c6f0ca64ec26aad4c86e715b5f898e5e963f25870e56bbe533e9a2"
        );
        let largest = Domain::with_backend(5, Backend::Portable).unwrap();
        assert_eq!(largest.omega().pow_vartime([16u64]), -Fr::ONE);
        assert_eq!(largest.omega() * largest.omega_inv(), Fr::ONE);
        assert_eq!(largest.n_inv() * Fr::from(32), Fr::ONE);
        assert_eq!(largest.rotate(Fr::ONE, -1), largest.omega_inv());
        assert_eq!(Domain::new(29).err(), Some(AlgebraError::DomainTooLarge { k: 29 }));
    }

    #[test]
    fn every_transform_of_every_size_agrees_with_its_definition() {
        // On a processor without IFMA the second backend is the first again.
        for (k, backend) in (0..=13).flat_map(|k| [(k, Backend::Portable), (k, Backend::Ifma)]) {
            let domain = Domain::with_backend(k, backend).unwrap();
            let coefficients = random(domain.n(), u64::from(k));
            let mut expected = coefficients.clone();
            best_fft(&mut expected, domain.omega(), k);
            let mut values = coefficients.clone();
            domain.ntt(&mut values);
            assert_eq!(values, expected, "2^{k}");
            domain.intt(&mut values);
            assert_eq!(values, coefficients, "2^{k}");

            let shift = Fr::from(7 + u64::from(k));
            let mut expected = coefficients.clone();
            let mut power = Fr::ONE;
            for value in &mut expected {
                *value *= power;
                power *= shift;
            }
            best_fft(&mut expected, domain.omega(), k);
            let mut values = domain.coset_ntt(&coefficients, shift);
            assert_eq!(values, expected, "coset 2^{k}");
            domain.coset_intt(&mut values, shift).unwrap();
            assert_eq!(values, coefficients, "coset 2^{k}");
        }
    }

    #[test]
    fn short_polynomials_are_padded_and_zero_shifts_refused() {
        let domain = Domain::new(7).unwrap();
        let values = domain.coset_ntt(&[Fr::from(3), Fr::from(5)], ZETA);
        assert_eq!(values[1], Fr::from(3) + Fr::from(5) * ZETA * domain.omega());
        assert_eq!(domain.coset_intt(&mut values.clone(), Fr::ZERO), Err(AlgebraError::ZeroShift));
    }

    #[test]
    fn values_at_the_ends_of_the_reductions_survive() {
        let ends = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr([1, 0, 0, 0])];
        let k = 14;
        let mixed: Vec<Fr> = (0usize..1 << k).map(|i| ends[(i * 7 + i / 5) % 4]).collect();
        for coefficients in [vec![-Fr::ONE; 1 << k], mixed] {
            for backend in [Backend::Portable, Backend::Ifma] {
                let domain = Domain::with_backend(k, backend).unwrap();
                let mut shifted = coefficients.clone();
                vector::scale_by_powers(&mut shifted, ZETA);
                let mut expected = shifted.clone();
                best_fft(&mut expected, domain.omega(), k);
                let mut values = domain.coset_ntt(&coefficients, ZETA);
                assert!(values == expected, "{backend:?}");
                domain.coset_intt(&mut values, ZETA).unwrap();
                assert!(values == coefficients, "{backend:?}");
            }
        }
    }
}
