//! Two parties with an ideal functionality: each interactive operation shows both sides all
//! operands, computes the result alone, and splits it again. It checks that the prover uses shares
//! rightly: what it adds on one side only, what it multiplies on both, and which kinds it states.

use ff::Field;
use group::prime::PrimeCurveAffine;
use group::{Curve, Group};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_algebra::{Fr, G1, G1Affine};
use twain_party::{
    Accepted, Alone, Argument, BlindingItem, BlindingSeeds, CellKinds, Factors, HintBatch,
    Inverted, Kind, LateInverse, LookupArgument, Multiplicities, Numerator, Operand, PartyError,
    ProverParty, QuotientOperands, QuotientPart, Role, SecretPolynomial, Seed, Shares, Tested,
    WireValue, WitnessParty,
};

enum Message {
    Scalars(Vec<Fr>),
    Points([u8; 32], Vec<G1Affine>),
}

pub struct IdealParty {
    role: Role,
    seeds: BlindingSeeds,
    to: Sender<Message>,
    from: Receiver<Message>,
    /// The same on both sides: splits results.
    splitter: ChaCha20Rng,
    /// Shared operands converted or inverted, as a count of what would cost messages.
    pub shared_operands: usize,
}

/// Both sides.
pub fn pair(model: Seed, data: Seed) -> [IdealParty; 2] {
    let (to_data, from_model) = channel();
    let (to_model, from_data) = channel();
    let party = |role, seed, to, from| IdealParty {
        role,
        seeds: BlindingSeeds::Own(role, seed),
        to,
        from,
        splitter: ChaCha20Rng::seed_from_u64(5),
        shared_operands: 0,
    };
    [party(Role::Model, model, to_data, from_data), party(Role::Data, data, to_model, from_model)]
}

fn unsupported<T>() -> Result<T, PartyError> {
    Err(PartyError::Unsupported("not part of this test".into()))
}

impl IdealParty {
    fn is_model(&self) -> bool {
        self.role == Role::Model
    }

    /// The other side's scalars, as many as one's own.
    fn exchange(&mut self, scalars: &[Fr]) -> Vec<Fr> {
        self.to.send(Message::Scalars(scalars.to_vec())).unwrap();
        let Message::Scalars(other) = self.from.recv().unwrap() else { panic!("out of step") };
        assert_eq!(other.len(), scalars.len());
        other
    }

    fn values(&mut self, shares: &[Fr]) -> Vec<Fr> {
        let other = self.exchange(shares);
        shares.iter().zip(other).map(|(a, b)| a + b).collect()
    }

    /// The shares of operands; a side that does not know a value holds 0.
    fn operands(&mut self, operands: &[Operand]) -> Vec<Fr> {
        for operand in operands {
            let owner = match operand.kind {
                Kind::Public => Role::Model,
                Kind::Owned(role) => role,
                Kind::Shared => {
                    self.shared_operands += 1;
                    continue;
                }
            };
            assert!(owner == self.role || operand.share == Fr::ZERO, "share of a foreign value");
        }
        let shares: Vec<Fr> = operands.iter().map(|operand| operand.share).collect();
        self.values(&shares)
    }

    /// A share of the value; all of it at its owner.
    fn split(&mut self, value: Fr, kind: Kind) -> Fr {
        let random = Fr::random(&mut self.splitter);
        let of_data = match kind {
            Kind::Public | Kind::Owned(Role::Model) => Fr::ZERO,
            Kind::Owned(Role::Data) => value,
            Kind::Shared => random,
        };
        if self.is_model() { value - of_data } else { of_data }
    }
}

impl WitnessParty for IdealParty {
    fn adds_public(&self) -> bool {
        self.is_model()
    }
    fn claim(&mut self, _: &[WireValue]) -> Result<Shares, PartyError> {
        unsupported()
    }
    fn inner_products(
        &mut self,
        _: &[WireValue],
        _: &[WireValue],
        _: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        unsupported()
    }
    fn hints(&mut self, _: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        unsupported()
    }
    fn prepare_lookups(&mut self, _: &[LookupArgument]) -> Result<(), PartyError> {
        unsupported()
    }
    fn multiplicities(
        &mut self,
        _: &[LookupArgument],
        _: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        unsupported()
    }
    fn late_inverses(&mut self, _: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        unsupported()
    }
    fn check_zero(&mut self, _: &[Fr]) -> Result<Tested, PartyError> {
        unsupported()
    }
    fn open_instances(&mut self, _: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        Ok(self.values(shares))
    }
}

/// Values and who knows them.
type Opened = Vec<(Fr, Kind)>;

impl ProverParty for IdealParty {
    type Points = Vec<G1Affine>;
    type Conversion = Opened;
    type Inversion = Shares;
    type Quotient<'q> = QuotientOperands<'q>;

    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        Shares::new(self.seeds.values(item, kind, rows))
    }

    fn begin_points(
        &mut self,
        digest: [u8; 32],
        parts: Vec<G1Affine>,
    ) -> Result<Vec<G1Affine>, PartyError> {
        self.to.send(Message::Points(digest, parts.clone())).unwrap();
        let Message::Points(theirs, other) = self.from.recv().unwrap() else {
            panic!("out of step")
        };
        assert_eq!(digest, theirs, "the transcripts differ");
        let sums: Vec<G1> = parts.iter().zip(other).map(|(a, b)| a.to_curve() + b).collect();
        let mut points = vec![G1Affine::identity(); sums.len()];
        G1::batch_normalize(&sums, &mut points);
        assert!(points.iter().all(|p| bool::from(!G1::is_identity(&p.to_curve()))));
        Ok(points)
    }

    fn finish_points(&mut self, points: Vec<G1Affine>) -> Result<Vec<G1Affine>, PartyError> {
        Ok(points)
    }

    fn open_quotient(
        &mut self,
        digest: [u8; 32],
        part: QuotientPart,
        _: &dyn Argument,
    ) -> Result<(Vec<G1Affine>, Accepted), PartyError> {
        Ok((self.begin_points(digest, part.commitments)?, Accepted::by_test()))
    }

    fn open_evaluations(
        &mut self,
        _: Accepted,
        digest: [u8; 32],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError> {
        self.begin_points(digest, Vec::new())?;
        Ok(self.values(parts))
    }

    fn products_of_shares(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        let (a, b) = (self.operands(left), self.operands(right));
        let mut start = 0;
        let mut products = Vec::with_capacity(ends.len());
        for end in ends.iter().map(|end| *end as usize) {
            let kinds = left[start..end].iter().chain(&right[start..end]);
            let kind = kinds.fold(Kind::Public, |kind, operand| kind.join(operand.kind));
            let sum = (start..end).map(|i| a[i] * b[i]).sum();
            products.push(self.split(sum, kind));
            start = end;
        }
        Ok(products)
    }
    fn prepare_factors(&mut self, values: &[WireValue]) -> Result<Opened, PartyError> {
        let operands: Vec<Operand> = values.iter().map(|value| value.operand).collect();
        let opened = self.operands(&operands);
        Ok(opened.into_iter().zip(operands.iter().map(|operand| operand.kind)).collect())
    }

    fn begin_factors(&mut self, mut values: Opened, shifts: &[Fr]) -> Result<Opened, PartyError> {
        values.iter_mut().zip(shifts).for_each(|((value, _), shift)| *value += shift);
        Ok(values)
    }

    fn finish_factors(&mut self, values: Opened) -> Result<Factors, PartyError> {
        let factors = values.into_iter().map(|(value, kind)| {
            let random = Fr::random(&mut self.splitter);
            let of_data = match kind {
                Kind::Public | Kind::Owned(Role::Model) => Fr::ONE,
                Kind::Owned(Role::Data) => value,
                Kind::Shared => random,
            };
            if self.role == Role::Model { value * of_data.invert().unwrap() } else { of_data }
        });
        Ok(Factors::new(factors.collect()))
    }

    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError> {
        assert_eq!(factors.len(), kinds.len());
        for (factor, kind) in factors.iter().zip(kinds) {
            let trivial = match kind {
                Kind::Public | Kind::Owned(Role::Model) => !self.is_model(),
                Kind::Owned(Role::Data) => self.is_model(),
                Kind::Shared => false,
            };
            assert!(!trivial || *factor == Fr::ONE, "a factor at the wrong side");
        }
        let other = self.exchange(&factors);
        let values = factors.iter().zip(other).zip(kinds);
        Ok(Shares::new(values.map(|((a, b), kind)| self.split(a * b, *kind)).collect()))
    }

    fn begin_inverses(
        &mut self,
        values: &[Inverted],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Shares, PartyError> {
        let values: Vec<Operand> = values.iter().map(|value| value.operand).collect();
        let opened = self.operands(&values);
        let factors = self.operands(factors);
        let inverses: Vec<Fr> = opened.iter().map(|value| value.invert().unwrap()).collect();
        let multiples = multiples.iter().zip(factors);
        let multiples = multiples.map(|(i, factor)| (inverses[*i as usize] * factor, Kind::Shared));
        let inverses = inverses.iter().copied().zip(values.iter().map(|operand| operand.kind));
        let made: Vec<(Fr, Kind)> = inverses.chain(multiples).collect();
        Ok(made.into_iter().map(|(value, kind)| self.split(value, kind)).collect::<Vec<_>>().into())
    }

    fn finish_inverses(&mut self, inverses: Shares) -> Result<Shares, PartyError> {
        Ok(inverses)
    }

    fn begin_quotient<'q>(
        &mut self,
        _: &Numerator,
        operands: QuotientOperands<'q>,
    ) -> Result<QuotientOperands<'q>, PartyError> {
        Ok(operands)
    }

    fn finish_quotient(
        &mut self,
        operands: QuotientOperands<'_>,
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError> {
        let QuotientOperands { publics, secrets, pieces } = operands;
        let domain = twain_algebra::Domain::new(numerator.k).unwrap();
        let mut values = Vec::new();
        for secret in &secrets {
            // Who does not know a row holds 0 there.
            let mut rows = secret.coefficients.to_vec();
            domain.ntt(&mut rows);
            for (row, share) in rows.iter().enumerate() {
                let foreign = match secret.kinds.row(row) {
                    Kind::Public => !self.is_model(),
                    Kind::Owned(role) => role != self.role,
                    Kind::Shared => false,
                };
                assert!(!foreign || *share == Fr::ZERO, "row {row} of a foreign value");
            }
            values.push(self.values(secret.coefficients));
        }
        let kinds = CellKinds::Uniform(Kind::Shared);
        let whole: Vec<_> = values
            .iter()
            .map(|coefficients| SecretPolynomial { coefficients, kinds: &kinds, wires: &[] })
            .collect();
        let operands = QuotientOperands { publics, secrets: whole, pieces };
        let quotient = Alone::new(Seed([0; 32])).finish_quotient(operands, numerator)?;
        let split = |piece: Shares| {
            Shares::new(piece.iter().map(|value| self.split(*value, Kind::Shared)).collect())
        };
        Ok(quotient.into_iter().map(split).collect())
    }
}
