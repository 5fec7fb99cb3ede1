//! The test of the argument before a quotient is shown (protocol §26), against a side that lies
//! about it: the other one ends, and has sent nothing that depends on the quotient.

mod in_process;

use ff::Field;
use group::Curve;
use in_process::{Case, case, seeds};
use std::ops::Range;
use std::sync::Arc;
use twain_algebra::{Fr, G1, G1Affine};
use twain_circuit::{Sources, Witness, parameters};
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_pair::TwoParty;
use twain_party::{
    Accepted, Argument, ArgumentPolynomial, BlindingItem, Factors, HintBatch, Inverted, Kind,
    LateInverse, LookupArgument, Multiplicities, Numerator, Operand, PartyError, PointOpening,
    ProverParty, PublicPolynomial, QuotientOperands, QuotientPart, Role, SecretWire, Shares,
    Statement, Tested, Watched, WireValue, WitnessParty,
};
use twain_plonk::{ProveError, prove};

/// Where a side says something else than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    /// A coefficient of its share of the quotient.
    Quotient,
    /// Its commitment to a piece of the quotient, but not the piece.
    PieceCommitment,
    /// Its commitment to the first column of the message with this number.
    Commitment(usize),
    /// The values at the point of a polynomial, and all that it shows of it there.
    Value,
    /// Its share of a running product.
    Product,
    /// Its share of a looked-up cell's inverse.
    Inverse,
}

const ALL: [Lie; 7] = [
    Lie::Quotient,
    Lie::PieceCommitment,
    Lie::Commitment(0),
    Lie::Commitment(1),
    Lie::Value,
    Lie::Product,
    Lie::Inverse,
];

/// A party that lies in one place.
struct Lying<'p, 'c> {
    party: &'p mut TwoParty<'c>,
    lie: Lie,
    commitments: usize,
}

impl WitnessParty for Lying<'_, '_> {
    fn watched(&self) -> Watched {
        self.party.watched()
    }
    fn adds_public(&self) -> bool {
        self.party.adds_public()
    }
    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        self.party.claim(wires)
    }
    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        self.party.inner_products(left, right, ends)
    }
    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.party.hints(batches)
    }
    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError> {
        self.party.prepare_lookups(arguments)
    }
    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        self.party.multiplicities(arguments, rows)
    }
    fn tests_statements(&self) -> bool {
        self.party.tests_statements()
    }
    fn test_statement(&mut self, statement: &dyn Statement) -> Result<(), PartyError> {
        self.party.test_statement(statement)
    }
    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        self.party.late_inverses(wanted)
    }
    fn check_zero(&mut self, values: &[Fr]) -> Result<Tested, PartyError> {
        self.party.check_zero(values)
    }
    fn open_instances(&mut self, tested: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        self.party.open_instances(tested, shares)
    }
}

fn moved(point: &mut G1Affine) {
    *point = (G1::from(*point) + G1Affine::generator()).to_affine();
}

impl<'c> ProverParty for Lying<'_, 'c> {
    type Points = <TwoParty<'c> as ProverParty>::Points;
    type Conversion = <TwoParty<'c> as ProverParty>::Conversion;
    type Inversion = <TwoParty<'c> as ProverParty>::Inversion;
    type Quotient<'q> = <TwoParty<'c> as ProverParty>::Quotient<'q>;

    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        self.party.blinding(item, kind, rows)
    }
    fn begin_points(
        &mut self,
        digest: [u8; 32],
        mut parts: Vec<G1Affine>,
    ) -> Result<Self::Points, PartyError> {
        if self.lie == Lie::Commitment(self.commitments) {
            moved(&mut parts[0]);
        }
        self.commitments += 1;
        self.party.begin_points(digest, parts)
    }
    fn finish_points(&mut self, points: Self::Points) -> Result<Vec<G1Affine>, PartyError> {
        self.party.finish_points(points)
    }
    fn open_quotient(
        &mut self,
        digest: [u8; 32],
        mut part: QuotientPart,
        argument: &dyn Argument,
    ) -> Result<(Vec<G1Affine>, Accepted), PartyError> {
        match self.lie {
            Lie::PieceCommitment => moved(&mut part.commitments[0]),
            Lie::Value => {
                let ArgumentPolynomial::Shared { coefficients, .. } = argument.secret(0)? else {
                    panic!("an advice column is shared");
                };
                let mut coefficients = coefficients.to_vec();
                coefficients[1] += Fr::ONE;
                let other = FalseValues { argument, coefficients };
                return self.party.open_quotient(digest, part, &other);
            }
            _ => {}
        }
        self.party.open_quotient(digest, part, argument)
    }
    fn open_evaluations(
        &mut self,
        accepted: Accepted,
        digest: [u8; 32],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError> {
        self.party.open_evaluations(accepted, digest, parts)
    }
    fn products_of_shares(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        self.party.products_of_shares(left, right, ends)
    }
    fn prepare_factors(&mut self, values: &[WireValue]) -> Result<Self::Conversion, PartyError> {
        self.party.prepare_factors(values)
    }
    fn begin_factors(
        &mut self,
        conversion: Self::Conversion,
        shifts: &[Fr],
    ) -> Result<Self::Conversion, PartyError> {
        self.party.begin_factors(conversion, shifts)
    }
    fn finish_factors(&mut self, conversion: Self::Conversion) -> Result<Factors, PartyError> {
        self.party.finish_factors(conversion)
    }
    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError> {
        let mut shares = self.party.to_additive(factors, kinds)?;
        if let (Lie::Product, Some(share)) = (self.lie, shares.last_mut()) {
            *share += Fr::ONE;
        }
        Ok(shares)
    }
    fn begin_inverses(
        &mut self,
        values: &[Inverted],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Self::Inversion, PartyError> {
        self.party.begin_inverses(values, multiples, factors)
    }
    fn finish_inverses(&mut self, inversion: Self::Inversion) -> Result<Shares, PartyError> {
        let mut shares = self.party.finish_inverses(inversion)?;
        if let (Lie::Inverse, Some(share)) = (self.lie, shares.first_mut()) {
            *share += Fr::ONE;
        }
        Ok(shares)
    }
    fn begin_quotient<'q>(
        &mut self,
        numerator: &Numerator,
        operands: QuotientOperands<'q>,
    ) -> Result<Self::Quotient<'q>, PartyError> {
        self.party.begin_quotient(numerator, operands)
    }
    fn finish_quotient(
        &mut self,
        begun: Self::Quotient<'_>,
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError> {
        let mut pieces = self.party.finish_quotient(begun, numerator)?;
        if self.lie == Lie::Quotient {
            pieces[0][1] += Fr::ONE;
        }
        Ok(pieces)
    }
}

/// An argument whose first polynomial has other coefficients than those committed to.
struct FalseValues<'a> {
    argument: &'a dyn Argument,
    coefficients: Vec<Fr>,
}

impl Argument for FalseValues<'_> {
    fn numerator(&self) -> Numerator {
        self.argument.numerator()
    }
    fn known(&self, polynomials: &[PublicPolynomial], point: Fr) -> Result<Vec<Fr>, PartyError> {
        self.argument.known(polynomials, point)
    }
    fn secret(&self, index: u32) -> Result<ArgumentPolynomial<'_>, PartyError> {
        Ok(match (index, self.argument.secret(index)?) {
            (0, ArgumentPolynomial::Shared { own, theirs, .. }) => {
                ArgumentPolynomial::Shared { coefficients: &self.coefficients, own, theirs }
            }
            (_, other) => other,
        })
    }
    fn commit(&self, coefficients: &[Fr]) -> Result<G1Affine, PartyError> {
        self.argument.commit(coefficients)
    }
    fn opens(&self, opening: &PointOpening) -> bool {
        self.argument.opens(opening)
    }
}

/// How a pair ends in which the model's side lies, and what the data's has sent.
fn pair(case: &Case, lie: Lie) -> (Result<Vec<u8>, PartyError>, Vec<Frame>) {
    let (model, data) = memory_pair([9; 32]);
    let shape = Arc::new(case.circuit.statement_shape().unwrap());
    let side = |channel: MemoryChannel| {
        let mut channel = Recorder::new(channel);
        let (role, seeds) = (channel.role(), seeds(channel.role()));
        let party = TwoParty::inline(&mut channel, &seeds).unwrap();
        let mut party = party.testing(shape.clone(), case.argument_shape(), &seeds).unwrap();
        let inputs = match role {
            Role::Data => case.witness.inputs.clone(),
            Role::Model => vec![Vec::new(); case.witness.inputs.len()],
        };
        let parameters = parameters(&case.compiled.model);
        let parameters = (role == Role::Model).then_some(&parameters[..]);
        let sources = Sources { inputs: Some(&inputs), parameters };
        let lie = if role == Role::Model { lie } else { Lie::None };
        let mut party = Lying { party: &mut party, lie, commitments: 0 };
        let values = case.circuit.run(&mut party, &sources).unwrap();
        let mut source = Witness::new(&case.circuit, &values);
        let instances = std::slice::from_ref(&values.instances);
        let proof = match prove(&mut party, &case.key, &case.srs, instances, &mut source) {
            Ok(proof) => Ok(proof),
            Err(ProveError::Party(error)) => Err(error),
            Err(error) => panic!("{error}"),
        };
        (proof, channel.frames().to_vec())
    };
    std::thread::scope(|scope| {
        scope.spawn(|| side(model));
        side(data)
    })
}

#[test]
fn nothing_of_a_false_quotient_is_shown() {
    let case = case("1l_relu-k8-private");
    let sent = |frames: &[Frame], phase: &str| {
        frames.iter().filter(|frame| frame.way == Way::Sent && frame.phase == phase).count()
    };
    let (proof, frames) = pair(&case, Lie::None);
    assert_eq!(proof.unwrap(), case.alone(&case.secrets()).1);
    // The hidden pieces and what shows them.
    assert_eq!((sent(&frames, "hidden quotient"), sent(&frames, "evaluations")), (2, 1));
    for lie in ALL {
        let (proof, frames) = pair(&case, lie);
        assert!(matches!(proof, Err(PartyError::Ended)), "{lie:?}");
        let shown = (sent(&frames, "hidden quotient"), sent(&frames, "evaluations"));
        assert_eq!(shown, (1, 0), "{lie:?}");
    }
}

/// Tables of functions, whose arguments and values are both secrets of both sides: what is looked
/// up is inverted from masks that were multiplied before the challenges.
#[test]
fn functions_of_shared_values_are_proven_with_the_tests() {
    let case = case("../pair_circuits/weighted-ln");
    let shape = case.circuit.statement_shape().unwrap();
    let secrets = |tuple: &Vec<Option<SecretWire>>| tuple.iter().flatten().count();
    assert!(shape.lookups.iter().flat_map(|lookup| &lookup.tuples).any(|t| secrets(t) == 2));
    let (proof, _) = pair(&case, Lie::None);
    assert_eq!(proof.unwrap(), case.alone(&case.secrets()).1);
}

/// Tables of values that neither side knows.
#[test]
fn tables_of_witness_values_are_proven_with_the_tests() {
    for circuit in ["gather", "max-pool"] {
        let case = case(&format!("../pair_circuits/weighted-{circuit}"));
        let shape = case.circuit.statement_shape().unwrap();
        assert!(shape.lookups.iter().any(|lookup| !lookup.secret_rows.is_empty()), "{circuit}");
        let (proof, _) = pair(&case, Lie::None);
        assert_eq!(proof.unwrap(), case.alone(&case.secrets()).1, "{circuit}");
    }
}
