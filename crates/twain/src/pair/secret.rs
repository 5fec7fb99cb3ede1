//! What a side puts in, checked before anything is sent.

use super::session::{Told, Unready};
use crate::error::{AtFile, Error};
use std::path::Path;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, FormatError, InputFile};
use twain_circuit::{Sources, parameters};
use twain_graph::numbers::field_to_integer;
use twain_party::Role;

/// Parameters are integers below `2^40` in size: the masks of the protocol are made for that.
const PARAMETER_BITS: u32 = 40;

/// A side's inputs or parameters; public inputs on both.
#[derive(Default)]
pub struct Secret {
    pub inputs: Option<Vec<Vec<Fr>>>,
    pub parameters: Option<Vec<Vec<Fr>>>,
}

impl Secret {
    /// Reads it and checks that it fits.
    pub fn read(
        role: Role,
        compiled: &CompiledModel,
        path: &Path,
        data: &str,
    ) -> Result<Self, Unready> {
        let public_input = compiled.settings.run_args.input_visibility.is_public();
        let mut secret = Secret::default();
        if role == Role::Data || public_input {
            secret.inputs = Some(inputs(data, compiled)?);
        }
        if role == Role::Model {
            let parameters = parameters(&compiled.model);
            let refuse = |reason: String, told: &str| Err(Error::file(path, reason)).told(told);
            let limit = 1u128 << PARAMETER_BITS;
            let wide = |value: &Fr| field_to_integer(value).unsigned_abs() >= limit;
            let all = || parameters.iter().flatten();
            if all().any(wide) {
                let reason = format!(
                    "a parameter has {PARAMETER_BITS} bits or more, too wide for a pair: use a \
                     smaller --param-scale"
                );
                return refuse(reason, "a parameter is too wide for a pair");
            }
            if all().count() > 1 && all().all(|value| *value == Fr::zero()) {
                let reason = "all its parameters are 0: this is the redacted circuit; the model's \
                              side needs the full one";
                return refuse(
                    reason.into(),
                    "it has the redacted circuit, and needs the full one",
                );
            }
            secret.parameters = Some(parameters);
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
fn inputs(data: &str, compiled: &CompiledModel) -> Result<Vec<Vec<Fr>>, Unready> {
    let file = InputFile::from_argument(data).map_err(Error::from);
    let quantized = file.told("its input cannot be read")?.quantize(&compiled.model);
    let told = match &quantized {
        Err(FormatError::Shape(text)) => format!("its input has the wrong shape: {text}"),
        _ => "its input cannot be used".into(),
    };
    quantized.at(data).told(&told)
}
