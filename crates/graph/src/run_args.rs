//! The arguments of a run: scales, visibilities, circuit size (spec 02 §1.1).

use crate::{GraphError, Visibility};
use serde::{Deserialize, Serialize};

/// The arguments of a run, in the order of `settings.json`. Unknown keys are ignored when reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunArgs {
    /// Scale of float inputs.
    pub input_scale: i32,
    /// Scale of float constants.
    pub param_scale: i32,
    /// Scale to come back to; the larger of the two above if absent.
    pub rebase_scale: Option<i32>,
    /// Results above `rebase_scale` times this are divided down.
    pub scale_rebase_multiplier: u32,
    /// Inputs of every static lookup table, inclusive.
    pub lookup_range: (i128, i128),
    /// log2 of the rows of the circuit.
    pub logrows: u32,
    /// Columns of a block.
    pub num_inner_cols: usize,
    /// Symbolic dimensions.
    pub variables: Vec<(String, usize)>,
    /// Visibility of the inputs.
    pub input_visibility: Visibility,
    /// Visibility of the outputs.
    pub output_visibility: Visibility,
    /// Visibility of the parameters.
    pub param_visibility: Visibility,
    /// Whether constants that are all integers get scale 0.
    pub rebase_frac_zero_constants: bool,
    /// Not used by the circuit.
    pub check_mode: CheckMode,
    /// Base of range decompositions.
    pub decomp_base: usize,
    /// Digits of range decompositions.
    pub decomp_legs: usize,
    /// Whether `Ln` is a hybrid operation instead of a lookup.
    pub bounded_log_lookup: bool,
    /// Whether inputs and outputs are not range checked.
    pub ignore_range_check_inputs_outputs: bool,
    /// Smallest divisor; f64's machine epsilon if absent.
    pub epsilon: Option<f64>,
    /// Whether einsums are always done directly.
    pub disable_freivalds: bool,
}

/// The defaults of EZKL's command line (those of its Python class have other visibilities).
impl Default for RunArgs {
    fn default() -> Self {
        Self {
            input_scale: 7,
            param_scale: 7,
            rebase_scale: None,
            scale_rebase_multiplier: 1,
            lookup_range: (-32768, 32768),
            logrows: 17,
            num_inner_cols: 2,
            variables: vec![("batch_size".into(), 1)],
            input_visibility: Visibility::Private,
            output_visibility: Visibility::Public,
            param_visibility: Visibility::Private,
            rebase_frac_zero_constants: false,
            check_mode: CheckMode::UNSAFE,
            decomp_base: 16384,
            decomp_legs: 2,
            bounded_log_lookup: false,
            ignore_range_check_inputs_outputs: false,
            epsilon: None,
            disable_freivalds: false,
        }
    }
}

impl RunArgs {
    /// The smallest divisor, with the default filled in.
    pub fn epsilon(&self) -> f64 {
        self.epsilon.unwrap_or(f64::EPSILON)
    }

    /// The rules EZKL applies when compiling. `logrows` is also bounded above, by what BN254's
    /// scalar field allows (2^28 rows).
    ///
    /// # Errors
    /// The first argument out of range, with the rule.
    pub fn validate(&self) -> Result<(), GraphError> {
        let check = |holds: bool, name, reason: &str| {
            holds
                .then_some(())
                .ok_or_else(|| GraphError::RunArgument { name, reason: reason.into() })
        };
        check(
            self.param_visibility != Visibility::Public,
            "param_visibility",
            "parameters cannot be public instances; use fixed",
        )?;
        check(self.scale_rebase_multiplier >= 1, "scale_rebase_multiplier", "must be at least 1")?;
        check(
            self.lookup_range.0 <= self.lookup_range.1,
            "lookup_range",
            "the minimum must not exceed the maximum",
        )?;
        check((1..=28).contains(&self.logrows), "logrows", "must be 1 to 28")?;
        check(self.num_inner_cols >= 1, "num_inner_cols", "must be at least 1")?;
        check(
            !self.variables.iter().any(|(name, value)| name == "batch_size" && *value == 0),
            "variables",
            "batch_size must not be 0",
        )?;
        check(self.decomp_base != 0, "decomp_base", "must not be 0")?;
        check(self.decomp_legs != 0, "decomp_legs", "must not be 0")?;
        let legs = u32::try_from(self.decomp_legs).ok();
        let largest = legs.and_then(|legs| (self.decomp_base as i128).checked_pow(legs));
        check(
            largest.is_some(),
            "decomp_base",
            "decomp_base to the power of decomp_legs must fit 127 bits",
        )
    }
}

/// EZKL's check mode, on the command line in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CheckMode {
    /// Verify what was made.
    SAFE,
    /// Do not.
    #[default]
    UNSAFE,
}
