//! Every operation on a GPU against the CPU, values and gradients. Built with `--features cuda`; where there is no GPU
//! it checks that opening one says so.
#![cfg(feature = "cuda")]

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use weightsmith_kernels::{DeviceError, attention, cholesky_solve, layer_norm, logistic_head, open_device};

/// f32 sums in another order, through a factorisation: relative to the largest magnitude.
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

    fn system(&mut self, n_tasks: usize, p: usize) -> Tensor<3> {
        let root = self.draw([n_tasks, p, 2 * p]);
        let identity = Tensor::<2>::eye(p, &self.device).unsqueeze::<3>();
        root.clone().matmul(root.transpose()) + identity
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

fn check(name: &str, gpu: &Device, operation: fn(&mut Inputs) -> Tensor<3>) {
    let (ours, theirs) = (run(gpu, operation), run(&Device::flex(), operation));
    for (idx, (gpu, cpu)) in ours.iter().zip(&theirs).enumerate() {
        let scale = cpu.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
        for (a, b) in gpu.iter().zip(cpu) {
            assert!(
                (a - b).abs() <= TOLERANCE * scale,
                "{name}, array {idx}: {a} on the GPU, {b} on the CPU"
            );
        }
    }
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
    check("matmul", &gpu, |inputs| inputs.draw([2, 33, 65]).matmul(inputs.draw([2, 65, 17])));
    check("layer_norm", &gpu, |inputs| {
        layer_norm(inputs.draw([2, 5, 24]), inputs.draw([24]), inputs.draw([24]))
    });
    check("attention", &gpu, |inputs| {
        let mask = Tensor::ones([2, 9], &inputs.device);
        attention(inputs.draw([2, 7, 16]), inputs.draw([2, 9, 16]), inputs.draw([2, 9, 16]), mask, 4)
    });
    check("cholesky_solve", &gpu, |inputs| cholesky_solve(inputs.system(2, 12), inputs.draw([2, 12, 3])));
    check("logistic_head", &gpu, |inputs| {
        let classes = Tensor::<2>::eye(3, &inputs.device).repeat_dim(0, 8).unsqueeze::<3>().repeat_dim(0, 2);
        let row_weights = inputs.draw([2, 24]) * 0.2 + 1.0;
        let precision = inputs.draw([2, 12]) * 0.2 + 1.0;
        logistic_head(inputs.system(2, 12), inputs.draw([2, 24, 12]), classes, row_weights, precision, 8)
    });
}
