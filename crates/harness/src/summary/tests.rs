use super::*;
use crate::results::RowKey;

fn row(name: &str, split: u32, model: &str, logloss: f64) -> ResultRow {
    let key = RowKey { name: name.into(), short: 32, split, model: model.into() };
    let empty = ResultRow::empty(key, TaskType::Classification);
    ResultRow { logloss: Some(logloss), seconds: Some(logloss / 10.0), ..empty }
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
    let summary = summarise(&rows(), &[], "generated");
    let [block] = &summary.blocks[..] else { panic!("{summary}") };
    assert_eq!((block.metric, block.short, block.n_tables), (Metric::LogLoss, 32, 4));
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
    for (other, difference, share) in [("base", -0.010125, 0.25), ("untrained", 0.002875, 0.25)] {
        let paired = block.paired.iter().find(|paired| paired.other == other).unwrap();
        close(paired.mean_difference, difference);
        close(paired.better_share, share);
    }
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
    let summary = summarise(&ours, &baselines, "generated");
    let names: Vec<&str> = summary.blocks[0].models.iter().map(|model| model.model.as_str()).collect();
    assert!(names.contains(&"generated") && names.contains(&"baseline:generated") && names.len() == 2);
    assert_eq!((summary.blocks[0].n_tables, summary.n_errors), (3, 1));
    let text = summary.to_string();
    assert!(text.contains("1 rows with an error, the first: e, 32 rows, generated: too wide"), "{text}");
}
