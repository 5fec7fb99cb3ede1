//! One of two processes is killed (`kill -9`) after each phase of what a pair does. The other ends
//! soon, with exit code 1 and one line that names the step; no proof file is left; the same work
//! then succeeds, and the stores of bundles hold what they must.
//!
//! The full sweep (`cargo xtask faults`) takes minutes; a few of its kills always run.

mod processes;
#[path = "../../twain/tests/table/mod.rs"]
mod table;

use processes::{Ended, Side, Site, free_ports};
use std::time::{Duration, Instant};
use table::Table;

const RELU: &str = "1l_relu-k8-private";
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The other side has then ended: nothing it does between two messages takes long.
const LIMIT: Duration = Duration::from_secs(20);

/// What the two processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// `preprocess`, two bundles.
    Preprocess,
    /// `prove`, with bundles in both stores.
    ProveFromBundle,
    /// `prove` without.
    ProveInline,
}

impl Work {
    fn command(self) -> (&'static str, Vec<&'static str>) {
        // Many sessions with one peer end here.
        let flags = ["--log-format", "json", "--ended-sessions", "9999"];
        match self {
            Work::Preprocess => ("preprocess", [&flags[..], &["--proofs", "2"]].concat()),
            Work::ProveFromBundle | Work::ProveInline => ("prove", flags.to_vec()),
        }
    }

    /// Both to their ends, without a kill.
    fn succeeds(self, site: &Site) -> [Ended; 2] {
        let (command, flags) = self.command();
        let [model, data] = free_ports();
        let sides = [(Side::Model, [model, data]), (Side::Data, [data, model])];
        let sides = sides.map(|(side, ports)| site.start_command(command, side, ports, &flags));
        let sides = sides.map(processes::Running::end);
        for side in &sides {
            assert_eq!(side.code, Some(0), "{self:?}: {}", side.stderr);
            let used = side.stderr.contains("Uses bundle");
            assert_eq!(used, self == Work::ProveFromBundle, "{self:?}: {}", side.stderr);
        }
        if self != Work::Preprocess {
            assert_eq!(sides[0].proof, sides[1].proof);
            site.verify_and_remove();
        }
        sides
    }

    /// The phases after which a process can be killed, in their order. After its last one a proof
    /// is there.
    fn phases(self, site: &Site) -> Vec<String> {
        let [model, _] = self.succeeds(site);
        let mut names: Vec<String> = Vec::new();
        for line in model.stderr.lines() {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if event["state"] == "ended" {
                let name = event["phase"].as_str().expect("a name").to_string();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        // When the proof is made it may be written at any moment.
        names.retain(|name| !["opening", "verify", "finish"].contains(&name.as_str()));
        names
    }

    /// Kills `victim` when it has finished `phase`; the seconds until the other has ended.
    fn kill(self, site: &Site, victim: Side, phase: &str) -> f64 {
        let (command, mut flags) = self.command();
        let limit = CONNECT_LIMIT.as_secs().to_string();
        flags.extend(["--connect-timeout", &limit, "--idle-timeout", "10"]);
        let ports = free_ports();
        let start = |side: Side| {
            let ports = [ports[side as usize], ports[side.other() as usize]];
            site.start_command(command, side, ports, &flags)
        };
        let mut killed = start(victim);
        // Gone before the other appears.
        if ["load", "plan"].contains(&phase) {
            killed.wait_for(phase);
            killed.kill();
            let survivor = start(victim.other());
            let start = Instant::now();
            let ended = survivor.end();
            assert!(ended.failed().contains("no peer within"), "{}", ended.stderr);
            return start.elapsed().as_secs_f64();
        }
        let survivor = start(victim.other());
        killed.wait_for(phase);
        killed.kill();
        let start = Instant::now();
        let ended = survivor.end();
        let took = start.elapsed();
        let message = ended.failed();
        assert!(message.contains("during ") && message.contains("with "), "{phase}: {message}");
        assert!(took < LIMIT, "{self:?}, {victim:?} after {phase}: the other took {took:?}");
        took.as_secs_f64()
    }

    /// A site in whose stores is what `kills` kills and the runs after them need.
    fn site(self, kills: usize) -> Site {
        let site = Site::vector(RELU);
        if self == Work::ProveFromBundle {
            site.preprocess(&["--proofs", &(2 * kills).to_string()]);
        }
        site
    }

    /// After a kill, the same work succeeds, and the stores are as they must be.
    fn recovers(self, site: &Site) {
        let count = |site: &Site| Side::BOTH.map(|side| site.bundles(side).len());
        let before = count(site);
        self.succeeds(site);
        match self {
            // What was made is of use to both.
            Work::Preprocess => drop(Work::ProveFromBundle.succeeds(site)),
            Work::ProveFromBundle => {
                let [model, data] = count(site);
                assert_eq!(model, data, "the stores differ");
                assert!(before.iter().all(|before| model < *before));
            }
            Work::ProveInline => assert_eq!(count(site), [0, 0]),
        }
    }
}

#[test]
fn some_kills() {
    let kills = [
        (Work::ProveInline, Side::Model, "load"),
        (Work::ProveInline, Side::Data, "commit advice"),
        (Work::ProveInline, Side::Model, "permutation"),
        (Work::ProveFromBundle, Side::Data, "connect"),
        (Work::ProveFromBundle, Side::Model, "witness"),
        (Work::Preprocess, Side::Data, "make"),
    ];
    for (work, victim, phase) in kills {
        let site = work.site(1);
        work.kill(&site, victim, phase);
        work.recovers(&site);
    }
}

fn every_kill(work: Work) {
    let phases = work.phases(&work.site(1));
    // A bundle each for the kills of both sides, and for the runs after them.
    let site = work.site(2 * phases.len());
    let title =
        format!("{work:?}, a process is killed after a phase: seconds until the other ended");
    let mut table = Table::new(&title, Side::BOTH.map(|side| format!("{side:?} killed")));
    for phase in &phases {
        let cells = Side::BOTH.map(|victim| {
            let took = work.kill(&site, victim, phase);
            work.recovers(&site);
            Some(took)
        });
        table.row(phase, cells);
    }
    table.end();
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_kill_while_a_bundle_is_made() {
    every_kill(Work::Preprocess);
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_kill_while_a_bundle_is_used() {
    every_kill(Work::ProveFromBundle);
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_kill_while_proving() {
    every_kill(Work::ProveInline);
}
