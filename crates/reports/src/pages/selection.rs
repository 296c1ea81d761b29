//! Which rows of a table are learned from.

use crate::charts::{Chart, Ink, Side};
use crate::page::{Page, VERSION, column, count, dash, figure, notes, side_by_side, table, text, words};
use maud::{Markup, html};
use serde::Serialize;
use weightsmith_evaluation::Note;
use weightsmith_selection::{ChosenColumns, JudgedColumn, SelectedRow, Selection, Standing};

/// Rows that are shown first.
const N_WORTH_A_LOOK: usize = 10;
/// Rows of the list of those that are doubtful or dropped; the JSON has them all.
const MOST_LISTED: usize = 300;

/// The rows of a table, judged, as a page.
#[derive(Clone, Debug, Serialize)]
pub struct SelectionReport<'a> {
    /// The table.
    pub name: &'a str,
    /// The column that is predicted.
    pub target: &'a str,
    /// What was found.
    pub selection: &'a Selection,
    /// What became of every column.
    pub columns: &'a ChosenColumns,
    /// What rows are called, where a column names them.
    pub ids: &'a [String],
    /// What to know of how the rows were read.
    pub notes: &'a [Note],
}

const N_BINS: usize = 20;
const WIDTH: i32 = 440;
const TOP: i32 = 74;
const BOTTOM: i32 = 210;
const LEFT: i32 = 34;

fn ink(standing: Standing) -> Ink {
    match standing {
        Standing::Kept => Ink::Accent,
        Standing::Doubtful => Ink::Second,
        Standing::Dropped => Ink::Fifth,
    }
}

fn name_of(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "kept",
        Standing::Doubtful => "doubtful",
        Standing::Dropped => "dropped",
    }
}

const STANDINGS: [Standing; 3] = [Standing::Kept, Standing::Doubtful, Standing::Dropped];

impl Page for SelectionReport<'_> {
    fn title(&self) -> String {
        format!("{}: which rows and columns to learn from", self.name)
    }

    fn question(&self) -> &'static str {
        "Which of these rows should be learned from?"
    }

    fn pictures(&self) -> Vec<Chart> {
        vec![self.picture()]
    }

    fn body(&self) -> Markup {
        let selection = self.selection;
        let listed: Vec<(usize, &SelectedRow)> =
            selection.rows.iter().enumerate().filter(|(_, row)| row.standing != Standing::Kept).collect();
        let worth = selection.most_suspicious(N_WORTH_A_LOOK);
        let worth: Vec<(usize, &SelectedRow)> = worth.into_iter().map(|row| (row.row - 1, row)).collect();
        html! {
            p.answer { (self.answer()) }
            (side_by_side(&self.pictures()))
            (notes(self.notes))
            @if !worth.is_empty() {
                h2 { "The rows most worth a look" }
                p { "Look at these first: a wrong label that is mended is worth more than a row that is dropped." }
                (self.rows(&worth))
            }
            @if listed.len() > worth.len() {
                h2 { "All that are doubtful or dropped" }
                @if listed.len() > MOST_LISTED {
                    p { "The first " (MOST_LISTED) "; the JSON beside this page has them all." }
                }
                (self.rows(&listed[..listed.len().min(MOST_LISTED)]))
            }
            h2 { "The columns" }
            (self.columns_table())
            h2 { "How this was found" }
            p.note {
                "Each row is described by where it lies among the others (its class's centre, its nearest rows, its leverage) and by what \
                 models that were fitted without it make of it (margins, losses along a training, its exact value for a solved last \
                 layer). A small network, trained on synthetic tables whose impure rows are known, makes probabilities of that. A row is \
                 dropped from a probability of "
                (threshold("/selection/threshold", selection.threshold))
                " for a wrong label on, and doubtful from 0.6 times that, from 0.7 for another origin, or where models fitted without it prefer another class by 0.4 of a whole vote; nothing is dropped for its origin alone, \
                 since that made predictions worse. Of every class two rows stay. Where classes overlap, right labels \
                 look wrong: nothing here replaces a look at the rows. Numbers are judged by how far they are from what two models say that were solved without \
                 the row, beside how far off right numbers are: a mixture of both kinds, whose share is fitted. The figures are in a JSON file beside this page. weightsmith "
                (VERSION) "."
            }
        }
    }
}

/// A threshold; above 1 nothing is dropped for it.
fn threshold(pointer: &str, value: f64) -> Markup {
    if value > 1.0 { text("never") } else { figure(pointer, value, format!("{value:.2}")) }
}

impl SelectionReport<'_> {
    fn answer(&self) -> Markup {
        let selection = self.selection;
        let [kept, doubtful, dropped] = STANDINGS.map(|standing| selection.count(standing));
        html! {
            "Of " b { (selection.rows.len()) } " rows of " b { (self.name) } ", predicting " b { (self.target) } ", "
            b { (kept) } " are kept, " b { (doubtful) } " are doubtful and kept too, and " b { (dropped) } " are dropped. "
            @if selection.n_clean == 0 {
                "They were judged by the table alone; some 32 rows known to be clean (--clean) would tell more."
            } @else {
                "They were judged with " (count("/selection/n_clean", selection.n_clean)) " rows known to be clean."
            }
        }
    }

    fn columns_table(&self) -> Markup {
        let ChosenColumns { judged, likely, level, share, trial } = self.columns;
        let mut order: Vec<(usize, &JudgedColumn)> = judged.columns.iter().enumerate().collect();
        order.sort_by(|a, b| a.1.irrelevant.total_cmp(&b.1.irrelevant));
        let chance = |pointer: String, value: Option<f64>| {
            value.map_or_else(dash, |value| figure(pointer, value, format!("{value:.3}")))
        };
        let cells = |&(at, column): &(usize, &JudgedColumn)| {
            let pointer = |key: &str| format!("/columns/judged/columns/{at}/{key}");
            let worth = column.held_out.map(|worth| worth.increase);
            vec![
                text(&column.column),
                text(if likely.contains(&at) { "useful" } else { "likely of no use" }),
                figure(
                    pointer("irrelevant"),
                    column.irrelevant,
                    format!("{:.0} %", 100.0 * column.irrelevant),
                ),
                chance(pointer("alone"), Some(column.alone)),
                chance(pointer("curved"), column.curved),
                chance(pointer("paired"), column.paired),
                figure(pointer("without"), column.without, format!("{:+.1} %", 100.0 * column.without)),
                worth.map_or_else(dash, |worth| {
                    figure(pointer("held_out/increase"), worth, format!("{worth:+.4}"))
                }),
                text(&column.reason),
            ]
        };
        let listed = &order[..order.len().min(MOST_LISTED)];
        let cells: Vec<Vec<Markup>> = listed.iter().map(cells).collect();
        let heads = [
            column("column"),
            column("standing"),
            column("of no use"),
            column("chance alone"),
            column("chance curved"),
            column("chance in a product"),
            column("error without"),
            column("worth held out"),
            words("what speaks for it"),
        ];
        html! {
            p {
                b { (judged.columns.len() - likely.len()) } " of " b { (judged.columns.len()) } " columns are likely of no use. "
                @match trial {
                    Some(trial) => {
                        "Where columns were judged and chosen on three quarters of the rows, networks without such columns had a loss of "
                        (figure("/columns/trial/chosen", trial.chosen, format!("{:.4}", trial.chosen)))
                        " on the others, from all columns " (figure("/columns/trial/all", trial.all, format!("{:.4}", trial.all)))
                        ": generate --select columns gives a network without them "
                        (figure("/columns/share", *share, format!("{:.0} %", 100.0 * share)))
                        " of the output, and one that reads all columns the rest. At 100 % the columns are left out."
                    }
                    None => "There is nothing to leave out, or rows are too few to tell whether that pays: all are read."
                }
            }
            (table(&heads, &cells, None))
            p.note {
                "A chance is the probability that a column of noise says as much: as a slope or by differences between levels (alone), by its curvature, "
                "and by its strongest product with another column. Error without: what the squared error of rows left out of a linear model "
                "rises by once the model is solved without the column. Worth held out: what the loss of networks on rows that "
                "they were not made from rises by once the column is shuffled. All but the error without are joined into the "
                "probability of no use (a local false discovery rate), and columns are left out from "
                (figure("/columns/level", *level, format!("{level:.1}"))) " on, as far as that pays."
            }
        }
    }

    /// How many rows there are of each probability that something is wrong, by standing.
    fn picture(&self) -> Chart {
        // Of each bin the rows of each standing.
        let mut bins = [[0usize; 3]; N_BINS];
        for row in &self.selection.rows {
            let bin = ((row.impure * N_BINS as f64) as usize).min(N_BINS - 1);
            bins[bin][row.standing as usize] += 1;
        }
        let highest = bins.iter().map(|bin| bin.iter().sum()).max().unwrap_or(0).max(1);
        let title = "How likely something is wrong with a row";
        let mut chart = Chart::new(title, "rows by probability", (WIDTH, BOTTOM + 44));
        let counts = STANDINGS.map(|standing| (standing, self.selection.count(standing)));
        let told = counts.map(|(standing, n)| format!("{n} {}", name_of(standing)));
        chart.told = format!("{title}: {}", told.join(", "));
        let mut x = 0;
        for (standing, n) in counts {
            let label = format!("{n} {}", name_of(standing));
            chart.dot((x + 5, 52), 4, ink(standing), 1.0, None);
            chart.text((x + 14, 52), Side::Right, (12, ink(standing), false), &label);
            x += 110;
        }
        let step = (WIDTH - LEFT) / N_BINS as i32;
        let place = |n: usize| BOTTOM - ((BOTTOM - TOP) as f64 * n as f64 / highest as f64).round() as i32;
        for (n, label) in [(0, "0".to_string()), (highest, highest.to_string())] {
            chart.line(&[(LEFT, place(n)), (WIDTH, place(n))], Ink::Rule, 1);
            chart.text((LEFT - 6, place(n)), Side::Left, (12, Ink::Muted, false), &label);
        }
        for (idx, bin) in (0..).zip(&bins) {
            let x = LEFT + step * idx + step / 2;
            let mut below = 0;
            for (standing, n) in STANDINGS.into_iter().zip(bin).filter(|(_, n)| **n > 0) {
                chart.line(&[(x, place(below)), (x, place(below + n))], ink(standing), step - 3);
                below += n;
            }
        }
        for (share, label) in [(0, "0"), (1, "0.5"), (2, "1")] {
            let x = LEFT + step * N_BINS as i32 * share / 2;
            let side = if share == 2 { Side::Left } else { Side::Centre };
            chart.text((x, BOTTOM + 16), side, (12, Ink::Muted, false), label);
        }
        chart
    }

    fn rows(&self, rows: &[(usize, &SelectedRow)]) -> Markup {
        let cells = |(idx, row): &(usize, &SelectedRow)| {
            let pointer = format!("/selection/rows/{idx}");
            let percent = |key: &str, value: f64| {
                figure(format_args!("{pointer}/{key}"), value, format!("{:.0} %", 100.0 * value))
            };
            vec![
                match self.ids.get(*idx) {
                    Some(id) => text(id),
                    None => count(format_args!("{pointer}/row"), row.row),
                },
                text(&row.label),
                row.looks_like.as_ref().map_or_else(dash, text),
                text(name_of(row.standing)),
                percent("wrong", row.wrong),
                percent("foreign", row.foreign),
                percent("contradiction", row.contradiction),
                figure(format_args!("{pointer}/weight"), row.weight, format!("{:.2}", row.weight)),
                text(row.reasons.join("; ")),
            ]
        };
        let cells: Vec<Vec<Markup>> = rows.iter().map(cells).collect();
        let columns = [
            column("row"),
            column("label"),
            column("looks like"),
            column("standing"),
            column("label wrong"),
            column("other origin"),
            column("contradicted"),
            column("weight"),
            words("why"),
        ];
        table(&columns, &cells, None)
    }
}
