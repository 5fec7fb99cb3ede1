//! BGV linear encryption whose plaintext space is the BN254 scalar field.
