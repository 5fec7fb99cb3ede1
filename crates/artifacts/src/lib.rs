//! EZKL's files: settings, compiled circuit, input, witness, proof, SRS and keys.
