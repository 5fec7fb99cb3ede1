//! Oblivious transfer between the two parties, semi-honest.
//!
//! One [`OtPair`] per session holds both directions: this party sends in one and receives in the
//! other. Its currency is the *correlated* transfer: for every index the sender gets a block `q`, the
//! receiver, with choice bit `c`, gets `q ^ c * delta`, where `delta` is the sender's for the session
//! (Ishai, Kilian, Nissim, Petrank, CRYPTO 2003, in the form of Asharov, Lindell, Schneider, Zohner,
//! CCS 2013). Digit masks use the correlation as it is; hashed to a [`pad`](OtPair::pad) it is a
//! random transfer. A transfer costs 16 bytes from its receiver.
//!
//! Base transfers are made afresh in every session; the session id enters every hash.

mod base;
mod extension;

use extension::{ExtensionReceiver, ExtensionSender};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha512};
use twain_link::channel::{Channel, Scheduled, Way, exchanged};
use twain_party::{PartyError, Role};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What can go wrong besides the link.
#[derive(Debug, thiserror::Error)]
pub enum OtError {
    /// A base transfer's message is not a group element.
    #[error("the peer sent an invalid group element for an oblivious transfer")]
    InvalidPoint,
}

impl From<OtError> for PartyError {
    fn from(error: OtError) -> Self {
        PartyError::Peer(Box::new(error))
    }
}

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

/// What a pad is for: one transfer may serve several purposes, each with a pad of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadUse {
    /// The sign of a digit mask's last correction word.
    MaskSign = 1,
    /// A product of two bits, into bits.
    BitProduct = 2,
    /// A product of two bits, into the field.
    BitToField = 3,
    /// A product of a bit and a field element.
    BitTimesField = 4,
}

const PHASE: &str = "oblivious transfer";

/// Oblivious transfers of one session, both directions.
pub struct OtPair {
    sender: ExtensionSender,
    receiver: ExtensionReceiver,
    pads: Sha512,
    role: Role,
    next: u64,
    /// The mutant of tests: nothing is masked by pads.
    #[cfg(test)]
    pub(crate) blank_pads: bool,
}

impl OtPair {
    /// Makes the base transfers: two messages each way.
    pub fn setup(channel: &mut dyn Channel, rng: &mut ChaCha20Rng) -> Result<Self, PartyError> {
        let role = channel.role();
        let delta = extension::draw_delta(role, rng);
        let base = base::exchange(channel, rng, delta)?;
        let pads = Sha512::new_with_prefix(b"twain oblivious transfer pad")
            .chain_update(channel.session_id());
        Ok(Self {
            sender: ExtensionSender::new(delta, base.chosen),
            receiver: ExtensionReceiver::new(base.pairs),
            pads,
            role,
            next: 0,
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
    /// equally many). One message each way, in frames of at most 16 MiB.
    pub fn extend(
        &mut self,
        channel: &mut dyn Channel,
        choices: &[u8],
    ) -> Result<Correlated, PartyError> {
        let first = self.next;
        self.next += choices.len() as u64;
        let [mut sent, mut received] = [(); 2].map(|()| Vec::with_capacity(choices.len()));
        let [mut own, mut theirs] = [(); 2].map(|()| choices.chunks(extension::FRAME_TRANSFERS));
        for (way, bytes) in Self::extension_schedule(choices.len()) {
            match way {
                Way::Sent => {
                    let part = own.next().unwrap_or_default();
                    channel.send(PHASE, self.receiver.extend(part, &mut received))?;
                }
                Way::Received => {
                    let frame = channel.receive(PHASE, bytes)?;
                    let part = theirs.next().unwrap_or_default();
                    self.sender.extend(&frame, part.len(), &mut sent);
                }
            }
        }
        Ok(Correlated { first, sent, received })
    }

    /// The frames of [`OtPair::setup`].
    pub fn setup_schedule() -> impl Iterator<Item = Scheduled> {
        base::FRAMES.into_iter().flat_map(exchanged)
    }

    /// The frames of [`OtPair::extend`] with so many choices.
    pub fn extension_schedule(transfers: usize) -> impl Iterator<Item = Scheduled> {
        let starts = (0..transfers).step_by(extension::FRAME_TRANSFERS);
        let part = move |start: usize| (transfers - start).min(extension::FRAME_TRANSFERS);
        let lengths = starts.map(move |start| extension::frame_length(part(start)));
        let sent = lengths.clone().map(|bytes| (Way::Sent, bytes));
        sent.chain(lengths.map(|bytes| (Way::Received, bytes)))
    }

    /// The pad of a block of transfer `index` in the direction in which `sender` sends: uniform
    /// unless the block is known.
    pub fn pad(&self, sender: Role, index: u64, block: u128, pad_use: PadUse) -> [u8; 64] {
        #[cfg(test)]
        if self.blank_pads {
            return [0; 64];
        }
        let hash = self
            .pads
            .clone()
            .chain_update([sender as u8, pad_use as u8])
            .chain_update(index.to_le_bytes())
            .chain_update(block.to_le_bytes());
        hash.finalize().into()
    }

    /// The sender's two pads of its transfer `index` with block `q`: for choice 0 and choice 1.
    pub fn sender_pads(&self, index: u64, q: u128, pad_use: PadUse) -> [[u8; 64]; 2] {
        [q, q ^ self.delta()].map(|block| self.pad(self.role, index, block, pad_use))
    }

    /// The receiver's pad of its transfer `index`: the one its choice selects.
    pub fn receiver_pad(&self, index: u64, received: u128, pad_use: PadUse) -> [u8; 64] {
        self.pad(self.role.other(), index, received, pad_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::RngCore;
    use twain_link::channel::{MemoryChannel, run_pair};

    #[test]
    fn transfers_are_correlated_by_the_senders_difference() {
        for length in [0usize, 1, 127, 128, 300] {
            let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
                let mut ot = OtPair::setup(channel, rng)?;
                let before = channel.traffic().sent;
                let mut all = Vec::new();
                for _ in 0..2 {
                    let choices: Vec<u8> = (0..length).map(|_| rng.next_u32() as u8 & 1).collect();
                    let correlated = ot.extend(channel, &choices)?;
                    all.push((choices, correlated));
                }
                let sent = channel.traffic().sent - before;
                assert_eq!(sent, 2 * 16 * (length.div_ceil(128) * 128) as u64);
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
                    let pads = model.sender_pads(index, m.sent[j], PadUse::MaskSign);
                    let pad = data.receiver_pad(index, d.received[j], PadUse::MaskSign);
                    assert_eq!(pad, pads[usize::from(data_choices[j])]);
                    assert_ne!(pad, pads[usize::from(1 - data_choices[j])]);
                }
            }
        }
    }

    /// What a sender sees of the choices is masked: equal choices give frames that differ in about
    /// half of their bits, whatever the choices are.
    #[test]
    fn frames_do_not_show_the_choices() {
        let weight = |choice: u8| {
            let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
                let mut ot = OtPair::setup(channel, rng)?;
                let mut received = Vec::new();
                let frame = ot.receiver.extend(&[choice; 128], &mut received);
                Ok(frame.iter().map(|byte| byte.count_ones()).sum::<u32>())
            };
            run_pair(side)
        };
        let hidden = |ones: u32| ones.abs_diff(8192) < 640; // 10 standard deviations
        for choice in [0, 1] {
            let (model, data) = weight(choice);
            assert!(hidden(model) && hidden(data), "{model}, {data} of 16384 bits");
            // The mutant: columns whose two expansions are one and cancel.
            let keys = (0..128).map(|i| [[i; 32]; 2]).collect();
            let frame = ExtensionReceiver::new(keys).extend(&[choice; 128], &mut Vec::new());
            let ones = frame.iter().map(|byte| byte.count_ones()).sum::<u32>();
            assert!(!hidden(ones), "{ones}");
        }
    }
}
