//! `cargo xtask bench`: `twain prove`, alone or as a pair, beside EZKL's `prove`, in the same run
//! and on the same artifacts, with the vector instructions of the machine and with the portable
//! code.

use crate::error::Error;
use crate::ezkl::{self, Ezkl};
use crate::files::{Folder, circuits, write_json};
use crate::pair::Pair;
use crate::twain::{Cost, Twain};
use std::path::{Path, PathBuf};

/// What to measure.
pub struct Plan {
    /// One prover, who holds both secrets.
    pub alone: bool,
    /// Two, who hold one each.
    pub pair: bool,
    /// Folder of models. A folder with a proving key is used as it is, others are set up in `work`.
    pub models: PathBuf,
    /// Where artifacts are made, and kept for the next time.
    pub work: PathBuf,
    /// Runs of each prover.
    pub runs: u32,
    /// Names of folders; all if there are none.
    pub names: Vec<String>,
}

/// Measures each model, and prints a table for it.
pub fn run(twain: &Twain, ezkl: &Ezkl, plan: &Plan) -> Result<(), Error> {
    let mut folders = circuits(&plan.models)?;
    folders.retain(|folder| plan.names.is_empty() || plan.names.contains(&folder.name()));
    println!("{}", machine());
    for folder in folders {
        let (folder, srs) = prepare(ezkl, plan, folder)?;
        let title = format!("{}, 2^{} rows", folder.name(), folder.settings()?.logrows);
        let results = plan.work.join("proofs").join(folder.name());
        if plan.alone {
            let runs =
                Alone::measure(twain, ezkl, plan.runs, &folder, &srs, Folder(results.clone()))?;
            runs.print(&title);
        }
        if plan.pair {
            Together::measure(twain, ezkl, plan.runs, &folder, &srs, &results)?.print(&title);
        }
    }
    Ok(())
}

/// The runs of least wall time, of one prover.
struct Alone {
    theirs: ezkl::ProveCost,
    fast: Cost,
    portable: Cost,
}

impl Alone {
    fn measure(
        twain: &Twain,
        ezkl: &Ezkl,
        runs: u32,
        folder: &Folder,
        srs: &Path,
        results: Folder,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(&results.0).map_err(Error::file(&results.0))?;
        let (mut theirs, mut fast, mut portable) =
            (Least::default(), Least::default(), Least::default());
        for _ in 0..runs.max(1) {
            let cost = ezkl.prove(folder, srs)?;
            theirs.add(cost.wall, cost);
            for (least, is_portable) in [(&mut fast, false), (&mut portable, true)] {
                let cost = twain.prove(folder, folder, &results, srs, is_portable)?;
                ezkl.verify(folder, srs, &results.at("proof.json"))?;
                least.add(cost.wall, cost);
            }
        }
        Ok(Self { theirs: theirs.take()?, fast: fast.take()?, portable: portable.take()? })
    }

    fn print(&self, title: &str) {
        let Self { theirs, fast, portable } = self;
        println!("\n{title}\n");
        println!(
            "| phase | wall s | CPU s | portable: wall s | portable: CPU s | EZKL: wall s | EZKL: CPU s |"
        );
        println!("|---|---|---|---|---|---|---|");
        for phase in &fast.phases {
            let other = portable.phase(&phase.phase);
            let (wall, cpu) = other.map_or((0.0, 0.0), |other| (other.seconds, other.cpu_seconds));
            println!(
                "| {} | {:.2} | {:.2} | {wall:.2} | {cpu:.2} | | |",
                phase.phase, phase.seconds, phase.cpu_seconds
            );
        }
        println!(
            "| **whole command** | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            fast.wall,
            fast.cpu_seconds,
            portable.wall,
            portable.cpu_seconds,
            theirs.wall,
            theirs.cpu
        );
        println!(
            "| peak memory, MB | {} | | {} | | {} | |",
            megabytes(fast.peak_memory),
            megabytes(portable.peak_memory),
            megabytes(theirs.memory)
        );
    }
}

/// The runs of least wall time (of the slower side), of a pair: both sides' costs.
struct Together {
    theirs: ezkl::ProveCost,
    inline: [Cost; 2],
    trusting: [Cost; 2],
    preprocess: [Cost; 2],
    online: [Cost; 2],
    trusting_online: [Cost; 2],
    portable: [Cost; 2],
}

impl Together {
    fn measure(
        twain: &Twain,
        ezkl: &Ezkl,
        runs: u32,
        folder: &Folder,
        srs: &Path,
        results: &Path,
    ) -> Result<Self, Error> {
        let pair = Pair::new(twain, folder, folder, srs, results)?;
        let checked = |costs: Result<[Cost; 2], Error>| -> Result<[Cost; 2], Error> {
            let costs = costs?;
            match pair.check(ezkl)? {
                true => Ok(costs),
                false => Err(Error::content("twain prove", "its instances are not EZKL's")),
            }
        };
        let mut theirs = Least::default();
        let mut ours = [(); 6].map(|()| Least::default());
        for _ in 0..runs.max(1) {
            let cost = ezkl.prove(folder, srs)?;
            theirs.add(cost.wall, cost);
            let costs = [
                checked(pair.prove(false))?,
                checked(pair.prove_trusting())?,
                pair.preprocess()?,
                checked(pair.prove(false))?,
                checked(pair.preprocess().and_then(|_| pair.prove_trusting()))?,
                checked(pair.prove(true))?,
            ];
            for (least, costs) in ours.iter_mut().zip(costs) {
                least.add(slower(&costs), costs);
            }
        }
        let [inline, trusting, preprocess, online, trusting_online, portable] =
            ours.map(Least::take);
        Ok(Self {
            theirs: theirs.take()?,
            inline: inline?,
            trusting: trusting?,
            preprocess: preprocess?,
            online: online?,
            trusting_online: trusting_online?,
            portable: portable?,
        })
    }

    fn print(&self, title: &str) {
        let Self { theirs, inline, trusting, preprocess, online, trusting_online, portable } = self;
        println!("\n{title}, in pairs\n");
        println!(
            "| phase, data's side | everything: s | CPU s | MB sent | rounds | with a bundle: s | CPU s | MB sent | rounds | portable: s | CPU s |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for phase in &inline[1].phases {
            let cells = |cost: &Cost| {
                cost.phase(&phase.phase).map_or("|||".to_owned(), |phase| {
                    let (sent, rounds) = (megabytes(phase.traffic.sent), phase.traffic.rounds);
                    format!("{:.2} | {:.2} | {sent} | {rounds}", phase.seconds, phase.cpu_seconds)
                })
            };
            let portable = portable[1].phase(&phase.phase);
            let portable = portable.map_or("|".to_owned(), |phase| {
                format!("{:.2} | {:.2}", phase.seconds, phase.cpu_seconds)
            });
            let (name, inline, online) = (&phase.phase, cells(&inline[1]), cells(&online[1]));
            println!("| {name} | {inline} | {online} | {portable} |");
        }
        println!(
            "\n| both sides | s | of EZKL's | CPU s | peak memory a side, MB | MB both ways | rounds |"
        );
        println!("|---|---|---|---|---|---|---|");
        let rows = [
            ("everything", inline),
            ("everything, --trust-peer", trusting),
            ("preprocess", preprocess),
            ("with a bundle", online),
            ("with a bundle, --trust-peer", trusting_online),
            ("everything, portable", portable),
        ];
        for (name, costs) in rows {
            let wall = slower(costs);
            let cpu: f64 = costs.iter().map(|cost| cost.cpu_seconds).sum();
            let memory = costs.iter().map(|cost| cost.peak_memory).max().unwrap_or(0);
            let traffic = costs[1].traffic;
            println!(
                "| {name} | {wall:.2} | {:.2} | {cpu:.2} | {} | {} | {} |",
                wall / theirs.wall,
                megabytes(memory),
                megabytes(traffic.sent + traffic.received),
                traffic.rounds
            );
        }
        println!(
            "| EZKL, alone | {:.2} | 1 | {:.2} | {} | | |",
            theirs.wall,
            theirs.cpu,
            megabytes(theirs.memory)
        );
    }
}

/// The run of least wall time.
struct Least<T>(Option<(f64, T)>);

impl<T> Default for Least<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Least<T> {
    fn add(&mut self, wall: f64, run: T) {
        if self.0.as_ref().is_none_or(|(least, _)| wall < *least) {
            self.0 = Some((wall, run));
        }
    }

    fn take(self) -> Result<T, Error> {
        let none = || Error::content("the benchmark", "it was not run");
        self.0.map(|(_, run)| run).ok_or_else(none)
    }
}

/// Wall time of the side that took longer.
fn slower(costs: &[Cost; 2]) -> f64 {
    costs[0].wall.max(costs[1].wall)
}

/// To a tenth.
fn megabytes(bytes: u64) -> f64 {
    (bytes as f64 / 1e5).round() / 10.0
}

/// A folder with everything a proof needs, and its SRS.
fn prepare(ezkl: &Ezkl, plan: &Plan, model: Folder) -> Result<(Folder, PathBuf), Error> {
    let ready = model.has("pk.key") && model.has("witness.json");
    let folder = if ready { model } else { model.copy_into(&plan.work)? };
    if !folder.has("run_args.json") && !folder.has("settings.json") {
        write_json(&folder.at("run_args.json"), &serde_json::json!({ "calibrate": true }))?;
    }
    ezkl.compile(&folder)?;
    let logrows = folder.settings()?.logrows;
    let beside = plan.models.join(format!("kzg{logrows}.srs"));
    let srs = if beside.exists() { beside } else { ezkl.srs(&plan.work, logrows)? };
    ezkl.complete(&folder, &srs)?;
    Ok((folder, srs))
}

/// The processor, its vector instructions, and how busy it is with other work.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let ifma = field("flags").split(' ').any(|flag| flag == "avx512ifma");
    let load = std::fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    format!(
        "{}, {threads} threads, {} AVX-512 IFMA; load average before: {}",
        field("model name"),
        if ifma { "with" } else { "without" },
        load.split(' ').next().unwrap_or("unknown")
    )
}
