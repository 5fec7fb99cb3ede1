use super::*;

const RELU: &str = include_str!("../../../tests/vectors/1l_relu-k8-private/settings.json");

fn parse(text: &str) -> Result<Settings, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn a_file_of_ezkl_comes_out_the_same() {
    let settings = parse(RELU).unwrap();
    assert_eq!(settings.run_args.decomp_base, 64);
    assert_eq!(settings.foreign_version(), None);
    assert_eq!(serde_json::to_string(&settings).unwrap(), RELU);
}

#[test]
fn unknown_keys_are_refused_at_the_top_only() {
    let top = RELU.replacen("\"num_rows\"", "\"extra\":1,\"num_rows\"", 1);
    assert!(parse(&top).unwrap_err().to_string().contains("extra"));
    let inner = RELU.replacen("\"input_scale\"", "\"tolerance\":{\"val\":0.0},\"input_scale\"", 1);
    assert_eq!(parse(&inner).unwrap(), parse(RELU).unwrap());
}

#[test]
fn duplicates_and_gaps_are_refused() {
    let twice = RELU.replacen("\"num_rows\"", "\"num_rows\":1,\"num_rows\"", 1);
    assert!(parse(&twice).unwrap_err().to_string().contains("duplicate"));
    let gone = RELU.replacen("\"decomp_base\":64,", "", 1);
    assert!(parse(&gone).unwrap_err().to_string().contains("decomp_base"));
}

#[test]
fn nested_keys_of_older_versions_fill_gaps() {
    let flat = "\"total_dynamic_col_size\":0,\"max_dynamic_input_len\":0,\"num_dynamic_lookups\":0,\
                \"num_shuffles\":0,\"total_shuffle_col_size\":0";
    assert!(RELU.contains(flat));
    let nested = "\"num_dynamic_lookups\":7,\"dynamic_lookup_params\":{\"total_dynamic_col_size\":3,\
                  \"max_dynamic_input_len\":2,\"num_dynamic_lookups\":1},\
                  \"shuffle_params\":{\"num_shuffles\":4,\"total_shuffle_col_size\":5}";
    let settings = parse(&RELU.replacen(flat, nested, 1)).unwrap();
    let dynamic = settings.dynamic_lookup_params;
    assert_eq!((dynamic.total_dynamic_col_size, dynamic.max_dynamic_input_len), (3, 2));
    assert_eq!(dynamic.num_dynamic_lookups, 7);
    assert_eq!(
        settings.shuffle_params,
        ShuffleParams { num_shuffles: 4, total_shuffle_col_size: 5 }
    );
}

#[test]
fn run_arguments_out_of_range() {
    let base = RunArgs::default();
    assert_eq!(base.validate(), Ok(()));
    let wrong: [RunArgs; 8] = [
        RunArgs { decomp_base: 1 << 20, decomp_legs: 7, ..base.clone() },
        RunArgs { decomp_base: 0, ..base.clone() },
        RunArgs { decomp_legs: 0, ..base.clone() },
        RunArgs { logrows: 29, ..base.clone() },
        RunArgs { num_inner_cols: 0, ..base.clone() },
        RunArgs { lookup_range: (1, 0), ..base.clone() },
        RunArgs { variables: vec![("batch_size".into(), 0)], ..base.clone() },
        RunArgs { param_visibility: crate::Visibility::Public, ..base.clone() },
    ];
    for args in wrong {
        assert!(args.validate().is_err(), "{args:?}");
    }
}
