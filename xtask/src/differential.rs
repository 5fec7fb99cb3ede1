//! `cargo xtask differential`: random circuits, until as many as asked for are compared; with
//! `--pair` each is also proven by two processes of which one has the parameters and one the input.
//! Then three quarters have constraints of degree 5 and a quarter of a higher one, and what no pair
//! proves is passed over.

use crate::compare::compare;
use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read_json};
use crate::pair::Pair;
use crate::twain::Twain;
use std::path::Path;
use twain_artifacts::CompiledModel;
use twain_circuit::{ProductTree, lay_out, pair_refusals};

/// What to compare.
pub struct Plan {
    /// How many circuits.
    pub count: u64,
    /// The first one's seed.
    pub seed: u64,
    /// Whether pairs prove them too.
    pub pair: bool,
}

/// The degree of constraints that most circuits have: one-column tables, up to three inner columns.
const USUAL_DEGREE: usize = 5;

/// How many circuits for pairs are still wanted.
struct Wanted {
    /// Of the usual degree, and of a higher one.
    left: [u64; 2],
}

impl Wanted {
    fn of(count: u64) -> Self {
        Self { left: [count - count / 4, count / 4] }
    }

    /// Which of `left` a circuit counts as; or why it is not wanted.
    fn kind(&self, folder: &Folder) -> Result<usize, String> {
        if folder.settings().map_err(|error| error.to_string())?.fixed {
            return Err("no pair proves fixed values".into());
        }
        let compiled =
            CompiledModel::read(&folder.at("model.compiled")).map_err(|error| error.to_string())?;
        let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)
            .map_err(|error| error.to_string())?;
        if let Some(refusal) = pair_refusals(&circuit, &compiled.model).first() {
            return Err(refusal.to_string());
        }
        let degree = circuit.cs.degree();
        let kind = usize::from(degree > USUAL_DEGREE);
        match self.left[kind] {
            0 => Err(format!("there are enough with degree {degree}")),
            _ => Ok(kind),
        }
    }
}

/// What became of a circuit.
enum Outcome {
    /// EZKL made everything, and we make the same.
    Same,
    /// EZKL made everything, and this is different.
    Different(Vec<String>),
    /// EZKL makes no proof of the circuit; the reason.
    Refused(String),
    /// It is none of those wanted; the reason.
    PassedOver(String),
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
    let mut wanted = pair.then(|| Wanted::of(count));
    println!("| seed | rows | run args | result |\n|---|---|---|---|");
    for seed in first.. {
        if same + different == count || refused > count {
            break;
        }
        let folder = Folder(work.path().join(seed.to_string()));
        ezkl.random(&folder, seed)?;
        let outcome = circuit(twain, ezkl, &folder, work.path(), wanted.as_mut())?;
        let result = match &outcome {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(what) => format!("DIFFERENT: {}", what.join("; ")),
            Outcome::Refused(reason) => format!("refused by EZKL: {reason}"),
            Outcome::PassedOver(reason) => format!("passed over: {reason}"),
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
            Outcome::PassedOver(_) => {}
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
    mut wanted: Option<&mut Wanted>,
) -> Result<Outcome, Error> {
    if let Err(error) = ezkl.compile(folder) {
        return Ok(Outcome::Refused(error.to_string()));
    }
    let kind = match wanted.as_ref().map(|wanted| wanted.kind(folder)).transpose() {
        Ok(kind) => kind,
        Err(reason) => return Ok(Outcome::PassedOver(reason)),
    };
    let srs = ezkl.srs(work, folder.settings()?.logrows)?;
    if let Err(error) = ezkl.complete(folder, &srs) {
        return Ok(Outcome::Refused(error.to_string()));
    }
    let mut different = compare(twain, ezkl, folder, &Folder(folder.at("twain")), &srs)?;
    if let (Some(wanted), Some(kind)) = (&mut wanted, kind) {
        wanted.left[kind] -= 1;
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
