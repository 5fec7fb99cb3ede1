//! Takes each mask and check of the pair's protocol away in turn, in a copy of the repository, and
//! sees that the test which is about it fails. Input: the tables in the folder. Output: a line a
//! mutant.
//!
//! A mutant is a change of the source text, so the product carries no switch that turns a defence
//! off. A change that no longer fits its file, or does not compile, is a failure as well.

mod argument;
mod masks;
mod mutant;
mod pair;
mod ring;
mod sides;
mod statement;
mod tags;

use crate::error::Error;
use crate::process::cargo;
use mutant::Mutant;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// All of them, by what they are about.
fn mutants() -> impl Iterator<Item = &'static Mutant> {
    let all = [
        pair::MUTANTS,
        masks::MUTANTS,
        ring::MUTANTS,
        tags::MUTANTS,
        argument::MUTANTS,
        statement::MUTANTS,
        sides::MUTANTS,
    ];
    all.into_iter().flatten()
}

/// Tries the mutants whose description contains `only`, or a part of it between `|`; false if a
/// test did not find one.
pub fn run(repository: &Path, only: &str) -> Result<bool, Error> {
    let copy = repository.join("target/mutants");
    let is_chosen = |mutant: &&Mutant| only.split('|').any(|part| mutant.what.contains(part));
    let chosen = || mutants().filter(is_chosen);
    copy_tracked(repository, &copy)?;
    let tests: BTreeSet<_> = chosen().map(|mutant| mutant.test).collect();
    for arguments in tests {
        if test(repository, &copy, arguments)? != (true, true) {
            let what = format!("cargo test {}", arguments.join(" "));
            return Err(Error::content(what, "fails with nothing taken away"));
        }
    }
    let mut all_found = true;
    for mutant in chosen() {
        let start = Instant::now();
        copy_tracked(repository, &copy)?;
        let file = copy.join(mutant.file);
        let text = std::fs::read_to_string(&file).map_err(Error::file(&file))?;
        std::fs::write(&file, mutant.applied(&text)?).map_err(Error::file(&file))?;
        let (built, passed) = test(repository, &copy, mutant.test)?;
        let outcome = match (built, passed) {
            (true, false) => "found",
            (true, true) => "NOT FOUND",
            (false, _) => "DOES NOT COMPILE",
        };
        all_found &= outcome == "found";
        println!("{outcome:<18}{:>5.0} s  without {}", start.elapsed().as_secs_f64(), mutant.what);
    }
    Ok(all_found)
}

/// The repository's files as they are now, without what git ignores.
fn copy_tracked(repository: &Path, copy: &Path) -> Result<(), Error> {
    let mut listing = Command::new("git");
    listing.current_dir(repository).args(["ls-files", "-z", "--cached", "--others"]);
    listing.arg("--exclude-standard");
    let listing =
        listing.output().map_err(|source| Error::Start { program: "git".into(), source })?;
    for name in String::from_utf8_lossy(&listing.stdout).split('\0').filter(|n| !n.is_empty()) {
        let (from, to) = (repository.join(name), copy.join(name));
        let Ok(new) = std::fs::read(&from) else { continue }; // deleted, not yet committed
        // What is the same keeps its time, so that cargo builds what the mutant changed.
        if std::fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        std::fs::write(&to, new).map_err(Error::file(&to))?;
    }
    Ok(())
}

/// Whether the test's program was built, and whether it passed.
fn test(repository: &Path, copy: &Path, arguments: &[&str]) -> Result<(bool, bool), Error> {
    let run = |more: &[&str]| {
        let mut command = cargo();
        command.current_dir(copy).arg("test").args(arguments).args(more);
        command.env("CARGO_TARGET_DIR", repository.join("target/mutants/target"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status();
        status.map_err(|source| Error::Start { program: "cargo".into(), source })
    };
    let built = run(&["--no-run"])?.success();
    Ok((built, built && run(&[])?.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables are tried rarely; that they fit the sources is seen with every change.
    #[test]
    fn each_fits_its_file_and_has_a_name_of_its_own() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut names = BTreeSet::new();
        for mutant in mutants() {
            let text = std::fs::read_to_string(repository.join(mutant.file)).unwrap();
            let changed = mutant.applied(&text).unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(changed, text, "{}", mutant.what);
            assert!(names.insert(mutant.what), "{}: twice", mutant.what);
        }
    }
}
