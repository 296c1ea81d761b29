//! What predictors see of a training before it runs: the decision, the steps and the short rows, as named columns.

use crate::decision::Decision;
use crate::features::{FEATURES, Feature, TaskFeatures, feature};
use crate::space::{
    ACTIVATION_AT, BATCH_AT, Beginning, DROPOUT_AT, LAYERS_AT, OPTIMISER_AT, PULL_AT, RATE_AT, SKIP_AT,
    SMOOTHING_AT, Space, UNITS_AT, WEIGHTING_AT, level_value,
};
use std::collections::BTreeSet;
use weightsmith_ledger::{Named, Value};
use weightsmith_tasks::{Column, ColumnValues, Table};
use weightsmith_training::{Optimiser, Weighting};

/// A training that may be done.
#[derive(Copy, Clone, Debug)]
pub struct Prospect<'a> {
    /// What is decided.
    pub decision: Decision,
    /// Steps after which the loss is asked for; of a decision to generate, none matters.
    pub n_steps: usize,
    /// What the short rows look like.
    pub features: &'a TaskFeatures,
}

/// The columns about the decision that hold numbers, in their order after those of [`FEATURES`], and what they are. A value
/// that changes nothing is missing.
pub const DECISION_COLUMNS: [Feature; 18] = [
    feature("is_generated", "1 if the training begins at generated weights", (0.0, 1.0)),
    feature("layers", "hidden layers", (0.0, 2.0)),
    feature("log2_units", "logarithm to the base 2 of the units of a hidden layer", (3.0, 8.0)),
    feature("skip", "1 if inputs reach the outputs directly too", (0.0, 1.0)),
    feature("log10_rate", "logarithm to the base 10 of the learning rate", (-4.0, 0.0)),
    feature("is_decayed", "1 if weights decay", (0.0, 1.0)),
    feature("log10_decay", "logarithm to the base 10 of the weight decay", (-3.0, 2.5)),
    feature("log10_decay_per_row", "the same, divided by the number of short rows", (-8.0, 2.0)),
    feature("log2_batch", "logarithm to the base 2 of the rows of a step", (2.0, 17.0)),
    feature("dropout", "chance of a hidden unit to be left out", (0.0, 0.5)),
    feature("label_smoothing", "share of a label that is spread", (0.0, 0.2)),
    feature("balanced", "1 if classes count the same", (0.0, 1.0)),
    feature("pull", "pull towards the start, as log10(1 + 10 pull)", (0.0, 2.5)),
    feature("log2_steps", "logarithm to the base 2 of the steps and one", (1.0, 10.1)),
    feature("log2_epochs", "logarithm to the base 2 of the passes over the rows and one", (0.0, 10.1)),
    feature(
        "log10_way",
        "logarithm to the base 10 of learning rate times steps: how far it may go",
        (-4.0, 3.1),
    ),
    feature(
        "log10_way_sgd",
        "the same for gradient descent alone, whose steps have another size",
        (-4.0, 3.1),
    ),
    feature("log10_way_generated", "the same for trainings that begin at generated weights", (-4.0, 3.1)),
];

/// What the first steps of a training showed, in their order after [`DECISION_COLUMNS`] in a table with probes, and the device.
pub const PROBE_COLUMNS: [Feature; 3] = [
    feature(
        "probe_start",
        "natural logarithm of the short rows' loss at the start, as a share of base_loss",
        (-4.6, 2.0),
    ),
    feature("probe_loss", "the same after the probe's last step, at most 32", (-4.6, 2.0)),
    feature("probe_fall", "probe_start less probe_loss", (-6.6, 6.6)),
];

/// A short training of the first steps: losses of the short rows, in the unit of the base loss.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Probe {
    /// Before the first step.
    pub at_start: f64,
    /// After the last, at most the 32nd.
    pub after: f64,
}

impl Probe {
    /// The probe among a run's values; none if it was not taken.
    pub fn of_named(values: &Named) -> Option<Self> {
        let number = |name: &str| match values.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        Some(Self { at_start: number("short_loss_at_start")?, after: number("short_loss_after_probe")? })
    }

    /// The numbers of [`PROBE_COLUMNS`].
    fn numbers(&self, features: &TaskFeatures) -> [f64; PROBE_COLUMNS.len()] {
        let share = |loss: f64| (loss / features.get("base_loss")).ln().clamp(-4.6, 2.0);
        let (start, after) = (share(self.at_start), share(self.after));
        [start, after, start - after]
    }
}

/// Features whose natural logarithms are columns too, since losses are foreseen by theirs.
const LOGARITHMS_OF: [&str; 2] = ["generated_loss", "linear_error"];
const TASK_LOGARITHMS: [&str; 2] = ["log_generated_loss", "log_linear_error"];

/// A decision as columns.
struct Decided {
    /// The numbers of [`DECISION_COLUMNS`].
    numbers: [f64; DECISION_COLUMNS.len()],
    /// 0 for none, then the levels of a plan.
    optimiser: u32,
    activation: Option<u32>,
}

impl Prospect<'_> {
    fn decided(&self) -> Decided {
        let Decision::Train(plan) = self.decision else {
            let mut numbers = [f64::NAN; DECISION_COLUMNS.len()];
            numbers[0] = 1.0;
            return Decided { numbers, optimiser: 0, activation: None };
        };
        let matters = plan.matters(self.features.task_type());
        let level = |at: usize| u32::from(plan.levels()[at]);
        let if_matters = |at: usize, value: f64| if matters[at] { value } else { f64::NAN };
        let recipe = plan.recipe();
        let n_rows = self.features.n_rows();
        let is_generated = plan.beginning() == Beginning::Generated;
        let batch = (recipe.batch_size as f64).min(n_rows);
        let steps = self.n_steps as f64;
        let epochs = if plan.is_stepwise() { steps * batch / n_rows } else { steps };
        let way = if_matters(RATE_AT, f64::from(recipe.learning_rate).log10() + steps.max(1.0).log10());
        let only = |holds: bool| if holds { way } else { f64::NAN };
        let decay = f64::from(recipe.weight_decay);
        let decay = if decay > 0.0 { decay.log10() } else { f64::NAN };
        let numbers = [
            f64::from(u8::from(is_generated)),
            if_matters(LAYERS_AT, recipe.hidden.len() as f64),
            if_matters(UNITS_AT, recipe.hidden.first().map_or(f64::NAN, |units| (*units as f64).log2())),
            if_matters(SKIP_AT, f64::from(u8::from(recipe.skip))),
            if_matters(RATE_AT, f64::from(recipe.learning_rate).log10()),
            f64::from(u8::from(recipe.weight_decay > 0.0)),
            decay,
            decay - n_rows.log10(),
            if_matters(BATCH_AT, batch.log2()),
            if_matters(DROPOUT_AT, f64::from(recipe.dropout)),
            if_matters(SMOOTHING_AT, f64::from(recipe.label_smoothing)),
            if_matters(WEIGHTING_AT, f64::from(u8::from(recipe.weighting == Weighting::Classes))),
            if_matters(PULL_AT, (1.0 + 10.0 * f64::from(recipe.proximal)).log10()),
            (1.0 + steps).log2(),
            (1.0 + epochs).log2(),
            way,
            only(recipe.optimiser == Optimiser::Sgd),
            only(is_generated),
        ];
        let activation = matters[ACTIVATION_AT].then(|| level(ACTIVATION_AT));
        Decided { numbers, optimiser: 1 + level(OPTIMISER_AT), activation }
    }
}

/// What run records call the levels of a factor.
fn level_names(factor: usize) -> impl Iterator<Item = String> {
    let levels = 0..Space.factors()[factor].n_levels as u8;
    levels.map(move |level| match level_value(factor, level) {
        Value::Text(name) => name,
        Value::Number(number) => number.to_string(),
    })
}

/// Prospects as the rows of a table: numbers of the short rows, of the decision, and the names of optimiser and activation.
///
/// # Panics
/// If there are none.
pub fn prospect_table(prospects: &[Prospect<'_>]) -> Table {
    let n = prospects.len();
    let n_numbers = FEATURES.len() + TASK_LOGARITHMS.len() + DECISION_COLUMNS.len();
    let mut numbers: Vec<Vec<f64>> = vec![Vec::with_capacity(n); n_numbers];
    let (mut optimisers, mut activations) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for prospect in prospects {
        let (features, decided) = (prospect.features, prospect.decided());
        let logarithms = LOGARITHMS_OF.map(|name| features.logarithm(name));
        let values = features.values().iter().copied().chain(logarithms).chain(decided.numbers);
        numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        optimisers.push(Some(decided.optimiser));
        activations.push(decided.activation);
    }
    let names = FEATURES.iter().map(|feature| feature.name);
    let names = names.chain(TASK_LOGARITHMS).chain(DECISION_COLUMNS.map(|column| column.name));
    let category = |name: &str, levels: Vec<String>, codes| Column {
        name: name.into(),
        values: ColumnValues::Categorical { levels, codes },
    };
    let optimiser_names = ["none".to_string()].into_iter().chain(level_names(OPTIMISER_AT)).collect();
    let columns = names
        .zip(numbers)
        .map(|(name, values)| Column { name: name.into(), values: ColumnValues::Numeric(values) })
        .chain([
            category("optimiser", optimiser_names, optimisers),
            category("activation", level_names(ACTIVATION_AT).collect(), activations),
        ])
        .collect();
    Table::new(n, columns).expect("every column has a value for each prospect")
}

/// [`prospect_table`] with the columns of what their first steps showed, missing where there was no probe, and the device.
///
/// # Panics
/// If there is not a probe or none, and a device, for each prospect.
pub fn probed_table(prospects: &[Prospect<'_>], probes: &[Option<Probe>], devices: &[&str]) -> Table {
    let n = prospects.len();
    assert!(probes.len() == n && devices.len() == n, "a probe or none, and a device, for each prospect");
    let mut columns = prospect_table(prospects).columns().to_vec();
    let numbers: Vec<[f64; PROBE_COLUMNS.len()]> = prospects
        .iter()
        .zip(probes)
        .map(|(prospect, probe)| {
            probe.map_or([f64::NAN; PROBE_COLUMNS.len()], |probe| probe.numbers(prospect.features))
        })
        .collect();
    columns.extend(PROBE_COLUMNS.iter().enumerate().map(|(at, column)| Column {
        name: column.name.into(),
        values: ColumnValues::Numeric(numbers.iter().map(|numbers| numbers[at]).collect()),
    }));
    let levels: BTreeSet<&str> = devices.iter().copied().collect();
    let code = |device: &&str| levels.iter().position(|level| level == device).map(|at| at as u32);
    columns.push(Column {
        name: "device".into(),
        values: ColumnValues::Categorical {
            levels: levels.iter().map(ToString::to_string).collect(),
            codes: devices.iter().map(code).collect(),
        },
    });
    Table::new(n, columns).expect("every column has a value for each prospect")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use crate::testing;
    use weightsmith_tasks::Seed;

    #[test]
    fn columns_keep_to_their_ranges_and_what_does_not_matter_is_missing() {
        let features = testing::features(0.3);
        let random = &mut Seed(8).stream("planner.test.sight");
        let plans: Vec<_> = (0..500).map(|_| Space.draw(random)).collect();
        let prospect = |plan: &crate::Plan| Prospect {
            decision: Decision::Train(*plan),
            n_steps: plan.n_steps(),
            features: &features,
        };
        let prospects: Vec<Prospect<'_>> = plans.iter().map(prospect).collect();
        let probe = Some(Probe { at_start: 1.4, after: 0.35 });
        let probes: Vec<Option<Probe>> = (0..500).map(|at| probe.filter(|_| at % 2 == 0)).collect();
        let table = probed_table(&prospects, &probes, &vec!["cpu"; 500]);
        for column in DECISION_COLUMNS.iter().chain(&PROBE_COLUMNS) {
            let Some(Column { values: ColumnValues::Numeric(values), .. }) = table.column(column.name) else {
                panic!("no column {}", column.name);
            };
            let (low, high) = column.range;
            let mut present = values.iter().filter(|value| !value.is_nan()).peekable();
            assert!(present.peek().is_some(), "{} is never there", column.name);
            for value in present {
                // Levels are 32-bit numbers.
                assert!((low - 1e-6..=high + 1e-6).contains(value), "{}: {value}", column.name);
            }
        }
        let Some(Column { values: ColumnValues::Numeric(fall), .. }) = table.column("probe_fall") else {
            panic!("no fall");
        };
        assert!((fall[0] - 4f64.ln()).abs() < 1e-12 && fall[1].is_nan());
        let Some(Column { values: ColumnValues::Numeric(rates), .. }) = table.column("log10_rate") else {
            panic!("no rate");
        };
        for (plan, rate) in plans.iter().zip(rates) {
            assert_eq!(plan.is_stepwise(), !rate.is_nan(), "L-BFGS knows no learning rate");
        }
    }
}
