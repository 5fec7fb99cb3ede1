//! EZKL computation graphs: nodes, operators, scales, shapes and their integer semantics.
//!
//! The types here are plain data with the names of EZKL's files (spec 02 §1, §2): what a
//! `model.compiled` holds in memory, and the settings that go with it. Reading and writing the files
//! is `twain-artifacts`' part; laying a graph out as a circuit is `twain-circuit`'s.

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
