//! Each command: its arguments to the library's functions, and what these return to words.

use crate::demo;
use std::path::Path;
use twain::observe::Run;
use twain::{Error, alone, pair};
use twain_cli::arguments::{CheckMode, Command, Preprocess, Prove};

/// Runs a command.
pub fn run(command: Command, run: &Run) -> Result<(), Error> {
    match command {
        Command::Table { model, args, allow } => {
            print!("{}", alone::table(&model, &args.into(), allow.into(), run)?);
        }
        Command::GenSettings { model, settings_path, args, allow } => {
            let args = args.into();
            alone::generate_settings(&model, &settings_path, &args, allow.into(), run)?;
        }
        Command::GenRandomData { model, data, variables, seed, min, max } => {
            alone::random_data(&model, &data, &variables.0, seed, min..max)?;
        }
        Command::CalibrateSettings {
            data,
            model,
            settings_path,
            target,
            lookup_safety_margin,
            scales,
            scale_rebase_multiplier,
            max_logrows,
            report,
            accept_error,
            allow,
        } => {
            let calibration = alone::Calibration {
                data,
                model,
                settings_path,
                target: target.into(),
                margin: lookup_safety_margin,
                scales,
                multipliers: scale_rebase_multiplier,
                max_logrows,
                allowances: allow.into(),
                accept_error,
            };
            tell_calibrated(&alone::calibrate(&calibration, run)?, report.as_deref())?;
        }
        Command::CompileCircuit { model, compiled_circuit, settings_path, allow } => {
            alone::compile(&model, &compiled_circuit, &settings_path, allow.into(), run)?;
        }
        Command::GenWitness { data, compiled_circuit, output, vk_path, srs_path } => {
            alone::generate_witness(&data, &compiled_circuit, &output, vk_path, srs_path)?;
        }
        Command::Mock { witness, model } => {
            let failures = alone::mock(&witness, &model)?;
            if !failures.is_empty() {
                failures.iter().for_each(|failure| println!("{failure}"));
                let reason = "the witness does not satisfy the circuit (failures above)";
                return Err(Error::file(witness, reason));
            }
            println!("every constraint holds");
        }
        Command::GenSrs { srs_path, logrows } => alone::generate_srs(&srs_path, logrows, run)?,
        Command::GetSrs { from, srs_path, settings_path, logrows } => {
            println!("{}", alone::import_srs(&from, srs_path, &settings_path, logrows)?);
        }
        Command::Setup {
            compiled_circuit,
            srs,
            vk_path,
            pk_path,
            witness,
            disable_selector_compression,
            einsums,
        } => {
            let setup = alone::Setup {
                compiled_circuit,
                srs: srs.srs_path,
                vk_path,
                pk_path,
                witness,
                compress: !disable_selector_compression,
                allow_unbound_einsums: einsums.allow_unbound_einsums,
            };
            alone::setup(&setup, run)?;
        }
        Command::GenVkFromPk { pk_path, settings_path, vk_path } => {
            alone::vk_from_pk(&pk_path, &settings_path, &vk_path)?;
        }
        Command::Prove(arguments) => prove(*arguments, run)?,
        Command::Preprocess(arguments) => preprocess(*arguments, run)?,
        Command::Verify { settings_path, proof_path, vk_path, srs, reduced_srs } => {
            alone::verify(&settings_path, &proof_path, &vk_path, srs.srs_path, reduced_srs)?;
            println!("verified: true");
        }
        Command::SwapProofCommitments { proof_path, witness_path } => {
            alone::swap_commitments(&proof_path, &witness_path)?;
        }
        Command::Redact { compiled_circuit, output, yes } => {
            redact(&compiled_circuit, &output, yes)?;
        }
        Command::BindParams { compiled_circuit, output } => {
            let bound = alone::bind_params(&compiled_circuit, &output)?;
            println!(
                "{}: {bound} constants are now assigned once and copied to their uses; make new \
                 keys with setup (if it runs out of rows, generate settings with a larger --logrows)",
                output.display()
            );
        }
        Command::Demo { large } => demo::run(large, run)?,
        Command::Identity { identity } => println!("{}", pair::fingerprint(&identity)?),
    }
    Ok(())
}

fn prove(arguments: Prove, run: &Run) -> Result<(), Error> {
    let peer = arguments.pair.peer();
    let Some(side) = arguments.pair.id else {
        return alone::prove(
            &alone::Prove {
                witness: arguments.witness,
                compiled_circuit: arguments.compiled_circuit,
                pk_path: arguments.pk_path,
                srs_path: arguments.srs.srs_path,
                proof_path: arguments.proof_path,
                verify: arguments.check_mode == CheckMode::Safe,
                allow_unbound_einsums: arguments.einsums.allow_unbound_einsums,
            },
            run,
        );
    };
    let files = pair::ProveFiles {
        common: pair::CommonFiles {
            compiled_circuit: arguments.compiled_circuit,
            pk_path: arguments.pk_path,
            srs_path: arguments.srs.srs_path,
            allow_polycommit: arguments.pair.allow_polycommit,
            allow_unbound_einsums: arguments.einsums.allow_unbound_einsums,
        },
        data: arguments.data,
        proof_path: arguments.proof_path,
        reveal: arguments.reveal_output.map(Into::into),
        output_path: arguments.output_path,
        published_commitment: arguments.published_commitment,
    };
    pair::prove(side.into(), &files, &peer, run)
}

fn preprocess(arguments: Preprocess, run: &Run) -> Result<(), Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair, einsums } = arguments;
    let Some(side) = pair.id else {
        let text = "preprocess needs a peer: give --id, and --remote-peer, --local-addr or both";
        return Err(Error::Usage(text.into()));
    };
    let files = pair::CommonFiles {
        compiled_circuit,
        pk_path,
        srs_path: srs.srs_path,
        allow_polycommit: pair.allow_polycommit,
        allow_unbound_einsums: einsums.allow_unbound_einsums,
    };
    pair::preprocess(side.into(), &files, proofs, &pair.peer(), run)
}

/// Writes the circuit without its parameters, after listing what of the model stays visible.
fn redact(path: &Path, output: &Path, yes: bool) -> Result<(), Error> {
    let redaction = alone::redact(path)?;
    println!(
        "Visible in any case: the graph, the shapes and scales of its tensors, logrows and timestamp. \
         They can tell what the parameters decided before compilation: a bias of zeros and a factor \
         of one are left out, equal constants are merged, calibration chose scales and logrows by \
         activations."
    );
    if !redaction.visible.is_empty() {
        println!("Values of the model that stay visible:");
        redaction.visible.iter().for_each(|value| println!("  {value}"));
        if !yes {
            let reason = "nothing was written: pass --yes if the data's owner may see these values";
            return Err(Error::file(path, reason));
        }
    }
    redaction.write(output)
}

/// Prints how good the circuit is, and writes the page about it.
fn tell_calibrated(calibrated: &alone::Calibrated, report: Option<&Path>) -> Result<(), Error> {
    let logrows = calibrated.settings.run_args.logrows;
    println!("Numerical fidelity with {}, logrows {logrows}", calibrated.chosen());
    if calibrated.comparison.outputs.is_empty() {
        println!("(not measured: the data are not numbers, or attributes of the file are ignored)");
        return Ok(());
    }
    print!("{}", calibrated.comparison.errors());
    if let Some(path) = report {
        std::fs::write(path, calibrated.page()).map_err(|error| Error::file(path, error))?;
        println!("plots: {}", path.display());
    }
    Ok(())
}
