//! Values with tags (protocol §24): what one side holds of `[x] = <x_M>_M + <x_D>_D`.
//!
//! Side Q has a key `Δ_Q` for the whole session. `<x>_P` is: P holds `x` and a tag `m`, Q holds a
//! key `k`, and `m + k = Δ_Q·x`. So each side holds three numbers of a shared value: its share, the
//! tag of its share, and the key of the other's. All that is linear is done on the three alike.
//!
//! No method shows a share: the ways out are an opening and a zero test, which are checked
//! ([`crate::Side`]).

use ff::Field;
use std::ops::{Add, Mul, Neg, Range, Sub};
use twain_algebra::{Fr, erase, vector};
use twain_party::{Role, Shares};

/// A value that both sides know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Public(pub Fr);

/// One side's key `Δ`: uniform, drawn once a session, known to this side alone.
#[derive(Clone)]
pub struct Key(pub(crate) Fr);

impl Key {
    /// For a [`crate::TagSource`], which has just drawn it.
    pub fn new(delta: Fr) -> Self {
        Self(delta)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        erase(std::slice::from_mut(&mut self.0));
    }
}

/// One side's half of a value: of one that both hold shares of, or that one of them holds alone
/// (then the other's share and tag are 0).
#[derive(Clone)]
pub struct Tagged {
    pub(crate) share: Fr,
    pub(crate) tag: Fr,
    /// Of the other side's share.
    pub(crate) key: Fr,
}

impl Tagged {
    /// The value 0, which is known to be that.
    pub fn zero() -> Self {
        Self { share: Fr::ZERO, tag: Fr::ZERO, key: Fr::ZERO }
    }

    fn with(&self, other: &Self, operation: impl Fn(Fr, Fr) -> Fr) -> Self {
        Self {
            share: operation(self.share, other.share),
            tag: operation(self.tag, other.tag),
            key: operation(self.key, other.key),
        }
    }
}

impl Drop for Tagged {
    fn drop(&mut self) {
        for part in [&mut self.share, &mut self.tag, &mut self.key] {
            erase(std::slice::from_mut(part));
        }
    }
}

impl Add for &Tagged {
    type Output = Tagged;
    fn add(self, other: &Tagged) -> Tagged {
        self.with(other, |a, b| a + b)
    }
}

impl Sub for &Tagged {
    type Output = Tagged;
    fn sub(self, other: &Tagged) -> Tagged {
        self.with(other, |a, b| a - b)
    }
}

impl Neg for &Tagged {
    type Output = Tagged;
    fn neg(self) -> Tagged {
        &Tagged::zero() - self
    }
}

impl Mul<Public> for &Tagged {
    type Output = Tagged;
    fn mul(self, factor: Public) -> Tagged {
        Tagged { share: self.share * factor.0, tag: self.tag * factor.0, key: self.key * factor.0 }
    }
}

/// One side's halves of many values.
#[derive(Clone, Default)]
pub struct TaggedVector {
    pub(crate) shares: Shares,
    pub(crate) tags: Shares,
    pub(crate) keys: Shares,
}

impl TaggedVector {
    /// Values of which each side holds a share: the shares of both.
    ///
    /// # Panics
    /// If there are not as many of the one as of the other, or if both are of one side.
    pub fn shared(halves: &[Owned; 2]) -> Self {
        let ((Half::Mine { values, tags }, Half::Theirs { keys })
        | (Half::Theirs { keys }, Half::Mine { values, tags })) = (&halves[0].0, &halves[1].0)
        else {
            panic!("a shared value has a share on this side and one on the other");
        };
        assert_eq!(values.len(), keys.len(), "each value has a share on either side");
        Self { shares: values.clone(), tags: tags.clone(), keys: keys.clone() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shares.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none at `index`.
    pub fn get(&self, index: usize) -> Tagged {
        Tagged { share: self.shares[index], tag: self.tags[index], key: self.keys[index] }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Tagged> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Some of them.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let part = |values: &Shares| Shares::new(values[range.clone()].to_vec());
        Self { shares: part(&self.shares), tags: part(&self.tags), keys: part(&self.keys) }
    }

    /// `Σ weights[i]·x[i]` for public weights.
    ///
    /// # Panics
    /// If there are not as many weights as values.
    pub fn inner_product(&self, weights: &[Fr]) -> Tagged {
        Tagged {
            share: vector::inner_product(&self.shares, weights),
            tag: vector::inner_product(&self.tags, weights),
            key: vector::inner_product(&self.keys, weights),
        }
    }
}

impl FromIterator<Tagged> for TaggedVector {
    fn from_iter<I: IntoIterator<Item = Tagged>>(values: I) -> Self {
        // Collected first: a vector that grows leaves copies behind.
        let values: Vec<Tagged> = values.into_iter().collect();
        let part = |of: fn(&Tagged) -> Fr| Shares::new(values.iter().map(of).collect());
        Self { shares: part(|x| x.share), tags: part(|x| x.tag), keys: part(|x| x.key) }
    }
}

/// Values that one side holds alone: at that side they come with tags, at the other one there are
/// keys for them.
#[derive(Clone)]
pub struct Owned(pub(crate) Half);

#[derive(Clone)]
pub(crate) enum Half {
    Mine { values: Shares, tags: Shares },
    Theirs { keys: Shares },
}

impl Owned {
    pub(crate) fn mine(values: Shares, tags: Shares) -> Self {
        Self(Half::Mine { values, tags })
    }

    pub(crate) fn theirs(keys: Shares) -> Self {
        Self(Half::Theirs { keys })
    }

    /// This side's values and the peer's, in the order model, data.
    pub(crate) fn in_order(role: Role, mine: Self, theirs: Self) -> [Self; 2] {
        match role {
            Role::Model => [mine, theirs],
            Role::Data => [theirs, mine],
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Half::Mine { values, .. } => values.len(),
            Half::Theirs { keys } => keys.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this side holds them.
    pub fn is_mine(&self) -> bool {
        matches!(self.0, Half::Mine { .. })
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none at `index`.
    pub fn get(&self, index: usize) -> Tagged {
        match &self.0 {
            Half::Mine { values, tags } => {
                Tagged { share: values[index], tag: tags[index], key: Fr::ZERO }
            }
            Half::Theirs { keys } => Tagged { share: Fr::ZERO, tag: Fr::ZERO, key: keys[index] },
        }
    }

    /// All of them, as values of both.
    pub fn to_vector(&self) -> TaggedVector {
        (0..self.len()).map(|index| self.get(index)).collect()
    }
}
