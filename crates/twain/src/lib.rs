//! Private model, private data, one ordinary EZKL proof: the library face of the `twain` command.

pub mod key_files;
