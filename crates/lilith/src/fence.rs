//! The end of an attempt that its server has given up: beside the program a thread looks for the
//! fence in the attempt's folder, and ends the program when it is there, or when the folder could
//! not be looked at for the time of the lease. So of two attempts of a command one runs at a time,
//! though nobody can reach the first one's machine.

use crate::executor::FENCE;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(500);

/// Whether the attempt in a folder is fenced.
pub fn is_fenced(folder: &Path) -> bool {
    folder.join(FENCE).exists()
}

/// Looks for the fence of a folder.
pub struct Watch {
    began: Instant,
    lease: Duration,
    shared: Arc<Shared>,
}

struct Shared {
    fenced: AtomicBool,
    /// Milliseconds after the beginning when the folder was last looked at.
    looked: AtomicU64,
}

impl Watch {
    /// Begins to look. The thread that does is never waited for: a file system that hangs keeps it.
    pub fn begin(folder: PathBuf, lease: Duration) -> Self {
        let began = Instant::now();
        let shared = Arc::new(Shared { fenced: AtomicBool::new(false), looked: AtomicU64::new(0) });
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            while let Some(shared) = weak.upgrade() {
                match std::fs::symlink_metadata(folder.join(FENCE)) {
                    Ok(_) => shared.fenced.store(true, Ordering::Release),
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                        shared.looked.store(at, Ordering::Release);
                    }
                    Err(_) => {}
                }
                drop(shared);
                std::thread::sleep(LOOK);
            }
        });
        Self { began, lease, shared }
    }

    /// Waits until the program is over or must be, and kills it in the latter case; whether it did.
    /// The process must not have been waited for before `over` is set: its number stays its own
    /// until then.
    pub fn guard(&self, process: u32, over: &AtomicBool) -> bool {
        while !over.load(Ordering::Acquire) {
            let looked = Duration::from_millis(self.shared.looked.load(Ordering::Acquire));
            let cut_off = self.began.elapsed().saturating_sub(looked) > self.lease;
            if cut_off || self.shared.fenced.load(Ordering::Acquire) {
                if let Ok(number) = i32::try_from(process) {
                    let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
                }
                return true;
            }
            std::thread::sleep(LOOK / 10);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn guarded(lease: Duration, meanwhile: impl FnOnce(&Path)) -> (bool, Duration) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("attempt");
        std::fs::create_dir(&folder).unwrap();
        let mut child = Command::new("sleep").arg("20").spawn().unwrap();
        let (began, over) = (Instant::now(), AtomicBool::new(false));
        let watch = Watch::begin(folder.clone(), lease);
        meanwhile(&folder);
        let killed = watch.guard(child.id(), &over);
        child.wait().unwrap();
        (killed, began.elapsed())
    }

    #[test]
    fn a_fenced_program_is_ended() {
        let (killed, took) = guarded(Duration::from_secs(15), |folder| {
            std::fs::write(folder.join(FENCE), "").unwrap();
        });
        assert!(killed && took < Duration::from_secs(10), "{took:?}");
    }

    #[test]
    fn a_program_whose_folder_cannot_be_looked_at_is_ended() {
        let (killed, took) = guarded(Duration::from_millis(700), |folder| {
            // No folder any more: looking in it is another error than that there is no fence.
            std::fs::remove_dir(folder).unwrap();
            std::fs::write(folder, "").unwrap();
        });
        assert!(killed && took < Duration::from_secs(10), "{took:?}");
    }

    #[test]
    fn one_that_is_over_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let watch = Watch::begin(place.path().into(), Duration::from_secs(15));
        assert!(!watch.guard(u32::MAX, &AtomicBool::new(true)));
    }
}
