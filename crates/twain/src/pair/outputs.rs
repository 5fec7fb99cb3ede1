//! `--reveal-output`: outputs that the proof does not publish, opened to whom both sides say.

use crate::error::Error;
use twain_algebra::Fr;
use twain_graph::RunArgs;
use twain_link::channel::Channel;
use twain_link::scalars::{SCALAR_BYTES, decode_scalars, encode_scalars};
use twain_party::{Role, Shares};

const PHASE: &str = "revealed outputs";

/// Whom outputs are revealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveal {
    /// The model's side.
    Model,
    /// The data's side.
    Data,
    /// Both sides.
    Both,
}

impl Reveal {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Reveal::Model => "model",
            Reveal::Data => "data",
            Reveal::Both => "both",
        }
    }
}

/// Refuses to reveal what the proof publishes.
pub fn check(reveal: Option<Reveal>, args: &RunArgs) -> Result<(), Error> {
    if reveal.is_some() && args.output_visibility.is_public() {
        let text = "the outputs are public, so both sides find them in proof.json: leave \
                    --reveal-output out";
        return Err(Error::Usage(text.into()));
    }
    Ok(())
}

/// Whether `role` may know the outputs.
pub fn may_know(reveal: Option<Reveal>, role: Role) -> bool {
    match reveal {
        None => false,
        Some(Reveal::Model) => role == Role::Model,
        Some(Reveal::Data) => role == Role::Data,
        Some(Reveal::Both) => true,
    }
}

/// Opens the outputs to whom `reveal` says: this side gets them, or nothing. A part of a sum whose
/// total the receiver may know tells it nothing else (protocol §1).
pub fn reveal(
    channel: &mut dyn Channel,
    reveal: Option<Reveal>,
    shares: Vec<Shares>,
) -> Result<Option<Vec<Vec<Fr>>>, Error> {
    let role = channel.role();
    if may_know(reveal, role.other()) {
        let all: Vec<Fr> = shares.iter().flat_map(|tensor| tensor.iter().copied()).collect();
        let all = Shares::new(all);
        channel.send(PHASE, encode_scalars(&all))?;
    }
    if !may_know(reveal, role) {
        return Ok(None);
    }
    let count: usize = shares.iter().map(|tensor| tensor.len()).sum();
    let bytes = channel.receive(PHASE, count * SCALAR_BYTES)?;
    let mut theirs = decode_scalars(&bytes, PHASE)?.into_iter();
    let sums = shares.into_iter().map(|mut tensor| {
        tensor.iter_mut().zip(&mut theirs).for_each(|(own, their)| *own += their);
        tensor.into_vec()
    });
    Ok(Some(sums.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_link::channel::memory_pair;

    #[test]
    fn who_may_know_gets_the_sums_and_no_one_else_a_byte() {
        for reveals in [None, Some(Reveal::Model), Some(Reveal::Data), Some(Reveal::Both)] {
            let (mut model, mut data) = memory_pair([0; 32]);
            let side = |values: [u64; 3]| {
                let (first, second) = values.split_at(2);
                [first, second].map(|part| {
                    Shares::new(part.iter().map(|value| Fr::from(*value)).collect::<Vec<_>>())
                })
            };
            let theirs = std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    let made = reveal(&mut data, reveals, side([1, 2, 3]).into()).unwrap();
                    (made, data.traffic())
                });
                let own = reveal(&mut model, reveals, side([10, 20, 30]).into()).unwrap();
                [(own, model.traffic()), other.join().unwrap()]
            });
            let sums = vec![vec![Fr::from(11), Fr::from(22)], vec![Fr::from(33)]];
            for (role, (made, traffic)) in [Role::Model, Role::Data].into_iter().zip(theirs) {
                let knows = may_know(reveals, role);
                assert_eq!(made, knows.then(|| sums.clone()));
                assert_eq!(traffic.received, if knows { 96 } else { 0 });
            }
        }
    }
}
