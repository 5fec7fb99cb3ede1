//! What is asked of a model, and what came out.

use serde::{Deserialize, Serialize};

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Yes.
    Yes,
    /// No, and why.
    No(String),
    /// Not asked, and why.
    Skipped(String),
}

/// What is asked of every model, in this order.
pub const QUESTIONS: [&str; 6] =
    ["settings", "compiled", "calibration", "keys", "own proof", "pair proof"];

/// What came out for a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Name.
    pub model: String,
    /// log2 of the rows after calibration.
    pub logrows: Option<u64>,
    /// Answers to [`QUESTIONS`], as far as they were asked.
    pub answers: Vec<Answer>,
}
