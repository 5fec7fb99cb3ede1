//! An SRS that the peer handed over, made so that commitments hide nothing: what it would give away,
//! and that every command refuses it before it does anything else.

#[path = "../../twain/tests/in_process/mod.rs"]
mod in_process;
mod processes;

use ff::{Field, PrimeField};
use group::prime::PrimeCurveAffine;
use group::{Curve, GroupEncoding};
use in_process::{Case, Secrets, case};
use processes::{Running, Side, Site, free_ports, one_error, repository, run};
use rand_core::OsRng;
use std::fs;
use std::path::Path;
use std::thread;
use twain::key_files::{KeyFileError, read_srs};
use twain_algebra::{Fq, Fr, G1Affine, G2Affine, g_lagrange_from_g, vector};
use twain_artifacts::srs::{PointCheck, SrsError, SrsFile, write_srs};
use twain_circuit::Witness;
use twain_link::channel::{Channel, MemoryChannel, Recorder, memory_pair};
use twain_pair::TwoParty;
use twain_party::{Kind, PartySeeds, Role, Seed, Watched};
use twain_plonk::Srs;

const RELU: &str = "1l_relu-k8-private";
const K: u32 = 8;

/// The content of a file.
#[derive(Clone)]
struct Points {
    g: Vec<G1Affine>,
    g_lagrange: Vec<G1Affine>,
    g2: G2Affine,
    s_g2: G2Affine,
}

impl Points {
    /// EZKL's.
    fn good() -> Self {
        let path = repository(&format!("tests/vectors/srs/kzg{K}.srs"));
        let file = SrsFile::open(&path).unwrap();
        let g = file.g(K, PointCheck::OnCurve).unwrap();
        let g_lagrange = file.g_lagrange(PointCheck::OnCurve).unwrap();
        Self { g, g_lagrange, g2: file.g2(), s_g2: file.s_g2() }
    }

    /// The Lagrange commitments of the blinding rows, and so the blinding, are gone.
    fn unblinded(usable_rows: usize) -> Self {
        let mut points = Self::good();
        points.g_lagrange[usable_rows..].fill(G1Affine::identity());
        points
    }

    /// The powers of a secret, with what belongs to them.
    fn of_secret(secret: Fr) -> Self {
        let multiple = |power: &Fr| (G1Affine::generator() * power).to_affine();
        let g: Vec<G1Affine> = vector::powers(secret, 1 << K).iter().map(multiple).collect();
        let g2 = G2Affine::generator();
        let g_lagrange = g_lagrange_from_g(&g).unwrap();
        Self { g, g_lagrange, g2, s_g2: (g2 * secret).to_affine() }
    }

    fn write(&self, path: &Path) {
        write_srs(path, &self.g, &self.g_lagrange, &self.g2, &self.s_g2).unwrap();
    }

    /// As it was read before points were checked.
    fn unchecked(self) -> Srs {
        Srs::new(K, self.g, self.g_lagrange, self.g2, self.s_g2).unwrap()
    }
}

/// SRSs that must not be used: what is wrong, the points, and whether that shows in the powers for half
/// as many rows, too.
fn wrong() -> Vec<(SrsError, Points, bool)> {
    let good = Points::good();
    let changed = |change: &dyn Fn(&mut Points)| {
        let mut points = good.clone();
        change(&mut points);
        points
    };
    let fitting = |change: &dyn Fn(&mut Points)| {
        let mut points = changed(change);
        points.g_lagrange = g_lagrange_from_g(&points.g).unwrap();
        points
    };
    let (powers, last) = (1 << K, (1 << K) - 1);
    let twice = |point: &mut G1Affine| *point = (*point + *point).to_affine();
    let eighth_root = Fr::ROOT_OF_UNITY.pow([1 << (Fr::S - 3)]);
    vec![
        (SrsError::Lagrange, Points::unblinded(powers - 6), false),
        (SrsError::Lagrange, changed(&|points| points.g_lagrange.swap(3, 4)), false),
        (SrsError::Lagrange, changed(&|points| twice(&mut points.g_lagrange[last])), false),
        (SrsError::Lagrange, changed(&|points| points.g_lagrange.fill(good.g[0])), false),
        (SrsError::Powers, fitting(&|points| twice(&mut points.g[last])), false),
        (SrsError::Powers, fitting(&|points| points.g[7] = G1Affine::identity()), true),
        (SrsError::Powers, fitting(&|points| points.g[100..].fill(good.g[1])), true),
        (SrsError::Powers, fitting(&|points| twice(&mut points.g[1])), true),
        (SrsError::Powers, changed(&|points| points.s_g2 = points.g2), true),
        (SrsError::Powers, changed(&|points| points.s_g2 = -points.s_g2), true),
        (SrsError::Generator, fitting(&|points| points.g[0] = G1Affine::identity()), true),
        (SrsError::Generator, fitting(&|points| points.g.iter_mut().for_each(twice)), true),
        (SrsError::Generator, changed(&|points| points.g2 = points.s_g2), true),
        (SrsError::Point, changed(&|points| points.g[8].y += Fq::ONE), true),
        (SrsError::Point, changed(&|points| points.g_lagrange[8].y += Fq::ONE), false),
        (SrsError::Point, changed(&|points| points.s_g2 = G2Affine::identity()), true),
        (SrsError::RootOfUnity, Points::of_secret(eighth_root), true),
        (SrsError::RootOfUnity, Points::of_secret(Fr::ONE), true),
    ]
}

#[test]
fn wrong_points_are_refused_when_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kzg.srs");
    for (number, (expected, points, in_half)) in wrong().into_iter().enumerate() {
        points.write(&path);
        let refusal = |k| match read_srs(&path, k, &mut OsRng, &Watched::default()) {
            Err(error @ KeyFileError::UnsafeSrs { source, .. }) => {
                let text = error.to_string();
                let parts = [&path.display().to_string(), "get another one with get-srs"];
                assert!(parts.iter().all(|part| text.contains(part)), "{text}");
                Some(source)
            }
            Err(error) => panic!("{number}: {error}"),
            Ok(_) => None,
        };
        assert_eq!(refusal(K), Some(expected), "{number}");
        // Of a larger file than needed the Lagrange commitments are not used, and not all powers.
        assert_eq!(refusal(K - 1), in_half.then_some(expected), "{number}, cut down");
    }
    for points in [Points::good(), Points::of_secret(Fr::from(5))] {
        points.write(&path);
        assert_eq!(
            read_srs(&path, K, &mut OsRng, &Watched::default()).unwrap(),
            points.unchecked()
        );
    }
}

#[test]
fn commands_refuse_it_before_any_work() {
    let site = Site::vector(RELU);
    let [model, data] = Side::BOTH.map(|side| site.folder(side));
    let bad = Points::unblinded((1 << K) - 6);
    bad.write(&site.file(Side::Data, "kzg.srs"));
    let reason = "the Lagrange commitments do not belong to the powers: do not use this SRS";
    let names_it = |message: &str| {
        let parts = ["kzg.srs: ", reason, "; get another one with get-srs"];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };

    // Alone.
    let witness = repository("tests/vectors").join(RELU).join("witness.json");
    fs::copy(witness, model.join("witness.json")).unwrap();
    let srs = ["--srs-path", "../data/kzg.srs"];
    let keys = ["--vk-path", "vk.new", "--pk-path", "pk.new"];
    for (arguments, written) in [
        ([&["setup"], &srs[..], &keys].concat(), ["vk.new", "pk.new"]),
        ([&["prove"], &srs[..]].concat(), ["proof.json"; 2]),
    ] {
        let output = run(&model, &arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        names_it(one_error(&String::from_utf8_lossy(&output.stderr)));
        assert!(written.iter().all(|name| !model.join(name).exists()), "{arguments:?}");
    }

    // With a peer, who is told; nothing but that is said.
    let timeout = ["--connect-timeout", "20"];
    for (command, flags) in [("prove", &[][..]), ("preprocess", &["--proofs", "1"])] {
        let [model, data] = free_ports();
        let flags = [&timeout, flags].concat();
        let start = |side, ports| site.start_command(command, side, ports, &flags);
        let sides = [start(Side::Model, [model, data]), start(Side::Data, [data, model])];
        let [model, data] = sides.map(Running::end);
        names_it(data.failed());
        let told = "the data's side cannot start: its SRS cannot be used";
        assert!(model.failed().ends_with(told), "{}", model.stderr);
    }
    assert!(!data.join("proof.json").exists());
}

/// What the model's side receives as the data's part of the commitment to an advice column.
fn part_of_data(case: &Case, secrets: &Secrets, blinding: u8, column: usize) -> G1Affine {
    const DIGEST_BYTES: usize = 32;
    const POINT_BYTES: usize = 32;
    let (model, data) = memory_pair([9; 32]);
    let side = |end: MemoryChannel| {
        let role = end.role();
        let mut recorder = Recorder::new(end);
        let seed = |number: u8| Seed([number + role as u8; 32]);
        let seeds = PartySeeds { blinding: seed(blinding), protocol: seed(77) };
        let mut party = TwoParty::inline(&mut recorder, &seeds).unwrap();
        case.side(&mut party, secrets, role).unwrap();
        recorder
    };
    let recorder = thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        side(data);
        model.join().unwrap()
    });
    let received = recorder.received("commitments");
    let mut encoded = <G1Affine as GroupEncoding>::Repr::default();
    let start = DIGEST_BYTES + POINT_BYTES * column;
    encoded.as_mut().copy_from_slice(&received[start..start + POINT_BYTES]);
    G1Affine::from_bytes(&encoded).unwrap()
}

/// The attacks: with the attacker's SRS a part of a commitment is a function of the secret alone, which
/// anyone can compute for a guess.
#[test]
fn without_the_check_a_guess_can_be_confirmed() {
    let mut case = case(RELU);
    let secrets = case.secrets();
    let mut guess = secrets.clone();
    guess.inputs[0][0] += Fr::ONE;
    let usable = case.circuit.columns.geometry.usable_rows;
    let columns = |secrets: &Secrets| {
        let (_, values) = case.values(secrets);
        Witness::new(&case.circuit, &values).columns(false, 0)
    };
    let (right, wrong) = (columns(&secrets), columns(&guess));
    // A column with the guessed value, of which the data's side has the whole secret.
    let differing = |column: usize| -> Option<usize> {
        (0..usable).find(|row| right[column].values[*row] != wrong[column].values[*row])
    };
    let others = [Kind::Shared, Kind::Owned(Role::Model)].map(Some);
    let whole = |column: &usize| {
        (0..usable).all(|row| !others.contains(&right[*column].kinds.assigned(row)))
    };
    let column = (0..right.len()).filter(whole).find(|column| differing(*column).is_some());
    let column = column.expect("a column of the input");
    let row = differing(column).expect("found above");
    let (right, wrong) = (&right[column].values, &wrong[column].values);

    // Two sessions with the same secret and other blinding.
    let seen = |case: &Case| [1, 101].map(|seed| part_of_data(case, &secrets, seed, column));
    let parts = seen(&case);
    assert_ne!(parts[0], parts[1]);
    assert!(!parts.contains(&case.srs.commit_lagrange(right)));

    let powers = case.srs.g().points(0..1 << K);
    let secret = Fr::ROOT_OF_UNITY.pow([row as u64]).pow([1 << (Fr::S - K)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kzg.srs");
    for (points, same_powers) in
        [(Points::unblinded(usable), true), (Points::of_secret(secret), false)]
    {
        points.write(&path);
        assert!(read_srs(&path, K, &mut OsRng, &Watched::default()).is_err());
        assert_eq!(points.g == powers, same_powers);
        case.srs = points.unchecked();
        let parts = seen(&case);
        assert_eq!(parts, [case.srs.commit_lagrange(right); 2]);
        assert_ne!(parts[0], case.srs.commit_lagrange(wrong));
    }
}
