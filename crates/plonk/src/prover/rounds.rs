//! The rounds up to the challenge `y` (spec 01 §5.2, steps 1 to 10): every column is made, blinded
//! and committed, and then kept as coefficients.
//!
//! Between two parties these are four messages one after the other: commitments to advice and
//! multiplicities, with the moved cells' OLEs; what turns these into factors, with the lookups'
//! OLEs; the OLEs for the way back, with the lookups' masked values; commitments to the sums.

use super::advice_column::AdviceColumn;
use super::argument::Commitment;
use super::choice::ChosenInputs;
use super::error::{ProveError, check_shape};
use super::lookup::{self, GrandSums};
use super::lookup_view::LookupView;
use super::permutation::{
    GrandProduct, MovedCells, PermutedColumn, PermutedColumns, grand_products,
};
use super::rows::{Advice, Rows};
use super::witness_source::WitnessSource;
use super::{Basis, Commitments, Committed, Held, Prover};
use crate::{Challenges, ColumnKind, Polynomial, ProvingKey};
use ff::Field;
use std::borrow::Cow;
use twain_algebra::{Domain, Fr};
use twain_party::{
    BlindingItem, CellKinds, Kind, Multiplicities, Party, Phase, ProverParty, Role, Shares, Watched,
};

/// Who blinds what is made of values of this kind: their owner, or everyone. Public values are
/// blinded too, so that no commitment is the identity, which some verifiers refuse.
fn blinding_kind(values: Kind) -> Kind {
    if values == Kind::Public { Kind::Shared } else { values }
}

/// Who holds shares of a multiplicity or a grand sum that is blinded by `kind`: the model's side
/// also holds its public summands.
fn held(kind: Kind) -> Kind {
    match kind {
        Kind::Owned(Role::Model) => kind,
        _ => Kind::Shared,
    }
}

/// What the lookups look up.
fn view<'v>(
    key: &'v ProvingKey,
    challenges: &'v Challenges,
    party: &impl ProverParty,
    instances: &'v [Vec<Fr>],
    advice: &'v [AdviceColumn],
) -> LookupView<'v> {
    let rows = Rows {
        fixed: &key.fixed().values,
        instances,
        advice: Advice::Columns(advice),
        replaced: None,
        holds_values: party.holds_values(),
        adds_public: party.adds_public(),
    };
    LookupView { system: key.system(), rows, challenges }
}

/// The columns of the permutation.
fn permuted<'c>(
    key: &'c ProvingKey,
    domain: &'c Domain,
    watched: &'c Watched,
    instances: &'c [Vec<Fr>],
    advice: &'c [AdviceColumn],
) -> Result<PermutedColumns<'c>, ProveError> {
    let system = key.system();
    let mut columns = Vec::with_capacity(system.permutation().len());
    let known = |values, sigma| PermutedColumn { values, sigma, kinds: None, wires: &[] };
    for (column, sigma) in system.permutation().iter().zip(&key.sigma().values) {
        let index = column.index as usize;
        let permuted = match column.kind {
            ColumnKind::Advice { .. } => advice.get(index).map(|column| PermutedColumn {
                values: &column.values,
                sigma,
                kinds: Some(&column.kinds),
                wires: &column.wires,
            }),
            ColumnKind::Fixed => key.fixed().values.get(index).map(|values| known(values, sigma)),
            ColumnKind::Instance => instances.get(index).map(|values| known(values, sigma)),
        };
        columns.push(permuted.ok_or_else(|| {
            let text = "the permutation covers a column that does not exist";
            ProveError::Unsupported(text.to_owned())
        })?);
    }
    Ok(PermutedColumns { key, system, domain, watched, columns })
}

/// An advice column to be committed to.
fn committed(column: &AdviceColumn) -> Committed<'_> {
    Committed::rows(&column.values, &column.kinds)
}

impl<P: Party> Prover<'_, P> {
    /// Absorbs key and instances; returns the columns, padded.
    pub(super) fn instances(&mut self, instances: &[Vec<Fr>]) -> Result<Vec<Vec<Fr>>, ProveError> {
        check_shape("instance columns", self.system.instance_columns(), instances.len())?;
        self.writer.transcript.absorb_scalar(&self.key.vk().transcript_repr());
        let mut columns = Vec::with_capacity(instances.len());
        for column in instances {
            if column.len() > self.usable() {
                let what = "values of an instance column, at most".to_owned();
                let (expected, found) = (self.usable(), column.len());
                return Err(ProveError::Shape { what, expected, found });
            }
            column.iter().for_each(|value| self.writer.transcript.absorb_scalar(value));
            let mut padded = column.clone();
            padded.resize(self.rows(), Fr::ZERO);
            columns.push(padded);
        }
        Ok(columns)
    }

    /// All phases of advice: the blinded columns, and who knows each (as far as blinding goes).
    /// Those of the last phase are not committed to yet.
    pub(super) fn advice(
        &mut self,
        witness: &mut dyn WitnessSource<P>,
    ) -> Result<(Vec<AdviceColumn>, Vec<Kind>), ProveError> {
        let count = self.system.advice_phases().len();
        let mut columns: Vec<Option<AdviceColumn>> = (0..count).map(|_| None).collect();
        let mut kinds = vec![Kind::Shared; count];
        for phase in 0..self.system.phases() {
            let new = witness.advice(self.party, phase, &self.challenges.circuit)?;
            self.watched.enter(Phase::CommitAdvice)?;
            let of_phase: Vec<usize> =
                (0..count).filter(|i| self.system.advice_phases()[*i] == phase).collect();
            check_shape(format!("advice columns of phase {phase}"), of_phase.len(), new.len())?;
            for (index, mut column) in of_phase.iter().copied().zip(new) {
                kinds[index] = self.blind_advice(index, &mut column)?;
                columns[index] = Some(column);
            }
            if phase + 1 < self.system.phases() {
                let list = of_phase.iter().filter_map(|index| columns[*index].as_ref());
                let list: Vec<_> = list.map(committed).collect();
                let commitments = self.begin_commitments(&list)?.finish(self.party)?;
                let names = of_phase.iter().map(|index| Polynomial::Advice(*index as u32));
                self.write_commitments(names, commitments);
                self.squeeze_challenges(phase);
            }
        }
        Ok((columns.into_iter().flatten().collect(), kinds))
    }

    /// Writes commitments to columns and keeps them.
    fn write_commitments(
        &mut self,
        names: impl Iterator<Item = Polynomial>,
        commitments: Vec<Commitment>,
    ) {
        for (name, commitment) in names.zip(commitments) {
            self.writer.write_point(&commitment.sum);
            self.commitments.insert(name, commitment);
        }
    }

    /// The circuit's challenges that follow the commitments of a phase.
    fn squeeze_challenges(&mut self, phase: u8) {
        let challenges = self.system.challenges().iter();
        for (value, challenge) in self.challenges.circuit.iter_mut().zip(challenges) {
            if challenge.phase == phase {
                *value = self.writer.transcript.squeeze();
            }
        }
    }

    /// Fills the last rows of an advice column; returns who blinded it.
    fn blind_advice(&self, index: usize, column: &mut AdviceColumn) -> Result<Kind, ProveError> {
        let (n, u) = (self.rows(), self.usable());
        check_shape(format!("rows of advice column {index}"), n, column.values.len())?;
        let kind = blinding_kind(column.kinds.join(0..u));
        let index = index as u32;
        let last_rows = if self.system.is_unblinded(index) {
            column.values[u..].fill(self.party.public(Fr::ONE));
            Kind::Public
        } else {
            self.blind(&mut column.values, u..n, BlindingItem::Advice(index), kind);
            kind
        };
        self.mark_last_rows(&mut column.kinds, u, Some(last_rows));
        column.wires.truncate(u);
        Ok(kind)
    }

    /// Says who knows the rows from `first` on. A party that holds the values has no use for it.
    fn mark_last_rows(&self, kinds: &mut CellKinds, first: usize, last: Option<Kind>) {
        if !self.party.holds_values() {
            let rows = 0..self.rows();
            let rows = rows.map(|row| if row < first { kinds.assigned(row) } else { last });
            *kinds = CellKinds::Rows(rows.collect());
        }
    }

    /// The multiplicities, blinded, with the kind of each argument. How often a row is looked up
    /// does not depend on what tuples are compressed with; who counts values takes any challenge
    /// for it.
    pub(super) fn multiplicities(
        &mut self,
        instances: &[Vec<Fr>],
        advice: &[AdviceColumn],
        kinds: &[Kind],
        witness: &mut dyn WitnessSource<P>,
    ) -> Result<(Vec<Multiplicities>, Vec<Kind>), ProveError> {
        self.watched.enter(Phase::Lookups)?;
        let (n, u) = (self.rows(), self.usable());
        let theta = self.writer.transcript.clone().squeeze();
        let challenges = Challenges { theta, ..self.challenges.clone() };
        let view = view(self.key, &challenges, &*self.party, instances, advice);
        let mut columns = witness.multiplicities(self.party, &view)?;
        check_shape("multiplicity columns", self.system.lookups().len(), columns.len())?;
        let mut argument_kinds = Vec::with_capacity(columns.len());
        for (index, (column, argument)) in columns.iter_mut().zip(self.system.lookups()).enumerate()
        {
            check_shape(format!("multiplicities of argument {index}"), n, column.shares.len())?;
            let kind = blinding_kind(lookup::argument_kind(argument, kinds));
            let item = BlindingItem::Multiplicity(index as u32);
            self.blind(&mut column.shares, u..n, item, kind);
            self.mark_last_rows(&mut column.kinds, u, Some(kind));
            argument_kinds.push(kind);
        }
        Ok((columns, argument_kinds))
    }

    /// Commits to the last phase's advice and to the multiplicities, and draws the challenges that
    /// follow either. Meanwhile the moved cells are prepared.
    pub(super) fn commit_columns(
        &mut self,
        instances: &[Vec<Fr>],
        advice: &[AdviceColumn],
        multiplicities: &[Multiplicities],
    ) -> Result<MovedCells<P::Conversion>, ProveError> {
        self.watched.enter(Phase::CommitAdvice)?;
        let last = self.system.phases().saturating_sub(1);
        let phases = self.system.advice_phases();
        let of_phase = (0..).map(Polynomial::Advice).zip(advice).zip(phases);
        let of_phase = of_phase.filter(|(_, phase)| **phase == last).map(|(column, _)| column);
        let (names, mut list): (Vec<_>, Vec<_>) =
            of_phase.map(|(name, column)| (name, committed(column))).unzip();
        list.extend(multiplicities.iter().map(|column| {
            let rows = Committed::rows(&column.shares, &column.kinds);
            Committed { bits: column.bits, ..rows }
        }));
        let points = self.begin_commitments(&list)?;
        let cells = permuted(self.key, &self.domain, &self.watched, instances, advice)?;
        let moved = MovedCells::prepare(self.party, &cells)?;
        let mut of_advice = points.finish(self.party)?;
        let of_multiplicities = of_advice.split_off(names.len());
        self.write_commitments(names.into_iter(), of_advice);
        self.squeeze_challenges(last);
        self.challenges.theta = self.writer.transcript.squeeze();
        self.write_commitments((0..).map(Polynomial::Multiplicity), of_multiplicities);
        self.challenges.beta = self.writer.transcript.squeeze();
        self.challenges.gamma = self.writer.transcript.squeeze();
        Ok(moved)
    }

    /// The grand products of the permutation and the grand sums of the lookups, blinded. Their
    /// steps alternate, so that they wait for the other party together.
    pub(super) fn sums(
        &mut self,
        instances: &[Vec<Fr>],
        advice: &[AdviceColumn],
        multiplicities: &[Multiplicities],
        argument_kinds: &[Kind],
        mut moved: MovedCells<P::Conversion>,
        witness: &dyn WitnessSource<P>,
    ) -> Result<(Vec<GrandProduct>, Vec<Shares>), ProveError> {
        let (n, u) = (self.rows(), self.usable());

        self.watched.enter(Phase::Permutation)?;
        moved.begin(self.party, self.challenges.beta, self.challenges.gamma)?;

        self.watched.enter(Phase::Lookups)?;
        let view = view(self.key, &self.challenges, &*self.party, instances, advice);
        let chosen = ChosenInputs::new(self.party, &view, witness, &self.watched)?;
        let of_counts: Vec<Kind> = argument_kinds.iter().map(|kind| held(*kind)).collect();
        let counted = (multiplicities, &of_counts[..]);
        let begun = GrandSums::begin(self.party, &view, counted, &chosen, &self.watched)?;

        self.watched.enter(Phase::Permutation)?;
        let cells = permuted(self.key, &self.domain, &self.watched, instances, advice)?;
        let mut products = grand_products(self.party, &cells, moved)?;
        for (index, product) in products.iter_mut().enumerate() {
            if !product.public {
                let item = BlindingItem::PermutationProduct(index as u32);
                self.blind(&mut product.shares, u + 1..n, item, Kind::Shared);
            }
            let last_rows = (!product.public).then_some(Kind::Shared);
            self.mark_last_rows(&mut product.kinds, u + 1, last_rows);
        }

        self.watched.enter(Phase::Lookups)?;
        let mut sums = begun.finish(self.party, self.system)?;
        for (index, (sum, kind)) in sums.iter_mut().zip(argument_kinds).enumerate() {
            self.blind(sum, u + 1..n, BlindingItem::LookupSum(index as u32), *kind);
        }
        Ok((products, sums))
    }

    /// Begins to commit to grand products, grand sums and the random polynomial, and keeps them.
    pub(super) fn commit_sums(
        &mut self,
        products: Vec<GrandProduct>,
        sums: Vec<Shares>,
        kinds: &[Kind],
    ) -> Result<Commitments<P::Points>, ProveError> {
        self.watched.enter(Phase::CommitSums)?;
        let all = 0..self.rows();
        let random = self.party.blinding(BlindingItem::RandomPolynomial, Kind::Shared, all);
        let mut list: Vec<_> = products
            .iter()
            .map(|p| Committed { known: p.known, ..Committed::rows(&p.shares, &p.kinds) })
            .collect();
        list.extend(sums.iter().map(|sum| Committed::shares(sum, Basis::Lagrange)));
        list.push(Committed::shares(&random, Basis::Powers));
        let commitments = self.begin_commitments(&list)?;
        for (name, product) in (0..).map(Polynomial::PermutationProduct).zip(products) {
            if product.known {
                let mut values = product.shares.into_vec();
                self.domain.intt(&mut values);
                self.polynomials.insert(name, Held::Public(Cow::Owned(values)));
            } else {
                self.hold(name, product.shares, (product.kinds, Vec::new()))?;
            }
        }
        for ((name, sum), kind) in (0..).map(Polynomial::LookupSum).zip(sums).zip(kinds) {
            self.hold(name, sum, (CellKinds::Uniform(held(*kind)), Vec::new()))?;
        }
        let kinds = CellKinds::Uniform(Kind::Shared);
        self.polynomials.insert(Polynomial::Random, Held::Secret(random, kinds, Vec::new()));
        Ok(commitments)
    }

    /// Keeps the other columns, and the key's.
    pub(super) fn hold_columns(
        &mut self,
        instances: Vec<Vec<Fr>>,
        advice: Vec<AdviceColumn>,
        multiplicities: Vec<Multiplicities>,
        kinds: &[Kind],
    ) -> Result<(), ProveError> {
        self.watched.enter(Phase::Transforms)?;
        for (name, column) in (0..).map(Polynomial::Advice).zip(advice) {
            self.hold(name, column.values, (column.kinds, column.wires))?;
        }
        let multiplicities = multiplicities.into_iter().zip(kinds);
        for (name, (column, kind)) in (0..).map(Polynomial::Multiplicity).zip(multiplicities) {
            self.hold(name, column.shares, (CellKinds::Uniform(held(*kind)), Vec::new()))?;
        }
        for (name, mut column) in (0..).map(Polynomial::Instance).zip(instances) {
            self.domain.intt(&mut column);
            self.polynomials.insert(name, Held::Public(Cow::Owned(column)));
        }
        let key = self.key;
        for (name, column) in (0..).map(Polynomial::Fixed).zip(&key.fixed().coefficients) {
            self.polynomials.insert(name, Held::Public(Cow::Borrowed(column)));
        }
        for (name, column) in (0..).map(Polynomial::Sigma).zip(&key.sigma().coefficients) {
            self.polynomials.insert(name, Held::Public(Cow::Borrowed(column)));
        }
        Ok(())
    }

    /// Keeps a column of shares as coefficients, with who knows the rows and which wires they are.
    fn hold(
        &mut self,
        name: Polynomial,
        mut column: Shares,
        (kinds, wires): (CellKinds, Vec<u32>),
    ) -> Result<(), ProveError> {
        self.watched.check()?;
        if !self.party.rehearses() {
            self.domain.intt(&mut column);
        }
        self.polynomials.insert(name, Held::Secret(column, kinds, wires));
        Ok(())
    }
}
