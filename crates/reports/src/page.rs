//! A page that needs nothing but itself.

use super::picture::PICTURE_STYLE;
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c1c1e; --muted: #6b6b70; --rule: #e2e2e5;
  --accent: #0b6e99; --wash: #f5f7f8; }
@media (prefers-color-scheme: dark) { :root { --paper: #18181b; --ink: #e8e8ea; --muted: #a0a0a7; --rule: #34343a;
  --accent: #58b7e0; --wash: #212126; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 74rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: clamp(1.4rem, 3.4vw, 2rem); line-height: 1.2; letter-spacing: -0.01em; max-width: 44rem;
  margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 2.75rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 2rem 0 0.25rem; } h3 small { color: var(--muted); font-weight: 400; }
p, ul { max-width: 44rem; }
.answer { font-size: 1.1rem; }
.note, figcaption { color: var(--muted); font-size: 0.9rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 2rem 3rem;
  margin: 2rem 0; }
figure { margin: 0; } svg { display: block; width: 100%; max-width: 34rem; height: auto; }
.scroll { overflow-x: auto; margin: 0.5rem 0 1rem; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 0.4rem 0 0.4rem 1.5rem; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; color: var(--muted); cursor: pointer; }
th[aria-sort=ascending]::after { content: ' ↑'; } th[aria-sort=descending]::after { content: ' ↓'; } th:first-child,
td:first-child { text-align: left; padding-left: 0; }
td:has(.words), th:has(.words) { text-align: left; } .words { display: inline-block; min-width: 12rem; white-space: normal; }
td small { color: var(--muted); } tr.lead td { background: var(--wash); }
tr.lead td:first-child { color: var(--accent); font-weight: 600; }
dt { font-weight: 600; margin-top: 0.6rem; } dd { margin: 0; max-width: 44rem; }
code { font-size: 0.88em; overflow-wrap: anywhere; }
";

/// Tables are sorted by a click on a column's head; figures by their value, the rest by its text.
const SCRIPT: &str = "
for (const table of document.querySelectorAll('table')) {
  const body = table.tBodies[0];
  for (const head of table.tHead.rows[0].cells) {
    head.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = row => {
        const cell = row.cells[head.cellIndex];
        const figure = cell.querySelector('data');
        return figure ? Number(figure.value) : cell.textContent;
      };
      const order = (a, b) => typeof a === typeof b ? (a > b) - (a < b) : typeof a === 'number' ? -1 : 1;
      const rows = [...body.rows].sort((a, b) => order(key(a), key(b)) * (down ? -1 : 1));
      body.append(...rows);
    });
  }
}
";

/// The head of a column of words.
pub(super) const WORDS: &str = "<span class=\"words\">what it is</span>";

/// Pixels around a picture that is a file of its own.
const MARGIN: u32 = 20;

/// Text that a page shows as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A whole page; `title` is text, `body` HTML.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}{PICTURE_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        escaped(title)
    )
}

/// A figure as people read it, with its exact value and its place in the JSON beside the page (a JSON pointer), so that
/// the two can be checked against each other.
pub(super) fn figure(pointer: &str, value: f64, text: &str) -> String {
    format!("<data value=\"{value}\" data-pointer=\"{}\">{}</data>", escaped(pointer), escaped(text))
}

/// A table of HTML cells; the row at `lead` is set apart.
pub(super) fn table(header: &[String], rows: &[Vec<String>], lead: Option<usize>) -> String {
    let mut out = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
    header.iter().for_each(|cell| push(&mut out, format_args!("<th>{cell}</th>")));
    out.push_str("</tr></thead>\n<tbody>\n");
    for (idx, row) in rows.iter().enumerate() {
        out.push_str(if lead == Some(idx) { "<tr class=\"lead\">" } else { "<tr>" });
        row.iter().for_each(|cell| push(&mut out, format_args!("<td>{cell}</td>")));
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Pictures side by side where there is room. The text stands for a picture where it cannot be seen.
pub(super) fn pictures(pictures: &[(String, String)]) -> String {
    let mut out = String::from("<div class=\"pictures\">\n");
    for (text, svg) in pictures {
        let labelled =
            svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(text)), 1);
        push(&mut out, format_args!("<figure>{labelled}</figure>\n"));
    }
    out.push_str("</div>\n");
    out
}

/// A picture of this size as a file of its own, with a margin and the rules for dark screens.
pub(super) fn standalone(svg: &str, (width, height): (u32, u32)) -> String {
    let content = svg.find('>').map_or(svg, |end| &svg[end + 1..]);
    let (width, height) = (width + 2 * MARGIN, height + 2 * MARGIN);
    let paper =
        "svg { background: #ffffff; } @media (prefers-color-scheme: dark) { svg { background: #18181b; } }";
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"-{MARGIN} -{MARGIN} {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<style>{paper}{PICTURE_STYLE}</style>{content}"
    )
}

/// Appends formatted text.
pub(super) fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escaped("<b>&\"'é"), "&lt;b&gt;&amp;&quot;&#39;é");
        let page = page("<script>", &table(&["a".into()], &[vec![escaped("</table>")]], Some(0)));
        // The page has one script and one table of its own.
        assert_eq!((page.matches("<script>").count(), page.matches("</table>").count()), (1, 1));
    }
}
