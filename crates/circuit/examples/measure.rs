//! Times layout and witness generation of a folder with `model.compiled` and `witness.json`, and
//! counts what the circuit holds: `cargo run --example measure -- FOLDER`.

use std::path::PathBuf;
use std::time::Instant;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_circuit::{ProductTree, Sources, Witness, lay_out, mock, parameters};
use twain_party::{Alone, Seed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let compiled = CompiledModel::read(&folder.join("model.compiled"))?;
    let witness = GraphWitness::read(&folder.join("witness.json"))?;

    let start = Instant::now();
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)?;
    println!("layout {:?}", start.elapsed());
    let (program, assembly) = (&circuit.program, &circuit.assembly);
    println!("logrows {}, advice columns {}", assembly.k, circuit.cs.advice_phases().len());
    println!("wires {}, copies {}", program.wires(), assembly.copies.len());
    let (batches, products) = (program.batches(), program.interactive_products());
    println!("batches {batches}, interactive products {products}");

    let parameters = parameters(&compiled.model);
    let sources = Sources { inputs: Some(&witness.inputs), parameters: Some(&parameters) };
    let mut alone = Alone::new(Seed([1; 32]));
    let start = Instant::now();
    let values = program.run_alone(&mut alone, &sources)?;
    println!("witness {:?}", start.elapsed());
    let start = Instant::now();
    let witness_columns = Witness::new(&circuit, &values);
    let columns = witness_columns.columns(true, 0);
    println!("{} columns {:?}", columns.len(), start.elapsed());
    let start = Instant::now();
    let multiplicities = witness_columns.count(&mut alone)?;
    println!("{} multiplicity columns {:?}", multiplicities.len(), start.elapsed());
    let equal = values.instances == witness.instances(&compiled.settings.run_args);
    println!("instances equal EZKL's: {equal}");
    let start = Instant::now();
    let failures = mock(&circuit, &values, 3)?;
    println!("mock {:?}: {} failures", start.elapsed(), failures.len());
    failures.iter().for_each(|failure| println!("  {failure}"));
    Ok(())
}
