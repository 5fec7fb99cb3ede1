//! The constraint system of a circuit, from its settings alone (spec 03 §1, spec 04 §2, §6, §7).
//!
//! Every call's place in the order matters: it decides column numbers, query lists and with them
//! the digest of the verifying key.

mod advice;
mod dynamic;
mod einsum;
mod gates;
mod tables;

use crate::LayoutError;
use crate::checks::constraint_system_size::{MOST_COLUMNS, sum_within};
use crate::columns::Columns;
use crate::geometry::{Geometry, block_count};
use crate::modules::poseidon;
use advice::variable;
use twain_graph::Settings;
use twain_plonk::ConstraintSystem;

pub use tables::ProductTree;
pub(crate) use tables::fill as fill_tables;

/// Configures the circuit of these settings.
///
/// # Errors
/// Inconsistent settings, or a feature that is not there yet.
pub fn configure(
    settings: &Settings,
    product_tree: ProductTree,
) -> Result<(ConstraintSystem, Columns), LayoutError> {
    let geometry = Geometry::new(settings)?;
    refuse_unsupported(settings)?;
    let mut cs = ConstraintSystem::new();

    let mut commitments = Vec::new();
    for &length in &settings.module_sizes.polycommit {
        let blocks = block_count(length, geometry.usable_rows)?;
        sum_within(MOST_COLUMNS, cs.advice_phases().len(), blocks)?;
        commitments.push(variable(&mut cs, blocks, 1, geometry.usable_rows, true, 0));
    }
    let main = |cs: &mut ConstraintSystem| {
        variable(cs, geometry.blocks, geometry.inner, geometry.usable_rows, false, 0)
    };
    let (a, b, o) = (main(&mut cs), main(&mut cs), main(&mut cs));
    let dynamic = dynamic::columns(&mut cs, settings, &geometry)?;

    let mut constant_columns = match settings.total_const_size {
        0 => 0,
        size => block_count(size, geometry.usable_rows)?,
    };
    let args = &settings.run_args;
    let hashed = [&args.input_visibility, &args.param_visibility, &args.output_visibility]
        .into_iter()
        .any(|visibility| visibility.is_hashed());
    if hashed {
        constant_columns = constant_columns.max(1);
    }
    let mut constants = Vec::new();
    for _ in 0..constant_columns {
        let column = cs.fixed_column();
        cs.enable_constant(column);
        constants.push(column);
    }
    let (poseidon, instance) = if hashed && settings.module_sizes.poseidon.1.first() > Some(&0) {
        let (columns, instance) = poseidon::configure(&mut cs, &mut constants);
        (Some(columns), instance)
    } else {
        let instance = cs.instance_column();
        cs.enable_equality(instance);
        (None, instance)
    };

    let base = gates::configure(&mut cs, &geometry, [a, b, o]);
    let mut columns = Columns {
        geometry,
        a,
        b,
        o,
        commitments,
        dynamic,
        constants,
        instance,
        base,
        lookups: Vec::new(),
        ranges: Vec::new(),
        dynamic_lookups: None,
        shuffles: None,
        poseidon,
        einsum: None,
    };
    tables::configure(&mut cs, &mut columns, settings, product_tree)?;
    dynamic::configure(&mut cs, &mut columns, settings)?;
    columns.einsum = einsum::configure(&mut cs, settings, &geometry)?;
    Ok((cs, columns))
}

/// What no part of the layout can do yet, as far as settings show it.
fn refuse_unsupported(settings: &Settings) -> Result<(), LayoutError> {
    let refuse = |what: &str| Err(LayoutError::UnsupportedSettings(what.into()));
    let args = &settings.run_args;
    if args.output_visibility.is_fixed() {
        return refuse("fixed outputs");
    }
    let visibilities = [&args.input_visibility, &args.param_visibility, &args.output_visibility];
    if visibilities.into_iter().any(|v| v.is_hashed() && !v.is_hashed_public()) {
        return refuse("hashes that are not public");
    }
    Ok(())
}
