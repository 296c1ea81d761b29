//! Dates and times as numbers and names: the year, the month, the day of the week, the hour, and the days that have gone by.
//!
//! The columns that a date becomes are called after it, `sold (weekday)`. Where a day is written with the day or the month
//! first the name says which, `sold (weekday, day first)`, so that rows to predict are read as those learned from were,
//! however few they are.

use crate::findings::{MIN_VALUES, is_constant};
use weightsmith_tasks::{Column, ColumnValues};

/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// The share of fields that must be dates.
const NEARLY_ALL: f64 = 0.9;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// The first of January 1970 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A column that a date becomes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DatePart {
    /// The year.
    Year,
    /// The month, from 1 to 12.
    Month,
    /// The day of the week, a name.
    Weekday,
    /// The hour with its fraction, from 0 to below 24.
    Hour,
    /// Days since the beginning of 1970, with their fraction.
    Days,
}

impl DatePart {
    /// All of them, in the order of their columns.
    pub const ALL: [Self; 5] = [Self::Year, Self::Month, Self::Weekday, Self::Hour, Self::Days];

    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
            Self::Days => "days",
        }
    }

    /// This part of moments, seconds since the beginning of 1970.
    pub fn of(self, moments: &[Option<f64>]) -> ColumnValues {
        let numbers = |of: fn(f64) -> f64| {
            ColumnValues::Numeric(moments.iter().map(|moment| moment.map_or(f64::NAN, of)).collect())
        };
        match self {
            Self::Year => numbers(|moment| civil(moment).0 as f64),
            Self::Month => numbers(|moment| civil(moment).1 as f64),
            Self::Hour => numbers(|moment| moment.rem_euclid(DAY) / 3600.0),
            Self::Days => numbers(|moment| moment / DAY),
            Self::Weekday => {
                let mut levels = WEEKDAYS;
                levels.sort_unstable();
                let place = |moment: f64| {
                    let weekday = WEEKDAYS[(moment / DAY).floor().rem_euclid(7.0) as usize];
                    levels.iter().position(|level| *level == weekday).map(|place| place as u32)
                };
                let codes = moments.iter().map(|moment| moment.and_then(place)).collect();
                ColumnValues::Categorical { levels: levels.map(String::from).to_vec(), codes }
            }
        }
    }
}

/// How the days of a column are written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `2024-01-31`, or a time of day alone.
    YearFirst,
    /// `31.1.2024`.
    DayFirst,
    /// `1/31/2024`.
    MonthFirst,
}

impl DateOrder {
    const ALL: [Self; 3] = [Self::YearFirst, Self::DayFirst, Self::MonthFirst];

    /// What follows the part in a column's name.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::YearFirst => "",
            Self::DayFirst => ", day first",
            Self::MonthFirst => ", month first",
        }
    }

    /// The order in which nearly all fields that are not empty are dates; none if they are no dates, or fewer than 20. Of two
    /// the one in which more are; where `3/4/2024` leaves it open, points have the day first and other signs the month.
    pub fn of<'a>(fields: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let present = || fields.clone().filter(|field| !field.trim().is_empty());
        let n_present = present().count();
        let n_read = |order: Self| present().filter(|field| order.read(field).is_some()).count();
        let has_points = present().next().is_some_and(|field| field.contains('.'));
        let preferred = if has_points {
            [Self::YearFirst, Self::DayFirst, Self::MonthFirst]
        } else {
            [Self::YearFirst, Self::MonthFirst, Self::DayFirst]
        };
        let best = preferred.into_iter().fold((preferred[0], 0), |best, order| {
            let n = n_read(order);
            if n > best.1 { (order, n) } else { best }
        });
        (n_present >= MIN_VALUES && best.1 as f64 >= NEARLY_ALL * n_present as f64).then_some(best.0)
    }

    /// Seconds since the beginning of 1970 of a field; none if it is no date, no time of day, nor both. A time alone is of
    /// the first of January 1970, and offsets from the world's time are left out: people mean the clock on their wall.
    pub fn read(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let (date, time) = match text.split_once([' ', 'T']) {
            Some((date, time)) => (Some(date), Some(time.trim())),
            None if text.contains(':') => (None, Some(text)),
            None => (Some(text), None),
        };
        let days = date.map_or(Some(0), |date| self.day(date))?;
        Some(days as f64 * DAY + time.map_or(Some(0.0), seconds)?)
    }

    /// Days since the beginning of 1970.
    fn day(self, text: &str) -> Option<i64> {
        let mark = text.chars().find(|c| ['-', '/', '.'].contains(c))?;
        let parts: Vec<&str> = text.split(mark).collect();
        let [first, middle, last] = parts[..] else { return None };
        let (year, month, day) = match self {
            Self::YearFirst => (first, middle, last),
            Self::DayFirst => (last, middle, first),
            Self::MonthFirst => (last, first, middle),
        };
        let year_of = |text: &str| match (text.len(), digits(text)?) {
            (4, year) => Some(year),
            // As most programs read two digits.
            (2, year) if self != Self::YearFirst => Some(year + if year < 69 { 2000 } else { 1900 }),
            _ => None,
        };
        let month_of = |text: &str| {
            let place = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(text));
            place.map(|place| place as i64 + 1).or_else(|| small(text))
        };
        let (year, month, day) = (year_of(year)?, month_of(month)?, small(day)?);
        let fits = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        fits.then(|| days_from_civil(year, month, day))
    }
}

/// Seconds since midnight.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['Z', 'z']);
    let text = match text.rfind(['+', '-']) {
        Some(at) => &text[..at],
        None => text,
    };
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let whole = |part: &str, limit: i64| small(part).filter(|n| *n < limit && part.len() == 2);
    let last: f64 = match parts.get(2) {
        None => 0.0,
        Some(part) => {
            let is_number = part.len() >= 2 && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            is_number.then(|| part.parse().ok()).flatten().filter(|n: &f64| *n < 61.0)?
        }
    };
    Some(whole(parts[0], 24)? as f64 * 3600.0 + whole(parts[1], 60)? as f64 * 60.0 + last)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn small(text: &str) -> Option<i64> {
    digits(text).filter(|_| text.len() <= 2)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => 31,
    }
}

/// Source: Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year and month of seconds since the beginning of 1970. Source: the same, `civil_from_days`.
fn civil(moment: f64) -> (i64, i64) {
    let days = (moment / DAY).floor() as i64 + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The name of the column of a part.
pub fn date_part_name(column: &str, part: DatePart, order: DateOrder) -> String {
    format!("{column} ({}{})", part.name(), order.in_words())
}

/// The columns that a column of dates becomes, of moments in seconds since the beginning of 1970.
pub fn date_columns(column: &str, moments: &[Option<f64>], order: DateOrder) -> Vec<Column> {
    DatePart::ALL
        .into_iter()
        .map(|part| Column { name: date_part_name(column, part, order), values: part.of(moments) })
        .collect()
}

/// Columns to learn from without the parts of dates that are the same in every row, such as the hour of dates without a time.
pub fn without_constant_parts(columns: Vec<Column>) -> Vec<Column> {
    let is_idle = |column: &Column| date_part_of(&column.name).is_some() && is_constant(&column.values);
    columns.into_iter().filter(|column| !is_idle(column)).collect()
}

/// The column of dates that a name is a part of, which part, and how the dates are written; none for other names.
pub fn date_part_of(name: &str) -> Option<(&str, DatePart, DateOrder)> {
    let (column, rest) = name.strip_suffix(')')?.rsplit_once(" (")?;
    let all = DatePart::ALL.into_iter().flat_map(|part| DateOrder::ALL.map(|order| (part, order)));
    let is_it =
        |(part, order): &(DatePart, DateOrder)| rest == format!("{}{}", part.name(), order.in_words());
    all.into_iter().find(is_it).map(|(part, order)| (column, part, order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_other_programs() {
        // From `date --utc --date TEXT +%s`.
        let check = |order: DateOrder, text: &str, expected: f64| {
            assert_eq!(order.read(text), Some(expected), "{text}")
        };
        check(DateOrder::YearFirst, "2024-02-29", 1_709_164_800.0);
        check(DateOrder::YearFirst, "1969-12-31 23:59:59", -1.0);
        check(DateOrder::YearFirst, "2000/1/1T12:30", 946_729_800.0);
        check(DateOrder::YearFirst, "2024-02-29T01:02:03.5Z", 1_709_168_523.5);
        check(DateOrder::YearFirst, "2024-02-29 01:02:03+02:00", 1_709_168_523.0);
        check(DateOrder::DayFirst, "31.12.99", 946_598_400.0);
        check(DateOrder::DayFirst, "5-Jan-2020", 1_578_182_400.0);
        check(DateOrder::MonthFirst, "12/31/2020", 1_609_372_800.0);
        check(DateOrder::YearFirst, "07:05", 25_500.0);
        for text in
            ["2023-02-29", "2024-13-01", "24:00", "2020", "1.5", "", "a-b-c", "2020-01-01 noon", "1-2-3-4"]
        {
            assert_eq!(DateOrder::YearFirst.read(text), None, "{text}");
        }
    }

    #[test]
    fn orders_follow_the_fields() {
        let of = |fields: &[&str]| DateOrder::of(fields.iter().copied().cycle().take(20 * fields.len()));
        assert_eq!(of(&["2024-01-02", "", "2024-01-03"]), Some(DateOrder::YearFirst));
        assert_eq!(of(&["1/2/2024", "13/2/2024"]), Some(DateOrder::DayFirst));
        assert_eq!(of(&["1/2/2024", "2/13/2024"]), Some(DateOrder::MonthFirst));
        assert_eq!(of(&["1/2/2024", "2/3/2024"]), Some(DateOrder::MonthFirst));
        assert_eq!(of(&["1.2.2024", "2.3.2024"]), Some(DateOrder::DayFirst));
        assert_eq!(of(&["2024-01-02", "soon"]), None);
        assert_eq!(of(&["", ""]), None);
    }

    #[test]
    fn parts_are_those_of_the_calendar() {
        let moments = [DateOrder::YearFirst.read("2024-02-29 18:30"), None, Some(-1.0)];
        let columns = date_columns("sold", &moments, DateOrder::DayFirst);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names[..2], ["sold (year, day first)", "sold (month, day first)"]);
        let numbers = |at: usize| match &columns[at].values {
            ColumnValues::Numeric(numbers) => numbers.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!((numbers(0)[0], numbers(1)[0], numbers(3)[0]), (2024.0, 2.0, 18.5));
        assert!(numbers(0)[1].is_nan());
        assert_eq!((numbers(0)[2], numbers(1)[2]), (1969.0, 12.0));
        assert_eq!(numbers(4)[0], 19_782.0 + 18.5 / 24.0);
        let ColumnValues::Categorical { levels, codes } = &columns[2].values else { panic!("no names") };
        let days: Vec<_> = codes.iter().map(|code| code.map(|code| levels[code as usize].as_str())).collect();
        assert_eq!(days, [Some("Thursday"), None, Some("Wednesday")]);
        for column in &columns {
            assert_eq!(date_part_of(&column.name).map(|(name, ..)| name), Some("sold"));
        }
        // In words, for what is missing is not equal to itself.
        assert_eq!(format!("{:?}", without_constant_parts(columns.clone())), format!("{columns:?}"));
        let days = [0.0, 5.0].map(|day| Some(day * DAY));
        let kept = without_constant_parts(date_columns("sold", &days, DateOrder::YearFirst));
        let kept: Vec<&str> = kept.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(kept, ["sold (weekday)", "sold (days)"]);
        assert_eq!(date_part_of("sold (euros)"), None);
        assert_eq!(date_part_of("a (b) (hour)"), Some(("a (b)", DatePart::Hour, DateOrder::YearFirst)));
    }
}
