//! `cargo xtask bench --alone`: `twain prove` beside EZKL's `prove`, in the same run and on the same
//! artifacts, with the vector instructions of the machine and with the portable code.

use crate::error::Error;
use crate::ezkl::{self, Ezkl};
use crate::files::{Folder, circuits, write_json};
use crate::twain::{ProveCost, Twain};
use std::path::{Path, PathBuf};

/// What to measure.
pub struct Plan {
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
        let results = Folder(plan.work.join("proofs").join(folder.name()));
        std::fs::create_dir_all(&results.0).map_err(Error::file(&results.0))?;
        let (mut theirs, mut fast, mut portable) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..plan.runs.max(1) {
            theirs.push(ezkl.prove(&folder, &srs)?);
            for (costs, is_portable) in [(&mut fast, false), (&mut portable, true)] {
                costs.push(twain.prove(&folder, &folder, &results, &srs, is_portable)?);
                ezkl.verify(&folder, &srs, &results.at("proof.json"))?;
            }
        }
        let theirs = theirs.into_iter().min_by(|a, b| a.wall.total_cmp(&b.wall));
        let least =
            |costs: Vec<ProveCost>| costs.into_iter().min_by(|a, b| a.wall.total_cmp(&b.wall));
        if let (Some(theirs), Some(fast), Some(portable)) = (theirs, least(fast), least(portable)) {
            let title = format!("{}, 2^{} rows", folder.name(), folder.settings()?.logrows);
            print_table(&title, &theirs, &fast, &portable);
        }
    }
    Ok(())
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

fn print_table(title: &str, theirs: &ezkl::ProveCost, fast: &ProveCost, portable: &ProveCost) {
    println!("\n{title}\n");
    println!(
        "| phase | wall s | CPU s | portable: wall s | portable: CPU s | EZKL: wall s | EZKL: CPU s |"
    );
    println!("|---|---|---|---|---|---|---|");
    for phase in &fast.phases {
        let other = portable.phases.iter().find(|other| other.phase == phase.phase);
        let (wall, cpu) = other.map_or((0.0, 0.0), |other| (other.seconds, other.cpu_seconds));
        println!(
            "| {} | {:.2} | {:.2} | {wall:.2} | {cpu:.2} | | |",
            phase.phase, phase.seconds, phase.cpu_seconds
        );
    }
    println!(
        "| **whole command** | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        fast.wall, fast.cpu_seconds, portable.wall, portable.cpu_seconds, theirs.wall, theirs.cpu
    );
    let megabytes = |bytes: u64| bytes / 1_000_000;
    println!(
        "| peak memory, MB | {} | | {} | | {} | |",
        megabytes(fast.peak_memory),
        megabytes(portable.peak_memory),
        megabytes(theirs.memory)
    );
}
