//! What fuzzing runs, and the tests replay: every reader of bytes from outside, of what a server is
//! asked to run too, and every protocol
//! with a peer that says anything. A target panics if the code it runs does, if what was read is
//! not what is written again, or if more memory was taken than the bytes or the protocol justify.

mod memory;
mod peer;
mod readers;
mod requests;

/// Something to feed bytes to.
pub struct Target {
    /// Its name, and that of its folder in `corpus`.
    pub name: &'static str,
    /// Takes any bytes; panics if it finds a fault.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 22] = [
    Target { name: "settings", run: readers::settings },
    Target { name: "compiled_model", run: readers::compiled_model },
    Target { name: "circuit", run: readers::circuit },
    Target { name: "input", run: readers::input },
    Target { name: "witness", run: readers::witness },
    Target { name: "proof", run: readers::proof },
    Target { name: "srs", run: readers::srs },
    Target { name: "powers_of_tau", run: readers::powers_of_tau },
    Target { name: "verifying_key", run: readers::verifying_key },
    Target { name: "proving_key", run: readers::proving_key },
    Target { name: "onnx", run: readers::onnx },
    Target { name: "invitation", run: requests::invitation },
    Target { name: "command_line", run: requests::command_line },
    Target { name: "recipe", run: requests::recipe },
    Target { name: "stranger", run: peer::stranger },
    Target { name: "frames", run: peer::frames },
    Target { name: "handshake", run: peer::handshake },
    Target { name: "inner_products", run: peer::inner_products },
    Target { name: "digit_material", run: peer::digit_material },
    Target { name: "store", run: peer::store },
    Target { name: "pair_witness", run: peer::pair_witness },
    Target { name: "pair_proof", run: peer::pair_proof },
];
