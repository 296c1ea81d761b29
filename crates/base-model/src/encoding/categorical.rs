//! Categorical columns: which levels get a column of their own.

use super::{EncodingLimits, Transform, numeric::settle};
use std::collections::HashMap;

/// With more levels than this, levels seen once are merged.
const MERGE_ABOVE: usize = 10;

/// The encoded columns of one categorical column; none where it does not vary.
///
/// Levels come by falling count, ties by name, then the other level, then the missing one.
pub(super) fn fit(levels: &[String], codes: &[Option<u32>], limits: &EncodingLimits) -> Vec<Transform> {
    let n = codes.len() as f64;
    let share = |count: usize| settle(count as f64 / n);
    let mut by_code = vec![0usize; levels.len()];
    let mut n_missing = 0;
    for code in codes {
        match code {
            Some(code) => by_code[*code as usize] += 1,
            None => n_missing += 1,
        }
    }
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (level, &count) in levels.iter().zip(&by_code).filter(|(_, count)| **count > 0) {
        *by_name.entry(level).or_default() += count;
    }
    let mut counts: Vec<(&str, usize)> = by_name.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));

    let has_missing = n_missing > 0;
    if let ([_, (rarer, count)], false) = (counts.as_slice(), has_missing) {
        return vec![Transform::Level { level: (*rarer).to_string(), centre: share(*count) }];
    }
    if counts.len() + usize::from(has_missing) < 2 {
        return Vec::new();
    }
    let mut n_own = counts.len();
    if n_own > MERGE_ABOVE {
        n_own = counts.iter().take_while(|(_, count)| *count > 1).count();
    }
    let room = limits.max_levels.saturating_sub(usize::from(has_missing));
    if n_own + usize::from(n_own < counts.len()) > room {
        n_own = room.saturating_sub(1);
    }
    let (own, merged) = counts.split_at(n_own);
    let mut columns: Vec<Transform> = own
        .iter()
        .map(|(level, count)| Transform::Level { level: (*level).to_string(), centre: share(*count) })
        .collect();
    let n_merged: usize = merged.iter().map(|(_, count)| count).sum();
    // A column that only says "other" for every row is constant.
    if n_merged > 0 && n_merged < codes.len() {
        let levels = own.iter().map(|(level, _)| (*level).to_string()).collect();
        columns.push(Transform::OtherLevel { levels, centre: share(n_merged) });
    }
    if has_missing {
        columns.push(Transform::MissingLevel { centre: share(n_missing) });
    }
    columns
}
