//! Eight field elements side by side: what the transforms are written over.
//!
//! An implementation may keep values partly reduced: a sum or difference grows by twice the
//! modulus, and a product falls back below twice the modulus. Thirty sums in a row are allowed,
//! more than the layers of a transform.

use crate::Fr;
use crate::tiles::TILE;

/// Eight elements of the scalar field.
pub(crate) trait Lanes: Copy + Send + Sync {
    /// One element prepared as a factor for all lanes.
    type Factor: Copy + Send + Sync;

    /// Prepares a factor.
    fn factor(value: Fr) -> Self::Factor;

    /// The elements `source[0], source[stride], …, source[7 * stride]`.
    fn load(source: &[Fr], stride: usize) -> Self;

    /// Writes eight elements for a later [`Lanes::load`]; they need not be fully reduced.
    fn store_unreduced(self, target: &mut [Fr]);

    /// Writes eight elements, fully reduced.
    fn store(self, target: &mut [Fr]);

    /// Turns eight loaded elements into factors for [`Lanes::mul_lanes`], one per lane.
    fn into_factors(self) -> Self;

    /// Product of each lane with one factor. Like every product, sum and difference it has to be
    /// [`Lanes::carried`] before anything but a sum or difference. A product of factors is a
    /// factor.
    fn mul(self, factor: &Self::Factor) -> Self;

    /// Product of each lane with its own factor.
    fn mul_lanes(self, factors: &Self) -> Self;

    /// Sum; the lanes of `other` must be a product.
    fn add(self, other: &Self) -> Self;

    /// Difference; the lanes of `other` must be a product.
    fn sub(self, other: &Self) -> Self;

    /// The same values, fit for products and stores; after at most two sums or differences.
    fn carried(self) -> Self;
}

/// The instantiation for any processor.
#[derive(Clone, Copy)]
pub(crate) struct PortableLanes([Fr; TILE]);

impl Lanes for PortableLanes {
    type Factor = Fr;

    #[inline(always)]
    fn factor(value: Fr) -> Fr {
        value
    }

    #[inline(always)]
    fn load(source: &[Fr], stride: usize) -> Self {
        Self(std::array::from_fn(|lane| source[lane * stride]))
    }

    #[inline(always)]
    fn store_unreduced(self, target: &mut [Fr]) {
        target.copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn store(self, target: &mut [Fr]) {
        target.copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn into_factors(self) -> Self {
        self
    }

    #[inline(always)]
    fn mul(mut self, factor: &Fr) -> Self {
        self.0.iter_mut().for_each(|value| *value *= factor);
        self
    }

    #[inline(always)]
    fn mul_lanes(mut self, factors: &Self) -> Self {
        self.0.iter_mut().zip(&factors.0).for_each(|(value, factor)| *value *= factor);
        self
    }

    #[inline(always)]
    fn add(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(value, other)| *value += other);
        self
    }

    #[inline(always)]
    fn sub(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(value, other)| *value -= other);
        self
    }

    #[inline(always)]
    fn carried(self) -> Self {
        self
    }
}
