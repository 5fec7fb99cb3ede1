//! What calibration is made of: which scales to try, the size of a circuit and the range of its
//! lookup tables, what the network itself computes, and how close the circuit comes to it (spec 05
//! §5). [`calibrate`](crate::alone::calibrate) is the command.

mod choice;
pub mod fidelity;
mod predict;

pub use choice::{Extremes, MOST_LOGROWS, SCALES, Target, grid, ranked, recalibrated, size};
pub use predict::Predictor;
