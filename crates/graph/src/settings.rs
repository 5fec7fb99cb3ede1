//! The settings of a circuit, and their JSON form (spec 02 §1, §2.8).

use crate::{CheckMode, InputType, LookupOp, RunArgs};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The version of EZKL whose files are read and written.
pub const EZKL_VERSION: &str = "23.0.5";

/// The settings of a circuit, in the order of the files. In JSON the dynamic lookup and shuffle
/// parameters are flat keys of the object, and unknown keys are an error.
///
/// The orders of `required_lookups` and `required_range_checks` are those of the circuit's columns;
/// they are random per run of EZKL and must be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SettingsObject")]
pub struct Settings {
    /// The arguments of the run.
    pub run_args: RunArgs,
    /// Rows of the main region.
    pub num_rows: usize,
    /// Linear cell coordinate reached by the main region.
    pub total_assignments: usize,
    /// Distinct constants.
    pub total_const_size: usize,
    /// Sizes of the dynamic lookups.
    #[serde(flatten)]
    pub dynamic_lookup_params: DynamicLookupParams,
    /// Sizes of the shuffles.
    #[serde(flatten)]
    pub shuffle_params: ShuffleParams,
    /// Sizes of the einsums.
    pub einsum_params: EinsumParams,
    /// Shapes of the public inputs, then of the public outputs.
    pub model_instance_shapes: Vec<Vec<usize>>,
    /// Scale of each output.
    pub model_output_scales: Vec<i32>,
    /// Scale of each input.
    pub model_input_scales: Vec<i32>,
    /// Sizes of the hash and commitment modules.
    pub module_sizes: ModuleSizes,
    /// Static lookup tables, in the order of their columns.
    pub required_lookups: Vec<LookupOp>,
    /// Range tables, inclusive bounds, in the order of their columns.
    pub required_range_checks: Vec<(i128, i128)>,
    /// Not used by the circuit.
    pub check_mode: CheckMode,
    /// The version of EZKL that wrote the settings.
    pub version: String,
    /// Always absent on disk.
    pub num_blinding_factors: Option<usize>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<u128>,
    /// Type of each input.
    pub input_types: Option<Vec<InputType>>,
    /// Type of each output.
    pub output_types: Option<Vec<InputType>>,
}

impl Settings {
    /// The version that wrote the settings, if it is not [`EZKL_VERSION`]: worth a warning.
    pub fn foreign_version(&self) -> Option<&str> {
        (self.version != EZKL_VERSION).then_some(self.version.as_str())
    }

    /// Whether the circuit has dynamic lookup or shuffle columns.
    pub fn has_dynamic_columns(&self) -> bool {
        self.dynamic_lookup_params.num_dynamic_lookups > 0 || self.shuffle_params.num_shuffles > 0
    }
}

/// Sizes of the dynamic lookups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DynamicLookupParams {
    /// Cells of the table columns.
    pub total_dynamic_col_size: usize,
    /// Longest tensor there.
    pub max_dynamic_input_len: usize,
    /// Number of dynamic lookups.
    pub num_dynamic_lookups: usize,
}

/// Sizes of the shuffles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShuffleParams {
    /// Number of shuffles.
    pub num_shuffles: usize,
    /// Cells of the table columns.
    pub total_shuffle_col_size: usize,
}

/// Lengths of the axes of an einsum's operands, in the order of the file.
pub type AxisLengths = IndexMap<char, usize>;

/// Sizes of the einsums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EinsumParams {
    /// Every einsum of the layout, with the lengths of its axes.
    pub equations: Vec<(String, AxisLengths)>,
    /// Cells of the columns of the randomised check; 0: all einsums are done directly.
    pub total_einsum_col_size: usize,
}

/// Sizes of the hash and commitment modules (spec 02 §1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSizes {
    /// Lengths of the committed tensors.
    pub polycommit: Vec<usize>,
    /// Rows of the hash region, and the numbers of hashed tensors.
    pub poseidon: (usize, Vec<usize>),
}

/// The object as read: flat keys, or the nested ones of older versions, which fill gaps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsObject {
    run_args: RunArgs,
    num_rows: usize,
    total_assignments: usize,
    total_const_size: usize,
    total_dynamic_col_size: Option<usize>,
    max_dynamic_input_len: Option<usize>,
    num_dynamic_lookups: Option<usize>,
    #[serde(default)]
    dynamic_lookup_params: DynamicLookupParams,
    num_shuffles: Option<usize>,
    total_shuffle_col_size: Option<usize>,
    #[serde(default)]
    shuffle_params: ShuffleParams,
    #[serde(default)]
    einsum_params: EinsumParams,
    model_instance_shapes: Vec<Vec<usize>>,
    model_output_scales: Vec<i32>,
    model_input_scales: Vec<i32>,
    module_sizes: ModuleSizes,
    required_lookups: Vec<LookupOp>,
    required_range_checks: Vec<(i128, i128)>,
    check_mode: CheckMode,
    version: String,
    num_blinding_factors: Option<usize>,
    timestamp: Option<u128>,
    input_types: Option<Vec<InputType>>,
    output_types: Option<Vec<InputType>>,
}

impl From<SettingsObject> for Settings {
    fn from(object: SettingsObject) -> Self {
        let dynamic = object.dynamic_lookup_params;
        let shuffle = object.shuffle_params;
        Self {
            run_args: object.run_args,
            num_rows: object.num_rows,
            total_assignments: object.total_assignments,
            total_const_size: object.total_const_size,
            dynamic_lookup_params: DynamicLookupParams {
                total_dynamic_col_size: object
                    .total_dynamic_col_size
                    .unwrap_or(dynamic.total_dynamic_col_size),
                max_dynamic_input_len: object
                    .max_dynamic_input_len
                    .unwrap_or(dynamic.max_dynamic_input_len),
                num_dynamic_lookups: object
                    .num_dynamic_lookups
                    .unwrap_or(dynamic.num_dynamic_lookups),
            },
            shuffle_params: ShuffleParams {
                num_shuffles: object.num_shuffles.unwrap_or(shuffle.num_shuffles),
                total_shuffle_col_size: object
                    .total_shuffle_col_size
                    .unwrap_or(shuffle.total_shuffle_col_size),
            },
            einsum_params: object.einsum_params,
            model_instance_shapes: object.model_instance_shapes,
            model_output_scales: object.model_output_scales,
            model_input_scales: object.model_input_scales,
            module_sizes: object.module_sizes,
            required_lookups: object.required_lookups,
            required_range_checks: object.required_range_checks,
            check_mode: object.check_mode,
            version: object.version,
            num_blinding_factors: object.num_blinding_factors,
            timestamp: object.timestamp,
            input_types: object.input_types,
            output_types: object.output_types,
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
