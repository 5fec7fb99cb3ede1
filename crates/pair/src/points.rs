//! Points of the curve in frames.

use group::GroupEncoding;
use twain_algebra::G1Affine;
use twain_link::scalars::malformed;
use twain_party::PartyError;

/// Bytes of an encoded point.
pub(crate) const POINT_BYTES: usize = size_of::<<G1Affine as GroupEncoding>::Repr>();

pub(crate) fn encode_points(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(|point| point.to_bytes().as_ref().to_vec()).collect()
}

/// # Errors
/// Something else than points.
pub(crate) fn decode_points(
    bytes: &[u8],
    phase: &'static str,
) -> Result<Vec<G1Affine>, PartyError> {
    let point = |bytes: &[u8]| {
        let mut repr = <G1Affine as GroupEncoding>::Repr::default();
        repr.as_mut().copy_from_slice(bytes);
        Option::from(G1Affine::from_bytes(&repr)).ok_or_else(|| malformed(phase))
    };
    bytes.chunks_exact(POINT_BYTES).map(point).collect()
}
