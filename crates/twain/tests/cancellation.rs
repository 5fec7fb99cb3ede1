//! Local work asks often enough whether it is to go on: whenever it is ended, it returns within a second,
//! from the reading of the SRS to the last commitment, and the plan of a pair too. (What waits for a
//! peer, and whole commands: `library.rs`.)

use rand_core::OsRng;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use twain::key_files::{ExtendedForm, read_proving_key, read_srs, write_keys};
use twain_algebra::Fr;
use twain_artifacts::key::KeyFormat;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_circuit::{Circuit, ProductTree, Source, Sources, Witness, lay_out, parameters};
use twain_pair::rehearse;
use twain_party::{Alone, Phase, Seed, Watch, Watched};
use twain_plonk::{ProvingKey, Srs, generate_keys_watched, prove};

/// The largest of the test vectors: keys and a proof take a second or two.
const VECTOR: &str = "small_cnn-k13-private";
const ROWS: u32 = 13;

/// What cancellation promises.
const LIMIT: Duration = Duration::from_secs(1);

/// Ends the work when it is asked for the `end`-th time.
struct Ender {
    end: usize,
    asked: AtomicUsize,
    ended: Mutex<Option<Instant>>,
    /// When it was last asked, and the longest that it was not.
    silence: Mutex<(Instant, Duration)>,
}

impl Ender {
    fn at(end: usize) -> Arc<Self> {
        let silence = Mutex::new((Instant::now(), Duration::ZERO));
        Arc::new(Self { end, asked: AtomicUsize::new(0), ended: Mutex::new(None), silence })
    }
}

impl Watch for Ender {
    fn enter(&self, _: Phase) {}

    fn cancelled(&self) -> bool {
        let (last, longest) = &mut *self.silence.lock().unwrap();
        *longest = last.elapsed().max(*longest);
        *last = Instant::now();
        let ends = self.asked.fetch_add(1, Ordering::Relaxed) >= self.end;
        if ends {
            self.ended.lock().unwrap().get_or_insert_with(Instant::now);
        }
        ends
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

/// A circuit with a witness, and a folder for its keys.
struct Site {
    folder: tempfile::TempDir,
    compiled: CompiledModel,
    circuit: Circuit,
    witness: GraphWitness,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vector = vectors().join(VECTOR);
        let compiled = CompiledModel::read(&vector.join("model.compiled")).unwrap();
        let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit);
        let witness = GraphWitness::read(&vector.join("witness.json")).unwrap();
        Self { folder, compiled, circuit: circuit.unwrap(), witness }
    }

    /// Everything that one does alone: the SRS is read and checked, keys are made, written and read, and
    /// the proof is made.
    fn work(&self, watched: &Watched) -> Result<(ProvingKey, Srs), Box<dyn Error>> {
        let path = |name: &str| self.folder.path().join(name);
        let srs_path = vectors().join(format!("srs/kzg{ROWS}.srs"));
        let srs = read_srs(&srs_path, ROWS, &mut OsRng, watched)?;
        let Circuit { cs, assembly, .. } = self.circuit.clone();
        let key = generate_keys_watched(cs, assembly, &srs, true, watched)?;
        let (vk_path, pk_path, format) = (path("vk.key"), path("pk.key"), KeyFormat::RawBytes);
        write_keys(&vk_path, &pk_path, format, &key, watched)?;
        let (system, extended) = (self.circuit.cs.clone(), ExtendedForm::Read);
        let key = read_proving_key(&pk_path, format, system, ROWS, extended, watched)?;

        let parameters = parameters(&self.compiled.model);
        let sources = Sources { inputs: Some(&self.witness.inputs), parameters: Some(&parameters) };
        let mut alone = Alone::new(Seed([1; 32])).watched_by(watched.clone());
        let values = self.circuit.run_alone(&mut alone, &sources)?;
        let mut source = Witness::new(&self.circuit, &values);
        let instances = [values.instances.clone()];
        prove(&mut alone, &key, &srs, &instances, &mut source)?;
        Ok((key, srs))
    }

    /// The plan of a pair's proof.
    fn plan(&self, key: &ProvingKey, srs: &Srs, watched: &Watched) -> Result<(), Box<dyn Error>> {
        let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
            sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
        };
        let program = &self.circuit.program;
        let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
        rehearse(watched, |party| -> Result<(), Box<dyn Error>> {
            let values = self.circuit.run(party, &sources)?;
            let mut source = Witness::new(&self.circuit, &values);
            prove(party, key, srs, std::slice::from_ref(&values.instances), &mut source)?;
            Ok(())
        })?;
        Ok(())
    }
}

/// Lets the work be done once, and then ends it at as many points, evenly spread over the questions.
fn ends_in_time<T>(
    points: usize,
    work: impl Fn(&Watched) -> Result<T, Box<dyn Error>>,
) -> (T, usize) {
    let whole = Ender::at(usize::MAX);
    let done = work(&Watched::by(whole.clone())).unwrap();
    let asked = whole.asked.load(Ordering::Relaxed);
    let (_, silence) = *whole.silence.lock().unwrap();
    assert!(silence < LIMIT, "not asked for {silence:?}");
    for point in 0..points {
        let ender = Ender::at(asked * point / points);
        let error = work(&Watched::by(ender.clone())).err().unwrap();
        let took = ender.ended.lock().unwrap().unwrap().elapsed();
        assert_eq!(error.to_string(), "cancelled");
        assert!(took < LIMIT, "question {} of {asked}: {took:?}", ender.end);
    }
    (done, asked)
}

#[test]
fn local_work_ends_within_a_second_of_being_asked_to() {
    let site = Site::new();
    let ((key, srs), asked) = ends_in_time(8, |watched| site.work(watched));
    // Not only between columns: the terms of one multiplication are many groups of additions.
    let columns = key.system().fixed_columns() + key.system().advice_phases().len();
    assert!(asked > 50 * columns, "{asked} questions for {columns} columns");
    ends_in_time(4, |watched| site.plan(&key, &srs, watched));
}
