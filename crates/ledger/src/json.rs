//! Named values as the text of one flat JSON object, which the database can look into.
//!
//! Written in the shortest digits that give the same number again. Read here, and not by `serde_json`, because its
//! numbers may differ in the last bit.

use crate::record::{Named, Value};

pub(crate) fn to_json(named: &Named) -> String {
    serde_json::to_string(named).expect("texts and finite numbers are JSON")
}

/// The values of a text that [`to_json`] wrote; none for any other text.
pub(crate) fn from_json(text: &str) -> Option<Named> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut named = Named::new();
    while !rest.is_empty() {
        if !named.is_empty() {
            rest = rest.strip_prefix(',')?;
        }
        let (name, after) = string(rest)?;
        rest = after.strip_prefix(':')?;
        let value = if rest.starts_with('"') {
            let (text, after) = string(rest)?;
            rest = after;
            Value::Text(text)
        } else {
            let (number, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            rest = after;
            Value::Number(number.parse().ok().filter(|number: &f64| number.is_finite())?)
        };
        named.insert(name, value);
    }
    Some(named)
}

/// A quoted string at the beginning, and what follows.
fn string(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    let ends = |byte: u8| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    };
    let n_inside = text.strip_prefix('"')?.bytes().position(ends)?;
    let (quoted, after) = text.split_at(n_inside + 2);
    Some((serde_json::from_str(quoted).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let texts = ["", "a, \"b\": 1}", "\\", "\\\"", "🦀\u{0}\n", "1e9"];
        let numbers =
            [0.1 + 0.2, -1.0, 5e-324, f64::MAX, 1e21, 123_456_789.123_456_78, 2.225_073_858_507_201e-308];
        let mut named = Named::new();
        assert_eq!(from_json(&to_json(&named)), Some(named.clone()));
        for (idx, text) in texts.iter().enumerate() {
            named.insert(format!("{text}{idx}"), Value::from(*text));
        }
        for number in numbers {
            named.insert(number.to_string(), Value::Number(number));
        }
        assert_eq!(from_json(&to_json(&named)), Some(named));
    }

    #[test]
    fn other_texts_are_none() {
        for bad in [
            "",
            "{",
            "[]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":null}",
            "{\"a\":1e999}",
            "{\"a\":1\"b\":2}",
            "{\"a",
        ] {
            assert_eq!(from_json(bad), None, "{bad}");
        }
    }
}
