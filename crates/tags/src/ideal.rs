//! The ideal functionality of tags: a third party in the same process that knows both keys and all
//! values. For tests of what is built on top; nothing else is made with it.

use crate::source::{Correlation, TagSource};
use crate::values::Key;
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role, Shares};

/// Values in a block: few, so that tests are fast and have several blocks.
const BLOCK: usize = 16;

/// One party's access to the trusted dealer (the model's end plays it).
pub struct IdealTags {
    rng: ChaCha20Rng,
    to_peer: Sender<Vec<Fr>>,
    from_peer: Receiver<Vec<Fr>>,
    /// The keys of the model's side and of the data's, at the dealer's end.
    keys: [Fr; 2],
}

/// The two ends, the model's first.
pub fn ideal_tags(seed: u64) -> (IdealTags, IdealTags) {
    let (to_data, from_model) = channel();
    let (to_model, from_data) = channel();
    let end = |to_peer, from_peer| IdealTags {
        rng: ChaCha20Rng::seed_from_u64(seed),
        to_peer,
        from_peer,
        keys: [Fr::ZERO; 2],
    };
    (end(to_data, from_data), end(to_model, from_model))
}

fn gone<T>(_: T) -> PartyError {
    PartyError::Unsupported("the dealer's other end is gone".into())
}

impl IdealTags {
    fn send(&self, values: Vec<Fr>) -> Result<(), PartyError> {
        self.to_peer.send(values).map_err(gone)
    }

    fn receive(&self) -> Result<Vec<Fr>, PartyError> {
        self.from_peer.recv().map_err(gone)
    }

    /// Tags and keys for values whose keys' holder has `delta`.
    fn deal(&mut self, values: &[Fr], delta: Fr) -> (Vec<Fr>, Vec<Fr>) {
        let keys: Vec<Fr> = values.iter().map(|_| Fr::random(&mut self.rng)).collect();
        (values.iter().zip(&keys).map(|(value, key)| delta * value - key).collect(), keys)
    }
}

impl TagSource for IdealTags {
    fn begin(&mut self, channel: &mut dyn Channel) -> Result<Key, PartyError> {
        if channel.role() == Role::Data {
            let key = self.receive()?.first().copied().ok_or_else(|| gone(()))?;
            return Ok(Key::new(key));
        }
        self.keys = [(); 2].map(|()| Fr::random(&mut self.rng));
        self.send(vec![self.keys[Role::Data as usize]])?;
        Ok(Key::new(self.keys[Role::Model as usize]))
    }

    fn block(&self) -> usize {
        BLOCK
    }

    fn tag(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        _theirs: usize,
    ) -> Result<Correlation, PartyError> {
        if channel.role() == Role::Data {
            self.send(own.to_vec())?;
            let (tags, keys) = (self.receive()?.into(), self.receive()?.into());
            return Ok(Correlation { tags, keys });
        }
        let theirs = self.receive()?;
        let [own_key, peer_key] = self.keys;
        let (tags, peer_keys) = self.deal(own, peer_key);
        let (peer_tags, keys) = self.deal(&theirs, own_key);
        self.send(peer_tags)?;
        self.send(peer_keys)?;
        Ok(Correlation { tags: Shares::new(tags), keys: Shares::new(keys) })
    }
}
