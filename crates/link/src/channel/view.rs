//! What a side of a session saw, as samples by phase, and how far two views are apart: a two-sample
//! chi-square test of every four bits of everything in them.

use super::{Frame, Way};
use crate::scalars::decode_scalars;
use ff::PrimeField;
use std::collections::BTreeMap;
use twain_algebra::Fr;

/// The statistic has 15 degrees of freedom: it exceeds this with probability 1e-9.
pub const LIMIT: f64 = 75.0;

/// Samples, named by phase and by what was made of it.
pub type View = BTreeMap<String, Vec<[u8; 32]>>;

/// Adds a session to a view: its frames, and what the protocol gave the viewer.
pub fn observe(view: &mut View, frames: &[Frame], learnt: &[Fr]) {
    let mut add = |name: String, bytes: &[u8]| {
        // Field elements stand last in a frame; what comes before are bits and small words.
        let (head, elements) = bytes.split_at(bytes.len() % 32);
        let list = view.entry(name).or_default();
        list.extend(elements.as_chunks::<32>().0);
        list.extend(head.iter().flat_map(|byte| [*byte & 15, *byte >> 4]).map(|nibble| {
            let mut element = [0; 32];
            element[0] = nibble;
            element
        }));
    };
    let mut sent: Vec<&Frame> = Vec::new();
    for frame in frames {
        if frame.way == Way::Sent {
            sent.push(frame);
            continue;
        }
        add(format!("{}, received", frame.phase), &frame.bytes);
        // What both send in one step are the parts of what it opens.
        let is_part =
            |own: &&Frame| own.phase == frame.phase && own.bytes.len() == frame.bytes.len();
        let Some(own) = sent.iter().position(is_part).map(|index| sent.remove(index)) else {
            continue;
        };
        let (own_head, own_elements) = own.bytes.split_at(own.bytes.len() % 32);
        let (head, elements) = frame.bytes.split_at(own_head.len());
        let xor: Vec<u8> = own_head.iter().zip(head).map(|(a, b)| a ^ b).collect();
        add(format!("{}, opened bits", frame.phase), &xor);
        let pairs = own_elements.chunks(32).zip(elements.chunks(32));
        let sums = pairs.filter_map(|(own, theirs)| {
            let read = |bytes| Some(*decode_scalars(bytes, frame.phase).ok()?.first()?);
            Some((read(own)? + read(theirs)?).to_repr())
        });
        let sums: Vec<u8> = sums.flat_map(|sum| sum.as_ref().to_vec()).collect();
        add(format!("{}, opened", frame.phase), &sums);
    }
    let learnt: Vec<u8> = learnt.iter().flat_map(|v| v.to_repr().as_ref().to_vec()).collect();
    add("outputs".into(), &learnt);
}

/// The largest chi-square statistic over everything in two views, and where.
pub fn distance(one: &View, other: &View) -> (f64, String) {
    assert!(one.keys().eq(other.keys()));
    let mut worst = (0.0, String::new());
    for (name, samples) in one {
        for place in 0..64 {
            let histogram = |samples: &[[u8; 32]]| {
                let mut counts = [0f64; 16];
                samples.iter().for_each(|sample| {
                    counts[usize::from(sample[place / 2] >> (4 * (place % 2)) & 15)] += 1.0;
                });
                counts
            };
            let scale = (other[name].len() as f64 / samples.len() as f64).sqrt();
            let pairs = histogram(samples).into_iter().zip(histogram(&other[name]));
            let pairs = pairs.filter(|(a, b)| a + b > 0.0);
            let statistic: f64 =
                pairs.map(|(a, b)| (a * scale - b / scale).powi(2) / (a + b)).sum();
            if statistic > worst.0 {
                worst = (statistic, format!("{name}, bits from {}", 4 * place));
            }
        }
    }
    worst
}
