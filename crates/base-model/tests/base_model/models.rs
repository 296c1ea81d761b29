//! Models and tables that the tests share.

use rand::Rng;
use std::convert::Infallible;
use std::marker::PhantomData;
use weightsmith_base_model::{
    Activation, Architecture, BaseModel, EncodedColumn, Encoding, ExpectedMetric, ExpectedPerformance,
    HeldOutErrors, HostWeights, Ngrams, Provenance, SupportInfo, TargetUnit, TextColumn, Transform,
};
use weightsmith_tasks::{Column, ColumnType, ColumnValues, Seed, Table, TaskType};

/// Weights of an architecture, uniform in ±1.
pub(crate) fn random_weights(architecture: &Architecture, seed: u64) -> HostWeights {
    let mut rng = Seed(seed).stream("weights");
    let made = HostWeights::from_named(architecture, |_, shape| {
        Ok::<_, Infallible>((0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect())
    });
    made.unwrap()
}

/// An encoding with every transform.
pub(crate) fn encoding() -> Encoding {
    let inputs = vec![
        ("age, in years".to_string(), ColumnType::Numeric),
        ("colour \"🎨\"".to_string(), ColumnType::Categorical),
    ];
    let level = |level: &str| Transform::Level { level: level.to_string(), centre: 0.25 };
    let knots = vec![[-10.5, -2.25], [0.0, -0.1], [3.25, 0.3], [41.0, 1.75]];
    let transforms = [
        (0, Transform::Standard { centre: 37.3, scale: 11.9 }),
        (0, Transform::GaussianRank { knots }),
        (0, Transform::Missing { centre: 0.125 }),
        (1, level("red, \"dark\"")),
        (1, level("grün\nmatt")),
        (
            1,
            Transform::OtherLevel {
                levels: vec!["red, \"dark\"".to_string(), "grün\nmatt".to_string()],
                centre: 0.3,
            },
        ),
        (1, Transform::MissingLevel { centre: 0.2 }),
        (1, Transform::Constant),
    ];
    let columns = transforms.map(|(source, transform)| EncodedColumn { source, transform });
    Encoding::new(inputs, columns.to_vec()).unwrap()
}

/// A column of text with every kind of n-gram, some of which only look alike.
pub(crate) fn text() -> TextColumn {
    let ngrams = |ngrams: &[&str], texts: &[u32]| Ngrams {
        ngrams: ngrams.iter().map(ToString::to_string).collect(),
        texts: texts.to_vec(),
        weights: vec![
            (0..ngrams.len()).map(|at| at as f32 * 0.37 - 0.8).collect(),
            (0..ngrams.len()).map(|at| 1.0 / (at as f32 + 0.7)).collect(),
        ],
    };
    TextColumn {
        column: "note, \"free\"".into(),
        scores: vec!["score \"a\"".into(), "score b".into()],
        n_texts: 7,
        words: ngrams(&["50", "don t", "free", "free prize", "grüße", "t", "😀😀"], &[1, 2, 7, 3, 1, 2, 1]),
        pieces: ngrams(&[" fre", " gr", "!!!", "ee ", "i̇", "n't", "üß", "😀"], &[3, 1, 7, 1, 7, 1, 2, 2]),
    }
}

/// An encoding that reads the text of [`text`], and a number.
pub(crate) fn text_encoding() -> Encoding {
    let numeric = |name: &str| (name.to_string(), ColumnType::Numeric);
    let inputs = vec![numeric("age, in years"), numeric("score b"), numeric("score \"a\"")];
    let transforms = [
        (0, Transform::Standard { centre: 37.3, scale: 11.9 }),
        (1, Transform::GaussianRank { knots: vec![[-0.5, -1.5], [0.1, 0.25], [2.0, 1.5]] }),
        (2, Transform::Standard { centre: 0.1, scale: 0.4 }),
        (2, Transform::Missing { centre: 0.125 }),
    ];
    let columns = transforms.map(|(source, transform)| EncodedColumn { source, transform });
    Encoding::new(inputs, columns.to_vec()).unwrap().with_texts(&[text()]).unwrap()
}

/// Rows for [`encoding`]: missing, unseen and extreme values among them, and a level that only looks missing.
pub(crate) fn table() -> Table {
    let ages = vec![38.5, f64::NAN, -1e12, 41.0, f64::NAN, 40.999, f64::NAN, 1e300, -10.5, 0.1];
    let levels = ["red, \"dark\"", "grün\nmatt", "NA", "blue"].map(String::from).to_vec();
    let codes = [0, 1, 2, 9, 3, 0, 9, 1, 1, 2].map(|code| (code < 4).then_some(code)).to_vec();
    let texts = [
        "FREE prize!!! Free, free prizes...",
        "grüße: don't \u{2014} GRÜSSE\u{3000}t",
        "İstanbul 😀😀😀 50%",
        " ",
        "nothing known",
        "ΟΔΟΣ ΣΑΣ, don\tt 😀😀\u{a0}free",
    ];
    let notes = [0, 1, 2, 9, 3, 4, 5, 5, 0, 9].map(|code| (code < 6).then_some(code)).to_vec();
    let texts = texts.map(String::from).to_vec();
    let columns = vec![
        Column {
            name: "note, \"free\"".into(),
            values: ColumnValues::Categorical { levels: texts, codes: notes },
        },
        Column { name: "colour \"🎨\"".into(), values: ColumnValues::Categorical { levels, codes } },
        Column { name: "age, in years".into(), values: ColumnValues::Numeric(ages) },
    ];
    Table::new(10, columns).unwrap()
}

fn architecture(hidden: Vec<usize>, n_outputs: usize, activation: Activation, skip: bool) -> Architecture {
    Architecture { n_inputs: encoding().n_columns(), hidden, n_outputs, activation, skip }
}

fn model(architecture: Architecture, class_names: &[&str], residual_std: Option<f32>) -> BaseModel {
    let regression = class_names.is_empty();
    BaseModel {
        encoding: encoding(),
        weights: random_weights(&architecture, 5),
        architecture,
        task_type: if regression { TaskType::Regression } else { TaskType::Classification },
        class_names: class_names.iter().map(|name| (*name).to_string()).collect(),
        target_unit: None,
        provenance: Provenance { name: "tabby \"1\"".into(), checksum: "00ff".into() },
        support: SupportInfo { n_rows: 128, checksum: "abcd".into() },
        expected: Some(ExpectedPerformance {
            metric: if regression { ExpectedMetric::Rmse } else { ExpectedMetric::LogLoss },
            value: 0.41,
            low: 0.31,
            high: 0.517,
            residual_std,
        }),
        held_out: HeldOutErrors::of(vec![0.25, 0.125, 0.5]),
        level: PhantomData,
    }
}

/// Three classes, one hidden layer, the skip path.
pub(crate) fn classifier() -> BaseModel {
    model(architecture(vec![6], 3, Activation::Relu, true), &["no, thanks", "\"maybe\"", "yes 👍"], None)
}

/// Two classes, two hidden layers, no skip path.
pub(crate) fn deep_classifier() -> BaseModel {
    model(architecture(vec![5, 4], 2, Activation::Gelu, false), &["0", "1"], None)
}

/// A number, one hidden layer.
pub(crate) fn regressor() -> BaseModel {
    model(architecture(vec![7], 1, Activation::Tanh, true), &[], Some(2.75))
}

/// A number far from 0.
pub(crate) fn distant_regressor() -> BaseModel {
    let target_unit = Some(TargetUnit { centre: 2.5e12, scale: 2.75 });
    BaseModel { target_unit, ..regressor() }
}

/// A number, no hidden layer.
pub(crate) fn linear_regressor() -> BaseModel {
    model(architecture(vec![], 1, Activation::Relu, true), &[], Some(0.5))
}

/// Two classes, one hidden layer, text among the inputs.
pub(crate) fn text_classifier() -> BaseModel {
    let encoding = text_encoding();
    let architecture = Architecture {
        n_inputs: encoding.n_columns(),
        hidden: vec![4],
        n_outputs: 2,
        activation: Activation::Relu,
        skip: true,
    };
    let mut model = model(architecture, &["ham", "spam"], None);
    model.encoding = encoding;
    model
}

/// One of each kind.
pub(crate) fn all() -> [BaseModel; 6] {
    [classifier(), deep_classifier(), regressor(), distant_regressor(), linear_regressor(), text_classifier()]
}
