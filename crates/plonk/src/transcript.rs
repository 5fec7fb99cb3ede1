//! The Fiat–Shamir transcript over Keccak-256 (spec 01 §5.1), and proofs as the sequence of what
//! is written to it.

use crate::error::ProofError;
use ff::{FromUniformBytes, PrimeField};
use halo2curves::CurveAffine;
use sha3::{Digest, Keccak256};
use twain_algebra::{Fq, Fr, G1Affine};

/// The hash state. It holds public values only.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    buffer: Vec<u8>,
}

impl Transcript {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a scalar.
    pub fn absorb_scalar(&mut self, scalar: &Fr) {
        self.buffer.extend(scalar_bytes(scalar));
    }

    /// Takes in a point.
    pub fn absorb_point(&mut self, point: &G1Affine) {
        self.buffer.extend(point_bytes(point));
    }

    /// Draws a challenge.
    pub fn squeeze(&mut self) -> Fr {
        let digest = self.digest();
        self.buffer = digest.to_vec();
        let mut wide = [0u8; 64];
        wide.iter_mut().zip(digest.iter().rev()).for_each(|(to, from)| *to = *from);
        Fr::from_uniform_bytes(&wide)
    }

    /// What the next challenge is made of; for parties to compare. Does not change the state.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Keccak256::new();
        hash.update(&self.buffer);
        // Two challenges in a row must differ in what they hash.
        if self.buffer.len() == 32 {
            hash.update([1]);
        }
        hash.finalize().into()
    }
}

/// The prover's side: what is written is absorbed and becomes part of the proof.
#[derive(Clone, Debug, Default)]
pub struct ProofWriter {
    /// The transcript.
    pub transcript: Transcript,
    proof: Vec<u8>,
}

impl ProofWriter {
    /// An empty proof.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a scalar.
    pub fn write_scalar(&mut self, scalar: &Fr) {
        self.transcript.absorb_scalar(scalar);
        self.proof.extend(scalar_bytes(scalar));
    }

    /// Appends a point.
    pub fn write_point(&mut self, point: &G1Affine) {
        self.transcript.absorb_point(point);
        self.proof.extend(point_bytes(point));
    }

    /// The proof.
    pub fn finish(self) -> Vec<u8> {
        self.proof
    }
}

/// The verifier's side: what is read is absorbed.
#[derive(Clone, Debug)]
pub struct ProofReader<'a> {
    /// The transcript.
    pub transcript: Transcript,
    proof: &'a [u8],
    offset: usize,
}

impl<'a> ProofReader<'a> {
    /// At the start of `proof`.
    pub fn new(proof: &'a [u8]) -> Self {
        Self { transcript: Transcript::new(), proof, offset: 0 }
    }

    /// Reads a scalar; `item` names it in errors.
    pub fn read_scalar(&mut self, item: impl ToString) -> Result<Fr, ProofError> {
        let scalar = self.read_element(&item)?;
        self.transcript.absorb_scalar(&scalar);
        Ok(scalar)
    }

    /// Reads a point, the identity included; `item` names it in errors.
    pub fn read_point(&mut self, item: impl ToString) -> Result<G1Affine, ProofError> {
        let offset = self.offset;
        let x: Fq = self.read_element(&item)?;
        let y: Fq = self.read_element(&item)?;
        let point = point_from(x, y)
            .ok_or_else(|| ProofError::NotOnCurve { item: item.to_string(), offset })?;
        self.transcript.absorb_point(&point);
        Ok(point)
    }

    /// Number of bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn read_element<F: PrimeField<Repr: From<[u8; 32]>>>(
        &mut self,
        item: &impl ToString,
    ) -> Result<F, ProofError> {
        let offset = self.offset;
        let bytes = self.proof.get(offset..).and_then(|rest| rest.first_chunk::<32>());
        let mut bytes = *bytes.ok_or_else(|| ProofError::Truncated {
            item: item.to_string(),
            offset: self.proof.len(),
        })?;
        bytes.reverse();
        self.offset += 32;
        Option::from(F::from_repr(bytes.into()))
            .ok_or_else(|| ProofError::NotCanonical { item: item.to_string(), offset })
    }
}

/// The point with these coordinates; (0, 0) is the identity.
fn point_from(x: Fq, y: Fq) -> Option<G1Affine> {
    Option::from(G1Affine::from_xy(x, y))
}

/// Big-endian, canonical.
fn scalar_bytes<F: PrimeField>(scalar: &F) -> Vec<u8> {
    scalar.to_repr().as_ref().iter().rev().copied().collect()
}

fn point_bytes(point: &G1Affine) -> Vec<u8> {
    // The affine identity is stored as (0, 0).
    let mut bytes = scalar_bytes(&point.x);
    bytes.extend(scalar_bytes(&point.y));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::scalar_text;
    use ff::Field;
    use group::prime::PrimeCurveAffine;

    #[test]
    fn known_challenges() {
        let mut transcript = Transcript::new();
        transcript.absorb_scalar(&Fr::ONE);
        let mut next = |expected: &str| assert_eq!(scalar_text(&transcript.squeeze()), expected);
        next("0x11518d24ee5af618fccb3646ff6d685bcabc04eb60e9c5a1533bed0c2b10c4de");
        next("0x0811a3d1a569f3800dbfc290e8053f4c8eb9d14896946e58c0a9449579a5a4aa");
        transcript.absorb_point(&G1Affine::generator());
        let third = "0x06f0dd719096f82e567d803a1ccaa1ca9988c2f75205ab84fe187291d1c575cb";
        assert_eq!(scalar_text(&transcript.squeeze()), third);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = ProofWriter::new();
        let points = [G1Affine::generator(), G1Affine::identity()];
        writer.write_scalar(&-Fr::ONE);
        points.iter().for_each(|point| writer.write_point(point));
        let challenge = writer.transcript.squeeze();
        let proof = writer.finish();
        let mut reader = ProofReader::new(&proof);
        assert_eq!(reader.read_scalar("s"), Ok(-Fr::ONE));
        assert_eq!(points.map(|_| reader.read_point("p").unwrap()), points);
        assert_eq!(reader.transcript.squeeze(), challenge);
        let truncated = ProofError::Truncated { item: "t".into(), offset: 160 };
        assert_eq!(reader.read_scalar("t"), Err(truncated));
    }

    #[test]
    fn bad_elements_are_refused() {
        let ones = [0xff; 32];
        let error = ProofReader::new(&ones).read_scalar("s").unwrap_err();
        assert_eq!(error, ProofError::NotCanonical { item: "s".into(), offset: 0 });
        let mut off = vec![0; 64];
        off[63] = 1;
        let error = ProofReader::new(&off).read_point("p").unwrap_err();
        assert_eq!(error, ProofError::NotOnCurve { item: "p".into(), offset: 0 });
    }
}
