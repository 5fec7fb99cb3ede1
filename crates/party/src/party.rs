//! The operations of a side of a proof.

use crate::{
    Accepted, Argument, BlindingItem, Factors, HintBatch, Inverted, Kind, LateInverse,
    LookupArgument, Multiplicities, Numerator, Operand, PartyError, QuotientOperands, QuotientPart,
    Role, Shares, Statement, Watched, WireValue,
};
use ff::Field;
use std::ops::Range;
use twain_algebra::{Fr, G1Affine};

/// Why something leaves this process; the audit log of a test lists them, and nothing else is
/// opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opening {
    /// Values of the model's public outputs (or inputs), part of the proof's instances.
    Instances,
    /// Commitments, evaluations: items of the proof.
    Proof,
}

/// That the validity test has passed on this side. What depends on the witness is opened for one
/// only, so no order of steps opens it earlier.
#[derive(Debug)]
#[must_use = "the witness is opened with it"]
pub struct Tested(());

impl Tested {
    /// For an implementation of [`WitnessParty::check_zero`], once the test has passed.
    pub fn by_test() -> Self {
        Self(())
    }
}

/// The operations of witness generation. One call is one batch: all that is independent goes in one
/// call, and one call costs a constant number of messages whatever its length.
pub trait WitnessParty {
    /// Who watches the session: is told its phases, and may end it.
    fn watched(&self) -> Watched {
        Watched::default()
    }

    /// Whether public constants are added to this party's share (true for exactly one party).
    fn adds_public(&self) -> bool;

    /// Whether this party's shares are the values themselves (true alone only). The prover then
    /// takes shortcuts that give the same values; products need no care, so it keeps them factored.
    fn holds_values(&self) -> bool {
        false
    }

    /// Whether this party's share takes the public summands of a value of `kind`.
    fn adds_public_to(&self, kind: Kind) -> bool {
        self.holds_values() || (kind.public_side() == Role::Model) == self.adds_public()
    }

    /// This party's share of a value both know.
    fn public(&self, value: Fr) -> Fr {
        if self.adds_public() { value } else { Fr::ZERO }
    }

    /// Claims wires, none of them public and each once a session: what they are is fixed from then
    /// on for all that is done with them (protocol §2.2). Returns this party's shares of them,
    /// which replace those it had; the share of an owned wire stays what it was.
    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError>;

    /// Inner products: output `j` is the sum of `left[i] * right[i]` over `i` in
    /// `ends[j-1]..ends[j]` (`ends[-1]` = 0). Lengths of `left` and `right` equal `ends.last()`.
    /// Wires of which neither party knows both factors are claimed, with the shares given here.
    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError>;

    /// Evaluates non-polynomial functions; returns, batch after batch, shares of all outputs
    /// (`batch.hint.outputs()` per call of the hint, in order).
    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError>;

    /// Does what [`multiplicities`](Self::multiplicities) of these arguments need the other party
    /// for. What is not in its table makes the next validity test fail; public values may be
    /// missing yet.
    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError>;

    /// The multiplicity column of each lookup argument, `rows` values each (spec 01 §5.4); zero in
    /// the blinding rows. Nothing is sent.
    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError>;

    /// Whether [`test_statement`](Self::test_statement) is to be called.
    fn tests_statements(&self) -> bool {
        false
    }

    /// Tests that the witness satisfies all that the circuit states, whatever the other party does
    /// (protocol §25): before the validity test, when all wires in cells are known. Fails with the
    /// same error on every side, and nothing else is learnt.
    fn test_statement(&mut self, _statement: &dyn Statement) -> Result<(), PartyError> {
        Ok(())
    }

    /// This party's shares of inverses that nothing else of the witness depends on, as of claimed
    /// wires; their own wires are claimed by it. They come after the test of the statement, which
    /// leaves out what is said of them: a peer that has moved a value sees by the product that is
    /// opened for its inverse whether it was what it guessed.
    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError>;

    /// The validity test (protocol §12): fails on every side, with the same error and nothing else
    /// learnt, unless all `values` are 0.
    fn check_zero(&mut self, values: &[Fr]) -> Result<Tested, PartyError>;

    /// Opens the witness's part of the instances to everyone.
    fn open_instances(&mut self, tested: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError>;
}

/// The operations of the argument, beyond linear ones.
///
/// What takes more than one message is in steps, so that several such operations share each wait
/// for the other party: `prepare`, `begin`, `finish`. All parties take the steps in the same order,
/// and what was begun first is finished first.
pub trait ProverParty: WitnessParty {
    /// Group elements that are being opened.
    type Points;
    /// Values that are being turned into factors.
    type Conversion;
    /// Values that are being inverted.
    type Inversion;
    /// A quotient of which some products are made, and what it is made of.
    type Quotient<'q>;

    /// Whether this party only finds out what a proof asks of it. What it computes has no meaning,
    /// and the prover leaves out commitments and transforms, on which nothing else depends.
    fn rehearses(&self) -> bool {
        false
    }

    /// This party's summand of the random values at `rows` of `item`: zero if `kind` is public or
    /// owned by the other party. The same seeds give the same sum, alone and in pairs.
    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares;

    /// Begins to open sums of group elements that are part of the proof: sends this party's parts,
    /// with the digest of the transcript up to them. What is begun before
    /// [`finish_points`](Self::finish_points) waits for the other party at the same time.
    fn begin_points(
        &mut self,
        digest: [u8; 32],
        parts: Vec<G1Affine>,
    ) -> Result<Self::Points, PartyError>;

    /// The sums. Fails, and uses nothing of what the other party sent, unless it had the same
    /// digest.
    fn finish_points(&mut self, points: Self::Points) -> Result<Vec<G1Affine>, PartyError>;

    /// Opens the commitments to the quotient, with the digest of the transcript up to them. A party
    /// that does not trust its peer first tests that the sum of both parts is the quotient of what
    /// both have committed to (protocol §26), and shows its part only then.
    fn open_quotient(
        &mut self,
        digest: [u8; 32],
        part: QuotientPart,
        argument: &dyn Argument,
    ) -> Result<(Vec<G1Affine>, Accepted), PartyError>;

    /// Opens evaluations that are part of the proof; compares digests as the opening of points
    /// does.
    fn open_evaluations(
        &mut self,
        accepted: Accepted,
        digest: [u8; 32],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError>;

    /// Inner products, as [`inner_products`](WitnessParty::inner_products), of values that are no
    /// wires but made of them: each is masked for this purpose alone.
    fn products_of_shares(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError>;

    /// Prepares to turn additive shares into multiplicative ones, while it is not known yet by what
    /// public numbers the values will be shifted. Those that are shared are claimed wires; of
    /// others the number has no meaning.
    fn prepare_factors(&mut self, values: &[WireValue]) -> Result<Self::Conversion, PartyError>;

    /// Says what the values are shifted by, one number each.
    fn begin_factors(
        &mut self,
        conversion: Self::Conversion,
        shifts: &[Fr],
    ) -> Result<Self::Conversion, PartyError>;

    /// Factors whose product over all parties is the shifted value. Only `Shared` operands cost
    /// anything; an owned value is its owner's factor.
    fn finish_factors(&mut self, conversion: Self::Conversion) -> Result<Factors, PartyError>;

    /// The way back. `shared[i]` says whether both parties' factors at `i` may differ from public
    /// numbers; elsewhere the model's side (or `Alone`) holds the whole value.
    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError>;

    /// Begins to invert `values`, and to multiply inverses: that of the value at `multiples[i]` by
    /// `factors[i]`.
    fn begin_inverses(
        &mut self,
        values: &[Inverted],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Self::Inversion, PartyError>;

    /// Shares of the inverses, and then of the multiples. A zero among the values is an error (its
    /// probability is 2^-228 a proof).
    fn finish_inverses(&mut self, inversion: Self::Inversion) -> Result<Shares, PartyError>;

    /// Begins a quotient whose numerator is not known yet but for constants, which are any here:
    /// makes the products that others depend on, as far as they do not depend on these.
    fn begin_quotient<'q>(
        &mut self,
        numerator: &Numerator,
        operands: QuotientOperands<'q>,
    ) -> Result<Self::Quotient<'q>, PartyError>;

    /// The quotient `numerator / (X^n - 1)` in parts of `n` coefficients each, lowest first (spec
    /// 01 §5.7). For a numerator that is no multiple of `X^n - 1` (an invalid witness) the result
    /// is arbitrary. All but the numerator's constants is as it was when the quotient was begun.
    fn finish_quotient(
        &mut self,
        begun: Self::Quotient<'_>,
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError>;
}

/// A side of a proof.
pub trait Party: ProverParty {}
impl<P: ProverParty> Party for P {}
