//! Points and base-field lanes as the bucket method sees them.

use group::prime::PrimeCurveAffine;
use halo2curves::bn256::Fq;

use crate::{G1, G1Affine};

/// How many points or field elements stand side by side.
pub(crate) const LANES: usize = 8;

/// The modulus of the base field, lowest word first.
pub(crate) const BASE_PRIME: [u64; 4] =
    [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// An affine point in one cache line. Coordinates are below the modulus, in Montgomery form with the
/// radix of the implementation; the identity has `x = 0`, which no point of the curve has.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: [u64; 4],
    pub(crate) y: [u64; 4],
}

impl Point {
    /// The point with `y` negated.
    pub(crate) fn negated(&self) -> Self {
        let mut y = [0; 4];
        let mut borrow = false;
        for ((y, prime), own) in y.iter_mut().zip(BASE_PRIME).zip(self.y) {
            let (difference, first) = prime.overflowing_sub(own);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *y = difference;
            borrow = first | second;
        }
        // No point has y = 0, but the identity may: its y is never read.
        Self { x: self.x, y }
    }
}

/// Eight elements of the base field. Sums and differences are below a few times the modulus, which
/// the callers count: every factor of a product must stay below `64p`, and a product of factors
/// below `a·p` and `b·p` is below `(1 + ab/84)·p`.
pub(crate) trait BaseLanes: Copy + Send + Sync {
    /// Elements with the given values.
    fn from_elements(values: &[Fq; LANES]) -> Self;

    /// The values.
    fn to_elements(self) -> [Fq; LANES];

    /// The coordinates of the points that `indices` selects; `y` is negated where the index has
    /// [`super::addition::NEGATIVE`]. Reduced fully.
    fn load(points: &[Point], indices: &[u32; LANES]) -> (Self, Self);

    /// Asks for the points that will be loaded soon.
    fn prefetch(points: &[Point], indices: &[u32; LANES]);

    /// Writes points; the coordinates must be fully reduced.
    fn store(x: Self, y: Self, points: &mut [Point], indices: &[u32; LANES]);

    /// Product.
    fn mul(&self, other: &Self) -> Self;

    /// Sum.
    fn add(&self, other: &Self) -> Self;

    /// `N` times the value, for a small `N`.
    fn times<const N: u64>(&self) -> Self;

    /// `self − other`, plus `K` times the modulus where values are not fully reduced; `other` must
    /// be below that multiple.
    fn sub<const K: u64>(&self, other: &Self) -> Self;

    /// The same value below twice the modulus.
    fn reduced(self) -> Self;

    /// The same value below the modulus.
    fn canonical(self) -> Self;

    /// Lanes in which two fully reduced values agree, as a bit mask.
    fn equal(&self, other: &Self) -> u8;

    /// Lanes of `other` where `mask` has a bit, own lanes elsewhere.
    fn select(&self, mask: u8, other: &Self) -> Self;
}

/// The instantiation for any processor: radix `2^256`, always fully reduced.
#[derive(Clone, Copy)]
pub(crate) struct PortableBase([Fq; LANES]);

impl PortableBase {
    #[inline(always)]
    fn zip(&self, other: &Self, operation: impl Fn(Fq, Fq) -> Fq) -> Self {
        Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
    }
}

impl BaseLanes for PortableBase {
    fn from_elements(values: &[Fq; LANES]) -> Self {
        Self(*values)
    }

    fn to_elements(self) -> [Fq; LANES] {
        self.0
    }

    #[inline(always)]
    fn load(points: &[Point], indices: &[u32; LANES]) -> (Self, Self) {
        let (mut x, mut y) = ([Fq::zero(); LANES], [Fq::zero(); LANES]);
        for (lane, index) in indices.iter().enumerate() {
            let point = &points[(index & !super::addition::NEGATIVE) as usize];
            x[lane] = Fq(point.x);
            y[lane] =
                if index & super::addition::NEGATIVE == 0 { Fq(point.y) } else { -Fq(point.y) };
        }
        (Self(x), Self(y))
    }

    #[inline(always)]
    fn prefetch(_: &[Point], _: &[u32; LANES]) {}

    #[inline(always)]
    fn store(x: Self, y: Self, points: &mut [Point], indices: &[u32; LANES]) {
        for (lane, index) in indices.iter().enumerate() {
            points[*index as usize] = Point { x: x.0[lane].0, y: y.0[lane].0 };
        }
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn times<const N: u64>(&self) -> Self {
        (1..N).fold(*self, |sum, _| sum.add(self))
    }

    #[inline(always)]
    fn sub<const K: u64>(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn reduced(self) -> Self {
        self
    }

    #[inline(always)]
    fn canonical(self) -> Self {
        self
    }

    #[inline(always)]
    fn equal(&self, other: &Self) -> u8 {
        let equal = |lane: usize| u8::from(self.0[lane] == other.0[lane]) << lane;
        (0..LANES).map(equal).sum()
    }

    #[inline(always)]
    fn select(&self, mask: u8, other: &Self) -> Self {
        Self(std::array::from_fn(
            |lane| {
                if mask >> lane & 1 == 1 { other.0[lane] } else { self.0[lane] }
            },
        ))
    }
}

/// The points with the given homogeneous coordinates.
pub(crate) fn from_homogeneous(x: [Fq; LANES], y: [Fq; LANES], z: [Fq; LANES]) -> [G1; LANES] {
    use ff::Field;
    std::array::from_fn(|lane| match Option::<Fq>::from(z[lane].invert()) {
        Some(inverse) => G1Affine { x: x[lane] * inverse, y: y[lane] * inverse }.to_curve(),
        None => G1Affine::identity().to_curve(),
    })
}
