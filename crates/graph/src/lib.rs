//! EZKL computation graphs: nodes, operators, scales, shapes and their integer semantics.
//!
//! The types here are plain data with the names of EZKL's files (spec 02 §1, §2): what a
//! `model.compiled` holds in memory, and the settings that go with it. Reading and writing the
//! files is `twain-artifacts`' part; laying a graph out as a circuit is `twain-circuit`'s.
//!
//! Numbers of a graph are integers, a power of two times what they stand for; signed ones go into
//! the field around 0:
//!
//! ```
//! use twain_algebra::Fr;
//! use twain_graph::numbers::{dequantize, integer_to_field, quantize};
//! use twain_graph::{GraphError, RunArgs, Tensor};
//!
//! # fn main() -> Result<(), GraphError> {
//! let args = RunArgs { input_scale: 4, ..RunArgs::default() };
//! args.validate()?;
//! let row = Tensor::new(vec![0.5, -1.25], vec![1, 2]);
//! let integers =
//!     row.inner.iter().map(|value| quantize(*value, args.input_scale)).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(integers, [8, -20]);
//! assert_eq!(integer_to_field(-20), -Fr::from(20));
//! assert_eq!(dequantize(-20, args.input_scale), -1.25);
//! # Ok(())
//! # }
//! ```

mod error;
mod hybrid;
pub mod indices;
mod lookup;
mod names;
mod node;
pub mod numbers;
mod op;
mod poly;
mod run_args;
mod settings;
mod tensor;
mod validate;
mod visibility;

pub use error::GraphError;
pub use hybrid::HybridOp;
pub use lookup::LookupOp;
pub use node::{Graph, InputMapping, Model, Node, NodeKind, Outlet, OutputMapping, SubGraph};
pub use op::{Constant, Input, InputType, RebaseScale, Rescaled, SupportedOp};
pub use poly::{DataFormat, KernelFormat, PolyOp};
pub use run_args::{CheckMode, RunArgs};
pub use settings::{
    AxisLengths, DynamicLookupParams, EZKL_VERSION, EinsumParams, ModuleSizes, Settings,
    ShuffleParams,
};
pub use tensor::Tensor;
pub use visibility::{ModelVisibility, Visibility};
