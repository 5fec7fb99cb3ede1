//! The report as one HTML file: the measures, and for each output the circuit's values against the
//! network's and the error of every element. Plots are inline SVG.

use super::{Comparison, Errors};
use std::fmt::Write;

const WIDTH: f32 = 420.0;
const HEIGHT: f32 = 260.0;
const MARGIN: f32 = 46.0;
/// Most points of a plot: beyond, every so manieth is shown.
const MOST_POINTS: usize = 4000;

/// The page about a model.
pub fn page(model: &str, arguments: &str, comparison: &Comparison) -> String {
    let errors = comparison.errors();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <title>Fidelity of {model}</title>\n<style>\n\
         body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; }}\n\
         table {{ border-collapse: collapse; }} td {{ padding: 0 1.5em 0 0; }}\n\
         td + td {{ text-align: right; font-variant-numeric: tabular-nums; }}\n\
         text {{ font: 11px system-ui, sans-serif; fill: #444; }}\n\
         circle {{ fill: #1560bd; fill-opacity: 0.6; }} line {{ stroke: #999; }}\n\
         </style></head><body>\n\
         <h1>Is the quantised model good enough?</h1>\n\
         <p>{model}, {arguments}.</p>\n<p>{}</p>\n<table>\n",
        verdict(comparison, &errors),
        model = escaped(model),
        arguments = escaped(arguments),
    );
    for (name, value) in errors.rows() {
        let _ = writeln!(page, "<tr><td>{name}</td><td>{value}</td></tr>");
    }
    page.push_str("</table>\n");
    for (index, samples) in comparison.outputs.iter().enumerate() {
        let _ = writeln!(page, "<h2>Output {index}</h2>");
        let values: Vec<(f32, f32)> = samples.iter().flatten().copied().collect();
        page.push_str(&plot("the network's value", "the circuit's value", &values, true));
        let errors = samples.iter().flat_map(|sample| {
            let elements = sample.iter().enumerate();
            elements.map(|(element, (network, circuit))| (element as f32, network - circuit))
        });
        page.push_str(&plot("element", "error", &errors.collect::<Vec<_>>(), false));
    }
    page.push_str("</body></html>\n");
    page
}

/// The largest error beside the range of the outputs.
fn verdict(comparison: &Comparison, errors: &Errors) -> String {
    let network = comparison.outputs.iter().flatten().flatten().map(|(network, _)| *network);
    let (low, high) = network.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if high > low {
        let share = 100.0 * errors.max_abs_error / (high - low);
        return format!(
            "The circuit is off by at most {} ({share:.3} % of the range of the outputs, {low} to \
             {high}), over all samples.",
            errors.max_abs_error
        );
    }
    format!("The circuit is off by at most {}, over all samples.", errors.max_abs_error)
}

/// A plot of points; `diagonal`: with the line of equal values, otherwise with that of the value 0.
fn plot(across: &str, up: &str, points: &[(f32, f32)], diagonal: bool) -> String {
    let points: Vec<(f32, f32)> =
        points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let (mut x, mut y) =
        (Axis::of(points.iter().map(|p| p.0)), Axis::of(points.iter().map(|p| p.1)));
    if diagonal {
        let both = Axis { low: x.low.min(y.low), high: x.high.max(y.high) };
        (x, y) = (both, both);
    } else {
        let size = y.low.abs().max(y.high.abs());
        y = Axis { low: -size, high: size };
    }
    let place = |(px, py): (f32, f32)| {
        let across = MARGIN + x.part(px) * (WIDTH - 2.0 * MARGIN);
        let down = HEIGHT - MARGIN - y.part(py) * (HEIGHT - 2.0 * MARGIN);
        (across, down)
    };
    let guide = match diagonal {
        true => (place((x.low, x.low)), place((x.high, x.high))),
        false => (place((x.low, 0.0)), place((x.high, 0.0))),
    };
    let ((x1, y1), (x2, y2)) = guide;
    let mut svg = format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{up} by {across}\">\n\
         <line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n"
    );
    for point in points.iter().step_by(points.len().div_ceil(MOST_POINTS).max(1)) {
        let (cx, cy) = place(*point);
        let _ = writeln!(svg, "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"2.5\"/>");
    }
    let bottom = HEIGHT - MARGIN;
    let _ = write!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{}\">{}</text>\
         <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\
         <text x=\"{left}\" y=\"{}\">{up}</text>\
         <text x=\"{left}\" y=\"{}\">{}</text><text x=\"{left}\" y=\"{bottom}\">{}</text>\n</svg>\n",
        bottom + 16.0,
        short(x.low),
        bottom + 16.0,
        short(x.high),
        WIDTH / 2.0,
        bottom + 32.0,
        MARGIN - 20.0,
        MARGIN,
        short(y.high),
        short(y.low),
        right = WIDTH - MARGIN,
        left = 2.0,
    );
    svg
}

/// The values along an axis.
#[derive(Clone, Copy)]
struct Axis {
    low: f32,
    high: f32,
}

impl Axis {
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let start = Axis { low: f32::INFINITY, high: f32::NEG_INFINITY };
        let axis = values.fold(start, |axis, value| Axis {
            low: axis.low.min(value),
            high: axis.high.max(value),
        });
        if axis.low <= axis.high { axis } else { Axis { low: 0.0, high: 1.0 } }
    }

    /// Where a value is, from 0 to 1.
    fn part(self, value: f32) -> f32 {
        if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.5 }
    }
}

fn short(value: f32) -> String {
    match value.abs() {
        0.001..1e5 => format!("{}", (value * 1000.0).round() / 1000.0),
        0.0 => "0".into(),
        _ => format!("{value:.1e}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
