//! Lays an EZKL graph out as a halo2 circuit and records its witness program.
