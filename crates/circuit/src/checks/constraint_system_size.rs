//! How large a constraint system may be. A settings file of a few hundred bytes can ask for any
//! number of columns, and most parts of a constraint system come in products of such numbers: each
//! product is refused here before anything is allocated for it.

use crate::LayoutError;

/// Most columns of a kind of variable or table; a circuit of reasonable shape has a few hundred in
/// all.
pub(crate) const MOST_COLUMNS: usize = 1 << 12;
/// Most selectors, each of which has a bit for every row, and most lookups before they are packed.
pub(crate) const MOST_SELECTORS: usize = 1 << 16;
/// Most terms of the expressions of the lookups in tables of several columns.
pub(crate) const MOST_TERMS: usize = 1 << 20;

/// The product of `factors`, if it is at most `most`.
///
/// # Errors
/// It is larger.
pub(crate) fn product_within(most: usize, factors: &[usize]) -> Result<usize, LayoutError> {
    let product = factors.iter().try_fold(1usize, |product, factor| product.checked_mul(*factor));
    product.filter(|product| *product <= most).ok_or(LayoutError::TooLarge)
}

/// The sum of two counts, if it is at most `most`.
///
/// # Errors
/// It is larger.
pub(crate) fn sum_within(most: usize, left: usize, right: usize) -> Result<usize, LayoutError> {
    left.checked_add(right).filter(|sum| *sum <= most).ok_or(LayoutError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_counted() {
        assert_eq!(product_within(100, &[]), Ok(1));
        assert_eq!(product_within(100, &[4, 25]), Ok(100));
        assert_eq!(product_within(100, &[4, 26]), Err(LayoutError::TooLarge));
        assert_eq!(product_within(usize::MAX, &[usize::MAX, 2]), Err(LayoutError::TooLarge));
        assert_eq!(sum_within(100, 60, 40), Ok(100));
        assert_eq!(sum_within(100, 60, 41), Err(LayoutError::TooLarge));
        assert_eq!(sum_within(usize::MAX, usize::MAX, 1), Err(LayoutError::TooLarge));
    }
}
