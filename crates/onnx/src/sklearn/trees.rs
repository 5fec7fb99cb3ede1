//! Ensembles of decision trees as comparisons and matrix products: all comparisons of a tree are
//! made, and a leaf is reached where those on its path have the outcomes it needs.

use super::labels::Labels;
use super::rewriter::{Rewriter, floats, integer, ints, string, text};
use std::collections::{BTreeMap, BTreeSet};
use tract_onnx::pb::NodeProto;

/// Most cells of a matrix of paths.
const MOST_CELLS: usize = 1 << 26;

/// Which comparison a branch makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    LessOrEqual,
    Less,
}

/// A node of a tree.
struct Branch {
    feature: i64,
    threshold: f32,
    /// Where it goes if the comparison holds, and if not.
    next: [i64; 2],
}

/// One tree: its branches, and for each leaf the branches on its path with the outcomes they need.
struct Tree {
    branches: Vec<Branch>,
    leaves: Vec<Leaf>,
}

struct Leaf {
    node: i64,
    path: Vec<(usize, bool)>,
}

/// All trees, by number, and the comparison they make.
struct Ensemble {
    trees: BTreeMap<i64, Tree>,
    comparison: Comparison,
}

impl Ensemble {
    fn of(node: &NodeProto) -> Result<Self, String> {
        let (trees, ids) = (ints(node, "nodes_treeids"), ints(node, "nodes_nodeids"));
        let modes = node.attribute.iter().find(|attribute| attribute.name == "nodes_modes");
        let modes = modes.map_or(&[][..], |attribute| &attribute.strings);
        let (features, values) = (ints(node, "nodes_featureids"), floats(node, "nodes_values"));
        let yes = ints(node, "nodes_truenodeids");
        let no = ints(node, "nodes_falsenodeids");
        let count = trees.len();
        let lengths = [ids.len(), modes.len(), features.len(), values.len(), yes.len(), no.len()];
        if count == 0 || lengths.iter().any(|length| *length != count) {
            return Err("its lists of nodes are empty or of different lengths".into());
        }
        let mut comparison = None;
        // For each tree, the nodes: a branch, or none for a leaf.
        let mut nodes: BTreeMap<i64, BTreeMap<i64, Option<Branch>>> = BTreeMap::new();
        for i in 0..count {
            let (makes, swapped) = match modes[i].as_slice() {
                b"LEAF" => (None, false),
                b"BRANCH_LEQ" => (Some(Comparison::LessOrEqual), false),
                b"BRANCH_GT" => (Some(Comparison::LessOrEqual), true),
                b"BRANCH_LT" => (Some(Comparison::Less), false),
                b"BRANCH_GTE" => (Some(Comparison::Less), true),
                mode => {
                    let mode = String::from_utf8_lossy(mode);
                    return Err(format!("its branches of mode {mode} have no circuit"));
                }
            };
            if makes.is_some_and(|makes| *comparison.get_or_insert(makes) != makes) {
                return Err("its branches make different comparisons".into());
            }
            let next = if swapped { [no[i], yes[i]] } else { [yes[i], no[i]] };
            let branch = Branch { feature: features[i], threshold: values[i], next };
            nodes.entry(trees[i]).or_default().insert(ids[i], makes.map(|_| branch));
        }
        let comparison = comparison.unwrap_or(Comparison::LessOrEqual);
        let trees = nodes.into_iter().map(|(id, nodes)| Ok((id, Tree::of(nodes)?)));
        Ok(Self { trees: trees.collect::<Result<_, String>>()?, comparison })
    }
}

impl Tree {
    fn of(nodes: BTreeMap<i64, Option<Branch>>) -> Result<Self, String> {
        let targets: BTreeSet<i64> =
            nodes.values().flatten().flat_map(|branch| branch.next).collect();
        let root = nodes.keys().copied().find(|id| !targets.contains(id));
        let mut pending = vec![(root.ok_or("one of its trees has no root")?, Vec::new())];
        let positions: BTreeMap<i64, usize> = {
            let branches = nodes.iter().filter(|(_, branch)| branch.is_some());
            branches.enumerate().map(|(position, (id, _))| (*id, position)).collect()
        };
        let mut leaves = Vec::new();
        while let Some((id, path)) = pending.pop() {
            // A path longer than there are branches goes in a circle; more leaves, in a net.
            if path.len() > positions.len() || leaves.len() > positions.len() {
                return Err("one of its trees is no tree".into());
            }
            match (
                nodes.get(&id).ok_or("a branch leads to a node that is not there")?,
                positions.get(&id),
            ) {
                (Some(branch), Some(position)) => {
                    for (next, outcome) in branch.next.into_iter().zip([true, false]) {
                        pending.push((next, [&path[..], &[(*position, outcome)]].concat()));
                    }
                }
                _ => leaves.push(Leaf { node: id, path }),
            }
        }
        Ok(Self { branches: nodes.into_values().flatten().collect(), leaves })
    }
}

/// What the leaves give: tree, node, target and weight.
fn weights<'a>(
    node: &'a NodeProto,
    of: &str,
) -> Result<impl Iterator<Item = (i64, i64, i64, f32)> + 'a, String> {
    let trees = ints(node, &format!("{of}_treeids"));
    let nodes = ints(node, &format!("{of}_nodeids"));
    let ids = ints(node, &format!("{of}_ids"));
    let weights = floats(node, &format!("{of}_weights"));
    if [nodes.len(), ids.len(), weights.len()].iter().any(|length| *length != trees.len()) {
        return Err("its lists of leaves are of different lengths".into());
    }
    let places = trees.iter().zip(nodes).zip(ids).zip(weights);
    Ok(places.map(|(((tree, node), id), weight)| (*tree, *node, *id, *weight)))
}

/// The sums of the leaves' weights, for so many targets.
fn sums(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    of: &str,
    targets: usize,
    factor: impl Fn(usize) -> f32,
) -> Result<String, String> {
    let Ensemble { trees, comparison } = Ensemble::of(node)?;
    let count = trees.len();
    let factor = factor(count);
    let width = trees.values().map(|tree| tree.branches.len()).max().unwrap_or(0).max(1);
    let leaves = trees.values().map(|tree| tree.leaves.len()).max().unwrap_or(0).max(1);
    let cells = |dims: [usize; 3]| {
        let cells = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
        cells.filter(|cells| *cells <= MOST_CELLS).ok_or("its trees are too large for a circuit")
    };
    let mut paths = vec![0.0; cells([count, width, leaves])?];
    let mut weight = vec![0.0; cells([count, leaves, targets])?];
    let (mut features, mut thresholds) = (vec![0; count * width], vec![0.0; count * width]);
    // No sum of outcomes reaches what a leaf that is not there needs.
    let mut needed = vec![1.0; count * leaves];
    let mut places = BTreeMap::new();
    for (t, (id, tree)) in trees.iter().enumerate() {
        for (i, branch) in tree.branches.iter().enumerate() {
            features[t * width + i] = branch.feature;
            thresholds[t * width + i] = branch.threshold;
        }
        for (l, leaf) in tree.leaves.iter().enumerate() {
            places.insert((*id, leaf.node), t * leaves + l);
            needed[t * leaves + l] =
                leaf.path.iter().filter(|(_, outcome)| *outcome).count() as f32;
            for (branch, outcome) in &leaf.path {
                paths[(t * width + branch) * leaves + l] = if *outcome { 1.0 } else { -1.0 };
            }
        }
    }
    for (tree, node, target, value) in weights(node, of)? {
        let place = places.get(&(tree, node)).ok_or("a weight is not at a leaf")?;
        let target = usize::try_from(target).ok().filter(|target| *target < targets);
        weight[place * targets + target.ok_or("a weight has no target")?] += value * factor;
    }

    let features = rewriter.integers(&features, &[count * width]);
    let operands = rewriter.op("Gather", &[input, &features], vec![integer("axis", 1)]);
    let thresholds = rewriter.numbers(&thresholds, &[1, count * width]);
    let compare = match comparison {
        Comparison::LessOrEqual => "LessOrEqual",
        Comparison::Less => "Less",
    };
    let outcomes = rewriter.op(compare, &[&operands, &thresholds], vec![]);
    let outcomes = rewriter.op("Cast", &[&outcomes], vec![integer("to", 1)]);
    let shape = rewriter.integers(&[0, count as i64, width as i64], &[3]);
    let outcomes = rewriter.op("Reshape", &[&outcomes, &shape], vec![]);
    let paths = rewriter.numbers(&paths, &[count, width, leaves]);
    let equation = vec![string("equation", "nti,til->ntl")];
    let agreeing = rewriter.op("Einsum", &[&outcomes, &paths], equation);
    let needed = rewriter.numbers(&needed, &[1, count, leaves]);
    let reached = rewriter.op("GreaterOrEqual", &[&agreeing, &needed], vec![]);
    let reached = rewriter.op("Cast", &[&reached], vec![integer("to", 1)]);
    let shape = rewriter.integers(&[0, (count * leaves) as i64], &[2]);
    let reached = rewriter.op("Reshape", &[&reached, &shape], vec![]);
    let weight = rewriter.numbers(&weight, &[count * leaves, targets]);
    Ok(rewriter.op("MatMul", &[&reached, &weight], vec![]))
}

/// Adds what every sum begins with.
fn with_base(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    sums: String,
    targets: usize,
) -> Result<String, String> {
    let base = floats(node, "base_values");
    if base.iter().all(|value| *value == 0.0) {
        return Ok(sums);
    }
    if base.len() != targets {
        return Err(format!("it has {} base_values for {targets} results", base.len()));
    }
    let base = rewriter.numbers(base, &[1, targets]);
    Ok(rewriter.op("Add", &[&sums, &base], vec![]))
}

pub(super) fn regressor(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    output: String,
) -> Result<Option<String>, String> {
    let targets = node.attribute.iter().find(|attribute| attribute.name == "n_targets");
    let targets = targets.map_or(1, |attribute| usize::try_from(attribute.i).unwrap_or(0));
    let averages = match text(node, "aggregate_function").unwrap_or("SUM".into()).as_str() {
        "SUM" => false,
        "AVERAGE" => true,
        other => return Err(format!("its attribute aggregate_function = {other} has no circuit")),
    };
    let factor = |trees: usize| if averages { 1.0 / trees as f32 } else { 1.0 };
    let sums = sums(rewriter, node, input, "target", targets, factor)?;
    let sums = with_base(rewriter, node, sums, targets)?;
    rewriter.post_transform(node, &sums, output)?;
    Ok(None)
}

pub(super) fn classifier(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    [label, scores]: [String; 2],
) -> Result<Option<String>, String> {
    let labels = Labels::of(node, "classlabels_int64s")?;
    let ids = ints(node, "class_ids");
    let one_class = ids.iter().all(|id| Some(id) == ids.first());
    if labels.count() == 2 && one_class {
        return of_two(rewriter, node, input, &labels, [label, scores]);
    }
    let sums = sums(rewriter, node, input, "class", labels.count(), |_| 1.0)?;
    let sums = with_base(rewriter, node, sums, labels.count())?;
    let left_out = rewriter.label(&labels, &sums, label);
    if !scores.is_empty() {
        rewriter.post_transform(node, &sums, scores)?;
    }
    Ok(left_out)
}

/// Two classes and one sum: that of the second class.
fn of_two(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    labels: &Labels,
    [label, scores]: [String; 2],
) -> Result<Option<String>, String> {
    let targets = if ints(node, "class_ids").first() == Some(&1) { 2 } else { 1 };
    let both = sums(rewriter, node, input, "class", targets, |_| 1.0)?;
    let positions = rewriter.integers(&[targets as i64 - 1], &[1]);
    let sum = rewriter.op("Gather", &[&both, &positions], vec![integer("axis", 1)]);
    let base = floats(node, "base_values");
    let sum = match base.last() {
        Some(base) if *base != 0.0 => {
            let base = rewriter.numbers(&[*base], &[1, 1]);
            rewriter.op("Add", &[&sum, &base], vec![])
        }
        _ => sum,
    };
    let logistic = text(node, "post_transform").as_deref() == Some("LOGISTIC");
    // Where no weight is negative the sum is a probability, otherwise a margin.
    let probability = floats(node, "class_weights").iter().all(|weight| *weight >= 0.0);
    let first = match probability && !logistic {
        true => {
            let one = rewriter.numbers(&[1.0], &[1, 1]);
            rewriter.op("Sub", &[&one, &sum], vec![])
        }
        false => rewriter.op("Neg", &[&sum], vec![]),
    };
    let pair = rewriter.op("Concat", &[&first, &sum], vec![integer("axis", 1)]);
    if logistic && probability {
        return Err("its weights are probabilities of which LOGISTIC is taken: this has no \
                    circuit"
            .into());
    }
    let left_out = rewriter.label(labels, &pair, label);
    if !scores.is_empty() {
        rewriter.post_transform(node, &pair, scores)?;
    }
    Ok(left_out)
}
