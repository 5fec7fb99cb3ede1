//! The choice of a circuit's size and of the range of its lookup tables (spec 05 §5.2, §5.4, §5.5).

use twain_graph::{RunArgs, Settings};

/// Rows of a column that hold no entry of a table.
const RESERVED_ROWS: u128 = 8;
/// Most columns of a table.
const MOST_TABLE_COLUMNS: u128 = 12;
/// log2 of the largest circuit.
pub const MOST_LOGROWS: u32 = 26;
/// The scales that are tried unless the user says otherwise.
pub const SCALES: [i32; 3] = [11, 12, 13];
/// log2 of the smallest circuit.
const LEAST_LOGROWS: u32 = 6;

/// What matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The fewest rows, then the highest scales.
    Resources,
    /// The same, with as few rows as tables and instances allow.
    ResourcesColumnOverflow,
    /// The highest scales, then the fewest rows.
    Accuracy,
}

/// What a run of the model on data met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extremes {
    /// Smallest input of a lookup table, at most 0.
    pub low: i128,
    /// Largest input of a lookup table, at least 0.
    pub high: i128,
}

/// ⌈log2 x⌉; 0 for x below 2.
fn bits(x: u128) -> u32 {
    x.saturating_sub(1).checked_ilog2().map_or(0, |log| log + 1)
}

/// Scales and multipliers to try: input scale, parameter scale, multiplier.
pub fn grid(scales: &[i32], multipliers: &[u32], integer_inputs: bool) -> Vec<(i32, i32, u32)> {
    let mut pairs = Vec::new();
    for input in scales {
        pairs.extend(scales.iter().filter(|param| input <= param).map(|param| (*input, *param)));
    }
    if integer_inputs {
        pairs.iter_mut().for_each(|pair| pair.0 = 0);
        pairs.sort_unstable();
        pairs.dedup();
    }
    let with = |(input, param): (i32, i32)| {
        multipliers.iter().map(move |multiplier| (input, param, *multiplier))
    };
    pairs.into_iter().flat_map(with).collect()
}

/// Range of lookup tables and log2 of the number of rows for a circuit of these sizes; `None` if no
/// size fits. The degree of the circuit is not looked at; it matters from 2^24 rows on.
pub fn size(
    settings: &Settings,
    extremes: Extremes,
    margin: f64,
    max_logrows: u32,
) -> Option<((i128, i128), u32)> {
    let low = (margin * extremes.low as f64).floor() as i128;
    let high = (margin * extremes.high as f64).ceil() as i128;
    let width = high.abs_diff(low);
    let range = largest_range(settings);
    let most = MOST_TABLE_COLUMNS << MOST_LOGROWS;
    if width > (most as f64 / margin).floor() as u128 || range > most {
        return None;
    }
    let inner = settings.run_args.num_inner_cols.max(1) as u128;
    let wide = |cells: usize| bits((cells as u128).div_ceil(inner));
    let dynamic = settings.dynamic_lookup_params.total_dynamic_col_size
        + settings.shuffle_params.total_shuffle_col_size;
    let lower = [
        LEAST_LOGROWS,
        bits(instances(settings)),
        bits(settings.module_sizes.poseidon.0 as u128),
        bits(dynamic as u128),
    ];
    let lower = lower.into_iter().max()?;
    let upper = [
        bits(settings.num_rows as u128 + RESERVED_ROWS),
        bits(width.max(range) + RESERVED_ROWS + 1),
        wide(settings.total_const_size),
        wide(settings.einsum_params.total_einsum_col_size),
    ];
    let upper = upper.into_iter().max()?.min(max_logrows.clamp(LEAST_LOGROWS, MOST_LOGROWS));
    let columns = |length: u128, k: u32| length / ((1 << k) - RESERVED_ROWS) + 1;
    let fits = |k: &u32| columns(width.max(range), *k) <= MOST_TABLE_COLUMNS;
    let k = (lower..=upper.max(lower)).rev().find(fits)?;
    Some(((low, high), k))
}

fn largest_range(settings: &Settings) -> u128 {
    let ranges = settings.required_range_checks.iter();
    ranges.map(|(low, high)| high.abs_diff(*low)).max().unwrap_or(0)
}

fn instances(settings: &Settings) -> u128 {
    let shapes = settings.model_instance_shapes.iter();
    let elements: usize = shapes.map(|shape| shape.iter().product::<usize>()).sum();
    (settings.module_sizes.poseidon.1.iter().sum::<usize>() + elements) as u128
}

/// Candidates, the best first.
pub fn ranked(mut candidates: Vec<Settings>, target: Target) -> Vec<Settings> {
    let scales =
        |args: &RunArgs| (args.input_scale, args.param_scale, args.scale_rebase_multiplier);
    candidates.sort_by(|left, right| {
        let (left, right) = (&left.run_args, &right.run_args);
        let by_scales = scales(right).cmp(&scales(left));
        let by_rows = left.logrows.cmp(&right.logrows);
        match target {
            Target::Accuracy => by_scales.then(by_rows),
            _ => by_rows.then(by_scales),
        }
    });
    if target == Target::ResourcesColumnOverflow {
        candidates.iter_mut().for_each(fewest_rows);
    }
    candidates
}

/// As few rows as tables, hashes and instances allow.
fn fewest_rows(settings: &mut Settings) {
    let (low, high) = settings.run_args.lookup_range;
    let sizes = [
        high.abs_diff(low) + RESERVED_ROWS,
        settings.module_sizes.poseidon.0 as u128 + RESERVED_ROWS,
        largest_range(settings),
        instances(settings) + RESERVED_ROWS,
        settings.dynamic_lookup_params.max_dynamic_input_len as u128 + RESERVED_ROWS,
    ];
    let logrows = sizes.into_iter().map(bits).fold(LEAST_LOGROWS, u32::max);
    settings.run_args.logrows = logrows;
}

/// The file's settings with what calibration chose and measured anew.
pub fn recalibrated(file: &Settings, measured: Settings) -> Settings {
    let mut settings = file.clone();
    let (args, chosen) = (&mut settings.run_args, measured.run_args);
    args.input_scale = chosen.input_scale;
    args.param_scale = chosen.param_scale;
    args.scale_rebase_multiplier = chosen.scale_rebase_multiplier;
    args.lookup_range = chosen.lookup_range;
    args.logrows = chosen.logrows;
    Settings {
        num_rows: measured.num_rows,
        total_assignments: measured.total_assignments,
        total_const_size: measured.total_const_size,
        dynamic_lookup_params: measured.dynamic_lookup_params,
        shuffle_params: measured.shuffle_params,
        einsum_params: measured.einsum_params,
        model_output_scales: measured.model_output_scales,
        model_input_scales: measured.model_input_scales,
        required_lookups: measured.required_lookups,
        required_range_checks: measured.required_range_checks,
        ..settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_ordered_and_inputs_of_integers_have_no_scale() {
        let all = grid(&[11, 12], &[1, 10], false);
        let expected = [(11, 11), (11, 12), (12, 12)];
        let expected = expected.into_iter().flat_map(|(a, b)| [(a, b, 1), (a, b, 10)]);
        assert_eq!(all, expected.collect::<Vec<_>>());
        assert_eq!(grid(&[11, 12], &[1], true), [(0, 11, 1), (0, 12, 1)]);
    }

    #[test]
    fn few_rows_or_high_scales_come_first() {
        let settings = |input_scale, logrows| {
            let run_args = RunArgs { input_scale, logrows, ..RunArgs::default() };
            twain_circuit::settings(&twain_graph::Model::default(), &run_args, 0).unwrap()
        };
        let all = vec![settings(7, 15), settings(8, 15), settings(9, 16)];
        let order = |target| -> Vec<i32> {
            let ranked = ranked(all.clone(), target);
            ranked.iter().map(|settings| settings.run_args.input_scale).collect()
        };
        assert_eq!(order(Target::Resources), [8, 7, 9]);
        assert_eq!(order(Target::Accuracy), [9, 8, 7]);
    }

    #[test]
    fn logarithms_round_up() {
        assert_eq!([0, 1, 2, 3, 4, 5, 16392, 16384].map(bits), [0, 0, 1, 2, 2, 3, 15, 14]);
    }
}
