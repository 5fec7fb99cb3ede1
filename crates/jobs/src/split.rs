//! The forms in which commands arrive, each to a list of words: a line, a list of words that may
//! hold a flag and its value in one string, and the objects of old clients
//! (`{"GenWitness": {"data": "input.json", …}}`).

use crate::refusal::{Refusal, Why};
use clap::CommandFactory;
use serde_json::{Map, Value};
use twain_cli::arguments::Arguments;

/// Flags of old clients that say what is always so now, and the value that says it.
const PAST: [(&str, &str); 2] = [("proof_type", "single"), ("strategy", "single")];

fn bad_command(message: impl Into<String>) -> Refusal {
    Refusal::new(Why::BadCommand, message)
}

/// Splits a line as a shell does, without expanding anything.
///
/// # Errors
/// Quotes that are not closed.
pub fn from_line(line: &str) -> Result<Vec<String>, Refusal> {
    let words = shlex::split(line).ok_or_else(|| bad_command("a quote is not closed"))?;
    Ok(without_past(words))
}

/// Words of a list; one that begins with `-` may hold the flag's value after a blank.
pub fn from_items(items: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for item in items {
        let item = item.trim();
        match item.split_once(char::is_whitespace) {
            Some((flag, value)) if flag.starts_with('-') && !flag.contains('=') => {
                words.extend([flag.to_string(), value.trim().to_string()]);
            }
            _ => words.push(item.to_string()),
        }
    }
    without_past(words)
}

/// Leaves out flags of EZKL's past where they say what is always so now.
fn without_past(words: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let past =
            PAST.iter().find(|(name, _)| word.strip_prefix("--") == Some(&name.replace('_', "-")));
        let next = words.peek();
        let same = |(_, only): &(&str, &str)| next.is_some_and(|it| it.eq_ignore_ascii_case(only));
        if past.is_some_and(same) {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept
}

/// The words of an old client's object: `{"GenWitness": {…}}`, or `"Empty"`-like names alone.
///
/// # Errors
/// An object of another form.
pub fn from_enum(command: &Value) -> Result<Vec<String>, Refusal> {
    let form = || bad_command("a command object is {\"NameOfCommand\": {\"flag\": value, …}}");
    if let Value::String(name) = command {
        return Ok(vec![kebab(name)]);
    }
    let object = command.as_object().filter(|object| object.len() == 1).ok_or_else(form)?;
    let (name, fields) = object.iter().next().ok_or_else(form)?;
    let mut words = vec![kebab(name)];
    let fields = fields.as_object().ok_or_else(form)?;
    add_fields(&mut words, fields)?;
    Ok(words)
}

fn add_fields(words: &mut Vec<String>, fields: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in fields {
        let said = value.as_str().unwrap_or_default();
        if PAST.iter().any(|(past, only)| past == name && only.eq_ignore_ascii_case(said)) {
            continue;
        }
        let text = match value {
            Value::Null | Value::Bool(false) => continue,
            Value::Bool(true) => {
                words.push(format!("--{}", kebab(name)));
                continue;
            }
            // Run arguments are an object of their own.
            Value::Object(inner) => {
                add_fields(words, inner)?;
                continue;
            }
            Value::String(text) => choice(&words[0], name, text),
            Value::Number(number) => number.to_string(),
            Value::Array(values) => list(name, values),
        };
        words.push(format!("--{}={text}", kebab(name)));
    }
    Ok(())
}

/// A value as the flag spells it: choices are written in capitals by some clients.
fn choice(command: &str, field: &str, text: &str) -> String {
    let root = Arguments::command();
    let flag = kebab(field);
    let choices = root
        .find_subcommand(command)
        .and_then(|command| {
            command.get_arguments().find(|argument| argument.get_long() == Some(&flag))
        })
        .map(|argument| argument.get_possible_values())
        .unwrap_or_default();
    let same = choices.iter().find(|choice| choice.matches(text, true));
    same.map_or_else(|| text.to_string(), |choice| choice.get_name().to_string())
}

fn list(name: &str, values: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        // `["batch_size", 1]`.
        Value::Array(pair) => pair.iter().map(plain).collect::<Vec<_>>().join("->"),
        other => other.to_string(),
    };
    let between = if name == "lookup_range" { "->" } else { "," };
    values.iter().map(text).collect::<Vec<_>>().join(between)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// `GenWitness` and `pk_path` as the command line has them.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        if c == '_' {
            text.push('-');
        } else if c.is_ascii_uppercase() {
            if at > 0 && !text.ends_with('-') {
                text.push('-');
            }
            text.push(c.to_ascii_lowercase());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_hold_flag_and_value_in_one_string() {
        let items = ["gen-witness", "--data input.json", "-O w.json", "-V", "vk.key"];
        let words = from_items(&items.map(str::to_string));
        assert_eq!(words, ["gen-witness", "--data", "input.json", "-O", "w.json", "-V", "vk.key"]);
        let past = ["prove", "--proof-type single", "--check-mode=safe"].map(str::to_string);
        assert_eq!(from_items(&past), ["prove", "--check-mode=safe"]);
    }

    #[test]
    fn objects_of_old_clients() {
        let prove = json!({ "Prove": {
            "witness": "witness.json", "compiled_circuit": "model.compiled", "pk_path": "pk.key",
            "proof_path": "proof.json", "srs_path": null, "proof_type": "Single",
            "check_mode": "UNSAFE",
        }});
        let expected = [
            "prove",
            "--witness=witness.json",
            "--compiled-circuit=model.compiled",
            "--pk-path=pk.key",
            "--proof-path=proof.json",
            "--check-mode=unsafe",
        ];
        assert_eq!(from_enum(&prove).unwrap(), expected);
        assert!(crate::read(&from_enum(&prove).unwrap(), 0).is_ok());
        let settings = json!({ "GenSettings": { "model": "network.onnx", "args": {
            "lookup_range": [-8, 8], "variables": [["batch_size", 1]], "logrows": 9,
        }}});
        let words = from_enum(&settings).unwrap();
        assert!(words.contains(&"--lookup-range=-8->8".to_string()), "{words:?}");
        assert!(crate::read(&words, 0).is_ok());
        for not in [json!(3), json!({}), json!({"Prove": 1}), json!({"A": {}, "B": {}})] {
            assert!(from_enum(&not).is_err(), "{not}");
        }
    }
}
