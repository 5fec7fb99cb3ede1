//! What two parties cannot prove is found in the circuit, and named.

use std::path::Path;
use twain_artifacts::CompiledModel;
use twain_circuit::{ProductTree, lay_out, pair_refusals};
use twain_graph::{HybridOp, NodeKind, SupportedOp};

fn compiled(folder: &str) -> CompiledModel {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(folder);
    CompiledModel::read(&file.join("model.compiled")).unwrap()
}

fn refusals(folder: &str) -> Vec<String> {
    refusals_of(&compiled(folder))
}

fn refusals_of(compiled: &CompiledModel) -> Vec<String> {
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap();
    pair_refusals(&circuit, &compiled.model).iter().map(ToString::to_string).collect()
}

#[test]
fn nodes_and_remedies() {
    let mut narrow = compiled("circuit_classes/nine_table_columns-k8");
    narrow.settings.run_args.logrows = 5;
    let tables = refusals_of(&narrow);
    let named = |text: &str, part: &str| assert!(text.contains(part), "{text}");
    assert_eq!(tables.len(), 1, "{tables:?}");
    named(&tables[0], "node 0 (Input): the range check 0 to 2047 ");
    named(&tables[0], "takes 86 table columns of 2^5 rows");
    named(&tables[0], "use --logrows 6 or more, or a smaller --decomp-base");
}

#[test]
fn reciprocals_of_too_large_scales_are_named() {
    let mut compiled = compiled("pair_circuits/weighted-reciprocal");
    for kind in compiled.model.graph.nodes.values_mut() {
        if let NodeKind::Node(node) = kind
            && let SupportedOp::Hybrid(HybridOp::Recip { input_scale, .. }) = &mut node.op
        {
            *input_scale = 2f32.powi(90);
        }
    }
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap();
    let refusals = pair_refusals(&circuit, &compiled.model);
    let text = refusals.first().map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("(Hybrid Recip): two parties cannot compute reciprocals"), "{text}");
}

#[test]
fn what_pairs_prove_is_not_refused() {
    for folder in [
        "vectors/1l_mlp-k9-private",
        "pair_circuits/hashed_input_parameters-k11",
        "pair_circuits/weighted-arg-max",
        "pair_circuits/weighted-base-100",
        "pair_circuits/weighted-gather",
        "pair_circuits/weighted-ln",
        "pair_circuits/weighted-reciprocal",
        "pair_circuits/weighted-reciprocal-wide",
        "pair_circuits/weighted-round",
        "pair_circuits/weighted-rsqrt",
        "pair_circuits/weighted-scatter",
        "pair_circuits/weighted-softmax",
        "pair_circuits/weighted-max-pool",
        "circuit_classes/eighteen_table_columns-k7",
        "circuit_classes/freivalds-k10",
        "circuit_classes/nine_table_columns-k8",
        "circuit_classes/sigmoid-k10",
        "circuits/one-hot",
        "circuits/scatter-elements-rows",
    ] {
        assert_eq!(refusals(folder), Vec::<String>::new());
    }
}
