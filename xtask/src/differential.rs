//! `cargo xtask differential`: random circuits, until as many as asked for are compared; with `--pair`
//! each is also proven by two processes of which one has the parameters and one the input.

use crate::compare::compare;
use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read_json};
use crate::pair::Pair;
use crate::twain::Twain;
use std::path::Path;

/// What to compare.
pub struct Plan {
    /// How many circuits.
    pub count: u64,
    /// The first one's seed.
    pub seed: u64,
    /// Whether pairs prove them too (those without fixed values).
    pub pair: bool,
}

/// What became of a circuit.
enum Outcome {
    /// EZKL made everything, and we make the same.
    Same,
    /// EZKL made everything, and this is different.
    Different(Vec<String>),
    /// EZKL makes no proof of the circuit; the reason.
    Refused(String),
}

/// Compares both tools on circuits of consecutive seeds, and prints a table. Circuits that EZKL
/// itself refuses do not count, but may not be most of them. Different ones are left on disk.
pub fn run(
    twain: &Twain,
    ezkl: &Ezkl,
    Plan { count, seed: first, pair }: Plan,
) -> Result<bool, Error> {
    let work = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let (mut same, mut different, mut refused) = (0, 0, 0);
    println!("| seed | rows | run args | result |\n|---|---|---|---|");
    for seed in first.. {
        if same + different == count || refused > count {
            break;
        }
        let folder = Folder(work.path().join(seed.to_string()));
        ezkl.random(&folder, seed)?;
        let outcome = circuit(twain, ezkl, &folder, work.path(), pair)?;
        let result = match &outcome {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(what) => format!("DIFFERENT: {}", what.join("; ")),
            Outcome::Refused(reason) => format!("refused by EZKL: {reason}"),
        };
        let rows = folder.settings().map_or("-".to_owned(), |s| format!("2^{}", s.logrows));
        println!("| {seed} | {rows} | {} | {result} |", run_args(&folder)?);
        match outcome {
            Outcome::Same => same += 1,
            Outcome::Different(_) => {
                different += 1;
                let kept = std::env::temp_dir().join("twain-differential");
                eprintln!("kept: {}", folder.copy_into(&kept)?.0.display());
            }
            Outcome::Refused(_) => refused += 1,
        }
        std::fs::remove_dir_all(&folder.0).map_err(Error::file(&folder.0))?;
    }
    println!("\n{same} the same, {different} different, {refused} refused by EZKL itself");
    Ok(same == count)
}

fn circuit(
    twain: &Twain,
    ezkl: &Ezkl,
    folder: &Folder,
    work: &Path,
    pair: bool,
) -> Result<Outcome, Error> {
    if let Err(error) = ezkl.compile(folder) {
        return Ok(Outcome::Refused(error.to_string()));
    }
    let srs = ezkl.srs(work, folder.settings()?.logrows)?;
    if let Err(error) = ezkl.complete(folder, &srs) {
        return Ok(Outcome::Refused(error.to_string()));
    }
    let mut different = compare(twain, ezkl, folder, &Folder(folder.at("twain")), &srs)?;
    if pair && !folder.settings()?.fixed {
        let proven = || -> Result<bool, Error> {
            let pair = Pair::new(twain, folder, folder, &srs, &folder.at("pair"))?;
            pair.prove(false)?;
            pair.check(ezkl)
        };
        match proven() {
            Ok(true) => {}
            Ok(false) => different.push("the pair's instances differ".to_owned()),
            Err(error) => different.push(format!("the pair: {error}")),
        }
    }
    Ok(if different.is_empty() { Outcome::Same } else { Outcome::Different(different) })
}

/// The run arguments that were drawn, on one line.
fn run_args(folder: &Folder) -> Result<String, Error> {
    let args = read_json(&folder.at("run_args.json"))?;
    let args = args.as_object().into_iter().flatten();
    let args = args.map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    });
    Ok(args.collect::<Vec<_>>().join(" "))
}
