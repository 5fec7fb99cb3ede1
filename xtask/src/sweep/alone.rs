//! One model without EZKL beside us: does every command do its work, is the circuit the network of
//! the file, and do proofs verify? For what EZKL does not read, and where its wheel is not at hand.

use super::answer::{Answer, Outcome};
use super::model::check_size;
use crate::error::Error;
use crate::files::Folder;
use crate::pair::Pair;
use crate::twain::Twain;
use std::path::{Path, PathBuf};

/// Asks everything of the model in a folder. SRS files are kept in `srs`.
pub fn ask(twain: &Twain, folder: &Folder, srs: &Path, max_logrows: u64) -> Outcome {
    let mut outcome = Outcome { model: folder.name(), logrows: None, answers: Vec::new() };
    if let Err(error) = answer(twain, folder, srs, max_logrows, &mut outcome) {
        outcome.answers.push(Answer::No(error.to_string()));
    }
    outcome
}

/// One question after the other; the first no ends them.
fn answer(
    twain: &Twain,
    folder: &Folder,
    srs: &Path,
    max_logrows: u64,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    if !folder.has("input.json") {
        twain.random_data(folder)?;
    }
    let samples = ["calibration.json", "input.json"].into_iter().find(|name| folder.has(name));
    let yes = |outcome: &mut Outcome| outcome.answers.push(Answer::Yes);
    twain.within(folder, &["gen-settings"])?;
    yes(outcome);
    twain.within(folder, &["compile-circuit"])?;
    yes(outcome);
    twain.within(folder, &["calibrate-settings", "-D", samples.unwrap_or("input.json")])?;
    yes(outcome);
    let logrows = folder.settings()?.logrows;
    outcome.logrows = Some(logrows);
    if let Err(error) = check_size(1 << logrows, max_logrows) {
        outcome.answers.push(Answer::Skipped(error.to_string()));
        return Ok(());
    }
    twain.within(folder, &["compile-circuit"])?;
    let srs = powers(twain, folder, srs, logrows)?;
    twain.setup(folder, folder, &srs)?;
    yes(outcome);
    twain.within(folder, &["gen-witness"])?;
    twain.within(folder, &["mock"])?;
    twain.prove(folder, folder, folder, &srs, false)?;
    twain.verify(folder, &srs, &folder.at("proof.json"))?;
    yes(outcome);
    let pair = Pair::new(twain, folder, folder, &srs, &folder.0)?;
    pair.prove(false)?;
    twain.verify(folder, &srs, &pair.proof())?;
    yes(outcome);
    Ok(())
}

/// An SRS for as many rows, made if it is not there.
fn powers(twain: &Twain, folder: &Folder, srs: &Path, logrows: u64) -> Result<PathBuf, Error> {
    let path =
        std::path::absolute(srs.join(format!("kzg{logrows}.srs"))).map_err(Error::file(srs))?;
    if !path.exists() {
        let (k, to) = (logrows.to_string(), path.display().to_string());
        twain.within(folder, &["gen-srs", "--logrows", &k, "--srs-path", &to])?;
    }
    Ok(path)
}
