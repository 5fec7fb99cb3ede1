//! The ideal functionality of an OLE: a third party in the same process that sees both operands.
//! For tests of what is built on top; no proof is made with it.

use super::{OleGroup, OleSource};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role};

/// One party's access to the trusted dealer (the model's end plays it).
pub struct IdealOle {
    rng: ChaCha20Rng,
    to_peer: Sender<Vec<Vec<Fr>>>,
    from_peer: Receiver<Vec<Vec<Fr>>>,
    /// Inner products made so far, counted by their terms.
    pub terms: u64,
}

/// The two ends, the model's first.
pub fn ideal_pair(seed: u64) -> (IdealOle, IdealOle) {
    let (to_data, from_model) = channel();
    let (to_model, from_data) = channel();
    let end = |to_peer, from_peer| IdealOle {
        rng: ChaCha20Rng::seed_from_u64(seed),
        to_peer,
        from_peer,
        terms: 0,
    };
    (end(to_data, from_data), end(to_model, from_model))
}

impl OleSource for IdealOle {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        _phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let gone = |_| PartyError::Unsupported("the dealer's other end is gone".into());
        self.terms += groups.iter().map(|g| (g.length * g.terms.len()) as u64).sum::<u64>();
        if channel.role() == Role::Data {
            let own = operands.iter().map(|o| o.to_vec()).collect();
            self.to_peer.send(own).map_err(|e| gone(e.to_string()))?;
            return self.from_peer.recv().map_err(|e| gone(e.to_string()));
        }
        let theirs = self.from_peer.recv().map_err(|e| gone(e.to_string()))?;
        let mut own = Vec::new();
        let mut other = Vec::new();
        for group in groups {
            let share: Vec<Fr> = (0..group.length).map(|_| Fr::random(&mut self.rng)).collect();
            let sum = |j: usize| -> Fr {
                let terms = group.terms.iter();
                terms.map(|&(a, b)| operands[a as usize][j] * theirs[b as usize][j]).sum()
            };
            other.push((0..group.length).map(|j| sum(j) - share[j]).collect());
            own.push(share);
        }
        self.to_peer.send(other).map_err(|e| gone(e.to_string()))?;
        Ok(own)
    }
}
