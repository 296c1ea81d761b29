//! A small fully connected network: its loss, the gradient by reverse mode, and the product of the Hessian with a
//! direction by forward over reverse mode, all by hand.

use super::number::Number;
use serde::{Deserialize, Serialize};

/// What is minimised.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The mean square of the errors, over rows and outputs.
    SquaredError,
    /// The mean negative log-likelihood of targets 0 and 1 under the logistic function of the outputs.
    Logistic,
}

/// Rows with targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<N> {
    /// `[n_rows, n_inputs]`.
    pub inputs: Vec<N>,
    /// `[n_rows, n_outputs]`.
    pub targets: Vec<N>,
}

/// The shape of a fully connected network of rectified units, and its loss.
///
/// Its parameters are one list: for each layer the weights `[inputs, outputs]` and then the biases, from the inputs on, and at the
/// end the *context*, a vector that is appended to the inputs of every row.
///
/// Source of the context: Zintgraf et al. 2019, Fast Context Adaptation via Meta-Learning, section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    /// Inputs of a row.
    pub n_inputs: usize,
    /// Numbers of the context; 0 for none.
    pub n_context: usize,
    /// Units of each hidden layer, at least one layer.
    pub hidden: Vec<usize>,
    /// Outputs of a row.
    pub n_outputs: usize,
    /// What is minimised.
    pub loss: Loss,
}

/// Where the parameters of a layer are.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) n_inputs: usize,
    pub(crate) n_outputs: usize,
    start: usize,
}

impl Layer {
    pub(crate) fn weight<N>(self, params: &[N]) -> &[N] {
        &params[self.start..self.start + self.n_inputs * self.n_outputs]
    }

    pub(crate) fn bias<N>(self, params: &[N]) -> &[N] {
        let start = self.start + self.n_inputs * self.n_outputs;
        &params[start..start + self.n_outputs]
    }

    /// Weights and biases.
    pub(super) fn both_mut<N>(self, params: &mut [N]) -> (&mut [N], &mut [N]) {
        let n_weights = self.n_inputs * self.n_outputs;
        params[self.start..self.start + n_weights + self.n_outputs].split_at_mut(n_weights)
    }

    fn end(self) -> usize {
        self.start + (self.n_inputs + 1) * self.n_outputs
    }
}

/// What every layer gives: the inputs with the context, each hidden layer after rectifying, and the outputs;
/// `[n_rows, width]` each.
pub(super) type Activations<N> = Vec<Vec<N>>;

impl Mlp {
    pub(crate) fn layers(&self) -> Vec<Layer> {
        let mut n_inputs = self.n_inputs + self.n_context;
        let mut start = 0;
        let widths = self.hidden.iter().chain(std::iter::once(&self.n_outputs));
        widths
            .map(|&n_outputs| {
                let layer = Layer { n_inputs, n_outputs, start };
                (n_inputs, start) = (n_outputs, layer.end());
                layer
            })
            .collect()
    }

    /// The number of parameters, those of the context included.
    pub fn n_params(&self) -> usize {
        self.context_start() + self.n_context
    }

    fn context_start(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.end())
    }

    /// The parameters of the last layer.
    pub fn head(&self) -> std::ops::Range<usize> {
        let layers = self.layers();
        layers[layers.len() - 2].end()..self.context_start()
    }

    /// The parameters of the context.
    pub fn context(&self) -> std::ops::Range<usize> {
        self.context_start()..self.n_params()
    }

    /// What every layer gives.
    pub(super) fn forward<N: Number>(&self, params: &[N], inputs: &[N]) -> Activations<N> {
        let n_rows = inputs.len() / self.n_inputs;
        let mut activations = vec![self.with_context(inputs, &params[self.context_start()..])];
        let layers = self.layers();
        for (idx, layer) in layers.iter().enumerate() {
            let mut out = layer.bias(params).repeat(n_rows); // [n_rows, n_outputs]
            N::add_product(&activations[idx], layer.weight(params), &mut out, n_rows);
            if idx + 1 < layers.len() {
                let zero = N::default();
                out.iter_mut().for_each(|unit| *unit = if *unit > zero { *unit } else { zero });
            }
            activations.push(out);
        }
        activations
    }

    fn with_context<N: Number>(&self, inputs: &[N], context: &[N]) -> Vec<N> {
        if context.is_empty() {
            return inputs.to_vec();
        }
        inputs.chunks_exact(self.n_inputs).flat_map(|row| row.iter().chain(context).copied()).collect()
    }

    /// The outputs for some rows.
    ///
    /// # Shapes
    /// `inputs` is `[n_rows, n_inputs]`; the result is `[n_rows, n_outputs]`.
    pub fn outputs<N: Number>(&self, params: &[N], inputs: &[N]) -> Vec<N> {
        self.forward(params, inputs).pop().expect("there is an output layer")
    }

    /// The mean loss over some rows.
    pub fn mean_loss<N: Number>(&self, params: &[N], batch: &Batch<N>) -> f64 {
        self.loss_of(&self.outputs(params, &batch.inputs), &batch.targets)
    }

    /// The mean loss of some outputs.
    pub fn loss_of<N: Number>(&self, outputs: &[N], targets: &[N]) -> f64 {
        let pairs = outputs.iter().zip(targets).map(|(output, target)| (output.to_f64(), target.to_f64()));
        let sum: f64 = match self.loss {
            Loss::SquaredError => pairs.map(|(output, target)| (output - target).powi(2)).sum(),
            // ln(1 + e^o) - t o, without overflow.
            Loss::Logistic => pairs
                .map(|(output, target)| output.max(0.0) - target * output + (-output.abs()).exp().ln_1p())
                .sum(),
        };
        sum / outputs.len() as f64
    }

    /// The derivative of the mean loss by each output.
    pub(super) fn output_errors<N: Number>(&self, outputs: &[N], targets: &[N]) -> Vec<N> {
        let scale = 1.0 / outputs.len() as f64;
        let error = |(output, target): (&N, &N)| match self.loss {
            Loss::SquaredError => (*output - *target) * N::from_f64(2.0 * scale),
            Loss::Logistic => {
                N::from_f64(scale / (1.0 + (-output.to_f64()).exp())) - *target * N::from_f64(scale)
            }
        };
        outputs.iter().zip(targets).map(error).collect()
    }

    /// The second derivative of the mean loss by each output.
    fn output_curvatures<N: Number>(&self, outputs: &[N]) -> Vec<N> {
        let scale = 1.0 / outputs.len() as f64;
        let curvature = |output: &N| match self.loss {
            Loss::SquaredError => N::from_f64(2.0 * scale),
            Loss::Logistic => {
                let p = 1.0 / (1.0 + (-output.to_f64()).exp());
                N::from_f64(scale * p * (1.0 - p))
            }
        };
        outputs.iter().map(curvature).collect()
    }

    /// The mean loss over some rows and its gradient.
    pub fn gradient<N: Number>(&self, params: &[N], batch: &Batch<N>) -> (f64, Vec<N>) {
        let activations = self.forward(params, &batch.inputs);
        let outputs = activations.last().expect("there is an output layer");
        let errors = self.output_errors(outputs, &batch.targets);
        let loss = self.loss_of(outputs, &batch.targets);
        (loss, self.backward(params, &activations, self.hidden.len() + 1, errors))
    }

    /// The gradient by the parameters, given that by the results of layer `n_layers` (counted from 1), `[n_rows, width]`.
    pub(super) fn backward<N: Number>(
        &self,
        params: &[N],
        activations: &Activations<N>,
        n_layers: usize,
        mut errors: Vec<N>,
    ) -> Vec<N> {
        let n_rows = activations[0].len() / (self.n_inputs + self.n_context);
        let mut gradient = vec![N::default(); self.n_params()];
        for (idx, layer) in self.layers().iter().enumerate().take(n_layers).rev() {
            if idx < self.hidden.len() {
                switch_off(&mut errors, &activations[idx + 1]);
            }
            let (weight, bias) = layer.both_mut(&mut gradient);
            N::add_outer(&activations[idx], &errors, weight, n_rows);
            add_rows(&errors, bias);
            if idx > 0 || self.n_context > 0 {
                let mut before = vec![N::default(); n_rows * layer.n_inputs];
                N::add_product_transposed(&errors, layer.weight(params), &mut before, n_rows);
                errors = before;
            }
        }
        self.add_to_context(&errors, &mut gradient);
        gradient
    }

    /// Adds the errors at the inputs to the gradient of the context.
    fn add_to_context<N: Number>(&self, errors: &[N], gradient: &mut [N]) {
        if self.n_context > 0 {
            let context = &mut gradient[self.context()];
            for row in errors.chunks_exact(self.n_inputs + self.n_context) {
                add_rows(&row[self.n_inputs..], context);
            }
        }
    }

    /// The Hessian of the mean loss over some rows, times a direction.
    ///
    /// Source: Pearlmutter 1994, Fast Exact Multiplication by the Hessian. Of rectified units the second derivative is 0
    /// where it exists.
    pub fn hessian_product<N: Number>(&self, params: &[N], batch: &Batch<N>, direction: &[N]) -> Vec<N> {
        let n_rows = batch.inputs.len() / self.n_inputs;
        let layers = self.layers();
        let activations = self.forward(params, &batch.inputs);
        // How fast every activation moves when the parameters move along the direction.
        let zeros = vec![N::default(); batch.inputs.len()];
        let mut moves = vec![self.with_context(&zeros, &direction[self.context_start()..])];
        for (idx, layer) in layers.iter().enumerate() {
            let mut out = layer.bias(direction).repeat(n_rows); // [n_rows, n_outputs]
            N::add_product(&activations[idx], layer.weight(direction), &mut out, n_rows);
            if idx > 0 || self.n_context > 0 {
                N::add_product(&moves[idx], layer.weight(params), &mut out, n_rows);
            }
            if idx + 1 < layers.len() {
                switch_off(&mut out, &activations[idx + 1]);
            }
            moves.push(out);
        }
        let outputs = &activations[layers.len()];
        let mut errors = self.output_errors(outputs, &batch.targets);
        let curvatures = self.output_curvatures(outputs);
        let mut error_moves: Vec<N> =
            curvatures.iter().zip(&moves[layers.len()]).map(|(c, m)| *c * *m).collect();
        let mut product = vec![N::default(); self.n_params()];
        for (idx, layer) in layers.iter().enumerate().rev() {
            if idx < self.hidden.len() {
                switch_off(&mut errors, &activations[idx + 1]);
                switch_off(&mut error_moves, &activations[idx + 1]);
            }
            let (weight, bias) = layer.both_mut(&mut product);
            N::add_outer(&activations[idx], &error_moves, weight, n_rows);
            N::add_outer(&moves[idx], &errors, weight, n_rows);
            add_rows(&error_moves, bias);
            if idx > 0 || self.n_context > 0 {
                let mut before = vec![N::default(); n_rows * layer.n_inputs];
                N::add_product_transposed(&error_moves, layer.weight(params), &mut before, n_rows);
                N::add_product_transposed(&errors, layer.weight(direction), &mut before, n_rows);
                error_moves = before;
                let mut before = vec![N::default(); n_rows * layer.n_inputs];
                N::add_product_transposed(&errors, layer.weight(params), &mut before, n_rows);
                errors = before;
            }
        }
        self.add_to_context(&error_moves, &mut product);
        product
    }
}

/// Sets to zero what belongs to units that are off.
fn switch_off<N: Number>(values: &mut [N], units: &[N]) {
    let zero = N::default();
    for (value, unit) in values.iter_mut().zip(units) {
        *value = if *unit > zero { *value } else { zero };
    }
}

/// Adds every row to a sum of rows.
fn add_rows<N: Number>(rows: &[N], sum: &mut [N]) {
    for row in rows.chunks_exact(sum.len()) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += *value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{batch, draw_params, mlp};
    use super::*;

    #[test]
    fn gradients_and_hessian_products_agree_with_finite_differences() {
        for loss in [Loss::SquaredError, Loss::Logistic] {
            let mlp = mlp(loss);
            let params = draw_params(&mlp, 1);
            let batch = batch(&mlp, 7, 2);
            let (_, gradient) = mlp.gradient(&params, &batch);
            let direction = draw_params(&mlp, 3);
            let product = mlp.hessian_product(&params, &batch, &direction);
            let h = 1e-6;
            let mut largest: f64 = 0.0;
            for idx in 0..mlp.n_params() {
                let moved = |by: f64| {
                    let mut params = params.clone();
                    params[idx] += by;
                    mlp.mean_loss(&params, &batch)
                };
                let slope = (moved(h) - moved(-h)) / (2.0 * h);
                // Central differences in f64 have errors of about 1e-10 here.
                assert!((slope - gradient[idx]).abs() < 1e-7, "{loss:?} {idx}: {slope} {}", gradient[idx]);
                largest = largest.max(slope.abs());
            }
            assert!(largest > 1e-2, "the gradient is not trivial");
            let along = |by: f64| {
                let moved: Vec<f64> = params.iter().zip(&direction).map(|(p, d)| p + by * d).collect();
                mlp.gradient(&moved, &batch).1
            };
            let (up, down) = (along(h), along(-h));
            for idx in 0..mlp.n_params() {
                let slope = (up[idx] - down[idx]) / (2.0 * h);
                assert!((slope - product[idx]).abs() < 1e-6, "{loss:?} {idx}: {slope} {}", product[idx]);
            }
            assert!(product.iter().any(|value| value.abs() > 1e-2));
        }
    }

    #[test]
    fn the_parts_of_the_parameters_follow_each_other() {
        let mlp = mlp(Loss::SquaredError);
        // 3 + 2 inputs, 5 and 4 units, 2 outputs.
        assert_eq!(mlp.head(), 6 * 5 + 6 * 4..6 * 5 + 6 * 4 + 5 * 2);
        assert_eq!(mlp.context(), 64..66);
        assert_eq!(mlp.n_params(), 66);
    }
}
