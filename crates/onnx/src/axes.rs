//! Removal and motion of axes of whole wires: takes the place of tract's own last simplification,
//! whose rules for one-element constants differ from those of the tract EZKL uses (spec 05 §1.2.2).

use std::collections::{HashMap, HashSet};
use tract_core::internal::*;
use tract_core::ops::dummy::Dummy;
use tract_core::ops::einsum::EinSum;
use tract_core::optim::{OptimizerSession, TypedPass};

/// The pass. Remembers what it tried since the last reset, and where to go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct AxisPass {
    tried: HashSet<(OutletId, AxisOp)>,
    resume_at: usize,
}

impl TypedPass for AxisPass {
    fn reset(&mut self) -> TractResult<()> {
        *self = Self::default();
        Ok(())
    }

    fn next(
        &mut self,
        _session: &mut OptimizerSession,
        model: &TypedModel,
    ) -> TractResult<Option<TypedModelPatch>> {
        for node in model.nodes.iter().skip(self.resume_at) {
            if node.op_is::<Dummy>() {
                continue;
            }
            for (wire, change) in candidates(node)? {
                if !self.tried.insert((wire, change.clone())) {
                    continue;
                }
                if let Some(effect) = Effect::of(model, wire, change)? {
                    self.resume_at = node.id;
                    return Ok(Some(effect.into_patch(model)?));
                }
            }
        }
        Ok(None)
    }
}

/// What may be tried at a node: its own suggestions, then the removal of each axis of length 1.
fn candidates(node: &TypedNode) -> TractResult<Vec<(OutletId, AxisOp)>> {
    let suggestions = node.op.suggested_axis_changes()?;
    let mut candidates: Vec<_> =
        suggestions.into_iter().map(|(place, change)| (place.as_outlet(node), change)).collect();
    for (slot, output) in node.outputs.iter().enumerate() {
        let units = output.fact.shape.iter().enumerate().filter(|(_, dim)| dim.is_one());
        let outlet = OutletId::new(node.id, slot);
        candidates.extend(units.map(|(axis, _)| (outlet, AxisOp::Rm(axis))));
    }
    Ok(candidates)
}

/// All that follows from the change of one wire.
#[derive(Default)]
struct Effect {
    wires: HashMap<OutletId, AxisOp>,
    ops: HashMap<usize, Box<dyn TypedOp>>,
}

impl Effect {
    /// The consequences of a change; `None` if something forbids one of them.
    fn of(model: &TypedModel, wire: OutletId, change: AxisOp) -> TractResult<Option<Self>> {
        let mut locked: HashSet<OutletId> = model.input_outlets()?.iter().copied().collect();
        locked.extend(model.output_outlets()?);
        let mut effect = Self::default();
        effect.wires.insert(wire, change.clone());
        // Wire, change, and the node that asked for it, which knows.
        let mut pending = vec![(wire, change, None)];
        while let Some((wire, change, asker)) = pending.pop() {
            if locked.contains(&wire) {
                return Ok(None);
            }
            let producer = std::iter::once((wire.node, InOut::Out(wire.slot)));
            let readers = model.outlet_successors(wire).iter();
            let readers = readers.map(|inlet| (inlet.node, InOut::In(inlet.slot)));
            for (id, place) in producer.chain(readers) {
                if Some(id) == asker {
                    continue;
                }
                let Some(demands) = effect.arrive(model, id, place, &change)? else {
                    return Ok(None);
                };
                for (wire, demand) in demands {
                    match effect.wires.get(&wire) {
                        Some(known) if *known == demand => {}
                        Some(_) => return Ok(None),
                        None => {
                            effect.wires.insert(wire, demand.clone());
                            pending.push((wire, demand, Some(id)));
                        }
                    }
                }
            }
        }
        Ok(Some(effect))
    }

    /// Lets a change arrive at a node; the changes of wires it demands, `None` if it refuses.
    fn arrive(
        &mut self,
        model: &TypedModel,
        id: usize,
        place: InOut,
        change: &AxisOp,
    ) -> TractResult<Option<Vec<(OutletId, AxisOp)>>> {
        let node = model.node(id);
        let op = match self.ops.get(&id) {
            None => &node.op,
            // An einsum takes any number of changes, other operations one.
            Some(op) if op.is::<EinSum>() => op,
            Some(_) => return Ok(None),
        };
        let Some(consequence) = op.change_axes(model, node, place, change)? else {
            return Ok(None);
        };
        if let Some(op) = consequence.substitute_op {
            self.ops.insert(id, op);
        }
        let demands = consequence.wire_changes.into_iter();
        Ok(Some(demands.map(|(place, change)| (place.as_outlet(node), change)).collect()))
    }

    /// Wires the changed operations anew, in the order of evaluation and under their old names.
    fn into_patch(mut self, model: &TypedModel) -> TractResult<TypedModelPatch> {
        let mut patch = TypedModelPatch::new("axes");
        let mut affected: HashSet<usize> = self.wires.keys().map(|wire| wire.node).collect();
        affected.extend(self.ops.keys());
        let mut rewired: HashMap<OutletId, OutletId> = HashMap::new();
        for id in model.eval_order()? {
            let node = model.node(id);
            if !affected.contains(&id) {
                for input in &node.inputs {
                    if let Some(new) = rewired.get(input) {
                        patch.shunt_outside(model, *input, *new)?;
                    }
                }
                continue;
            }
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for input in &node.inputs {
                let tapped = match rewired.get(input) {
                    Some(wire) => *wire,
                    None => patch.tap_model(model, *input)?,
                };
                rewired.insert(*input, tapped);
                inputs.push(tapped);
            }
            let op = self.ops.remove(&id).unwrap_or_else(|| node.op.clone());
            let outputs = patch.wire_node(&node.name, op, &inputs)?;
            for (slot, output) in outputs.into_iter().enumerate() {
                rewired.insert(OutletId::new(id, slot), output);
            }
        }
        for output in model.output_outlets()? {
            if let Some(new) = rewired.get(output) {
                // The wire itself is locked; its fact may say less about its value than before.
                patch.shunts.insert(*output, *new);
            }
        }
        Ok(patch)
    }
}
