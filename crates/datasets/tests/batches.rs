//! Tables of Parquet and Arrow files, and of compressed text, are what they are as CSV.

#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use arrow_array::{
    Array, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, StructArray,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use weightsmith_datasets::{Labelled, Source, read_labelled, read_rows};

const N_ROWS: i64 = 60;

/// Numbers with gaps, names with gaps, dates, and classes that are numbers.
fn batch() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "real",
            Arc::new(
                (0..N_ROWS).map(|row| (row % 9 != 4).then_some(row as f64 / 8.0)).collect::<Float64Array>(),
            ),
        ),
        (
            "name",
            Arc::new(
                (0..N_ROWS)
                    .map(|row| ["red", "green, or so", "blue"].get(row as usize % 4).copied())
                    .collect::<StringArray>(),
            ),
        ),
        ("when", Arc::new((0..N_ROWS).map(|row| Some(19_000 + 13 * row as i32)).collect::<Date32Array>())),
        ("y", Arc::new((0..N_ROWS).map(|row| Some(row % 3)).collect::<Int64Array>())),
    ];
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<Field>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

/// The same table as text, written here and not by the code under test.
fn csv() -> String {
    let mut text = "real,name,when,y\n".to_string();
    for row in 0..N_ROWS {
        let real = if row % 9 == 4 { String::new() } else { (row as f64 / 8.0).to_string() };
        let name = ["red", "\"green, or so\"", "blue", ""][row as usize % 4];
        // Day 19,000 is the eighth of January 2022.
        let mut day = 7 + 13 * row;
        let mut date = (2022, 1);
        loop {
            let length = match date.1 {
                2 if date.0 % 4 == 0 => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if day < length {
                break;
            }
            day -= length;
            date = if date.1 == 12 { (date.0 + 1, 1) } else { (date.0, date.1 + 1) };
        }
        text += &format!("{real},{name},{}-{:02}-{:02},{}\n", date.0, date.1, day + 1, row % 3);
    }
    text
}

fn parquet(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(17))
        .build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn read(path: &Path) -> Labelled {
    read_labelled(&Source::File(path.into()), "y", None).unwrap()
}

#[test]
fn every_format_gives_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("t.csv"), csv()).unwrap();
    let expected = read(&path("t.csv"));
    assert_eq!(expected.table.columns().len(), 2 + 4, "the date is its parts, without the hour");
    let mut stream = StreamWriter::try_new(Vec::new(), &batch().schema()).unwrap();
    stream.write(&batch().slice(0, 31)).unwrap();
    stream.write(&batch().slice(31, 29)).unwrap();
    let files = [
        ("t.parquet", parquet(&batch(), Compression::UNCOMPRESSED)),
        ("t.snappy.parquet", parquet(&batch(), Compression::SNAPPY)),
        ("t.zstd.parquet", parquet(&batch(), Compression::ZSTD(ZstdLevel::default()))),
        ("t.arrow", arrow_file(&batch())),
        ("t.arrows", stream.into_inner().unwrap()),
        ("t.csv.zst", zstd::encode_all(csv().as_bytes(), 3).unwrap()),
        ("t.arrow.zst", zstd::encode_all(arrow_file(&batch()).as_slice(), 3).unwrap()),
    ];
    let schema = expected.table.schema();
    for (name, bytes) in files {
        fs::write(path(name), bytes).unwrap();
        let found = read(&path(name));
        // Missing numbers are unequal, so that texts are compared.
        let texts = |read: &Labelled| format!("{:?} {:?} {:?}", read.table, read.target, read.notes);
        assert_eq!(texts(&found), texts(&expected), "{name}");
        let rows = read_rows(&Source::File(path(name)), &schema).unwrap();
        assert_eq!(format!("{:?}", rows.table), format!("{:?}", expected.table), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        read_labelled(&Source::File(path), "y", None).unwrap_err().to_string()
    };
    let whole = parquet(&batch(), Compression::SNAPPY);
    assert!(error("half.parquet", &whole[..whole.len() / 2]).contains("cannot be read as Parquet"));
    assert!(error("half.arrow", &arrow_file(&batch())[..900]).contains("cannot be read as Arrow"));
    assert!(error("empty.parquet", &parquet(&batch().slice(0, 0), Compression::SNAPPY)).contains("no rows"));
    let inner: ArrayRef = Arc::new(Int64Array::from_iter_values(0..4));
    let nested = StructArray::from(vec![(Arc::new(Field::new("a", DataType::Int64, true)), inner)]);
    let schema = Schema::new(vec![Field::new("parts", nested.data_type().clone(), true)]);
    let nested = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(nested)]).unwrap();
    assert!(error("nested.arrow", &arrow_file(&nested)).contains("column \"parts\" is of type"));
}
