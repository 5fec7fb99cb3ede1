//! Proofs about one side's own tagged values: that polynomials of them are 0 (protocol §24; the
//! check of Yang, Sarkar, Weng, Wang, *QuickSilver*, CCS 2021).
//!
//! The owner P holds `x` and `m`, the other side Q the key `k = Δ·x - m`. A polynomial `f` of
//! degree `d`, each of whose terms of degree `h` is multiplied by `Δ^(d - h)`, is at the keys a
//! polynomial in `Δ` whose coefficients P knows; that of `Δ^d` is `f(x)`. If it is 0, `d`
//! coefficients are left. P sends `χ`-combinations of these over all `f`, under `d - 1` spares, and
//! Q compares the value at its `Δ`. So `d` numbers are sent however many polynomials there are.

use crate::audited::Audited;
use crate::coins::Challenge;
use crate::side::Guarded;
use crate::values::{Owned, Public, Tagged};
use ff::Field;
use twain_algebra::{Fr, erase};
use twain_link::channel::Channel;
use twain_link::scalars::{exchange_scalars, send_scalars};
use twain_party::{PartyError, Role, Shares};

const PHASE: &str = "proof about own values";

/// A polynomial of tagged values, as either side computes with it.
pub trait Term: Clone {
    /// The sum of two.
    fn plus(&self, other: &Self) -> Self;
    /// The product of two; degrees add up.
    fn times(&self, other: &Self) -> Self;
    /// Times a public number.
    fn scaled(&self, factor: Fr) -> Self;
    /// Plus a public number.
    fn shifted(&self, summand: Fr) -> Self;
    /// The difference of two.
    fn minus(&self, other: &Self) -> Self {
        self.plus(&other.scaled(-Fr::ONE))
    }
}

/// Polynomials of degree at most `d` that vanish if all is as it should be.
pub trait Relation {
    /// `d`, at least 1.
    fn degree(&self) -> usize;
    /// The polynomials at some values.
    fn evaluate<T: Term>(&self, values: &[T]) -> Vec<T>;
}

/// At the owner: the coefficients of a polynomial in `Δ`, of the degree of the term.
#[derive(Clone)]
struct OwnersTerm(Shares);

impl OwnersTerm {
    fn degree(&self) -> usize {
        self.0.len() - 1
    }

    /// Times `Δ` as often as the degree goes up.
    fn raised(&self, degree: usize) -> Shares {
        let mut raised = Shares::zero(degree + 1);
        raised[degree - self.degree()..].copy_from_slice(&self.0);
        raised
    }
}

impl Term for OwnersTerm {
    fn plus(&self, other: &Self) -> Self {
        let degree = self.degree().max(other.degree());
        let mut sum = self.raised(degree);
        sum.iter_mut().zip(other.raised(degree).iter()).for_each(|(sum, term)| *sum += term);
        Self(sum)
    }

    fn times(&self, other: &Self) -> Self {
        let mut product = Shares::zero(self.0.len() + other.0.len() - 1);
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                product[i + j] += a * b;
            }
        }
        Self(product)
    }

    fn scaled(&self, factor: Fr) -> Self {
        Self(Shares::new(self.0.iter().map(|coefficient| coefficient * factor).collect()))
    }

    fn shifted(&self, summand: Fr) -> Self {
        let mut sum = self.clone();
        if let Some(top) = sum.0.last_mut() {
            *top += summand;
        }
        sum
    }
}

/// At the other side: the value at its `Δ`.
#[derive(Clone)]
struct HoldersTerm {
    value: Fr,
    degree: usize,
    delta: Fr,
}

impl Drop for HoldersTerm {
    fn drop(&mut self) {
        erase(std::slice::from_mut(&mut self.value));
        erase(std::slice::from_mut(&mut self.delta));
    }
}

impl HoldersTerm {
    fn raised(&self, degree: usize) -> Fr {
        self.value * self.delta.pow_vartime([(degree - self.degree) as u64])
    }
}

impl Term for HoldersTerm {
    fn plus(&self, other: &Self) -> Self {
        let degree = self.degree.max(other.degree);
        let value = self.raised(degree) + other.raised(degree);
        Self { value, degree, ..*self }
    }

    fn times(&self, other: &Self) -> Self {
        let degree = self.degree + other.degree;
        Self { value: self.value * other.value, degree, ..*self }
    }

    fn scaled(&self, factor: Fr) -> Self {
        Self { value: self.value * factor, ..*self }
    }

    fn shifted(&self, summand: Fr) -> Self {
        let summand = summand * self.delta.pow_vartime([self.degree as u64]);
        Self { value: self.value + summand, ..*self }
    }
}

/// `Σ χ^i f_i` over the polynomials of all rows, as `add` takes each with its weight; returns how
/// many there are.
fn combine<T: Term>(
    (relation, rows): (&impl Relation, &[Vec<Tagged>]),
    challenge: Fr,
    term: impl Fn(&Tagged) -> T,
    mut add: impl FnMut(&T, Fr) -> Result<(), PartyError>,
) -> Result<usize, PartyError> {
    let (mut weight, mut count) = (Fr::ONE, 0);
    for row in rows {
        let values: Vec<T> = row.iter().map(&term).collect();
        for polynomial in relation.evaluate(&values) {
            add(&polynomial, weight)?;
            weight *= challenge;
            count += 1;
        }
    }
    Ok(count)
}

/// Whether these values have no part of the side that is not `owner`, as far as `role` can see.
fn are_of(owner: Role, role: Role, rows: &[Vec<Tagged>]) -> bool {
    rows.iter().flatten().all(|value| match owner == role {
        true => value.key == Fr::ZERO,
        false => value.share == Fr::ZERO && value.tag == Fr::ZERO,
    })
}

const TOO_HIGH: PartyError = PartyError::Bug("a relation has a higher degree than it says");

impl Audited {
    /// Proves, or has proved to it, that a relation's polynomials are 0 in each of `rows`, lists of
    /// values that `owner` holds alone. `challenge` was tossed after the last input and opening:
    /// see [`crate::Side::weigh`]. Takes `degree - 1` spares of the owner; one message of `degree`
    /// numbers, whatever else there is.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`] at the other side.
    pub fn prove(
        &mut self,
        channel: &mut dyn Channel,
        owner: Role,
        relation: &impl Relation,
        rows: &[Vec<Tagged>],
        challenge: Challenge,
    ) -> Result<(), PartyError> {
        self.guarded(|audited| {
            if relation.degree() == 0 {
                return Err(PartyError::Bug("a relation's degree is at least 1"));
            }
            let role = audited.side.role();
            if !are_of(owner, role, rows) {
                return Err(PartyError::Bug("a proof about own values is about the peer's too"));
            }
            let spares = audited.spares_of(owner, relation.degree() - 1)?;
            // Their number is known, and counted, when all are evaluated.
            let Public(challenge) = audited.side.weigh(challenge, 0)?;
            let statement = (relation, rows);
            match owner == role {
                true => audited.prove_own(channel, statement, challenge, spares),
                false => audited.check_proof(channel, statement, challenge, spares),
            }
        })
    }

    /// The owner's part of [`Self::prove`].
    fn prove_own(
        &mut self,
        channel: &mut dyn Channel,
        statement: (&impl Relation, &[Vec<Tagged>]),
        challenge: Fr,
        spares: Owned,
    ) -> Result<(), PartyError> {
        let degree = statement.0.degree();
        let mut sums = Shares::zero(degree + 1);
        let term = |x: &Tagged| OwnersTerm(Shares::new(vec![-x.tag, x.share]));
        let count = combine(statement, challenge, term, |polynomial, weight| {
            if polynomial.degree() > degree {
                return Err(TOO_HIGH);
            }
            let raised = polynomial.raised(degree);
            sums.iter_mut().zip(raised.iter()).for_each(|(sum, c)| *sum += weight * c);
            Ok(())
        })?;
        for (power, spare) in (0..degree - 1).map(|l| (l, spares.get(l))) {
            sums[power] -= spare.tag;
            sums[power + 1] += spare.share;
        }
        self.side.failure.charge_coin(count + degree)?;
        // The last coefficient is the polynomials' own sum: 0, or the other side will see.
        send_scalars(channel, PHASE, &sums[..degree])
    }

    /// The other side's part of [`Self::prove`].
    fn check_proof(
        &mut self,
        channel: &mut dyn Channel,
        statement: (&impl Relation, &[Vec<Tagged>]),
        challenge: Fr,
        spares: Owned,
    ) -> Result<(), PartyError> {
        let (degree, delta) = (statement.0.degree(), self.side.delta());
        let term = |x: &Tagged| HoldersTerm { value: x.key, degree: 1, delta };
        let mut due = Fr::ZERO;
        let count = combine(statement, challenge, term, |polynomial, weight| {
            if polynomial.degree > degree {
                return Err(TOO_HIGH);
            }
            due += weight * polynomial.raised(degree);
            Ok(())
        })?;
        let keys = (0..degree - 1).rev().map(|l| spares.get(l).key);
        due += keys.fold(Fr::ZERO, |sum, key| sum * delta + key);
        self.side.failure.charge_coin(count + degree)?;
        let message = exchange_scalars(channel, PHASE, &[], degree)?;
        match message.iter().rev().fold(Fr::ZERO, |sum, c| sum * delta + c) == due {
            true => Ok(()),
            false => Err(PartyError::Ended),
        }
    }

    /// The next spares of a side.
    fn spares_of(&mut self, owner: Role, count: usize) -> Result<Owned, PartyError> {
        Ok(match owner == self.side.role() {
            true => self.spares.take(count, 0)?.0,
            false => self.spares.take(0, count)?.1,
        })
    }
}
