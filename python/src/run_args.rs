//! `PyRunArgs`: the arguments of a run with the names and defaults of EZKL's class, whose
//! visibilities are not those of the command line: inputs and outputs public, parameters fixed. A
//! pair refuses these; set what is secret to `"private"`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use twain_graph::{CheckMode, RunArgs, Visibility};

/// Attributes in the order of `settings.json`.
const NAMES: [&str; 18] = [
    "input_scale",
    "param_scale",
    "scale_rebase_multiplier",
    "lookup_range",
    "logrows",
    "num_inner_cols",
    "variables",
    "input_visibility",
    "output_visibility",
    "param_visibility",
    "rebase_frac_zero_constants",
    "check_mode",
    "decomp_base",
    "decomp_legs",
    "bounded_log_lookup",
    "ignore_range_check_inputs_outputs",
    "epsilon",
    "disable_freivalds",
];

/// PyRunArgs(**attributes)
///
/// Scales, visibilities and the size of the circuit. Attributes can be given to the constructor and
/// set later; visibilities are `"private"`, `"public"`, `"fixed"`, `"hashed"`,
/// `"hashed/private/0,1"` or `"polycommit"`.
#[pyclass(module = "twain", name = "PyRunArgs", from_py_object)]
#[derive(Clone, PartialEq)]
#[allow(missing_docs)] // those of RunArgs
pub struct PyRunArgs {
    #[pyo3(get, set)]
    input_scale: i32,
    #[pyo3(get, set)]
    param_scale: i32,
    #[pyo3(get, set)]
    scale_rebase_multiplier: u32,
    #[pyo3(get, set)]
    lookup_range: (i128, i128),
    #[pyo3(get, set)]
    logrows: u32,
    #[pyo3(get, set)]
    num_inner_cols: usize,
    #[pyo3(get, set)]
    variables: Vec<(String, usize)>,
    #[pyo3(get, set)]
    rebase_frac_zero_constants: bool,
    #[pyo3(get, set)]
    decomp_base: usize,
    #[pyo3(get, set)]
    decomp_legs: usize,
    #[pyo3(get, set)]
    bounded_log_lookup: bool,
    #[pyo3(get, set)]
    ignore_range_check_inputs_outputs: bool,
    #[pyo3(get, set)]
    epsilon: f64,
    #[pyo3(get, set)]
    disable_freivalds: bool,
    input_visibility: Visibility,
    output_visibility: Visibility,
    param_visibility: Visibility,
    check_mode: CheckMode,
}

impl Default for PyRunArgs {
    fn default() -> Self {
        let args = RunArgs::default();
        Self {
            input_scale: args.input_scale,
            param_scale: args.param_scale,
            scale_rebase_multiplier: args.scale_rebase_multiplier,
            lookup_range: args.lookup_range,
            logrows: args.logrows,
            num_inner_cols: args.num_inner_cols,
            rebase_frac_zero_constants: args.rebase_frac_zero_constants,
            decomp_base: args.decomp_base,
            decomp_legs: args.decomp_legs,
            bounded_log_lookup: args.bounded_log_lookup,
            ignore_range_check_inputs_outputs: args.ignore_range_check_inputs_outputs,
            epsilon: args.epsilon(),
            disable_freivalds: args.disable_freivalds,
            input_visibility: Visibility::Public,
            output_visibility: Visibility::Public,
            param_visibility: Visibility::Fixed,
            check_mode: args.check_mode,
            variables: args.variables,
        }
    }
}

impl From<PyRunArgs> for RunArgs {
    fn from(args: PyRunArgs) -> Self {
        Self {
            input_scale: args.input_scale,
            param_scale: args.param_scale,
            rebase_scale: None,
            scale_rebase_multiplier: args.scale_rebase_multiplier,
            lookup_range: args.lookup_range,
            logrows: args.logrows,
            num_inner_cols: args.num_inner_cols,
            variables: args.variables,
            input_visibility: args.input_visibility,
            output_visibility: args.output_visibility,
            param_visibility: args.param_visibility,
            rebase_frac_zero_constants: args.rebase_frac_zero_constants,
            check_mode: args.check_mode,
            decomp_base: args.decomp_base,
            decomp_legs: args.decomp_legs,
            bounded_log_lookup: args.bounded_log_lookup,
            ignore_range_check_inputs_outputs: args.ignore_range_check_inputs_outputs,
            epsilon: Some(args.epsilon),
            disable_freivalds: args.disable_freivalds,
        }
    }
}

fn visibility(text: &str) -> PyResult<Visibility> {
    Visibility::from_flag(text).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{text:?} is no visibility: private, public, fixed, hashed, hashed/private/0,1 or polycommit"
        ))
    })
}

#[pymethods]
impl PyRunArgs {
    #[new]
    #[pyo3(signature = (**attributes))]
    fn new(attributes: Option<&Bound<'_, PyDict>>, py: Python<'_>) -> PyResult<Py<Self>> {
        let made = Bound::new(py, Self::default())?;
        for (name, value) in attributes.into_iter().flatten() {
            let name: String = name.extract()?;
            if !NAMES.contains(&name.as_str()) {
                let text = format!("PyRunArgs has no attribute {name:?}");
                return Err(pyo3::exceptions::PyTypeError::new_err(text));
            }
            made.setattr(name.as_str(), value)?;
        }
        Ok(made.unbind())
    }

    #[getter]
    fn input_visibility(&self) -> String {
        self.input_visibility.to_string()
    }
    #[setter]
    fn set_input_visibility(&mut self, value: &str) -> PyResult<()> {
        self.input_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn output_visibility(&self) -> String {
        self.output_visibility.to_string()
    }
    #[setter]
    fn set_output_visibility(&mut self, value: &str) -> PyResult<()> {
        self.output_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn param_visibility(&self) -> String {
        self.param_visibility.to_string()
    }
    #[setter]
    fn set_param_visibility(&mut self, value: &str) -> PyResult<()> {
        self.param_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn check_mode(&self) -> &'static str {
        match self.check_mode {
            CheckMode::SAFE => "safe",
            CheckMode::UNSAFE => "unsafe",
        }
    }
    #[setter]
    fn set_check_mode(&mut self, value: &str) -> PyResult<()> {
        self.check_mode = match value.to_lowercase().as_str() {
            "safe" => CheckMode::SAFE,
            "unsafe" => CheckMode::UNSAFE,
            _ => {
                let text = format!("{value:?} is no check mode: safe or unsafe");
                return Err(PyValueError::new_err(text));
            }
        };
        Ok(())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let attributes = NAMES
            .iter()
            .map(|name| Ok(format!("{name}={}", slf.getattr(*name)?.repr()?)))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(format!("PyRunArgs({})", attributes.join(", ")))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| *self == *other.borrow())
    }

    fn __copy__(&self) -> Self {
        self.clone()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        self.clone()
    }

    fn __getstate__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(slf.py());
        NAMES.iter().try_for_each(|name| state.set_item(*name, slf.getattr(*name)?))?;
        Ok(state)
    }

    fn __setstate__(slf: &Bound<'_, Self>, state: &Bound<'_, PyDict>) -> PyResult<()> {
        state
            .iter()
            .try_for_each(|(name, value)| slf.setattr(name.extract::<String>()?.as_str(), value))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let class = slf.get_type().into_any();
        Ok((class, PyTuple::empty(slf.py()), Self::__getstate__(slf)?))
    }
}

/// The arguments given, or EZKL's defaults for Python.
pub fn or_default(args: Option<PyRunArgs>) -> RunArgs {
    args.unwrap_or_default().into()
}

/// Puts the class into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRunArgs>()
}
