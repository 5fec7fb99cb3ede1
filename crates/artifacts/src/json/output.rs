//! `output.json`: the model's outputs, for a side of a pair to which both revealed them. EZKL has
//! no such file; names and encodings are those of `witness.json` (spec 02 §3.2).

use super::pretty::rescaled;
use super::write_to;
use crate::felt::field_lists;
use crate::{ArtifactError, Destination};
use serde::Serialize;
use twain_algebra::Fr;
use twain_graph::Settings;
use zeroize::Zeroize;

/// The outputs of a run. They are overwritten when it is dropped.
#[derive(Serialize)]
pub struct OutputFile {
    /// As real numbers, one list for each output.
    rescaled_outputs: Vec<Vec<String>>,
    /// As field elements.
    #[serde(with = "field_lists")]
    outputs: Vec<Vec<Fr>>,
}

impl OutputFile {
    /// The outputs of a model with these settings, which give the scales.
    pub fn new(outputs: Vec<Vec<Fr>>, settings: &Settings) -> Self {
        Self { rescaled_outputs: rescaled(&outputs, &settings.model_output_scales), outputs }
    }

    /// Writes the file, to a place opened for an
    /// [`ArtifactKind::Output`](crate::ArtifactKind::Output).
    ///
    /// # Errors
    /// From the file system.
    pub fn write_to(&self, destination: Destination) -> Result<(), ArtifactError> {
        write_to(destination, self)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        self.rescaled_outputs.zeroize();
        self.outputs.iter_mut().for_each(|tensor| twain_algebra::erase(tensor));
    }
}
