//! Do arrows go one way? Run by `cargo test -p xtask layers`: a crate depends only on crates of
//! lower layers, and no files of a crate import each other in a circle, so that each can be read on
//! its own.

mod imports;

use imports::{Import, imports};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of the crates, the lowest first. Crates of one layer do not know of each other.
const LAYERS: [&[&str]; 12] = [
    &["algebra", "http"],
    &["graph", "party", "rlwe"],
    &["artifacts", "link", "plonk"],
    &["circuit", "evm", "masks", "ole", "onnx", "store"],
    &["tags"],
    &["pair"],
    &["twain"],
    &["cli", "python"],
    &["jobs"],
    &["lilith"],
    &["fuzz"],
    &["xtask"],
];

/// Circles that are still to be opened. An entry that is none any more fails the test, too.
const OPEN: [&[&str]; 0] = [];

/// An arrow between two crates, by their folders.
struct Arrow {
    from: String,
    to: String,
    /// Only of tests.
    development: bool,
    /// Asks for what a crate has for the tests of others.
    test_utils: bool,
}

/// The arrows of the workspace, and the folders of its crates.
fn arrows(repository: &Path) -> (Vec<Arrow>, Vec<PathBuf>) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.current_dir(repository).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_string();
    let mut arrows = Vec::new();
    let mut folders = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some(path) = dependency["path"].as_str() else { continue };
            let features = dependency["features"].as_array().unwrap();
            arrows.push(Arrow {
                from: name(folder),
                to: name(Path::new(path)),
                development: dependency["kind"] == "dev",
                test_utils: features.iter().any(|feature| feature == "test-utils"),
            });
        }
        folders.push(folder.to_path_buf());
    }
    (arrows, folders)
}

fn layer(of: &str) -> usize {
    let layer = LAYERS.iter().position(|layer| layer.contains(&of));
    layer.unwrap_or_else(|| panic!("`{of}` has no layer in xtask/src/layers.rs"))
}

/// The arrows that do not go down. Those of tests may stay in their layer.
fn wrong(arrows: &[Arrow]) -> Vec<String> {
    let goes_down = |arrow: &&Arrow| {
        let (from, to) = (layer(&arrow.from), layer(&arrow.to));
        to < from || arrow.development && (to == from || arrow.test_utils)
    };
    let wrong = arrows.iter().filter(|arrow| !goes_down(arrow));
    wrong.map(|arrow| format!("{} depends on {}", arrow.from, arrow.to)).collect()
}

/// The circles among imports: sets of files each of which leads to every other.
fn circles(imports: &[Import]) -> Vec<BTreeSet<PathBuf>> {
    let mut next: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().push(&import.to);
    }
    let reached = |from: &Path| {
        let mut reached = BTreeSet::new();
        let mut ahead = next.get(from).cloned().unwrap_or_default();
        while let Some(file) = ahead.pop() {
            if reached.insert(file) {
                ahead.extend(next.get(file).into_iter().flatten());
            }
        }
        reached
    };
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        next.keys().map(|file| (*file, reached(file))).collect();
    let circle = |(file, ahead): (&&Path, &BTreeSet<&Path>)| -> BTreeSet<PathBuf> {
        let back = |other: &&&Path| reached.get(**other).is_some_and(|of| of.contains(file));
        ahead.iter().filter(back).map(|file| file.to_path_buf()).collect()
    };
    let circles: BTreeSet<_> = reached.iter().map(circle).filter(|one| one.len() > 1).collect();
    circles.into_iter().collect()
}

/// The circles of a crate that `open` does not name, with the lines that make them; what of `open`
/// was found is taken from it.
fn unknown(crate_folder: &Path, base: &Path, open: &mut Vec<BTreeSet<PathBuf>>) -> Vec<String> {
    let mut unknown = Vec::new();
    for root in ["src/lib.rs", "src/main.rs"].map(|root| crate_folder.join(root)) {
        if !root.exists() {
            continue;
        }
        let imports = imports(&root, base);
        for circle in circles(&imports) {
            if let Some(known) = open.iter().position(|known| *known == circle) {
                open.remove(known);
                continue;
            }
            let names: Vec<String> = circle.iter().map(|file| file.display().to_string()).collect();
            unknown.push(format!("a circle of {}", names.join(", ")));
            let inside =
                |import: &&Import| circle.contains(&import.from) && circle.contains(&import.to);
            unknown.extend(imports.iter().filter(inside).map(|import| format!("    {import}")));
        }
    }
    unknown
}

#[test]
fn crates_depend_on_lower_ones_only() {
    let (arrows, _) = arrows(crate::repository());
    assert!(arrows.iter().any(|arrow| arrow.from == "twain" && arrow.to == "link"));
    let wrong = wrong(&arrows);
    assert!(wrong.is_empty(), "against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let repository = crate::repository();
    let (_, folders) = arrows(repository);
    let mut open = OPEN.map(|files| files.iter().map(PathBuf::from).collect()).to_vec();
    let found: Vec<String> =
        folders.iter().flat_map(|folder| unknown(folder, repository, &mut open)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(open.is_empty(), "no circles any more, to be struck off the list: {open:?}");
}

#[test]
fn arrows_that_do_not_go_down_are_found() {
    let arrow = |from: &str, to: &str, development, test_utils| Arrow {
        from: from.into(),
        to: to.into(),
        development,
        test_utils,
    };
    let good = [
        arrow("link", "algebra", false, false),
        arrow("onnx", "circuit", true, false),
        arrow("link", "link", true, true),
        arrow("circuit", "pair", true, true),
    ];
    assert_eq!(wrong(&good), Vec::<String>::new());
    let bad = [
        arrow("algebra", "link", false, false),
        arrow("link", "plonk", false, false),
        arrow("circuit", "pair", true, false),
        arrow("masks", "pair", false, true),
    ];
    assert_eq!(wrong(&bad).len(), bad.len());
}

/// Writes files below a folder.
#[cfg(test)]
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn circles_are_found_however_they_are_written() {
    let lib = "mod one; mod two; pub mod three; pub use one::One;";
    let circle = |one: &str, two: &str, three: &str| {
        let files = [
            ("src/lib.rs", lib),
            ("src/one.rs", one),
            ("src/two/mod.rs", two),
            ("src/two/inner.rs", "pub struct Inner;"),
            ("src/three.rs", three),
        ];
        let folder = tree(&files);
        unknown(folder.path(), folder.path(), &mut Vec::new())
    };
    let two = "mod inner; pub use inner::Inner; pub struct Two;";
    let harmless = [
        ("pub struct One;", two, ""),
        // A module and what it re-exports.
        ("use crate::two::Inner; pub struct One;", "mod inner; pub use inner::Inner;", ""),
        // Tests look wherever they like.
        (
            "pub struct One; #[cfg(test)] mod tests { use crate::three::Three; }",
            two,
            "use crate::One; pub struct Three;",
        ),
        // Names of other crates, and visibilities.
        (
            "pub(in crate::two) struct One; use std::two::Two;",
            "mod inner; use crate::one::One; pub(super) struct Two;",
            "",
        ),
    ];
    for (one, two, three) in harmless {
        assert_eq!(circle(one, two, three), Vec::<String>::new(), "{one} {two} {three}");
    }
    let circular = [
        ("use crate::two::Two; pub struct One;", "mod inner; use super::One; pub struct Two;", ""),
        (
            "use super::two::*; pub struct One;",
            "mod inner; use crate::one::{self}; pub struct Two;",
            "",
        ),
        (
            "pub struct One; fn f() { crate::two::f(); }",
            "mod inner; pub fn f(_: super::one::One) {}",
            "",
        ),
        // By way of a third file, and inside a macro.
        (
            "use crate::two::{Inner, Two}; pub struct One;",
            "mod inner; pub use inner::Inner; use crate::three; pub struct Two; fn f() { three::f() }",
            "pub fn f() { println!(\"{}\", crate::one::One) }",
        ),
        // By way of the root's re-export.
        ("use crate::three::Three; pub struct One;", two, "pub struct Three(crate::One);"),
    ];
    for (one, two, three) in circular {
        let found = circle(one, two, three);
        assert!(found.len() >= 3, "{one} {two} {three}: {found:?}");
        assert!(found.iter().any(|line| line.contains("src/one.rs:1: ")), "{found:?}");
    }
    // A parent that uses what is inside, which uses the parent.
    let inside = [
        ("src/lib.rs", "mod two;"),
        ("src/two/mod.rs", "mod inner; use inner::Inner; pub struct Two;"),
        ("src/two/inner.rs", "\nuse super::Two;\npub struct Inner;"),
    ];
    let folder = tree(&inside);
    let found = unknown(folder.path(), folder.path(), &mut Vec::new());
    assert_eq!(
        found,
        [
            "a circle of src/two/inner.rs, src/two/mod.rs",
            "    src/two/inner.rs:2: super::Two (src/two/mod.rs)",
            "    src/two/mod.rs:1: inner::Inner (src/two/inner.rs)",
        ]
    );
    // On the list it is known, and the list is used up.
    let mut open = vec![["src/two/inner.rs", "src/two/mod.rs"].map(PathBuf::from).into()];
    assert_eq!(unknown(folder.path(), folder.path(), &mut open), Vec::<String>::new());
    assert!(open.is_empty());
}
