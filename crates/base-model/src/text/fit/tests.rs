use super::*;

fn texts(fields: &[&str]) -> ColumnValues {
    let mut levels: Vec<String> =
        fields.iter().filter(|field| !field.is_empty()).map(ToString::to_string).collect();
    levels.sort_unstable();
    levels.dedup();
    let codes = fields.iter().map(|field| levels.binary_search(&field.to_string()).ok().map(|at| at as u32));
    ColumnValues::Categorical { codes: codes.collect(), levels }
}

fn two_classes(labels: &[usize]) -> Target {
    Target::Classes { class_names: vec!["ham".into(), "spam".into()], labels: labels.to_vec() }
}

fn numbers(column: &Column) -> &[f64] {
    let ColumnValues::Numeric(numbers) = &column.values else { panic!("not numbers") };
    numbers
}

const MESSAGES: [&str; 8] = [
    "WIN a free prize now!",
    "see you at lunch",
    "free prize, call now",
    "lunch at noon? see you",
    "call to win: free entry",
    "are you at home",
    "you win a prize",
    "home for lunch, see you there",
];
const LABELS: [usize; 8] = [1, 0, 1, 0, 1, 0, 1, 0];

#[test]
fn left_out_scores_are_those_of_fits_without_the_row() {
    let target = two_classes(&LABELS);
    let FittedText { text, columns } = TextColumn::fit("m", &texts(&MESSAGES), &target).unwrap();
    assert_eq!(text.made().collect::<Vec<_>>(), ["m (text)"]);
    // The similarities as they are with all texts, the ridge of the others solved naively by elimination.
    let counts: Vec<[Counts; 2]> = MESSAGES.iter().map(|text| counted(text)).collect();
    let groups = [0, 1].map(|group| Group::of(&counts, group));
    let similarity = similarities(&groups, 8);
    let labels = labels(&target, &[0, 1, 2, 3, 4, 5, 6, 7]);
    let ridge = strength(&similarity, &labels, 8);
    for row in 0..8 {
        let others: Vec<usize> = (0..8).filter(|other| *other != row).collect();
        let mean = others.iter().map(|&other| labels[0][other]).sum::<f64>() / 7.0;
        let mut system: Vec<Vec<f64>> = others
            .iter()
            .map(|&a| {
                let entry = |&b: &usize| similarity[a * 8 + b] + if a == b { ridge } else { 0.0 };
                others.iter().map(entry).chain([labels[0][a] - mean]).collect()
            })
            .collect();
        for pivot in 0..7 {
            let factor = system[pivot][pivot];
            system[pivot].iter_mut().for_each(|entry| *entry /= factor);
            let pivot_row = system[pivot].clone();
            for (at, other) in system.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
                let _ = at;
                let factor = other[pivot];
                other.iter_mut().zip(&pivot_row).for_each(|(entry, own)| *entry -= factor * own);
            }
        }
        let expected: f64 =
            others.iter().zip(&system).map(|(&other, solved)| similarity[row * 8 + other] * solved[7]).sum();
        let found = numbers(&columns[0])[row];
        assert!((found - expected).abs() < 1e-9, "row {row}: {found} instead of {expected}");
    }
}

#[test]
fn words_of_a_class_have_its_sign_and_new_texts_its_scores() {
    let fitted = TextColumn::fit("m", &texts(&MESSAGES), &two_classes(&LABELS)).unwrap();
    let [spam, ham] = fitted.text.strongest(0, 5);
    assert!(spam.contains(&"win") && ham.contains(&"lunch"), "{spam:?} {ham:?}");
    let new = texts(&["free prize", "see you at home", "", "zzz qqq"]);
    let columns = fitted.text.columns(&new).unwrap();
    let scores = numbers(&columns[0]);
    assert!(scores[0] > 0.1 && scores[1] < -0.1 && scores[2].is_nan() && scores[3] == 0.0, "{scores:?}");
    assert!(fitted.text.columns(&ColumnValues::Numeric(vec![1.0])).is_err());
}

/// Where texts say nothing, a score of a labelled row must not say its label: the mean of the other labels would.
#[test]
fn scores_do_not_tell_labels_of_texts_that_have_nothing_in_common() {
    // A sign of its own in each row: no n-gram is in two texts.
    let words: Vec<String> = ('\u{4e00}'..).take(40).map(String::from).collect();
    let unlike: Vec<&str> = words.iter().map(String::as_str).collect();
    let labels: Vec<usize> = (0..40).map(|row| usize::from(row * 7 % 11 > 4)).collect();
    let fitted = TextColumn::fit("m", &texts(&unlike), &two_classes(&labels)).unwrap();
    let scores = numbers(&fitted.columns[0]);
    // A leave-one-out prediction that keeps the mean of the others would be 1/39 lower for the rows of the second class.
    assert!(scores.iter().all(|score| score.abs() < 1e-12), "{scores:?}");
}

#[test]
fn several_classes_numbers_and_long_tables_have_scores() {
    let many: Vec<&str> = (0..MAX_FITTED + 200).map(|row| MESSAGES[row % 8]).collect();
    let class_names = ["a", "b", "c"].map(str::to_string).to_vec();
    let labels = (0..many.len()).map(|row| row % 3).collect();
    let classes = TextColumn::fit("m", &texts(&many), &Target::Classes { class_names, labels }).unwrap();
    assert_eq!(classes.text.scores, ["m (text, a)", "m (text, b)", "m (text, c)"]);
    assert_eq!(classes.columns[2].values.len(), many.len());
    let values: Vec<f64> = LABELS.iter().map(|&label| 1e300 * label as f64).collect();
    let value = TextColumn::fit("m", &texts(&MESSAGES), &Target::Values(values)).unwrap();
    assert!(numbers(&value.columns[0]).iter().all(|score| score.is_finite()));
    assert_eq!(TextColumn::fit("m", &texts(&["", "a b", "c d", ""]), &two_classes(&[0, 1, 0, 1])), None);
    assert_eq!(TextColumn::fit("m", &texts(&[" ", "  ", "\t", " \n"]), &two_classes(&[0, 1, 0, 1])), None);
}

#[test]
fn words_end_at_separators_and_pieces_at_white_space() {
    let [words, pieces] = counted("Grüße, don't\u{2014}STOP 😀😀 50%");
    let words: Vec<&str> = words.keys().map(String::as_str).collect();
    assert_eq!(
        words,
        ["50", "don", "don t", "grüße", "grüße don", "stop", "stop 😀😀", "t", "t stop", "😀😀", "😀😀 50"]
    );
    assert!(
        pieces.contains_key(" gr")
            && pieces.contains_key("😀 ")
            && pieces.contains_key("n't")
            && pieces.contains_key("e, ")
    );
    assert!(!pieces.keys().any(|piece| piece.trim().contains(' ')));
    assert_eq!(pieces["😀😀"], 1);
}
