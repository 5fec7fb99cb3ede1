//! A bar on the terminal for each phase: the running one shows what it has carried over the link of
//! what it is expected to, those that ended how long they took.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use twain::observe::bytes;

/// Characters of a whole bar.
const WIDTH: usize = 30;
/// How often the running bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// The bars, in the order their phases began.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    of_phase: Mutex<BTreeMap<&'static str, ProgressBar>>,
    of_trials: OnceLock<ProgressBar>,
    of_download: OnceLock<ProgressBar>,
}

impl Bars {
    /// A phase begins, perhaps again.
    pub fn begin(&self, phase: &'static str) {
        let Ok(mut bars) = self.of_phase.lock() else { return };
        let bar = bars.entry(phase).or_insert_with(|| self.all.add(ProgressBar::new_spinner()));
        bar.set_style(style("{spinner} {prefix:17} {elapsed:>4}  {msg}"));
        bar.set_prefix(phase);
        bar.set_message("");
        bar.reset();
        bar.enable_steady_tick(TICK);
    }

    /// The running phase has carried so many bytes of those expected (0: not known).
    pub fn progress(&self, phase: &'static str, carried: u64, expected: u64) {
        let Ok(bars) = self.of_phase.lock() else { return };
        if let Some(bar) = bars.get(phase) {
            bar.set_message(text(carried, expected));
        }
    }

    /// A trial begins, after so many of so many.
    pub fn trial(&self, done: usize, of: usize, what: &str) {
        let bar = self.of_trials.get_or_init(|| {
            let bar = self.all.add(ProgressBar::new(of as u64));
            bar.with_style(style("{bar:30} {pos}/{len} {elapsed} {msg}"))
        });
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    }

    /// So many bytes of a file are there, of so many (0: not known).
    pub fn download(&self, done: u64, of: u64) {
        let bar = self.of_download.get_or_init(|| self.all.add(ProgressBar::new_spinner()));
        bar.set_style(match of {
            0 => style("{spinner} {bytes} {elapsed}"),
            _ => style("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"),
        });
        bar.set_length(of);
        bar.set_position(done);
    }

    /// A phase ends, after so long and so many bytes in all.
    pub fn end(&self, phase: &'static str, wall: Duration, carried: u64) {
        let Ok(bars) = self.of_phase.lock() else { return };
        let Some(bar) = bars.get(phase) else { return };
        let carried = if carried == 0 { String::new() } else { bytes(carried) };
        bar.disable_steady_tick();
        bar.set_style(style("  {msg}"));
        bar.finish_with_message(format!("{phase:17} {:5.1}s {carried:>10}", wall.as_secs_f64()));
    }

    /// Does something on the terminal while there are no bars.
    pub fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.all.suspend(work)
    }
}

impl Drop for Bars {
    /// Takes all bars off.
    fn drop(&mut self) {
        if let Ok(bars) = self.of_phase.lock() {
            bars.values().for_each(ProgressBar::disable_steady_tick);
        }
        // A terminal that cannot be written to is no reason to stop.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// A bar of `carried` bytes of `expected`.
fn text(carried: u64, expected: u64) -> String {
    match (carried, expected) {
        (0, 0) => String::new(),
        (_, 0) => format!("{} both ways", bytes(carried)),
        _ => {
            let part = (carried as f64 / expected as f64).min(1.0);
            let full = (part * WIDTH as f64) as usize;
            let bar = format!("{}{}", "#".repeat(full), "-".repeat(WIDTH - full));
            format!("[{bar}] {} of {}", bytes(carried), bytes(expected))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{ProgressDrawTarget, TermLike};
    use std::io::Result;
    use std::sync::Arc;

    /// A terminal that keeps what is written to it, and goes where it is told without a trace.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> Result<()> {
            self.write_str(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> Result<()> {
            Ok(())
        }

        fn flush(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_bar_for_each_phase() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let bars = Bars {
            all: MultiProgress::with_draw_target(target),
            of_phase: Mutex::default(),
            of_trials: OnceLock::new(),
            of_download: OnceLock::new(),
        };
        let written = || std::mem::take(&mut *paper.0.lock().unwrap());
        bars.begin("witness");
        bars.progress("witness", 3000, 6000);
        assert!(
            written()
                .contains("witness             0s  [###############---------------] 3000 B of")
        );
        bars.end("witness", Duration::from_millis(1234), 6000);
        assert!(written().contains("  witness             1.2s     6000 B"));
        bars.begin("quotient");
        let both = written();
        assert!(both.contains("1.2s") && both.contains("quotient"), "{both}");
        assert_eq!(bars.suspend(|| 5), 5);
        drop(bars);
        written();
        std::thread::sleep(3 * TICK);
        assert_eq!(written(), "", "nothing ticks any more");
    }

    #[test]
    fn parts_of_a_bar() {
        assert_eq!(text(0, 0), "");
        assert_eq!(text(12, 0), "12 B both ways");
        let half = format!("[{}{}] 3000 B of 6000 B", "#".repeat(15), "-".repeat(15));
        assert_eq!(text(3000, 6000), half);
        assert!(text(7000, 6000).starts_with(&format!("[{}]", "#".repeat(30))));
    }
}
