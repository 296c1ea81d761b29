//! How column names and values appear in messages: short, on one line, the nearest first.

const MAX_SHOWN_CHARS: usize = 60;
const MAX_LISTED: usize = 20;

/// `text` in double quotes, escaped and cut to a length that fits a message.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The names in quotes, with commas, and how many more there are after the first 20.
pub(crate) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_LISTED).map(|name| quoted(name)).collect();
    let rest = names.len().saturating_sub(MAX_LISTED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    shown.join(", ") + &more
}

/// At most 20 of `names`: all of them in order if they are that few, else those nearest to `wanted`.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = names.collect();
    if names.len() > MAX_LISTED {
        names.sort_by_cached_key(|name| edit_distance(wanted, name));
        names.truncate(MAX_LISTED);
    }
    names.into_iter().map(str::to_string).collect()
}

/// Levenshtein's distance of the first characters, without regard to case.
fn edit_distance(a: &str, b: &str) -> usize {
    let lower = |text: &str| -> Vec<char> {
        text.chars().take(MAX_SHOWN_CHARS).flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (lower(a), lower(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein() {
        for (a, b, distance) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("Age", "age", 0)] {
            assert_eq!(edit_distance(a, b), distance);
            assert_eq!(edit_distance(b, a), distance);
        }
    }

    #[test]
    fn lists_are_short_and_near() {
        let names: Vec<String> = (0..1000).map(|i| format!("feature_{i}")).collect();
        let near = nearest("Feature_500x", names.iter().map(String::as_str));
        assert_eq!((near.len(), near[0].as_str()), (20, "feature_500"));
        assert!(listed(&names).ends_with("\"feature_19\" and 980 more"));
        assert_eq!(quoted("a\n\"b\""), r#""a\n\"b\"""#);
        assert_eq!(quoted(&"é".repeat(61)), format!("\"{}\"…", "é".repeat(60)));
    }
}
