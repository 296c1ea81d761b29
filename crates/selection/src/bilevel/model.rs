//! The model of the inner level: softmax regression on fixed features, with the state of its optimiser.

use crate::linear_algebra::Matrix;
use weightsmith_kernels::dot_f64;

/// Learning rate, divided by the mean squared length of the features.
const RATE: f64 = 0.5;
const MOMENTUM: f64 = 0.8;

/// Softmax regression on the rows of a table, trained by steps with momentum.
#[derive(Clone, Debug)]
pub(crate) struct SoftmaxModel<'a> {
    features: &'a Matrix,
    labels: &'a [usize],
    /// `[n_classes, p]`.
    pub(crate) weights: Matrix,
    velocity: Matrix,
    rate: f64,
}

impl<'a> SoftmaxModel<'a> {
    pub(crate) fn new(features: &'a Matrix, labels: &'a [usize], n_classes: usize) -> Self {
        let square = features.rows().map(|row| dot_f64(row, row)).sum::<f64>() / features.n_rows() as f64;
        let zeros = Matrix::zeros(n_classes, features.n_columns());
        Self { features, labels, weights: zeros.clone(), velocity: zeros, rate: RATE / square.max(1e-9) }
    }

    /// What a unit of gradient moves the weights by in the next step, whatever the momentum.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    fn probabilities(&self, row: usize) -> Vec<f64> {
        let mut told: Vec<f64> =
            self.weights.rows().map(|weights| dot_f64(weights, self.features.row(row))).collect();
        let highest = told.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        told.iter_mut().for_each(|told| *told = (*told - highest).exp());
        let total: f64 = told.iter().sum();
        told.iter_mut().for_each(|told| *told /= total);
        told
    }

    /// The loss of a row: the negative logarithm of its class's probability.
    pub(crate) fn loss(&self, row: usize) -> f64 {
        -self.probabilities(row)[self.labels[row]].max(1e-12).ln()
    }

    /// Slope of a row's loss at the logits: probabilities less the label.
    fn errors(&self, row: usize) -> Vec<f64> {
        let mut errors = self.probabilities(row);
        errors[self.labels[row]] -= 1.0;
        errors
    }

    /// The gradient of the weighted sum of the rows' losses, `[n_classes, p]`.
    pub(crate) fn gradient(&self, rows: &[usize], weights: &[f64]) -> Matrix {
        let mut gradient = Matrix::zeros(self.weights.n_rows(), self.weights.n_columns());
        for (&row, weight) in rows.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
            for (class, error) in self.errors(row).iter().enumerate() {
                let share = weight * error;
                let own = gradient.row_mut(class).iter_mut().zip(self.features.row(row));
                own.for_each(|(sum, feature)| *sum += share * feature);
            }
        }
        gradient
    }

    /// The product of the gradient of a row's loss with another gradient.
    pub(crate) fn common(&self, row: usize, other: &Matrix) -> f64 {
        let errors = self.errors(row);
        errors
            .iter()
            .zip(other.rows())
            .map(|(error, other)| error * dot_f64(other, self.features.row(row)))
            .sum()
    }

    /// The model after a step, which is not taken.
    pub(crate) fn ahead(&self, gradient: &Matrix) -> Self {
        let mut ahead = self.clone();
        ahead.step(gradient);
        ahead
    }

    /// A step with momentum.
    pub(crate) fn step(&mut self, gradient: &Matrix) {
        let rate = self.rate;
        let moving = self.velocity.values_mut().iter_mut().zip(gradient.rows().flatten());
        moving.for_each(|(velocity, gradient)| *velocity = MOMENTUM * *velocity - rate * gradient);
        let steps = self.weights.values_mut().iter_mut().zip(self.velocity.rows().flatten());
        steps.for_each(|(weight, velocity)| *weight += velocity);
    }

    /// The same model with its weights moved along a direction.
    pub(crate) fn moved(&self, direction: &Matrix, by: f64) -> Self {
        let mut moved = self.clone();
        let weights = moved.weights.values_mut().iter_mut().zip(direction.rows().flatten());
        weights.for_each(|(weight, direction)| *weight += by * direction);
        moved
    }
}
