//! One model: what EZKL makes of it beside what we make.

use super::answer::{Answer, Outcome};
use super::run_arguments::flags;
use crate::compare::{same, same_proving_key};
use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read_json};
use crate::pair::Pair;
use crate::twain::Twain;
use serde_json::Value;
use std::path::Path;
use twain_artifacts::CompiledModel;

/// The tools and limits of a sweep.
pub struct Sweep<'a> {
    /// Our tool.
    pub twain: &'a Twain,
    /// The wheel.
    pub ezkl: &'a Ezkl,
    /// Where SRS files are kept.
    pub srs: &'a Path,
    /// log2 of the most rows keys are made for.
    pub max_logrows: u64,
}

/// What is different, if anything.
type Difference = Result<Option<String>, Error>;

impl Sweep<'_> {
    /// Asks everything of the model in a folder.
    pub fn ask(&self, folder: &Folder) -> Outcome {
        let mut outcome = Outcome { model: folder.name(), logrows: None, answers: Vec::new() };
        if let Err(error) = self.answer(folder, &mut outcome) {
            outcome.answers.push(Answer::Skipped(error.to_string()));
        }
        outcome
    }

    /// Answers one question after the other; an error ends them.
    fn answer(&self, folder: &Folder, outcome: &mut Outcome) -> Result<(), Error> {
        let answers = &mut outcome.answers;
        if !folder.has("input.json") {
            self.twain.random_data(folder)?;
        }
        self.ezkl.front_end(folder)?;
        answers.push(answer(self.settings(folder)));
        answers.push(answer(self.compiled(folder, "settings.json", "model.compiled")));
        let rows = read_json(&folder.at("settings.json"))?["num_rows"].as_u64().unwrap_or(0);
        check_size(rows, self.max_logrows)?;
        self.ezkl.calibrate(folder)?;
        answers.push(answer(self.calibrated(folder)));

        // From here on with what EZKL calibrated.
        for (from, to) in
            [("calibrated.json", "settings.json"), ("calibrated.compiled", "model.compiled")]
        {
            let (from, to) = (folder.at(from), folder.at(to));
            std::fs::rename(&from, to).map_err(Error::file(from))?;
        }
        let logrows = folder.settings()?.logrows;
        outcome.logrows = Some(logrows);
        check_size(1 << logrows, self.max_logrows)?;
        let srs = self.ezkl.srs(self.srs, logrows)?;
        self.ezkl.setup(folder, &srs)?;
        let ours = Folder(folder.at("twain"));
        std::fs::create_dir_all(&ours.0).map_err(Error::file(&ours.0))?;
        answers.push(answer(self.keys(folder, &ours, &srs)));
        if answers.last() != Some(&Answer::Yes) {
            return Err(Error::content("a proof", "there are no keys for it"));
        }
        answers.push(answer(self.own_proof(folder, &ours, &srs)));
        answers.push(answer(self.pair_proof(folder, &ours, &srs)));
        Ok(())
    }

    fn settings(&self, folder: &Folder) -> Difference {
        let ours = folder.at("twain-settings.json");
        let expected = read_json(&folder.at("settings.json"))?;
        self.twain.generate_settings(folder, &flags(&expected), &ours)?;
        Ok(difference(&read_json(&ours)?, &expected))
    }

    /// The circuit from one of EZKL's settings files.
    fn compiled(&self, folder: &Folder, settings: &str, circuit: &str) -> Difference {
        self.twain.compile(folder, &folder.at(settings), &folder.at("twain.compiled"))?;
        let read = |name| {
            let path = folder.at(name);
            CompiledModel::read(&path).map_err(|error| Error::content(path.display(), error))
        };
        let (ours, theirs) = (read("twain.compiled")?, read(circuit)?);
        if ours.model != theirs.model {
            let nodes = &ours.model.graph.nodes;
            let mut others = theirs.model.graph.nodes.iter();
            let other = others.find(|(idx, node)| nodes.get(idx) != Some(node));
            return Ok(Some(match other {
                Some((_, node)) => format!("{node} differs"),
                None => "the graph differs".into(),
            }));
        }
        let value = |settings| {
            serde_json::to_value(settings).map_err(|error| Error::content("the settings", error))
        };
        Ok(difference(&value(&ours.settings)?, &value(&theirs.settings)?))
    }

    /// Our choice, and the circuit EZKL's choice leads to.
    fn calibrated(&self, folder: &Folder) -> Difference {
        let (ours, settings) = (folder.at("twain-settings.json"), folder.at("settings.json"));
        std::fs::copy(&settings, &ours).map_err(Error::file(settings))?;
        self.twain.calibrate(folder, &ours)?;
        match difference(&read_json(&ours)?, &read_json(&folder.at("calibrated.json"))?) {
            None => self.compiled(folder, "calibrated.json", "calibrated.compiled"),
            difference => Ok(difference),
        }
    }

    fn keys(&self, folder: &Folder, ours: &Folder, srs: &Path) -> Difference {
        self.twain.setup(folder, ours, srs)?;
        if !same(folder, ours, "vk.key")? {
            return Ok(Some("vk.key differs".into()));
        }
        Ok((!same_proving_key(folder, ours)?).then(|| "pk.key differs".into()))
    }

    fn own_proof(&self, folder: &Folder, ours: &Folder, srs: &Path) -> Difference {
        self.twain.witness(folder, ours, srs, folder.settings()?)?;
        self.twain.prove(folder, ours, ours, srs, false)?;
        self.ezkl.verify(folder, srs, &ours.at("proof.json")).map(|()| None)
    }

    fn pair_proof(&self, folder: &Folder, ours: &Folder, srs: &Path) -> Difference {
        let pair = Pair::new(self.twain, folder, ours, srs, &ours.0)?;
        pair.prove(false)?;
        let proof = pair.proof();
        self.ezkl.verify(folder, srs, &proof).map(|()| None)
    }
}

/// An error if keys would be for more rows than that.
pub fn check_size(rows: u64, max_logrows: u64) -> Result<(), Error> {
    match rows.checked_shr(max_logrows as u32) {
        None | Some(0) => Ok(()),
        Some(_) if rows == 1 << max_logrows => Ok(()),
        Some(_) => {
            let text = format!("{rows} rows are more than 2^{max_logrows}");
            Err(Error::content("its size", text))
        }
    }
}

/// Yes if nothing is different.
fn answer(difference: Difference) -> Answer {
    match difference {
        Ok(None) => Answer::Yes,
        Ok(Some(what)) => Answer::No(what),
        Err(error) => Answer::No(error.to_string()),
    }
}

/// The first field in which settings differ, but for timestamps and orders that EZKL leaves to
/// chance.
fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    let (ours, theirs) = (ordered(ours), ordered(theirs));
    let mut fields = theirs.as_object()?.iter().filter(|(name, _)| *name != "timestamp");
    let (name, value) = fields.find(|(name, value)| ours[*name] != **value)?;
    let cut = |value: &Value| value.to_string().chars().take(80).collect::<String>();
    Some(format!("{name} is {} instead of {}", cut(&ours[name]), cut(value)))
}

fn ordered(settings: &Value) -> Value {
    let mut settings = settings.clone();
    // Absent without the flag; EZKL's Python always writes its default.
    if let Some(args) = settings["run_args"].as_object_mut() {
        args.remove("epsilon");
    }
    for list in ["/required_lookups", "/required_range_checks", "/einsum_params/equations"] {
        let Some(list) = settings.pointer_mut(list).and_then(Value::as_array_mut) else { continue };
        for item in list.iter_mut() {
            if let Some(axes) = item.get_mut(1).and_then(Value::as_object_mut) {
                axes.sort_keys();
            }
        }
        list.sort_by_key(Value::to_string);
    }
    settings
}
