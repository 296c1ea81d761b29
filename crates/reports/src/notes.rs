//! What to know of how a table was read, as a section of a page.

use crate::page::escaped;
use weightsmith_evaluation::Note;

/// A list of the notes, warnings first; nothing where there is none.
pub(crate) fn notes(notes: &[Note]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let (warnings, others): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|note| note.is_warning());
    let item = |note: &&Note| {
        let text = escaped(&note.to_string());
        if note.is_warning() { format!("<li><b>{text}</b></li>\n") } else { format!("<li>{text}</li>\n") }
    };
    let items: String = warnings.iter().chain(&others).map(item).collect();
    format!("<h2>How the table was read</h2>\n<ul>\n{items}</ul>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_come_first_and_names_are_escaped() {
        let constant = Note::Constant { columns: vec!["<b>".into()] };
        let copies = Note::CopiesAcross { n_query: 10, n_copies: 2 };
        let page = notes(&[constant, copies]);
        assert!(page.find("copies").unwrap() < page.find("&lt;b&gt;").unwrap(), "{page}");
        assert!(!page.contains("<b>\""), "{page}");
        assert_eq!(notes(&[]), "");
    }
}
