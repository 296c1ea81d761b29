//! The mean of what three different models predict.

use super::boosting::Boosted;
use super::references::Model;
use super::{Made, Method, MethodError, MethodSettings, Predictor, Reference, ReferenceError, Role};
use weightsmith_base_model::{Predicted, Predictions};
use weightsmith_tasks::{Seed, Support, Table};
use weightsmith_training::{GaussianProcess, Moment, fit_linear};

/// The mean of the predictions of a tuned linear model, a Gaussian process and boosting.
pub(super) struct Average;

impl Method for Average {
    fn name(&self) -> &'static str {
        "average"
    }

    fn about(&self) -> String {
        "the mean of the predictions of linear-tuned, gp and boosting".into()
    }

    fn role(&self) -> Role {
        Role::Reference
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        Ok(Made::reference(Reference::of(Mean::fit(support, settings.seed)?), String::new()))
    }
}

/// Several models, each of which counts the same.
pub(super) struct Mean {
    members: Vec<Predictor>,
}

impl Mean {
    /// The three models of a support.
    ///
    /// # Errors
    /// Those of the three: rows that cannot be encoded, fewer than two rows, a target too large for f32.
    pub(super) fn fit(support: &Support, seed: Seed) -> Result<Self, ReferenceError> {
        let references = [
            Reference::of(GaussianProcess::fit(support, seed)?),
            Reference::of(Boosted::fit(support, seed)?.0),
        ];
        let mut members = vec![Predictor::Network(Box::new(fit_linear(support, seed)?))];
        members.extend(references.map(Predictor::Reference));
        Ok(Self { members })
    }
}

impl Model for Mean {
    fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        let all = self.members.iter().map(|member| member.predict(table)).collect::<Result<Vec<_>, _>>()?;
        Ok(mean(&all))
    }

    /// The mean of the members', which is no less than the true one: their errors may cancel.
    fn residual_std(&self) -> Option<f32> {
        let stds: Vec<f32> = self.members.iter().map(Predictor::residual_std).collect::<Option<_>>()?;
        Some(stds.iter().sum::<f32>() / stds.len() as f32)
    }
}

/// The mean of predictions of the same rows, at least one.
fn mean(all: &[Predictions]) -> Predictions {
    let mut sums = Vec::new();
    for predictions in all {
        let numbers: Vec<f64> = match predictions.predicted() {
            Predicted::Probabilities { values, .. } => values.iter().map(|p| f64::from(*p)).collect(),
            Predicted::Values(values) => values.clone(),
        };
        sums.resize(numbers.len(), 0.0);
        // Each is divided on its own, so that the largest values have a mean too.
        sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number / all.len() as f64);
    }
    match all[0].predicted() {
        Predicted::Probabilities { n_classes, .. } => Predictions::from_shares(*n_classes, &sums),
        Predicted::Values(_) => Predictions::from_values(sums),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_values_are_averaged() {
        let probabilities = |p: f64| Predictions::from_shares(2, &[p, 1.0 - p, 0.5, 0.5]);
        let found = mean(&[probabilities(0.75), probabilities(0.5), probabilities(0.25)]);
        assert_eq!(found.predicted(), probabilities(0.5).predicted());
        let values = |value: f64| Predictions::from_values(vec![value, -1.0]);
        assert_eq!(mean(&[values(1.0), values(4.0)]), values(2.5));
    }
}
