//! Inverses of shared values: each value times a shared random number, opened (Bar-Ilan, Beaver,
//! PODC 1989).

use super::opening::Openings;
use ff::{BatchInvert, Field};
use rand_chacha::ChaCha20Rng;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{PartyError, Role, Shares};

/// A value to be inverted.
pub(super) struct Inversion {
    /// This party's share, with that of `zero` added.
    pub value: Fr,
    /// A share of `[value = 0]`.
    pub zero: Fr,
    /// The comparison that gives it, for an inverse of what may be 0.
    pub comparison: Option<usize>,
}

impl Drop for Inversion {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
    }
}

/// Shares of the inverses, and of 0 for 0; and how many products that were opened are 0. None is by
/// chance: then a value is not what it must be, which the validity test is to find, so that nobody
/// learns at once which. One message each way beside those of `ole`.
pub(super) fn invert(
    inversions: &[&Inversion],
    channel: &mut dyn Channel,
    ole: &mut dyn OleSource,
    rng: &mut ChaCha20Rng,
) -> Result<(Vec<Fr>, u64), PartyError> {
    let length = inversions.len();
    if length == 0 {
        return Ok((Vec::new(), 0));
    }
    let values: Shares = inversions.iter().map(|i| i.value).collect::<Vec<_>>().into();
    let factors: Shares = (0..length).map(|_| Fr::random(&mut *rng)).collect::<Vec<_>>().into();
    // value_M * factor_D + factor_M * value_D; the other two products are local.
    let operands: [&[Fr]; 2] = match channel.role() {
        Role::Model => [&values, &factors],
        Role::Data => [&factors, &values],
    };
    let group = OleGroup { length, terms: vec![(0, 0), (1, 1)] };
    let cross = ole.inner_products(channel, "inverses", &operands, &[group])?;
    let cross = cross.into_iter().next().unwrap_or_default();
    let fields = values.iter().zip(factors.iter()).zip(cross).map(|((v, f), c)| v * f + c);
    let parts = Openings { fields: fields.collect(), ..Openings::default() };
    let mut opened = parts.open(channel, "inverses")?.fields;
    let zeros = opened.iter().filter(|product| **product == Fr::ZERO).count() as u64;
    opened.iter_mut().batch_invert();
    let each = inversions.iter().zip(factors.iter().zip(opened));
    Ok((each.map(|(i, (factor, inverse))| inverse * factor - i.zero).collect(), zeros))
}
