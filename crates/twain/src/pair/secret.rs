//! What a side puts in, checked before anything is sent.

use super::files::Common;
use super::session::{Told, Unready};
use crate::error::{AtFile, Error};
use std::path::Path;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, FormatError, InputFile};
use twain_circuit::{Sources, parameters};
use twain_party::Role;

/// A side's inputs or parameters; public inputs on both.
#[derive(Default)]
pub struct Secret {
    pub inputs: Option<Vec<Vec<Fr>>>,
    pub parameters: Option<Vec<Vec<Fr>>>,
}

impl Secret {
    /// Reads it and checks that it fits, and that the masks of the protocol are made for it.
    pub fn read(role: Role, common: &Common, path: &Path, data: &str) -> Result<Self, Unready> {
        let Common { compiled, circuit, .. } = common;
        let program = &circuit.program;
        let public_input = compiled.settings.run_args.input_visibility.is_public();
        let mut secret = Secret::default();
        if role == Role::Data || public_input {
            secret.inputs = Some(inputs(data, compiled)?);
            let checked = program.check_sources(&secret.sources());
            checked
                .at(InputFile::place(data))
                .told("a value of its input is out of the circuit's range")?;
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
fn inputs(data: &str, compiled: &CompiledModel) -> Result<Vec<Vec<Fr>>, Unready> {
    let file = InputFile::from_argument(data).map_err(Error::from);
    let quantized = file.told("its input cannot be read")?.quantize(&compiled.model);
    let told = match &quantized {
        Err(FormatError::Shape(text)) => format!("its input has the wrong shape: {text}"),
        _ => "its input cannot be used".into(),
    };
    quantized.at(InputFile::place(data)).told(&told)
}
