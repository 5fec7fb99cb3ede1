//! The commands, one module each or one for a family.

mod calibrate;
mod demo;
mod keys;
mod model;
mod onnx;
pub mod pair;
mod preprocess;
mod prove;
mod srs;
mod verify;
mod witness;

use crate::arguments::Command;
use crate::error::Error;
use crate::observe::Run;
use std::path::Path;
use twain_artifacts::{CompiledModel, read_settings};
use twain_circuit::{Circuit, ProductTree, lay_out};
use twain_graph::Settings;

/// Runs a command.
pub fn run(command: Command, run: &Run) -> Result<(), Error> {
    match command {
        Command::Table { model, args } => onnx::table(&model, &args.into()),
        Command::GenSettings { model, settings_path, args } => {
            onnx::generate_settings(&model, &settings_path, &args.into())
        }
        Command::GenRandomData { model, data, variables, seed, min, max } => {
            onnx::random_data(&model, &data, &variables.0, seed, min..max)
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
        } => calibrate::calibrate(
            &calibrate::Calibration {
                data,
                model,
                settings_path,
                target: target.into(),
                margin: lookup_safety_margin,
                scales,
                multipliers: scale_rebase_multiplier,
                max_logrows,
                report,
            },
            run,
        ),
        Command::CompileCircuit { model, compiled_circuit, settings_path } => {
            onnx::compile(&model, &compiled_circuit, &settings_path)
        }
        Command::GenWitness { data, compiled_circuit, output, vk_path, srs_path } => {
            witness::generate(&data, &compiled_circuit, &output, vk_path, srs_path)
        }
        Command::Mock { witness, model } => witness::mock(&witness, &model),
        Command::GenSrs { srs_path, logrows } => srs::generate(&srs_path, logrows, run),
        Command::GetSrs { from, srs_path, settings_path, logrows } => {
            srs::import(&from, srs_path, &settings_path, logrows)
        }
        Command::Setup {
            compiled_circuit,
            srs,
            vk_path,
            pk_path,
            witness,
            disable_selector_compression,
        } => keys::setup(
            &keys::Setup {
                compiled_circuit,
                srs: srs.srs_path,
                vk_path,
                pk_path,
                witness,
                compress: !disable_selector_compression,
            },
            run,
        ),
        Command::GenVkFromPk { pk_path, settings_path, vk_path } => {
            keys::vk_from_pk(&pk_path, &settings_path, &vk_path)
        }
        Command::Prove(arguments) => match arguments.pair.id {
            Some(side) => pair::prove(&arguments, side, run),
            None => prove::prove(&arguments, run),
        },
        Command::Preprocess(arguments) => preprocess::preprocess(&arguments, run),
        Command::Verify { settings_path, proof_path, vk_path, srs, reduced_srs } => {
            verify::verify(&settings_path, &proof_path, &vk_path, srs.srs_path, reduced_srs)
        }
        Command::SwapProofCommitments { proof_path, witness_path } => {
            verify::swap_commitments(&proof_path, &witness_path)
        }
        Command::Redact { compiled_circuit, output, yes } => {
            model::redact(&compiled_circuit, &output, yes)
        }
        Command::BindParams { compiled_circuit, output } => {
            model::bind_params(&compiled_circuit, &output)
        }
        Command::Demo { large } => demo::run(large, run),
        Command::Identity { identity } => pair::identity(identity),
    }
}

/// Reads a compiled model and lays it out.
fn load_circuit(path: &Path) -> Result<(CompiledModel, Circuit), Error> {
    let compiled = CompiledModel::read(path)?;
    check_version(path, &compiled.settings)?;
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)
        .map_err(|error| Error::file(path, error))?;
    Ok((compiled, circuit))
}

/// Says in a line each what the circuit leaves loose or gives away.
fn warn_of_looseness(compiled: &CompiledModel, run: &Run) {
    for warning in twain_circuit::warnings(&compiled.model, &compiled.settings) {
        run.warn(warning.to_string());
    }
}

/// Reads settings.
fn load_settings(path: &Path) -> Result<Settings, Error> {
    let settings = read_settings(path)?;
    check_version(path, &settings)?;
    settings.run_args.validate().map_err(|error| Error::file(path, error))?;
    Ok(settings)
}

/// Refuses what another version of EZKL made: its circuits may be others, and a proof would only
/// fail at its verifier.
fn check_version(path: &Path, settings: &Settings) -> Result<(), Error> {
    let (version, expected) = (&settings.version, twain_graph::EZKL_VERSION);
    if version == expected {
        return Ok(());
    }
    let reason = format!(
        "made by EZKL {version}, not {expected}, whose circuits may differ: make settings, circuit \
         and keys again with this version"
    );
    Err(Error::file(path, reason))
}
