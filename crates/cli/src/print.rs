//! What a command answers, on standard output. It may be closed: whoever reads no further has had
//! what they wanted, and the command's files are written by then.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use twain::Error;

/// Prints a line.
///
/// # Errors
/// If standard output cannot be written to, but for being closed.
pub fn line(text: impl Display) -> Result<(), Error> {
    block(format_args!("{text}\n"))
}

/// The same for text that ends its lines itself.
///
/// # Errors
/// As [`line()`].
pub fn block(text: impl Display) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match write!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::file("standard output", error))
        }
        _ => Ok(()),
    }
}
