//! What a side puts in, its inputs (protocol §1.4) and parameters, checked before anything is sent.

use super::session::{Told, Unready};
use crate::error::{AtFile, Error};
use crate::owners::owned_by;
use crate::prover::Prover;
use std::path::Path;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, FormatError, InputFile};
use twain_circuit::{Sources, parameters};
use twain_party::Role;

/// A side's inputs and parameters; public inputs on both.
#[derive(Default)]
pub struct Secret {
    /// In the order of the circuit's inputs; those of the other side are empty.
    pub inputs: Option<Vec<Vec<Fr>>>,
    pub parameters: Option<Vec<Vec<Fr>>>,
}

impl Secret {
    /// The places of the inputs that `role`'s side puts in: its own, or all if they are public.
    /// None if it takes no input file.
    pub fn own_inputs(role: Role, prover: &Prover) -> Option<Vec<usize>> {
        let all = || (0..prover.owners.len()).collect();
        match prover.compiled.settings.run_args.input_visibility.is_public() {
            true => Some(all()),
            false => Some(owned_by(role, &prover.owners))
                .filter(|own| role == Role::Data || !own.is_empty()),
        }
    }

    /// Checks that it fits, and that the masks of the protocol are made for it. The input comes
    /// from `place`.
    pub fn new(
        role: Role,
        prover: &Prover,
        input: Option<&InputFile>,
        place: &Path,
    ) -> Result<Self, Unready> {
        let Prover { compiled, circuit, circuit_path: path, .. } = prover;
        let program = &circuit.program;
        let mut secret = Secret::default();
        if let Some(own) = Self::own_inputs(role, prover) {
            let Some(input) = input else {
                return Err(Error::Usage("this side needs an input".into()).into());
            };
            secret.inputs = Some(quantized(input, place, compiled, &own)?);
            let checked = program.check_sources(&secret.sources());
            checked.at(place).told("a value of its input is out of the circuit's range")?;
        }
        if role == Role::Model {
            secret.parameters = Some(parameters(&compiled.model));
            let checked = program.check_sources(&secret.sources());
            checked.at(path).told("a parameter is too wide for a pair")?;
            // A circuit without parameters is whole as it is.
            let has_parameters = secret.parameters.iter().flatten().any(|list| !list.is_empty());
            if compiled.is_redacted() && has_parameters {
                let reason = "this is the redacted circuit, without its parameters; the model's \
                              side needs the full one";
                return Err(Error::file(path, reason))
                    .told("it has the redacted circuit, and needs the full one");
            }
        }
        Ok(secret)
    }

    /// As the witness program takes it.
    pub fn sources(&self) -> Sources<'_> {
        Sources { inputs: self.inputs.as_deref(), parameters: self.parameters.as_deref() }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let tensors = self.inputs.iter_mut().chain(&mut self.parameters).flatten();
        tensors.for_each(|tensor| twain_algebra::erase(tensor));
    }
}

/// The quantised inputs. Of what is wrong with them the peer is told the shape, which it knows.
fn quantized(
    input: &InputFile,
    place: &Path,
    compiled: &CompiledModel,
    own: &[usize],
) -> Result<Vec<Vec<Fr>>, Unready> {
    let quantized = input.quantize_own(&compiled.model, own);
    let told = match &quantized {
        Err(FormatError::Shape(text)) => format!("its input has the wrong shape: {text}"),
        _ => "its input cannot be used".into(),
    };
    quantized.at(place).told(&told)
}
