//! Settings in binary form (spec 02 §2.8).

use super::{Binary, Reader, choice, record};
use crate::FormatError;
use std::io::{self, Write};
use twain_graph::{
    CheckMode, DynamicLookupParams, EinsumParams, ModuleSizes, RunArgs, Settings, ShuffleParams,
};

record!(Settings {
    run_args num_rows total_assignments total_const_size dynamic_lookup_params shuffle_params
    einsum_params model_instance_shapes model_output_scales model_input_scales module_sizes
    required_lookups required_range_checks check_mode version num_blinding_factors timestamp
    input_types output_types
});

record!(RunArgs {
    input_scale param_scale rebase_scale scale_rebase_multiplier lookup_range logrows num_inner_cols
    variables input_visibility output_visibility param_visibility rebase_frac_zero_constants
    check_mode decomp_base decomp_legs bounded_log_lookup ignore_range_check_inputs_outputs epsilon
    disable_freivalds
});

record!(DynamicLookupParams { total_dynamic_col_size max_dynamic_input_len num_dynamic_lookups });
record!(ShuffleParams { num_shuffles total_shuffle_col_size });
record!(EinsumParams { equations total_einsum_col_size });
record!(ModuleSizes { polycommit poseidon });

choice!(CheckMode {
    0 SAFE,
    1 UNSAFE,
});
