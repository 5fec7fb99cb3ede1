//! Completions for shells and manual pages, from the command line's own types.

use clap::CommandFactory;
use std::path::Path;
use twain::Error;
use twain_cli::arguments::Arguments;

/// The script that completes `twain`'s commands and flags in a shell.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "twain", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes `twain.1` and a page for each command into a folder.
pub fn pages(folder: &Path) -> Result<(), Error> {
    clap_mangen::generate_to(Arguments::command(), folder)
        .map_err(|error| Error::file(folder, error))
}
