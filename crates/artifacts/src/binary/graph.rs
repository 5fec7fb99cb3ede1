//! Graphs, nodes, loops (spec 02 §2.2, §2.3).

use super::{Binary, Reader, choice, record};
use crate::FormatError;
use std::io::{self, Write};
use twain_graph::{
    Graph, InputMapping, InputType, Model, ModelVisibility, Node, NodeKind, Outlet, OutputMapping,
    SubGraph, Visibility,
};

/// The body of a loop may contain loops.
impl Binary for Model {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        reader.nested(|reader| {
            Ok(Self { graph: Binary::read(reader)?, visibility: Binary::read(reader)? })
        })
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.graph.write(writer)?;
        self.visibility.write(writer)
    }
}

record!(Graph { nodes inputs outputs output_types });
record!(ModelVisibility { input params output });
record!(Outlet { node slot });
record!(Node { op out_scale inputs out_dims idx num_uses });
record!(SubGraph { model inputs idx output_mappings input_mappings out_dims out_scales });

choice!(NodeKind {
    0 Node(node),
    1 SubGraph(subgraph),
});

choice!(OutputMapping {
    0 Single { outlet is_state },
    1 Stacked { outlet axis is_state },
});

choice!(InputMapping {
    0 Full,
    1 State,
    2 Stacked { axis chunk },
});

choice!(Visibility {
    0 Private,
    1 Public,
    2 Hashed { hash_is_public outlets },
    3 KZGCommit,
    4 Fixed,
});

choice!(InputType {
    0 Bool,
    1 F16,
    2 F32,
    3 F64,
    4 Int,
    5 TDim,
    6 Unknown,
});
