//! What to know of how a table was read, as a section of a page.

use maud::{Markup, html};
use weightsmith_evaluation::Note;

/// A list of the notes, warnings first; nothing where there is none.
pub(crate) fn notes(notes: &[Note]) -> Markup {
    let (warnings, others): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|note| note.is_warning());
    html! {
        @if !notes.is_empty() {
            h2 { "How the table was read" }
            ul {
                @for note in warnings { li { b { (note.to_string()) } } }
                @for note in others { li { (note.to_string()) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_come_first_and_names_are_escaped() {
        let constant = Note::Constant { columns: vec!["<b>".into()] };
        let copies = Note::CopiesAcross { n_query: 10, n_copies: 2 };
        let page = notes(&[constant, copies]).into_string();
        assert!(page.find("copies").unwrap() < page.find("&lt;b&gt;").unwrap(), "{page}");
        assert!(!page.contains("<b>\""), "{page}");
        assert_eq!(notes(&[]).into_string(), "");
    }
}
