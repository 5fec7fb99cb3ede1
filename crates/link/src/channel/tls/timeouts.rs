//! How long a session and its waits may take.

use std::time::Duration;

/// The limits of a session. A wait of this side ends with an error that names the step.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A peer of which nothing at all is heard for so long is gone. (An idle one sends a sign of
    /// life four times as often.)
    pub silence: Duration,
    /// A peer that is alive may compute so long before it has sent a frame that is due, or taken
    /// what was sent to it, ...
    pub step: Duration,
    /// ... and the link may need as long besides as it does at this rate, in bytes a second, for
    /// the frame and all that is queued towards the peer.
    pub rate: u64,
    /// No step goes on or begins so long after the session's start.
    pub session: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            step: Duration::from_secs(300),
            rate: 64_000,
            session: Duration::from_secs(3600),
        }
    }
}

impl Timeouts {
    /// How long this side waits until the link has carried `bytes`.
    pub(super) fn wait(&self, bytes: usize) -> Duration {
        let milliseconds = (bytes as u64).saturating_mul(1000) / self.rate.max(1);
        self.step.saturating_add(Duration::from_millis(milliseconds))
    }
}
