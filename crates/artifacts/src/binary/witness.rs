//! The witness embedded in a compiled model (spec 02 §2.9).

use super::{Binary, Reader, record};
use crate::FormatError;
use crate::json::pretty::PrettyElements;
use crate::json::witness::{GraphWitness, Processed};
use crate::points::{SCALAR_BYTES, g1_from_compressed, g1_to_compressed};
use std::io::{self, Write};
use twain_algebra::G1Affine;

record!(GraphWitness {
    inputs pretty_elements outputs processed_inputs processed_params processed_outputs
    max_lookup_inputs min_lookup_inputs max_range_size version
});

record!(Processed { poseidon_hash polycommit });

record!(PrettyElements {
    rescaled_inputs inputs processed_inputs processed_params processed_outputs rescaled_outputs
    outputs
});

/// The compressed form.
impl Binary for G1Affine {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let bytes: [u8; SCALAR_BYTES] = reader.array()?;
        g1_from_compressed(&bytes)
            .ok_or_else(|| reader.invalid(SCALAR_BYTES as u64, "not a point of the curve"))
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(&g1_to_compressed(self))
    }
}
