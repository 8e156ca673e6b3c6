//! A small writer of SVG: the few shapes that the figure is made of.

use std::fmt::Write as _;

/// How text is placed at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Font {
    pub(crate) size: f64,
    pub(crate) color: &'static str,
    pub(crate) bold: bool,
}

/// A picture under way.
pub(crate) struct Svg(String);

impl Svg {
    /// A white picture of this size in pixels.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n"
        ));
        svg.rectangle([0.0, 0.0], [width, height], "#ffffff", 1.0);
        svg
    }

    pub(crate) fn text(&mut self, at: [f64; 2], anchor: Anchor, font: Font, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if font.bold { " font-weight=\"bold\"" } else { "" };
        _ = writeln!(
            self.0,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"{}\" fill=\"{}\"{weight}>{}</text>",
            at[0],
            at[1],
            font.size,
            font.color,
            escaped(text)
        );
    }

    pub(crate) fn rectangle(&mut self, at: [f64; 2], size: [f64; 2], color: &str, opacity: f64) {
        _ = writeln!(
            self.0,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{color}\" fill-opacity=\"{opacity}\"/>",
            at[0], at[1], size[0], size[1]
        );
    }

    /// A line through `points`; `dashes` as SVG has them, empty for none.
    pub(crate) fn line(&mut self, points: &[[f64; 2]], color: &str, width: f64, dashes: &str) {
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        _ = writeln!(
            self.0,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\"{dashes}/>",
            listed(points)
        );
    }

    pub(crate) fn area(&mut self, points: &[[f64; 2]], color: &str, opacity: f64) {
        _ = writeln!(
            self.0,
            "<polygon points=\"{}\" fill=\"{color}\" fill-opacity=\"{opacity}\"/>",
            listed(points)
        );
    }

    /// The whole document.
    pub(crate) fn finish(self) -> String {
        self.0 + "</svg>\n"
    }
}

fn listed(points: &[[f64; 2]]) -> String {
    points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
