//! Who owns which input of a circuit (protocol §1.4). Input: what one side says is its own
//! (`--own-inputs`); the rest is then the other's, so each input has one owner in what a side says.
//! Output: the owners in the order of the inputs, the text by which the sides compare them, and
//! what is wrong if they differ.

use crate::error::Error;
use twain_artifacts::CompiledModel;
use twain_link::handshake::{Difference, HandshakeError, Item};
use twain_party::Role;

/// The name under which both sides compare whose inputs are whose. Nothing stands under it where
/// all are the data's side's.
pub const NAME: &str = "inputs of the model's side";

/// The inputs that a side says are its own. All others are the other side's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnInputs {
    /// The side.
    pub role: Role,
    /// Their places among the inputs of the circuit, from 0.
    pub inputs: Vec<usize>,
}

impl OwnInputs {
    /// The owner of each input of the circuit.
    ///
    /// # Errors
    /// Places that are none or named twice; nothing left for the data's side; inputs that nobody
    /// owns, since both know them.
    pub fn owners(&self, compiled: &CompiledModel) -> Result<Vec<Role>, Error> {
        let refuse = |text: String| Err(Error::Usage(format!("--own-inputs: {text}")));
        let visibility = &compiled.settings.run_args.input_visibility;
        if visibility.is_public() || visibility.is_fixed() {
            return refuse(format!(
                "the circuit's inputs are {visibility}, so both sides know them"
            ));
        }
        let count = compiled.model.graph.inputs.len();
        let mut owners = vec![self.role.other(); count];
        for input in &self.inputs {
            match owners.get_mut(*input) {
                None if count == 0 => return refuse("the circuit has no inputs".into()),
                None => {
                    let text = "the circuit has no such input; its inputs are 0 to";
                    return refuse(format!("{input}: {text} {}", count - 1));
                }
                Some(owner) if *owner == self.role => {
                    return refuse(format!("input {input} is named twice"));
                }
                Some(owner) => *owner = self.role,
            }
        }
        if self.inputs.is_empty() {
            return refuse("it names no input; without it all are the data's side's".into());
        }
        if !owners.contains(&Role::Data) {
            let text = "nothing is left for the data's side: prove alone, or leave an input to it";
            return refuse(text.into());
        }
        Ok(owners)
    }
}

/// The owners if nothing is said: the data's side owns every input.
pub fn data_owns_all(compiled: &CompiledModel) -> Vec<Role> {
    vec![Role::Data; compiled.model.graph.inputs.len()]
}

/// The places of the inputs that `role` owns.
pub fn owned_by(role: Role, owners: &[Role]) -> Vec<usize> {
    let places = owners.iter().enumerate().filter(|(_, owner)| **owner == role);
    places.map(|(place, _)| place).collect()
}

/// Places as people and the other side read them: `0,2-4`.
pub fn places_text(places: &[usize]) -> String {
    let runs = places.chunk_by(|before, after| before + 1 == *after);
    let run = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        [only] => only.to_string(),
        [] => String::new(),
    };
    runs.map(run).collect::<Vec<_>>().join(",")
}

/// What the sides compare; nothing if the data's side owns every input.
pub fn item(owners: &[Role]) -> Option<Item> {
    let places = owned_by(Role::Model, owners);
    (!places.is_empty()).then(|| Item::brief(places_text(&places)))
}

/// Says of a handshake that failed which inputs have two owners or none.
pub fn explain(error: HandshakeError) -> Error {
    let HandshakeError::Differences(differences) = &error else { return error.into() };
    let of_owners = differences.iter().find(|difference| difference.name == NAME);
    match of_owners.and_then(disagreement) {
        Some(reason) => Error::Owners { source: error, reason },
        None => error.into(),
    }
}

/// Which inputs both sides, or neither, say are theirs.
fn disagreement(Difference { model, data, .. }: &Difference) -> Option<String> {
    let [by_model, by_data] = [places_in(model)?, places_in(data)?];
    let without = |these: &[usize], those: &[usize]| -> Vec<usize> {
        these.iter().filter(|place| !those.contains(place)).copied().collect()
    };
    let named = |places: Vec<usize>, who: &str| {
        let plural = if places.len() > 1 { "inputs" } else { "input" };
        (!places.is_empty()).then(|| format!("{plural} {} by {who}", places_text(&places)))
    };
    let twice = named(without(&by_model, &by_data), "both sides");
    let never = named(without(&by_data, &by_model), "neither");
    let named: Vec<String> = twice.into_iter().chain(never).collect();
    Some(format!("owned {} (--own-inputs)", named.join(", ")))
}

/// The places in what a side told; none if it told too many to name.
fn places_in(item: &Option<Item>) -> Option<Vec<usize>> {
    /// More inputs than a circuit has would only be named to fill the memory.
    const MOST: usize = 1 << 12;
    let text = match item {
        None => return Some(Vec::new()),
        Some(Item::Text(text)) => text,
        Some(_) => return None,
    };
    let mut places = Vec::new();
    for run in text.split(',') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        places.extend(first..=last);
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use twain_graph::Visibility;

    /// A circuit that says it has three inputs.
    fn compiled() -> CompiledModel {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
        let path = vectors.join("1l_relu-k8-private/model.compiled");
        let mut compiled = CompiledModel::read(&path).unwrap();
        compiled.model.graph.inputs = vec![0, 1, 2];
        compiled
    }

    #[test]
    fn each_input_has_one_owner() {
        use Role::{Data, Model};
        let compiled = compiled();
        let owners =
            |role, inputs: &[usize]| OwnInputs { role, inputs: inputs.to_vec() }.owners(&compiled);
        assert_eq!(owners(Model, &[2, 0]).unwrap(), [Model, Data, Model]);
        assert_eq!(owners(Data, &[1]).unwrap(), [Model, Data, Model]);
        assert_eq!(owners(Data, &[0, 1, 2]).unwrap(), data_owns_all(&compiled));
        assert_eq!(owned_by(Model, &[Model, Data, Model]), [0, 2]);
        let refused = |role, inputs: &[usize], text: &str| {
            let error = owners(role, inputs).unwrap_err().to_string();
            assert!(error.starts_with("--own-inputs: ") && error.contains(text), "{error}");
        };
        refused(Model, &[0, 3], "3: the circuit has no such input; its inputs are 0 to 2");
        refused(Data, &[1, 1], "input 1 is named twice");
        refused(Data, &[], "names no input");
        refused(Model, &[0, 1, 2], "nothing is left for the data's side");
        for visibility in [Visibility::Public, Visibility::Fixed] {
            let mut known = compiled.clone();
            known.settings.run_args.input_visibility = visibility;
            let error = OwnInputs { role: Data, inputs: vec![0] }.owners(&known).unwrap_err();
            assert!(error.to_string().contains("both sides know them"), "{error}");
        }
    }

    #[test]
    fn what_the_sides_compare_says_which_inputs() {
        use Role::{Data, Model};
        assert_eq!(item(&[Data, Data]), None);
        let text = |owners: &[Role]| item(owners).map(|item| item.to_string());
        assert_eq!(text(&[Model, Data, Model, Model, Model]).unwrap(), "0,2-4");
        // Too many to name are compared by a digest.
        let many: Vec<Role> = (0..300).map(|i| [Model, Data][i % 2]).collect();
        assert!(matches!(item(&many), Some(Item::Digest(_))));
        let between = |model: &str, data: &str| {
            let side = |text: &str| (!text.is_empty()).then(|| Item::Text(text.into()));
            disagreement(&Difference { name: NAME.into(), model: side(model), data: side(data) })
        };
        let said = between("0,2-3", "0-1").unwrap();
        assert_eq!(said, "owned inputs 2-3 by both sides, input 1 by neither (--own-inputs)");
        assert_eq!(between("0", "").unwrap(), "owned input 0 by both sides (--own-inputs)");
        assert_eq!(between("", "1").unwrap(), "owned input 1 by neither (--own-inputs)");
        for odd in ["x", "2-1", "0-99999999999", "1-", "-1"] {
            assert_eq!(between(odd, "1"), None, "{odd}");
        }
    }
}
