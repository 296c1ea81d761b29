//! A picture of two models over tables, a dot a table.

use super::page::{escaped, push};
use super::picture::{ACCENT, Canvas, IN_MEMORY, INK, MUTED, SECOND, Side, drawn, write};
use super::square::{SIZE, Square};
use plotters::prelude::{Circle, Color, RGBColor};
use std::cmp::Ordering;

/// One table.
#[derive(Clone, Debug)]
pub(super) struct TableDot {
    pub(super) name: String,
    /// Of the model along the axis to the right, and of the one along the axis upwards.
    pub(super) values: (f64, f64),
    /// How the model upwards compares: less is better.
    pub(super) order: Ordering,
}

/// The whole picture.
pub(super) struct ScatterPlot {
    pub(super) title: String,
    /// Where the better tables are.
    pub(super) hint: String,
    /// The names along the axis to the right and the one upwards.
    pub(super) labels: (String, String),
    pub(super) tables: Vec<TableDot>,
}

impl ScatterPlot {
    /// What it says in words.
    pub(super) fn text(&self) -> String {
        let (right, up) = &self.labels;
        format!("{}: {up} against {right}, {}", self.title, self.counts())
    }

    fn counts(&self) -> String {
        let count = |wanted: Ordering| self.tables.iter().filter(|table| table.order == wanted).count();
        let [wins, ties, losses] = [Ordering::Less, Ordering::Equal, Ordering::Greater].map(count);
        format!("{} tables: {wins} won, {ties} tied, {losses} lost", self.tables.len())
    }

    /// The picture by itself, in which every dot tells the name of its table.
    pub(super) fn alone(&self) -> String {
        let svg = drawn(SIZE, |canvas| self.draw(canvas, 0));
        let mut tables = self.tables.iter();
        let mut out = String::with_capacity(svg.len() * 2);
        for piece in svg.split_inclusive("/>") {
            match piece.strip_suffix("/>") {
                Some(open)
                    if open.contains("<circle ")
                        && let Some(table) = tables.next() =>
                {
                    let (right, up) = table.values;
                    let name = escaped(&table.name);
                    push(
                        &mut out,
                        format_args!("{open}><title>{name}: {up:.4}, {right:.4}</title></circle>"),
                    );
                }
                _ => out.push_str(piece),
            }
        }
        out
    }

    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let values: Vec<f64> =
            self.tables.iter().flat_map(|table| [table.values.0, table.values.1]).collect();
        let square = Square::of(&values, top);

        write(canvas, &self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, &self.counts(), (0, top + 34), Side::Right, (12, INK, false));
        write(canvas, &self.hint, (SIZE.0 as i32, top + 34), Side::Left, (12, MUTED, false));
        square.draw(canvas);
        write(canvas, &format!("{} ↑", self.labels.1), (0, top + 58), Side::Right, (12, ACCENT, true));
        write(
            canvas,
            &format!("{} →", self.labels.0),
            (square.right, square.bottom + 34),
            Side::Left,
            (12, INK, true),
        );
        for table in &self.tables {
            let colour: RGBColor = match table.order {
                Ordering::Less => ACCENT,
                Ordering::Equal => INK,
                Ordering::Greater => SECOND,
            };
            let at = square.at(table.values.0, table.values.1);
            canvas.draw(&Circle::new(at, 4, colour.mix(0.75).filled())).expect(IN_MEMORY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::square::{LEFT, SIDE, TOP};

    #[test]
    fn every_dot_tells_its_table() {
        let dot = |name: &str, values: (f64, f64), order| TableDot { name: name.into(), values, order };
        let plot = ScatterPlot {
            title: "AUC".into(),
            hint: String::new(),
            labels: ("forest".into(), "generated".into()),
            tables: vec![
                dot("a<b", (0.5, 0.75), Ordering::Less),
                dot("c", (0.9, 0.8), Ordering::Greater),
                dot("d", (0.6, 0.6), Ordering::Equal),
            ],
        };
        let svg = plot.alone();
        assert_eq!((svg.matches("<circle").count(), svg.matches("</title></circle>").count()), (3, 3));
        assert!(svg.contains("<title>a&lt;b: 0.7500, 0.5000</title>"), "{svg}");
        assert!(svg.contains("3 tables: 1 won, 1 tied, 1 lost") && svg.ends_with("</svg>\n"), "{svg}");
        // On the diagonal, to a pixel: as far from the left as from the bottom.
        let third = svg.split("<circle ").nth(3).unwrap();
        let number = |key: &str| -> i32 {
            third.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        assert_eq!(number("cx") - LEFT, TOP + SIDE - number("cy"));
    }
}
