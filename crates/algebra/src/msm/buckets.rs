//! One window of the bucket method: sort the bases by digit, add up each bucket, reduce.
//!
//! The sum of a bucket is a tree of pairwise affine additions; a round adds all pairs of many
//! buckets at once, as many as the caches hold. `Σ j · bucket[j]` is itself such a sum, with numbers
//! `j` in place of scalars: with `j = a + 2^h·b` the buckets are sorted once by `a` and once by `b` and
//! added up, which leaves two short lists for running sums.

use std::ops::Range;

use group::Group;
use zeroize::Zeroize;

use super::addition::Additions;
use super::point::{BaseLanes, NEGATIVE, Point};
use super::recode::Recoded;
use crate::interrupt::go_on;
use crate::{AlgebraError, G1, Interrupt};

/// Points whose buckets are added up together, which takes a few milliseconds. Between two such groups
/// somebody may end the work.
const CACHED_POINTS: usize = 1 << 13;

/// Fewer bits of a bucket's number are not split: the lists would be too short for the lanes.
const MIN_SPLIT_BITS: u32 = 6;

/// Working memory of one thread, erased when it goes.
pub(super) struct Workspace<B> {
    additions: Additions,
    prefix: Vec<B>,
    points: Vec<Point>,
    next_points: Vec<Point>,
    sorted: Vec<u32>,
    starts: Vec<u32>,
    sums: Vec<Point>,
    window_sums: Vec<Point>,
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
            window_sums: Vec::new(),
        }
    }
}

impl<B> Workspace<B> {
    /// Counting sort: afterwards bucket `b` holds `sorted[starts[b]..starts[b + 1]]`, in order.
    fn sort(&mut self, entries: impl Iterator<Item = (usize, u32)> + Clone, buckets: usize) {
        let Self { sorted, starts, .. } = self;
        // Shifted by one more than usual: after the second pass, entry b + 1 has become entry b's end.
        starts.clear();
        starts.resize(buckets + 2, 0);
        entries.clone().for_each(|(bucket, _)| starts[bucket + 2] += 1);
        for bucket in 2..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        sorted.clear();
        sorted.resize(starts[buckets + 1] as usize, 0);
        entries.for_each(|(bucket, entry)| {
            let position = &mut starts[bucket + 1];
            sorted[*position as usize] = entry;
            *position += 1;
        });
        starts.truncate(buckets + 1);
    }
}

impl<B> Drop for Workspace<B> {
    fn drop(&mut self) {
        let sums = [&mut self.sums, &mut self.window_sums];
        for points in [&mut self.points, &mut self.next_points].into_iter().chain(sums) {
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

impl<B: BaseLanes> Engine<B> {
    /// `Σ digit · base` over the job's scalars. With `every_digit`, digits of zero cost as much as
    /// others.
    pub(super) fn run(
        &self,
        bases: &[Point],
        scalars: &Recoded,
        job: &Job,
        every_digit: bool,
        workspace: &mut Workspace<B>,
        interrupt: &dyn Interrupt,
    ) -> Result<G1, AlgebraError> {
        let bits = scalars.window_bits - 1;
        let batches = &scalars.batches[job.batches.clone()];
        let entries = batches.iter().flat_map(|batch| {
            let digits = batch.digits(job.window);
            batch.indices.iter().zip(digits).map(|(index, digit)| {
                let sign = u32::from(*digit < 0) * NEGATIVE;
                (usize::from(digit.unsigned_abs()), index ^ sign)
            })
        });
        workspace.sort(entries, (1 << bits) + 1);
        self.add_up_all(bases, if every_digit { 0 } else { 1 }, workspace, interrupt)?;
        if bits < MIN_SPLIT_BITS {
            return Ok((self.reduce_buckets)(&workspace.sums));
        }

        // Lists for the low and for the high bits, each with its bucket 0.
        let low_bits = bits.div_ceil(2);
        let (low_length, high_length) = ((1 << low_bits) + 1, (1 << (bits - low_bits)) + 1);
        std::mem::swap(&mut workspace.sums, &mut workspace.window_sums);
        let window_sums = std::mem::take(&mut workspace.window_sums);
        let occupied = window_sums.iter().enumerate().filter(|(_, sum)| !sum.is_identity());
        let entries = occupied.flat_map(|(number, _)| {
            let (low, high) = (number % (1 << low_bits), number >> low_bits);
            [(low, number as u32), (low_length + high, number as u32)]
        });
        workspace.sort(entries, low_length + high_length);
        let added_up = self.add_up_all(&window_sums, 1, workspace, interrupt);
        // Back first: the workspace erases them.
        workspace.window_sums = window_sums;
        added_up?;
        let (low, high) = workspace.sums.split_at(low_length);
        let high = (self.reduce_buckets)(high);
        Ok((self.reduce_buckets)(low) + (0..low_bits).fold(high, |sum, _| sum.double()))
    }

    /// Adds up the buckets from `first` on into the workspace's `sums`.
    fn add_up_all(
        &self,
        bases: &[Point],
        first: usize,
        workspace: &mut Workspace<B>,
        interrupt: &dyn Interrupt,
    ) -> Result<(), AlgebraError> {
        let buckets = workspace.starts.len() - 1;
        workspace.sums.clear();
        workspace.sums.resize(buckets, Point::default());
        let mut bucket = first;
        while bucket < buckets {
            go_on(interrupt)?;
            let limit = workspace.starts[bucket] as usize + CACHED_POINTS;
            let fitting =
                workspace.starts[bucket + 1..].partition_point(|end| *end as usize <= limit);
            let end = (bucket + fitting.max(1)).min(buckets);
            self.add_up(bases, bucket..end, workspace);
            bucket = end;
        }
        Ok(())
    }

    /// Adds up the bases of each of the buckets into the workspace's `sums`.
    fn add_up(&self, bases: &[Point], buckets: Range<usize>, workspace: &mut Workspace<B>) {
        let Workspace { additions, prefix, points, next_points, sorted, starts, sums, .. } =
            workspace;
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
            additions.fill_lanes(B::LANES);
            (self.add_pairs)(points, additions, out, prefix);
        }
    }
}
