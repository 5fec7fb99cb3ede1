//! What a file is that was given in another's place, from its first bytes: who mixed files up is
//! told which one they have.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a network's file is called.
pub const ONNX_MODEL: &str = "an ONNX model";

/// Enough for what a JSON file begins with.
const HEAD: u64 = 4096;

/// What a file seems to be, with its article and what it is for; none if that cannot be told.
pub fn recognise(path: &Path) -> Option<&'static str> {
    // A pipe has nothing more to say, and would keep who asks waiting.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    recognise_bytes(&head)
}

/// The same of how a file begins.
pub fn recognise_bytes(head: &[u8]) -> Option<&'static str> {
    if let Some(text) = head.trim_ascii_start().strip_prefix(b"{") {
        return json(text);
    }
    let word = |at: usize| head.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
    match head {
        [b'p', b't', b'a', b'u', ..] => Some("a powers-of-tau file (for get-srs --from)"),
        // A protocol buffer: the version, then the producer, a name, or the graph.
        [0x08, 1..=32, 0x12 | 0x1a | 0x22 | 0x32 | 0x3a | 0x42, ..] => Some(ONNX_MODEL),
        // The number of nodes, and the first one's number and kind.
        _ if word(0).is_some_and(|nodes| (1..1 << 32).contains(&nodes)) && word(8) == Some(0) => {
            Some("a compiled circuit")
        }
        _ => None,
    }
}

/// By the first member that only one kind has.
fn json(text: &[u8]) -> Option<&'static str> {
    // Names stand between quotes, as do texts; among these are none of the names.
    let words: Vec<&[u8]> = text.split(|byte| *byte == b'"').skip(1).step_by(2).collect();
    let is_scalar = |word: &&[u8]| word.len() == 64 && word.iter().all(u8::is_ascii_hexdigit);
    words.iter().enumerate().find_map(|(index, name)| match *name {
        b"run_args" | b"model_instance_shapes" => Some("a settings file"),
        b"input_data" => Some("an input file"),
        // Somebody's own file may have inputs as well.
        b"inputs" if words.get(index + 1).is_some_and(is_scalar) => Some("a witness"),
        b"pretty_elements" => Some("a witness"),
        b"protocol" | b"instances" | b"hex_proof" => Some("a proof"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_a_vector_is_told() {
        let vectors = Path::new("../../tests/vectors");
        let of = |name: &str| recognise(&vectors.join("1l_relu-k8-private").join(name));
        assert_eq!(of("network.onnx"), Some(ONNX_MODEL));
        assert_eq!(of("model.compiled"), Some("a compiled circuit"));
        assert_eq!(of("settings.json"), Some("a settings file"));
        assert_eq!(of("input.json"), Some("an input file"));
        assert_eq!(of("witness.json"), Some("a witness"));
        assert_eq!(of("proof.json"), Some("a proof"));
        assert_eq!(recognise(&vectors.join("srs/kzg8.srs")), None);
        let ptau = recognise(Path::new("../../tests/srs/powers-8.ptau"));
        assert!(ptau.is_some_and(|text| text.contains("get-srs --from")));
        for head in [
            &b""[..],
            b"{",
            b"{\"a",
            b"[1]",
            b"\x08",
            b"{}",
            &[0; 16],
            b"text",
            b"{\"inputs\": [[0.5]]}",
        ] {
            assert_eq!(recognise_bytes(head), None, "{head:?}");
        }
    }
}
