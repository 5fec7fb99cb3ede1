//! Scalars and points as bytes (spec 01 §1.2, §1.3).
//!
//! Raw forms hold coordinates as Montgomery limbs, compressed forms the canonical `x` with two
//! flags. All readers check that integers are below their modulus; whether a point is on the curve
//! is checked where [`PointCheck`] says so, and always for compressed points.

use ff::PrimeField;
use group::GroupEncoding;
use halo2curves::CurveAffine;
use halo2curves::serde::SerdeObject;
use twain_algebra::{Fq, Fr, G1Affine, G2Affine};

/// What to check about raw points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointCheck {
    /// Coordinates are below the modulus: where what reads them checks the rest.
    Coordinates,
    /// Also the curve equation.
    OnCurve,
}

/// Bytes of a raw scalar or coordinate.
pub(crate) const SCALAR_BYTES: usize = 32;
/// Bytes of a raw point of G1.
pub(crate) const G1_BYTES: usize = 64;
/// Bytes of a raw point of G2.
pub(crate) const G2_BYTES: usize = 128;

/// A scalar from its Montgomery limbs.
pub(crate) fn fr_from_raw(bytes: &[u8]) -> Option<Fr> {
    Fr::from_raw_bytes(bytes.get(..SCALAR_BYTES)?)
}

/// A scalar from its canonical bytes.
pub(crate) fn fr_from_repr(bytes: &[u8]) -> Option<Fr> {
    let bytes: [u8; SCALAR_BYTES] = bytes.try_into().ok()?;
    Fr::from_repr(bytes.into()).into()
}

fn fq_from_raw(bytes: &[u8], index: usize) -> Option<Fq> {
    Fq::from_raw_bytes(bytes.get(SCALAR_BYTES * index..SCALAR_BYTES * (index + 1))?)
}

/// A point of G1 from its raw 64 bytes; `(0, 0)` is the identity.
pub(crate) fn g1_from_raw(bytes: &[u8], check: PointCheck) -> Option<G1Affine> {
    let point = G1Affine { x: fq_from_raw(bytes, 0)?, y: fq_from_raw(bytes, 1)? };
    (check == PointCheck::Coordinates || bool::from(point.is_on_curve())).then_some(point)
}

/// The raw 64 bytes of a point of G1.
pub(crate) fn g1_to_raw(point: &G1Affine) -> [u8; G1_BYTES] {
    let mut bytes = [0; G1_BYTES];
    bytes[..SCALAR_BYTES].copy_from_slice(&point.x.to_raw_bytes());
    bytes[SCALAR_BYTES..].copy_from_slice(&point.y.to_raw_bytes());
    bytes
}

/// A point of the twist from its raw 128 bytes. Whether it is in the subgroup is not checked.
pub(crate) fn g2_from_raw(bytes: &[u8]) -> Option<G2Affine> {
    let coordinate = |index: usize| {
        let (c0, c1) = (fq_from_raw(bytes, 2 * index)?, fq_from_raw(bytes, 2 * index + 1)?);
        Some(halo2curves::bn256::Fq2::new(c0, c1))
    };
    let point = G2Affine { x: coordinate(0)?, y: coordinate(1)? };
    bool::from(point.is_on_curve()).then_some(point)
}

/// The raw 128 bytes of a point of the twist.
pub(crate) fn g2_to_raw(point: &G2Affine) -> [u8; G2_BYTES] {
    let mut bytes = [0; G2_BYTES];
    let coordinates = [point.x.c0(), point.x.c1(), point.y.c0(), point.y.c1()];
    for (target, coordinate) in bytes.chunks_exact_mut(SCALAR_BYTES).zip(coordinates) {
        target.copy_from_slice(&coordinate.to_raw_bytes());
    }
    bytes
}

/// A point of G1 from its compressed 32 bytes.
pub(crate) fn g1_from_compressed(bytes: &[u8]) -> Option<G1Affine> {
    let bytes: [u8; SCALAR_BYTES] = bytes.try_into().ok()?;
    G1Affine::from_bytes(&bytes.into()).into()
}

/// The compressed 32 bytes of a point of G1.
pub(crate) fn g1_to_compressed(point: &G1Affine) -> [u8; SCALAR_BYTES] {
    point.to_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use group::prime::PrimeCurveAffine;
    use proptest::prelude::*;

    #[test]
    fn identities() {
        let identity = G1Affine::identity();
        assert_eq!(g1_to_raw(&identity), [0; 64]);
        assert_eq!(g1_from_raw(&[0; 64], PointCheck::OnCurve), Some(identity));
        let compressed = g1_to_compressed(&identity);
        assert_eq!(compressed[31], 0x40);
        assert_eq!(g1_from_compressed(&compressed), Some(identity));
        assert_eq!(g2_from_raw(&g2_to_raw(&G2Affine::identity())), Some(G2Affine::identity()));
    }

    #[test]
    fn flags_have_one_form() {
        let generator = g1_to_compressed(&G1Affine::generator());
        assert_eq!(generator[31], 0);
        assert_eq!(g1_to_compressed(&-G1Affine::generator())[31], 0x80);
        for flags in [0x40, 0xc0] {
            let mut bytes = generator;
            bytes[31] |= flags;
            assert_eq!(g1_from_compressed(&bytes), None);
            let mut bytes = [0; 32];
            bytes[31] = flags;
            assert_eq!(g1_from_compressed(&bytes).is_some(), flags == 0x40);
        }
    }

    #[test]
    fn not_on_the_curve() {
        let mut bytes = g1_to_raw(&G1Affine::generator());
        bytes[0] ^= 1;
        assert!(g1_from_raw(&bytes, PointCheck::Coordinates).is_some());
        assert!(g1_from_raw(&bytes, PointCheck::OnCurve).is_none());
        assert!(g1_from_raw(&[0xff; 64], PointCheck::Coordinates).is_none());
        let mut bytes = g2_to_raw(&G2Affine::generator());
        bytes[0] ^= 1;
        assert!(g2_from_raw(&bytes).is_none());
    }

    proptest! {
        #[test]
        fn points_round_trip(scalar: u64) {
            let point = G1Affine::from(G1Affine::generator() * Fr::from(scalar));
            prop_assert_eq!(g1_from_compressed(&g1_to_compressed(&point)), Some(point));
            prop_assert_eq!(g1_from_raw(&g1_to_raw(&point), PointCheck::OnCurve), Some(point));
        }

        #[test]
        fn any_bytes_are_a_point_or_nothing(bytes: [u8; 32]) {
            if let Some(point) = g1_from_compressed(&bytes) {
                prop_assert_eq!(g1_to_compressed(&point), bytes);
            }
        }
    }
}
