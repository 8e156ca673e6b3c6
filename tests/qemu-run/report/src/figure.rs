//! The picture of a transfer: three panels over one time axis.
//!
//! Legends stand above their panel, where no data is. Colours are those of Okabe and Ito, which people with any
//! kind of colour vision tell apart; besides, each series has a shape of its own (line, area, bars).

use crate::axis::Axis;
use crate::series::{Sample, Transfer};
use crate::svg::{Anchor, Font, Svg};

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 730.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 28.0;

const BLUE: &str = "#0072b2";
const SKY: &str = "#56b4e9";
const GREEN: &str = "#009e73";
const VERMILION: &str = "#d55e00";
const INK: &str = "#222222";
const GREY: &str = "#6b6b6b";
const GRID: &str = "#e3e3e3";

const TITLE: Font = Font { size: 20.0, color: INK, bold: true };
const SUBTITLE: Font = Font { size: 13.0, color: GREY, bold: false };
const HEADING: Font = Font { size: 13.5, color: INK, bold: true };
const LABEL: Font = Font { size: 12.0, color: GREY, bold: false };

/// Bytes in a KiB.
const KIB: f64 = 1_024.0;

/// A panel: its heading, and where its values lie.
struct Panel {
    heading: &'static str,
    top: f64,
    bottom: f64,
}

const WINDOW_PANEL: Panel = Panel { heading: "Window and flight, KiB", top: 124.0, bottom: 370.0 };
const GOODPUT_PANEL: Panel = Panel { heading: "Goodput, Mbit/s", top: 424.0, bottom: 544.0 };
const LOSS_PANEL: Panel = Panel { heading: "Declared lost, KiB", top: 598.0, bottom: 678.0 };

/// What a legend's sign looks like.
enum Sign {
    Line,
    Dashes,
    Dots,
    Area,
    Triangle,
}

/// Draws `transfer` as SVG.
pub(crate) fn draw(transfer: &Transfer) -> String {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    svg.text([28.0, 38.0], Anchor::Start, TITLE, &transfer.title);
    svg.text([28.0, 60.0], Anchor::Start, SUBTITLE, &transfer.link);
    let facts = format!(
        "{:.2} Mbit/s over {:.2} s; {:.1} KiB declared lost",
        transfer.goodput() / 1e6,
        transfer.end() - transfer.samples[0].time,
        transfer.lost() / KIB,
    );
    svg.text([28.0, 79.0], Anchor::Start, Font { color: INK, ..SUBTITLE }, &facts);
    let time = Axis::exactly(transfer.end(), 10, [LEFT, RIGHT]);
    window_panel(&mut svg, transfer, &time);
    goodput_panel(&mut svg, transfer, &time);
    loss_panel(&mut svg, transfer, &time);
    for (value, label) in time.ticks() {
        svg.text([time.pixel(value), LOSS_PANEL.bottom + 18.0], Anchor::Middle, LABEL, &label);
    }
    svg.text([RIGHT, LOSS_PANEL.bottom + 38.0], Anchor::End, LABEL, "seconds since the first byte");
    svg.finish()
}

/// The congestion window as a line, the bytes in flight as an area below it, and a sign for each loss.
fn window_panel(svg: &mut Svg, transfer: &Transfer, time: &Axis) {
    let most = transfer.samples.iter().map(|sample| sample.cwnd.max(sample.in_flight)).fold(0.0, f64::max);
    let axis = WINDOW_PANEL.frame(svg, time, most / KIB, 6);
    let points = |of: fn(&Sample) -> f64| {
        stairs(transfer.samples.iter().map(|sample| [time.pixel(sample.time), axis.pixel(of(sample) / KIB)]))
    };
    let flight = points(|sample| sample.in_flight);
    svg.area(&closed(&flight, WINDOW_PANEL.bottom), SKY, 0.45);
    svg.line(&points(|sample| sample.cwnd), BLUE, 2.0, "");
    for loss in transfer.losses() {
        triangle(svg, [time.pixel(loss.time), WINDOW_PANEL.top - 1.0]);
    }
    let entries = [
        (Sign::Line, BLUE, "congestion window"),
        (Sign::Area, SKY, "in flight"),
        (Sign::Triangle, VERMILION, "loss detected"),
    ];
    WINDOW_PANEL.legend(svg, &entries);
}

/// What the peer acknowledged in each window of time, and what the link could carry.
fn goodput_panel(svg: &mut Svg, transfer: &Transfer, time: &Axis) {
    let windows = transfer.windows();
    let best = windows.iter().map(|window| window.goodput).fold(0.0, f64::max);
    // Far above what was reached, the rate would only press the curve to the ground.
    let rate = Some(transfer.rate).filter(|&rate| rate > 0.0 && rate <= 2.5 * best);
    let axis = GOODPUT_PANEL.frame(svg, time, rate.unwrap_or(0.0).max(best) / 1e6, 4);
    let points: Vec<[f64; 2]> = windows
        .iter()
        .flat_map(|window| {
            [window.begin, window.end].map(|at| [time.pixel(at), axis.pixel(window.goodput / 1e6)])
        })
        .collect();
    svg.area(&closed(&points, GOODPUT_PANEL.bottom), GREEN, 0.2);
    svg.line(&points, GREEN, 2.0, "");
    let mean = axis.pixel(transfer.goodput() / 1e6);
    svg.line(&[[LEFT, mean], [RIGHT, mean]], INK, 1.2, "2 3");
    let mut entries = vec![(Sign::Line, GREEN, "acknowledged"), (Sign::Dots, INK, "mean of the whole")];
    if let Some(rate) = rate {
        let level = axis.pixel(rate / 1e6);
        svg.line(&[[LEFT, level], [RIGHT, level]], GREY, 1.5, "6 4");
        entries.push((Sign::Dashes, GREY, "rate of the link"));
    }
    GOODPUT_PANEL.legend(svg, &entries);
}

/// What was declared lost in each window of time.
fn loss_panel(svg: &mut Svg, transfer: &Transfer, time: &Axis) {
    let windows = transfer.windows();
    let most = windows.iter().map(|window| window.lost / KIB).fold(1.0, f64::max);
    let axis = LOSS_PANEL.frame(svg, time, most, 3);
    for window in windows.iter().filter(|window| window.lost > 0.0) {
        let (left, right) = (time.pixel(window.begin) + 1.0, time.pixel(window.end) - 1.0);
        let top = axis.pixel(window.lost / KIB);
        svg.rectangle([left, top], [right - left, LOSS_PANEL.bottom - top], VERMILION, 0.9);
    }
}

impl Panel {
    /// Draws heading, grid and labels for values up to `most`; returns the axis of the values.
    fn frame(&self, svg: &mut Svg, time: &Axis, most: f64, ticks: usize) -> Axis {
        let axis = Axis::up_to(most, ticks, [self.bottom, self.top]);
        svg.text([28.0, self.top - 16.0], Anchor::Start, HEADING, self.heading);
        for (value, _) in time.ticks() {
            let x = time.pixel(value);
            svg.line(&[[x, self.top], [x, self.bottom]], GRID, 1.0, "");
        }
        for (value, label) in axis.ticks() {
            let y = axis.pixel(value);
            svg.line(&[[LEFT, y], [RIGHT, y]], if value > 0.0 { GRID } else { GREY }, 1.0, "");
            svg.text([LEFT - 8.0, y + 4.0], Anchor::End, LABEL, &label);
        }
        axis
    }

    /// The legend, in the line of the heading, at the right.
    fn legend(&self, svg: &mut Svg, entries: &[(Sign, &'static str, &str)]) {
        let width: f64 = entries.iter().map(|(_, _, text)| entry_width(text)).sum();
        let (mut x, y) = (RIGHT + ENTRY_GAP - width, self.top - 20.0);
        for (sign, color, text) in entries {
            match sign {
                Sign::Line => svg.line(&[[x, y], [x + SIGN_WIDTH, y]], color, 2.5, ""),
                Sign::Dashes => svg.line(&[[x, y], [x + SIGN_WIDTH, y]], color, 1.5, "6 4"),
                Sign::Dots => svg.line(&[[x, y], [x + SIGN_WIDTH, y]], color, 1.2, "2 3"),
                Sign::Area => svg.rectangle([x, y - 6.0], [SIGN_WIDTH, 12.0], color, 0.45),
                Sign::Triangle => triangle(svg, [x + SIGN_WIDTH - 6.0, y + 5.0]),
            }
            svg.text([x + SIGN_WIDTH + 7.0, y + 4.0], Anchor::Start, LABEL, text);
            x += entry_width(text);
        }
    }
}

/// Of a legend's sign, and between two entries.
const SIGN_WIDTH: f64 = 24.0;
const ENTRY_GAP: f64 = 24.0;

/// Room for an entry of a legend; its letters are 7.3 pixels wide on average.
fn entry_width(text: &str) -> f64 {
    SIGN_WIDTH + 7.0 + text.len() as f64 * 7.3 + ENTRY_GAP
}

/// A small triangle that points down to `tip`.
fn triangle(svg: &mut Svg, tip: [f64; 2]) {
    let [x, y] = tip;
    svg.area(&[[x - 4.5, y - 9.0], [x + 4.5, y - 9.0], [x, y]], VERMILION, 0.9);
}

/// Points joined as stairs: a value holds until the next sample.
fn stairs(points: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    let mut stairs: Vec<[f64; 2]> = Vec::new();
    for [x, y] in points {
        if let Some(&[_, before]) = stairs.last() {
            stairs.push([x, before]);
        }
        stairs.push([x, y]);
    }
    stairs
}

/// The outline of the area between `points` and the line at `bottom`.
fn closed(points: &[[f64; 2]], bottom: f64) -> Vec<[f64; 2]> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let mut outline = vec![[first[0], bottom]];
    outline.extend_from_slice(points);
    outline.push([last[0], bottom]);
    outline
}

#[cfg(test)]
mod tests;
