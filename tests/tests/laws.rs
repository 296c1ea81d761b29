//! Laws, each held against drawn examples: what is written reads back equal, and what should not matter does not.
//!
//! The draws are the same in every run. A failure shows the smallest example that proptest finds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use burn::tensor::{Device, Tensor, TensorData};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use rand::RngCore;
use std::collections::BTreeSet;
use std::fs;
use std::marker::PhantomData;
use weightsmith_base_model::{
    Activation, Architecture, BaseModel, Encoding, EncodingLimits, HostWeights, Precision, Weights,
};
use weightsmith_datasets::{Source, read_labelled, read_rows};
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Filter, Ledger, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_tasks::{
    Base, Column, ColumnType, ColumnValues, Seed, Support, Table, Target, TaskSplit, TaskType,
};
use weightsmith_training::fit_linear;

fn examples(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Any finite number of a table.
fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![4 => -100.0..100.0, 1 => NORMAL | POSITIVE | NEGATIVE, 1 => SUBNORMAL | ZERO]
}

/// Up to eight characters, those among them that formats have to quote.
fn text() -> impl Strategy<Value = String> {
    let characters: Vec<char> = "abcxyz09 ,;:.'\"\\\n\r\t{}[]<>&%\u{0}ßé漢🦀".chars().collect();
    vec(select(characters), 0..8).prop_map(String::from_iter)
}

/// A name that is no number and no word for what is missing, without the NUL that CSV files must not have.
fn name() -> impl Strategy<Value = String> {
    text().prop_map(|inside| format!("q{}q", inside.replace('\0', "")))
}

/// The values of a column, some of them missing.
fn column(n_rows: usize) -> impl Strategy<Value = ColumnValues> {
    let numbers = vec(proptest::option::weighted(0.9, number()), n_rows).prop_map(|values| {
        ColumnValues::Numeric(values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    });
    let levels = btree_set(name(), 1..5).prop_flat_map(move |levels| {
        let n_levels = levels.len() as u32;
        let levels: Vec<String> = levels.into_iter().collect();
        vec(proptest::option::weighted(0.9, 0..n_levels), n_rows)
            .prop_map(move |codes| ColumnValues::Categorical { levels: levels.clone(), codes })
    });
    prop_oneof![numbers, levels]
}

/// A table of at least as many rows, and one to five columns.
fn table(fewest_rows: usize) -> impl Strategy<Value = Table> {
    (fewest_rows..24, btree_set(name(), 1..6)).prop_flat_map(|(n_rows, names)| {
        vec(column(n_rows), names.len()).prop_map(move |values| {
            let columns = names.iter().cloned().zip(values).map(|(name, values)| Column { name, values });
            Table::new(n_rows, columns.collect()).unwrap()
        })
    })
}

/// A field as a person would write it, read back to the same number.
fn fields(values: &ColumnValues) -> Vec<String> {
    match values {
        ColumnValues::Numeric(values) => {
            values.iter().map(|v| if v.is_nan() { String::new() } else { format!("{v:e}") }).collect()
        }
        ColumnValues::Categorical { levels, codes } => codes
            .iter()
            .map(|code| code.map_or(String::new(), |code| levels[code as usize].clone()))
            .collect(),
    }
}

/// The bytes of a CSV file of a table and one more column.
fn csv_of(table: &Table, name: &str, more: &[String]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = table.columns().iter().map(|column| column.name.as_str());
    writer.write_record(names.chain([name])).unwrap();
    let columns: Vec<Vec<String>> = table.columns().iter().map(|column| fields(&column.values)).collect();
    for (row, last) in more.iter().enumerate() {
        let own = columns.iter().map(|column| column[row].as_str());
        writer.write_record(own.chain([last.as_str()])).unwrap();
    }
    writer.into_inner().unwrap()
}

/// What a reader can know of a column: numbers, or the name of every cell's level.
fn seen(values: &ColumnValues) -> (ColumnType, Vec<Option<String>>) {
    let cells = fields(values).into_iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty()));
    (values.column_type(), cells.collect())
}

proptest! {
    #![proptest_config(examples(128))]

    #[test]
    fn a_csv_file_reads_as_it_was_written(table in table(1)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let targets: Vec<String> = (0..table.n_rows()).map(|row| row.to_string()).collect();
        fs::write(&path, csv_of(&table, "y", &targets)).unwrap();
        let schema: Vec<(String, ColumnType)> =
            table.columns().iter().map(|c| (c.name.clone(), c.values.column_type())).collect();
        let read = read_rows(&Source::File(path.clone()), &schema).unwrap().table;
        prop_assert_eq!(read.columns().len(), table.columns().len());
        for (read, written) in read.columns().iter().zip(table.columns()) {
            prop_assert_eq!((&read.name, seen(&read.values)), (&written.name, seen(&written.values)));
        }
        // With labels, types follow from the values: a column of names is one, if it has a name at all.
        if table.n_rows() > 1 {
            let labelled = read_labelled(&Source::File(path), "y", Some(TaskType::Regression)).unwrap();
            prop_assert_eq!(&labelled.target, &Target::Values((0..table.n_rows()).map(|row| row as f64).collect()));
            for (read, written) in labelled.table.columns().iter().zip(table.columns()) {
                let (kind, cells) = seen(&written.values);
                let kind = if cells.iter().all(Option::is_none) { ColumnType::Numeric } else { kind };
                prop_assert_eq!((&read.name, seen(&read.values)), (&written.name, (kind, cells)));
            }
        }
    }

    #[test]
    fn a_row_is_encoded_alone_as_among_others(table in table(3), turn in 0usize..24) {
        let n = table.n_rows();
        let support: Support =
            Support::new(table.clone(), Target::Values((0..n).map(|row| row as f64).collect())).unwrap();
        let fitted = Encoding::fit(&support, &EncodingLimits::default()).unwrap();
        for encoding in [&fitted.standard, &fitted.gaussian_rank] {
            let rows = encoding.encode(&table).unwrap();
            prop_assert!(rows.values.iter().all(|value| value.is_finite()));
            let turned: Vec<usize> = (0..n).map(|row| (row + turn) % n).collect();
            let others = encoding.encode(support.select(&turned).table()).unwrap();
            for (at, &row) in turned.iter().enumerate() {
                prop_assert_eq!(others.row(at), rows.row(row));
            }
            let alone = encoding.encode(support.select(&[turn % n]).table()).unwrap();
            prop_assert_eq!(alone.row(0), rows.row(turn % n));
        }
    }
}

/// Any network of up to three hidden layers, with all its numbers in a row.
fn network() -> impl Strategy<Value = (Architecture, Vec<f32>)> {
    let shape = (1usize..6, vec(1usize..5, 0..4), 2usize..5, 0usize..3, any::<bool>());
    let architecture = shape.prop_map(|(n_inputs, hidden, n_outputs, function, skip)| Architecture {
        n_inputs,
        skip: skip || hidden.is_empty(),
        hidden,
        n_outputs,
        activation: [Activation::Relu, Activation::Tanh, Activation::Gelu][function],
    });
    architecture.prop_flat_map(|architecture| {
        use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        let numbers = vec(NORMAL | POSITIVE | NEGATIVE | SUBNORMAL | ZERO, architecture.n_weights());
        (Just(architecture), numbers)
    })
}

fn weights_of(architecture: &Architecture, numbers: &[f32]) -> HostWeights {
    let tensor = TensorData::new(numbers.to_vec(), [1, numbers.len()]);
    Weights::<Base>::from_numbers(&Tensor::from_data(tensor, &Device::flex()), architecture).to_host(0)
}

/// A model that predicts `n_outputs` classes from `n_inputs` numbers.
fn model(architecture: Architecture, weights: HostWeights) -> BaseModel {
    let (n, k) = (8, architecture.n_outputs);
    let column = |at: usize| Column {
        name: format!("x {at} \"ü\""),
        values: ColumnValues::Numeric((0..n).map(|row| ((row * 7 + at * 3) % 11) as f64 / 3.0).collect()),
    };
    let table = Table::new(n, (0..architecture.n_inputs).map(column).collect()).unwrap();
    let class_names = (0..k).map(|class| format!("class {class}")).collect();
    let target = Target::Classes { class_names, labels: (0..n).map(|row| row % k).collect() };
    let fitted = fit_linear(&Support::<Base>::new(table, target).unwrap(), Seed(1)).unwrap();
    BaseModel { architecture, weights, ..fitted }
}

proptest! {
    #![proptest_config(examples(128))]

    #[test]
    fn numbers_in_a_row_come_back_from_the_layers((architecture, numbers) in network()) {
        let weights = weights_of(&architecture, &numbers);
        prop_assert_eq!(weights.architecture(), architecture.clone());
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&weights.flatten()), bits(&numbers));
        let tensors = Weights::<Base>::from_host(&weights, &Device::flex());
        prop_assert_eq!(tensors.to_host(0), weights);
    }

    #[test]
    fn a_model_reads_as_it_was_saved((architecture, numbers) in network()) {
        let weights = weights_of(&architecture, &numbers);
        let model = model(architecture, weights);
        let bytes = model.to_bytes(Precision::F32).unwrap();
        let read = BaseModel::<Base>::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &model);
        prop_assert_eq!(&read.to_bytes(Precision::F32).unwrap(), &bytes);
        // What half precision has rounded it does not round again; numbers beyond its range are refused.
        for precision in [Precision::F16, Precision::Bf16] {
            if let Ok(bytes) = model.to_bytes(precision) {
                let read = BaseModel::<Base>::from_bytes(&bytes).unwrap();
                prop_assert_eq!(read.to_bytes(precision).unwrap(), bytes);
            }
        }
        // A file that was cut off anywhere is refused.
        for end in [0, 8, bytes.len() / 2, bytes.len() - 1] {
            prop_assert!(BaseModel::<Base>::from_bytes(&bytes[..end]).is_err());
        }
    }
}

fn named() -> impl Strategy<Value = Named> {
    let value = prop_oneof![text().prop_map(Value::Text), number().prop_map(Value::Number)];
    btree_map(text(), value, 0..5)
}

fn record() -> impl Strategy<Value = RunRecord<Base>> {
    let outcome = (text(), proptest::option::of(number()), 0u64..1 << 40, 0u64..1 << 40)
        .prop_map(|(metric, value, n_short, n_long)| Outcome { metric, value, n_short, n_long });
    let point = (proptest::option::of(number()), proptest::option::of(number()), number());
    let curve = vec((1u64..1000, point), 0..5).prop_map(|points| {
        let mut step = 0;
        let next = points.into_iter().map(|(more, (long_loss, short_loss, cpu_s))| {
            step += more;
            CurvePoint { step, long_loss, short_loss, cpu_s }
        });
        next.collect()
    });
    let texts = (text(), btree_set(text(), 1..4), text(), text());
    let numbers = (any::<u64>(), 0u64..1 << 40, number(), number(), 0usize..3, 0usize..3);
    (texts, numbers, [named(), named(), named()], outcome, curve).prop_map(
        |(
            (task, roots, code_version, device),
            (seed, n_steps, cpu_s, wall_s, role, split),
            [recipe, features, probe],
            outcome,
            curve,
        )| {
            RunRecord {
                uid: Uid(0),
                role: RunRole::ALL[role],
                task,
                roots,
                split: TaskSplit::ALL[split],
                recipe,
                features,
                probe,
                outcome,
                cost: Cost { cpu_s, wall_s },
                seed,
                code_version,
                device,
                n_steps,
                parents: BTreeSet::new(),
                curve,
                level: PhantomData,
            }
        },
    )
}

proptest! {
    #![proptest_config(examples(24))]

    #[test]
    fn runs_come_out_of_a_ledger_as_they_went_in(records in vec(record(), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ledger");
        let mut ledger = Ledger::open(&path).unwrap();
        let named = |(at, record)| RunRecord { uid: Uid(at as u128 + 1), ..record };
        let records: Vec<RunRecord<Base>> = records.into_iter().enumerate().map(named).collect();
        for (at, record) in records.iter().enumerate() {
            prop_assert_eq!(ledger.append(record).unwrap(), Appended::New(at as u64 + 1));
        }
        let ledger = Ledger::open_read_only(&path).unwrap();
        let read: Vec<RunRecord<Base>> =
            ledger.runs(&Filter::default()).unwrap().map(|entry| entry.unwrap().record).collect();
        prop_assert_eq!(&read, &records);
        prop_assert!(read.iter().zip(&records).all(|(a, b)| a.content_uid() == b.content_uid()));
        ledger.check().unwrap();
    }
}

proptest! {
    #![proptest_config(examples(256))]

    #[test]
    fn streams_depend_on_seed_name_and_index_alone(
        seeds in (any::<u64>(), any::<u64>()),
        names in (text(), text()),
        indices in (vec(any::<u64>(), 0..3), vec(any::<u64>(), 0..3)),
        n_drawn_before in 0usize..20,
    ) {
        let of = |seed: u64, name: &str, index: &[u64]| {
            let mut stream = Seed(seed).indexed_stream(name, index);
            [stream.next_u64(), stream.next_u64()]
        };
        let own = of(seeds.0, &names.0, &indices.0);
        // Whoever draws beside it shifts nothing.
        let mut other = Seed(seeds.0).stream(&names.1);
        (0..n_drawn_before).for_each(|_| _ = other.next_u64());
        prop_assert_eq!(of(seeds.0, &names.0, &indices.0), own);
        // No part stands in for another: two streams are one only if all three are. 128 bits agree by chance once in
        // 10³⁸ draws.
        let same = seeds.0 == seeds.1 && names.0 == names.1 && indices.0 == indices.1;
        prop_assert_eq!(of(seeds.1, &names.1, &indices.1) == own, same);
        prop_assert_eq!(of(seeds.0, &names.1, &indices.0) == own, names.0 == names.1);
        prop_assert_eq!(of(seeds.0, &names.0, &indices.1) == own, indices.0 == indices.1);
        prop_assert_eq!(of(seeds.0.wrapping_add(1), &names.0, &indices.0) == own, false);
        let mut plain = Seed(seeds.0).stream(&names.0);
        prop_assert_eq!([plain.next_u64(), plain.next_u64()], of(seeds.0, &names.0, &[]));
    }
}
