//! The selector's network: two hidden layers of 100 rectified units, by hand, in f32.

use multiversion::multiversion;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Units of each hidden layer.
pub(crate) const N_UNITS: usize = 100;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;

/// One affine layer, its inputs by its outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) n_inputs: usize,
    pub(crate) n_outputs: usize,
    /// `[n_inputs, n_outputs]`, then the bias, `[n_outputs]`.
    pub(crate) numbers: Vec<f32>,
}

impl Layer {
    fn new(n_inputs: usize, n_outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let scale = (6.0 / n_inputs as f32).sqrt();
        let mut numbers: Vec<f32> =
            (0..n_inputs * n_outputs).map(|_| rng.random_range(-scale..scale)).collect();
        numbers.resize((n_inputs + 1) * n_outputs, 0.0);
        Self { n_inputs, n_outputs, numbers }
    }

    #[inline(always)]
    fn forward(&self, inputs: &[f32], outputs: &mut [f32]) {
        outputs.copy_from_slice(&self.numbers[self.n_inputs * self.n_outputs..]);
        for (input, weights) in inputs.iter().zip(self.numbers.chunks_exact(self.n_outputs)) {
            if *input != 0.0 {
                outputs.iter_mut().zip(weights).for_each(|(output, weight)| *output += input * weight);
            }
        }
    }

    /// Adds to the gradients of the numbers, and gives that of the inputs.
    #[inline(always)]
    fn backward(&self, inputs: &[f32], pull: &[f32], gradient: &mut [f32], back: Option<&mut [f32]>) {
        let k = self.n_outputs;
        for (input, gradient) in inputs.iter().zip(gradient.chunks_exact_mut(k)) {
            if *input != 0.0 {
                gradient.iter_mut().zip(pull).for_each(|(gradient, pull)| *gradient += input * pull);
            }
        }
        gradient[self.n_inputs * k..].iter_mut().zip(pull).for_each(|(gradient, pull)| *gradient += pull);
        if let Some(back) = back {
            for (back, weights) in back.iter_mut().zip(self.numbers.chunks_exact(k)) {
                *back = weights.iter().zip(pull).map(|(weight, pull)| weight * pull).sum();
            }
        }
    }
}

/// Inputs, two hidden layers, outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    pub(crate) layers: [Layer; 3],
}

/// The values of all layers for one row.
#[derive(Clone, Debug)]
pub(crate) struct Activations {
    hidden: [Vec<f32>; 2],
    pub(crate) outputs: Vec<f32>,
}

/// Numbers shaped as the network's: gradients, or moments of them.
pub(crate) type Numbers = [Vec<f32>; 3];

impl Network {
    pub(crate) fn new(n_inputs: usize, n_outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut last = Layer::new(N_UNITS, n_outputs, rng);
        last.numbers.iter_mut().for_each(|number| *number *= 0.1);
        Self { layers: [Layer::new(n_inputs, N_UNITS, rng), Layer::new(N_UNITS, N_UNITS, rng), last] }
    }

    pub(crate) fn activations(&self) -> Activations {
        Activations {
            hidden: [vec![0.0; N_UNITS], vec![0.0; N_UNITS]],
            outputs: vec![0.0; self.layers[2].n_outputs],
        }
    }

    pub(crate) fn zeros(&self) -> Numbers {
        [0, 1, 2].map(|layer| vec![0.0; self.layers[layer].numbers.len()])
    }

    pub(crate) fn forward(&self, inputs: &[f32], into: &mut Activations) {
        forward(self, inputs, into);
    }

    /// Adds to `gradient` what the pull at the outputs means for the numbers, after [`Network::forward`] of the same inputs.
    pub(crate) fn backward(&self, inputs: &[f32], seen: &Activations, pull: &[f32], gradient: &mut Numbers) {
        backward(self, inputs, seen, pull, gradient);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn forward(network: &Network, inputs: &[f32], into: &mut Activations) {
    let [first, second] = &mut into.hidden;
    network.layers[0].forward(inputs, first);
    first.iter_mut().for_each(|value| *value = value.max(0.0));
    network.layers[1].forward(first, second);
    second.iter_mut().for_each(|value| *value = value.max(0.0));
    network.layers[2].forward(second, &mut into.outputs);
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn backward(network: &Network, inputs: &[f32], seen: &Activations, pull: &[f32], gradient: &mut Numbers) {
    let [one, two, three] = gradient;
    let mut back = [0.0f32; N_UNITS];
    network.layers[2].backward(&seen.hidden[1], pull, three, Some(&mut back));
    back.iter_mut().zip(&seen.hidden[1]).for_each(|(back, value)| *back *= f32::from(u8::from(*value > 0.0)));
    let mut further = [0.0f32; N_UNITS];
    network.layers[1].backward(&seen.hidden[0], &back, two, Some(&mut further));
    further
        .iter_mut()
        .zip(&seen.hidden[0])
        .for_each(|(back, value)| *back *= f32::from(u8::from(*value > 0.0)));
    network.layers[0].backward(inputs, &further, one, None);
}

/// Adam, and its moments.
///
/// Source: Kingma and Ba 2015.
#[derive(Clone, Debug)]
pub(crate) struct Adam {
    first: Numbers,
    second: Numbers,
    n_steps: i32,
}

impl Adam {
    pub(crate) fn new(network: &Network) -> Self {
        Self { first: network.zeros(), second: network.zeros(), n_steps: 0 }
    }

    /// One step down the gradient, with decoupled weight decay.
    pub(crate) fn step(&mut self, network: &mut Network, gradient: &Numbers, rate: f32, decay: f32) {
        self.n_steps += 1;
        let (c1, c2) = (1.0 - BETA1.powi(self.n_steps), 1.0 - BETA2.powi(self.n_steps));
        for layer in 0..3 {
            let numbers = network.layers[layer].numbers.iter_mut().zip(&gradient[layer]);
            let moments = self.first[layer].iter_mut().zip(self.second[layer].iter_mut());
            for ((number, gradient), (first, second)) in numbers.zip(moments) {
                *first = BETA1 * *first + (1.0 - BETA1) * gradient;
                *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
                *number -= rate * (*first / c1 / ((*second / c2).sqrt() + 1e-8) + decay * *number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn gradients_are_those_of_differences() {
        let mut rng = Seed(5).stream("network");
        let mut network = Network::new(3, 2, &mut rng);
        let inputs = [0.4, -0.9, 1.3];
        let pull = [0.7, -1.1];
        let value = |network: &Network| {
            let mut seen = network.activations();
            network.forward(&inputs, &mut seen);
            f64::from(seen.outputs[0]) * 0.7 - f64::from(seen.outputs[1]) * 1.1
        };
        let mut seen = network.activations();
        network.forward(&inputs, &mut seen);
        let mut gradient = network.zeros();
        network.backward(&inputs, &seen, &pull, &mut gradient);
        let mut n_moving = 0;
        for (layer, gradient) in gradient.iter().enumerate() {
            for number in (0..network.layers[layer].numbers.len()).step_by(7) {
                // In single precision a step of 1e-2 leaves some 1e-4 of rounding; a kink may lie within it, rarely.
                let step = 1e-2;
                let at = network.layers[layer].numbers[number];
                network.layers[layer].numbers[number] = at + step;
                let above = value(&network);
                network.layers[layer].numbers[number] = at - step;
                let below = value(&network);
                network.layers[layer].numbers[number] = at;
                let slope = (above - below) / (2.0 * f64::from(step));
                let found = f64::from(gradient[number]);
                assert!((slope - found).abs() < 5e-3, "layer {layer}, number {number}: {slope} and {found}");
                n_moving += usize::from(found.abs() > 1e-3);
            }
        }
        assert!(n_moving > 100, "{n_moving} gradients are not 0");
    }
}
