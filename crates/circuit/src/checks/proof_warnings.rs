//! What a circuit does not prove, or its proofs tell, although a user would expect otherwise. It is
//! so in EZKL's circuits and must stay so where keys have to be equal (spec 03 §8, spec 04 §9).

use std::fmt;
use twain_graph::{Model, Settings, SupportedOp};

/// Something to tell the user before keys are made or a proof is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Results of einsums are not tied to where they are used, nor digits to decomposed values.
    UntiedEinsums,
    /// Constants read once are not tied to the commitment or hash of the parameters.
    UntiedParameters {
        /// Their nodes.
        nodes: Vec<usize>,
        /// `hashed` or `polycommit`.
        visibility: &'static str,
    },
    /// Every proof tells a linear combination of the committed values.
    CommitmentLeaks {
        /// `inputs`, `parameters` or `outputs`.
        what: &'static str,
    },
    /// Inputs that are committed to or hashed are not range checked.
    UncheckedInputs,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::UntiedEinsums => f.write_str(
                "einsums use Freivalds' check, which in EZKL's circuits ties neither their results nor \
                 the digits of range decompositions to the values used afterwards: a proof means \
                 almost nothing; run gen-settings with --disable-freivalds",
            ),
            Warning::UntiedParameters { nodes, visibility } => write!(
                f,
                "the constants of nodes {nodes:?} are used once, and such constants are not tied to \
                 the {visibility} parameters: the proof does not show that they are the published \
                 ones; bind-params makes the tied form"
            ),
            Warning::CommitmentLeaks { what } => write!(
                f,
                "{what} are polycommit: every proof tells 254 bits of exact linear information about \
                 them, and few proofs tell all; prefer hashed"
            ),
            Warning::UncheckedInputs => f.write_str(
                "inputs that are hashed or committed to are not range checked by the circuit",
            ),
        }
    }
}

/// The warnings for a model with these settings.
pub fn warnings(model: &Model, settings: &Settings) -> Vec<Warning> {
    let args = &settings.run_args;
    let mut warnings = Vec::new();
    if settings.einsum_params.total_einsum_col_size > 0 {
        warnings.push(Warning::UntiedEinsums);
    }
    if args.param_visibility.requires_processing() {
        let mut nodes = Vec::new();
        model.for_each_node(&mut |node| {
            if matches!(node.op, SupportedOp::Constant(_)) && node.num_uses < 2 {
                nodes.push(node.idx);
            }
        });
        let visibility = if args.param_visibility.is_hashed() { "hashed" } else { "polycommit" };
        if !nodes.is_empty() {
            warnings.push(Warning::UntiedParameters { nodes, visibility });
        }
    }
    let visibilities = [
        (&args.input_visibility, "inputs"),
        (&args.param_visibility, "parameters"),
        (&args.output_visibility, "outputs"),
    ];
    for (visibility, what) in visibilities {
        if visibility.is_polycommit() {
            warnings.push(Warning::CommitmentLeaks { what });
        }
    }
    let decomposed = !args.ignore_range_check_inputs_outputs;
    if decomposed && args.input_visibility.requires_processing() {
        warnings.push(Warning::UncheckedInputs);
    }
    warnings
}
