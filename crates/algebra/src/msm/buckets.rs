//! One window of the bucket method: sort the bases by digit, add up each bucket, reduce.
//!
//! The sum of a bucket is a tree of pairwise affine additions; a round adds all pairs of many
//! buckets at once, as many as the caches hold.

use std::ops::Range;

use zeroize::Zeroize;

use super::addition::{Additions, NEGATIVE};
use super::point::Point;
use super::recode::Recoded;
use crate::G1;

/// Points whose buckets are added up together.
const CACHED_POINTS: usize = 1 << 14;

/// Working memory of one thread, erased when it goes.
pub(super) struct Workspace<B> {
    additions: Additions,
    prefix: Vec<B>,
    points: Vec<Point>,
    next_points: Vec<Point>,
    sorted: Vec<u32>,
    starts: Vec<u32>,
    sums: Vec<Point>,
}

impl<B> Workspace<B> {
    pub(super) fn new() -> Self {
        Self {
            additions: Additions::default(),
            prefix: Vec::new(),
            points: Vec::new(),
            next_points: Vec::new(),
            sorted: Vec::new(),
            starts: Vec::new(),
            sums: Vec::new(),
        }
    }
}

impl<B> Drop for Workspace<B> {
    fn drop(&mut self) {
        for points in [&mut self.points, &mut self.next_points, &mut self.sums] {
            points.fill(Point::default());
            // Keeps the writes, though the memory is about to be freed.
            std::hint::black_box(points);
        }
        self.sorted.zeroize();
        self.starts.zeroize();
    }
}

/// The implementation of the two inner loops.
pub(super) struct Engine<B> {
    /// See [`super::addition::add_pairs`].
    pub(super) add_pairs: fn(&[Point], &Additions, &mut [Point], &mut Vec<B>),
    /// See [`super::reduction::reduce_buckets`].
    pub(super) reduce_buckets: fn(&[Point]) -> G1,
}

/// Part of the work: a window of some batches.
pub(super) struct Job {
    pub(super) window: usize,
    pub(super) batches: Range<usize>,
}

impl<B> Engine<B> {
    /// `Σ digit · base` over the job's scalars. With `every_digit`, digits of zero cost as much as
    /// others.
    pub(super) fn run(
        &self,
        bases: &[Point],
        scalars: &Recoded,
        job: &Job,
        every_digit: bool,
        workspace: &mut Workspace<B>,
    ) -> G1 {
        let buckets = (1usize << (scalars.window_bits - 1)) + 1;
        sort_by_digit(scalars, job, buckets, workspace);
        workspace.sums.clear();
        workspace.sums.resize(buckets, Point::default());
        let mut bucket = if every_digit { 0 } else { 1 };
        while bucket < buckets {
            let limit = workspace.starts[bucket] as usize + CACHED_POINTS;
            let fitting =
                workspace.starts[bucket + 1..].partition_point(|end| *end as usize <= limit);
            let end = (bucket + fitting.max(1)).min(buckets);
            self.add_up(bases, bucket..end, workspace);
            bucket = end;
        }
        (self.reduce_buckets)(&workspace.sums)
    }

    /// Adds up the bases of each of the buckets into the workspace's `sums`.
    fn add_up(&self, bases: &[Point], buckets: Range<usize>, workspace: &mut Workspace<B>) {
        let Workspace { additions, prefix, points, next_points, sorted, starts, sums } = workspace;
        let capacity = (starts[buckets.end] - starts[buckets.start]) as usize;
        for points in [&mut *points, &mut *next_points] {
            if points.len() < capacity {
                points.resize(capacity, Point::default());
            }
        }

        // Number of points left in each bucket that is not empty, in order.
        let mut counts: Vec<(usize, usize)> = Vec::with_capacity(buckets.len());
        additions.clear();
        let mut target = 0u32;
        for bucket in buckets {
            let members = &sorted[starts[bucket] as usize..starts[bucket + 1] as usize];
            if members.is_empty() {
                continue;
            }
            let (pairs, single) = members.as_chunks::<2>();
            for [first, second] in pairs {
                additions.push(*first, *second, target);
                target += 1;
            }
            if let [single] = single {
                let base = &bases[(single & !NEGATIVE) as usize];
                points[target as usize] =
                    if single & NEGATIVE == 0 { *base } else { base.negated() };
                target += 1;
            }
            counts.push((bucket, members.len().div_ceil(2)));
        }
        self.perform(bases, additions, points, prefix);

        while counts.iter().any(|(_, count)| *count > 1) {
            additions.clear();
            let (mut source, mut target) = (0u32, 0u32);
            for (_, count) in &mut counts {
                for _ in 0..*count / 2 {
                    additions.push(source, source + 1, target);
                    source += 2;
                    target += 1;
                }
                if *count % 2 == 1 {
                    next_points[target as usize] = points[source as usize];
                    source += 1;
                    target += 1;
                }
                *count = count.div_ceil(2);
            }
            self.perform(points, additions, next_points, prefix);
            std::mem::swap(points, next_points);
        }
        for ((bucket, _), point) in counts.iter().zip(points.iter()) {
            sums[*bucket] = *point;
        }
    }

    fn perform(
        &self,
        points: &[Point],
        additions: &mut Additions,
        out: &mut [Point],
        prefix: &mut Vec<B>,
    ) {
        if !additions.is_empty() {
            additions.fill_lanes();
            (self.add_pairs)(points, additions, out, prefix);
        }
    }
}

/// Counting sort: bucket `b` holds `sorted[starts[b]..starts[b + 1]]`, bases with the sign of their
/// digit.
fn sort_by_digit<B>(scalars: &Recoded, job: &Job, buckets: usize, workspace: &mut Workspace<B>) {
    let Workspace { sorted, starts, .. } = workspace;
    let batches = &scalars.batches[job.batches.clone()];
    // Shifted by one more than usual: after the second pass, entry b + 1 has become entry b's end.
    starts.clear();
    starts.resize(buckets + 2, 0);
    for batch in batches {
        for digit in batch.digits(job.window) {
            starts[usize::from(digit.unsigned_abs()) + 2] += 1;
        }
    }
    for bucket in 2..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let total = starts[buckets + 1] as usize;
    sorted.clear();
    sorted.resize(total, 0);
    for batch in batches {
        for (index, digit) in batch.indices.iter().zip(batch.digits(job.window)) {
            let position = &mut starts[usize::from(digit.unsigned_abs()) + 1];
            sorted[*position as usize] = index ^ (u32::from(*digit < 0) * NEGATIVE);
            *position += 1;
        }
    }
    starts.truncate(buckets + 1);
}
