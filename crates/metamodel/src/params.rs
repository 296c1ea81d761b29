//! The trained numbers of a metamodel on the host, and how layers are built from them.

use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use weightsmith_tasks::Seed;

/// Name and shape of one parameter, and where it lies in [`MetaParams::values`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamEntry {
    /// Path of the parameter, such as `encoder.layer.0.row_message.weight`.
    pub name: String,
    /// Its sizes; matrices are `[inputs, outputs]`.
    pub shape: Vec<usize>,
    /// Its first position.
    pub start: usize,
}

impl ParamEntry {
    /// The number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The trained numbers of a metamodel, one flat array with names.
#[derive(Clone, Debug, PartialEq)]
pub struct MetaParams {
    /// All parameters, in the order in which the network is built.
    pub entries: Vec<ParamEntry>,
    /// All numbers.
    pub values: Vec<f32>,
}

impl MetaParams {
    /// The values of one parameter.
    pub fn of(&self, entry: &ParamEntry) -> &[f32] {
        &self.values[entry.start..entry.start + entry.len()]
    }

    /// The same names and shapes with other numbers.
    ///
    /// # Panics
    /// If the number of values differs.
    pub fn with_values(&self, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), self.values.len(), "as many numbers as parameters");
        Self { entries: self.entries.clone(), values }
    }
}

/// How a new parameter is drawn.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Init {
    /// All values equal.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// Where the numbers of a network under construction come from.
enum Numbers<'a> {
    Zeros,
    Drawn(Seed, Vec<f32>),
    Given(&'a MetaParams),
}

/// Builds layers parameter by parameter: draws them, or takes them from [`MetaParams`] in the same order.
pub(crate) struct Builder<'a> {
    numbers: Numbers<'a>,
    device: Device,
    path: Vec<String>,
    entries: Vec<ParamEntry>,
    leaves: Vec<Tensor<1>>,
    n_values: usize,
}

impl<'a> Builder<'a> {
    /// A builder that draws every parameter from a stream of its own.
    pub(crate) fn drawing(seed: Seed, device: &Device) -> Self {
        Self::new(Numbers::Drawn(seed, Vec::new()), device)
    }

    /// A builder whose parameters all are 0.
    pub(crate) fn zeros(device: &Device) -> Self {
        Self::new(Numbers::Zeros, device)
    }

    /// A builder that takes the parameters of `params`.
    pub(crate) fn taking(params: &'a MetaParams, device: &Device) -> Self {
        Self::new(Numbers::Given(params), device)
    }

    fn new(numbers: Numbers<'a>, device: &Device) -> Self {
        Self { numbers, device: device.clone(), path: vec![], entries: vec![], leaves: vec![], n_values: 0 }
    }

    /// Everything that `build` makes has `name` in its path.
    pub(crate) fn scope<T>(&mut self, name: impl Into<String>, build: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.into());
        let made = build(self);
        self.path.pop();
        made
    }

    /// The next parameter.
    ///
    /// # Panics
    /// If given parameters have another name or shape here; [`crate::Metamodel::new`] checks them first.
    pub(crate) fn param<const D: usize>(&mut self, name: &str, shape: [usize; D], init: Init) -> Tensor<D> {
        let name = self.path.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
        let entry = ParamEntry { name, shape: shape.to_vec(), start: self.n_values };
        let n = entry.len();
        let from_values =
            |values: Vec<f32>| Tensor::<1>::from_data(TensorData::new(values, [n]), &self.device);
        let leaf = match &mut self.numbers {
            // Only names and shapes are wanted: memory that is never touched costs nothing.
            Numbers::Zeros => Tensor::<1>::zeros([n], &self.device),
            Numbers::Drawn(seed, all) => {
                let mut rng = seed.stream(&format!("init.{}", entry.name));
                let drawn: Vec<f32> = match init {
                    Init::Constant(value) => vec![value; n],
                    Init::Normal(std) => (0..n).map(|_| std * normal(&mut rng)).collect(),
                };
                all.extend_from_slice(&drawn);
                from_values(drawn)
            }
            Numbers::Given(params) => {
                let given = &params.entries[self.entries.len()];
                assert_eq!((&given.name, &given.shape), (&entry.name, &entry.shape), "checked by the caller");
                from_values(params.of(given).to_vec())
            }
        };
        let leaf = if self.device.is_autodiff() { leaf.require_grad() } else { leaf };
        self.entries.push(entry);
        self.n_values += n;
        self.leaves.push(leaf.clone());
        leaf.reshape(shape)
    }

    /// What was built: names and shapes, the numbers (none if they were given), and the leaf tensors.
    pub(crate) fn finish(self) -> (Vec<ParamEntry>, Vec<f32>, Vec<Tensor<1>>) {
        let drawn = match self.numbers {
            Numbers::Zeros => vec![0.0; self.n_values],
            Numbers::Drawn(_, values) => values,
            Numbers::Given(_) => vec![],
        };
        (self.entries, drawn, self.leaves)
    }
}

/// A normal number by the polar method of Marsaglia.
fn normal(rng: &mut impl Rng) -> f32 {
    loop {
        let (a, b) = (rng.random_range(-1.0f64..1.0), rng.random_range(-1.0f64..1.0));
        let square = a * a + b * b;
        if square > 0.0 && square < 1.0 {
            return (a * (-2.0 * square.ln() / square).sqrt()) as f32;
        }
    }
}
