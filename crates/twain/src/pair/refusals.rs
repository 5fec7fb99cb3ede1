//! What makes no sense between two parties, or gives a secret away: refused before anything is sent,
//! with the reason and the way out. Both sides find it out by themselves.

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
    match pair_refusals(circuit, &compiled.model).first() {
        Some(refusal) => Err(Error::file(path, refusal)),
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
}
