use super::*;

fn rows() -> Vec<ResultRow> {
    let key = RowKey { name: "a, \"b\"".into(), n_support: 32, split: 1, model: "generated".into() };
    let empty = ResultRow::empty(key, TaskType::Regression);
    let failed = ResultRow { error: Some("too few rows".into()), ..empty.clone() };
    let values = crate::metrics::regression_scores(&[1.0, 2.0], Some(0.3), &[1.0, 2.5]);
    let scored = empty.clone().scored(&values, 0.1234567, 0.2);
    assert_eq!((scored.seconds, scored.r2, scored.coverage), (Some(0.12346), Some(0.77778), Some(1.0)));
    assert_eq!((scored.wall_seconds, scored.rmse), (Some(0.2), Some(0.125f64.sqrt())));
    let classes = crate::metrics::classification_scores(&[0.5, 0.5, 0.1, 0.9], 2, &[1, 1]);
    let key = RowKey { name: "c".into(), ..empty.key() };
    let of_classes = ResultRow::empty(key, TaskType::Classification).scored(&classes, 0.1, 0.1);
    assert_eq!((of_classes.auc, of_classes.brier), (None, Some(0.26)));
    vec![failed, scored, of_classes]
}

#[test]
fn rows_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["results.csv", "results.parquet", "RESULTS.CSV"] {
        let path = folder.path().join(name);
        write_results(&path, &rows()).unwrap();
        assert_eq!(read_results(&path).unwrap(), rows(), "{name}");
        write_results(&path, &[]).unwrap();
        assert_eq!(read_results(&path).unwrap(), [], "{name}");
    }
    let header = "name,task,short,split,model,accuracy,auc,logloss,r2,r2_clipped,seconds,error,\
                  brier,calibration_error,rmse,coverage,wall_seconds,metamodel\n";
    assert!(csv_bytes(&rows()).starts_with(header.as_bytes()));
}

/// What is read is the outside scorer's, and what an earlier version of this program wrote.
#[test]
fn files_without_the_later_columns_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.csv");
    let text = "name,task,short,split,model,accuracy,auc,logloss,r2,r2_clipped,seconds,error\n\
                t,classification,32,0,knn,0.5,0.75,0.6,,,0.01,\n";
    std::fs::write(&path, text).unwrap();
    let read = read_results(&path).unwrap();
    assert_eq!((read[0].auc, read[0].brier, read[0].wall_seconds), (Some(0.75), None, None));
    let mut columns = columns::of_rows(&read);
    columns.retain(|column| !["brier", "wall_seconds"].contains(&column.name.as_str()));
    let path = folder.path().join("results.parquet");
    std::fs::write(&path, parquet_bytes(&columns).unwrap()).unwrap();
    assert_eq!(read_results(&path).unwrap(), read);
}

#[test]
fn none_is_not_a_number_that_is_none() {
    let row = ResultRow { rmse: Some(f64::NAN), r2: Some(f64::NEG_INFINITY), ..rows().remove(1) };
    let folder = tempfile::tempdir().unwrap();
    for name in ["results.csv", "results.parquet"] {
        let path = folder.path().join(name);
        write_results(&path, std::slice::from_ref(&row)).unwrap();
        let read = read_results(&path).unwrap().remove(0);
        assert!(read.rmse.is_some_and(f64::is_nan) && read.auc.is_none(), "{name}: {read:?}");
        assert_eq!(read.r2, row.r2, "{name}");
        assert_eq!((read.get(Metric::Rmse), read.get(Metric::R2)), (None, None));
    }
}

#[test]
fn files_that_hold_no_results_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = read_results(&path).unwrap_err();
        let text = weightsmith_runtime::in_one_line(&error);
        assert!(text.contains(expected), "{name}: {text}");
    };
    check("a.csv", b"a,b\n1,2\n", "cannot read the results in");
    check("a.parquet", b"a,b\n1,2\n", "cannot read the results in");
    check("a.json", b"[]", "neither .csv nor .parquet");
    check("results", b"", "neither .csv nor .parquet");
    let without = |name: &str| {
        let mut columns = columns::of_rows(&rows());
        columns.retain(|column| column.name != name);
        parquet_bytes(&columns).unwrap()
    };
    check("b.parquet", &without("model"), "column \"model\" is missing");
    let mut columns = columns::of_rows(&rows());
    columns[1].values = crate::parquet::ParquetValues::Text(vec![Some("clustering".into()); 3]);
    check("c.parquet", &parquet_bytes(&columns).unwrap(), "row 1: column \"task\"");
}
