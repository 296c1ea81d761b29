//! What all pages share: one file that needs nothing but itself, its tables, its figures, and how it is written.

mod notes;

pub(crate) use notes::notes;

use crate::charts::{Chart, chart_style, standalone};
use crate::error::ReportError;
use maud::{DOCTYPE, Markup, PreEscaped, display, html};
use serde::Serialize;
use std::fmt::Display;
use std::path::Path;
use weightsmith_runtime::write_output;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/sort.js");
/// Of the program that writes the pages.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Characters of a checksum that tell files apart for a reader.
const N_CHECKSUM: usize = 12;

/// A report as a page. Its serialised form is the JSON beside the page, and holds every figure that the page shows.
pub trait Page: Serialize {
    /// What a browser's tab shows.
    fn title(&self) -> String;
    /// What the page answers, as its heading.
    fn question(&self) -> &'static str;
    /// Everything below the heading.
    fn body(&self) -> Markup;
    /// The pictures that make up a report of pictures alone.
    fn pictures(&self) -> Vec<Chart>;
}

/// What a report is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page with its pictures, without anything from outside.
    Html,
    /// The pictures alone.
    Svg,
}

impl ReportFormat {
    /// By the extension of the file.
    ///
    /// # Errors
    /// Any other extension.
    pub fn of(path: &Path) -> Result<Self, ReportError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("svg") => Ok(Self::Svg),
            _ => Err(ReportError::ReportFormat { path: path.into() }),
        }
    }
}

/// Writes a report in the format that the file's extension names; beside a page goes a file of the same name that ends
/// in `.json`, with every figure.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
///
/// # Panics
/// Never: reports are plain data.
pub fn write(page: &impl Page, path: &Path) -> Result<(), ReportError> {
    match ReportFormat::of(path)? {
        ReportFormat::Svg => write_output(path, standalone(&page.pictures()).as_bytes())?,
        ReportFormat::Html => {
            write_output(path, document(page).into_string().as_bytes())?;
            let json = serde_json::to_vec_pretty(page).expect("reports are plain data");
            write_output(&path.with_extension("json"), &json)?;
        }
    }
    Ok(())
}

/// A report as the text of a page, for whoever shows it without a file.
pub fn html(page: &impl Page) -> String {
    document(page).into_string()
}

fn document(page: &impl Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (page.title()) }
                style { (PreEscaped(STYLE)) (PreEscaped(chart_style())) }
            }
            body {
                main { h1 { (page.question()) } (page.body()) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// A figure as people read it, with its exact value and its place in the JSON beside the page (a JSON pointer), so that
/// the two can be checked against each other.
pub(crate) fn figure(pointer: impl Display, value: f64, text: impl Display) -> Markup {
    html! { data value=(display(value)) data-pointer=(display(pointer)) { (display(text)) } }
}

/// The same of a count.
pub(crate) fn count(pointer: impl Display, n: usize) -> Markup {
    figure(pointer, n as f64, n)
}

/// What stands where there is no figure.
pub(crate) fn dash() -> Markup {
    text("–")
}

/// Text as a cell of a table.
pub(crate) fn text(text: impl Display) -> Markup {
    html! { (display(text)) }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    name: String,
    is_words: bool,
}

/// A column of figures or names.
pub(crate) fn column(name: impl Display) -> Column {
    Column { name: name.to_string(), is_words: false }
}

/// A column of sentences, which may take more than one line.
pub(crate) fn words(name: &str) -> Column {
    Column { name: name.to_string(), is_words: true }
}

/// A table that can be sorted, and scrolls where the screen is narrow; the row at `lead` is set apart.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Markup>], lead: Option<usize>) -> Markup {
    let class = |column: &Column| column.is_words.then_some("words");
    html! {
        div.scroll role="region" aria-label="table" {
            table {
                thead { tr {
                    @for column in columns {
                        th scope="col" class=[class(column)] { button type="button" { (column.name) } }
                    }
                } }
                tbody {
                    @for (idx, row) in rows.iter().enumerate() {
                        tr class=[(lead == Some(idx)).then_some("lead")] {
                            @for (cell, column) in row.iter().zip(columns) { td class=[class(column)] { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// Pictures side by side where there is room.
pub(crate) fn side_by_side(charts: &[Chart]) -> Markup {
    html! {
        @if !charts.is_empty() {
            div.pictures { @for chart in charts { figure { (chart.inline()) } } }
        }
    }
}

/// The first characters of a checksum.
pub(crate) fn checksum(checksum: &str) -> Markup {
    html! { code { (checksum.get(..N_CHECKSUM).unwrap_or(checksum)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Hostile(&'static str);

    impl Page for Hostile {
        fn title(&self) -> String {
            self.0.into()
        }

        fn question(&self) -> &'static str {
            "What?"
        }

        fn body(&self) -> Markup {
            let cell = figure(self.0, 0.5, self.0);
            html! {
                p { (self.0) }
                (table(&[column(self.0), words(self.0)], &[vec![cell, text(self.0)]], Some(0)))
                (side_by_side(&self.pictures()))
            }
        }

        fn pictures(&self) -> Vec<Chart> {
            let mut chart = Chart::new(self.0, self.0, (100, 100));
            chart.told = self.0.into();
            vec![chart]
        }
    }

    #[test]
    fn names_cannot_become_markup() {
        for hostile in
            ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</table></style>&amp;"]
        {
            let html = document(&Hostile(hostile)).into_string();
            // The page has one script, one style and one table of its own, and no image.
            let n = |part: &str| html.matches(part).count();
            assert_eq!((n("<script>"), n("</style>"), n("</table>"), n("<img")), (1, 1, 1, 0), "{html}");
            assert!(!html.contains("=\"\"><"), "{html}");
            assert!(!standalone(&Hostile(hostile).pictures()).contains(hostile));
        }
    }

    #[test]
    fn a_report_is_a_page_or_pictures() {
        let format = |name: &str| ReportFormat::of(Path::new(name)).ok();
        let expected = [Some(ReportFormat::Html), Some(ReportFormat::Svg), None, None];
        assert_eq!(["a.HTML", "a.svg", "a.pdf", "a"].map(format), expected);
    }
}
