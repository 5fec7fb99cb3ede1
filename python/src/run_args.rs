//! `PyRunArgs`: the arguments of a run with the names and defaults of EZKL's class, whose visibilities
//! are not those of the command line: inputs and outputs public, parameters fixed. A pair refuses
//! these; set what is secret to `"private"`.

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
/// Scales, visibilities and the size of the circuit. Attributes can be given to the constructor and set
/// later; visibilities are `"private"`, `"public"`, `"fixed"`, `"hashed"`, `"hashed/private/0,1"` or
/// `"polycommit"`.
#[pyclass(module = "twain", name = "PyRunArgs")]
#[derive(Clone)]
pub struct PyRunArgs {
    pub args: RunArgs,
}

fn visibility(text: &str) -> PyResult<Visibility> {
    Visibility::from_flag(text).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{text:?} is no visibility: private, public, fixed, hashed, hashed/private/0,1 or polycommit"
        ))
    })
}

/// A getter and a setter for each field that is taken as it is.
macro_rules! plain {
    ($($name:ident / $set:ident: $kind:ty),* $(,)?) => {
        #[pymethods]
        impl PyRunArgs {
            $(
                #[getter]
                fn $name(&self) -> $kind {
                    self.args.$name.clone()
                }
                #[setter]
                fn $set(&mut self, value: $kind) {
                    self.args.$name = value;
                }
            )*
        }
    };
}

plain! {
    input_scale / set_input_scale: i32,
    param_scale / set_param_scale: i32,
    scale_rebase_multiplier / set_scale_rebase_multiplier: u32,
    lookup_range / set_lookup_range: (i128, i128),
    logrows / set_logrows: u32,
    num_inner_cols / set_num_inner_cols: usize,
    variables / set_variables: Vec<(String, usize)>,
    rebase_frac_zero_constants / set_rebase_frac_zero_constants: bool,
    decomp_base / set_decomp_base: usize,
    decomp_legs / set_decomp_legs: usize,
    bounded_log_lookup / set_bounded_log_lookup: bool,
    ignore_range_check_inputs_outputs / set_ignore_range_check_inputs_outputs: bool,
    disable_freivalds / set_disable_freivalds: bool,
}

#[pymethods]
impl PyRunArgs {
    #[new]
    #[pyo3(signature = (**attributes))]
    fn new(attributes: Option<&Bound<'_, PyDict>>, py: Python<'_>) -> PyResult<Py<Self>> {
        let made = Bound::new(py, Self { args: defaults() })?;
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
        self.args.input_visibility.to_string()
    }
    #[setter]
    fn set_input_visibility(&mut self, value: &str) -> PyResult<()> {
        self.args.input_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn output_visibility(&self) -> String {
        self.args.output_visibility.to_string()
    }
    #[setter]
    fn set_output_visibility(&mut self, value: &str) -> PyResult<()> {
        self.args.output_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn param_visibility(&self) -> String {
        self.args.param_visibility.to_string()
    }
    #[setter]
    fn set_param_visibility(&mut self, value: &str) -> PyResult<()> {
        self.args.param_visibility = visibility(value)?;
        Ok(())
    }
    #[getter]
    fn epsilon(&self) -> f64 {
        self.args.epsilon()
    }
    #[setter]
    fn set_epsilon(&mut self, value: f64) {
        self.args.epsilon = Some(value);
    }
    #[getter]
    fn check_mode(&self) -> &'static str {
        match self.args.check_mode {
            CheckMode::SAFE => "safe",
            CheckMode::UNSAFE => "unsafe",
        }
    }
    #[setter]
    fn set_check_mode(&mut self, value: &str) -> PyResult<()> {
        self.args.check_mode = match value.to_lowercase().as_str() {
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
        other.cast::<Self>().is_ok_and(|other| self.args == other.borrow().args)
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

fn defaults() -> RunArgs {
    RunArgs {
        input_visibility: Visibility::Public,
        output_visibility: Visibility::Public,
        param_visibility: Visibility::Fixed,
        ..RunArgs::default()
    }
}

/// The arguments given, or EZKL's defaults for Python.
pub fn or_default(args: Option<PyRunArgs>) -> RunArgs {
    args.map_or_else(defaults, |args| args.args)
}

/// Puts the class into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRunArgs>()
}
