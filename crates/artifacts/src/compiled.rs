//! `model.compiled`: a graph, its settings and an empty witness (spec 02 §2.2).

use crate::binary::{Binary, Reader};
use crate::destination::Destination;
use crate::json::witness::GraphWitness;
use crate::{ArtifactError, ArtifactKind, FormatError};
use std::io::{self, Write};
use std::path::Path;
use twain_graph::{Model, Settings};
use zeroize::Zeroizing;

/// A compiled model.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledModel {
    /// The graph and its visibilities.
    pub model: Model,
    /// The settings it was compiled with.
    pub settings: Settings,
    /// Zeros of the inputs' lengths, in files EZKL writes.
    pub witness: GraphWitness,
}

impl CompiledModel {
    /// A compiled model as `compile-circuit` makes it.
    pub fn new(model: Model, settings: Settings) -> Self {
        let graph = &model.graph;
        let lengths = graph.inputs.iter().map(|index| {
            let dims = graph.nodes.get(index).and_then(|node| node.out_dims().first());
            dims.map_or(0, |dims| dims.iter().product())
        });
        let witness = GraphWitness::zero(lengths);
        Self { model, settings, witness }
    }

    /// Reads the content of a file. Bytes after it are ignored. The structure of the graph is
    /// checked ([`Model::validate`]), the run arguments are too
    /// ([`twain_graph::RunArgs::validate`]).
    ///
    /// # Errors
    /// Truncated, not such a file, or a graph that does not hold together.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let compiled = Self {
            model: Binary::read(&mut reader)?,
            settings: Binary::read(&mut reader)?,
            witness: Binary::read(&mut reader)?,
        };
        compiled.model.validate()?;
        compiled.settings.run_args.validate()?;
        Ok(compiled)
    }

    /// Writes the content of a file.
    ///
    /// # Errors
    /// Those of `writer`.
    pub fn encode(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.model.write(writer)?;
        self.settings.write(writer)?;
        Binary::write(&self.witness, writer)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`CompiledModel::parse`], or from the file system.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        let kind = ArtifactKind::CompiledModel;
        let bytes = std::fs::read(path).map(Zeroizing::new).map_err(FormatError::Io);
        bytes.and_then(|bytes| Self::parse(&bytes)).map_err(ArtifactError::content(path, kind))
    }

    /// Writes a file that its owner only can read.
    ///
    /// # Errors
    /// From the file system.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        let destination = Destination::open(path, ArtifactKind::CompiledModel)?;
        destination.fill(|writer| self.encode(writer))?.place()
    }
}
