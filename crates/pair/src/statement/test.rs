//! The test itself (protocol §25). Input: tagged masks, claimed wires, the statement with this
//! side's shares; output: that it holds, or the end of the session, which says nothing but that it
//! does not.

use super::late_inverses::{LateInverses, claimed};
use super::preparation::{SecretTuple, TaggedMasks, by_width, coins};
use super::wire_masks::WireMasks;
use crate::acceptance::Acceptance;
use crate::wires::Wires;
use ff::Field;
use std::collections::{HashMap, HashSet};
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_party::{
    Affine, Combination, Kind, LookupShape, LookupStatement, OwnedPolynomial, PartyError, Role,
    SecretWire, Shares, Statement, WireValue,
};
use twain_tags::{
    CheckedPairs, Denominator, Public, Relation, Side, Tagged, TaggedVector, Term, Triple,
};

/// Powers of the challenge that compresses tuples, and the number at which sums are compared.
struct LookupChallenges {
    theta: Vec<Fr>,
    beta: Fr,
}

impl LookupChallenges {
    fn compressed(&self, tuple: impl Iterator<Item = Fr>) -> Fr {
        self.theta.iter().zip(tuple).map(|(power, value)| *power * value).sum::<Fr>() + self.beta
    }
}

/// Claimed wires: the masks and what was opened of each.
struct ClaimedWires<'a> {
    wires: &'a WireMasks,
    /// By place.
    opened: Vec<Fr>,
}

impl TaggedMasks {
    /// Tests that the statement holds, but for what it says of late inverses. Returns what makes
    /// these.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn test(
        mut self,
        channel: &mut dyn Channel,
        wires: &mut Wires,
        statement: &dyn Statement,
    ) -> Result<LateInverses, PartyError> {
        let opened = self.claim(channel, wires, statement)?;
        let squares = self.squares(channel, wires)?;
        let multiplicities = self.multiplicities(channel, statement.lookups())?;
        let challenges = self.lookup_challenges(channel, statement.lookups())?;
        let claimed = ClaimedWires { wires: &self.wires, opened };
        let mut denominators = Vec::new();
        let order = by_width(&self.shape);
        for tuple in &order {
            let lookup = &statement.lookups()[tuple.lookup];
            let affine = lookup.tuples.iter().chain(&lookup.secret_rows).nth(tuple.number);
            let affine = affine.ok_or(PartyError::Bug("a statement has fewer tuples"))?;
            let secrets = tuple.components(&self.shape);
            denominators.push(claimed.denominator(secrets, affine, &challenges)?);
        }
        let pairs = std::mem::take(&mut self.lookups);
        let inverses = self.audited.side().inverses(channel, pairs, &denominators)?;
        let triples = std::mem::take(&mut self.of_tables);
        let of_tuples = sums_of_tuples(
            (self.audited.side(), channel),
            &self.shape.lookups,
            (&order, inverses),
            &multiplicities,
            triples,
        )?;

        for owner in [Role::Model, Role::Data] {
            let degree = self.shape.owned_degrees[owner as usize];
            if degree == 0 {
                continue;
            }
            let relation = OwnPolynomials::new(degree, statement.owned(owner));
            let row = relation.wires.iter().map(|wire| {
                let place = claimed.wires.place(*wire)?;
                let opened = Public(claimed.opened[place]);
                let mask = claimed.wires.masks.get(place);
                Ok(&mask + &self.audited.side().public(opened, Kind::Owned(owner)))
            });
            let row = row.collect::<Result<Vec<Tagged>, PartyError>>()?;
            let challenge = self.audited.challenge(channel, coins::OWN_VALUES)?;
            self.audited.prove(channel, owner, &relation, &[row], challenge)?;
        }

        let challenge = self.audited.challenge(channel, coins::WEIGHTS)?;
        let polynomials = self.shape.polynomials;
        let degree = polynomials + statement.lookups().len() + squares.len();
        let Public(weight) = self.audited.side().weigh(challenge, degree)?;
        let combination = statement.combination(weight);
        let side = self.audited.side();
        let columns = (&self.shape.pairs[..], &self.shape.columns[..]);
        let mut sum = claimed.combined(side, &self.pairs, columns, &combination)?;
        let mut factor = weight.pow_vartime([polynomials as u64]);
        let mut first = 0;
        let lookups = self.shape.lookups.iter().zip(statement.lookups());
        for ((shape, lookup), of_tuples) in lookups.zip(&of_tuples) {
            let counts = multiplicities.slice(first..first + shape.table_rows);
            first += shape.table_rows;
            let others = without_tuples(side, (shape, lookup), &challenges, &counts)?;
            sum = &sum + &(&(of_tuples + &others) * Public(factor));
            factor *= weight;
        }
        for square in &squares {
            sum = &sum + &(square * Public(factor));
            factor *= weight;
        }
        side.zero_test(channel, &sum, self.triple)?;
        let (shape, triples) = self.argument;
        Ok(LateInverses {
            acceptance: Acceptance { audited: self.audited, shape, triples },
            masks: self.wires,
            wanted: self.shape.late_inverses.clone(),
            triples: self.late_inverses,
        })
    }

    /// `nonzero^2 - nonzero` of each late inverse, which is 0: that it is a bit follows from no
    /// other polynomial without what is left out.
    fn squares(
        &mut self,
        channel: &mut dyn Channel,
        wires: &Wires,
    ) -> Result<Vec<Tagged>, PartyError> {
        let side = self.audited.side();
        let nonzero = self.shape.late_inverses.iter().filter_map(|late| late.nonzero);
        let nonzero = nonzero.map(|wire| claimed(side, &self.wires, wires, wire));
        let nonzero = nonzero.collect::<Result<Vec<Tagged>, PartyError>>()?;
        let pairs: Vec<(Tagged, Tagged)> =
            nonzero.iter().map(|bit| (bit.clone(), bit.clone())).collect();
        let triples = std::mem::take(&mut self.late_inverses.squares);
        let squares = side.multiply(channel, &pairs, triples)?;
        Ok(squares.iter().zip(&nonzero).map(|(square, bit)| square - bit).collect())
    }

    /// Claims the wires that are not claimed yet, which are their owners'. Returns what was opened
    /// of each.
    fn claim(
        &self,
        channel: &mut dyn Channel,
        wires: &mut Wires,
        statement: &dyn Statement,
    ) -> Result<Vec<Fr>, PartyError> {
        let late: HashSet<u32> = self.shape.late_inverses.iter().map(|late| late.inverse).collect();
        let is_missing =
            |cell: &&SecretWire| wires.opened(cell.wire).is_none() && !late.contains(&cell.wire);
        let missing = self.wires.wires.iter().filter(is_missing);
        let missing: Vec<WireValue> = missing
            .map(|cell| WireValue { wire: cell.wire, operand: statement.operand(cell.wire) })
            .collect();
        if missing.iter().any(|value| !matches!(value.operand.kind, Kind::Owned(_))) {
            return Err(PartyError::Bug("a shared wire in a cell is not claimed"));
        }
        if !missing.is_empty() {
            wires.claim(channel, &missing)?;
        }
        // Late ones are in nothing that is tested.
        let opened = |cell: &SecretWire| match late.contains(&cell.wire) {
            true => Some(Fr::ZERO),
            false => wires.opened(cell.wire),
        };
        let unclaimed = PartyError::Bug("a wire in a cell is not claimed");
        self.wires.wires.iter().map(opened).collect::<Option<_>>().ok_or(unclaimed)
    }

    /// Gives this side's multiplicities and takes the peer's: nothing about the witness is free
    /// after it. Returns those of all arguments.
    fn multiplicities(
        &mut self,
        channel: &mut dyn Channel,
        lookups: &[LookupStatement],
    ) -> Result<TaggedVector, PartyError> {
        let shapes = &self.shape.lookups;
        let fits = |(shape, lookup): (&LookupShape, &LookupStatement)| {
            let of_rows = lookup.table.iter().all(|column| column.len() == shape.table_rows);
            shape.tuples.len() == lookup.tuples.len()
                && shape.secret_rows.len() == lookup.secret_rows.len()
                && shape.width == lookup.table.len()
                && of_rows
                && shape.table_rows <= lookup.multiplicities.len()
        };
        if shapes.len() != lookups.len() || !shapes.iter().zip(lookups).all(fits) {
            return Err(PartyError::Bug("a statement has other lookups than it said"));
        }
        let mut own = Shares::zero(shapes.iter().map(|shape| shape.table_rows).sum());
        let mut rest = &mut own[..];
        for (LookupShape { table_rows, .. }, lookup) in shapes.iter().zip(lookups) {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(*table_rows);
            now.copy_from_slice(&lookup.multiplicities[..*table_rows]);
            rest = later;
        }
        Ok(TaggedVector::shared(&self.audited.input(channel, &own, own.len())?))
    }

    /// The challenges of the lookups, when all of these is claimed.
    fn lookup_challenges(
        &mut self,
        channel: &mut dyn Channel,
        statements: &[LookupStatement],
    ) -> Result<LookupChallenges, PartyError> {
        let lookups = &self.shape.lookups;
        let width = lookups.iter().map(|lookup| lookup.width).max().unwrap_or(1);
        let rows = |(shape, lookup): (&LookupShape, &LookupStatement)| {
            shape.tuples.len() + lookup.known.len() + shape.table_rows
        };
        let sums: usize = lookups.iter().zip(statements).map(rows).sum();
        let theta = self.audited.challenge(channel, coins::TUPLES)?;
        let beta = self.audited.challenge(channel, coins::LOOKUPS)?;
        // Two tuples that differ are compressed to the same number, for some pair of them.
        let pairs = sums.saturating_mul(sums).saturating_mul(width.saturating_sub(1));
        let Public(theta) = self.audited.side().weigh(theta, pairs)?;
        // The sums of fractions differ as functions, and agree at this number; or a denominator is
        // 0.
        let Public(beta) = self.audited.side().weigh(beta, sums.saturating_mul(2))?;
        Ok(LookupChallenges { theta: vector::powers(theta, width), beta })
    }
}

impl ClaimedWires<'_> {
    /// What is inverted of a looked-up tuple.
    fn denominator(
        &self,
        secrets: impl Iterator<Item = (usize, SecretWire)>,
        tuple: &[Affine],
        challenges: &LookupChallenges,
    ) -> Result<Denominator, PartyError> {
        let known = challenges.compressed(tuple.iter().map(|affine| affine.constant));
        let mut denominator = Denominator { weights: Vec::new(), summand: known };
        for (place, cell) in secrets {
            let weight = tuple[place].coefficient * challenges.theta[place];
            denominator.summand += weight * self.opened[self.wires.place(cell.wire)?];
            denominator.weights.push(weight);
        }
        Ok(denominator)
    }

    /// A combination of wires and of products of two: with `x = δ_x + a_x`,
    /// `xy = δ_x δ_y + δ_x a_y + δ_y a_x + a_x a_y`.
    fn combined(
        &self,
        side: &Side,
        products: &CheckedPairs,
        (pairs, columns): (&[[u32; 2]], &[Vec<Option<SecretWire>>]),
        combination: &Combination,
    ) -> Result<Tagged, PartyError> {
        let mut weights = vec![Fr::ZERO; self.opened.len()];
        let mut constant = combination.constant;
        for (wire, weight) in &combination.wires {
            let place = self.wires.place(*wire)?;
            weights[place] += weight;
            constant += *weight * self.opened[place];
        }
        let mut of_products = Tagged::zero();
        let of_pairs = pairs.iter().zip(&combination.products).zip(products.rows());
        for (([left, right], coefficients), masks) in of_pairs {
            of_products = &of_products + &masks.inner_product(coefficients);
            let cells = |column: &u32| columns.get(*column as usize).map_or(&[][..], Vec::as_slice);
            let rows = cells(left).iter().zip(cells(right)).zip(coefficients);
            for ((left, right), coefficient) in rows.filter(|(_, c)| **c != Fr::ZERO) {
                let (Some(left), Some(right)) = (left, right) else {
                    return Err(PartyError::Bug("a product of a cell that is not secret"));
                };
                let (l, r) = (self.wires.place(left.wire)?, self.wires.place(right.wire)?);
                weights[l] += *coefficient * self.opened[r];
                weights[r] += *coefficient * self.opened[l];
                constant += *coefficient * self.opened[l] * self.opened[r];
            }
        }
        let of_masks = self.wires.masks.inner_product(&weights);
        let public = side.public(Public(constant), Kind::Shared);
        Ok(&(&of_masks + &of_products) + &public)
    }
}

/// For each argument the sum of the fractions of its tuples, less those of the secret rows of its
/// table: an inverse times how often the row is looked up.
fn sums_of_tuples(
    (side, channel): (&mut Side, &mut dyn Channel),
    lookups: &[LookupShape],
    (order, inverses): (&[SecretTuple], Vec<Tagged>),
    multiplicities: &TaggedVector,
    triples: Vec<Triple>,
) -> Result<Vec<Tagged>, PartyError> {
    let mut sums = vec![Tagged::zero(); lookups.len()];
    let (mut factors, mut of_rows) = (Vec::new(), Vec::new());
    for (tuple, inverse) in order.iter().zip(inverses) {
        let lookup = &lookups[tuple.lookup];
        match tuple.number.checked_sub(lookup.tuples.len()) {
            None => sums[tuple.lookup] = &sums[tuple.lookup] + &inverse,
            Some(secret) => {
                let before: usize =
                    lookups[..tuple.lookup].iter().map(|lookup| lookup.table_rows).sum();
                let (row, _) = lookup.secret_rows[secret];
                factors.push((multiplicities.get(before + row), inverse));
                of_rows.push(tuple.lookup);
            }
        }
    }
    let products = side.multiply(channel, &factors, triples)?;
    for (lookup, product) in of_rows.into_iter().zip(products) {
        sums[lookup] = &sums[lookup] - &product;
    }
    Ok(sums)
}

/// What a lookup argument's sum is without its secret tuples: the fractions of known ones, less
/// those of the table's public rows.
fn without_tuples(
    side: &Side,
    (shape, lookup): (&LookupShape, &LookupStatement),
    challenges: &LookupChallenges,
    multiplicities: &TaggedVector,
) -> Result<Tagged, PartyError> {
    let row = |row: usize| challenges.compressed(lookup.table.iter().map(|column| column[row]));
    let mut fractions: Vec<Fr> = (0..multiplicities.len()).map(row).collect();
    let known = lookup.known.iter();
    fractions.extend(known.map(|(tuple, _)| challenges.compressed(tuple.iter().copied())));
    if fractions.contains(&Fr::ZERO) {
        return Err(PartyError::Ended);
    }
    vector::batch_invert(&mut fractions);
    let (of_table, of_known) = fractions.split_at_mut(multiplicities.len());
    for (row, _) in &shape.secret_rows {
        of_table[*row] = Fr::ZERO;
    }
    let known = lookup.known.iter().zip(of_known);
    let known: Fr = known.map(|((_, count), fraction)| Fr::from(*count) * *fraction).sum();
    let counted = multiplicities.inner_product(of_table);
    Ok(&side.public(Public(known), Kind::Shared) - &counted)
}

/// Polynomials of one side's wires, as a relation of all of these.
struct OwnPolynomials {
    degree: usize,
    /// The wires, in the order of their values.
    wires: Vec<u32>,
    polynomials: Vec<OwnedPolynomial>,
    places: HashMap<u32, usize>,
}

impl OwnPolynomials {
    fn new(degree: usize, polynomials: Vec<OwnedPolynomial>) -> Self {
        let (mut wires, mut places) = (Vec::new(), HashMap::new());
        let terms = polynomials.iter().flat_map(|polynomial| &polynomial.terms);
        for wire in terms.flat_map(|(_, wires)| wires) {
            places.entry(*wire).or_insert_with(|| {
                wires.push(*wire);
                wires.len() - 1
            });
        }
        Self { degree, wires, polynomials, places }
    }
}

impl Relation for OwnPolynomials {
    fn degree(&self) -> usize {
        self.degree
    }

    fn evaluate<T: Term>(&self, values: &[T]) -> Vec<T> {
        let polynomial = |polynomial: &OwnedPolynomial| {
            let terms = polynomial.terms.iter().filter_map(|(coefficient, wires)| {
                let factors = wires.iter().map(|wire| values[self.places[wire]].clone());
                let product = factors.reduce(|product, factor| product.times(&factor))?;
                Some(product.scaled(*coefficient))
            });
            let sum = terms.reduce(|sum, term| sum.plus(&term))?;
            Some(sum.shifted(polynomial.constant))
        };
        self.polynomials.iter().filter_map(polynomial).collect()
    }
}
