//! `witness.json` (spec 02 §3.2).

use super::pretty::{PrettyElements, hashes, hexadecimal, rescaled};
use super::{read_file, write_file};
use crate::felt::field_lists;
use crate::felt::{HexField, HexPoint};
use crate::{ArtifactError, ArtifactKind, FormatError};
use ff::Field;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::Path;
use twain_algebra::{Fr, G1Affine};
use twain_graph::{EZKL_VERSION, RunArgs, Settings};

/// Inputs and outputs of one run. They are overwritten when it is dropped.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphWitness {
    /// The quantised inputs.
    #[serde(with = "field_lists")]
    pub inputs: Vec<Vec<Fr>>,
    /// The same for people.
    pub pretty_elements: Option<PrettyElements>,
    /// The quantised outputs.
    #[serde(with = "field_lists")]
    pub outputs: Vec<Vec<Fr>>,
    /// Hashes of or commitments to the inputs, if their visibility says so.
    pub processed_inputs: Option<Processed>,
    /// Hash of or commitments to the parameters.
    pub processed_params: Option<Processed>,
    /// Hashes of or commitments to the outputs.
    pub processed_outputs: Option<Processed>,
    /// Largest input of a static lookup, 0 if there is none.
    pub max_lookup_inputs: i128,
    /// Smallest input of a static lookup, 0 if there is none.
    pub min_lookup_inputs: i128,
    /// Widest range check.
    pub max_range_size: i128,
    /// The version of EZKL that wrote it.
    pub version: Option<String>,
}

/// What the modules made of inputs, parameters or outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Processed {
    /// One Poseidon hash for each tensor.
    pub poseidon_hash: Option<Vec<Fr>>,
    /// The commitments to each tensor.
    pub polycommit: Option<Vec<Vec<G1Affine>>>,
}

/// What the modules made of all three.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessedElements {
    /// Of the inputs.
    pub inputs: Option<Processed>,
    /// Of the parameters, as one tensor.
    pub params: Option<Processed>,
    /// Of the outputs.
    pub outputs: Option<Processed>,
}

/// The extremes of a run's lookups and range checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupExtremes {
    /// Largest input of a static lookup, 0 if there is none.
    pub max_lookup_inputs: i128,
    /// Smallest input of a static lookup, 0 if there is none.
    pub min_lookup_inputs: i128,
    /// Widest range check.
    pub max_range_size: i128,
}

impl GraphWitness {
    /// The witness of a run, as `gen-witness` makes it. `settings` gives the scales.
    pub fn new(
        inputs: Vec<Vec<Fr>>,
        outputs: Vec<Vec<Fr>>,
        processed: ProcessedElements,
        extremes: LookupExtremes,
        settings: &Settings,
    ) -> Self {
        let processed_hashes = |processed: &Option<Processed>| {
            hashes(processed.as_ref().and_then(|p| p.poseidon_hash.as_deref()).unwrap_or_default())
        };
        let pretty = PrettyElements {
            rescaled_inputs: rescaled(&inputs, &settings.model_input_scales),
            inputs: hexadecimal(&inputs),
            processed_inputs: processed_hashes(&processed.inputs),
            processed_params: processed_hashes(&processed.params),
            processed_outputs: processed_hashes(&processed.outputs),
            rescaled_outputs: rescaled(&outputs, &settings.model_output_scales),
            outputs: hexadecimal(&outputs),
        };
        Self {
            inputs,
            pretty_elements: Some(pretty),
            outputs,
            processed_inputs: processed.inputs,
            processed_params: processed.params,
            processed_outputs: processed.outputs,
            max_lookup_inputs: extremes.max_lookup_inputs,
            min_lookup_inputs: extremes.min_lookup_inputs,
            max_range_size: extremes.max_range_size,
            version: Some(EZKL_VERSION.into()),
        }
    }

    /// The witness inside a compiled model: zeros of the inputs' lengths, and nothing else.
    pub fn zero(lengths: impl Iterator<Item = usize>) -> Self {
        Self {
            inputs: lengths.map(|length| vec![Fr::ZERO; length]).collect(),
            pretty_elements: None,
            outputs: Vec::new(),
            processed_inputs: None,
            processed_params: None,
            processed_outputs: None,
            max_lookup_inputs: 0,
            min_lookup_inputs: 0,
            max_range_size: 0,
            version: None,
        }
    }

    /// The public instances: hashes of the inputs, hash of the parameters, the inputs if they are
    /// public, then the outputs if they are public or else their hashes.
    pub fn instances(&self, run_args: &RunArgs) -> Vec<Fr> {
        let hashes = |processed: &Option<Processed>| {
            let hashes = processed.as_ref().and_then(|processed| processed.poseidon_hash.clone());
            hashes.unwrap_or_default()
        };
        let mut instances = hashes(&self.processed_inputs);
        instances.extend(hashes(&self.processed_params));
        if run_args.input_visibility.is_public() {
            instances.extend(self.inputs.iter().flatten());
        }
        if run_args.output_visibility.is_public() {
            instances.extend(self.outputs.iter().flatten());
        } else {
            instances.extend(hashes(&self.processed_outputs));
        }
        instances
    }

    /// The public part of `pretty_elements`, for a proof.
    pub fn pretty_public_inputs(&self, run_args: &RunArgs) -> Option<PrettyElements> {
        let all = self.pretty_elements.as_ref()?;
        let mut public = PrettyElements::default();
        public.processed_params.clone_from(&all.processed_params);
        if run_args.input_visibility.is_public() {
            public.rescaled_inputs.clone_from(&all.rescaled_inputs);
            public.inputs.clone_from(&all.inputs);
        } else {
            public.processed_inputs.clone_from(&all.processed_inputs);
        }
        if run_args.output_visibility.is_public() {
            public.rescaled_outputs.clone_from(&all.rescaled_outputs);
            public.outputs.clone_from(&all.outputs);
        } else {
            public.processed_outputs.clone_from(&all.processed_outputs);
        }
        Some(public)
    }

    /// The version that wrote the file, if it is not [`EZKL_VERSION`]: worth a warning.
    pub fn foreign_version(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| *version != EZKL_VERSION)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// Not JSON, or not a witness.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`GraphWitness::parse`], or from the file system.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        read_file(path, ArtifactKind::Witness, Self::parse)
    }

    /// Writes a file that its owner only can read.
    ///
    /// # Errors
    /// From the file system.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        write_file(path, ArtifactKind::Witness, self)
    }
}

impl Drop for GraphWitness {
    fn drop(&mut self) {
        self.inputs.iter_mut().chain(&mut self.outputs).for_each(|t| twain_algebra::erase(t));
    }
}

/// Shows numbers of elements only: the values may be private.
impl fmt::Debug for GraphWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = |tensors: &[Vec<Fr>]| tensors.iter().map(Vec::len).collect::<Vec<_>>();
        f.debug_struct("GraphWitness")
            .field("inputs", &lengths(&self.inputs))
            .field("outputs", &lengths(&self.outputs))
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct ProcessedObject {
    poseidon_hash: Option<Vec<HexField>>,
    polycommit: Option<Vec<Vec<HexPoint>>>,
}

impl Serialize for Processed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points = |list: &Vec<G1Affine>| list.iter().map(|point| HexPoint(*point)).collect();
        ProcessedObject {
            poseidon_hash: self
                .poseidon_hash
                .as_ref()
                .map(|hashes| hashes.iter().map(|hash| HexField(*hash)).collect()),
            polycommit: self.polycommit.as_ref().map(|lists| lists.iter().map(points).collect()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Processed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = ProcessedObject::deserialize(deserializer)?;
        let points = |list: Vec<HexPoint>| list.into_iter().map(|point| point.0).collect();
        Ok(Self {
            poseidon_hash: object
                .poseidon_hash
                .map(|hashes| hashes.into_iter().map(|hash| hash.0).collect()),
            polycommit: object.polycommit.map(|lists| lists.into_iter().map(points).collect()),
        })
    }
}
