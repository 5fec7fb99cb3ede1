//! Inverses of shared values, for a peer that is trusted: each value times a shared random number,
//! opened (Bar-Ilan, Beaver, PODC 1989). From one that is not see `crate::statement`.

use super::opening::Openings;
use super::side::Hints;
use crate::arithmetic::products_of_shared;
use ff::{BatchInvert, Field};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_ole::OleSource;
use twain_party::{LateInverse, PartyError, Role, Shares, WireValue};

impl Hints {
    /// Shares of `1/(value + z) - z`, with `z = 1 - nonzero`. No product that is opened is 0 by
    /// chance: then a value is not what it must be, which the validity test is to find, so that
    /// nobody learns at once which. One message each way beside those of `ole`.
    ///
    /// # Errors
    /// The link failed.
    pub fn inverses(
        &mut self,
        channel: &mut dyn Channel,
        ole: &mut dyn OleSource,
        wanted: &[LateInverse<WireValue>],
    ) -> Result<Shares, PartyError> {
        let one = if channel.role() == Role::Model { Fr::ONE } else { Fr::ZERO };
        let zero = |late: &LateInverse<WireValue>| {
            late.nonzero.map_or(Fr::ZERO, |nonzero| one - nonzero.operand.share)
        };
        let zeros: Shares = wanted.iter().map(zero).collect::<Vec<_>>().into();
        let values = wanted.iter().zip(zeros.iter());
        let values = values.map(|(late, zero)| late.value.operand.share + zero);
        let values: Shares = values.collect::<Vec<_>>().into();
        let length = wanted.len();
        let factors: Shares =
            (0..length).map(|_| Fr::random(&mut self.rng)).collect::<Vec<_>>().into();
        let operands: [&[Fr]; 2] = match channel.role() {
            Role::Model => [&values, &factors],
            Role::Data => [&factors, &values],
        };
        let group = products_of_shared(length);
        let cross = ole.inner_products(channel, "inverses", &operands, &[group])?;
        let cross = cross.into_iter().next().unwrap_or_default();
        let fields = values.iter().zip(factors.iter()).zip(cross).map(|((v, f), c)| v * f + c);
        let parts = Openings { fields: fields.collect(), ..Openings::default() };
        let mut opened = parts.open(channel, "inverses")?.fields;
        self.failures += opened.iter().filter(|product| **product == Fr::ZERO).count() as u64;
        opened.iter_mut().batch_invert();
        let each = factors.iter().zip(opened).zip(zeros.iter());
        Ok(each.map(|((factor, inverse), zero)| inverse * factor - zero).collect::<Vec<_>>().into())
    }
}
