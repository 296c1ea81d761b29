//! What predictors see of a training before it runs: the decision, the steps and the short rows, as named columns.

use crate::decision::Decision;
use crate::features::{FEATURES, TaskFeatures};
use crate::space::{
    ACTIVATION_AT, BATCH_AT, Beginning, DROPOUT_AT, LAYERS_AT, PULL_AT, RATE_AT, SKIP_AT, SMOOTHING_AT,
    UNITS_AT, WEIGHTING_AT,
};
use weightsmith_tasks::{Column, ColumnValues, Table, TaskType};
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
pub const DECISION_COLUMNS: [(&str, &str); 18] = [
    ("is_generated", "1 if the training begins at generated weights"),
    ("layers", "hidden layers"),
    ("log2_units", "logarithm to the base 2 of the units of a hidden layer"),
    ("skip", "1 if inputs reach the outputs directly too"),
    ("log10_rate", "logarithm to the base 10 of the learning rate"),
    ("is_decayed", "1 if weights decay"),
    ("log10_decay", "logarithm to the base 10 of the weight decay"),
    ("log10_decay_per_row", "the same, divided by the number of short rows"),
    ("log2_batch", "logarithm to the base 2 of the rows of a step"),
    ("dropout", "chance of a hidden unit to be left out"),
    ("label_smoothing", "share of a label that is spread"),
    ("balanced", "1 if classes count the same"),
    ("pull", "pull towards the start, as log10(1 + 10 pull)"),
    ("log2_steps", "logarithm to the base 2 of the steps and one"),
    ("log2_epochs", "logarithm to the base 2 of the passes over the rows and one"),
    ("log10_way", "logarithm to the base 10 of learning rate times steps: how far it may go"),
    ("log10_way_sgd", "the same for gradient descent alone, whose steps have another size"),
    ("log10_way_generated", "the same for trainings that begin at generated weights"),
];

/// Features whose natural logarithms are columns too, since losses are foreseen by theirs.
const LOGARITHMS_OF: [&str; 2] = ["generated_loss", "linear_error"];
const TASK_LOGARITHMS: [&str; 2] = ["log_generated_loss", "log_linear_error"];
/// Smaller losses count as this one.
const LEAST_LOSS: f64 = 0.01;

/// The names of the optimisers, as a column has them; the first stands for none.
const OPTIMISERS: [&str; 5] = ["none", "adam", "adamw", "sgd", "lbfgs"];
const ACTIVATIONS: [&str; 3] = ["relu", "tanh", "gelu"];

impl Prospect<'_> {
    fn task_type(&self) -> TaskType {
        if self.features.get("is_regression") > 0.5 { TaskType::Regression } else { TaskType::Classification }
    }

    pub(crate) fn n_rows(&self) -> f64 {
        self.features.get("log2_rows").exp2()
    }

    fn task_logarithms(&self) -> [f64; 2] {
        LOGARITHMS_OF.map(|name| self.features.get(name).max(LEAST_LOSS).ln())
    }

    fn optimiser(&self) -> usize {
        let Decision::Train(plan) = self.decision else { return 0 };
        let name = plan.recipe().optimiser.name();
        OPTIMISERS.iter().position(|own| *own == name).expect("every optimiser of a plan has a name here")
    }

    /// The numbers of [`DECISION_COLUMNS`].
    fn decision_numbers(&self) -> [f64; DECISION_COLUMNS.len()] {
        let Decision::Train(plan) = self.decision else {
            let mut none = [f64::NAN; DECISION_COLUMNS.len()];
            none[0] = 1.0;
            return none;
        };
        let matters = plan.matters(self.task_type());
        let if_matters = |at: usize, value: f64| if matters[at] { value } else { f64::NAN };
        let recipe = plan.recipe();
        let n_rows = self.n_rows();
        let is_generated = plan.beginning() == Beginning::Generated;
        let batch = (recipe.batch_size as f64).min(n_rows);
        let steps = self.n_steps as f64;
        let epochs = if plan.is_stepwise() { steps * batch / n_rows } else { steps };
        let way = if_matters(RATE_AT, f64::from(recipe.learning_rate).log10() + steps.max(1.0).log10());
        let only = |holds: bool| if holds { way } else { f64::NAN };
        let decay = f64::from(recipe.weight_decay);
        let decay = if decay > 0.0 { decay.log10() } else { f64::NAN };
        [
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
        ]
    }
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
        let decided = prospect.decision_numbers();
        let values =
            prospect.features.values().iter().copied().chain(prospect.task_logarithms()).chain(decided);
        numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        optimisers.push(Some(prospect.optimiser() as u32));
        let activation = match prospect.decision {
            Decision::Train(plan) if plan.matters(prospect.task_type())[ACTIVATION_AT] => {
                Some(u32::from(plan.levels()[ACTIVATION_AT]))
            }
            _ => None,
        };
        activations.push(activation);
    }
    let names = FEATURES.iter().map(|feature| feature.name);
    let names = names.chain(TASK_LOGARITHMS).chain(DECISION_COLUMNS.map(|(name, _)| name));
    let named = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let category = |name: &str, levels: &[&str], codes| Column {
        name: name.into(),
        values: ColumnValues::Categorical { levels: named(levels), codes },
    };
    let columns = names
        .zip(numbers)
        .map(|(name, values)| Column { name: name.into(), values: ColumnValues::Numeric(values) })
        .chain([
            category("optimiser", &OPTIMISERS, optimisers),
            category("activation", &ACTIVATIONS, activations),
        ])
        .collect();
    Table::new(n, columns).expect("every column has a value for each prospect")
}
