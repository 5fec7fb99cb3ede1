//! Ctrl-C ends long work within a second, whatever it is at, and leaves nothing behind. (What a
//! pair's sides tell each other then: `pair_processes.rs`.)

mod processes;

use processes::{Running, twain};
use std::fs;
use std::time::{Duration, Instant};

/// A second, and time for threads to be woken on a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

#[test]
fn long_work_ends_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    for pause in [100, 700, 2000].map(Duration::from_millis) {
        let mut command = twain(folder.path());
        // Minutes of work on one core.
        command.args(["gen-srs", "--logrows", "22", "--srs-path", "kzg.srs"]);
        let running = Running::start(command, folder.path().join("kzg.srs"));
        std::thread::sleep(pause);
        running.signal("INT");
        let start = Instant::now();
        let ended = running.end();
        assert!(start.elapsed() < LIMIT, "{:?} after {pause:?}", start.elapsed());
        assert_eq!(ended.code, Some(11), "{}", ended.stderr);
        assert_eq!(ended.failed(), "error: cancelled");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
