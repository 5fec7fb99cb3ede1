//! Each command: its arguments to the library's functions, and what these return to words.

use crate::{demo, evm_commands, kept_commands, manual, outcome, print};
use std::path::Path;
use std::time::Duration;
use twain::observe::Run;
use twain::{Error, ProverFiles, alone, pair};
use twain_cli::arguments::{self, Check, CheckMode, Command, Pair, Preprocess, Prove};
use twain_cli::kept_arguments::{Bundles, Peers};

/// Runs a command; what it says last, if there is something to say.
pub fn run(command: Command, run: &Run) -> Result<Option<String>, Error> {
    match command {
        Command::Table(arguments::Table { model, args, allow }) => {
            print::block(alone::table(&model, &args.into(), allow.into(), run)?)?;
        }
        Command::GenSettings(arguments::GenSettings {
            model,
            settings_path,
            sound,
            args,
            allow,
        }) => {
            let generate = match sound {
                true => alone::generate_sound_settings,
                false => alone::generate_settings,
            };
            let settings = generate(&model, &settings_path, &args.into(), allow.into(), run)?;
            return Ok(outcome::written(&settings_path, || outcome::settings(&settings)));
        }
        Command::GenRandomData(arguments::GenRandomData {
            model,
            data,
            variables,
            seed,
            min,
            max,
        }) => {
            alone::random_data(&model, &data, &variables.0, seed, min..max)?;
        }
        Command::CalibrateSettings(flags) => calibrate(flags, run)?,
        Command::CompileCircuit(arguments::CompileCircuit {
            model,
            compiled_circuit,
            settings_path,
            allow,
        }) => {
            let path = &compiled_circuit;
            let compiled = alone::compile(&model, path, &settings_path, allow.into(), run)?;
            return Ok(outcome::written(path, || outcome::circuit(&compiled)));
        }
        Command::GenWitness(arguments::GenWitness {
            data,
            compiled_circuit,
            output,
            vk_path,
            srs_path,
        }) => {
            let witness =
                alone::generate_witness(&data, &compiled_circuit, &output, vk_path, srs_path, run)?;
            return Ok(outcome::written(&output, || outcome::witness(&witness)));
        }
        Command::HashInputs(arguments::HashInputs { data, compiled_circuit, own_inputs }) => {
            let hashes = alone::hash_inputs(&data, &compiled_circuit, &own_inputs)?;
            hashes.into_iter().try_for_each(print::line)?;
        }
        Command::Mock(arguments::Mock { witness, model }) => {
            let failures = alone::mock(&witness, &model)?;
            if !failures.is_empty() {
                failures.iter().try_for_each(print::line)?;
                let reason = "the witness does not satisfy the circuit (failures above)";
                return Err(Error::file(witness, reason));
            }
            print::line("every constraint holds")?;
        }
        Command::GenSrs(arguments::GenSrs { srs_path, logrows }) => {
            alone::generate_srs(&srs_path, logrows, run)?;
            return Ok(outcome::written(&srs_path, || format!("2^{logrows} powers")));
        }
        Command::GetSrs(arguments::GetSrs { from, url, srs_path, settings_path, logrows }) => {
            let done = match from {
                Some(from) => alone::import_srs(&from, srs_path, &settings_path, logrows, run)?,
                None => {
                    let url = url.as_deref();
                    alone::download_srs(url, srs_path, &settings_path, logrows, run)?
                }
            };
            print::line(done)?;
        }
        Command::Setup(flags) => return setup(flags, run),
        Command::GenVkFromPk(arguments::GenVkFromPk { pk_path, settings_path, vk_path }) => {
            alone::vk_from_pk(&pk_path, &settings_path, &vk_path, run)?;
        }
        Command::Prove(arguments) => return prove(*arguments, run),
        Command::Check(arguments) => check(*arguments, run)?,
        Command::Preprocess(arguments) => return preprocess(*arguments, run),
        Command::Verify(arguments::Verify {
            settings_path,
            proof_path,
            vk_path,
            srs,
            reduced_srs,
        }) => {
            let srs = srs.srs_path;
            let values =
                alone::verify(&settings_path, &proof_path, &vk_path, srs, reduced_srs, run)?;
            return Ok(Some(format!("{}: {}", proof_path.display(), outcome::proof(values, true))));
        }
        Command::SwapProofCommitments(arguments::SwapProofCommitments {
            proof_path,
            witness_path,
        }) => {
            alone::swap_commitments(&proof_path, &witness_path)?;
        }
        Command::Redact(arguments::Redact { compiled_circuit, output, yes }) => {
            return redact(&compiled_circuit, &output, yes);
        }
        Command::BindParams(arguments::BindParams { compiled_circuit, output }) => {
            let bound = alone::bind_params(&compiled_circuit, &output)?;
            print::line(format_args!(
                "{}: {bound} constants are now assigned once and copied to their uses; make new \
                 keys with setup (if it runs out of rows, generate settings with a larger --logrows)",
                output.display()
            ))?;
        }
        Command::Evm(command) => evm_commands::run(command)?,
        Command::Demo { large } => demo::run(large, run)?,
        Command::Invite(arguments::Invite { compiled_circuit, address, days, identity }) => {
            let lasts = Duration::from_secs(u64::from(days) * 24 * 3600);
            let invitation = pair::invite(&identity, &compiled_circuit, &address, lasts)?;
            print::line(invitation)?;
        }
        Command::Bundles(Bundles { action, identity }) => {
            kept_commands::bundles(action, &identity, run)?;
        }
        Command::Peers(Peers { action, identity }) => {
            kept_commands::peers(action, identity.as_deref())?;
        }
        Command::Identity { action, identity } => {
            kept_commands::identity(action, &identity, run)?;
        }
        Command::Completions { shell } => print::block(manual::completions(shell))?,
        Command::ManPages { folder } => manual::pages(&folder)?,
    }
    Ok(None)
}

fn calibrate(flags: arguments::CalibrateSettings, run: &Run) -> Result<(), Error> {
    let calibration = alone::Calibration {
        data: flags.data,
        model: flags.model,
        settings_path: flags.settings_path,
        target: flags.target.into(),
        margin: flags.lookup_safety_margin,
        scales: flags.scales,
        multipliers: flags.scale_rebase_multiplier,
        max_logrows: flags.max_logrows,
        allowances: flags.allow.into(),
        accept_error: flags.accept_error,
    };
    tell_calibrated(&alone::calibrate(&calibration, run)?, flags.report.as_deref())
}

fn setup(flags: arguments::Setup, run: &Run) -> Result<Option<String>, Error> {
    let setup = alone::Setup {
        compiled_circuit: flags.compiled_circuit,
        srs: flags.srs.srs_path,
        vk_path: flags.vk_path,
        pk_path: flags.pk_path,
        witness: flags.witness,
        compress: !flags.disable_selector_compression,
        allow_unbound_einsums: flags.einsums.allow_unbound_einsums,
    };
    alone::setup(&setup, run)?;
    Ok(outcome::keys(&setup.pk_path, &setup.vk_path))
}

fn prove(arguments: Prove, run: &Run) -> Result<Option<String>, Error> {
    let peer = arguments.pair.peer().resolved()?;
    let prover = ProverFiles {
        compiled_circuit: arguments.compiled_circuit,
        pk_path: arguments.pk_path,
        srs_path: arguments.srs.srs_path,
        allow_unbound_einsums: arguments.einsums.allow_unbound_einsums,
    };
    let Some(side) = arguments.pair.id else {
        let files = alone::Prove {
            prover,
            witness: arguments.witness,
            proof_path: arguments.proof_path,
            verify: arguments.check_mode == CheckMode::Safe,
        };
        let values = alone::prove(&files, run)?;
        return Ok(outcome::written(&files.proof_path, || outcome::proof(values, files.verify)));
    };
    let files = pair::ProveFiles {
        common: common(prover, &arguments.pair),
        data: arguments.data,
        terms: pair::Terms {
            reveal: arguments.reveal_output.map(Into::into),
            published_commitment: arguments.published_commitment,
            published_hashes: arguments.published_hash,
            trust_peer: arguments.trust_peer,
        },
        proof_path: arguments.proof_path,
        output_path: arguments.output_path,
    };
    let values = pair::prove(side.into(), &files, &peer, run)?;
    Ok(outcome::written(&files.proof_path, || outcome::proof(values, true)))
}

fn common(prover: ProverFiles, pair: &Pair) -> pair::CommonFiles {
    let allow_polycommit = pair.allow_polycommit;
    pair::CommonFiles { prover, allow_polycommit, own_inputs: pair.own_inputs() }
}

/// What a proof would take, and of a peer whether it holds the same.
fn check(arguments: Check, run: &Run) -> Result<(), Error> {
    let Check { compiled_circuit, pk_path, srs, data, reveal_output, trust_peer, einsums, pair } =
        arguments;
    let prover = ProverFiles {
        compiled_circuit,
        pk_path,
        srs_path: srs.srs_path,
        allow_unbound_einsums: einsums.allow_unbound_einsums,
    };
    let files = common(prover, &pair);
    let Some(side) = pair.id else {
        let forecasts = pair::forecasts(&files, trust_peer, run)?;
        return ["The model's side", "The data's side"].into_iter().zip(forecasts).try_for_each(
            |(side, forecast)| print::line(format_args!("{side}. {}", forecast.text())),
        );
    };
    let reveal = reveal_output.map(Into::into);
    let terms = pair::Terms { reveal, trust_peer, ..pair::Terms::default() };
    let peer = pair.peer().resolved()?;
    let checked = pair::check(side.into(), &files, (&data, &terms), &peer, run)?;
    print::line(checked.text())
}

fn preprocess(arguments: Preprocess, run: &Run) -> Result<Option<String>, Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair, einsums } = arguments;
    let Some(side) = pair.id else {
        let text =
            "preprocess needs a peer: give --id, and --invite, --remote-peer, --local-addr or both";
        return Err(Error::Usage(text.into()));
    };
    let prover = ProverFiles {
        compiled_circuit,
        pk_path,
        srs_path: srs.srs_path,
        allow_unbound_einsums: einsums.allow_unbound_einsums,
    };
    let files = common(prover, &pair);
    pair::preprocess(side.into(), &files, proofs, &pair.peer().resolved()?, run)?;
    Ok(Some(format!("kept for later proofs: {}", outcome::count(proofs as usize, "bundle"))))
}

/// Writes the circuit without its parameters, after listing what of the model stays visible.
fn redact(path: &Path, output: &Path, yes: bool) -> Result<Option<String>, Error> {
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
    Ok(outcome::written(output, || "the circuit without its parameters".into()))
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
