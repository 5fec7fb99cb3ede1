//! What a user says of how a file is to be read.

use std::path::Path;

/// How an ONNX file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// The folder of the file, where weights kept outside it are; without, there must be none.
    pub folder: Option<&'a Path>,
    /// Ignore what EZKL's reader ignores, instead of refusing it.
    pub as_ezkl: bool,
    /// Take constants that mask a softmax as -100.
    pub clamp_masks: bool,
}
