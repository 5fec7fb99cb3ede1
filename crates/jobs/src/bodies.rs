//! What clients send to have commands run, in all forms they know: lists with objects of old
//! commands, with lists of words, with lines; with data to be put into the folder first.

use crate::command::Job;
use crate::paths::check_path;
use crate::refusal::{Refusal, Why};
use crate::split::{from_enum, from_items, from_line};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A recipe as it was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The project.
    pub artifact: String,
    /// The second name below it.
    pub deployment: Option<String>,
    /// The commands.
    pub commands: Vec<CommandBody>,
    /// Files to be written before the first command: their names and contents.
    pub data: Vec<(String, String)>,
    /// Where the end is told.
    pub callback: Option<String>,
    /// Seconds each command may run.
    pub timeout: Option<u64>,
}

/// What of a command's files is in its result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The files, in order.
    pub files: Vec<String>,
    /// The one file as a text, as old clients expect it, and not a list.
    pub as_text: bool,
}

/// A command as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandBody {
    /// Its words, its name first.
    pub words: Vec<String>,
    /// What of its files the result is to hold; none if the client does not say.
    pub outputs: Option<Vec<String>>,
    /// Whether the client is an old one, that expects the proof as a text.
    pub old: bool,
}

impl CommandBody {
    /// What of its files the result holds.
    pub fn outputs(&self, job: &Job) -> Result<Outputs, Refusal> {
        if let Some(files) = &self.outputs {
            for file in files {
                check_path(file.as_ref())?;
            }
            return Ok(Outputs { files: files.clone(), as_text: false });
        }
        let proof = job.writes.iter().find(|_| self.old && job.command == "prove");
        Ok(Outputs { files: proof.cloned().into_iter().collect(), as_text: self.old })
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(Why::BadRequest, message)
}

fn text(value: &Value, name: &str) -> Result<Option<String>, Refusal> {
    match &value[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(bad(format!("{name:?} is to be a text"))),
    }
}

/// Reads a body. `artifact` and `deployment` at its top hold for commands that do not say theirs.
///
/// # Errors
/// [`Why::BadRequest`] for other forms; [`Why::Unsupported`] for what the service does not do.
pub fn read(body: &Value) -> Result<Body, Refusal> {
    let (list, top) = match body {
        Value::Array(list) => (list, &Value::Null),
        Value::Object(object) => {
            let list = object.get("commands").and_then(Value::as_array);
            (list.ok_or_else(|| bad("the body has a list \"commands\""))?, body)
        }
        _ => return Err(bad("the body is a list of commands, or an object with \"commands\"")),
    };
    if list.is_empty() {
        return Err(bad("there is no command"));
    }
    if !top["response_settings"]["callback"].is_null() {
        let text =
            "the service holds no wallet and sends no transaction: response_settings.callback";
        return Err(Refusal::new(Why::Unsupported, text)
            .hint("ask for the proof with callback_url, and send it yourself"));
    }
    let mut found = Body {
        artifact: text(top, "artifact")?.unwrap_or_default(),
        deployment: text(top, "deployment")?,
        callback: text(top, "callback_url")?,
        timeout: top["timeout"].as_u64(),
        ..Body::default()
    };
    for command in list {
        read_command(command, &mut found)?;
    }
    if found.artifact.is_empty() {
        return Err(bad("no command says which \"artifact\" (project) it is for"));
    }
    read_data(&top["data"], &mut found.data)?;
    Ok(found)
}

fn read_command(command: &Value, found: &mut Body) -> Result<(), Refusal> {
    let (mut artifact, mut deployment) = (None, None);
    let one = match command {
        Value::String(line) => CommandBody { words: from_line(line)?, outputs: None, old: false },
        Value::Object(_) => {
            artifact = text(command, "artifact")?.or(text(command, "working_dir")?);
            deployment = text(command, "deployment")?;
            if let Some(binary) = text(command, "binary")?
                && !["ezkl", "twain"].contains(&binary.as_str())
            {
                return Err(Refusal::new(Why::Unsupported, "\"binary\" is ezkl, or twain"));
            }
            let old = &command["ezkl_command"];
            let words = words(if old.is_null() { &command["command"] } else { old })?;
            let outputs = match &command["output_path"] {
                Value::Null => None,
                Value::String(file) => Some(vec![file.clone()]),
                Value::Array(files) => {
                    let files = files.iter().map(|file| file.as_str().map(str::to_string));
                    let files = files.collect::<Option<Vec<_>>>();
                    Some(files.ok_or_else(|| bad("\"output_path\" is a list of file names"))?)
                }
                _ => return Err(bad("\"output_path\" is a list of file names")),
            };
            CommandBody { words, outputs, old: old.is_object() }
        }
        _ => return Err(bad("a command is a line, or an object")),
    };
    same(&mut found.artifact, artifact.unwrap_or_default(), "artifacts")?;
    let mut named = found.deployment.take().unwrap_or_default();
    same(&mut named, deployment.unwrap_or_default(), "deployments")?;
    found.deployment = Some(named).filter(|name| !name.is_empty());
    found.commands.push(one);
    Ok(())
}

/// Keeps the one that is said.
fn same(known: &mut String, said: String, what: &str) -> Result<(), Refusal> {
    if said.is_empty() || *known == said {
        return Ok(());
    }
    if !known.is_empty() {
        let text = format!("the commands of one recipe are for different {what}");
        return Err(Refusal::new(Why::Unsupported, text));
    }
    *known = said;
    Ok(())
}

fn words(command: &Value) -> Result<Vec<String>, Refusal> {
    match command {
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().map(str::to_string));
            let items = items.collect::<Option<Vec<_>>>();
            Ok(from_items(&items.ok_or_else(|| bad("a command's words are texts"))?))
        }
        Value::String(line) if !line.starts_with(|c: char| c.is_ascii_uppercase()) => {
            from_line(line)
        }
        Value::Null => Err(bad("a command object has \"command\" or \"ezkl_command\"")),
        other => from_enum(other),
    }
}

fn read_data(data: &Value, found: &mut Vec<(String, String)>) -> Result<(), Refusal> {
    let list = match data {
        Value::Null => return Ok(()),
        Value::Array(list) => list,
        _ => return Err(bad("\"data\" is a list")),
    };
    for item in list {
        let (name, content) = match item["target_path"].as_str() {
            Some(name) => (name.to_string(), &item["data"]),
            None => ("input.json".to_string(), item),
        };
        check_path(name.as_ref())?;
        if found.iter().any(|(other, _)| *other == name) {
            return Err(bad(format!(
                "\"data\" has two contents for {name:?}: give \"target_path\""
            )));
        }
        let content = match content {
            Value::String(text) => text.clone(),
            Value::Object(_) => content.to_string(),
            _ => return Err(bad("an item of \"data\" is the content of an input.json")),
        };
        found.push((name, content));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_forms_of_all_generations() {
        let witness = json!({ "GenWitness": { "data": "input.json", "output": "witness.json" } });
        let first = json!([{ "ezkl_command": witness, "working_dir": "credit" }]);
        let read_first = read(&first).unwrap();
        assert_eq!((read_first.artifact.as_str(), read_first.commands[0].old), ("credit", true));

        let third = json!({
            "commands": [{ "artifact": "credit", "ezkl_command": witness }],
            "data": [{ "input_data": [[1.0]] }],
        });
        let third = read(&third).unwrap();
        assert_eq!(third.data, [("input.json".into(), r#"{"input_data":[[1.0]]}"#.into())]);
        assert_eq!(third.commands[0].words, read_first.commands[0].words);

        let fourth = json!({
            "commands": [
                { "artifact": "credit", "deployment": "prod-1", "binary": "ezkl",
                  "command": ["gen-witness", "--data input.json"], "output_path": [] },
                { "artifact": "credit", "deployment": "prod-1", "binary": "ezkl",
                  "command": ["prove"], "output_path": ["proof.json"] },
            ],
            "data": [{ "target_path": "input.json", "data": { "input_data": [[1.0]] } }],
            "response_settings": null,
        });
        let fourth = read(&fourth).unwrap();
        assert_eq!(fourth.deployment.as_deref(), Some("prod-1"));
        assert_eq!(fourth.commands[0].words, ["gen-witness", "--data", "input.json"]);
        assert_eq!(fourth.commands[1].outputs, Some(vec!["proof.json".to_string()]));

        let ours = json!({ "artifact": "credit", "commands": ["prove --id model"] });
        assert_eq!(read(&ours).unwrap().commands[0].words, ["prove", "--id", "model"]);
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_read_or_refused(
            key in "(commands|artifact|data|command|ezkl_command|output_path|binary)",
            inner in "(null|1|\"prove\"|\\[\\]|\\[1\\]|\\{\\}|\\{\"Prove\":\\{\\}\\})",
        ) {
            let value: Value = serde_json::from_str(&inner).unwrap();
            let mut command = json!({ "artifact": "a", "command": "prove" });
            command[&key] = value.clone();
            let mut body = json!({ "commands": [command], "data": [] });
            let _ = read(&body);
            body[&key] = value;
            let _ = read(&body);
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let chain = json!({ "commands": ["prove"], "artifact": "a", "response_settings": {
            "callback": { "chain": "x" } } });
        let mixed = json!([{ "artifact": "a", "command": "prove" },
            { "artifact": "b", "command": "prove" }]);
        for body in [&chain, &mixed] {
            assert_eq!(read(body).unwrap_err().why, Why::Unsupported, "{body}");
        }
        let bad = [
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!([1]),
            json!({ "commands": 1 }),
            json!(["prove"]),
            json!([{ "artifact": "a" }]),
            json!([{ "artifact": 1, "command": "prove" }]),
            json!({ "artifact": "a", "commands": ["prove"], "data": [1] }),
            json!({ "artifact": "a", "commands": ["prove"], "data": [{}, {}] }),
            json!([{ "artifact": "a", "command": [1] }]),
            json!([{ "artifact": "a", "command": "prove", "output_path": [1] }]),
        ];
        for body in bad {
            assert!(read(&body).is_err(), "{body}");
        }
    }
}
