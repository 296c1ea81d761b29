//! Pictures as SVG: colours, letters, lines and dots, and how a picture goes on a page or into a file of its own.
//!
//! Pictures have the colours of a light page; where the reader's screen is dark, a style sheet exchanges each for that of
//! a dark one.

mod axis;
mod dots;
mod frame;
mod lines;
mod plane;
mod ranks;
mod scatter;
mod tree;

pub(crate) use dots::{Dot, DotPlot};
pub(crate) use lines::{Across, Line, LineKind, LinePlot, around_ends};
pub(crate) use plane::plane;
pub(crate) use ranks::{RankPlot, Ranked};
pub(crate) use scatter::{ScatterPlot, Spot};
pub(crate) use tree::{Leaf, TreePlot};

use maud::{Markup, PreEscaped, html};

/// A picture that reaches as far as its values.
pub(crate) const NO_LIMITS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
/// Narrow enough that letters stay readable on a phone.
pub(crate) const WIDTH: i32 = 440;
/// Pixels that a letter of a label takes at most.
const LETTER: f64 = 7.2;
/// Pixels around and between pictures that share a file.
const MARGIN: i32 = 24;

/// A colour by what it is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text and lines that stand by themselves.
    Text,
    /// What explains.
    Muted,
    /// Grids.
    Rule,
    /// What the page is about.
    Accent,
    Second,
    Third,
    Fourth,
    Fifth,
}

impl Ink {
    const ALL: [Self; 8] = [
        Self::Text,
        Self::Muted,
        Self::Rule,
        Self::Accent,
        Self::Second,
        Self::Third,
        Self::Fourth,
        Self::Fifth,
    ];
    /// Of lines that stand for equals, in this order.
    pub(crate) const LINES: [Self; 6] =
        [Self::Accent, Self::Second, Self::Third, Self::Fourth, Self::Fifth, Self::Text];

    /// On a light page, and on a dark one.
    fn colours(self) -> [&'static str; 2] {
        match self {
            Self::Text => ["#1c1c1e", "#e8e8ea"],
            Self::Muted => ["#6b6b70", "#a0a0a7"],
            Self::Rule => ["#e2e2e5", "#34343a"],
            Self::Accent => ["#0b6e99", "#58b7e0"],
            Self::Second => ["#b45309", "#e8a15a"],
            Self::Third => ["#4d7c0f", "#a3c763"],
            Self::Fourth => ["#7e3ac4", "#c4a1f5"],
            Self::Fifth => ["#be185d", "#f48fb8"],
        }
    }

    fn light(self) -> &'static str {
        self.colours()[0]
    }
}

/// The rules that give pictures the page's letters, and turn them dark where the reader's screen is.
pub(crate) fn chart_style() -> String {
    let mut dark = String::new();
    for [light, other] in Ink::ALL.map(Ink::colours) {
        dark += &format!(
            "svg [fill='{light}'] {{ fill: {other}; }} svg [stroke='{light}'] {{ stroke: {other}; }}\n"
        );
    }
    format!(
        "svg text {{ font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-variant-numeric: \
         tabular-nums; }}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
    )
}

/// Where text stands relative to its point, vertically centred.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Right,
    Left,
    Centre,
}

/// How letters look: their height in pixels, their colour, and whether they are bold.
pub(crate) type Letters = (i32, Ink, bool);

/// Letters of ticks and of what explains.
const SMALL: Letters = (12, Ink::Muted, false);

/// One picture.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it says in words, for readers who cannot see it.
    pub(crate) told: String,
    width: i32,
    height: i32,
    marks: String,
}

impl Chart {
    /// An empty picture with its title, and at the right what a reader looks for, such as "less is better".
    pub(crate) fn new(title: &str, hint: &str, (width, height): (i32, i32)) -> Self {
        let mut chart = Self { told: title.to_string(), width, height, marks: String::new() };
        chart.text((0, 14), Side::Right, (15, Ink::Text, true), title);
        // Beside a long title there is no room for it.
        let room = f64::from(width) - 1.25 * LETTER * title.chars().count() as f64;
        let y = if room < LETTER * hint.chars().count() as f64 { 33 } else { 14 };
        let (x, side) = if y == 14 { (width, Side::Left) } else { (0, Side::Right) };
        chart.text((x, y), side, (13, Ink::Muted, false), hint);
        chart
    }

    fn add(&mut self, mark: Markup) {
        self.marks.push_str(&mark.into_string());
        self.marks.push('\n');
    }

    pub(crate) fn text(&mut self, (x, y): (i32, i32), side: Side, (size, ink, is_bold): Letters, text: &str) {
        let anchor = match side {
            Side::Right => "start",
            Side::Left => "end",
            Side::Centre => "middle",
        };
        let weight = is_bold.then_some("bold");
        self.add(html! {
            text x=(x) y=(y) dy="0.35em" text-anchor=(anchor) font-size=(size) font-weight=[weight] fill=(ink.light()) {
                (text)
            }
        });
    }

    /// Straight pieces from point to point.
    pub(crate) fn line(&mut self, points: &[(i32, i32)], ink: Ink, width: i32) {
        self.stroke(points, ink, width, None);
    }

    /// The same in dashes.
    pub(crate) fn dashed(&mut self, points: &[(i32, i32)], ink: Ink, width: i32) {
        self.stroke(points, ink, width, Some("5 5"));
    }

    fn stroke(&mut self, points: &[(i32, i32)], ink: Ink, width: i32, dashes: Option<&str>) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.add(html! {
            polyline points=(points.join(" ")) fill="none" stroke=(ink.light()) stroke-width=(width)
                stroke-dasharray=[dashes] {}
        });
    }

    /// A filled dot, which may tell what it is to whoever points at it.
    pub(crate) fn dot(
        &mut self,
        (x, y): (i32, i32),
        radius: i32,
        ink: Ink,
        opacity: f64,
        told: Option<&str>,
    ) {
        let opacity = (opacity < 1.0).then_some(maud::display(opacity));
        self.add(html! {
            circle cx=(x) cy=(y) r=(radius) fill=(ink.light()) fill-opacity=[opacity] {
                @if let Some(told) = told { title { (told) } }
            }
        });
    }

    /// A filled rectangle between two corners.
    fn area(&mut self, (left, top): (i32, i32), (right, bottom): (i32, i32), ink: Ink, opacity: f64) {
        self.add(html! {
            rect x=(left) y=(top) width=(right - left) height=(bottom - top) fill=(ink.light())
                fill-opacity=(format!("{opacity:.3}")) {}
        });
    }

    /// The picture as a part of a page.
    pub(crate) fn inline(&self) -> Markup {
        let view = format!("0 0 {} {}", self.width, self.height);
        html! {
            svg role="img" aria-label=(self.told) width=(self.width) height=(self.height) viewBox=(view)
                xmlns="http://www.w3.org/2000/svg" { (PreEscaped(&self.marks)) }
        }
    }
}

/// Pictures one below the other as a file of their own.
pub(crate) fn standalone(charts: &[Chart]) -> String {
    let width = charts.iter().map(|chart| chart.width).max().unwrap_or(0) + 2 * MARGIN;
    let mut height = MARGIN;
    let tops: Vec<i32> = charts
        .iter()
        .map(|chart| {
            let top = height;
            height += chart.height + MARGIN;
            top
        })
        .collect();
    let paper =
        "svg { background: #ffffff; } @media (prefers-color-scheme: dark) { svg { background: #18181b; } }";
    let svg = html! {
        svg width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) xmlns="http://www.w3.org/2000/svg" {
            style { (PreEscaped(paper)) (PreEscaped(chart_style())) }
            @for (chart, top) in charts.iter().zip(tops) {
                g transform=(format!("translate({MARGIN} {top})")) { (PreEscaped(&chart.marks)) }
            }
        }
    };
    svg.into_string()
}

/// Pixels that the longest of some labels takes.
fn room_for<'a>(labels: impl Iterator<Item = &'a str>) -> i32 {
    let longest = labels.map(|label| label.chars().count()).max().unwrap_or(0);
    (longest as f64 * LETTER).ceil() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_one_for_the_dark() {
        let mut all: Vec<&str> = Ink::ALL.into_iter().flat_map(Ink::colours).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16, "a style sheet cannot tell equal colours apart");
        assert_eq!(chart_style().matches("fill: ").count(), 8);
    }

    #[test]
    fn files_hold_their_pictures_one_below_the_other() {
        let chart = |title| Chart::new(title, "", (100, 50));
        let svg = standalone(&[chart("a"), chart("b < c")]);
        assert!(svg.contains("translate(24 24)") && svg.contains("translate(24 98)"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 148 172\"") && svg.contains("b &lt; c"), "{svg}");
    }
}
