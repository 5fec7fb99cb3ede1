//! ONNX to EZKL graph through tract.
