//! Stored products are products, used for one call only; what is opened shows nothing.

use super::ole::RandomOperands;
use super::{Call, OfBundle, Records, StoredOle, make, stored};
use super::{Plan, material, records};
use ff::{Field, PrimeField};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use twain_algebra::Fr;
use twain_link::channel::run_pair;
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, memory_pair};
use twain_masks::{Demand, DigitMaskSource, InlineMaterial};
use twain_ole::{OleGroup, OleSource, Products};
use twain_party::{PartySeeds, Role, Seed};

const ROLES: [Role; 2] = [Role::Model, Role::Data];

/// Both sides' bundles for these calls of products, from a dealer.
fn dealt(calls: &[Vec<OleGroup>], seeds: [u8; 2]) -> [Vec<u8>; 2] {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut bundles = seeds.map(|seed| vec![seed; 32]);
    for (number, groups) in (0..).zip(calls) {
        let products = Products::from(groups.clone());
        let random =
            ROLES.map(|r| RandomOperands::draw(&[seeds[r as usize]; 32], number, &products, r));
        let digest = Call::Products(products.clone()).digest();
        bundles.iter_mut().for_each(|bundle| bundle.extend(digest));
        let [model, data] = random.each_ref().map(RandomOperands::all);
        for group in groups {
            for j in 0..group.length {
                let products =
                    group.terms.iter().map(|&(a, b)| model[a as usize][j] * data[b as usize][j]);
                let share = Fr::random(&mut rng);
                let other = products.sum::<Fr>() - share;
                bundles[0].extend(share.to_repr().as_ref());
                bundles[1].extend(other.to_repr().as_ref());
            }
        }
    }
    bundles
}

fn source(bundle: &[u8]) -> StoredOle {
    stored([7; 32], Cursor::new(bundle.to_vec())).expect("opened").0
}

/// One call on both sides: the shares, and what the model's side sent.
fn call(
    sources: [&mut StoredOle; 2],
    operands: &[Vec<Vec<Fr>>; 2],
    groups: &[OleGroup],
) -> ([Vec<Vec<Fr>>; 2], Vec<u8>) {
    let (model, mut data) = memory_pair([0; 32]);
    let mut model = Tapped { channel: model, sent: Vec::new() };
    let slices = |side: usize| operands[side].iter().map(Vec::as_slice).collect::<Vec<_>>();
    let [ours, theirs] = sources;
    let made = std::thread::scope(|scope| {
        let other = scope.spawn(|| theirs.inner_products(&mut data, "test", &slices(1), groups));
        let own = ours.inner_products(&mut model, "test", &slices(0), groups).expect("made");
        [own, other.join().expect("joined").expect("made")]
    });
    (made, model.sent)
}

/// A link whose sent frames are kept.
struct Tapped {
    channel: MemoryChannel,
    sent: Vec<u8>,
}

impl Channel for Tapped {
    fn role(&self) -> Role {
        self.channel.role()
    }
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.sent.extend(&frame);
        self.channel.send(phase, frame)
    }
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.channel.receive(phase, length)
    }
    fn session_id(&self) -> [u8; 32] {
        self.channel.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.channel.meter()
    }
}

fn random(seed: u64, lengths: &[usize]) -> Vec<Vec<Fr>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    lengths.iter().map(|&n| (0..n).map(|_| Fr::random(&mut rng)).collect()).collect()
}

/// Shared operands, sums of products, an empty group, different numbers of operands, an unnamed
/// one.
fn groups() -> Vec<OleGroup> {
    vec![
        OleGroup { length: 3, terms: vec![(0, 0), (1, 0), (0, 3)] },
        OleGroup { length: 0, terms: vec![] },
        OleGroup { length: 5, terms: vec![(2, 2)] },
    ]
}

#[test]
fn shares_add_up_to_products() {
    let calls = [groups(), vec![OleGroup { length: 1, terms: vec![(0, 0)] }], groups()];
    let bundles = dealt(&calls, [1, 2]);
    let [mut model, mut data] = bundles.each_ref().map(|bundle| source(bundle));
    for (seed, groups) in (0..).zip(&calls) {
        let lengths =
            if groups.len() == 1 { [vec![1], vec![1]] } else { [vec![3, 3, 5], vec![3, 9, 5, 3]] };
        let operands = [random(seed, &lengths[0]), random(seed + 10, &lengths[1])];
        let ([own, other], _) = call([&mut model, &mut data], &operands, groups);
        for (group, (own, other)) in groups.iter().zip(own.iter().zip(&other)) {
            let sum = |j: usize| -> Fr {
                let terms = group.terms.iter();
                terms.map(|&(a, b)| operands[0][a as usize][j] * operands[1][b as usize][j]).sum()
            };
            let expected: Vec<Fr> = (0..group.length).map(sum).collect();
            assert_eq!(own.iter().zip(other).map(|(a, b)| a + b).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_call_that_was_not_planned_spends_the_bundle() {
    let bundles = dealt(&[groups(), groups()], [1, 2]);
    let (mut channel, _peer) = memory_pair([0; 32]);
    let operands = random(1, &[3, 3, 5]);
    let operands: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
    let mut groups = groups();
    groups[2].length = 3;
    groups[2].terms[0].0 = 1;
    let (mut products, mut material, _) =
        stored([7; 32], Cursor::new(bundles[0].clone())).expect("opened");
    let mut fails = |groups: &[OleGroup], text: &str| {
        let error = products.inner_products(&mut channel, "test", &operands, groups);
        let error = error.expect_err("another call").to_string();
        assert!(error.contains(text), "{error}");
    };
    fails(&groups, "made for");
    fails(&self::groups(), "spent");
    let demand = Demand::default();
    let error = material.supply(&mut channel, &demand).err().expect("spent").to_string();
    assert!(error.contains("spent"), "{error}");
    assert_eq!(channel.traffic().sent, 0, "nothing was opened");
}

/// Statistical: the bytes of what is opened are spread as uniform scalars' are, whatever the
/// secret. Exact: over one mask, views of two secrets differ by the secrets' difference and by
/// nothing else.
#[test]
fn what_is_opened_does_not_depend_on_the_secret() {
    const LENGTH: usize = 4096;
    let groups = vec![OleGroup { length: LENGTH, terms: vec![(0, 0)] }];
    let bundles = dealt(&[groups.clone(), groups.clone()], [3, 4]);
    let scalars = |view: &[u8]| -> Vec<Fr> {
        let chunks = view.as_chunks::<32>().0.iter();
        chunks
            .map(|bytes| Option::from(Fr::from_repr((*bytes).into())).expect("canonical"))
            .collect()
    };
    let mut views = Vec::new();
    for secret in [Fr::ZERO, Fr::ONE, -Fr::ONE] {
        let operands = [vec![vec![secret; LENGTH]], vec![vec![secret; LENGTH]]];
        let [mut model, mut data] = bundles.each_ref().map(|bundle| source(bundle));
        let (_, first) = call([&mut model, &mut data], &operands, &groups);
        let (_, second) = call([&mut model, &mut data], &operands, &groups);
        for view in [&first, &second] {
            let mut counts = [0i64; 256];
            view.as_chunks::<32>()
                .0
                .iter()
                .flat_map(|scalar| &scalar[..31])
                .for_each(|&byte| counts[usize::from(byte)] += 1);
            let expected = (31 * LENGTH / 256) as i64;
            let chi: i64 = counts.iter().map(|c| (c - expected).pow(2)).sum::<i64>() / expected;
            assert!(chi < 255 + 8 * 23, "{chi}"); // 8 standard deviations
        }
        let both = [scalars(&first), scalars(&second)].concat();
        let mut distinct = both.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 2 * LENGTH, "every mask is used once");
        views.push(both.into_iter().map(|opened| opened - secret).collect::<Vec<_>>());
    }
    assert!(views.iter().all(|masks| *masks == views[0]));
}

#[test]
fn material_comes_back_as_it_was_made() {
    let mut demand = Demand { bit_products: 9, conversions: 4, selections: 3, ..Demand::default() };
    demand.masks[2] = 3;
    demand.masks[7] = 2;
    demand.masks[11] = 1;
    for demand in [demand, Demand::default()] {
        let id = [6; 32];
        let (made, _) = run_pair(|channel, rng| {
            InlineMaterial::new(rng.clone()).supply(&mut OfBundle { channel, id }, &demand)
        });
        let mut bundle = vec![0; 32];
        bundle.extend(Call::Material(demand.clone()).digest());
        bundle.extend(material::encode(&made).iter());
        let (_, mut source, _) = stored(id, Cursor::new(bundle)).expect("opened");
        let (mut channel, _peer) = memory_pair([1; 32]);
        let read = source.supply(&mut channel, &demand).expect("read");
        assert_eq!(*material::encode(&read), *material::encode(&made));
        assert_eq!(read.masks.iter().map(Vec::len).collect::<Vec<_>>(), demand.masks);
        let expand = |material: &twain_masks::Material| -> Vec<u128> {
            let mut entries = Vec::new();
            let scratch = &mut twain_masks::dpf::Scratch::default();
            for mask in material.masks.iter().flatten() {
                mask.expand(scratch, |_, run| entries.extend(run));
            }
            entries
        };
        assert_eq!(expand(&read), expand(&made));
        assert!(source.supply(&mut channel, &demand).is_err(), "nothing is left");
    }
}

/// The real makers: bundles of one session differ, and give products.
#[test]
fn bundles_are_made_by_both() {
    let groups = vec![OleGroup { length: 4, terms: vec![(0, 0)] }];
    let plan = Plan::new(vec![Call::Products(groups.clone().into())]);
    let (model, data) = memory_pair([2; 32]);
    let side = |mut channel: MemoryChannel| -> [Vec<u8>; 2] {
        let seeds =
            PartySeeds { blinding: Seed([0; 32]), protocol: Seed([channel.role() as u8; 32]) };
        [1, 2].map(|id| {
            let mut bundle = Vec::new();
            let write = &mut |bytes: &[u8]| {
                bundle.extend_from_slice(bytes);
                Ok(())
            };
            make(&mut channel, [id; 32], &plan, &seeds, write).expect("made");
            bundle
        })
    };
    let (model, data) = std::thread::scope(|scope| {
        let other = scope.spawn(|| side(data));
        (side(model), other.join().expect("joined"))
    });
    assert_ne!(model[0][..32], model[1][..32]);
    assert_ne!(model[0][..32], data[0][..32]);
    for i in 0..2 {
        let operands = [random(5, &[4]), random(6, &[4])];
        let mut sources = [source(&model[i]), source(&data[i])];
        let [first, second] = &mut sources;
        let ([own, other], _) = call([first, second], &operands, &groups);
        for j in 0..4 {
            assert_eq!(own[0][j] + other[0][j], operands[0][0][j] * operands[1][0][j]);
        }
    }
}

#[test]
fn a_bundle_that_is_cut_off_is_an_error() {
    assert!(Records::open(Box::new(Cursor::new(vec![0; 31]))).is_err());
    let [bundle, _] = dealt(&[groups()], [1, 2]);
    let whole = |length: usize| {
        let open = Records::open(Box::new(Cursor::new(bundle[..length].to_vec())));
        let shared: records::SharedRecords = Arc::new(Mutex::new(open.expect("the seed")));
        let (mut channel, mut peer) = memory_pair([0; 32]);
        peer.send("test", vec![0; 32 * 11]).expect("queued");
        let operands = random(1, &[3, 3, 5]);
        let operands: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
        StoredOle::new(shared).inner_products(&mut channel, "test", &operands, &groups()).is_ok()
    };
    assert!(whole(bundle.len()));
    assert!((32..bundle.len()).step_by(7).all(|length| !whole(length)));
}
