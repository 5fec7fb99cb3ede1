//! What the network itself computes, in floating point: what the circuit is compared with (spec 05
//! §5.1).

use tract_core::internal::*;
use twain_onnx::{Loaded, OnnxError, analyse_error, guarded};

/// A network ready to run.
pub struct Predictor {
    plan: TypedRunnableModel<TypedModel>,
    shapes: Vec<(DatumType, Vec<usize>)>,
}

impl Predictor {
    /// Prepares a network.
    ///
    /// # Errors
    /// Inputs without a known size.
    pub fn new(loaded: &Loaded) -> Result<Self, OnnxError> {
        let mut shapes = Vec::new();
        for outlet in loaded.model.input_outlets().map_err(analyse_error)? {
            let fact = loaded.model.outlet_fact(*outlet).map_err(analyse_error)?;
            let dims = fact.shape.eval_to_usize(&loaded.symbols).map_err(analyse_error)?;
            shapes.push((fact.datum_type, dims.to_vec()));
        }
        let plan = loaded.model.clone().into_runnable().map_err(analyse_error)?;
        Ok(Self { plan, shapes })
    }

    /// The outputs, row by row, for inputs given row by row.
    ///
    /// # Errors
    /// Inputs of other sizes; values the network has no result for.
    pub fn run(&self, inputs: &[Vec<f64>]) -> Result<Vec<Vec<f32>>, OnnxError> {
        let mut tensors = tvec!();
        for ((datum_type, dims), input) in self.shapes.iter().zip(inputs) {
            let tensor = Tensor::from_shape(dims, input).map_err(analyse_error)?;
            tensors
                .push(tensor.cast_to_dt(*datum_type).map_err(analyse_error)?.into_owned().into());
        }
        let outputs = guarded(|| self.plan.run(tensors).map_err(analyse_error))?;
        let numbers = |output: TValue| -> TractResult<Vec<f32>> {
            Ok(output.cast_to::<f32>()?.as_slice::<f32>()?.to_vec())
        };
        outputs.into_iter().map(|output| numbers(output).map_err(analyse_error)).collect()
    }
}
