//! Warnings about what EZKL's circuits leave open.

use crate::case::{Case, vector};
use twain_circuit::{Warning, warnings};
use twain_graph::Visibility;

#[test]
fn committed_parameters_are_neither_tied_nor_hidden() {
    let case = Case::new(vector("credit_mlp-k10-polycommit"));
    let found = warnings(&case.compiled.model, &case.compiled.settings);
    let [Warning::UntiedParameters { nodes, .. }, Warning::CommitmentLeaks { what }] = &found[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!((nodes.len(), *what), (4, "parameters"));
}

#[test]
fn bound_parameters_and_private_ones_need_no_warning() {
    let case = Case::new(vector("1l_mlp-k9-private"));
    let (mut model, mut settings) = (case.compiled.model, case.compiled.settings);
    assert_eq!(warnings(&model, &settings), []);
    settings.run_args.param_visibility =
        Visibility::Hashed { hash_is_public: true, outlets: Vec::new() };
    assert!(matches!(warnings(&model, &settings)[..], [Warning::UntiedParameters { .. }]));
    model.for_each_node_mut(&mut |node| node.num_uses = 2);
    assert_eq!(warnings(&model, &settings), []);
    settings.einsum_params.total_einsum_col_size = 1;
    assert_eq!(warnings(&model, &settings), [Warning::UntiedEinsums]);
}
