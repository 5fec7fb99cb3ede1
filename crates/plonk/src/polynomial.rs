//! Names of the polynomials of an argument, shared by prover and verifier.

/// A polynomial of the argument. Two columns are two polynomials even if their values agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polynomial {
    /// Advice column.
    Advice(u32),
    /// Fixed column, those of selectors included.
    Fixed(u32),
    /// Instance column, padded with zeros.
    Instance(u32),
    /// A virtual selector, by index: only in expressions that have not gone through key generation.
    Selector(u32),
    /// Permutation polynomial of a column of the permutation argument, by position in its list.
    Sigma(u32),
    /// Grand product of a chunk of the permutation argument.
    PermutationProduct(u32),
    /// Multiplicities of a lookup argument.
    Multiplicity(u32),
    /// Grand sum of a lookup argument.
    LookupSum(u32),
    /// The random polynomial.
    Random,
    /// The quotient folded at the evaluation point, `sum_i x^(n i) h_i(X)`.
    FoldedQuotient,
    /// 1 in row 0, 0 elsewhere.
    FirstRow,
    /// 1 in row `u`, the first after the usable rows; 0 elsewhere.
    LastRow,
    /// 1 in the usable rows, 0 elsewhere.
    ActiveRows,
    /// `X` itself.
    Identity,
}
