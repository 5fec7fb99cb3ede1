//! `cargo xtask interop`: circuits whose folders are there already.

use crate::compare::compare;
use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, circuits};
use crate::twain::Twain;
use std::path::Path;

/// Compares both tools on each folder in `vectors`, and prints a line for each. The SRS are in
/// `vectors/srs` if they belong to keys that are there, or made.
pub fn run(twain: &Twain, ezkl: &Ezkl, vectors: &Path) -> Result<bool, Error> {
    let work = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let mut failed = 0;
    for original in circuits(vectors)? {
        let folder = original.copy_into(work.path())?;
        let result = circuit(twain, ezkl, &folder, vectors, work.path());
        match result {
            Ok(different) if different.is_empty() => println!("{}: same", folder.name()),
            Ok(different) => {
                failed += 1;
                println!("{}: DIFFERENT: {}", folder.name(), different.join("; "));
            }
            Err(error) => {
                failed += 1;
                println!("{}: not compared: {error}", folder.name());
            }
        }
        std::fs::remove_dir_all(&folder.0).map_err(Error::file(&folder.0))?;
    }
    println!("{failed} failed");
    Ok(failed == 0)
}

fn circuit(
    twain: &Twain,
    ezkl: &Ezkl,
    folder: &Folder,
    vectors: &Path,
    work: &Path,
) -> Result<Vec<String>, Error> {
    ezkl.compile(folder)?;
    let logrows = folder.settings()?.logrows;
    let given = vectors.join("srs").join(format!("kzg{logrows}.srs"));
    let srs = if given.exists() { given } else { ezkl.srs(work, logrows)? };
    ezkl.complete(folder, &srs)?;
    compare(twain, ezkl, folder, &Folder(folder.at("twain")), &srs)
}
