//! Controls: what a comparison would show if the generated weights held nothing of the table.

use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use weightsmith_base_model::{BaseModel, HostWeights, Matrix};
use weightsmith_tasks::{Seed, Support, Target};

/// Standard deviation of the noise, in root mean squares of the tensor that it is added to.
pub(crate) const NOISE: f32 = 0.1;

/// The same weights with normal noise on every tensor, as large as a share of the tensor's own numbers.
pub(crate) fn noisy(mut model: BaseModel, seed: Seed) -> BaseModel {
    let random = &mut seed.stream("harness.noise");
    let mut disturb = |values: &mut [f32]| {
        let n = values.len().max(1) as f32;
        let size = NOISE * (values.iter().map(|value| value * value).sum::<f32>() / n).sqrt();
        for value in values {
            let noise: f32 = StandardNormal.sample(random);
            *value += size * noise;
        }
    };
    let HostWeights { hidden, skip, output, output_bias, .. } = &mut model.weights;
    for layer in hidden {
        disturb(&mut layer.weight.values);
        disturb(&mut layer.bias);
    }
    skip.iter_mut().chain(output).for_each(|Matrix { values, .. }| disturb(values));
    disturb(output_bias);
    model.provenance.name += "-noisy";
    model.expected = None;
    model
}

/// The same rows with their labels in another order, so that rows say nothing about labels.
pub(crate) fn shuffled(support: &Support, seed: Seed) -> Support {
    let mut order: Vec<usize> = (0..support.n_rows()).collect();
    order.shuffle(&mut seed.stream("harness.shuffle"));
    let target = match support.target() {
        Target::Classes { class_names, labels } => Target::Classes {
            class_names: class_names.clone(),
            labels: order.iter().map(|&row| labels[row]).collect(),
        },
        Target::Values(values) => Target::Values(order.iter().map(|&row| values[row]).collect()),
    };
    Support::new(support.table().clone(), target).expect("the labels are as many as before")
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Table};
    use weightsmith_training::fit_linear;

    #[test]
    fn controls_keep_shape_and_labels_and_lose_the_rest() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values.clone()) };
        let table = Table::new(40, vec![column]).unwrap();
        let support = Support::new(table, Target::Values(values.clone())).unwrap();
        let other = shuffled(&support, Seed(1));
        let Target::Values(labels) = other.target() else { panic!() };
        let mut sorted = labels.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        assert!(sorted == values && *labels != values);
        let model = fit_linear(&support, Seed(0)).unwrap();
        let changed = noisy(model.clone(), Seed(1));
        assert_eq!(changed.architecture, model.architecture);
        let of = |model: &BaseModel| model.weights.skip.as_ref().unwrap().values[0];
        let share = (of(&changed) - of(&model)).abs() / of(&model).abs();
        assert!((1e-5..0.5).contains(&share), "{share}");
    }
}
