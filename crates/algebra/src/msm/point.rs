//! Points and base-field lanes as the bucket method sees them.

use halo2curves::bn256::Fq;

/// Marks an index whose point is to be negated.
pub(crate) const NEGATIVE: u32 = 1 << 31;

/// The modulus of the base field, lowest word first.
pub(crate) const BASE_PRIME: [u64; 4] =
    [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// An affine point in one cache line. Coordinates are below the modulus, in Montgomery form with
/// the radix of the implementation; the identity has `x = 0`, which no point of the curve has.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: [u64; 4],
    pub(crate) y: [u64; 4],
}

impl Point {
    /// Whether the point is the identity.
    pub(crate) fn is_identity(&self) -> bool {
        self.x == [0; 4]
    }

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

/// Some elements of the base field side by side. Sums and differences are below a few times the
/// modulus, which the callers count: every factor of a product must stay below `64p`, and a product
/// of factors below `a·p` and `b·p` is below `(1 + ab/84)·p`.
pub(crate) trait BaseLanes: Copy + Send + Sync {
    /// How many.
    const LANES: usize;

    /// One index per lane.
    type Indices: Copy + Default + AsMut<[u32]>;

    /// One value per lane.
    type Elements: AsRef<[Fq]> + AsMut<[Fq]>;

    /// Cuts a list whose length is a multiple of [`BaseLanes::LANES`].
    fn indices(list: &[u32]) -> &[Self::Indices];

    /// The same value in every lane.
    fn splat(value: Fq) -> Self;

    /// Elements with the given values.
    fn from_elements(values: &Self::Elements) -> Self;

    /// The values.
    fn to_elements(self) -> Self::Elements;

    /// The coordinates of the points that `indices` selects; `y` is negated where the index has
    /// [`NEGATIVE`]. Reduced fully.
    fn load(points: &[Point], indices: &Self::Indices) -> (Self, Self);

    /// Asks for the points that will be loaded soon.
    fn prefetch(points: &[Point], indices: &Self::Indices);

    /// Writes points; the coordinates must be fully reduced.
    fn store(x: Self, y: Self, points: &mut [Point], indices: &Self::Indices);

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

/// The instantiation for any processor: one element, radix `2^256`, always fully reduced.
#[derive(Clone, Copy)]
pub(crate) struct PortableBase(Fq);

impl BaseLanes for PortableBase {
    const LANES: usize = 1;
    type Indices = [u32; 1];
    type Elements = [Fq; 1];

    #[inline(always)]
    fn indices(list: &[u32]) -> &[[u32; 1]] {
        list.as_chunks().0
    }

    #[inline(always)]
    fn splat(value: Fq) -> Self {
        Self(value)
    }

    #[inline(always)]
    fn from_elements([value]: &[Fq; 1]) -> Self {
        Self(*value)
    }

    #[inline(always)]
    fn to_elements(self) -> [Fq; 1] {
        [self.0]
    }

    #[inline(always)]
    fn load(points: &[Point], [index]: &[u32; 1]) -> (Self, Self) {
        let point = &points[(index & !NEGATIVE) as usize];
        let y = if index & NEGATIVE == 0 { Fq(point.y) } else { -Fq(point.y) };
        (Self(Fq(point.x)), Self(y))
    }

    #[inline(always)]
    fn prefetch(_: &[Point], _: &[u32; 1]) {}

    #[inline(always)]
    fn store(x: Self, y: Self, points: &mut [Point], [index]: &[u32; 1]) {
        points[*index as usize] = Point { x: x.0.0, y: y.0.0 };
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        Self(self.0 * other.0)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self(self.0 + other.0)
    }

    #[inline(always)]
    fn times<const N: u64>(&self) -> Self {
        (1..N).fold(*self, |sum, _| sum.add(self))
    }

    #[inline(always)]
    fn sub<const K: u64>(&self, other: &Self) -> Self {
        Self(self.0 - other.0)
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
        u8::from(self.0.0 == other.0.0)
    }

    #[inline(always)]
    fn select(&self, mask: u8, other: &Self) -> Self {
        if mask == 0 { *self } else { *other }
    }
}
