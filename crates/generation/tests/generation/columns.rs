//! Columns that are chosen, and networks that are averaged.

use rand::Rng;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{
    Maker, SelectMode, averaged, choose_columns, select_support, untrained_base_model, with_columns,
};
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

/// Two numbers of which the target is made, a name, and `n_noise` numbers.
fn support(
    n_rows: usize,
    n_noise: usize,
    seed: u64,
    target: impl Fn(f64, f64, f64) -> f64,
    classes: bool,
) -> Support {
    let mut rng = Seed(seed).stream("testing.columns");
    let mut numbers = || (0..n_rows).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let (a, b, e) = (numbers(), numbers(), numbers());
    let values: Vec<f64> = (0..n_rows).map(|row| target(a[row], b[row], e[row])).collect();
    let codes = (0..n_rows).map(|row| Some((row % 3) as u32)).collect();
    let levels = ["x", "y", "z"].map(String::from).to_vec();
    let mut columns = vec![
        Column { name: "a".into(), values: ColumnValues::Numeric(a) },
        Column { name: "b".into(), values: ColumnValues::Numeric(b) },
        Column { name: "names".into(), values: ColumnValues::Categorical { levels, codes } },
    ];
    columns.extend(
        (0..n_noise)
            .map(|at| Column { name: format!("noise {at}"), values: ColumnValues::Numeric(numbers()) }),
    );
    let target = match classes {
        false => Target::Values(values),
        true => {
            let labels = values.iter().map(|value| usize::from(*value > 0.0)).collect();
            Target::Classes { class_names: ["no", "yes"].map(String::from).to_vec(), labels }
        }
    };
    Support::new(Table::new(n_rows, columns).unwrap(), target).unwrap()
}

#[test]
fn an_average_says_the_mean_of_logits_or_values_and_reads_what_either_reads() {
    let device = burn::tensor::Device::default();
    for classes in [false, true] {
        let all = support(60, 4, 1, |a, b, e| a - b + 0.3 * e, classes);
        let make = |columns: &[usize]| -> BaseModel {
            untrained_base_model(&with_columns(&all, columns), &device).unwrap()
        };
        // Neither reads all that the other does.
        let (first, second) = (make(&[0, 2, 3, 4]), make(&[0, 1, 2]));
        let both = averaged(&first, &second, 0.3);
        both.validate().unwrap();
        let mut names: Vec<&str> = both.encoding.schema().iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "names", "noise 0", "noise 1"]);
        let [x, y, z] = [&first, &second, &both].map(|model| model.predict(all.table()).unwrap());
        for row in 0..60 {
            if classes {
                let odds = |predictions: &weightsmith_base_model::Predictions| {
                    let probabilities = predictions.probabilities().unwrap().nth(row).unwrap();
                    f64::from(probabilities[1] / probabilities[0]).ln()
                };
                let expected = 0.7 * odds(&x) + 0.3 * odds(&y);
                // Weights are numbers of 32 bits.
                assert!((odds(&z) - expected).abs() < 1e-4, "row {row}: {} and {expected}", odds(&z));
            } else {
                let value =
                    |predictions: &weightsmith_base_model::Predictions| predictions.values().unwrap()[row];
                let expected = 0.7 * value(&x) + 0.3 * value(&y);
                assert!((value(&z) - expected).abs() < 1e-5, "row {row}: {} and {expected}", value(&z));
            }
        }
        let expected = |model: &BaseModel| model.expected.as_ref().unwrap().value;
        let mean = 0.7 * expected(&first) + 0.3 * expected(&second);
        assert!((expected(&both) - mean).abs() < 1e-6);
    }
}

#[test]
fn columns_of_noise_are_left_out_where_that_pays_and_none_where_all_matter() {
    let device = burn::tensor::Device::default();
    for classes in [false, true] {
        let noisy = support(120, 60, 2, |a, b, e| a - b + 0.5 * e, classes);
        let chosen = choose_columns(Maker::Untrained(&device), &noisy, Seed(0)).unwrap();
        let trial = chosen.trial.unwrap();
        assert!(trial.chosen < trial.all && chosen.share > 0.9, "{trial:?}");
        assert!(chosen.likely.starts_with(&[0, 1]) && chosen.likely.len() < 20, "{:?}", chosen.likely);
        let selected =
            select_support(Maker::Untrained(&device), &noisy, SelectMode::Columns, Seed(0)).unwrap();
        assert_eq!(selected.support.table().columns().len(), chosen.likely.len());
        assert_eq!(selected.left_out().columns.len(), 63 - chosen.likely.len());
        let plain = select_support(Maker::Untrained(&device), &noisy, SelectMode::Off, Seed(0)).unwrap();
        assert_eq!(plain.support, noisy);
        // Of two columns that both matter none is left out, and nothing is tried.
        let useful = with_columns(&noisy, &[0, 1]);
        let chosen = choose_columns(Maker::Untrained(&device), &useful, Seed(0)).unwrap();
        assert_eq!((chosen.kept(), chosen.share, chosen.trial), (vec![0, 1], 0.0, None));
    }
}

#[test]
fn columns_that_tell_only_together_are_not_likely_of_no_use() {
    let device = burn::tensor::Device::default();
    let xor = support(128, 50, 3, |a, b, _| a * b, true);
    let chosen = choose_columns(Maker::Untrained(&device), &xor, Seed(0)).unwrap();
    assert!(chosen.likely.starts_with(&[0, 1]), "{:?}", chosen.likely);
    let few = support(30, 50, 3, |a, b, _| a - b, true);
    let chosen = choose_columns(Maker::Untrained(&device), &few, Seed(0)).unwrap();
    assert_eq!((chosen.kept().len(), chosen.trial), (53, None), "too few rows to tell");
}
