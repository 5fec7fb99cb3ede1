//! How close a circuit's outputs are to those of the network: EZKL's measures (spec 05 §5.5), as a
//! table and as a page with plots.

mod page;

pub use page::page;
use std::fmt;

/// The largest mean error, as a part of the largest output.
const MOST_ERROR: f32 = 0.1;

/// Outputs of the network and of the circuit, on the same samples.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Pairs of values, network and circuit: by output, then by sample, then by element.
    pub outputs: Vec<Vec<Vec<(f32, f32)>>>,
}

impl Comparison {
    /// Adds a sample: the outputs of the network and of the circuit.
    pub fn add(&mut self, network: &[Vec<f32>], circuit: &[Vec<f32>]) {
        self.outputs.resize_with(network.len().max(self.outputs.len()), Vec::new);
        let pairs = network.iter().zip(circuit);
        for (samples, (network, circuit)) in self.outputs.iter_mut().zip(pairs) {
            samples.push(network.iter().copied().zip(circuit.iter().copied()).collect());
        }
    }

    /// Whether the circuit computes something else than the network: on average it is further off
    /// than a part of the network's largest output. Quantisation alone stays far below it.
    pub fn is_of_another_network(&self) -> bool {
        let pairs = || self.outputs.iter().flatten().flatten();
        let largest = pairs().map(|(network, _)| network.abs()).fold(0.0, f32::max);
        pairs().next().is_some() && self.errors().mean_abs_error > MOST_ERROR * largest
    }

    /// The measures over all outputs of all samples.
    pub fn errors(&self) -> Errors {
        let samples = self.outputs.iter().map(Vec::len).max().unwrap_or(0);
        // EZKL takes all outputs of a sample before the next: the sums and the median follow.
        let in_order = (0..samples).flat_map(|sample| {
            self.outputs.iter().filter_map(move |output| output.get(sample)).flatten()
        });
        Errors::of(&in_order.copied().collect::<Vec<_>>())
    }
}

/// Measures of the errors, network less circuit, with EZKL's names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)] // the names say it
pub struct Errors {
    pub mean_error: f32,
    /// That of the middle element, unsorted.
    pub median_error: f32,
    pub max_error: f32,
    pub min_error: f32,
    pub mean_abs_error: f32,
    pub median_abs_error: f32,
    pub max_abs_error: f32,
    pub min_abs_error: f32,
    pub mean_squared_error: f32,
    /// Relative to the network's output: 1 is 100 %.
    pub mean_percent_error: f32,
    pub mean_abs_percent_error: f32,
}

impl Errors {
    /// The measures of pairs of values of network and circuit.
    pub fn of(pairs: &[(f32, f32)]) -> Self {
        let errors: Vec<f32> = pairs.iter().map(|(network, circuit)| network - circuit).collect();
        let relative = pairs.iter().zip(&errors).map(|((network, circuit), error)| {
            if *network == 0.0 && *circuit == 0.0 { 0.0 } else { error / network }
        });
        let relative: Vec<f32> = relative.collect();
        let sizes: Vec<f32> = errors.iter().map(|error| error.abs()).collect();
        let mean = |values: &[f32], map: fn(f32) -> f32| {
            values.iter().map(|value| map(*value)).sum::<f32>() / values.len() as f32
        };
        let middle = |values: &[f32]| values.get(values.len() / 2).copied().unwrap_or_default();
        let most = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = |values: &[f32]| values.iter().copied().fold(f32::INFINITY, f32::min);
        Self {
            mean_error: mean(&errors, |error| error),
            median_error: middle(&errors),
            max_error: most(&errors),
            min_error: least(&errors),
            mean_abs_error: mean(&sizes, |error| error),
            median_abs_error: middle(&sizes),
            max_abs_error: most(&sizes),
            min_abs_error: least(&sizes),
            mean_squared_error: mean(&errors, |error| error * error),
            mean_percent_error: mean(&relative, |error| error),
            mean_abs_percent_error: mean(&relative, f32::abs),
        }
    }

    /// Names and values, in EZKL's order.
    pub fn rows(&self) -> [(&'static str, f32); 11] {
        [
            ("mean_error", self.mean_error),
            ("median_error", self.median_error),
            ("max_error", self.max_error),
            ("min_error", self.min_error),
            ("mean_abs_error", self.mean_abs_error),
            ("median_abs_error", self.median_abs_error),
            ("max_abs_error", self.max_abs_error),
            ("min_abs_error", self.min_abs_error),
            ("mean_squared_error", self.mean_squared_error),
            ("mean_percent_error", self.mean_percent_error),
            ("mean_abs_percent_error", self.mean_abs_percent_error),
        ]
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().iter().try_for_each(|(name, value)| writeln!(f, "{name:<24}{value:>16}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_a_few_values() {
        let pairs = [(1.0, 0.5), (2.0, 2.25), (0.0, 0.0), (-1.0, -1.0)];
        let errors = Errors::of(&pairs);
        assert_eq!((errors.mean_error, errors.mean_abs_error), (0.0625, 0.1875));
        assert_eq!((errors.max_error, errors.min_error), (0.5, -0.25));
        assert_eq!((errors.max_abs_error, errors.min_abs_error), (0.5, 0.0));
        // The third of four, as they come.
        assert_eq!((errors.median_error, errors.median_abs_error), (0.0, 0.0));
        assert_eq!(errors.mean_squared_error, (0.25 + 0.0625) / 4.0);
        assert_eq!(errors.mean_percent_error, (0.5 - 0.125) / 4.0);
        assert_eq!(errors.mean_abs_percent_error, (0.5 + 0.125) / 4.0);
    }

    #[test]
    fn samples_follow_one_another() {
        let mut comparison = Comparison::default();
        comparison.add(&[vec![1.0], vec![2.0]], &[vec![1.0], vec![1.0]]);
        comparison.add(&[vec![3.0], vec![4.0]], &[vec![1.0], vec![4.0]]);
        // The errors 0, 1, 2, 0: the middle one is that of the second sample's first output.
        assert_eq!(comparison.errors().median_error, 2.0);
    }

    #[test]
    fn errors_that_are_not_of_quantisation() {
        let strays = |network: &[f32], circuit: &[f32]| {
            let mut comparison = Comparison::default();
            comparison.add(&[network.to_vec()], &[circuit.to_vec()]);
            comparison.is_of_another_network()
        };
        assert!(!strays(&[1.0, -2.0], &[1.1, -1.9]));
        assert!(strays(&[1.0, -2.0], &[1.0, -1.5]));
        assert!(!strays(&[0.0, 0.0], &[0.0, 0.0]));
        assert!(strays(&[0.0], &[1.0]));
        assert!(!Comparison::default().is_of_another_network());
    }

    #[test]
    fn a_page_stands_alone() {
        let mut comparison = Comparison::default();
        comparison.add(&[vec![1.0, 2.0]], &[vec![1.0, 1.5]]);
        let page = page("a <model>", "scales 7", &comparison);
        assert!(page.contains("a &lt;model&gt;") && page.contains("mean_abs_error"));
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("<circle").count(), 4);
        assert!(!page.contains("http"));
    }
}
