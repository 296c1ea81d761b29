//! Numbers as people write them: with separators of thousands, a decimal comma, a currency sign, a percent sign, a minus that
//! is no hyphen. A column is read in one style, so that what a cell means does not depend on the cell alone.

/// Signs of currencies that may stand before or after a number.
const CURRENCIES: [char; 6] = ['$', '€', '£', '¥', '₹', '₩'];
/// What typesetters use for a minus: the minus sign and the en dash.
const MINUSES: [char; 2] = ['\u{2212}', '\u{2013}'];
/// What separates thousands besides the comma or the point: spaces that break or do not, and apostrophes.
const SPACERS: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'];

/// How the numbers of a column are written.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    /// The mark before decimals is a comma.
    pub(crate) decimal_comma: bool,
    /// Every number is followed by a percent sign.
    pub(crate) percent: bool,
    /// The currency sign of the column; numbers may lack it.
    pub(crate) currency: Option<char>,
}

/// One field taken apart.
struct Parts<'a> {
    negative: bool,
    currency: Option<char>,
    percent: bool,
    /// Digits, marks and separators.
    body: &'a str,
}

impl<'a> Parts<'a> {
    /// None if what is left besides the signs does not begin and end like a number.
    fn of(text: &'a str) -> Option<Self> {
        let (mut rest, mut negative, mut signed) = (text.trim(), false, false);
        let (mut currency, mut percent) = (None, false);
        // A sign and a currency, in either order, each at most once.
        while let Some(first) = rest.chars().next() {
            let is_minus = first == '-' || MINUSES.contains(&first);
            if (is_minus || first == '+') && !signed {
                (signed, negative) = (true, is_minus);
            } else if CURRENCIES.contains(&first) && currency.is_none() {
                currency = Some(first);
            } else {
                break;
            }
            rest = rest[first.len_utf8()..].trim_start();
        }
        while let Some(last) = rest.chars().next_back() {
            if last == '%' && !percent {
                percent = true;
            } else if CURRENCIES.contains(&last) && currency.is_none() {
                currency = Some(last);
            } else {
                break;
            }
            rest = rest[..rest.len() - last.len_utf8()].trim_end();
        }
        let is_body = |text: &str| {
            text.bytes().any(|byte| byte.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',' || SPACERS.contains(&c))
        };
        let is_plain = rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.')
            && rest.parse::<f64>().is_ok_and(f64::is_finite);
        (is_body(rest) || is_plain).then_some(Self { negative, currency, percent, body: rest })
    }
}

/// The number of a body of digits, marks and separators.
fn value(body: &str, decimal_comma: bool) -> Option<f64> {
    let (mark, separator) = if decimal_comma { (',', '.') } else { ('.', ',') };
    if !decimal_comma && let Ok(plain) = body.parse::<f64>() {
        return plain.is_finite().then_some(plain);
    }
    let (whole, decimals) = body.rsplit_once(mark).map_or((body, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if decimals.is_some_and(|decimals| !all_digits(decimals)) {
        return None;
    }
    let digits = if all_digits(whole) {
        whole.to_string()
    } else {
        let used = whole.chars().find(|c| !c.is_ascii_digit())?;
        if used != separator && !SPACERS.contains(&used) {
            return None;
        }
        let groups: Vec<&str> = whole.split(used).collect();
        let first_fits = (1..=3).contains(&groups[0].len()) && !groups[0].starts_with('0');
        let rest_fits = groups[1..].iter().all(|group| group.len() == 3);
        if !first_fits || !rest_fits || !groups.iter().all(|group| all_digits(group)) {
            return None;
        }
        groups.concat()
    };
    let text = format!("{digits}.{}", decimals.unwrap_or("0"));
    text.parse().ok().filter(|number: &f64| number.is_finite() && (!digits.is_empty() || text.len() > 1))
}

impl NumberStyle {
    /// The style under which most of the fields are numbers. Where a comma may separate thousands or decimals in every
    /// field (`1,234`), `prefers_comma` decides.
    pub(crate) fn of<'a>(fields: impl Iterator<Item = &'a str>, prefers_comma: bool) -> Self {
        let parts: Vec<Parts<'_>> = fields.filter_map(Parts::of).collect();
        let read = |decimal_comma: bool| {
            parts.iter().filter(|part| value(part.body, decimal_comma).is_some()).count()
        };
        let (by_point, by_comma) = (read(false), read(true));
        let has_comma = parts.iter().any(|part| part.body.contains(','));
        let decimal_comma = by_comma > by_point || by_comma == by_point && prefers_comma && has_comma;
        let mut signs = parts.iter().filter_map(|part| part.currency);
        let first = signs.next();
        Self {
            decimal_comma,
            percent: !parts.is_empty() && parts.iter().all(|part| part.percent),
            currency: first.filter(|first| signs.all(|sign| sign == *first)),
        }
    }

    /// The number that a field stands for in this style; none if it is none.
    pub(crate) fn read(&self, text: &str) -> Option<f64> {
        let parts = Parts::of(text)?;
        let fits =
            parts.percent == self.percent && parts.currency.is_none_or(|sign| Some(sign) == self.currency);
        let value = fits.then(|| value(parts.body, self.decimal_comma))??;
        Some(if parts.negative { -value } else { value })
    }

    /// What was done to a column, in words that follow "numbers".
    pub(crate) fn in_words(&self) -> String {
        let mut words = Vec::new();
        if self.decimal_comma {
            words.push("with a decimal comma".to_string());
        }
        if let Some(sign) = self.currency {
            words.push(format!("without the sign {sign}"));
        }
        if self.percent {
            words.push("of per cent".to_string());
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(fields: &[&str], prefers_comma: bool) -> Vec<Option<f64>> {
        let style = NumberStyle::of(fields.iter().copied(), prefers_comma);
        fields.iter().map(|field| style.read(field)).collect()
    }

    #[test]
    fn whole_columns_are_read_in_one_style() {
        let check = |fields: &[&str], expected: &[f64]| {
            let expected: Vec<Option<f64>> = expected.iter().copied().map(Some).collect();
            assert_eq!(numbers(fields, false), expected, "{fields:?}");
        };
        check(&["$50", " 7 ", "$1,234.50", "-$3", "$-3"], &[50.0, 7.0, 1234.5, -3.0, -3.0]);
        check(&["50%", "7.5 %"], &[50.0, 7.5]);
        check(&["\u{2212}3", "5", "1e3", "+4"], &[-3.0, 5.0, 1000.0, 4.0]);
        check(&["1,234", "950", "12,345,678.9"], &[1234.0, 950.0, 12_345_678.9]);
        check(&["1,5", "2", "-0,25", "1.234,5", "12.345.678"], &[1.5, 2.0, -0.25, 1234.5, 12_345_678.0]);
        check(&["0,125", "1,234"], &[0.125, 1.234]);
        check(&["1 234", "1'234.5", "12\u{a0}345"], &[1234.0, 1234.5, 12345.0]);
        check(&["5 €", "1.000 €", "7,5 €"], &[5.0, 1000.0, 7.5]);
        check(&[".5", "5.", "1,000"], &[0.5, 5.0, 1000.0]);
    }

    #[test]
    fn what_is_ambiguous_goes_by_the_file() {
        assert_eq!(numbers(&["1,234", "2,345"], false), [Some(1234.0), Some(2345.0)]);
        assert_eq!(numbers(&["1,234", "2,345"], true), [Some(1.234), Some(2.345)]);
        assert_eq!(numbers(&["1.234", "5"], true), [Some(1.234), Some(5.0)]);
    }

    #[test]
    fn what_does_not_agree_is_no_number() {
        assert_eq!(numbers(&["50%", "7"], false), [None, Some(7.0)]);
        assert_eq!(numbers(&["$5", "€7", "3"], false), [None, None, Some(3.0)]);
        assert_eq!(numbers(&["1,5", "2.5", "3.5"], false), [None, Some(2.5), Some(3.5)]);
        for text in [
            "",
            "-",
            "$",
            "%",
            "4o.2",
            "1,23,4",
            "1.2.3",
            "12:30",
            "2020-01-02",
            "1/2",
            "--5",
            "+-5",
            "5-",
            "1e",
            "$$5",
            "5%%",
            "1,,234",
            ",",
            ".",
            "1 2",
            "0x10",
            "inf",
            "nan",
            "(5)",
            "१२",
            "1e999",
            "12,34.5",
            "01,234",
        ] {
            assert_eq!(NumberStyle::default().read(text), None, "{text:?}");
        }
    }
}
