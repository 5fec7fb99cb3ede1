//! A table of seconds, printed row by row while a sweep runs.

use std::time::Instant;

const FIRST: usize = 26;

/// The table, and when it was begun.
pub struct Table {
    widths: Vec<usize>,
    start: Instant,
    filled: usize,
}

impl Table {
    /// Prints the head.
    pub fn new(title: &str, columns: impl IntoIterator<Item = impl ToString>) -> Self {
        let columns: Vec<String> = columns.into_iter().map(|name| name.to_string()).collect();
        let widths: Vec<usize> = columns.iter().map(|name| name.len().max(5) + 2).collect();
        print!("\n{title}\n{:FIRST$}", "");
        columns.iter().zip(&widths).for_each(|(name, width)| print!("{name:>width$}"));
        println!();
        Self { widths, start: Instant::now(), filled: 0 }
    }

    /// Prints a row; cells without a value show a dash.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = Option<f64>>) {
        print!("{name:FIRST$}");
        for (cell, width) in cells.into_iter().zip(&self.widths) {
            match cell {
                Some(seconds) => print!("{seconds:>width$.1}"),
                None => print!("{:>width$}", "-"),
            }
            self.filled += usize::from(cell.is_some());
        }
        println!();
    }

    /// Prints how many cells there were, and the time since the head.
    pub fn end(self) {
        println!("{} cells in {:.0} s", self.filled, self.start.elapsed().as_secs_f64());
    }
}
