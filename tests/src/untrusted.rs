//! What reads bytes that anybody may have written, a function for each format: each takes any bytes, must not panic, and
//! panics where a law is broken.
//!
//! The fuzz targets in `fuzz/` call these for as long as one likes; `tests/untrusted.rs` calls them with [`seeds`] and with
//! some thousand [mutants](mutate) of them.

use burn::tensor::Device;
use rand::Rng;
use std::error::Error;
use std::io::Write;
use tempfile::NamedTempFile;
use weightsmith_base_model::{BaseModel, Precision, TextColumn, inspect, read_weights};
use weightsmith_datasets::{Source, read_labelled};
use weightsmith_experiments::TrainingConfig;
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_metamodel::{Checkpoint, MetaParams, MetamodelConfig, Pretrained};
use weightsmith_tasks::{Base, Column, ColumnValues, Seed, Support, Table, Target, TaskType};
use weightsmith_training::{
    Batch, LearnedStart, StartAlgorithm, StartConfig, StartFile, StartState, fit_linear,
};

/// A format: its name, which is that of its fuzz target, and what reads it.
pub type Reader = (&'static str, fn(&[u8]));

/// All of them.
pub const READERS: [Reader; 6] = [
    ("csv", csv),
    ("batches", csv),
    ("weights", weights),
    ("checkpoint", checkpoint),
    ("start", start),
    ("config", config),
];

/// A table to learn from, with the target `y`. What is read has a label for each row and no infinite number.
///
/// # Panics
/// If the law is broken, or the system gives no temporary file.
pub fn csv(bytes: &[u8]) {
    let file = written(bytes);
    match read_labelled(&Source::File(file.path().into()), "y", None) {
        Ok(read) => {
            assert!(
                read.table.n_rows() > 0 && read.table.n_rows() == read.target.len(),
                "a label for each row"
            );
            assert!(read.table.columns().iter().all(|column| column.values.len() == read.table.n_rows()));
        }
        Err(error) => assert_one_line(&error),
    }
}

/// A file of a base model. What is read is valid, and saved and read again it is the same.
///
/// # Panics
/// If the law is broken, or the system gives no temporary file.
pub fn weights(bytes: &[u8]) {
    match BaseModel::<Base>::from_bytes(bytes) {
        Ok(model) => {
            model.validate().expect("what was read is checked");
            let saved = model.to_bytes(Precision::F32).expect("what is valid can be saved");
            let again = BaseModel::<Base>::from_bytes(&saved).expect("what was saved can be read");
            assert_eq!(again, model, "saved and read again");
        }
        Err(error) => assert_one_line(&error),
    }
    let file = written(bytes);
    for error in [inspect(file.path()).err(), read_weights(file.path()).err()].into_iter().flatten() {
        assert_one_line(&error);
    }
}

/// A file of a metamodel. What is read and saved reads as the same; it becomes a network, or its parameters are refused.
///
/// # Panics
/// If the law is broken.
pub fn checkpoint(bytes: &[u8]) {
    match Checkpoint::from_bytes(bytes) {
        Ok(read) => {
            let saved = read.to_bytes(Precision::F32).expect("what was read can be saved");
            let again = Checkpoint::from_bytes(&saved).expect("what was saved can be read");
            // Numbers may be NaN, which is not equal to itself: the bytes are compared.
            assert_eq!(again.to_bytes(Precision::F32).expect("saved once"), saved, "saved and read again");
            if let Err(error) = Pretrained::from_bytes("untrusted", bytes, &Device::flex()) {
                assert_one_line(&error);
            }
        }
        Err(error) => assert_one_line(&error),
    }
}

/// A file of a learned start, or of its training. What is read and saved reads as the same, and the start can be stepped.
///
/// # Panics
/// If the law is broken.
pub fn start(bytes: &[u8]) {
    match StartFile::from_bytes(bytes) {
        Ok(read) => {
            let again = StartFile::from_bytes(&read.to_bytes()).expect("what was read can be read again");
            assert_eq!(again, read, "saved and read again");
            let LearnedStart { mlp, params, .. } = &read.start;
            let rows = Batch { inputs: vec![0.5; mlp.n_inputs], targets: vec![1.0] };
            assert_eq!(read.start.adapt(&rows, 1).len(), params.len());
        }
        Err(error) => assert_one_line(&error),
    }
}

/// The configuration of a training. What is read is valid, and written and read again it is the same.
///
/// # Panics
/// If the law is broken, or the system gives no temporary file.
pub fn config(bytes: &[u8]) {
    let file = written(bytes);
    if let Ok(experiment) = TrainingConfig::read(file.path()) {
        let text = match &experiment {
            TrainingConfig::Metamodel(experiment) => toml::to_string(experiment),
            TrainingConfig::Start(experiment) => toml::to_string(experiment),
        };
        let text = text.expect("a configuration is plain data");
        let again =
            TrainingConfig::read(written(text.as_bytes()).path()).expect("what was written can be read");
        assert_eq!(again, experiment, "written and read again");
    }
}

fn written(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("the system gives a temporary file");
    file.write_all(bytes).expect("the system has room for it");
    file
}

/// An error is a line that says something.
fn assert_one_line(error: &dyn Error) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text:?}");
}

/// Files that a reader takes, small ones that have all parts of the format, to begin a search at.
///
/// # Panics
/// If there is no reader of this name.
pub fn seeds(reader: &str) -> Vec<Vec<u8>> {
    match reader {
        "csv" => TABLES.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "batches" => BATCHES.map(<[u8]>::to_vec).to_vec(),
        "weights" => vec![linear_model(), generated_model(), text_model()],
        "checkpoint" => [TaskType::Classification, TaskType::Regression].map(metamodel).to_vec(),
        "start" => [StartAlgorithm::MetaSgd, StartAlgorithm::RidgeHead].map(learned_start).to_vec(),
        "config" => {
            let task_types = ["classification", "regression"];
            let configs = task_types.map(|task_type| crate::tiny_experiment(task_type, 7, 20).into_bytes());
            let others = [LONG_CONFIG, START_CONFIG].map(|text| text.as_bytes().to_vec());
            configs.into_iter().chain(others).collect()
        }
        other => panic!("there is no reader called {other}"),
    }
}

/// Quotes, line ends, a byte order mark, missing cells, numbers and classes.
const TABLES: [&str; 4] = [
    "a,b,y\n1,x,0\n2.5,,1\n,z,0\n-3e-2,x,1\n4,z,0\n",
    "\u{feff}\"a \"\"1\"\"\",\"b\r\nc\",y\r\nNA,\"1,5\",yes\r\n7,\"\",no\r\n?,\" \",yes\r\n9,\"2\",no\r\n",
    "y,x\n0.5,1\n1.5,2\n2.5,3\n100,4\n-7e3,5\n",
    "x,y\nq,a\nr,b\nq,a\nr,b\nq,c\nr,c\n",
];

/// The same 24 rows of numbers, names, dates and classes in Parquet (snappy and dictionaries; zstd), Arrow (as it is; LZ4), an
/// Arrow stream, as pyarrow wrote them; and CSV that zstd compressed.
const BATCHES: [&[u8]; 6] = [
    include_bytes!("../data/seed.parquet"),
    include_bytes!("../data/seed-zstd.parquet"),
    include_bytes!("../data/seed.arrow"),
    include_bytes!("../data/seed-lz4.arrow"),
    include_bytes!("../data/seed.arrows"),
    include_bytes!("../data/seed.csv.zst"),
];

const START_CONFIG: &str = include_str!("../../models/starts/meta-sgd.toml");
const LONG_CONFIG: &str = include_str!("../../models/classification-3/train.toml");

/// Numbers and names with gaps, and classes.
fn support() -> Support<Base> {
    let cell = |row: usize| if row % 5 == 4 { f64::NAN } else { (row * 7 % 11) as f64 };
    let codes = (0..24).map(|row| if row % 7 == 6 { None } else { Some((row % 3) as u32) }).collect();
    let columns = vec![
        Column { name: "number".into(), values: ColumnValues::Numeric((0..24).map(cell).collect()) },
        Column {
            name: "level \"ü\"".into(),
            values: ColumnValues::Categorical { levels: ["u", "v", "w"].map(str::to_string).to_vec(), codes },
        },
    ];
    let table = Table::new(24, columns).expect("columns of one length");
    let class_names = vec!["no".to_string(), "yes".to_string()];
    let labels = (0..24).map(|row| usize::from(row * 5 % 7 > 2)).collect();
    Support::new(table, Target::Classes { class_names, labels }).expect("a label for each row")
}

fn linear_model() -> Vec<u8> {
    let model = fit_linear(&support(), Seed(1)).expect("two classes can be told apart");
    model.to_bytes(Precision::F32).expect("a fitted model can be saved")
}

fn generated_model() -> Vec<u8> {
    let bytes = metamodel(TaskType::Classification);
    let pretrained = Pretrained::from_bytes("tiny", &bytes, &Device::flex()).expect("it was just saved");
    let options =
        GenerateOptions { n_views: 2, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0), seed: Seed(0) };
    let (model, _) =
        generate_base_model(&pretrained, &support(), options).expect("enough rows of two classes");
    model.to_bytes(Precision::F16).expect("its numbers are small")
}

/// A linear model of the scores of a column of text.
fn text_model() -> Vec<u8> {
    let plain = support();
    let levels = ["ring the bell", "the bell is free", "Grüße, free!"].map(str::to_string).to_vec();
    let codes = (0..24).map(|row| if row % 7 == 6 { None } else { Some((row % 3) as u32) }).collect();
    let texts = ColumnValues::Categorical { levels, codes };
    let fitted = TextColumn::fit("text", &texts, plain.target()).expect("texts have words");
    let table = Table::new(24, fitted.columns).expect("columns of one length");
    let numbers = Support::new(table, plain.target().clone()).expect("a label for each row");
    let mut model = fit_linear(&numbers, Seed(1)).expect("two classes can be told apart");
    model.encoding = model.encoding.with_texts(&[fitted.text]).expect("inputs are made of the text");
    model.to_bytes(Precision::F32).expect("a fitted model can be saved")
}

/// A start that was drawn and never trained, small enough that a mutant changes its description as often as its numbers.
fn learned_start(algorithm: StartAlgorithm) -> Vec<u8> {
    let text = START_CONFIG.split_once("[start]").expect("the file trains a start").1.replace("start.", "");
    let mut config: StartConfig = toml::from_str(&text).expect("the file is read in a test");
    (config.hidden, config.inner.algorithm) = (vec![3, 2], algorithm);
    let state = StartState::new(&config).expect("the settings are within their ranges");
    StartFile::of_training(&config, &state).to_bytes()
}

/// One that was drawn and never trained, with an array of a training beside it.
fn metamodel(task_type: TaskType) -> Vec<u8> {
    let config = MetamodelConfig::tiny(task_type);
    let params = MetaParams::draw(&config, Seed(1)).expect("a tiny one can be");
    let arrays = vec![("training.first".to_string(), vec![1.0, 2.0])];
    let checkpoint = Checkpoint { config, trained: "not at all".into(), params, arrays };
    checkpoint.to_bytes(Precision::F16).expect("drawn numbers are small")
}

/// Changes a few places: bits, bytes, numbers, runs of bytes that are left out, doubled, or come from `other`. Half of the
/// changes are near the beginning, where formats have their headers.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
    for _ in 0..rng.random_range(1..=4) {
        let n = bytes.len();
        if n == 0 {
            bytes.extend_from_slice(other);
            continue;
        }
        let reach = if rng.random_bool(0.5) { n.min(2048) } else { n };
        let at = rng.random_range(0..reach);
        let run = rng.random_range(1..=16).min(n - at);
        match rng.random_range(0..9) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = [0, 1, 9, 10, 13, 34, 44, 45, 0x7f, 0x80, 0xff][rng.random_range(0..11)],
            2 => bytes[at] = rng.random(),
            3 => _ = bytes.drain(at..at + run),
            4 => {
                let doubled = bytes[at..at + run].to_vec();
                bytes.splice(at..at, doubled);
            }
            5 if !other.is_empty() => {
                let from = rng.random_range(0..other.len());
                let to = (from + rng.random_range(1..=64)).min(other.len());
                bytes.splice(at..at + run, other[from..to].iter().copied());
            }
            6 => bytes.truncate(at),
            // A digit that begins a number becomes a number that is awkward.
            7 => {
                let digit = (at..n).find(|&place| bytes[place].is_ascii_digit()).unwrap_or(at);
                let awkward: [&[u8]; 8] = [
                    b"-1",
                    b"0",
                    b"1e308",
                    b"1e999",
                    b"nan",
                    b"18446744073709551615",
                    b"1e-320",
                    b"4294967296",
                ];
                bytes.splice(digit..digit + 1, awkward[rng.random_range(0..8)].iter().copied());
            }
            _ => bytes[at..at + run].reverse(),
        }
    }
}
