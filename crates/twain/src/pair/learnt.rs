//! Who will learn what, said before anything is sent.

use super::outputs::{self, Reveal};
use crate::observe::{Event, Notice, Run};
use crate::owners::{owned_by, places_text};
use twain_graph::{RunArgs, Visibility};
use twain_party::Role;

/// Tells the user who will learn what; `owners` are those of the inputs.
pub fn say_what_is_learnt(
    role: Role,
    owners: &[Role],
    args: &RunArgs,
    reveal: Option<Reveal>,
    run: &Run,
) {
    let published = |visibility: &Visibility| match visibility {
        Visibility::Public => "are public",
        Visibility::Hashed { .. } => "stay hidden behind an unsalted hash, which is published",
        Visibility::KZGCommit => {
            "stay hidden but for a commitment and one linear equation, which are published"
        }
        _ => "stay hidden",
    };
    let inputs = published(&args.input_visibility);
    let parameters = format!("parameters {}", published(&args.param_visibility));
    let of_model = places_text(&owned_by(Role::Model, owners));
    let of_data = places_text(&owned_by(Role::Data, owners));
    let [of_model, of_data] = match of_model.is_empty() {
        true => [parameters, format!("inputs {inputs}")],
        false => [
            format!("{parameters} and inputs {of_model} {inputs}"),
            format!("inputs {of_data} {inputs}"),
        ],
    };
    let (own, theirs) = match role {
        Role::Model => (of_model, of_data),
        Role::Data => (of_data, of_model),
    };
    let knowers = [Role::Model, Role::Data].map(|role| outputs::may_know(reveal, role));
    let revealed = match (args.output_visibility.is_public(), knowers) {
        (true, _) => "are public",
        (_, [true, true]) => "are revealed to both sides",
        (_, [true, false]) => "are revealed to the model's side",
        (_, [false, true]) => "are revealed to the data's side",
        (_, [false, false]) => "stay unknown to both (see --reveal-output)",
    };
    run.tell(Event::Notice(Notice::Learns(format!(
        "The peer will learn the circuit without parameter values, the settings, the proof with its \
         public values, whether a value left the circuit's range, and how long this side takes. Your \
         {own}; the peer's {theirs}; the outputs {revealed}."
    ))));
}
