//! The argument on plain values.
