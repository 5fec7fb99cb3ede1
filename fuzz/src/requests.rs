//! What people send each other and servers: invitations, command lines, bodies of requests.

use crate::memory::within;
use sha2::{Digest, Sha256};
use std::path::{Component, Path};
use twain::pair::Invitation;
use twain_jobs::{Job, Read, bodies, check_path, from_line, read};

/// Memory that reading `bytes` justifies: some times their number, and the descriptions of all
/// flags.
fn justified(bytes: &[u8]) -> usize {
    256 * bytes.len() + (32 << 20)
}

/// The line that a peer is invited with; once as it is, once with the check digits that it should
/// have, so that what comes after them is reached.
pub fn invitation(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut text = text.trim().to_string();
    for _ in 0..2 {
        if let Ok(invitation) = within(justified(bytes), || text.parse::<Invitation>()) {
            let again: Invitation =
                invitation.to_string().parse().expect("what was written is read");
            assert_eq!(again, invitation);
        }
        if let Some((body, _)) = text.rsplit_once(':') {
            let digest = Sha256::digest(body.as_bytes());
            let digits: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
            text = format!("{body}:{digits}");
        }
    }
}

/// Whether a path stays below the folder of its project, whatever that has in it.
fn stays_below(path: &str) -> bool {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !path.is_empty() && Path::new(path).components().all(is_plain)
}

fn look(words: &[String]) {
    let Ok(Read { job, inline }) = read(words, 0) else { return };
    for path in job.reads.iter().chain(&job.writes) {
        assert!(stays_below(path), "{path:?}");
        check_path(path.as_ref()).expect("it was looked at");
    }
    if let Some((name, _)) = inline {
        assert!(stays_below(&name));
    }
    // What is kept says the same when it is read again, and when it is run.
    let words = job.arguments(&[]);
    assert!(words.starts_with(&["--log-format", "json"].map(str::to_string)));
    let again: Job = read(&words[2..], 0).expect("what was written is read").job;
    assert_eq!(again, job);
}

/// The line of a command, as `lilith job --command` takes it.
pub fn command_line(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    within(justified(bytes), || {
        if let Ok(words) = from_line(text) {
            look(&words);
        }
    });
}

/// The body of a request for a recipe, in any of its forms.
pub fn recipe(bytes: &[u8]) {
    within(justified(bytes), || {
        let Ok(value) = serde_json::from_slice(bytes) else { return };
        let Ok(body) = bodies::read(&value) else { return };
        assert!(!body.commands.is_empty() && !body.artifact.is_empty());
        for (name, _) in &body.data {
            assert!(stays_below(name), "{name:?}");
        }
        // Each is looked at by itself; a few tell as much as many.
        for command in body.commands.iter().take(4) {
            look(&command.words);
            if let Ok(Read { job, .. }) = read(&command.words, 0)
                && let Ok(outputs) = command.outputs(&job)
            {
                assert!(outputs.files.iter().all(|file| stays_below(file)));
            }
        }
    });
}
