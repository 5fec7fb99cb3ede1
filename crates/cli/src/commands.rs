//! Each command: its arguments to the library's functions, and what these return to words.

use crate::{demo, evm_commands, print};
use std::path::Path;
use std::time::Duration;
use twain::observe::Run;
use twain::{Error, ProverFiles, alone, pair};
use twain_cli::arguments::{Bundles, CheckMode, Command, Preprocess, Prove, UnboundEinsums};

/// Runs a command; what it says last, if there is something to say.
pub fn run(command: Command, run: &Run) -> Result<Option<String>, Error> {
    match command {
        Command::Table { model, args, allow } => {
            print::block(alone::table(&model, &args.into(), allow.into(), run)?)?;
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
                failures.iter().try_for_each(print::line)?;
                let reason = "the witness does not satisfy the circuit (failures above)";
                return Err(Error::file(witness, reason));
            }
            print::line("every constraint holds")?;
        }
        Command::GenSrs { srs_path, logrows } => alone::generate_srs(&srs_path, logrows, run)?,
        Command::GetSrs { from, url, srs_path, settings_path, logrows } => {
            let done = match from {
                Some(from) => alone::import_srs(&from, srs_path, &settings_path, logrows)?,
                None => {
                    let url = url.as_deref();
                    alone::download_srs(url, srs_path, &settings_path, logrows, run)?
                }
            };
            print::line(done)?;
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
            refuse_untied_einsums(&compiled_circuit, einsums)?;
            let setup = alone::Setup {
                compiled_circuit,
                srs: srs.srs_path,
                vk_path,
                pk_path,
                witness,
                compress: !disable_selector_compression,
            };
            alone::setup(&setup, run)?;
        }
        Command::GenVkFromPk { pk_path, settings_path, vk_path } => {
            alone::vk_from_pk(&pk_path, &settings_path, &vk_path)?;
        }
        Command::Prove(arguments) => return prove(*arguments, run),
        Command::Preprocess(arguments) => preprocess(*arguments, run)?,
        Command::Verify { settings_path, proof_path, vk_path, srs, reduced_srs } => {
            let srs = srs.srs_path;
            let values = alone::verify(&settings_path, &proof_path, &vk_path, srs, reduced_srs)?;
            return Ok(Some(about_proof(&proof_path, values, true)));
        }
        Command::SwapProofCommitments { proof_path, witness_path } => {
            alone::swap_commitments(&proof_path, &witness_path)?;
        }
        Command::Redact { compiled_circuit, output, yes } => {
            redact(&compiled_circuit, &output, yes)?;
        }
        Command::BindParams { compiled_circuit, output } => {
            let bound = alone::bind_params(&compiled_circuit, &output)?;
            print::line(format_args!(
                "{}: {bound} constants are now assigned once and copied to their uses; make new \
                 keys with setup (if it runs out of rows, generate settings with a larger --logrows)",
                output.display()
            ))?;
        }
        Command::Evm(command) => evm_commands::run(command)?,
        Command::Demo { large } => demo::run(large, run)?,
        Command::Bundles(arguments) => {
            let Bundles { compiled_circuit, pk_path, srs, id, peer, identity } = *arguments;
            let prover = ProverFiles { compiled_circuit, pk_path, srs_path: srs.srs_path };
            // Nothing is published by counting.
            let files = pair::CommonFiles { prover, allow_polycommit: true };
            print::line(pair::bundles_ready(id.into(), &files, &identity, peer, run)?)?;
        }
        Command::Invite { compiled_circuit, address, days, identity } => {
            let lasts = Duration::from_secs(u64::from(days) * 24 * 3600);
            let invitation = pair::invite(&identity, &compiled_circuit, &address, lasts)?;
            print::line(invitation)?;
        }
        Command::Identity { identity } => print::line(pair::fingerprint(&identity)?)?,
    }
    Ok(None)
}

/// What is last said of a proof.
fn about_proof(path: &Path, public_values: usize, verified: bool) -> String {
    let plural = if public_values == 1 { "" } else { "s" };
    let path = path.display();
    format!("{path}: {public_values} public value{plural}; verified: {verified}")
}

/// The same of one that was written; nothing if it went into a pipe, which may be standard output.
fn about_written(path: &Path, public_values: usize, verified: bool) -> Option<String> {
    let about = || format!("written {}", about_proof(path, public_values, verified));
    path.is_file().then(about)
}

/// Refuses einsums that a proof says nothing of, unless that is accepted.
fn refuse_untied_einsums(circuit: &Path, einsums: UnboundEinsums) -> Result<(), Error> {
    match einsums.allow_unbound_einsums {
        true => Ok(()),
        false => alone::refuse_untied_einsums(circuit),
    }
}

fn prove(arguments: Prove, run: &Run) -> Result<Option<String>, Error> {
    refuse_untied_einsums(&arguments.compiled_circuit, arguments.einsums)?;
    let peer = arguments.pair.peer();
    let prover = ProverFiles {
        compiled_circuit: arguments.compiled_circuit,
        pk_path: arguments.pk_path,
        srs_path: arguments.srs.srs_path,
    };
    let Some(side) = arguments.pair.id else {
        let files = alone::Prove {
            prover,
            witness: arguments.witness,
            proof_path: arguments.proof_path,
            verify: arguments.check_mode == CheckMode::Safe,
        };
        let values = alone::prove(&files, run)?;
        return Ok(about_written(&files.proof_path, values, files.verify));
    };
    let files = pair::ProveFiles {
        common: pair::CommonFiles { prover, allow_polycommit: arguments.pair.allow_polycommit },
        data: arguments.data,
        terms: pair::Terms {
            reveal: arguments.reveal_output.map(Into::into),
            published_commitment: arguments.published_commitment,
        },
        proof_path: arguments.proof_path,
        output_path: arguments.output_path,
    };
    let values = pair::prove(side.into(), &files, &peer, run)?;
    Ok(about_written(&files.proof_path, values, true))
}

fn preprocess(arguments: Preprocess, run: &Run) -> Result<(), Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair, einsums } = arguments;
    refuse_untied_einsums(&compiled_circuit, einsums)?;
    let Some(side) = pair.id else {
        let text =
            "preprocess needs a peer: give --id, and --invite, --remote-peer, --local-addr or both";
        return Err(Error::Usage(text.into()));
    };
    let prover = ProverFiles { compiled_circuit, pk_path, srs_path: srs.srs_path };
    let files = pair::CommonFiles { prover, allow_polycommit: pair.allow_polycommit };
    pair::preprocess(side.into(), &files, proofs, &pair.peer(), run)
}

/// Writes the circuit without its parameters, after listing what of the model stays visible.
fn redact(path: &Path, output: &Path, yes: bool) -> Result<(), Error> {
    let redaction = alone::redact(path)?;
    let refused = !redaction.visible.is_empty() && !yes;
    if !refused {
        redaction.write(output)?;
    }
    print::line(
        "Visible in any case: the graph, the shapes and scales of its tensors, logrows and timestamp. \
         They can tell what the parameters decided before compilation: a bias of zeros and a factor \
         of one are left out, equal constants are merged, calibration chose scales and logrows by \
         activations.",
    )?;
    if !redaction.visible.is_empty() {
        print::line("Values of the model that stay visible:")?;
        redaction.visible.iter().try_for_each(|value| print::line(format_args!("  {value}")))?;
    }
    if refused {
        let reason = "nothing was written: pass --yes if the data's owner may see these values";
        return Err(Error::file(path, reason));
    }
    Ok(())
}

/// Writes the page about how good the circuit is, and prints it.
fn tell_calibrated(calibrated: &alone::Calibrated, report: Option<&Path>) -> Result<(), Error> {
    let logrows = calibrated.settings.run_args.logrows;
    let measured = !calibrated.comparison.outputs.is_empty();
    let report = report.filter(|_| measured);
    if let Some(path) = report {
        std::fs::write(path, calibrated.page()).map_err(|error| Error::file(path, error))?;
    }
    let chosen = calibrated.chosen();
    print::line(format_args!("Numerical fidelity with {chosen}, logrows {logrows}"))?;
    if !measured {
        let why = "(not measured: the data are not numbers, or attributes of the file are ignored)";
        return print::line(why);
    }
    print::block(calibrated.comparison.errors())?;
    match report {
        Some(path) => print::line(format_args!("plots: {}", path.display())),
        None => Ok(()),
    }
}
