//! Does what comments and documents cite exist? Run by `cargo test -p xtask citations`.
//!
//! A citation in a comment has one of these forms:
//!
//! - `spec 03 §5.7`: a numbered section of the document of `docs/spec` that begins with `03`; also
//!   `spec 01 appendix A`, lists (`spec 02 §1, §3`) and ranges (`spec 05 §3.1 to §3.4`);
//! - `protocol §7`, `counts §4.1`: sections of `docs/protocol.md` and `docs/counts.md`;
//! - a file's name, `docs/operators.md` or `tests/delays.rs`: the end of the path of a file in the
//!   tree.
//!
//! A section sign alone means the document that the same comment named last. In Markdown it means
//! the document it stands in, unless it continues a list; there `03 §5.7` needs no `spec`, and
//! links must lead to a file and, after `#`, to one of its headings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Extensions of names that must be those of files in the tree. Others are also names of artifacts.
const CITED: [&str; 3] = [".md", ".py", ".rs"];

/// The files of the repository, and the headings of its documents.
struct Tree {
    files: BTreeSet<String>,
    headings: BTreeMap<String, Headings>,
}

#[derive(Default)]
struct Headings {
    /// `5.7`, `appendix A`.
    numbers: BTreeSet<String>,
    /// As links name them.
    anchors: BTreeSet<String>,
}

impl Tree {
    fn read(repository: &Path) -> Self {
        let mut files = BTreeSet::new();
        list(repository, "", &mut files);
        let documents = files.iter().filter(|path| path.ends_with(".md"));
        let headings = documents
            .map(|path| {
                (path.clone(), headings(&fs::read_to_string(repository.join(path)).unwrap()))
            })
            .collect();
        Self { files, headings }
    }

    /// The document that comments call `spec NUMBER`.
    fn spec(&self, number: &str) -> Option<&str> {
        let start = format!("docs/spec/{number}-");
        self.headings.keys().find(|path| path.starts_with(&start)).map(String::as_str)
    }

    /// A file whose path ends so.
    fn file(&self, end: &str) -> Option<&str> {
        let end = end.trim_start_matches("../");
        let found = self.files.iter().find(|path| {
            path.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('/'))
        });
        found.map(String::as_str)
    }

    fn has(&self, document: &str, section: &str) -> bool {
        self.headings.get(document).is_some_and(|of| of.numbers.contains(section))
    }
}

/// All files below a folder, by their paths from the repository's.
fn list(folder: &Path, prefix: &str, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if ["target", ".git", "corpus", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path);
        }
    }
}

fn headings(text: &str) -> Headings {
    let mut headings = Headings::default();
    for line in prose(text).lines().filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim();
        let mut words = title.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let ("Appendix", Some(letter)) = (first, words.next()) {
            headings.numbers.insert(format!("appendix {}", letter.trim_end_matches('.')));
        } else if first.starts_with(|c: char| c.is_ascii_digit()) {
            headings.numbers.insert(first.trim_end_matches('.').to_string());
        }
        let kept = title.to_lowercase().replace(' ', "-");
        let anchor = kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c));
        headings.anchors.insert(anchor.collect());
    }
    headings
}

/// A Markdown text without its blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut prose = String::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        prose.push_str(if code { "" } else { line });
        prose.push('\n');
    }
    prose
}

/// The comments of a Rust file, lines that follow each other as one, each with its first line's
/// number.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let mut last = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let whole = line.trim_start().strip_prefix("//");
        let behind = line.split_once(" // ").filter(|(code, _)| code.matches('"').count() % 2 == 0);
        let Some(comment) = whole.or(behind.map(|(_, comment)| comment)) else { continue };
        let comment = comment.trim_start_matches(['/', '!']);
        match comments.last_mut() {
            Some((_, text)) if whole.is_some() && last + 1 == number => {
                text.push(' ');
                text.push_str(comment);
            }
            _ => comments.push((number, comment.to_string())),
        }
        last = number;
    }
    comments
}

/// What a text cites that is not there. `own` is the document it stands in, if it is one.
fn unresolved(tree: &Tree, text: &str, own: Option<&str>) -> Vec<String> {
    let mut missing = Vec::new();
    let mut document: Option<String> = None;
    // Whether a section sign that comes next continues a citation of `document`.
    let mut continued = false;
    let words: Vec<&str> = text.split_whitespace().map(bare).collect();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).copied().unwrap_or_default();
        let in_spec = own.is_some_and(|own| own.starts_with("docs/spec/"));
        let number = match *word {
            "spec" => Some(next),
            other if in_spec && next.starts_with('§') => Some(other),
            _ => None,
        };
        let number = number.filter(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()));
        if let Some(number) = number {
            document = tree.spec(number).map(str::to_string);
            continued = true;
            if document.is_none() {
                missing.push(format!("spec {number}"));
            }
        } else if ["protocol", "counts"].contains(word) && next.starts_with('§') {
            document = Some(format!("docs/{word}.md"));
            continued = true;
        } else if CITED.iter().any(|end| word.len() > end.len() && word.ends_with(end)) {
            let file = tree.file(word);
            if file.is_none() {
                missing.push((*word).to_string());
            }
            document = file.map(str::to_string);
            continued = true;
        } else if *word == "appendix" && next.len() == 1 && continued {
            let appendix = format!("appendix {next}");
            if !document.as_deref().or(own).is_some_and(|of| tree.has(of, &appendix)) {
                missing.push(appendix);
            }
        } else if word.contains('§') {
            let of = if continued { document.as_deref() } else { own.or(document.as_deref()) };
            for section in word.split('§').skip(1).map(section) {
                if !of.is_some_and(|of| tree.has(of, section)) {
                    missing.push(format!("{} §{section}", of.unwrap_or("no document")));
                }
            }
            continued |= own.is_none();
        } else if !["and", "to", "or"].contains(word) && !word.bytes().all(|b| b.is_ascii_digit()) {
            continued = false;
        }
    }
    missing
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    let marks = |c: char| "()[]{}`*\"',;:!?".contains(c);
    word.trim_start_matches(marks).trim_end_matches(|c| marks(c) || c == '.')
}

/// The number of a section at the start of a text.
fn section(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// Links of a Markdown text, as its words, and where they lead.
fn links(text: &str) -> (String, Vec<String>) {
    let mut words = String::new();
    let mut targets = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        words.push_str(before);
        let (target, after) = after.split_once(')').unwrap_or((after, ""));
        targets.push(target.to_string());
        rest = after;
    }
    words.push_str(rest);
    (words, targets)
}

/// Whether a link in the document `from` leads anywhere.
fn leads(tree: &Tree, from: &str, target: &str) -> bool {
    if target.contains("://") {
        return true;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let mut folders: Vec<&str> = from.split('/').collect();
    if !path.is_empty() {
        folders.pop();
    }
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." {
            folders.push(part);
        } else if folders.pop().is_none() {
            return false;
        }
    }
    let path = folders.join("/");
    let folder = format!("{path}/");
    let exists = tree.files.contains(&path) || tree.files.iter().any(|f| f.starts_with(&folder));
    let heading = tree.headings.get(&path).is_some_and(|of| of.anchors.contains(anchor));
    exists && (anchor.is_empty() || heading)
}

#[test]
fn citations_lead_to_headings_and_files_that_exist() {
    let repository = crate::repository();
    let tree = Tree::read(repository);
    let mut missing = Vec::new();
    for path in &tree.files {
        let Ok(text) = fs::read_to_string(repository.join(path)) else { continue };
        if path.ends_with(".rs") && path != "xtask/src/citations.rs" {
            for (line, comment) in comments(&text) {
                let found = unresolved(&tree, &comment, None);
                missing.extend(found.into_iter().map(|cited| format!("{path}:{line}: {cited}")));
            }
        } else if path.ends_with(".md") && path != "CHANGELOG.md" {
            let (words, targets) = links(&prose(&text));
            let found = unresolved(&tree, &words, Some(path));
            missing.extend(found.into_iter().map(|cited| format!("{path}: {cited}")));
            let dead = targets.into_iter().filter(|target| !leads(&tree, path, target));
            missing.extend(dead.map(|target| format!("{path}: link to {target}")));
        }
    }
    assert!(missing.is_empty(), "cited, but not there:\n{}", missing.join("\n"));
}

#[test]
fn citations_are_read_as_they_are_written() {
    let heading = "# Title\n## 1. First part\n### 1.2 `Code`, more\n```\n## 9. Not one\n```\n## Appendix A. Last\n";
    let mut tree = Tree { files: BTreeSet::new(), headings: BTreeMap::new() };
    for path in ["docs/spec/01-one.md", "docs/spec/02-two.md", "docs/protocol.md", "src/lib.rs"] {
        tree.files.insert(path.to_string());
    }
    for path in ["docs/spec/01-one.md", "docs/protocol.md"] {
        tree.headings.insert(path.to_string(), headings(heading));
    }
    tree.headings.insert("docs/spec/02-two.md".to_string(), headings("## 7. Seven\n"));

    for good in [
        "(spec 01 §1, §1.2; spec 02 §7).",
        "spec 01 §1 to §1.2, and the rest (§1)",
        "spec 01\n §1.2",
        "spec 01 appendix A",
        "the protocol asks, counts matter: (protocol §1.2)",
        "`docs/protocol.md` and §1 of it, lib.rs",
        "spec 01 §1–§1.2",
    ] {
        assert_eq!(unresolved(&tree, good, None), Vec::<String>::new(), "{good}");
    }
    for (bad, cited) in [
        ("spec 01 §2", "docs/spec/01-one.md §2"),
        ("spec 01 §1, §9", "docs/spec/01-one.md §9"),
        ("spec 03 §1", "spec 03"),
        ("as §1 says", "no document §1"),
        ("counts §1", "docs/counts.md §1"),
        ("spec 02 appendix A", "appendix A"),
        ("see docs/gone.md", "docs/gone.md"),
        ("see ib.rs", "ib.rs"),
        ("protocol §1–§3", "docs/protocol.md §3"),
    ] {
        assert_eq!(unresolved(&tree, bad, None).first().map(String::as_str), Some(cited), "{bad}");
    }
    // In a document a section is its own, unless it continues a list.
    let own = Some("docs/spec/01-one.md");
    assert!(unresolved(&tree, "02 §7. Then §1.2", own).is_empty());
    assert_eq!(unresolved(&tree, "02 §7, then §7", own), ["docs/spec/01-one.md §7"]);
    assert!(unresolved(&tree, "01 §1 and 02 §7", Some("docs/spec/02-two.md")).is_empty());

    let source =
        "//! One (spec 01\n//! §1).\nlet a = \"// not\"; // trailing\nlet b = 1;\n/// Two.\n";
    let found = comments(source);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], (1, " One (spec 01  §1).".to_string()));
    assert_eq!((found[1].0, found[2].0), (3, 5));

    let (words, targets) = links("a [b](c.md#d) e [f](g)");
    assert_eq!((words.as_str(), targets.len()), ("a [b e [f", 2));
    assert!(leads(&tree, "docs/spec/01-one.md", "../protocol.md#12-code-more"));
    assert!(leads(&tree, "docs/spec/01-one.md", "#appendix-a-last"));
    assert!(leads(&tree, "README.md", "docs/spec"));
    for bad in ["../gone.md", "#9-not-one", "../../../protocol.md"] {
        assert!(!leads(&tree, "docs/spec/01-one.md", bad), "{bad}");
    }
}
