//! Multi-scalar multiplication (MSM): `Σ scalars[i] · bases[i]`, by the bucket method with affine
//! buckets.
//!
//! Two ways to treat the scalars. [`msm`] looks at them and saves work on zeros and short values:
//! for public values and for a prover alone. [`msm_bounded`] is told a bound and adds up every digit
//! of every scalar within it, zeros too: for a party whose timing its peer can see.
//!
//! What [`msm_bounded`] hides is limited. It does the same additions but for three per occupied bucket,
//! yet it visits a bucket per digit, so caches see the distribution of the digits. That tells nothing
//! if the scalars are shares or masked, hence uniform whatever the secret. It is **not** constant-time
//! in scalars of another distribution: with 2^18 scalars of 128 bits, nine in ten zero took a quarter
//! longer than uniform ones. A party's own sparse values have to be masked before.

pub(crate) mod addition;
mod buckets;
pub(crate) mod point;
mod recode;
pub(crate) mod reduction;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ff::Field;
use group::Group;
use halo2curves::bn256::Fq;
use rayon::prelude::*;

use crate::interrupt::go_on;
use crate::{AlgebraError, Backend, Fr, G1, G1Affine, Interrupt, Uninterrupted, backend};
use addition::add_pairs;
use buckets::{Engine, Job, Workspace};
use point::{BaseLanes, Point, PortableBase};
use recode::Recoded;
use reduction::reduce_buckets;

/// Jobs smaller than this many batches of scalars are not split further.
const MIN_BATCHES: usize = 4;

/// Bases per task of the preparation.
const PREPARED: usize = 4096;

/// Bases prepared for many multiplications: points in cache lines of their own, in the
/// implementation's radix. They stand in for the points themselves: see [`MsmBases::point`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsmBases {
    points: Vec<Point>,
    backend: Backend,
}

impl MsmBases {
    /// Prepares the bases; costs about a hundredth of a multiplication.
    ///
    /// # Panics
    /// If there are more than `2^31` bases.
    pub fn new(bases: &[G1Affine]) -> Self {
        Self::with_backend(bases, backend())
    }

    pub(crate) fn with_backend(bases: &[G1Affine], backend: Backend) -> Self {
        assert!(u32::try_from(bases.len()).is_ok_and(|length| length <= point::NEGATIVE));
        let factor = radix_ratio(backend);
        let prepare = |base: &G1Affine| Point { x: (base.x * factor).0, y: (base.y * factor).0 };
        let points = bases.par_iter().with_min_len(PREPARED).map(prepare).collect();
        Self { points, backend }
    }

    /// Number of bases.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// A base as it was given; costs an inversion.
    ///
    /// # Panics
    /// If there is no such base.
    pub fn point(&self, index: usize) -> G1Affine {
        self.points(index..index + 1)[0]
    }

    /// Some of the bases as they were given.
    ///
    /// # Panics
    /// If there are not as many bases.
    pub fn points(&self, range: Range<usize>) -> Vec<G1Affine> {
        let factor = radix_ratio(self.backend).invert().unwrap_or(Fq::ONE);
        let restore = |point: &Point| G1Affine { x: Fq(point.x) * factor, y: Fq(point.y) * factor };
        self.points[range].par_iter().with_min_len(PREPARED).map(restore).collect()
    }

    /// Whether there are no bases.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// `Σ scalars[i] · bases[i]` over the first bases, as many as there are scalars. Faster for
    /// zeros and short scalars (or negatives of short ones).
    ///
    /// # Panics
    /// If there are more scalars than bases; likewise in the other multiplications.
    pub fn msm(&self, scalars: &[Fr]) -> G1 {
        self.msm_unless(scalars, &Uninterrupted).expect("nobody ends it early")
    }

    /// The same, unless it is ended early.
    ///
    /// # Errors
    /// [`AlgebraError::Interrupted`].
    pub fn msm_unless(
        &self,
        scalars: &[Fr],
        interrupt: &dyn Interrupt,
    ) -> Result<G1, AlgebraError> {
        assert!(scalars.len() <= self.len(), "more scalars than bases");
        self.multiply(&recode::by_length(scalars), false, interrupt)
    }

    /// `Σ scalars[i] · bases[i]` for scalars in `[0, 2^bits)` or negatives of such, without skipping
    /// or grouping by value. Not constant-time: for scalars that are uniform whatever the secret; see
    /// the text of the module. Fails if a scalar is longer.
    pub fn msm_bounded(&self, scalars: &[Fr], bits: u32) -> Result<G1, AlgebraError> {
        let all: Vec<u32> = (0..scalars.len() as u32).collect();
        self.msm_bounded_at(&all, scalars, bits, &Uninterrupted)
    }

    /// The same over the scalars at `indices` only: what is elsewhere must be known to be zero without
    /// looking at it, and costs nothing. May be ended early.
    ///
    /// # Errors
    /// A scalar that is longer; [`AlgebraError::Interrupted`].
    ///
    /// # Panics
    /// If there are more scalars than bases, or no scalar at an index.
    pub fn msm_bounded_at(
        &self,
        indices: &[u32],
        scalars: &[Fr],
        bits: u32,
        interrupt: &dyn Interrupt,
    ) -> Result<G1, AlgebraError> {
        assert!(scalars.len() <= self.len(), "more scalars than bases");
        self.multiply(&recode::by_bound(scalars, indices, bits)?, true, interrupt)
    }

    fn multiply(
        &self,
        scalars: &Recoded,
        every_digit: bool,
        interrupt: &dyn Interrupt,
    ) -> Result<G1, AlgebraError> {
        match self.backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma if crate::ifma::available() => {
                let engine = Engine {
                    add_pairs: crate::ifma::base::add_pairs,
                    reduce_buckets: crate::ifma::base::reduce_buckets,
                };
                self.multiply_with(&engine, scalars, every_digit, interrupt)
            }
            _ => {
                let engine = Engine {
                    add_pairs: add_pairs::<PortableBase>,
                    reduce_buckets: reduce_buckets::<PortableBase>,
                };
                self.multiply_with(&engine, scalars, every_digit, interrupt)
            }
        }
    }

    fn multiply_with<B: BaseLanes>(
        &self,
        engine: &Engine<B>,
        scalars: &Recoded,
        every_digit: bool,
        interrupt: &dyn Interrupt,
    ) -> Result<G1, AlgebraError> {
        let jobs = jobs(scalars);
        // Kept from one job to the next: as many as there are threads at work.
        let idle = Mutex::new(Vec::new());
        let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let run = |job| {
            go_on(interrupt)?;
            let mut workspace = idle().pop().unwrap_or_else(Workspace::new);
            let bases = &self.points;
            let sum = engine.run(bases, scalars, job, every_digit, &mut workspace, interrupt)?;
            idle().push(workspace);
            Ok(sum)
        };
        let sums = jobs.par_iter().with_max_len(1).map(run);
        let sums = sums.collect::<Result<Vec<G1>, AlgebraError>>()?;
        let mut result = G1::identity();
        let mut remaining = jobs.iter().zip(&sums).rev().peekable();
        for window in (0..scalars.windows).rev() {
            for _ in 0..scalars.window_bits {
                result = result.double();
            }
            while let Some((_, sum)) = remaining.next_if(|(job, _)| job.window == window) {
                result += sum;
            }
        }
        Ok(result)
    }
}

/// What coordinates are multiplied by for a backend.
fn radix_ratio(backend: Backend) -> Fq {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => crate::ifma::base::RADIX_RATIO,
        _ => Fq::ONE,
    }
}

/// Cuts the work by windows, and by ranges of scalars where there are more threads than windows.
fn jobs(scalars: &Recoded) -> Vec<Job> {
    let threads = rayon::current_num_threads();
    let batches = scalars.batches.len();
    let ranges = if threads == 1 { 1 } else { (2 * threads).div_ceil(scalars.windows.max(1)) };
    let length = batches.div_ceil(ranges.max(1)).max(MIN_BATCHES);
    (0..scalars.windows)
        .flat_map(|window| {
            (0..batches)
                .step_by(length)
                .map(move |start| Job { window, batches: start..batches.min(start + length) })
        })
        .collect()
}

/// `Σ scalars[i] · bases[i]`; see [`MsmBases::msm`].
///
/// # Panics
/// If there are not as many scalars as bases.
pub fn msm(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    assert_eq!(scalars.len(), bases.len(), "as many scalars as bases");
    MsmBases::new(bases).msm(scalars)
}

/// `Σ scalars[i] · bases[i]` for scalars in `[0, 2^bits)` or negatives of such; see
/// [`MsmBases::msm_bounded`].
///
/// # Panics
/// If there are not as many scalars as bases.
pub fn msm_bounded(scalars: &[Fr], bases: &[G1Affine], bits: u32) -> Result<G1, AlgebraError> {
    assert_eq!(scalars.len(), bases.len(), "as many scalars as bases");
    MsmBases::new(bases).msm_bounded(scalars, bits)
}

#[cfg(test)]
mod tests;
