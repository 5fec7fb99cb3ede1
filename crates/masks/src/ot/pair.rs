//! All oblivious transfers of a session, in both directions.

use super::base;
use super::consistency::FrameContext;
use super::extension::{self, ExtensionReceiver, ExtensionSender};
use super::pads::{PadHash, PadUse};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use twain_link::channel::{Channel, Scheduled, Way, exchanged};
use twain_party::{PartyError, Role};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Correlated transfers in both directions, numbered from `first` on.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Correlated {
    /// Number of the first transfer (the same for both directions and both parties).
    pub first: u64,
    /// Blocks `q` of the direction this party sends in.
    pub sent: Vec<u128>,
    /// Blocks `q ^ c * delta` of the direction this party receives in (`delta`: the peer's).
    pub received: Vec<u128>,
}

const PHASE: &str = "oblivious transfer";

/// Oblivious transfers of one session, both directions.
pub struct OtPair {
    sender: ExtensionSender,
    receiver: ExtensionReceiver,
    pads: PadHash,
    session: [u8; 32],
    role: Role,
    /// Number of the next transfer, and of the next frame.
    next: u64,
    next_frame: u64,
    /// The mutant of tests: nothing is masked by pads.
    #[cfg(test)]
    pub(crate) blank_pads: bool,
}

impl OtPair {
    /// Makes the base transfers: one message each way.
    pub fn setup(channel: &mut dyn Channel, rng: &mut ChaCha20Rng) -> Result<Self, PartyError> {
        let role = channel.role();
        let delta = extension::draw_delta(role, rng);
        let base = base::exchange(channel, rng, delta)?;
        Ok(Self {
            sender: ExtensionSender::new(delta, base.chosen),
            receiver: ExtensionReceiver::new(base.pairs),
            pads: PadHash::new(&channel.session_id()),
            session: channel.session_id(),
            role,
            next: 0,
            next_frame: 0,
            #[cfg(test)]
            blank_pads: false,
        })
    }

    /// This party's difference as a sender. The lowest bit of the two parties' differences is 1 for
    /// the model's, 0 for the data's; all others are uniform.
    pub fn delta(&self) -> u128 {
        self.sender.delta()
    }

    /// As many transfers in each direction as there are `choices` (each 0 or 1; both parties give
    /// equally many). One message each way, in frames of about 16 MiB. An error if the peer's
    /// choices do not fit together.
    pub fn extend(
        &mut self,
        channel: &mut dyn Channel,
        rng: &mut ChaCha20Rng,
        choices: &[u8],
    ) -> Result<Correlated, PartyError> {
        let (first, first_frame) = (self.next, self.next_frame);
        let mut transfers = Correlated {
            first,
            sent: Vec::with_capacity(choices.len()),
            received: Vec::with_capacity(choices.len()),
        };
        let parts = || (first_frame..).zip(choices.chunks(extension::FRAME_TRANSFERS));
        let (mut own, mut theirs) = (parts(), parts());
        let (session, role) = (self.session, self.role);
        let context = |receiver, counter| FrameContext { session, receiver, counter };
        for (way, bytes) in Self::extension_schedule(choices.len()) {
            match way {
                Way::Sent => {
                    let (counter, part) = own.next().unwrap_or_default();
                    let mut last = [0; 16];
                    rng.fill_bytes(&mut last);
                    let (context, received) = (context(role, counter), &mut transfers.received);
                    let last_choices = u128::from_le_bytes(last);
                    let frame = self.receiver.extend(context, part, last_choices, received);
                    last.zeroize();
                    channel.send(PHASE, frame)?;
                }
                Way::Received => {
                    let (counter, part) = theirs.next().unwrap_or_default();
                    let frame = channel.receive(PHASE, bytes)?;
                    let context = context(role.other(), counter);
                    self.sender.extend(context, &frame, part.len(), &mut transfers.sent)?;
                    self.next_frame = counter + 1;
                }
            }
        }
        self.next += choices.len() as u64;
        Ok(transfers)
    }

    /// The frames of [`OtPair::setup`].
    pub fn setup_schedule() -> impl Iterator<Item = Scheduled> {
        exchanged(base::FRAME_BYTES).into_iter()
    }

    /// The frames of [`OtPair::extend`] with so many choices.
    pub fn extension_schedule(transfers: usize) -> impl Iterator<Item = Scheduled> {
        let starts = (0..transfers).step_by(extension::FRAME_TRANSFERS);
        let part = move |start: usize| (transfers - start).min(extension::FRAME_TRANSFERS);
        let lengths = starts.map(move |start| extension::frame_length(part(start)));
        let sent = lengths.clone().map(|bytes| (Way::Sent, bytes));
        sent.chain(lengths.map(|bytes| (Way::Received, bytes)))
    }

    fn pad<const N: usize>(
        &self,
        sender: Role,
        index: u64,
        block: u128,
        pad_use: PadUse,
    ) -> [u128; N] {
        #[cfg(test)]
        if self.blank_pads {
            return [0; N];
        }
        self.pads.pad(sender, index, block, pad_use)
    }

    /// The sender's two pads of its transfer `index` with block `q`, for choice 0 and choice 1, of
    /// `N` blocks each.
    pub fn sender_pads<const N: usize>(
        &self,
        index: u64,
        q: u128,
        pad_use: PadUse,
    ) -> [[u128; N]; 2] {
        [q, q ^ self.delta()].map(|block| self.pad(self.role, index, block, pad_use))
    }

    /// The receiver's pad of its transfer `index`: the one its choice selects, uniform to who lacks
    /// it.
    pub fn receiver_pad<const N: usize>(
        &self,
        index: u64,
        received: u128,
        pad_use: PadUse,
    ) -> [u128; N] {
        self.pad(self.role.other(), index, received, pad_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ot::consistency::LinearHash;
    use twain_link::channel::{MemoryChannel, Recorder, run_pair};

    #[test]
    fn transfers_are_correlated_by_the_senders_difference() {
        for length in [0usize, 1, 127, 128, 300] {
            let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
                let mut ot = OtPair::setup(channel, rng)?;
                let before = channel.traffic().sent;
                let mut all = Vec::new();
                for _ in 0..2 {
                    let choices: Vec<u8> = (0..length).map(|_| rng.next_u32() as u8 & 1).collect();
                    let correlated = ot.extend(channel, rng, &choices)?;
                    all.push((choices, correlated));
                }
                let sent = channel.traffic().sent - before;
                let rows = (length.div_ceil(128) + 1) * 128;
                let bytes = 2 * 16 * (rows + 129) as u64;
                assert_eq!(sent, if length == 0 { 0 } else { bytes });
                Ok((ot, all))
            };
            let ((model, model_all), (data, data_all)) = run_pair(side);
            assert_eq!((model.delta() & 1, data.delta() & 1), (1, 0));
            for ((model_choices, m), (data_choices, d)) in model_all.iter().zip(&data_all) {
                assert_eq!(m.first, d.first);
                assert_eq!((m.sent.len(), m.received.len()), (length, length));
                for j in 0..length {
                    let difference = |c: u8, delta: u128| if c == 1 { delta } else { 0 };
                    assert_eq!(
                        m.sent[j] ^ d.received[j],
                        difference(data_choices[j], model.delta())
                    );
                    assert_eq!(
                        d.sent[j] ^ m.received[j],
                        difference(model_choices[j], data.delta())
                    );
                    let index = m.first + j as u64;
                    let pads: [[_; 2]; 2] = model.sender_pads(index, m.sent[j], PadUse::MaskSign);
                    let pad = data.receiver_pad(index, d.received[j], PadUse::MaskSign);
                    assert_eq!(pad, pads[usize::from(data_choices[j])]);
                    assert_ne!(pad, pads[usize::from(1 - data_choices[j])]);
                }
            }
        }
    }

    /// What a sender sees of the choices is masked: equal choices give columns that differ in about
    /// half of their bits, and check words that do not show their hash, whatever the choices are.
    #[test]
    fn frames_do_not_show_the_choices() {
        let near = |ones: u32, bits: u32, allowed: u32| ones.abs_diff(bits / 2) < allowed;
        for choice in [0, 1] {
            let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
                let mut link = Recorder::new(channel);
                let mut ot = OtPair::setup(&mut link, rng)?;
                ot.extend(&mut link, rng, &[choice; 128])?;
                Ok((link.role(), link.received(PHASE)))
            };
            let (model, data) = run_pair(side);
            for (viewer, frame) in [model, data] {
                let (columns, words) = frame.split_at(2 * 16 * 128);
                let ones = columns.iter().map(|byte| byte.count_ones()).sum();
                assert!(near(ones, 32768, 900), "{ones} of 32768 bits"); // 10 standard deviations
                let context =
                    FrameContext { session: [7; 32], receiver: viewer.other(), counter: 0 };
                let hash = LinearHash::of_frame(context, columns).choices(&[choice; 128], 0);
                let word = u128::from_le_bytes(std::array::from_fn(|i| words[i]));
                assert!(near((word ^ hash).count_ones(), 128, 50), "{word:x}");
            }
            // The mutant: columns whose two expansions are one and cancel.
            let keys = (0..128).map(|i| [[i; 32]; 2]).collect();
            let context = FrameContext { session: [7; 32], receiver: Role::Data, counter: 0 };
            let mut receiver = ExtensionReceiver::new(keys);
            let last = 0u128.wrapping_sub(u128::from(choice));
            let frame = receiver.extend(context, &[choice; 128], last, &mut Vec::new());
            let ones = frame[..2 * 16 * 128].iter().map(|byte| byte.count_ones()).sum();
            assert!(!near(ones, 32768, 900), "{ones}");
        }
    }
}
