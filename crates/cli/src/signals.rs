//! Ctrl-C and SIGTERM are the operator's word to end: the session says so to its peer and cleans
//! up.

use std::time::Duration;
use twain::observe::Cancel;

/// How long a command may take to end: what waits for a disk does not ask whether it is to go on.
const PATIENCE: Duration = Duration::from_millis(900);

/// From now on a signal ends whatever is given `cancel`; if that takes too long, or at a second
/// signal, `give_up` is called. To be called before any thread is started: they take over which signals are
/// for them.
#[cfg(unix)]
pub fn cancel_on_signals(cancel: Cancel, give_up: impl Fn() + Clone + Send + 'static) {
    use nix::sys::signal::{SigSet, Signal};
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    // Without them being held back they end the process as they always do.
    if signals.thread_block().is_err() {
        return;
    }
    std::thread::spawn(move || {
        if signals.wait().is_ok() {
            cancel.cancel();
            std::thread::spawn({
                let give_up = give_up.clone();
                move || {
                    std::thread::sleep(PATIENCE);
                    give_up();
                }
            });
            if signals.wait().is_ok() {
                give_up();
            }
        }
    });
}

/// Signals end the process as they always do.
#[cfg(not(unix))]
pub fn cancel_on_signals(_: Cancel, _: impl Fn()) {}
