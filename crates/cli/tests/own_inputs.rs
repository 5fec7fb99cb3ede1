//! Two processes that both have inputs (protocol §1.4): proofs with and without a model, from a
//! bundle too; what does not go together, named on both sides, before they connect where one side
//! can tell.

mod processes;

use processes::{Ended, Side, Site, repository, succeed};
use serde_json::json;
use std::fs;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, Proof, write_settings};

/// Inputs of which each proof publishes a hash.
const HASHED: &[&str] = &["--logrows", "11", "--input-visibility", "hashed"];
/// Each side's flags.
const SPLIT: [&[&str]; 2] = [&["--own-inputs", "0"], &["--own-inputs", "1"]];

fn give(site: &Site, side: Side, lists: serde_json::Value) {
    let text = json!({ "input_data": lists }).to_string();
    fs::write(site.file(side, "input.json"), text).unwrap();
}

/// Two inputs that are compared, of one side each, and no parameters.
fn without_a_model() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let circuit = repository("tests/circuits/logic/model.compiled");
    let compiled = CompiledModel::read(&circuit).unwrap();
    fs::copy(circuit, folder.path().join("model.compiled")).unwrap();
    write_settings(&folder.path().join("settings.json"), &compiled.settings).unwrap();
    fs::write(folder.path().join("input.json"), "{}").unwrap();
    let site = Site::new(folder.path());
    give(&site, Side::Model, json!([[0.5, -0.25, 0.75]]));
    give(&site, Side::Data, json!([[0.125, 0.5, 0.75]]));
    site
}

/// A network of two inputs with weights; the inputs are those of the file.
fn with_a_model(flags: &[&str]) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let network = repository("tests/onnx/concat/network.onnx");
    fs::copy(network, folder.path().join("network.onnx")).unwrap();
    fs::write(folder.path().join("input.json"), "{}").unwrap();
    let small = ["--decomp-base", "128", "--decomp-legs", "4"];
    succeed(folder.path(), &[&["gen-settings"], flags, &small].concat());
    succeed(folder.path(), &["compile-circuit"]);
    let site = Site::new(folder.path());
    give(&site, Side::Model, json!([[0.5, -0.25, 0.75, 0.125]]));
    give(&site, Side::Data, json!([[0.125, 0.5, 0.75, -0.5, 1.0]]));
    site
}

/// Both sides' proof, which is the same and verifies.
fn proven(site: &Site, sides: [Ended; 2]) -> Vec<u8> {
    let [model, data] = sides.map(Ended::succeeded);
    assert_eq!(model, data, "both write the same file");
    site.verify_and_remove();
    model
}

#[test]
fn two_owners_prove_without_a_model() {
    let site = without_a_model();
    let sides = site.pair_of("prove", SPLIT);
    assert!(sides[0].stderr.contains("parameters stay hidden and inputs 0 stay hidden"));
    assert!(sides[1].stderr.contains("Your inputs 1 stay hidden; the peer's parameters"));
    proven(&site, sides);
    // A bundle is for the owners it was made for.
    for side in site.pair_of("preprocess", SPLIT) {
        assert_eq!(side.code, Some(0), "{}", side.stderr);
    }
    let exchanged = [SPLIT[1], SPLIT[0]];
    for (flags, uses) in [(exchanged, false), (SPLIT, true)] {
        let sides = site.pair_of("prove", flags);
        assert!(sides.iter().all(|side| side.stderr.contains("Uses bundle") == uses));
        proven(&site, sides);
    }
}

#[test]
fn an_input_of_the_model_s_side_beside_its_parameters() {
    for (flags, digests) in [(&["--logrows", "10"][..], 0), (HASHED, 2)] {
        let site = with_a_model(flags);
        let instances = instances(&site, proven(&site, site.pair_of("prove", SPLIT)));
        // One digest for each input, so for each owner, and two outputs.
        assert_eq!(instances.len(), digests + 2);
    }
}

fn instances(site: &Site, proof: Vec<u8>) -> Vec<Fr> {
    fs::write(site.path("kept.json"), proof).unwrap();
    Proof::read(&site.path("kept.json")).unwrap().instances.concat()
}

#[test]
fn each_side_is_held_to_what_it_published() {
    let site = with_a_model(HASHED);
    let published = [Side::Model, Side::Data].map(|side| {
        let line = succeed(&site.folder(side), &[&["hash-inputs"], SPLIT[side as usize]].concat());
        line.trim().to_string()
    });
    let insists = |hashes: [&str; 2]| {
        let flags = [0, 1].map(|side| {
            let peer = ["--published-hash", hashes[1 - side]];
            [SPLIT[side], &peer].concat()
        });
        site.pair_of("prove", [&flags[0], &flags[1]])
    };
    let hashes = published.each_ref().map(String::as_str);
    let proof = proven(&site, insists(hashes));
    for (instance, hash) in instances(&site, proof).iter().zip(hashes) {
        assert!(hash.ends_with(&twain_artifacts::field_to_hex(instance)), "{hash}");
    }
    // Another table than the one that was hashed.
    give(&site, Side::Data, json!([[0.125, 0.5, 0.75, -0.5, 1.5]]));
    let [model, data] = insists(hashes);
    let text = "the peer's input 1 is another one than its published hash is of; no proof was made";
    assert!(model.failed().contains(text) && model.code == Some(7), "{}", model.stderr);
    data.failed();
    // Not the peer's input; no hash of it.
    let [model, data] = insists([hashes[1], hashes[1]]);
    let text = "--published-hash: input 1 is not one of the peer's";
    assert!(data.failed().contains(text), "{}", data.stderr);
    assert!(model.failed().contains("its published hashes do not fit"), "{}", model.stderr);
    let plain = without_a_model();
    let flag = ["--own-inputs", "0", "--published-hash", hashes[1]];
    let [model, _] = plain.pair_of("prove", [&flag, SPLIT[1]]);
    assert!(model.failed().contains("compile with --input-visibility hashed"), "{}", model.stderr);
}

/// Each side's last line contains the text.
fn both_say(sides: &[Ended; 2], text: &str) {
    for side in sides {
        assert!(side.failed().contains(text), "{text}: {}", side.stderr);
    }
}

#[test]
fn owners_that_differ_are_named_on_both_sides() {
    let site = without_a_model();
    let none: &[&str] = &["--connect-timeout", "20"];
    // A side that owns all inputs needs a list for each.
    let both = json!([[0.125, 0.5, 0.75], [0.125, 0.5, 0.75]]);
    give(&site, Side::Data, both);
    let sides = site.pair_of("prove", [SPLIT[0], none]);
    both_say(&sides, "inputs of the model's side (model: 0, data: none)");
    both_say(&sides, "owned input 0 by both sides (--own-inputs)");
    assert_eq!(sides[0].code, Some(8));
    give(&site, Side::Data, json!([[0.125, 0.5, 0.75]]));
    let sides = site.pair_of("prove", [none, SPLIT[1]]);
    both_say(&sides, "inputs of the model's side (model: none, data: 0)");
    both_say(&sides, "owned input 0 by neither (--own-inputs)");
    for name in ["prove", "preprocess"] {
        let sides = site.pair_of(name, [SPLIT[0], SPLIT[0]]);
        both_say(&sides, "owned input 0 by both sides, input 1 by neither (--own-inputs)");
    }
}

#[test]
fn what_one_side_can_tell_is_told_before_anything_is_compared() {
    let site = without_a_model();
    let said = |flags: &[&str], own: &str, told: &str| {
        let [model, data] = site.pair_of("prove", [flags, SPLIT[1]]);
        assert!(model.failed().contains(own), "{}", model.stderr);
        assert!(!model.stderr.contains("The peer will learn"), "{}", model.stderr);
        assert!(data.failed().contains("the model's side cannot start"), "{}", data.stderr);
        assert!(data.failed().contains(told), "{}", data.stderr);
    };
    let told = "its --own-inputs do not fit the circuit";
    said(&["--own-inputs", "2"], "2: the circuit has no such input; its inputs are 0 to 1", told);
    said(&["--own-inputs", "0,0"], "input 0 is named twice", told);
    said(&["--own-inputs", "0,1"], "nothing is left for the data's side", told);
    give(&site, Side::Model, json!([[0.5, -0.25, 0.75], [0.5, 0.5, 0.5]]));
    let lists = "input_data holds 2 lists, but this side owns 1 of its 2 inputs";
    said(SPLIT[0], lists, &format!("its input has the wrong shape: {lists}"));
    let wide = twain_artifacts::field_to_hex(&twain_algebra::Fr::from(1 << 24));
    give(&site, Side::Model, json!([[0.5, wide, 0.75]]));
    let outside = "input.json: element 1 of input 0 is not in the range -16777215 to 16777215";
    said(SPLIT[0], outside, "a value of its input is out of the circuit's range");
    give(&site, Side::Model, json!([[0.5, 0.5, 0.75]]));
    proven(&site, site.pair_of("prove", SPLIT));
}

#[test]
fn inputs_that_both_know_have_no_owner() {
    let site = with_a_model(&["--logrows", "10", "--input-visibility", "public"]);
    let text = "--own-inputs: the circuit's inputs are public, so both sides know them";
    both_say(&site.pair_of("prove", SPLIT), text);
}
