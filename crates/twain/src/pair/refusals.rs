//! What makes no sense between two parties, or gives a secret away: refused before anything is
//! sent, with the reason and the way out. Both sides find it out by themselves.

use crate::error::Error;
use std::path::Path;
use twain_artifacts::CompiledModel;
use twain_circuit::{Circuit, pair_refusals};
use twain_graph::{RunArgs, Visibility};

/// What every proof of committed values gives away, for messages.
pub const LINEAR_EQUATION: &str = "its column has no random rows, so every proof publishes one exact \
     linear equation of the committed values, and small models fall to a single proof";

/// Checks visibilities and the circuit.
pub fn check(
    path: &Path,
    compiled: &CompiledModel,
    circuit: &Circuit,
    allow_polycommit: bool,
) -> Result<(), Error> {
    visibilities(&compiled.settings.run_args, allow_polycommit)
        .map_err(|reason| Error::file(path, reason))?;
    consistent(compiled).map_err(|reason| Error::file(path, reason))?;
    match pair_refusals(circuit, &compiled.model).first() {
        Some(refusal) => Err(Error::file(path, refusal)),
        None => Ok(()),
    }
}

/// The graph says who knows a value, the settings what the user is told of it: a file may come from
/// the peer, so both must say the same.
fn consistent(compiled: &CompiledModel) -> Result<(), String> {
    let (graph, args) = (&compiled.model.visibility, &compiled.settings.run_args);
    let said = [
        ("input_visibility", &graph.input, &args.input_visibility),
        ("param_visibility", &graph.params, &args.param_visibility),
        ("output_visibility", &graph.output, &args.output_visibility),
    ];
    match said.iter().find(|(_, graph, settings)| graph != settings) {
        Some((name, graph, settings)) => Err(format!(
            "{name} is {graph} in its graph and {settings} in its settings: compile the circuit anew"
        )),
        None => Ok(()),
    }
}

fn visibilities(args: &RunArgs, allow_polycommit: bool) -> Result<(), String> {
    if args.param_visibility == Visibility::Fixed {
        return Err(
            "param_visibility is fixed: the parameters are part of the keys, which the data's \
                    side holds; compile the circuit with private or hashed parameters"
                .into(),
        );
    }
    let named = [
        ("input_visibility", &args.input_visibility),
        ("param_visibility", &args.param_visibility),
        ("output_visibility", &args.output_visibility),
    ];
    for (name, visibility) in named {
        if *visibility == Visibility::Fixed {
            return Err(format!(
                "{name} is fixed: the values are part of the keys, which both sides hold; compile \
                 with another visibility"
            ));
        }
        if *visibility == Visibility::KZGCommit && !allow_polycommit {
            return Err(format!(
                "{name} is polycommit: {LINEAR_EQUATION}; compile with hashed visibility, or accept \
                 it with --allow-polycommit"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visibilities_are_refused_by_name() {
        let refused = |change: fn(&mut RunArgs), allow: bool| {
            let mut args = RunArgs::default();
            change(&mut args);
            visibilities(&args, allow).err().unwrap_or_default()
        };
        assert_eq!(refused(|_| {}, false), "");
        assert!(refused(|a| a.param_visibility = Visibility::Fixed, true).contains("data's side"));
        let output = refused(|a| a.output_visibility = Visibility::Fixed, true);
        assert!(output.contains("output_visibility"), "{output}");
        let input = refused(|a| a.input_visibility = Visibility::KZGCommit, false);
        assert!(input.contains("input_visibility") && input.contains("linear equation"), "{input}");
        assert_eq!(refused(|a| a.input_visibility = Visibility::KZGCommit, true), "");
        assert_eq!(refused(|a| a.input_visibility = Visibility::Public, false), "");
    }

    #[test]
    fn graph_and_settings_say_the_same() {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
        let path = vectors.join("1l_relu-k8-private/model.compiled");
        let mut compiled = CompiledModel::read(&path).unwrap();
        consistent(&compiled).unwrap();
        compiled.model.visibility.input = Visibility::Public;
        assert!(consistent(&compiled).unwrap_err().contains("input_visibility is "));
    }
}
