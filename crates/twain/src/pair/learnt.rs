//! Who will learn what, said before anything is sent.

use super::outputs::{self, Reveal};
use crate::observe::{Event, Notice, Run};
use twain_graph::{RunArgs, Visibility};
use twain_party::Role;

/// Tells the user who will learn what.
pub fn say_what_is_learnt(role: Role, args: &RunArgs, reveal: Option<Reveal>, run: &Run) {
    let published = |visibility: &Visibility| match visibility {
        Visibility::Public => "are public",
        Visibility::Hashed { .. } => "stay hidden behind an unsalted hash, which is published",
        Visibility::KZGCommit => {
            "stay hidden but for a commitment and one linear equation, which are published"
        }
        _ => "stay hidden",
    };
    let inputs = format!("inputs {}", published(&args.input_visibility));
    let parameters = format!("parameters {}", published(&args.param_visibility));
    let (own, theirs) = match role {
        Role::Model => (parameters, inputs),
        Role::Data => (inputs, parameters),
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
