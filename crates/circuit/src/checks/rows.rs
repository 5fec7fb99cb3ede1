//! Whether public values and tables fit the rows: said before keys are made.

use crate::LayoutError;
use crate::geometry::{RESERVED_ROWS, TABLE_RESERVED_ROWS};
use crate::ops::MOST_TABLE_COLUMNS;
use twain_graph::Settings;

/// Checks that no table takes more columns than keys can be made of in reasonable time: the degree
/// of the constraints, and with it the work, grows with each.
///
/// # Errors
/// The table, its columns, and the `logrows` with which they are few enough.
pub fn check_tables(settings: &Settings) -> Result<(), LayoutError> {
    let args = &settings.run_args;
    let lookups = match settings.required_lookups.is_empty() {
        true => None,
        false => Some(("the lookup range", args.lookup_range, "a narrower --lookup-range")),
    };
    let ranges = settings.required_range_checks.iter();
    let ranges = ranges.map(|range| ("the range check", *range, "a smaller --decomp-base"));
    let columns = |width: u128, logrows: u32| {
        let rows = 1u128.checked_shl(logrows).unwrap_or(u128::MAX);
        let rows = rows.saturating_sub(TABLE_RESERVED_ROWS as u128).max(1);
        (width / rows).saturating_add(1)
    };
    let most = MOST_TABLE_COLUMNS as u128;
    for (what, (low, high), remedy) in lookups.into_iter().chain(ranges) {
        let width = high.abs_diff(low);
        let taken = columns(width, args.logrows);
        if taken > most {
            let enough = (0..u128::BITS).find(|k| columns(width, *k) <= most);
            return Err(LayoutError::Settings(format!(
                "{what} {low} to {high} takes {taken} table columns of 2^{} rows, and at most \
                 {most} are made: use --logrows {} or more, or {remedy}",
                args.logrows,
                enough.unwrap_or(u128::BITS)
            )));
        }
    }
    Ok(())
}

/// Checks that all public values fit.
///
/// # Errors
/// How many there are, how many fit, and with which `logrows` they do.
pub fn check_public_values(settings: &Settings) -> Result<(), LayoutError> {
    let elements = settings
        .model_instance_shapes
        .iter()
        .map(|shape| shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim)));
    let hashes = settings.module_sizes.poseidon.1.iter().map(|count| Some(*count));
    let values = elements.chain(hashes).try_fold(0usize, |sum, count| sum.checked_add(count?));
    let values = values.ok_or(LayoutError::TooLarge)?;
    let logrows = settings.run_args.logrows;
    let usable =
        |logrows: u32| 1usize.checked_shl(logrows).and_then(|rows| rows.checked_sub(RESERVED_ROWS));
    match usable(logrows) {
        Some(usable) if values <= usable => Ok(()),
        fits => {
            let fits = fits.unwrap_or(0);
            let enough = (0..usize::BITS).find(|k| usable(*k).is_some_and(|rows| rows >= values));
            let enough = enough.unwrap_or(usize::BITS);
            Err(LayoutError::Settings(format!(
                "{values} inputs and outputs are public, and {fits} fit 2^{logrows} rows: use \
                 --logrows {enough}, or make them private or hashed"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_graph::{Model, RunArgs};

    #[test]
    fn tables_of_few_columns() {
        let args = RunArgs { logrows: 8, ..RunArgs::default() };
        let mut settings = crate::settings(&Model::default(), &args, 0).unwrap();
        settings.required_range_checks = vec![(0, 63 * 248 + 247)];
        assert_eq!(check_tables(&settings), Ok(()));
        settings.required_range_checks = vec![(0, 64 * 248)];
        let text = check_tables(&settings).unwrap_err().to_string();
        assert!(text.contains("0 to 15872 takes 65 table columns of 2^8 rows"), "{text}");
        assert!(text.contains("use --logrows 9 or more, or a smaller --decomp-base"), "{text}");
        settings.required_range_checks.clear();
        settings.required_lookups = vec![twain_graph::LookupOp::Sigmoid { scale: 128.0 }];
        let text = check_tables(&settings).unwrap_err().to_string();
        assert!(text.contains("-32768 to 32768 takes 265"), "{text}");
    }

    #[test]
    fn as_many_as_there_are_rows() {
        let args = RunArgs { logrows: 8, ..RunArgs::default() };
        let mut settings = crate::settings(&Model::default(), &args, 0).unwrap();
        settings.model_instance_shapes = vec![vec![1, 125], vec![5, 25]];
        assert_eq!(check_public_values(&settings), Ok(()));
        settings.model_instance_shapes.push(vec![1]);
        let text = check_public_values(&settings).unwrap_err().to_string();
        assert!(text.contains("251 inputs and outputs are public, and 250 fit 2^8"), "{text}");
        assert!(text.contains("--logrows 9"), "{text}");
        settings.model_instance_shapes = vec![vec![usize::MAX, 2]];
        assert_eq!(check_public_values(&settings), Err(LayoutError::TooLarge));
    }
}
