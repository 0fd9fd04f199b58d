//! The plot of curves: a panel for each, both axes logarithmic, so that linear is a slope of one
//! decade in one.

use crate::curve::{Curve, Quantity};
use crate::machine;
use crate::svg::{Axis, Svg};

const COLUMNS: usize = 2;
const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 262.0;
/// Place around the area of a panel.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 30.0;
const ABOVE: f64 = 52.0;
const BELOW: f64 = 34.0;

/// A plot of all curves.
pub(crate) fn draw(curves: &[Curve]) -> String {
    let rows = curves.len().div_ceil(COLUMNS) as f64;
    let mut svg = Svg::new(WIDTH * COLUMNS as f64, HEIGHT * rows + 50.0);
    legend(&mut svg, curves);
    for (place, curve) in curves.iter().enumerate() {
        let corner = (
            (place % COLUMNS) as f64 * WIDTH,
            28.0 + (place / COLUMNS) as f64 * HEIGHT,
        );
        panel(&mut svg, curve, corner);
    }
    let foot = format!("{} · {}", machine::date(), machine::machine());
    svg.text(16.0, HEIGHT * rows + 42.0, "small faint", &foot);
    svg.finish("What a message costs as connections, sizes and rooms grow")
}

fn legend(svg: &mut Svg, curves: &[Curve]) {
    svg.line((16.0, 18.0), (34.0, 18.0), "own-line");
    svg.dot(25.0, 18.0, "own");
    svg.text(40.0, 22.0, "", "rushwire");
    if curves.iter().any(|curve| curve.lines.len() > 1) {
        svg.line((112.0, 18.0), (130.0, 18.0), "base");
        svg.text(136.0, 22.0, "", "raw socket");
    }
}

fn panel(svg: &mut Svg, curve: &Curve, (left, top): (f64, f64)) {
    let medians: Vec<Vec<(f64, f64)>> = curve.lines.iter().map(|line| line.medians()).collect();
    let Some((across, up)) = axes(&medians, left, top) else {
        return;
    };
    svg.text(left + 16.0, top + 18.0, "title", curve.kind.title);
    svg.text(
        left + 16.0,
        top + 35.0,
        "small faint",
        &format!("{} · {}", curve.kind.unit, curve.verdict()),
    );
    grid(svg, &across, &up, curve);
    for (place, points) in medians.iter().enumerate().rev() {
        let placed: Vec<(f64, f64)> = points
            .iter()
            .map(|(x, y)| (across.place(*x), up.place(*y)))
            .collect();
        svg.curve(
            &placed,
            if place == 0 {
                "own-line"
            } else {
                "base hollow"
            },
        );
        if place == 0 {
            placed.iter().for_each(|(x, y)| svg.dot(*x, *y, "own"));
        }
    }
}

/// Across: the quantities. Up: whole decades of the cost.
fn axes(medians: &[Vec<(f64, f64)>], left: f64, top: f64) -> Option<(Axis, Axis)> {
    let all = || medians.iter().flatten();
    let least = |of: fn(&(f64, f64)) -> f64| all().map(of).min_by(f64::total_cmp);
    let most = |of: fn(&(f64, f64)) -> f64| all().map(of).max_by(f64::total_cmp);
    let across = Axis {
        low: least(|point| point.0)?,
        high: most(|point| point.0)?,
        start: left + LEFT,
        end: left + WIDTH - RIGHT,
    };
    let up = Axis {
        low: 10f64.powf(least(|point| point.1)?.log10().floor()),
        high: 10f64.powf(most(|point| point.1)?.log10().ceil()),
        start: top + HEIGHT - BELOW,
        end: top + ABOVE,
    };
    Some((across, up))
}

fn grid(svg: &mut Svg, across: &Axis, up: &Axis, curve: &Curve) {
    for cost in (0..13)
        .map(|power| 10f64.powi(power))
        .filter(|cost| up.holds(*cost))
    {
        let y = up.place(cost);
        svg.line((across.start, y), (across.end, y), "grid");
        svg.text(across.start - 8.0, y + 4.0, "small faint end", &span(cost));
    }
    for x in ticks(curve).filter(|x| across.holds(*x)) {
        let place = across.place(x);
        svg.line((place, up.end), (place, up.start), "grid");
        svg.text(
            place,
            up.start + 17.0,
            "small faint middle",
            &curve.kind.quantity.label(x),
        );
    }
}

/// Decades of numbers; of bytes, each fourth power of two and two between.
fn ticks(curve: &Curve) -> impl Iterator<Item = f64> + use<> {
    let base: f64 = match curve.kind.quantity {
        Quantity::Number => 10.0,
        Quantity::Bytes => 16.0,
    };
    (0..8).map(move |power| base.powi(power))
}

/// `100 ns`, `10 µs`.
fn span(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        1e3..1e6 => (nanoseconds / 1e3, "µs"),
        1e6..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{value:.0} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::tests::{SIZE, curve};

    #[test]
    fn each_curve_has_a_panel_with_its_verdict() {
        let svg = draw(&[curve(&SIZE, 1.0), curve(&SIZE, 1.5)]);
        for part in [
            "linear: exponent 0.97",
            "not linear",
            "64 KiB",
            "raw socket",
            "10 µs",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(svg.matches("<polyline").count(), 4);
    }

    #[test]
    fn costs_are_written_as_spans() {
        let spans = [1.0, 1e3, 1e7, 1e9].map(span);
        assert_eq!(spans, ["1 ns", "1 µs", "10 ms", "1 s"]);
    }
}
