//! Witness generation on plain values.
