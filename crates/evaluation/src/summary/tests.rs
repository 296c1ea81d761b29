use super::*;
use crate::results::RowKey;

fn row(name: &str, split: u32, model: &str, log_loss: f64) -> ResultRow {
    let key = RowKey { name: name.into(), n_support: 32, split, model: model.into() };
    let empty = ResultRow::empty(key, TaskType::Classification);
    ResultRow { log_loss: Some(log_loss), seconds: Some(log_loss / 10.0), ..empty }
}

fn rows() -> Vec<ResultRow> {
    let figures = [
        ("a", [0.222, 0.871, 0.207], [0.919, 0.488, 0.612]),
        ("b", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ("c", [0.441, 0.158, 0.88], [0.274, 0.414, 0.296]),
        ("d", [0.629, 0.58, 0.6], [0.266, 0.285, f64::NAN]),
    ];
    let models = ["generated", "untrained", "base"];
    let of_table = |(name, first, second): (&str, [f64; 3], [f64; 3])| {
        let of_split = |split, values: [f64; 3]| {
            models
                .into_iter()
                .zip(values)
                .map(|(model, value)| row(name, split, model, value))
                .collect::<Vec<_>>()
        };
        [of_split(0, first), of_split(1, second)].concat()
    };
    figures.into_iter().flat_map(of_table).collect()
}

/// Figures of the outside scorer's own steps (pandas 3.1.1) on the same numbers: splits that lack a model are left
/// out, splits averaged within a table, ties share a rank.
#[test]
fn figures_are_those_of_the_outside_summary() {
    let summary = summarise(&rows(), &[], "generated", &Registry::default());
    let [block] = &summary.blocks[..] else { panic!("{summary}") };
    assert_eq!((block.metric, block.n_support, block.n_tables), (Metric::LogLoss, 32, 4));
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    for (model, mean, median, mean_rank) in [
        ("untrained", 0.511375, 0.54, 1.75),
        ("base", 0.524375, 0.544, 2.0),
        ("generated", 0.51425, 0.53525, 2.25),
    ] {
        let found = block.models.iter().find(|found| found.model == model).unwrap();
        close(found.mean, mean);
        close(found.median, median);
        close(found.mean_rank, mean_rank);
    }
    assert_eq!(block.models[0].model, "untrained");
    // The intervals are those of all 256 ways to draw four of four tables, listed in Python: the means next to the
    // quantiles are equal, so that 10,000 draws of them find the same.
    for (other, difference, low, high) in
        [("base", -0.010125, -0.165625, 0.12075), ("untrained", 0.002875, -0.0695, 0.06025)]
    {
        let paired = block.paired.iter().find(|paired| paired.other == other).unwrap();
        close(paired.mean_difference, difference);
        close(paired.interval.unwrap().low, low);
        close(paired.interval.unwrap().high, high);
        assert_eq!((paired.wins, paired.ties, paired.losses), (1, 1, 2), "{other}");
    }
    // Of the opponents the better one by mean rank is first.
    assert_eq!((block.paired[0].other.as_str(), block.n_splits), ("untrained", 7));
    // scipy 1.17.1: studentized_range.ppf(0.95, 3, inf) / sqrt(2) * sqrt(3 * 4 / (6 * 4))
    assert!((block.critical_difference.unwrap() - 1.6572467).abs() < 1e-5, "{block}");
    assert_eq!(block.groups, [(0, 2)]);
    let table = block.tables.iter().find(|table| table.name == "c").unwrap();
    for (place, expected) in [0.286, 0.588, 0.3575].into_iter().enumerate() {
        close(table.values[place], expected);
    }
    let text = summary.to_string();
    assert!(text.contains("+0.0029 (-0.0695 to +0.0603), 1/1/2"), "{text}");
}

/// 0.9 and 1.0 are as far from the nominal 0.95; 0.94 is nearer than both.
#[test]
fn the_best_coverage_is_the_nominal_one() {
    let row = |name: &str, model: &str, coverage: f64| {
        let key = RowKey { name: name.into(), n_support: 32, split: 0, model: model.into() };
        let empty = ResultRow::empty(key, TaskType::Regression);
        ResultRow { coverage: Some(coverage), rmse: Some(coverage), r2: Some(0.5), ..empty }
    };
    let rows = [
        row("a", "generated", 0.94),
        row("a", "wide", 1.0),
        row("b", "generated", 0.8),
        row("b", "wide", 0.99),
        row("c", "generated", 0.94),
        row("c", "wide", 0.9),
    ];
    let summary = summarise(&rows, &[], "generated", &Registry::default());
    let [block] = &summary.blocks[..] else { panic!("no metric but the coverage is averaged: {summary}") };
    assert_eq!((block.metric, block.models[0].model.as_str()), (Metric::Coverage, "generated"));
    let paired = &block.paired[0];
    assert_eq!((paired.wins, paired.ties, paired.losses), (2, 0, 1));
    // Distances 0.01, 0.15, 0.01 and 0.05, 0.04, 0.05.
    assert!((paired.mean_difference - (0.17 - 0.14) / 3.0).abs() < 1e-12);
    assert!((block.models[0].mean - (0.94 + 0.8 + 0.94) / 3.0).abs() < 1e-12);
}

/// What an outside scorer does not measure is no reason to leave it out for us.
#[test]
fn models_without_a_metric_do_not_hide_it() {
    let with_brier = |row: ResultRow| ResultRow { brier: row.log_loss, ..row };
    let ours: Vec<ResultRow> = rows().into_iter().map(with_brier).collect();
    let summary = summarise(&ours, &rows(), "generated", &Registry::default());
    let n_models: Vec<(Metric, usize)> =
        summary.blocks.iter().map(|block| (block.metric, block.models.len())).collect();
    assert_eq!(n_models, [(Metric::LogLoss, 6), (Metric::Brier, 3)]);
    assert_eq!(summary.blocks[1].n_tables, 4);
}

#[test]
fn baselines_count_only_where_we_have_results() {
    let ours: Vec<ResultRow> =
        rows().into_iter().filter(|row| row.model == "generated" && row.name != "a").collect();
    let mut failed = row("e", 0, "generated", 0.0);
    failed.error = Some("too wide".into());
    let ours = [ours, vec![failed]].concat();
    let baselines: Vec<ResultRow> =
        rows().into_iter().map(|row| ResultRow { model: "generated".into(), ..row }).collect();
    let summary = summarise(&ours, &baselines, "generated", &Registry::default());
    let names: Vec<&str> = summary.blocks[0].models.iter().map(|model| model.model.as_str()).collect();
    assert!(names.contains(&"generated") && names.contains(&"baseline:generated") && names.len() == 2);
    assert_eq!((summary.blocks[0].n_tables, summary.n_errors), (3, 1));
    let text = summary.to_string();
    assert!(text.contains("1 rows with an error, the first: e, 32 rows, generated: too wide"), "{text}");
}
