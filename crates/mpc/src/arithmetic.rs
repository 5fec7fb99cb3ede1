//! Products and openings over additive shares, from [`OleSource`] (protocol §3, §6).
//!
//! Inputs and outputs are this party's shares; both parties call every function with the same lengths
//! and kinds. What crosses the link is masked by something uniform the receiver does not know, or is a
//! part of a sum whose total the receiver may know.

use crate::channel::{Channel, Overlap, TrafficMeter};
use crate::ole::{OleGroup, OleSource};
use ff::{Field, PrimeField};
use rayon::prelude::*;
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_party::{Kind, Operand, PartyError, Role};

/// Bytes of a scalar on the wire: canonical, little-endian.
pub const SCALAR_BYTES: usize = 32;

/// Fewer scalars than this are not worth a second thread.
const SCALARS_AT_ONCE: usize = 1 << 12;

/// Writes scalars one after the other.
pub fn encode_scalars(values: &[Fr]) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * SCALAR_BYTES];
    let parts = bytes.par_chunks_mut(SCALARS_AT_ONCE * SCALAR_BYTES);
    parts.zip(values.par_chunks(SCALARS_AT_ONCE)).for_each(|(bytes, values)| {
        for (bytes, value) in bytes.chunks_exact_mut(SCALAR_BYTES).zip(values) {
            bytes.copy_from_slice(value.to_repr().as_ref());
        }
    });
    bytes
}

/// Reads scalars; a value that is not canonical is the peer's fault.
pub fn decode_scalars(bytes: &[u8], phase: &'static str) -> Result<Vec<Fr>, PartyError> {
    bytes
        .par_chunks_exact(SCALAR_BYTES)
        .with_min_len(SCALARS_AT_ONCE)
        .map(|chunk| {
            let mut repr = <Fr as PrimeField>::Repr::default();
            repr.as_mut().copy_from_slice(chunk);
            Option::from(Fr::from_repr(repr)).ok_or_else(|| malformed(phase))
        })
        .collect()
}

/// The peer sent bytes that are no encoding of what was due.
#[derive(Debug, thiserror::Error)]
#[error("the peer sent malformed data during {phase}")]
struct Malformed {
    phase: &'static str,
}

pub(crate) fn malformed(phase: &'static str) -> PartyError {
    PartyError::Peer(Box::new(Malformed { phase }))
}

/// Scalars in one frame: 32 MiB.
const FRAME_SCALARS: usize = 1 << 20;

/// Sends own scalars and receives `count`, in frames of which the next is sent before the peer's is
/// waited for.
pub fn exchange_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[Fr],
    count: usize,
) -> Result<Vec<Fr>, PartyError> {
    let mut received = Vec::with_capacity(count);
    let mut frames = own.chunks(FRAME_SCALARS);
    let mut send = |channel: &mut dyn Channel| -> Result<bool, PartyError> {
        let Some(frame) = frames.next() else { return Ok(false) };
        channel.send(phase, encode_scalars(frame))?;
        Ok(true)
    };
    send(channel)?;
    while send(channel)? || received.len() < count {
        let due = (count - received.len()).min(FRAME_SCALARS);
        if due > 0 {
            received.extend(decode_scalars(&channel.receive(phase, due * SCALAR_BYTES)?, phase)?);
        }
    }
    Ok(received)
}

/// Sends scalars that the peer takes in when it needs them.
pub(crate) fn send_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    own: &[Fr],
) -> Result<(), PartyError> {
    for frame in own.chunks(FRAME_SCALARS) {
        channel.send(phase, encode_scalars(frame))?;
    }
    Ok(())
}

/// Expects `count` scalars that the peer has sent with [`send_scalars`] or will send.
pub(crate) fn expect_scalars<C: Channel>(
    channel: &mut Overlap<C>,
    phase: &'static str,
    count: usize,
) {
    for start in (0..count).step_by(FRAME_SCALARS) {
        channel.expect(phase, SCALAR_BYTES * (count - start).min(FRAME_SCALARS));
    }
}

/// The scalars that were expected.
pub(crate) fn take_scalars<C: Channel>(
    channel: &mut Overlap<C>,
    phase: &'static str,
    count: usize,
) -> Result<Vec<Fr>, PartyError> {
    let mut scalars = Vec::with_capacity(count);
    for _ in (0..count).step_by(FRAME_SCALARS) {
        scalars.extend(decode_scalars(&channel.take()?, phase)?);
    }
    Ok(scalars)
}

/// Counts the messages of [`exchange_scalars`].
pub(crate) fn count_scalars(own: usize, theirs: usize, meter: &mut TrafficMeter) {
    const PHASE: &str = "scalars";
    let frames = |total: usize| {
        let starts = (0..total).step_by(FRAME_SCALARS);
        starts.map(move |start| SCALAR_BYTES * (total - start).min(FRAME_SCALARS))
    };
    frames(own).for_each(|bytes| meter.sent(PHASE, bytes));
    frames(theirs).for_each(|bytes| meter.received(PHASE, bytes));
}

/// Opens sums of shares: each side sends its part. The caller answers for the parts being masked or
/// the sum being an output.
pub fn open_scalars(
    channel: &mut dyn Channel,
    phase: &'static str,
    shares: &[Fr],
) -> Result<Vec<Fr>, PartyError> {
    let theirs = exchange_scalars(channel, phase, shares, shares.len())?;
    Ok(shares.iter().zip(theirs).map(|(a, b)| a + b).collect())
}

/// Whether `role` may hold a non-zero share of a value of this kind that the other does not know.
fn holds(role: Role, kind: Kind) -> bool {
    kind == Kind::Shared || kind == Kind::Owned(role)
}

/// A batch of inner products: its local part, and the OLEs that make the rest. In two steps so that
/// several batches can share one message.
pub struct InnerProducts {
    local: Vec<Fr>,
    /// Outputs with the same number of cross terms form one group.
    groups: Vec<CrossTerms>,
}

struct CrossTerms {
    outputs: Vec<usize>,
    /// This party's operand of each term, one element for each output.
    operands: Vec<Vec<Fr>>,
}

impl InnerProducts {
    /// Sorts the products of each of `outputs` outputs, which `products` lists, into local ones and
    /// cross terms.
    pub fn new(
        role: Role,
        outputs: usize,
        mut products: impl FnMut(usize, &mut dyn FnMut(Operand, Operand)),
    ) -> Self {
        let mut local = vec![Fr::ZERO; outputs];
        let mut buckets: BTreeMap<usize, CrossTerms> = BTreeMap::new();
        let mut cross = Vec::new();
        for (j, local) in local.iter_mut().enumerate() {
            cross.clear();
            products(j, &mut |l, r| {
                let public = [l.kind, r.kind].map(|kind| kind == Kind::Public);
                if public != [true; 2] || role == Role::Model {
                    *local += l.share * r.share;
                }
                for (models, datas) in [(l, r), (r, l)] {
                    let crosses = holds(Role::Model, models.kind) && holds(Role::Data, datas.kind);
                    if public == [false; 2] && crosses {
                        cross.push(if role == Role::Model { models.share } else { datas.share });
                    }
                }
            });
            if !cross.is_empty() {
                let group = buckets.entry(cross.len()).or_insert_with(|| CrossTerms {
                    outputs: Vec::new(),
                    operands: vec![Vec::new(); cross.len()],
                });
                group.outputs.push(j);
                for (operand, share) in group.operands.iter_mut().zip(&cross) {
                    operand.push(*share);
                }
            }
        }
        InnerProducts { local, groups: buckets.into_values().collect() }
    }

    /// Adds this batch to a call of [`OleSource::inner_products`].
    pub fn request<'a>(&'a self, operands: &mut Vec<&'a [Fr]>, groups: &mut Vec<OleGroup>) {
        for group in &self.groups {
            let first = operands.len() as u32;
            operands.extend(group.operands.iter().map(Vec::as_slice));
            let terms = (first..operands.len() as u32).map(|t| (t, t)).collect();
            groups.push(OleGroup { length: group.outputs.len(), terms });
        }
    }

    /// This party's shares of the outputs, in a call of their own.
    pub fn make(
        self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        phase: &'static str,
    ) -> Result<Vec<Fr>, PartyError> {
        let (mut operands, mut groups) = (Vec::new(), Vec::new());
        self.request(&mut operands, &mut groups);
        if groups.is_empty() {
            return Ok(self.local);
        }
        let made = source.inner_products(channel, phase, &operands, &groups)?;
        Ok(self.finish(&mut made.into_iter()))
    }

    /// This party's shares of the outputs, from the call's results for this batch's groups.
    pub fn finish(mut self, made: &mut impl Iterator<Item = Vec<Fr>>) -> Vec<Fr> {
        for (group, shares) in self.groups.iter().zip(made) {
            for (&j, share) in group.outputs.iter().zip(shares) {
                self.local[j] += share;
            }
        }
        self.local
    }
}

/// Inner products of shared values (see [`twain_party::WitnessParty::inner_products`]).
pub fn inner_products(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    left: &[Operand],
    right: &[Operand],
    ends: &[u32],
) -> Result<Vec<Fr>, PartyError> {
    let mut start = 0;
    let batch = InnerProducts::new(channel.role(), ends.len(), |j, product| {
        let terms = start..ends[j] as usize;
        start = terms.end;
        left[terms.clone()].iter().zip(&right[terms]).for_each(|(l, r)| product(*l, *r));
    });
    batch.make(channel, source, "products")
}

/// Products of shares, all of them shared by both: `left[i] * right[i]`.
pub fn products(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    left: &[Fr],
    right: &[Fr],
) -> Result<Vec<Fr>, PartyError> {
    let operand = |share: &Fr| Operand { share: *share, kind: Kind::Shared, bits: 254 };
    let left: Vec<Operand> = left.iter().map(operand).collect();
    let right: Vec<Operand> = right.iter().map(operand).collect();
    let ends: Vec<u32> = (1..=left.len() as u32).collect();
    inner_products(channel, source, &left, &right, &ends)
}
