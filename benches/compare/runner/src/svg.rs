//! Drawing: a sheet of shapes with a colour for light and one for dark, and logarithmic axes.

use std::fmt::{Display, Write};

/// Classes that both plots use: ink, faint ink, lines of the grid, the library's own colour. No
/// background: the page's own shows through, be it light or dark.
const STYLE: &str = "\
text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.title { font-size: 13px; font-weight: 600 }
.faint { fill: #59636e }
.small { font-size: 11px }
.end { text-anchor: end }
.middle { text-anchor: middle }
.strong { font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1; shape-rendering: crispEdges }
.base { stroke: #59636e; stroke-width: 1.5 }
.own { fill: #d1242f }
.own-line { stroke: #d1242f; stroke-width: 2; fill: none }
.hollow { fill: none }
.range { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .faint { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .base { stroke: #9198a1 }
  .own { fill: #ff6a5f }
  .own-line { stroke: #ff6a5f }
  .range { stroke: #f0f6fc }
}
";

pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>",
            escaped(text)
        ));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.add(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A bar between two places on its middle line.
    pub(crate) fn bar(&mut self, from: f64, to: f64, y: f64, height: f64, class: &str) {
        let (left, width) = (from.min(to), (to - from).abs().max(1.5));
        let top = y - height / 2.0;
        self.add(format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A path through the points.
    pub(crate) fn curve(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        self.add(format_args!(
            "<polyline points=\"{}\" class=\"{class}\"/>",
            points.join(" ")
        ));
    }

    pub(crate) fn dot(&mut self, x: f64, y: f64, class: &str) {
        self.add(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" class=\"{class}\"/>"
        ));
    }

    /// A mark with a name that shows under the pointer.
    pub(crate) fn mark(&mut self, x: f64, y: f64, mark: Mark, name: &str) {
        let Mark { colour, outline } = mark;
        self.add(format_args!(
            "<path transform=\"translate({x:.1} {y:.1})\" d=\"{outline}\" fill=\"{colour}\"><title>{}</title></path>",
            escaped(name)
        ));
    }

    fn add(&mut self, element: impl Display) {
        writeln!(self.body, "{element}").expect("a string takes everything");
    }

    /// The whole file. `description` is for those who cannot see it.
    pub(crate) fn finish(self, description: &str) -> String {
        let Self {
            width,
            height,
            body,
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n{body}</svg>\n",
            escaped(description)
        )
    }
}

/// A small shape of its own colour: readers who cannot tell two colours can tell the shapes.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    colour: &'static str,
    outline: &'static str,
}

const CIRCLE: &str = "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z";
const SQUARE: &str = "M-3.5 -3.5h7v7h-7z";
const DIAMOND: &str = "M0 -5l5 5l-5 5l-5 -5z";
const TRIANGLE: &str = "M0 -4.5l4.6 8h-9.2z";

/// Colours of a middle lightness, which stand out from white and from black.
pub(crate) const MARKS: [Mark; 8] = [
    Mark {
        colour: "#2f81f7",
        outline: CIRCLE,
    },
    Mark {
        colour: "#e08700",
        outline: DIAMOND,
    },
    Mark {
        colour: "#2da44e",
        outline: SQUARE,
    },
    Mark {
        colour: "#a371f7",
        outline: TRIANGLE,
    },
    Mark {
        colour: "#e85aad",
        outline: CIRCLE,
    },
    Mark {
        colour: "#12a5a5",
        outline: DIAMOND,
    },
    Mark {
        colour: "#8b8f94",
        outline: SQUARE,
    },
    Mark {
        colour: "#a87b00",
        outline: TRIANGLE,
    },
];

/// A logarithmic axis: values from `low` to `high` lie between two places.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl Axis {
    /// Where a value lies; what is off the axis is at its end.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.low * 0.999..=self.high * 1.001).contains(&value)
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_have_equal_distances() {
        let axis = Axis {
            low: 1.0,
            high: 100.0,
            start: 50.0,
            end: 250.0,
        };
        for (value, place) in [
            (1.0, 50.0),
            (10.0, 150.0),
            (100.0, 250.0),
            (0.1, 50.0),
            (1e6, 250.0),
        ] {
            assert!((axis.place(value) - place).abs() < 1e-9, "{value}");
        }
        assert!(axis.holds(100.0) && !axis.holds(101.0));
    }

    #[test]
    fn what_is_drawn_is_well_formed() {
        let mut svg = Svg::new(10.0, 20.0);
        svg.text(1.0, 2.0, "end", "p99 < 5 & \"more\"");
        svg.mark(1.0, 1.0, MARKS[0], "a <b>");
        let text = svg.finish("a & b");
        assert!(
            text.contains("p99 &lt; 5 &amp; &quot;more&quot;")
                && text.contains("<title>a &amp; b</title>")
        );
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
    }
}
