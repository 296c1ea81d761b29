//! Making the support show everything that the shape promises: every class, every level, a missing cell where
//! they may be missing, and no constant column. One cell or one label is changed where chance left it out.

use crate::draw::Draw;
use weightsmith_tasks::ColumnValues;

/// Changes as few labels as it takes for every class to occur, and returns an order of the rows in which each
/// class occurs among the first `n_support` (as far as that many rows allow).
pub(crate) fn cover_classes(
    labels: &mut [usize],
    n_classes: usize,
    n_support: usize,
    draw: &mut Draw<'_>,
) -> Vec<usize> {
    let n_rows = labels.len();
    let mut counts = vec![0usize; n_classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    for class in 0..n_classes {
        if counts[class] == 0 && counts.iter().any(|&count| count > 1) {
            let row = loop {
                let row = draw.below(n_rows);
                if counts[labels[row]] > 1 {
                    break row;
                }
            };
            counts[labels[row]] -= 1;
            counts[class] += 1;
            labels[row] = class;
        }
    }
    let mut order: Vec<usize> = (0..n_rows).collect();
    let mut in_support = vec![0usize; n_classes];
    labels[..n_support].iter().for_each(|&label| in_support[label] += 1);
    for class in 0..n_classes {
        if in_support[class] == 0
            && let Some(from) = (n_support..n_rows).find(|&place| labels[order[place]] == class)
            && let Some(to) = (0..n_support).find(|&place| in_support[labels[order[place]]] > 1)
        {
            in_support[labels[order[to]]] -= 1;
            in_support[class] += 1;
            order.swap(from, to);
        }
    }
    order
}

/// Changes single cells of the support rows so that every level occurs there, or two different numbers, and a
/// missing cell if `missing`. Supports of fewer than eight rows are left as they are, without missing cells.
pub(crate) fn cover_column(values: &mut ColumnValues, support: &[usize], missing: bool, draw: &mut Draw<'_>) {
    if support.len() < 8 {
        return;
    }
    match values {
        ColumnValues::Numeric(numbers) => {
            if missing && !support.iter().any(|&row| numbers[row].is_nan()) {
                numbers[support[draw.below(support.len())]] = f64::NAN;
            }
            let mut known = support.iter().copied().filter(|&row| !numbers[row].is_nan());
            match known.next() {
                None => {
                    numbers[support[0]] = 0.0;
                    numbers[support[1]] = 1.0;
                }
                Some(first) if known.all(|row| numbers[row] == numbers[first]) => {
                    // The other value of a 0/1 column, the next mark of a count.
                    let value = numbers[first];
                    let other = numbers.iter().copied().find(|other| !other.is_nan() && *other != value);
                    numbers[first] = other.unwrap_or(if value == 1.0 { 0.0 } else { value + 1.0 });
                    // With the rest missing, this would again be the only number.
                    if !support.iter().any(|&row| numbers[row] == value) {
                        let free = support.iter().copied().find(|&row| row != first);
                        numbers[free.expect("there are eight rows")] = value;
                    }
                }
                Some(_) => {}
            }
        }
        ColumnValues::Categorical { levels, codes } => {
            if missing && !support.iter().any(|&row| codes[row].is_none()) {
                codes[support[draw.below(support.len())]] = None;
            }
            let mut counts = vec![0usize; levels.len()];
            support.iter().filter_map(|&row| codes[row]).for_each(|code| counts[code as usize] += 1);
            let mut n_missing = support.iter().filter(|&&row| codes[row].is_none()).count();
            for level in 0..levels.len() {
                if counts[level] > 0 {
                    continue;
                }
                let start = draw.below(support.len());
                let mut rows = support[start..].iter().chain(&support[..start]).copied();
                let spare = |row: &usize| codes[*row].map_or(n_missing, |code| counts[code as usize]) > 1;
                if let Some(row) = rows.find(spare) {
                    match codes[row] {
                        Some(code) => counts[code as usize] -= 1,
                        None => n_missing -= 1,
                    }
                    counts[level] += 1;
                    codes[row] = Some(level as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn every_class_and_level_reaches_the_support() {
        let mut rng = Seed(4).stream("test");
        let mut draw = Draw(&mut rng);
        let mut labels = vec![0; 40];
        labels[39] = 2;
        let order = cover_classes(&mut labels, 4, 8, &mut draw);
        assert!((0..4).all(|class| order[..8].iter().any(|&row| labels[row] == class)));

        let levels = (0..5).map(|level| level.to_string()).collect();
        let mut column = ColumnValues::Categorical { levels, codes: vec![Some(3); 40] };
        cover_column(&mut column, &order[..8], true, &mut draw);
        let ColumnValues::Categorical { codes, .. } = &column else { unreachable!() };
        let shown = |code| order[..8].iter().any(|&row| codes[row] == code);
        assert!(shown(None) && (0..5).all(|level| shown(Some(level))));
    }

    #[test]
    fn a_constant_column_gets_a_second_number() {
        let mut rng = Seed(5).stream("test");
        let mut draw = Draw(&mut rng);
        for constant in [0.0, 1.0, f64::NAN] {
            let mut column = ColumnValues::Numeric(vec![constant; 10]);
            cover_column(&mut column, &[0, 1, 2, 3, 4, 5, 6, 7], true, &mut draw);
            let ColumnValues::Numeric(numbers) = &column else { unreachable!() };
            let mut known: Vec<f64> = numbers[..8].iter().copied().filter(|x| !x.is_nan()).collect();
            known.sort_by(f64::total_cmp);
            known.dedup();
            assert!(known.len() == 2 && numbers[..8].iter().any(|x| x.is_nan()), "{numbers:?}");
        }
    }
}
