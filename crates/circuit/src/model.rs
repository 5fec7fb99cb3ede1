//! Walks the graph: inputs, nodes in the order of their indices, comparison of the outputs (spec 03
//! §3). Layout never asks for values, and a model without its parameters lays out the same.

mod nodes;

use crate::LayoutError;
use crate::checks::constraint_system_size::product_within;
use crate::checks::supported_operations::check_supported;
use crate::circuit::Circuit;
use crate::configure::{ProductTree, configure};
use crate::decompositions::{Decompositions, Format};
use crate::layouter::Layouter;
use crate::program::{InstanceRow, Source, Step};
use crate::tensor::{Element, Place, Tensor};
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_graph::{
    Constant, Graph, Model, Node, NodeKind, Outlet, RunArgs, Settings, SupportedOp, Visibility,
};
use twain_party::{Kind, Role};

/// Parameters are at most this in size (protocol §7.1).
const LARGEST_PARAMETER: i128 = (1 << 40) - 1;

/// Lays a model out whose inputs the data's side owns.
///
/// # Errors
/// [`LayoutError::Unsupported`] for the first operation without a layout, before any work; settings
/// that do not fit the model.
pub fn lay_out(
    model: &Model,
    settings: &Settings,
    product_tree: ProductTree,
) -> Result<Circuit, LayoutError> {
    let owners = vec![Role::Data; model.graph.inputs.len()];
    lay_out_owned(model, settings, product_tree, &owners)
}

/// The same with the owner of each of the model's inputs, in their order; of inputs that are public
/// or fixed it does not matter. Cells and keys do not depend on it, only how two sides compute the
/// witness.
///
/// # Errors
/// As [`lay_out`]; another number of owners than of inputs.
pub fn lay_out_owned(
    model: &Model,
    settings: &Settings,
    product_tree: ProductTree,
    owners: &[Role],
) -> Result<Circuit, LayoutError> {
    if owners.len() != model.graph.inputs.len() {
        let (given, inputs) = (owners.len(), model.graph.inputs.len());
        return Err(LayoutError::Operands(format!("{given} owners of {inputs} inputs")));
    }
    if let Some(error) = check_supported(model).into_iter().next() {
        return Err(error);
    }
    let (cs, columns) = configure(settings, product_tree)?;
    let args = &settings.run_args;
    let base = u64::try_from(args.decomp_base).map_err(|_| LayoutError::TooLarge)?;
    let legs = u32::try_from(args.decomp_legs).map_err(|_| LayoutError::TooLarge)?;
    let layouter = Layouter::new(&cs, columns, Decompositions::new(Format { base, legs }));
    let mut walk = Walk {
        layouter,
        model,
        args,
        owners,
        instance_shapes: settings.model_instance_shapes.iter(),
        loops: Vec::new(),
        parameters: BTreeMap::new(),
        committed: 0,
    };
    walk.lay_out()?;
    Circuit::new(cs, walk.layouter)
}

/// The values of a model's parameters, as [`crate::Sources::parameters`] takes them.
pub fn parameters(model: &Model) -> Vec<Vec<Fr>> {
    let mut values = Vec::new();
    model.for_each_node(&mut |node| {
        if let SupportedOp::Constant(constant) = &node.op {
            values.push(constant.quantized_values.inner.clone());
        }
    });
    values
}

/// The loops around a constant, and its node.
type Path = Vec<usize>;

struct Walk<'a> {
    layouter: Layouter,
    model: &'a Model,
    args: &'a RunArgs,
    /// Of the inputs.
    owners: &'a [Role],
    instance_shapes: std::slice::Iter<'a, Vec<usize>>,
    /// The loops around the node that is laid out.
    loops: Vec<usize>,
    /// The parameters, as they are known before the graph is walked.
    parameters: BTreeMap<Path, Tensor>,
    /// Number of tensors committed to so far.
    committed: usize,
}

impl Walk<'_> {
    fn lay_out(&mut self) -> Result<(), LayoutError> {
        // The instance column has all digests before public inputs (spec 04 §7.5).
        let digests_first = self.model.visibility.input.is_public();
        if digests_first {
            self.parameters()?;
        }
        let inputs = self.inputs()?;
        if !digests_first {
            self.parameters()?;
        }
        let model = self.model;
        let mut results = self.nodes(model, &inputs)?;
        // An input that is also an output is compared as it was given.
        for (node, tensor) in inputs {
            results.insert(Outlet { node, slot: 0 }, tensor);
        }
        self.outputs(&results)
    }

    fn step(&mut self, name: String) {
        let first_wire = self.layouter.recorder.wires();
        let first_cell = self.layouter.cursor;
        self.layouter.recorder.steps.push(Step { name, first_wire, first_cell });
    }

    /// The next shape of the instance column, which must have `length` elements.
    fn instance_shape(&mut self, length: usize, what: &str) -> Result<(), LayoutError> {
        let shape = self.instance_shapes.next();
        let fits = shape.is_some_and(|shape| product_within(length, shape) == Ok(length));
        fits.then_some(()).ok_or_else(|| {
            let text =
                format!("model_instance_shapes does not hold the {length} elements of {what}");
            LayoutError::Settings(text)
        })
    }

    /// Commits to a tensor or hashes it, if its visibility says so; returns its cells there.
    fn module(&mut self, of: &Visibility, tensor: Tensor) -> Result<Tensor, LayoutError> {
        match of {
            Visibility::KZGCommit => {
                self.committed += 1;
                self.layouter.commit(self.committed - 1, &tensor)
            }
            Visibility::Hashed { .. } if tensor.len() > 0 => self.layouter.hash(&tensor),
            _ => Ok(tensor),
        }
    }

    /// The tensors of the input nodes, by index of the node.
    fn inputs(&mut self) -> Result<BTreeMap<usize, Tensor>, LayoutError> {
        self.step("the inputs".into());
        // Whether or not the circuit checks it: masks rely on it.
        let largest = self.layouter.decompositions.format.largest();
        let range = (-largest, largest);
        let mut inputs = BTreeMap::new();
        let owned = self.model.graph.inputs.iter().zip(self.owners);
        for (position, (index, owner)) in owned.enumerate() {
            let dims = match self.model.graph.nodes.get(index) {
                Some(NodeKind::Node(node)) => &node.out_dims,
                _ => return Err(LayoutError::Operands(format!("input {index} is not a node"))),
            };
            let name = format!("input {position}");
            let at_input = |error| LayoutError::Operands(format!("{name}: {error}"));
            let length = self.layouter.capacity.elements(dims).map_err(at_input)?;
            let visibility = &self.model.visibility.input;
            let recorder = &mut self.layouter.recorder;
            let mut source = Source { name: name.clone(), wires: 0..0, length };
            let elements = match visibility {
                Visibility::Fixed => {
                    // Keys are made for the inputs in the compiled model, which are all 0.
                    vec![Element::constant(recorder.constant(Fr::zero())); length]
                }
                Visibility::Public => {
                    source.wires = recorder.sources(length, Kind::Public, range);
                    let first = recorder.instances.len() as u32;
                    let known = source.wires.clone().map(InstanceRow::Known);
                    recorder.instances.extend(known);
                    let place = |(row, wire)| Element { wire, place: Place::Instance(row) };
                    (first..).zip(source.wires.clone()).map(place).collect()
                }
                _ => {
                    source.wires = recorder.sources(length, Kind::Owned(*owner), range);
                    source.wires.clone().map(Element::unplaced).collect()
                }
            };
            recorder.inputs.push(source);
            if visibility.is_public() {
                self.instance_shape(length, &name)?;
            }
            let mut tensor = Tensor::new(elements, dims)?;
            tensor = self.module(&self.args.input_visibility, tensor)?;
            inputs.insert(*index, tensor);
        }
        Ok(inputs)
    }

    /// The parameters: values, or their cells in the commitment or hash.
    fn parameters(&mut self) -> Result<(), LayoutError> {
        self.step("the parameters".into());
        let mut uses = BTreeMap::new();
        let model = self.model;
        self.parameters_of(&model.graph, &mut Vec::new(), &mut uses)?;
        let tensors = self.parameters.values();
        let all: Vec<Element> = tensors.flat_map(|tensor| tensor.elements.clone()).collect();
        let visibility = &self.args.param_visibility;
        if visibility.requires_processing() && !all.is_empty() {
            let processed = self.module(visibility, Tensor::flat(all))?;
            let mut cells = processed.elements.into_iter();
            for (path, tensor) in &mut self.parameters {
                // A constant with one use is not read from the module (spec 03 §3.4).
                let elements: Vec<Element> = cells.by_ref().take(tensor.len()).collect();
                if uses.get(path).is_some_and(|uses| *uses > 1) {
                    tensor.elements = elements;
                }
            }
        }
        Ok(())
    }

    /// The parameters of a graph and of its loops, in the order of the nodes, and their numbers of
    /// uses.
    fn parameters_of(
        &mut self,
        graph: &Graph,
        loops: &mut Path,
        uses: &mut BTreeMap<Path, usize>,
    ) -> Result<(), LayoutError> {
        for kind in graph.nodes.values() {
            loops.push(kind.idx());
            match kind {
                NodeKind::SubGraph(subgraph) => {
                    self.parameters_of(&subgraph.model.graph, loops, uses)?;
                }
                NodeKind::Node(Node {
                    op: SupportedOp::Constant(constant), idx, num_uses, ..
                }) => {
                    let tensor = self.parameter(*idx, constant)?;
                    self.parameters.insert(loops.clone(), tensor);
                    uses.insert(loops.clone(), *num_uses);
                }
                NodeKind::Node(_) => {}
            }
            loops.pop();
        }
        Ok(())
    }

    fn parameter(&mut self, idx: usize, constant: &Constant) -> Result<Tensor, LayoutError> {
        let values = &constant.quantized_values;
        let recorder = &mut self.layouter.recorder;
        let mut source = Source {
            name: format!("the constant of node {idx}"),
            wires: 0..0,
            length: values.len(),
        };
        let elements = match values.visibility {
            Some(Visibility::Fixed) => {
                let constants = values.inner.iter().map(|value| recorder.constant(*value));
                constants.map(Element::constant).collect()
            }
            Some(_) => {
                let range = (-LARGEST_PARAMETER, LARGEST_PARAMETER);
                source.wires = recorder.sources(values.len(), Kind::Owned(Role::Model), range);
                source.wires.clone().map(Element::unplaced).collect()
            }
            None => {
                let text = format!("the constant of node {idx} has no visibility");
                return Err(LayoutError::Operands(text));
            }
        };
        recorder.parameters.push(source);
        Tensor::new(elements, &values.dims)
    }

    /// Compares the outputs with the instance, commits to them or hashes them.
    fn outputs(&mut self, results: &BTreeMap<Outlet, Tensor>) -> Result<(), LayoutError> {
        let outputs = self.model.graph.outputs.iter().enumerate();
        let outputs = outputs.map(|(position, outlet)| {
            let missing = || LayoutError::Operands(format!("output {position} has no result"));
            results.get(outlet).cloned().ok_or_else(missing)
        });
        let outputs = outputs.collect::<Result<Vec<Tensor>, _>>()?;
        self.layouter.outputs = outputs.iter().map(|output| output.wires().collect()).collect();
        let visibility = self.args.output_visibility.clone();
        if visibility.is_public() {
            for (position, output) in outputs.iter().enumerate() {
                self.step(format!("output {position}"));
                self.public_output(position, output)?;
            }
        }
        self.layouter.end_region()?;
        if visibility.requires_processing() {
            for (position, output) in outputs.into_iter().enumerate() {
                self.step(format!("the commitment to output {position}"));
                self.module(&visibility, output)?;
            }
        }
        Ok(())
    }

    fn public_output(&mut self, position: usize, output: &Tensor) -> Result<(), LayoutError> {
        self.instance_shape(output.len(), &format!("output {position}"))?;
        let layouter = &mut self.layouter;
        let compared = match self.args.ignore_range_check_inputs_outputs {
            false => layouter.decompose(output, false)?.input,
            true if output.all_assigned() => output.clone(),
            true => layouter.assign(layouter.columns.a, output)?,
        };
        let first = layouter.recorder.instances.len() as u32;
        let place = |(row, wire)| Element { wire, place: Place::Instance(row) };
        let public: Vec<_> = output.wires().map(|wire| layouter.recorder.opened(wire)).collect();
        let elements = (first..).zip(public).map(place).collect();
        let instance = Tensor::new(elements, &output.dims)?;
        let instance = match self.args.ignore_range_check_inputs_outputs {
            false => layouter.decompose(&instance, false)?.input,
            true => layouter.assign(layouter.columns.b, &instance)?,
        };
        layouter.enforce_equality(&compared, &instance)?;
        Ok(())
    }
}
