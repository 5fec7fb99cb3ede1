//! Tagged random values that are kept for later, each taken once (protocol §24).

use crate::values::{Half, Owned};
use twain_algebra::Fr;
use twain_party::{PartyError, Shares};

/// Spares of both sides, in the order in which they were made.
#[derive(Default)]
pub(crate) struct Spares {
    values: Queue,
    tags: Queue,
    keys: Queue,
}

impl Spares {
    /// Adds spares of this side and of the peer.
    pub fn add(&mut self, spares: [Owned; 2]) {
        for half in spares {
            match half.0 {
                Half::Mine { values, tags } => {
                    self.values.parts.push(values);
                    self.tags.parts.push(tags);
                }
                Half::Theirs { keys } => self.keys.parts.push(keys),
            }
        }
    }

    /// The next spares of this side and of the peer.
    ///
    /// # Errors
    /// Not enough were made.
    pub fn take(&mut self, own: usize, theirs: usize) -> Result<(Owned, Owned), PartyError> {
        let values = self.values.take(own)?;
        let tags = self.tags.take(own)?;
        Ok((Owned::mine(values, tags), Owned::theirs(self.keys.take(theirs)?)))
    }
}

/// Numbers of which the first are gone. They stay where they are, so that no copies are left
/// behind.
#[derive(Default)]
struct Queue {
    parts: Vec<Shares>,
    /// Numbers gone from the first part that is left.
    taken: usize,
}

impl Queue {
    fn take(&mut self, count: usize) -> Result<Shares, PartyError> {
        let left: usize = self.parts.iter().map(|part| part.len()).sum();
        if left - self.taken < count {
            return Err(PartyError::Bug("more spares of tags are asked for than were made"));
        }
        let mut out = Shares::zero(count);
        let mut rest: &mut [Fr] = &mut out;
        while let Some(part) = self.parts.first().filter(|_| !rest.is_empty()) {
            let available = &part[self.taken..];
            let (now, later) = rest.split_at_mut(available.len().min(rest.len()));
            now.copy_from_slice(&available[..now.len()]);
            self.taken += now.len();
            if self.taken == part.len() {
                self.parts.remove(0);
                self.taken = 0;
            }
            rest = later;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_in_order() {
        let numbers = |range: std::ops::Range<u64>| Shares::new(range.map(Fr::from).collect());
        let mut queue = Queue::default();
        assert!(queue.take(0).is_ok() && queue.take(1).is_err());
        for part in [0..3, 3..3, 3..4, 4..9] {
            queue.parts.push(numbers(part));
        }
        let mut next = 0;
        for count in [1, 0, 4, 2, 2] {
            assert_eq!(queue.take(count).unwrap()[..], numbers(next..next + count as u64)[..]);
            next += count as u64;
        }
        assert!(queue.take(1).is_err());
    }
}
