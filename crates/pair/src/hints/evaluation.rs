//! The outputs of hints: of values that a party owns by their owner alone, of shared ones by both.

use super::jobs::Jobs;
use super::side::Hints;
use ff::Field;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{HintBatch, Kind, Operand, PartyError, Role, evaluate_hint};

/// Fewer owned values than this are not worth a second thread.
const PARALLEL: usize = 1 << 10;

impl Hints {
    /// Shares of the outputs of each batch (`WitnessParty::hints`). A shared value must respect its
    /// operand's bound; one that is too wide for the masks, or a hint that pairs cannot evaluate,
    /// is [`PartyError::UnsupportedValue`] on both sides, before anything is sent. A value outside
    /// the range of its hint gives outputs that are in range all the same, and claims that are not
    /// 0.
    pub fn hints(
        &mut self,
        channel: &mut dyn Channel,
        batches: &[HintBatch],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let role = channel.role();
        let mut jobs = Jobs::default();
        let mut outputs = Vec::with_capacity(batches.len());
        for (number, batch) in batches.iter().enumerate() {
            let (values, failures) = local_outputs(role, batch)?;
            self.failures += failures;
            outputs.push(values);
            for (i, input) in batch.inputs.iter().enumerate() {
                if input.kind == Kind::Shared {
                    let offset = u32::try_from(i * batch.hint.outputs()).unwrap_or(u32::MAX);
                    let wire = batch.first_output.saturating_add(offset);
                    jobs.add(&mut self.budget, role, batch, number, i)
                        .map_err(|error| error.at_wire(wire))?;
                }
            }
        }
        jobs.run(self, channel, &mut outputs)?;
        Ok(outputs)
    }
}

/// Outputs of the values this party knows and whose share it holds, 0 elsewhere; and how many
/// values were outside the range of the hint (known to their owner alone, hence no error).
fn local_outputs(role: Role, batch: &HintBatch) -> Result<(Vec<Fr>, u64), PartyError> {
    let width = batch.hint.outputs();
    let outputs = |input: &Operand| -> Result<(Vec<Fr>, u64), PartyError> {
        let zeros = || vec![Fr::ZERO; width];
        let holder = match input.kind {
            Kind::Public => Role::Model,
            Kind::Owned(owner) => owner,
            Kind::Shared => return Ok((zeros(), 0)),
        };
        if holder != role {
            return Ok((zeros(), 0));
        }
        let mut values = Vec::with_capacity(width);
        match evaluate_hint(&batch.hint, input.share, &mut values) {
            Ok(()) => Ok((values, 0)),
            Err(PartyError::Invalid) => Ok((zeros(), 1)),
            Err(error) => Err(error),
        }
    };
    let parts = batch.inputs.par_iter().with_min_len(PARALLEL).map(outputs);
    let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
    let failures = parts.iter().map(|part| part.1).sum();
    Ok((parts.into_iter().flat_map(|part| part.0).collect(), failures))
}
