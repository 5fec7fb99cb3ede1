//! `cargo xtask sweep`: for each ONNX model in a folder, what is the same as EZKL makes it, and
//! whether EZKL accepts the proofs; as a table and as JSON, with a reason for each "no". Models
//! that are done are not done again. Without EZKL: whether every command does its work, and whether
//! our own verifier accepts the proofs.

mod alone;
mod answer;
mod model;
mod run_arguments;

use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read, write_json};
use crate::twain::Twain;
use answer::{Answer, Outcome, QUESTIONS};
use model::Sweep;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What to sweep.
pub struct Plan {
    /// Folder of models: `NAME/network.onnx` with what else belongs to it, or `NAME.onnx`.
    pub models: PathBuf,
    /// Where files are made and results are kept.
    pub work: PathBuf,
    /// Models at a time.
    pub jobs: usize,
    /// No keys for circuits of more than `2^max_logrows` rows.
    pub max_logrows: u64,
    /// Names of models; all if there are none.
    pub only: Vec<String>,
}

/// Sweeps, with EZKL beside it if there is one, and prints the table; false if an answer is no.
pub fn run(twain: &Twain, ezkl: Option<&Ezkl>, plan: &Plan) -> Result<bool, Error> {
    let results = plan.work.join("results");
    std::fs::create_dir_all(&results).map_err(Error::file(&results))?;
    let mut models = models(&plan.models)?;
    models.retain(|(name, _)| plan.only.is_empty() || plan.only.contains(name));
    let queue = Mutex::new(VecDeque::from(models.clone()));
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.max(1) {
            scope.spawn(|| {
                while let Some((name, path)) = next() {
                    let result = results.join(format!("{name}.json"));
                    if let Err(error) = one(twain, ezkl, plan, (&name, &path), &result) {
                        eprintln!("{name}: {error}");
                    }
                }
            });
        }
    });
    let mut outcomes = Vec::new();
    for (name, _) in &models {
        outcomes.extend(known(&results.join(format!("{name}.json"))));
    }
    let all = plan.work.join("sweep.json");
    write_json(&all, &serde_json::json!(outcomes))?;
    print(&outcomes);
    println!("\nas JSON: {}", all.display());
    let refused = |outcome: &Outcome| outcome.answers.iter().any(|a| matches!(a, Answer::No(_)));
    Ok(outcomes.len() == models.len() && !outcomes.iter().any(refused))
}

/// A result of an earlier run.
fn known(path: &Path) -> Option<Outcome> {
    serde_json::from_slice(&read(path).ok()?).ok()
}

fn one(
    twain: &Twain,
    ezkl: Option<&Ezkl>,
    plan: &Plan,
    (name, path): (&str, &Path),
    result: &Path,
) -> Result<(), Error> {
    if known(result).is_some() {
        return Ok(());
    }
    let work = Folder(plan.work.join(name));
    std::fs::create_dir_all(&work.0).map_err(Error::file(&work.0))?;
    let copy = |from: PathBuf, name: &str| match from.exists() {
        true => std::fs::copy(&from, work.at(name)).map(drop).map_err(Error::file(from)),
        false => Ok(()),
    };
    if path.is_file() {
        copy(path.to_path_buf(), "network.onnx")?;
    } else {
        for name in ["network.onnx", "input.json", "calibration.json", "run_args.json"] {
            copy(path.join(name), name)?;
        }
    }
    let (srs, max_logrows) = (&*plan.work, plan.max_logrows);
    let outcome = match ezkl {
        Some(ezkl) => Sweep { twain, ezkl, srs, max_logrows }.ask(&work),
        None => alone::ask(twain, &work, srs, max_logrows),
    };
    write_json(result, &serde_json::json!(outcome))?;
    std::fs::remove_dir_all(&work.0).map_err(Error::file(&work.0))
}

/// Names and paths of models.
fn models(parent: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut models = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(Error::file(parent))? {
        let path = entry.map_err(Error::file(parent))?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let is_model = path.join("network.onnx").is_file()
            || path.is_file() && path.extension().is_some_and(|ending| ending == "onnx");
        models.extend(name.filter(|_| is_model).map(|name| (name, path)));
    }
    models.sort();
    match models.is_empty() {
        true => Err(Error::content(parent.display(), "no ONNX model is there")),
        false => Ok(models),
    }
}

fn print(outcomes: &[Outcome]) {
    println!("| model | rows | {} |", QUESTIONS.join(" | "));
    println!("|---|---|{}", "---|".repeat(QUESTIONS.len()));
    for Outcome { model, logrows, answers } in outcomes {
        let rows = logrows.map_or_else(|| "-".into(), |k| format!("2^{k}"));
        let cells = (0..QUESTIONS.len()).map(|index| match answers.get(index) {
            Some(Answer::Yes) => "yes",
            Some(Answer::No(_)) => "NO",
            Some(Answer::Skipped(_)) | None => "-",
        });
        println!("| {model} | {rows} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    println!();
    for Outcome { model, answers, .. } in outcomes {
        for (question, answer) in QUESTIONS.iter().zip(answers) {
            match answer {
                Answer::Yes => {}
                Answer::No(reason) => println!("{model}, {question}: no, {reason}"),
                Answer::Skipped(reason) => println!("{model}, {question}: not asked, {reason}"),
            }
        }
    }
}
