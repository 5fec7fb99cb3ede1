//! The flags of the commands that start from an ONNX file: scales, visibilities, circuit size, with
//! EZKL's names and defaults (spec 02 §5.1).

use clap::{ArgAction, Args, ValueEnum};
use twain_graph::{CheckMode, RunArgs, Visibility};

/// Values of named dimensions.
#[derive(Clone, Debug)]
pub struct Variables(pub Vec<(String, usize)>);

/// Inclusive bounds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds(i128, i128);

/// `--check-mode`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Checks {
    /// Check ranges as the circuit runs.
    Safe,
    /// Do not.
    Unsafe,
}

/// Scales, visibilities and the size of the circuit.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Inputs are multiples of 2^-SCALE.
    #[arg(short = 'S', long, default_value_t = 7, allow_negative_numbers = true)]
    input_scale: i32,
    /// Parameters are multiples of 2^-SCALE.
    #[arg(long, default_value_t = 7, allow_negative_numbers = true)]
    param_scale: i32,
    /// The scale results are brought back to [default: the larger of the two].
    #[arg(long, allow_negative_numbers = true)]
    rebase_scale: Option<i32>,
    /// Results are brought back when they exceed the scale this many times.
    #[arg(long, default_value_t = 1)]
    scale_rebase_multiplier: u32,
    /// The range of lookup tables, `min->max`.
    #[arg(
        short = 'B',
        long,
        default_value = "-32768->32768",
        value_parser = bounds,
        allow_hyphen_values = true
    )]
    lookup_range: Bounds,
    /// log2 of the number of rows.
    #[arg(short = 'K', long, default_value_t = 17)]
    logrows: u32,
    /// Columns of a block.
    #[arg(short = 'N', long, default_value_t = 2)]
    num_inner_cols: usize,
    /// Values of named dimensions, `name->value`, separated by commas.
    #[arg(short = 'V', long, default_value = "batch_size->1", value_parser = variables)]
    variables: Variables,
    /// Who sees the inputs: private, public, fixed, hashed, hashed/private/0,1 or polycommit.
    #[arg(long, default_value = "private", value_parser = visibility)]
    input_visibility: Visibility,
    /// Who sees the outputs.
    #[arg(long, default_value = "public", value_parser = visibility)]
    output_visibility: Visibility,
    /// Who sees the parameters.
    #[arg(long, default_value = "private", value_parser = visibility)]
    param_visibility: Visibility,
    /// Give whole-numbered constants the scale 0.
    #[arg(long, action = ArgAction::SetTrue)]
    rebase_frac_zero_constants: bool,
    /// Whether ranges are checked.
    #[arg(long, value_enum, default_value_t = Checks::Unsafe)]
    check_mode: Checks,
    /// The base of digits.
    #[arg(long, default_value_t = 16384)]
    decomp_base: usize,
    /// The number of digits.
    #[arg(long, default_value_t = 2)]
    decomp_legs: usize,
    /// Logarithms without a lookup table of the whole range.
    #[arg(long, action = ArgAction::SetTrue)]
    bounded_log_lookup: bool,
    /// Do not check the ranges of inputs and outputs.
    #[arg(long, action = ArgAction::SetTrue)]
    ignore_range_check_inputs_outputs: bool,
    /// What reciprocals take for 0.
    #[arg(long)]
    epsilon: Option<f64>,
    /// Lay every einsum out in full.
    #[arg(long, action = ArgAction::SetTrue)]
    disable_freivalds: bool,
}

impl From<RunArguments> for RunArgs {
    fn from(flags: RunArguments) -> Self {
        Self {
            input_scale: flags.input_scale,
            param_scale: flags.param_scale,
            rebase_scale: flags.rebase_scale,
            scale_rebase_multiplier: flags.scale_rebase_multiplier,
            lookup_range: (flags.lookup_range.0, flags.lookup_range.1),
            logrows: flags.logrows,
            num_inner_cols: flags.num_inner_cols,
            variables: flags.variables.0,
            input_visibility: flags.input_visibility,
            output_visibility: flags.output_visibility,
            param_visibility: flags.param_visibility,
            rebase_frac_zero_constants: flags.rebase_frac_zero_constants,
            check_mode: match flags.check_mode {
                Checks::Safe => CheckMode::SAFE,
                Checks::Unsafe => CheckMode::UNSAFE,
            },
            decomp_base: flags.decomp_base,
            decomp_legs: flags.decomp_legs,
            bounded_log_lookup: flags.bounded_log_lookup,
            ignore_range_check_inputs_outputs: flags.ignore_range_check_inputs_outputs,
            epsilon: flags.epsilon,
            disable_freivalds: flags.disable_freivalds,
        }
    }
}

/// Reads `name->value,…`.
pub fn variables(text: &str) -> Result<Variables, String> {
    let pair = |part: &str| {
        let (name, value) = part.split_once("->")?;
        Some((name.trim().to_string(), value.trim().parse().ok()?))
    };
    let pairs: Option<Vec<_>> = text.split(',').map(pair).collect();
    pairs.map(Variables).ok_or_else(|| "variables look like `batch_size->1,length->8`".into())
}

fn bounds(text: &str) -> Result<Bounds, String> {
    let parsed = text
        .split_once("->")
        .and_then(|(low, high)| Some(Bounds(low.trim().parse().ok()?, high.trim().parse().ok()?)));
    parsed.ok_or_else(|| "a range looks like `-32768->32768`".into())
}

fn visibility(text: &str) -> Result<Visibility, String> {
    Visibility::from_flag(text).ok_or_else(|| {
        "one of private, public, fixed, polycommit, hashed, hashed/private/0,1".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: RunArguments,
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        let args: RunArgs = Command::parse_from(["twain"]).args.into();
        assert_eq!(args, RunArgs::default());
    }

    #[test]
    fn flags() {
        let flags = ["twain", "-B", "-8->16", "-V", "batch_size->2,n->3", "--input-scale", "-1"];
        let args: RunArgs = Command::parse_from(flags).args.into();
        assert_eq!(args.lookup_range, (-8, 16));
        assert_eq!(args.variables, [("batch_size".to_string(), 2), ("n".to_string(), 3)]);
        assert_eq!(args.input_scale, -1);
        assert!(Command::try_parse_from(["twain", "-V", "n"]).is_err());
        assert!(Command::try_parse_from(["twain", "-B", "1"]).is_err());
        assert!(Command::try_parse_from(["twain", "--input-visibility", "secret"]).is_err());
    }
}
