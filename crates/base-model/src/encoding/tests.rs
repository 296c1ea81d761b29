use super::*;
use rand::Rng;
use weightsmith_tasks::{Column, Seed, Support, Target};

const NONE: f64 = f64::NAN;

fn numeric(name: &str, values: &[f64]) -> Column {
    Column { name: name.into(), values: ColumnValues::Numeric(values.to_vec()) }
}

/// A categorical column of single letters; a dash is missing.
fn categorical(name: &str, letters: &str) -> Column {
    let mut levels: Vec<String> = letters.chars().filter(|c| *c != '-').map(String::from).collect();
    levels.sort();
    levels.dedup();
    let code = |c: char| levels.iter().position(|level| level.starts_with(c)).map(|code| code as u32);
    let codes = letters.chars().map(code).collect();
    Column { name: name.into(), values: ColumnValues::Categorical { levels, codes } }
}

fn table(columns: Vec<Column>) -> Table {
    Table::new(columns.first().map_or(0, |column| column.values.len()), columns).unwrap()
}

fn fit_with(columns: Vec<Column>, limits: &EncodingLimits) -> Result<Fitted, EncodingError> {
    let table = table(columns);
    let values = (0..table.n_rows()).map(|row| (row as f64 * 1.7).sin()).collect();
    Encoding::fit(&Support::new(table, Target::Values(values)).unwrap(), limits)
}

fn fit(columns: Vec<Column>) -> Fitted {
    fit_with(columns, &EncodingLimits::default()).unwrap()
}

/// The encoded column at `position`.
fn encoded(encoding: &Encoding, table: &Table, position: usize) -> Vec<f32> {
    let rows = encoding.encode(table).unwrap();
    (0..rows.n_rows).map(|row| rows.row(row)[position]).collect()
}

#[test]
fn numbers_are_centred_scaled_and_clipped() {
    let values = [2.0, 4.0, 6.0, 8.0];
    let fitted = fit(vec![numeric("a", &values)]);
    // Mean 5 and standard deviation √5; nothing lies beyond three of them.
    for (found, value) in encoded(&fitted.standard, &table(vec![numeric("a", &values)]), 0).iter().zip(values)
    {
        let z = (value - 5.0) / 5f64.sqrt();
        assert!((f64::from(*found) - z / (1.0 + z * z / 16.0).sqrt()).abs() < 1e-6);
    }
    let far = table(vec![numeric("a", &[1e300, -1e300, 5.0, NONE])]);
    assert_eq!(encoded(&fitted.standard, &far, 0), [4.0, -4.0, 0.0, 0.0]);
    assert_eq!(fitted.standard.n_columns(), 1);
}

#[test]
fn an_outlier_is_winsorised_before_centring() {
    let mut values = vec![0.0; 99];
    values.push(1000.0);
    let Transform::Standard { centre, scale } =
        fit(vec![numeric("a", &values)]).standard.columns[0].transform
    else {
        panic!("a number is standardised");
    };
    // The mean is 10 and the standard deviation √9900; the outlier is drawn in to 10 + 3 √9900.
    let drawn_in = 10.0 + 3.0 * 9900f64.sqrt();
    assert!((centre - drawn_in / 100.0).abs() < 1e-9);
    assert!((scale - drawn_in * (0.01f64 * 0.99).sqrt()).abs() < 1e-9);
}

#[test]
fn missing_numbers_get_an_indicator() {
    let values = [1.0, NONE, 3.0, 2.0];
    let fitted = fit(vec![numeric("a", &values)]);
    for encoding in [&fitted.standard, &fitted.gaussian_rank] {
        let rows = encoding.encode(&table(vec![numeric("a", &values)])).unwrap();
        assert_eq!(rows.n_columns, 2);
        assert_eq!(rows.row(1), [0.0, 1.5]);
        assert_eq!(rows.row(3)[1], -0.5);
    }
    // What does not vary where it is present still tells by its absence.
    let only = fit(vec![numeric("a", &[7.0, NONE, 7.0, NONE])]).standard;
    assert_eq!(only.columns, [EncodedColumn { source: 0, transform: Transform::Missing { centre: 0.5 } }]);
}

#[test]
fn ranks_are_standardised_and_monotone() {
    let mut rng = Seed(1).stream("ranks");
    let skewed: Vec<f64> = (0..500).map(|_| rng.random_range(-3.0f64..3.0).exp()).collect();
    let few: Vec<f64> = (0..40).map(|row| f64::from(row % 7).powi(3)).collect();
    for values in [skewed, few, vec![0.0, 0.0, 0.0, 1.0]] {
        let support = table(vec![numeric("a", &values)]);
        let rank = fit(vec![numeric("a", &values)]).gaussian_rank;
        let Transform::GaussianRank { knots } = &rank.columns[0].transform else { panic!("a rank map") };
        assert!(knots.len() <= 64 && knots.windows(2).all(|pair| pair[0][1] < pair[1][1]));
        let scores = encoded(&rank, &support, 0);
        let n = scores.len() as f32;
        let mean = scores.iter().sum::<f32>() / n;
        let variance = scores.iter().map(|score| (score - mean) * (score - mean)).sum::<f32>() / n;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
        let ends = table(vec![numeric("a", &[-1e9, knots[0][0], knots[knots.len() - 1][0], 1e9])]);
        let ends = encoded(&rank, &ends, 0);
        assert!(ends[0] == ends[1] && ends[2] == ends[3] && ends[1] < ends[2]);
    }
}

#[test]
fn levels_become_columns() {
    let check = |letters: &str, max_levels: usize, expected: &[&str]| {
        let limits = EncodingLimits { max_columns: 256, max_levels };
        let encoding = fit_with(vec![categorical("c", letters)], &limits).unwrap().standard;
        let words: Vec<String> = encoding
            .columns
            .iter()
            .map(|column| match &column.transform {
                Transform::Level { level, .. } => level.clone(),
                Transform::OtherLevel { levels, .. } => format!("not {}", levels.concat()),
                Transform::MissingLevel { .. } => "missing".to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(words, expected, "{letters}");
    };
    check("aab", 30, &["b"]);
    check("ab", 30, &["b"]);
    check("aa-", 30, &["a", "missing"]);
    check("ab-", 30, &["a", "b", "missing"]);
    check("cabb", 30, &["b", "a", "c"]);
    check("aaabbc", 2, &["a", "not a"]);
    check("aaabbc-", 2, &["not ", "missing"]);
    check("abcdefghijj", 30, &["j", "a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    check("abcdefghijkk", 30, &["k", "not k"]);
    // A name of its own in each row says nothing.
    check("abcdefghijkl", 30, &["Constant"]);
    check("aaa", 30, &["Constant"]);
    check("---", 30, &["Constant"]);
}

#[test]
fn unseen_and_missing_levels_at_prediction() {
    let three = fit(vec![categorical("c", "aabc")]).standard;
    let later = table(vec![categorical("c", "az-")]);
    let rows = three.encode(&later).unwrap();
    assert_eq!(rows.row(0), [1.0, -0.5, -0.5]);
    assert_eq!(rows.row(1), [-1.0, -0.5, -0.5]);
    assert_eq!(rows.row(2), rows.row(1));
    let limits = EncodingLimits { max_columns: 256, max_levels: 2 };
    let merged = fit_with(vec![categorical("c", "aabc")], &limits).unwrap().standard;
    let rows = merged.encode(&later).unwrap();
    assert_eq!(rows.row(1), [-1.0, 1.0]);
    assert_eq!(rows.row(2), [-1.0, -1.0]);
}

#[test]
fn a_network_exists_even_when_nothing_varies() {
    let fitted = fit(vec![numeric("a", &[3.0, 3.0]), numeric("b", &[NONE, NONE])]);
    assert_eq!(fitted.standard, fitted.gaussian_rank);
    assert_eq!(fitted.standard.schema(), &vec![("a".to_string(), ColumnType::Numeric)]);
    assert_eq!(encoded(&fitted.standard, &table(vec![numeric("a", &[9.0, NONE])]), 0), [0.0, 0.0]);
    // Columns without an encoded one are not asked for.
    let fitted = fit(vec![numeric("a", &[3.0, 3.0]), numeric("b", &[1.0, 2.0])]);
    assert_eq!(fitted.standard.schema(), &vec![("b".to_string(), ColumnType::Numeric)]);

    let limits = EncodingLimits::default();
    assert_eq!(fit_with(vec![numeric("a", &[])], &limits), Err(EncodingError::NoRows));
    let bare = Support::new(Table::new(1, vec![]).unwrap(), Target::Values(vec![0.0])).unwrap();
    assert_eq!(Encoding::fit(&bare, &limits), Err(EncodingError::NoColumns));
}

#[test]
fn columns_are_found_by_name_and_checked() {
    let encoding = fit(vec![numeric("a", &[1.0, 2.0, 4.0]), categorical("c", "aab")]).standard;
    let one = table(vec![numeric("a", &[1.0]), categorical("c", "b")]);
    let other = table(vec![categorical("c", "b"), numeric("extra", &[5.0]), numeric("a", &[1.0])]);
    assert_eq!(encoding.encode(&one), encoding.encode(&other));
    let check = |columns: Vec<Column>, expected: &str| {
        let error = encoding.encode(&table(columns)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(vec![numeric("a", &[1.0])], "column \"c\" is missing");
    check(vec![categorical("a", "x"), categorical("c", "b")], "\"a\" is Categorical");
}

/// A table with every kind of column, and a support of it.
fn mixed(n_rows: usize, classes: bool) -> Support {
    let mut rng = Seed(3).stream("mixed");
    let mut columns = Vec::new();
    for name in ["a", "b", "c"] {
        let gappy = |_| if rng.random_bool(0.2) { NONE } else { rng.random_range(-2.0f64..2.0).powi(3) };
        columns.push(numeric(name, &(0..n_rows).map(gappy).collect::<Vec<f64>>()));
    }
    for name in ["d", "e"] {
        let letters: String = (0..n_rows).map(|_| char::from(b'a' + rng.random_range(0..5u8))).collect();
        columns.push(categorical(name, &letters));
    }
    let target = if classes {
        let labels = (0..n_rows).map(|_| rng.random_range(0..3)).collect();
        Target::Classes { class_names: vec!["x".into(), "y".into(), "z".into()], labels }
    } else {
        Target::Values((0..n_rows).map(|_| rng.random()).collect())
    };
    Support::new(table(columns), target).unwrap()
}

#[test]
fn the_order_of_rows_changes_only_rounding() {
    for max_columns in [256, 7] {
        for classes in [true, false] {
            let support = mixed(60, classes);
            let order: Vec<usize> = (0..60).map(|row| (row * 7 + 11) % 60).collect();
            let limits = EncodingLimits { max_columns, max_levels: 30 };
            let fitted = Encoding::fit(&support, &limits).unwrap();
            let shuffled = Encoding::fit(&support.select(&order), &limits).unwrap();
            for view in [View::Standard, View::GaussianRank] {
                let expected = fitted.view(view).encode(support.table()).unwrap();
                let found = shuffled.view(view).encode(support.table()).unwrap();
                assert_eq!(expected.n_columns, found.n_columns);
                for (expected, found) in expected.values.iter().zip(&found.values) {
                    assert!((expected - found).abs() < 1e-6);
                }
            }
        }
    }
}

#[test]
fn the_order_of_columns_is_only_the_order_of_columns() {
    let support = mixed(60, true);
    let order = [4, 2, 0, 3, 1];
    let turned = Support::new(support.table().select_columns(&order), support.target().clone()).unwrap();
    let limits = EncodingLimits { max_columns: 9, max_levels: 30 };
    let sorted = |support: &Support| {
        let encoding = Encoding::fit(support, &limits).unwrap().gaussian_rank;
        let name = |column: &EncodedColumn| encoding.inputs[column.source].0.clone();
        let mut columns: Vec<String> = encoding
            .columns
            .iter()
            .map(|column| format!("{} {:?}", name(column), column.transform))
            .collect();
        columns.sort();
        columns
    };
    assert_eq!(sorted(&support), sorted(&turned));
}

#[test]
fn the_most_associated_columns_stay() {
    let n_rows = 50;
    let mut rng = Seed(9).stream("limit");
    let signal: Vec<f64> = (0..n_rows).map(|_| rng.random()).collect();
    let mut columns: Vec<Column> = (0..2000)
        .map(|column| {
            let noise: Vec<f64> = (0..n_rows).map(|_| rng.random()).collect();
            numeric(&format!("noise {column}"), &noise)
        })
        .collect();
    columns.insert(700, numeric("rising", &signal));
    columns.insert(1500, numeric("falling", &signal.iter().map(|x| -x).collect::<Vec<_>>()));
    let limits = EncodingLimits { max_columns: 2, max_levels: 30 };
    let classes = Target::Classes {
        class_names: vec!["low".into(), "high".into()],
        labels: signal.iter().map(|x| usize::from(*x > 0.5)).collect(),
    };
    for target in [Target::Values(signal.clone()), classes] {
        let fitted = Encoding::fit(&Support::new(table(columns.clone()), target).unwrap(), &limits).unwrap();
        let names: Vec<&str> = fitted.standard.schema().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["rising", "falling"]);
        assert_eq!(fitted.standard.schema(), fitted.gaussian_rank.schema());
        assert_eq!(fitted.gaussian_rank.n_columns(), 2);
    }
}

#[test]
fn views_share_a_layout_and_join() {
    let support = mixed(40, true);
    let fitted = Encoding::fit(&support, &EncodingLimits::default()).unwrap();
    let (left, right) = (&fitted.standard, &fitted.gaussian_rank);
    assert_eq!(left.n_columns(), right.n_columns());
    let joined = left.join(right);
    // Three numbers are seen twice; indicators and levels are shared.
    assert_eq!(joined.encoding.n_columns(), left.n_columns() + 3);
    assert_eq!(joined.encoding.schema(), left.schema());
    let rows = joined.encoding.encode(support.table()).unwrap();
    for (encoding, places) in [(left, &joined.left), (right, &joined.right)] {
        let own = encoding.encode(support.table()).unwrap();
        for row in 0..own.n_rows {
            let placed: Vec<f32> = places.iter().map(|&place| rows.row(row)[place]).collect();
            assert_eq!(placed, own.row(row));
        }
    }
    assert_eq!(left.join(left).encoding, *left);
    let elsewhere = fit(vec![numeric("new", &[1.0, 2.0])]).standard;
    let wider = left.join(&elsewhere);
    assert_eq!(wider.encoding.schema().last().unwrap().0, "new");
    assert_eq!(wider.right, [left.n_columns()]);
}

#[test]
fn an_encoding_survives_json() {
    let fitted = Encoding::fit(&mixed(80, false), &EncodingLimits::default()).unwrap();
    for encoding in [fitted.standard, fitted.gaussian_rank] {
        let text = serde_json::to_string(&encoding).unwrap();
        assert_eq!(serde_json::from_str::<Encoding>(&text).unwrap(), encoding);
    }
}

#[test]
fn a_hostile_encoding_is_refused() {
    let check = |inputs: &str, columns: &str, expected: &str| {
        let text = format!("{{\"inputs\":[{inputs}],\"columns\":[{columns}]}}");
        let error = serde_json::from_str::<Encoding>(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let column = |transform: &str| format!("{{\"source\":0,\"transform\":{transform}}}");
    let (a, c) = (r#"["a","numeric"]"#, r#"["c","categorical"]"#);
    let missing = column(r#"{"missing":{"centre":0.5}}"#);
    check(a, "", "no column");
    check("", &missing, "input 0 of 0");
    check(&format!("{a},{a}"), &missing, "two inputs are called \"a\"");
    check(c, &missing, "the other type");
    check(a, &column(r#"{"missing":{"centre":1.5}}"#), "between 0 and 1");
    check(a, &column(r#"{"missing":{"centre":0.5,"more":1}}"#), "unknown field");
    check(a, &column(r#"{"launch":{}}"#), "unknown variant");
    check(a, &column(r#"{"standard":{"centre":0,"scale":0}}"#), "above 0");
    check(a, &column(r#"{"standard":{"centre":null,"scale":1}}"#), "invalid type");
    check(a, &column(r#"{"gaussian_rank":{"knots":[]}}"#), "at least one");
    check(a, &column(r#"{"gaussian_rank":{"knots":[[1,0],[1,1]]}}"#), "ascending");
}
