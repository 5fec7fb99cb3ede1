//! EZKL computation graphs: nodes, operators, scales, shapes and their integer semantics.
