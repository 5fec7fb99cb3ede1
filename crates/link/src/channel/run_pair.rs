//! Both parties' sides in two threads, for tests.

use super::{Channel, MemoryChannel, memory_pair};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use twain_party::PartyError;

/// Runs both parties' sides in two threads; the model's result first. Each side's generator is its
/// own, the same in every run.
///
/// # Panics
/// If a side fails.
pub fn run_pair<T: Send>(
    party: impl Fn(&mut MemoryChannel, &mut ChaCha20Rng) -> Result<T, PartyError> + Sync,
) -> (T, T) {
    let (mut model, mut data) = memory_pair([7; 32]);
    let run = |channel: &mut MemoryChannel| {
        let mut rng = ChaCha20Rng::seed_from_u64(100 + channel.role() as u64);
        match party(channel, &mut rng) {
            Ok(result) => result,
            Err(error) => panic!("{:?}: {error}", channel.role()),
        }
    };
    std::thread::scope(|scope| {
        let data = scope.spawn(|| run(&mut data));
        let model = run(&mut model);
        match data.join() {
            Ok(data) => (model, data),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
