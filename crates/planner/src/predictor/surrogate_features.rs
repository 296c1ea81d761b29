//! The columns that predictors of losses read about a training before it runs: the decision, the number of steps and the
//! features of the support.

use crate::features::{FEATURES, Feature, TaskFeatures, feature};
use crate::space::decision::Decision;
use crate::space::{
    ACTIVATION_AT, BATCH_AT, DROPOUT_AT, LAYERS_AT, OPTIMISER_AT, PULL_AT, RATE_AT, SKIP_AT, SMOOTHING_AT,
    Space, Start, UNITS_AT, WEIGHTING_AT, level_value,
};
use std::collections::BTreeSet;
use weightsmith_ledger::{Named, Value};
use weightsmith_tasks::{Column, ColumnValues, Table};
use weightsmith_training::{Optimiser, Weighting};

/// The input of a predictor: a training that has not run.
#[derive(Copy, Clone, Debug)]
pub struct SurrogateInput<'a> {
    /// To generate, or to train by a plan.
    pub decision: Decision,
    /// The number of steps after which the loss is to be predicted; without effect on a decision to generate.
    pub n_steps: usize,
    /// The features of the support.
    pub features: &'a TaskFeatures,
}

/// The numeric columns of the decision, in their order after those of [`FEATURES`]. A value that has no effect on the training
/// is missing. The names are part of the shipped networks' encodings.
pub const DECISION_COLUMNS: [Feature; 18] = [
    feature("is_generated", "1 if the training starts from generated weights", (0.0, 1.0)),
    feature("layers", "hidden layers", (0.0, 2.0)),
    feature("log2_units", "logarithm to the base 2 of the units of a hidden layer", (3.0, 8.0)),
    feature("skip", "1 if inputs reach the outputs directly too", (0.0, 1.0)),
    feature("log10_rate", "logarithm to the base 10 of the learning rate", (-4.0, 0.0)),
    feature("is_decayed", "1 if weights decay", (0.0, 1.0)),
    feature("log10_decay", "logarithm to the base 10 of the weight decay", (-3.0, 2.5)),
    feature("log10_decay_per_row", "the same, divided by the number of support rows", (-8.0, 2.0)),
    feature("log2_batch", "logarithm to the base 2 of the rows of a step", (2.0, 17.0)),
    feature("dropout", "chance of a hidden unit to be left out", (0.0, 0.5)),
    feature("label_smoothing", "share of a label that is spread", (0.0, 0.2)),
    feature("balanced", "1 if classes count the same", (0.0, 1.0)),
    feature("pull", "strength of the proximal term, as log10(1 + 10 strength)", (0.0, 2.5)),
    feature("log2_steps", "logarithm to the base 2 of the steps and one", (1.0, 14.1)),
    feature("log2_epochs", "logarithm to the base 2 of the passes over the rows and one", (0.0, 14.1)),
    feature(
        "log10_way",
        "logarithm to the base 10 of learning rate times steps: how far the weights may move",
        (-4.0, 4.3),
    ),
    feature(
        "log10_way_sgd",
        "the same for gradient descent alone, whose steps have another size",
        (-4.0, 4.3),
    ),
    feature("log10_way_generated", "the same for trainings that start from generated weights", (-4.0, 4.3)),
];

/// The columns of a [`Probe`], in their order after [`DECISION_COLUMNS`] in a table with probes; the device follows them.
pub const PROBE_COLUMNS: [Feature; 3] = [
    feature(
        "probe_start",
        "natural logarithm of the support rows' loss at the start, as a share of base_loss",
        (-4.6, 2.0),
    ),
    feature("probe_loss", "the same after the probe's last step, at most 32", (-4.6, 2.0)),
    feature("probe_fall", "probe_start less probe_loss", (-6.6, 6.6)),
];

/// The number of steps of a [`Probe`], at most.
pub(crate) const PROBE_STEPS: usize = 32;

/// The losses of the support rows at the first steps of a training, in the unit of the base loss.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Probe {
    /// Before the first step.
    pub at_start: f64,
    /// After the last step of the probe, at most the 32nd.
    pub after: f64,
}

impl Probe {
    /// The probe in a run record's values; none if it was not taken.
    pub fn of_named(values: &Named) -> Option<Self> {
        let number = |name: &str| match values.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        Some(Self { at_start: number("short_loss_at_start")?, after: number("short_loss_after_probe")? })
    }

    /// The values of [`PROBE_COLUMNS`].
    fn numbers(&self, features: &TaskFeatures) -> [f64; PROBE_COLUMNS.len()] {
        let share = |loss: f64| (loss / features.get("base_loss")).ln().clamp(-4.6, 2.0);
        let (start, after) = (share(self.at_start), share(self.after));
        [start, after, start - after]
    }
}

/// Features whose natural logarithms are columns too, since the target is the logarithm of a loss.
const LOGARITHMS_OF: [&str; 2] = ["generated_loss", "linear_error"];
const TASK_LOGARITHMS: [&str; 2] = ["log_generated_loss", "log_linear_error"];

/// The columns of one decision.
struct DecisionValues {
    /// The values of [`DECISION_COLUMNS`].
    numbers: [f64; DECISION_COLUMNS.len()],
    /// 0 for none, otherwise 1 and the level of the factor.
    optimiser: u32,
    activation: Option<u32>,
}

impl SurrogateInput<'_> {
    fn decision_values(&self) -> DecisionValues {
        let Decision::Train(plan) = self.decision else {
            let mut numbers = [f64::NAN; DECISION_COLUMNS.len()];
            numbers[0] = 1.0;
            return DecisionValues { numbers, optimiser: 0, activation: None };
        };
        let matters = plan.matters(self.features.task_type());
        let level = |at: usize| u32::from(plan.levels()[at]);
        let if_matters = |at: usize, value: f64| if matters[at] { value } else { f64::NAN };
        let recipe = plan.recipe();
        let n_rows = self.features.n_rows();
        let is_generated = plan.start() == Start::Generated;
        let batch = (recipe.batch_size as f64).min(n_rows);
        let steps = self.n_steps as f64;
        let epochs = if plan.is_stepwise() { steps * batch / n_rows } else { steps };
        let log_path = if_matters(RATE_AT, f64::from(recipe.learning_rate).log10() + steps.max(1.0).log10());
        let only = |holds: bool| if holds { log_path } else { f64::NAN };
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
            log_path,
            only(recipe.optimiser == Optimiser::Sgd),
            only(is_generated),
        ];
        let activation = matters[ACTIVATION_AT].then(|| level(ACTIVATION_AT));
        DecisionValues { numbers, optimiser: 1 + level(OPTIMISER_AT), activation }
    }
}

/// The values of a factor's levels, as run records have them.
fn level_names(factor: usize) -> impl Iterator<Item = String> {
    let levels = 0..Space.factors()[factor].n_levels as u8;
    levels.map(move |level| match level_value(factor, level) {
        Value::Text(name) => name,
        Value::Number(number) => number.to_string(),
    })
}

/// The inputs as the rows of a table: the features of the support, the values of the decision, and the names of optimiser and
/// activation.
///
/// # Panics
/// If there are none.
pub fn surrogate_table(inputs: &[SurrogateInput<'_>]) -> Table {
    let n = inputs.len();
    let n_numbers = FEATURES.len() + TASK_LOGARITHMS.len() + DECISION_COLUMNS.len();
    let mut numbers: Vec<Vec<f64>> = vec![Vec::with_capacity(n); n_numbers];
    let (mut optimisers, mut activations) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for input in inputs {
        let (features, decision) = (input.features, input.decision_values());
        let logarithms = LOGARITHMS_OF.map(|name| features.logarithm(name));
        let values = features.values().iter().copied().chain(logarithms).chain(decision.numbers);
        numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        optimisers.push(Some(decision.optimiser));
        activations.push(decision.activation);
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
    Table::new(n, columns).expect("every column has a value for each input")
}

/// [`surrogate_table`] with the columns of the inputs' probes, missing where there was none, and the device.
///
/// # Panics
/// If there is not a probe or none, and a device, for each input.
pub fn surrogate_table_with_probes(
    inputs: &[SurrogateInput<'_>],
    probes: &[Option<Probe>],
    devices: &[&str],
) -> Table {
    let n = inputs.len();
    assert!(probes.len() == n && devices.len() == n, "a probe or none, and a device, for each input");
    let mut columns = surrogate_table(inputs).columns().to_vec();
    let numbers: Vec<[f64; PROBE_COLUMNS.len()]> = inputs
        .iter()
        .zip(probes)
        .map(|(input, probe)| {
            probe.map_or([f64::NAN; PROBE_COLUMNS.len()], |probe| probe.numbers(input.features))
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
    Table::new(n, columns).expect("every column has a value for each input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use crate::testing;
    use weightsmith_tasks::Seed;

    #[test]
    fn columns_keep_to_their_ranges_and_values_without_effect_are_missing() {
        let features = testing::features(0.3);
        let random = &mut Seed(8).stream("planner.test.surrogate-features");
        let plans: Vec<_> = (0..500).map(|_| Space.draw(random)).collect();
        let input = |plan: &crate::Plan| SurrogateInput {
            decision: Decision::Train(*plan),
            n_steps: plan.n_steps(),
            features: &features,
        };
        let inputs: Vec<SurrogateInput<'_>> = plans.iter().map(input).collect();
        let probe = Some(Probe { at_start: 1.4, after: 0.35 });
        let probes: Vec<Option<Probe>> = (0..500).map(|at| probe.filter(|_| at % 2 == 0)).collect();
        let table = surrogate_table_with_probes(&inputs, &probes, &vec!["cpu"; 500]);
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
