//! `--published-commitment`: only a proof about the parameters that were committed to is written,
//! whatever the model's side says and does.

#[path = "../../twain/tests/in_process/mod.rs"]
mod in_process;
mod processes;

use in_process::{Case, case_in, seeds};
use processes::{Running, Side, Site, free_ports, repository};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness, bind_params, write_settings};
use twain_graph::Visibility;
use twain_link::channel::Channel;
use twain_link::channel::tls::{
    ConnectOptions, PeerPolicy, Timeouts, TlsChannel, Unwatched, connect,
};
use twain_link::handshake::{Difference, HandshakeError, Item, Manifest, handshake};
use twain_link::identity::Identity;
use twain_pair::TwoParty;
use twain_party::Role;
use twain_store::Store;

const COMMITTED: &str = "1l_mlp-k9-polycommit";
const NAME: &str = "commitment to the parameters";
const WAIT: Duration = Duration::from_secs(60);

/// A folder for [`Site`] and [`Case`]: the circuit of the vector with its parameters tied to the
/// commitment, and changed as told.
fn tied(folder: &Path, change: impl FnOnce(&mut CompiledModel)) {
    let source = repository("tests/vectors").join(COMMITTED);
    let mut compiled = CompiledModel::read(&source.join("model.compiled")).unwrap();
    assert!(bind_params(&mut compiled) > 0);
    change(&mut compiled);
    compiled.write(&folder.join("model.compiled")).unwrap();
    write_settings(&folder.join("settings.json"), &compiled.settings).unwrap();
    for name in ["input.json", "witness.json"] {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
}

fn tied_site() -> (tempfile::TempDir, Site) {
    let folder = tempfile::tempdir().unwrap();
    tied(folder.path(), |_| ());
    let site = Site::new(folder.path());
    (folder, site)
}

/// Writes the vector's witness, with its commitments to the parameters changed.
fn publish(site: &Site, name: &str, change: impl FnOnce(&mut Vec<Vec<twain_algebra::G1Affine>>)) {
    let path = repository("tests/vectors").join(COMMITTED).join("witness.json");
    let mut witness = GraphWitness::read(&path).unwrap();
    let processed = witness.processed_params.as_mut().unwrap();
    change(processed.polycommit.as_mut().unwrap());
    witness.write(&site.path(name)).unwrap();
}

const GIVEN: [&str; 3] = ["--allow-polycommit", "--published-commitment", "../published.json"];

#[test]
fn the_published_weights_make_proofs_that_are_counted() {
    let (_folder, site) = tied_site();
    publish(&site, "published.json", |_| ());
    for before in 0..2 {
        let [model, data] = site.pair(&GIVEN);
        let warning = format!("under this commitment so far: {before}. With 16 values");
        assert!(model.stderr.contains(&warning), "{}", model.stderr);
        assert!(!data.stderr.contains("so far"), "the parameters are not the data's side's");
        assert_eq!(model.succeeded(), data.succeeded());
    }
}

#[test]
fn other_weights_are_named() {
    let (_folder, site) = tied_site();
    publish(&site, "published.json", |points| points[0][0] = -points[0][0]);
    let [own, remote] = free_ports();
    let model = site.start(Side::Model, own, remote, &GIVEN[..1]);
    let data = site.start(Side::Data, remote, own, &GIVEN);
    for side in [model, data].map(Running::end) {
        assert!(side.failed().contains(&format!("{NAME} (model: ")), "{}", side.stderr);
    }
    // The model's side finds it out by itself if it has the file.
    let data = site.start(Side::Data, remote, own, &GIVEN[..1]);
    let model = site.start(Side::Model, own, remote, &GIVEN).end();
    assert!(model.failed().contains("others than those of this published"), "{}", model.stderr);
    assert!(data.end().failed().contains("its published commitment cannot be used"));
}

#[test]
fn a_file_that_cannot_bind_is_refused() {
    let refused = |site: &Site, expected: &str| {
        let [own, remote] = free_ports();
        let flags = [&GIVEN[..], &["--connect-timeout", "0.2"]].concat();
        let data = site.start(Side::Data, own, remote, &flags).end();
        assert!(data.failed().contains(expected), "{}", data.stderr);
    };
    let (_folder, site) = tied_site();
    publish(&site, "published.json", |points| points.push(points[0].clone()));
    refused(&site, "it has 2 commitments to parameters, but those of this circuit take 1");
    publish(&site, "published.json", Vec::clear);
    refused(&site, "it has 0 commitments");
    let untied = Site::vector(COMMITTED);
    publish(&untied, "published.json", |_| ());
    refused(&untied, "bind-params");
    // A file may claim any number of uses.
    let folder = tempfile::tempdir().unwrap();
    tied(folder.path(), |compiled| {
        compiled.model.for_each_node_mut(&mut |node| node.num_uses = 0);
    });
    let unused = Site::new(folder.path());
    publish(&unused, "published.json", |_| ());
    refused(&unused, "bind-params");
    let private = Site::vector("1l_mlp-k9-private");
    publish(&private, "published.json", |_| ());
    refused(&private, "param_visibility is not polycommit");
}

#[test]
fn commitments_to_inputs_come_first_in_a_proof() {
    let folder = tempfile::tempdir().unwrap();
    tied(folder.path(), |compiled| {
        compiled.settings.run_args.input_visibility = Visibility::KZGCommit;
        compiled.model.visibility.input = Visibility::KZGCommit;
        compiled.settings.module_sizes.polycommit.insert(0, 3);
    });
    let site = Site::new(folder.path());
    publish(&site, "published.json", |_| ());
    site.prove_and_verify(&GIVEN);
}

/// A model's side that says and does what it likes.
struct Liar<'a> {
    site: &'a Site,
    case: Case,
}

impl Liar<'_> {
    /// Meets a data's side that pins the published commitment; returns both.
    fn meet(&self) -> (TlsChannel, Running) {
        let [own, remote] = free_ports();
        let data = self.site.start(Side::Data, remote, own, &GIVEN);
        let identity = Identity::load_or_create(&self.site.file(Side::Model, "identity")).unwrap();
        let channel = connect(ConnectOptions {
            role: Role::Model,
            identity: &identity,
            local: Some(&format!("127.0.0.1:{own}")),
            remote: Some(&format!("127.0.0.1:{remote}")),
            peer: PeerPolicy::Pinned(self.site.fingerprint(Side::Data).parse().unwrap()),
            connect_timeout: WAIT,
            watcher: &Unwatched,
            timeouts: Timeouts::default(),
        });
        (channel.unwrap(), data)
    }

    /// Whatever the data's side wants to hear.
    fn items(&self) -> Vec<(String, Item)> {
        let (mut channel, data) = self.meet();
        let error = handshake(&mut channel, &Manifest::default()).unwrap_err();
        let HandshakeError::Differences(differences) = error else { panic!("{error}") };
        data.end().failed();
        let item = |Difference { name, data, .. }: Difference| (name, data.unwrap());
        differences.into_iter().map(item).collect()
    }

    /// Says what the data's side wants to hear and makes a proof with these parameters.
    fn prove(&self, parameters: Vec<Vec<Fr>>) -> processes::Ended {
        let items = self.items();
        let plan = self.case.plan();
        assert!(items.contains(&("plan".to_string(), plan.digest().into())));
        let (mut channel, data) = self.meet();
        handshake(&mut channel, &Manifest::new(items).unwrap()).unwrap();
        Store::decline(&mut channel).unwrap();
        let mut secrets = self.case.secrets();
        secrets.parameters = parameters;
        let seeds = seeds(Role::Model);
        let party = TwoParty::planned(&mut channel, &plan, &seeds).unwrap();
        let statement = Arc::new(self.case.circuit.statement_shape().unwrap());
        let mut party = party.testing(statement, self.case.argument_shape(), &seeds).unwrap();
        self.case.side(&mut party, &secrets, Role::Model).unwrap();
        drop(party);
        // The proof's time. The data's side may have gone.
        let _ = channel.send("farewell", vec![0; 16]);
        let _ = channel.finish(WAIT);
        data.end()
    }
}

#[test]
fn a_model_s_side_that_lies_gets_no_proof() {
    let (folder, site) = tied_site();
    publish(&site, "published.json", |_| ());
    let case = case_in(folder.path(), &site.file(Side::Data, "kzg.srs"));
    let liar = Liar { site: &site, case };
    // It cannot keep silent about the commitment.
    let mut items = liar.items();
    let of_commitment = items.iter_mut().find(|(name, _)| name == NAME);
    of_commitment.expect("it is compared").1 = Item::Any;
    let (mut channel, data) = liar.meet();
    let silent = Manifest::new(items).unwrap().excuse(Role::Model, NAME);
    handshake(&mut channel, &silent).expect("by its own rules");
    drop(channel);
    let data = data.end();
    assert!(data.failed().contains(&format!("{NAME} (model: any, data: ")), "{}", data.stderr);
    // It can name the published one, and prove with other parameters.
    let published = liar.case.secrets().parameters;
    let mut other = published.clone();
    other[0][0] += Fr::from(1);
    let data = liar.prove(other);
    let message = data.failed();
    assert!(message.contains("published.json: the finished proof is about other"), "{message}");
    assert!(message.contains("published commitment"), "{message}");
    // All else was as it should be.
    liar.prove(published).succeeded();
}
