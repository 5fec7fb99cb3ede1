//! Run arguments of a settings file, as flags.

use serde_json::Value;

const NUMBERS: [&str; 8] = [
    "input_scale",
    "param_scale",
    "rebase_scale",
    "scale_rebase_multiplier",
    "logrows",
    "num_inner_cols",
    "decomp_base",
    "decomp_legs",
];
const VISIBILITIES: [&str; 3] = ["input_visibility", "output_visibility", "param_visibility"];
const SWITCHES: [&str; 4] = [
    "rebase_frac_zero_constants",
    "bounded_log_lookup",
    "ignore_range_check_inputs_outputs",
    "disable_freivalds",
];

/// The flags that give the run arguments of settings; `epsilon` is left at its default.
pub fn flags(settings: &Value) -> Vec<String> {
    let args = &settings["run_args"];
    let flag = |name: &str| format!("--{}", name.replace('_', "-"));
    let mut flags = Vec::new();
    for name in NUMBERS {
        if let Some(number) = args[name].as_i64() {
            flags.extend([flag(name), number.to_string()]);
        }
    }
    let range = &args["lookup_range"];
    flags.extend(["--lookup-range".into(), format!("{}->{}", range[0], range[1])]);
    let variables = args["variables"].as_array().into_iter().flatten();
    let variables =
        variables.map(|pair| format!("{}->{}", pair[0].as_str().unwrap_or_default(), pair[1]));
    flags.extend(["--variables".into(), variables.collect::<Vec<_>>().join(",")]);
    for name in VISIBILITIES {
        flags.extend([flag(name), visibility(&args[name])]);
    }
    flags.extend(SWITCHES.into_iter().filter(|name| args[name] == true).map(flag));
    flags
}

fn visibility(value: &Value) -> String {
    match value.as_str() {
        Some("KZGCommit") => "polycommit".into(),
        Some(name) => name.to_lowercase(),
        None => "hashed".into(),
    }
}
