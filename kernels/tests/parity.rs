//! Every operation on a GPU against the CPU, values and gradients. Built with `--features cuda`; where there is no GPU
//! it checks that opening one says so.
#![cfg(feature = "cuda")]

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use weightsmith_kernels::{DeviceError, attention, cholesky_solve, layer_norm, logistic_head, open_device};

/// Relative to the largest magnitude: f32 sums in another order, through a factorisation, and products of matrices whose
/// factors the GPU rounds to TF32 (11 significant bits).
const TOLERANCE: f32 = 2e-3;

struct Inputs {
    rng: ChaCha8Rng,
    device: Device,
    leaves: Vec<Tensor<1>>,
}

impl Inputs {
    fn new(device: &Device) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(1), device: device.clone().autodiff(), leaves: vec![] }
    }

    fn draw<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let n = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|_| self.rng.random_range(-1.0..1.0)).collect();
        let leaf = Tensor::<1>::from_data(TensorData::new(values, [n]), &self.device).require_grad();
        self.leaves.push(leaf.clone());
        leaf.reshape(shape)
    }

    /// A positive definite matrix a task, its product computed on the host: a GPU's matrix units round the factors of a
    /// product to TF32, and a solution moves by more than its system.
    fn system(&mut self, n_tasks: usize, p: usize) -> Tensor<3> {
        let mut values = Vec::with_capacity(n_tasks * p * p);
        for _ in 0..n_tasks {
            let root: Vec<f64> = (0..2 * p * p).map(|_| self.rng.random_range(-1.0..1.0)).collect();
            let dot = |i: usize, j: usize| {
                (0..2 * p).map(|k| root[i * 2 * p + k] * root[j * 2 * p + k]).sum::<f64>()
            };
            for i in 0..p {
                values.extend((0..p).map(|j| (dot(i, j) + f64::from(u8::from(i == j))) as f32));
            }
        }
        let leaf = Tensor::<1>::from_data(TensorData::new(values, [n_tasks * p * p]), &self.device);
        let leaf = leaf.require_grad();
        self.leaves.push(leaf.clone());
        let system = leaf.reshape([n_tasks, p, p]);
        (system.clone() + system.transpose()) * 0.5
    }
}

/// The value and all gradients of the sum of squares of what `operation` gives.
fn run(device: &Device, operation: fn(&mut Inputs) -> Tensor<3>) -> Vec<Vec<f32>> {
    let mut inputs = Inputs::new(device);
    let output = operation(&mut inputs);
    let grads = (output.clone() * output.clone()).sum().backward();
    let read = |data: TensorData| data.try_to_vec::<f32>().expect("f32");
    let mut all = vec![read(output.into_data())];
    all.extend(
        inputs.leaves.iter().map(|leaf| read(leaf.grad(&grads).expect("every input is used").into_data())),
    );
    all
}

/// The largest deviation of an operation's values and gradients, relative to the largest magnitude of each array.
fn deviation(gpu: &Device, operation: fn(&mut Inputs) -> Tensor<3>) -> f32 {
    let (ours, theirs) = (run(gpu, operation), run(&Device::flex(), operation));
    let of_array = |(gpu, cpu): (&Vec<f32>, &Vec<f32>)| {
        let scale = cpu.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
        // The maximum of f32 leaves NaN out.
        gpu.iter().zip(cpu).fold(0.0, |worst: f32, (a, b)| {
            let off = (a - b).abs() / scale;
            if off.is_nan() { f32::INFINITY } else { worst.max(off) }
        })
    };
    ours.iter().zip(&theirs).map(of_array).fold(0.0, f32::max)
}

#[test]
fn gpu_and_cpu_agree() {
    let gpu = match open_device("cuda:0") {
        Ok(gpu) => gpu,
        Err(error) => {
            assert_eq!(error, DeviceError::NoGpu { index: 0, n_found: 0 });
            return;
        }
    };
    let mut worst = Vec::new();
    let mut check = |name: &str, operation| worst.push((name.to_string(), deviation(&gpu, operation)));
    check("matmul", |inputs| inputs.draw([2, 33, 65]).matmul(inputs.draw([2, 65, 17])));
    check("layer_norm", |inputs| layer_norm(inputs.draw([2, 5, 24]), inputs.draw([24]), inputs.draw([24])));
    check("attention", |inputs| {
        let mask = Tensor::ones([2, 9], &inputs.device);
        attention(inputs.draw([2, 7, 16]), inputs.draw([2, 9, 16]), inputs.draw([2, 9, 16]), mask, 4)
    });
    check("cholesky_solve", |inputs| cholesky_solve(inputs.system(2, 12), inputs.draw([2, 12, 3])));
    check("logistic_head", |inputs| {
        let classes = Tensor::<2>::eye(3, &inputs.device).repeat_dim(0, 8).unsqueeze::<3>().repeat_dim(0, 2);
        let row_weights = inputs.draw([2, 24]) * 0.2 + 1.0;
        let precision = inputs.draw([2, 12]) * 0.2 + 1.0;
        logistic_head(inputs.system(2, 12), inputs.draw([2, 24, 12]), classes, row_weights, precision, 8)
    });
    println!("deviations of the GPU from the CPU: {worst:?}");
    let off: Vec<_> = worst.iter().filter(|(_, deviation)| *deviation > TOLERANCE).collect();
    assert!(off.is_empty(), "above {TOLERANCE}: {off:?}");
}
