//! The structured reference string: powers of a secret `s` in the exponent (spec 01 §2). Its points
//! are kept only as multi-scalar multiplications need them.

use crate::error::SrsError;
use ff::Field;
use group::{Curve, prime::PrimeCurveAffine};
use halo2curves::CurveAffine;
use twain_algebra::g_lagrange_unless;
use twain_algebra::{AlgebraError, Fr, G1Affine, G2Affine, Interrupt, MsmBases, Uninterrupted};

/// What a verifier needs of an SRS, whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifierSrs {
    pub(crate) g: G1Affine,
    pub(crate) g2: G2Affine,
    pub(crate) s_g2: G2Affine,
}

impl VerifierSrs {
    /// The first power in G1, the generator of G2 and its multiple by the secret. The points are
    /// checked: on the curve, of the right order, not the identity.
    pub fn new(g: G1Affine, g2: G2Affine, s_g2: G2Affine) -> Result<Self, SrsError> {
        // In the subgroup of order r iff (r - 1) p = -p. (The library's own test prints to stdout.)
        let order = |p: &G2Affine| *p * -Fr::ONE == -p.to_curve();
        let good = |p: &G2Affine| bool::from(p.is_on_curve() & !p.is_identity()) && order(p);
        if !bool::from(g.is_on_curve() & !g.is_identity()) {
            return Err(SrsError::BadPoint("the first power"));
        }
        if !good(&g2) {
            return Err(SrsError::BadPoint("the generator of G2"));
        }
        if !good(&s_g2) {
            return Err(SrsError::BadPoint("the secret's multiple in G2"));
        }
        Ok(Self { g, g2, s_g2 })
    }
}

/// An SRS for circuits of `2^k` rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srs {
    k: u32,
    g: MsmBases,
    g_lagrange: MsmBases,
    verifier: VerifierSrs,
}

impl Srs {
    /// Puts an SRS together from points. Of those in G1 only the first is checked, for being on the
    /// curve; whoever takes them from a file checks first that they are the powers of one secret, since
    /// commitments over other points need not hide anything.
    pub fn new(
        k: u32,
        g: Vec<G1Affine>,
        g_lagrange: Vec<G1Affine>,
        g2: G2Affine,
        s_g2: G2Affine,
    ) -> Result<Self, SrsError> {
        check_length(k, g.len(), g_lagrange.len())?;
        let verifier = VerifierSrs::new(g[0], g2, s_g2)?;
        let prepare = |points: Vec<G1Affine>| MsmBases::new(&points);
        Ok(Self { k, g: prepare(g), g_lagrange: prepare(g_lagrange), verifier })
    }

    /// As [`Srs::new`], with the Lagrange form computed: from the first powers of a larger SRS. That takes
    /// minutes for `2^20` rows, and may be ended early.
    pub fn from_powers(
        k: u32,
        g: Vec<G1Affine>,
        g2: G2Affine,
        s_g2: G2Affine,
        interrupt: &dyn Interrupt,
    ) -> Result<Self, SrsError> {
        check_length(k, g.len(), g.len())?;
        let g_lagrange = g_lagrange_unless(&g, interrupt).map_err(|error| match error {
            AlgebraError::Interrupted => SrsError::Cancelled,
            _ => SrsError::TooLarge { k },
        })?;
        Self::new(k, g, g_lagrange, g2, s_g2)
    }

    /// The SRS for `2^k` rows that the same secret gives.
    pub fn downsize(self, k: u32) -> Result<Self, SrsError> {
        if k > self.k {
            return Err(SrsError::TooSmall { needed: k, found: self.k });
        }
        if k == self.k {
            return Ok(self);
        }
        let VerifierSrs { g2, s_g2, .. } = self.verifier;
        Self::from_powers(k, self.g.points(0..1 << k), g2, s_g2, &Uninterrupted)
    }

    /// log2 of the number of powers.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The powers: `[s^i]G1`.
    pub fn g(&self) -> &MsmBases {
        &self.g
    }

    /// `[L_i(s)]G1`, `L_i` the Lagrange polynomials of the rows.
    pub fn g_lagrange(&self) -> &MsmBases {
        &self.g_lagrange
    }

    /// The part a verifier needs.
    pub fn verifier(&self) -> &VerifierSrs {
        &self.verifier
    }

    /// The generator of G2 and its multiple by the secret.
    pub fn g2(&self) -> (G2Affine, G2Affine) {
        (self.verifier.g2, self.verifier.s_g2)
    }

    /// Commits to a polynomial given by at most `2^k` coefficients.
    pub fn commit(&self, coefficients: &[Fr]) -> G1Affine {
        self.g.msm(coefficients).to_affine()
    }

    /// Commits to a polynomial given by its values on the first rows (0 on the others).
    pub fn commit_lagrange(&self, values: &[Fr]) -> G1Affine {
        self.g_lagrange.msm(values).to_affine()
    }
}

fn check_length(k: u32, g: usize, g_lagrange: usize) -> Result<(), SrsError> {
    if k > crate::TWO_ADICITY {
        return Err(SrsError::TooLarge { k });
    }
    if g != 1 << k || g_lagrange != 1 << k {
        return Err(SrsError::Length { k, g, g_lagrange });
    }
    Ok(())
}
