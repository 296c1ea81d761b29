//! Distillation: a random forest and a smooth function, fitted to the support, towards which a generated network is moved.
//! They see what a few generated units find hard: thresholds on several columns at once, and curves through few rows.
//!
//! The move is solved, not trained: on rows that are mixed from the support's own, ridge regression fits the difference
//! between what the network says and what all would say on average, by random hidden units: along directions as the smooth
//! function's length scales have them, and along pairs of columns that bend where the forest splits. These join the
//! network, which stays one hidden layer. How much each counts is picked by what all say of rows that they have not seen.
//!
//! Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", for the idea.

use crate::forest::Forest;
use crate::smooth::{Smooth, all_sharpened};
use crate::units::{normal, random_units};
use crate::views;
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{
    Encoding, EncodingError, HostLayer, HostWeights, Matrix, Rows, Weights, predict,
};
use weightsmith_kernels::{Factor, Square};
use weightsmith_metamodel::{Labels, Standardised, UNIT_FLOOR, standardised};
use weightsmith_tasks::{Base, Column, Seed, Table, softmax};

/// Shares of the forest in the outputs, of which the support picks one.
const SHARES: [f32; 7] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
/// The share that is picked where the support does not tell, and how many rows it takes to tell: with so many rows a
/// share of 1 more or less is picked for half the loss.
const USUAL_SHARE: f32 = 0.3;
const ROWS_TO_TELL: f32 = 100.0;
/// Most rows that the forest is grown on.
const MAX_GROWN: usize = 2048;
/// Hidden units that carry what one teacher says: so many for each row that the forest was grown on, at least and at most. The
/// more rows, the more there is to follow.
const UNITS_A_ROW: f32 = 1.5;
const N_UNITS: [usize; 2] = [256, 640];
/// Most support rows that a move is solved on, and mixed rows for each hidden unit of one teacher.
const MAX_PLAIN: usize = 600;
const MIXED_A_UNIT: usize = 8;
/// How much of a mixed row comes from another row.
const MIXTURES: [f64; 3] = [0.15, 0.3, 0.5];
/// Least class share, for its logarithm is what is fitted.
const LEAST_SHARE: f32 = 1e-4;
/// Ridge strengths, relative to the number of rows that a move is solved on: of units that follow the smooth function, and of
/// inputs; of units that follow the forest, times the support's rows: of few rows its steps are better smoothed.
const SMOOTH_RIDGE: f32 = 0.002;
const FOREST_RIDGE_TIMES_ROWS: f32 = 1.0;

/// A support as the forest sees it. Rows and columns come in an order of their own, so that theirs changes nothing.
pub(crate) struct DistillationData<'a> {
    pub(crate) table: &'a Table,
    /// The standard encoding and the support in it.
    pub(crate) encoding: &'a Encoding,
    pub(crate) rows: &'a Rows,
    pub(crate) labels: &'a Labels,
    /// The encoded columns by content.
    pub(crate) columns: &'a [usize],
    /// The rows by label and content.
    pub(crate) order: &'a [usize],
}

/// A smooth function that was fitted to a support, and what was decided about it.
pub(crate) struct SmoothTeacher {
    pub(crate) smooth: Smooth,
    /// How sharply memberships become class shares; without meaning for values.
    pub(crate) sharpness: f32,
    /// In the outputs.
    pub(crate) share: f32,
    /// What such functions say of support rows that they have not seen, class shares or standardised values:
    /// `[n_rows, n_outputs]`.
    pub(crate) left_out: Vec<f32>,
}

/// A forest that was grown on a support, and the smooth function beside it, if it counts.
pub(crate) struct Teacher<'a> {
    data: DistillationData<'a>,
    forest: Forest,
    smooth: Option<SmoothTeacher>,
    /// The support rows that the forest was grown on.
    grown: Vec<usize>,
    /// Of the forest in the outputs.
    share: f32,
    rng: ChaCha8Rng,
}

/// The rows with their columns in another order.
fn reorder(rows: &Rows, columns: &[usize]) -> Rows {
    let whole = (0..rows.n_rows).map(|row| rows.row(row));
    let values = whole.flat_map(|row| columns.iter().map(move |&column| row[column])).collect();
    Rows { n_rows: rows.n_rows, n_columns: columns.len(), values }
}

impl<'a> Teacher<'a> {
    /// Grows a forest of `n_trees` trees.
    pub(crate) fn new(data: DistillationData<'a>, n_trees: usize, seed: Seed) -> Self {
        let grown = views::spread(data.order, MAX_GROWN).unwrap_or_else(|| data.order.to_vec());
        let mut rng = seed.stream("metamodel.forest");
        let (rows, labels) = views::select(data.rows, data.labels, &grown);
        let forest = Forest::grow(&reorder(&rows, data.columns), &labels, n_trees, &mut rng);
        Self { data, forest, smooth: None, grown, share: USUAL_SHARE, rng }
    }

    /// How far one row's outputs should move: to the average of what network and teacher say, in class shares or values, in which
    /// that of the teacher has the given share. `said` are the network's logits or standardised values.
    fn change(&self, share: f32, said: &[f32], told: &[f32]) -> Vec<f32> {
        match self.data.labels {
            Labels::Classes { .. } => {
                let own = shares(self.data.labels, said.to_vec());
                let logits = own.iter().map(|own| own.max(LEAST_SHARE).ln());
                let both = own
                    .iter()
                    .zip(told)
                    .map(|(own, told)| ((1.0 - share) * own + share * told).max(LEAST_SHARE).ln());
                let mut change: Vec<f32> = both.zip(logits).map(|(both, own)| both - own).collect();
                centre(&mut change);
                change
            }
            Labels::Values(_) => told.iter().zip(said).map(|(told, said)| share * (told - said)).collect(),
        }
    }

    /// Share of the forest in the outputs.
    pub(crate) fn share(&self) -> f32 {
        self.share
    }

    /// The support rows that the forest was grown on.
    pub(crate) fn grown(&self) -> &[usize] {
        &self.grown
    }

    /// What the trees that have not seen a row say of it, in the order of [`Self::grown`]: class shares or standardised
    /// values, `[n_grown, n_outputs]`.
    pub(crate) fn left_out(&self) -> &[f32] {
        &self.forest.left_out
    }

    /// Sets the share of the forest to what was decided, and the smooth function beside it.
    pub(crate) fn set_shares(&mut self, share: f32, smooth: Option<SmoothTeacher>) {
        self.share = share;
        self.smooth = smooth;
    }

    /// Picks the share of the forest by what both say of rows that they have not seen. `said` gives the network's logits or
    /// standardised values of a support row.
    pub(crate) fn pick_share(&mut self, said: impl Fn(usize) -> Vec<f32>) {
        let n_outputs = self.data.labels.n_outputs();
        let told: Vec<&[f32]> = self.forest.left_out.chunks_exact(n_outputs).collect();
        let said: Vec<Vec<f32>> = self.grown.iter().map(|&row| shares(self.data.labels, said(row))).collect();
        let strength = ROWS_TO_TELL / self.grown.len() as f32;
        let loss = |share: f32| {
            let both = |own: f32, told: f32| (1.0 - share) * own + share * told;
            let rows = self.grown.iter().zip(said.iter().zip(&told));
            let sum: f32 = rows
                .map(|(&row, (own, told))| match self.data.labels {
                    Labels::Classes { labels, .. } => {
                        -both(own[labels[row]], told[labels[row]]).max(1e-4).ln()
                    }
                    Labels::Values(values) => (both(own[0], told[0]) - values[row]).powi(2),
                })
                .sum();
            sum / self.grown.len() as f32 * (1.0 + strength * (share - USUAL_SHARE).powi(2))
        };
        self.share = SHARES
            .into_iter()
            .map(|share| (share, loss(share)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(USUAL_SHARE, |(share, _)| share);
    }

    /// How far the left-out outputs of support rows should move, by teachers that did not see them. `said` gives the
    /// logits or standardised values of a row.
    pub(crate) fn left_out_changes(&self, said: impl Fn(usize) -> Vec<f32>) -> Vec<(usize, Vec<f32>)> {
        let n_outputs = self.data.labels.n_outputs();
        let change = |(&row, forest): (&usize, &[f32])| {
            let smooth = self.smooth.as_ref();
            let smooth = smooth.map(|smooth| &smooth.left_out[row * n_outputs..][..n_outputs]);
            let (told, share) = self.together(smooth, forest);
            (row, self.change(share, &said(row), &told))
        };
        self.grown.iter().zip(self.forest.left_out.chunks_exact(n_outputs)).map(change).collect()
    }

    /// What the teachers say on average, each by its share, and their share together.
    fn together(&self, smooth: Option<&[f32]>, forest: &[f32]) -> (Vec<f32>, f32) {
        let Some((teacher, smooth)) = self.smooth.as_ref().zip(smooth) else {
            return (forest.to_vec(), self.share);
        };
        let share = teacher.share + self.share;
        let both = smooth.iter().zip(forest);
        let told = both.map(|(smooth, forest)| (teacher.share * smooth + self.share * forest) / share);
        (told.collect(), share)
    }

    /// Hidden units that carry what one teacher says.
    fn n_units(&self) -> usize {
        let [least, most] = N_UNITS;
        ((UNITS_A_ROW * self.grown.len() as f32) as usize).clamp(least, most)
    }

    /// Support rows, and rows that are mixed of two.
    fn mixed(&self, rng: &mut ChaCha8Rng) -> Table {
        let table = self.data.table;
        let plain = views::spread(&self.grown, MAX_PLAIN).unwrap_or_else(|| self.grown.clone());
        // Table columns in the order in which their encoded columns are seen.
        let mut sources: Vec<usize> = Vec::new();
        for &column in self.data.columns {
            let source = self.data.encoding.columns()[column].source;
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        let mut rows: Vec<Vec<usize>> = vec![plain.clone(); table.columns().len()];
        let n_mixed = MIXED_A_UNIT * self.n_units();
        for _ in 0..n_mixed {
            let mut pick = || self.grown[rng.random_range(0..self.grown.len())];
            let (first, second) = (pick(), pick());
            let mixture = MIXTURES[rng.random_range(0..MIXTURES.len())];
            rows.iter_mut().for_each(|rows| rows.push(first));
            for &source in &sources {
                if rng.random_bool(mixture) {
                    *rows[source].last_mut().expect("pushed above") = second;
                }
            }
        }
        let columns = table.columns().iter().zip(&rows);
        let columns: Vec<Column> = columns
            .map(|(column, rows)| Column { name: column.name.clone(), values: column.values.select(rows) })
            .collect();
        Table::new(plain.len() + n_mixed, columns).expect("columns of a table, all of one length")
    }

    /// Hidden units that bend along one or two splits of the forest, of those that a support row meets. The columns of the
    /// standard encoding lie at `places` among the `n_inputs`.
    fn bent_at_splits(&self, n_inputs: usize, places: &[usize], rng: &mut ChaCha8Rng) -> HostLayer {
        let data = &self.data;
        random_units(self.n_units(), n_inputs, rng, |unit, rng| {
            let row = data.rows.row(self.grown[rng.random_range(0..self.grown.len())]);
            let row: Vec<f32> = data.columns.iter().map(|&column| row[column]).collect();
            let mut any = || {
                let column = rng.random_range(0..row.len());
                (column, row[column])
            };
            let anywhere = [any(), any()];
            let mut bend = 0.0;
            for (column, threshold) in self.forest.two_splits(&row, rng).unwrap_or(anywhere) {
                let weight = &mut unit[places[data.columns[column]]];
                // Of two splits of a column the first one counts.
                if *weight == 0.0 {
                    *weight = normal(rng);
                    bend += *weight * threshold;
                }
            }
            bend
        })
    }

    /// Moves a network with one hidden layer towards the forest and the smooth function.
    ///
    /// # Errors
    /// None, unless the encoding is not of the support's table.
    pub(crate) fn distil_into(
        &self,
        student: &Student<'_>,
        weights: &mut HostWeights,
        device: &Device,
    ) -> Result<(), EncodingError> {
        if self.share == 0.0 && self.smooth.is_none() {
            return Ok(());
        }
        let mut rng = self.rng.clone();
        let table = self.mixed(&mut rng);
        let seen = self.data.encoding.encode(&table)?;
        let rows = student.encoding.encode(&table)?;
        let mut units = HostLayer { weight: Matrix::new(0, rows.n_columns, vec![]), bias: vec![] };
        let forest_ridge = FOREST_RIDGE_TIMES_ROWS / self.grown.len() as f32;
        let mut ridges = Vec::new();
        let mut join = |more: HostLayer, ridge: f32| {
            ridges.resize(ridges.len() + more.bias.len(), ridge);
            units.weight.values.extend(more.weight.values);
            units.weight.n_rows += more.weight.n_rows;
            units.bias.extend(more.bias);
        };
        if self.share > 0.0 {
            join(self.bent_at_splits(rows.n_columns, student.places, &mut rng), forest_ridge);
        }
        let smooth = self.smooth.as_ref().map(|teacher| {
            join(teacher.smooth.units(self.n_units(), &rows, student.places, &mut rng), SMOOTH_RIDGE);
            let told = teacher.smooth.told(&seen);
            match self.data.labels {
                Labels::Values(_) => told,
                Labels::Classes { n_classes, .. } => all_sharpened(&told, *n_classes, teacher.sharpness),
            }
        });
        let forest = match self.share > 0.0 {
            true => self.forest.predict(&reorder(&seen, self.data.columns)),
            false => vec![0.0; rows.n_rows * self.data.labels.n_outputs()],
        };
        let (told, share) = self.together(smooth.as_deref(), &forest);
        let wanted = self.wanted(&rows, student, weights, (&told, share), device);
        let input_ridge = if self.smooth.is_some() { SMOOTH_RIDGE } else { forest_ridge };
        ridges.resize(ridges.len() + rows.n_columns, input_ridge);
        let x = TensorData::new(rows.values, [rows.n_rows, rows.n_columns]);
        let found = Move::solve(Tensor::from_data(x, device), &units, ridges, wanted);
        found.apply(student.outputs, units, weights);
        Ok(())
    }

    /// How the network's outputs for `rows` should change: `[n_rows, n_outputs]`. `told` is what the teachers say of them, with
    /// their share.
    fn wanted(
        &self,
        rows: &Rows,
        student: &Student<'_>,
        weights: &HostWeights,
        (told, share): (&[f32], f32),
        device: &Device,
    ) -> Tensor<2> {
        let (n, n_named, k) = (rows.n_rows, weights.output_bias.len(), student.outputs.len());
        let x = TensorData::new(rows.values.clone(), [1, n, rows.n_columns]);
        let said = predict(&Weights::<Base>::from_host(weights, device), Tensor::<3>::from_data(x, device));
        let said = read(said.reshape([n, n_named]));
        let said = said.chunks_exact(n_named).map(|row| student.seen(row));
        let pairs = said.zip(told.chunks_exact(k));
        let wanted: Vec<f32> = pairs.flat_map(|(said, told)| self.change(share, &said, told)).collect();
        Tensor::from_data(TensorData::new(wanted, [n, k]), device)
    }
}

/// The network that is taught.
pub(crate) struct Student<'a> {
    /// Its encoding.
    pub(crate) encoding: &'a Encoding,
    /// Where the columns of the standard encoding lie in it.
    pub(crate) places: &'a [usize],
    /// Its outputs of the forest's classes.
    pub(crate) outputs: &'a [usize],
}

impl Student<'_> {
    /// Logits of the forest's classes, or standardised values, of one row's outputs.
    pub(crate) fn seen(&self, row: &[f32]) -> Vec<f32> {
        self.outputs.iter().map(|&output| row[output]).collect()
    }
}

/// A change of outputs as a combination of hidden units and inputs.
struct Move {
    /// `[n_units + n_inputs, n_outputs]`, row-major.
    coefficients: Vec<f32>,
    /// `[n_outputs]`.
    intercept: Vec<f32>,
}

impl Move {
    /// Ridge regression of the wanted changes `[n_rows, n_outputs]` on `units` of `x`, `[n_rows, n_inputs]`, and `x` itself, each with its
    /// strength, relative to the number of rows.
    fn solve(x: Tensor<2>, units: &HostLayer, ridges: Vec<f32>, wanted: Tensor<2>) -> Self {
        let device = x.device();
        let [n, k] = wanted.dims();
        let matrix = |matrix: &Matrix| {
            let data = TensorData::new(matrix.values.clone(), [matrix.n_rows, matrix.n_columns]);
            Tensor::<2>::from_data(data, &device)
        };
        let bias = TensorData::new(units.bias.clone(), [1, units.bias.len()]);
        let before = x.clone().matmul(matrix(&units.weight).transpose()) + Tensor::from_data(bias, &device);
        let features = Tensor::cat(vec![activation::relu(before), x], 1); // [n, p]
        let [_, p] = features.dims();
        let Standardised { values, mean, scale } = standardised(features.unsqueeze::<3>(), UNIT_FLOOR);
        let features = values.reshape([n, p]);
        let middle = wanted.clone().mean_dim(0); // [1, k]
        let transposed = features.clone().transpose(); // [p, n]
        let gram = read(transposed.clone().matmul(features) / n as f32);
        let right = read(transposed.matmul(wanted - middle.clone()) / n as f32); // [p, k]
        // Columns of names make many units that say the same of every row: too near to singular for single precision.
        let mut system = Square::new(p, &gram.into_iter().map(f64::from).collect::<Vec<f64>>());
        for (at, ridge) in ridges.into_iter().enumerate() {
            system.row_mut(at)[at] += f64::from(ridge);
        }
        let (factor, _) = Factor::raised(system);
        let mut solved = vec![0.0; p * k];
        for output in 0..k {
            let mut side: Vec<f64> =
                right.iter().skip(output).step_by(k).map(|value| f64::from(*value)).collect();
            factor.solve(&mut side);
            let places = solved.iter_mut().skip(output).step_by(k);
            places.zip(side).for_each(|(place, value)| *place = value as f32);
        }
        let solved = Tensor::<2>::from_data(TensorData::new(solved, [p, k]), &device);
        let coefficients = solved / scale.reshape([p, 1]);
        let intercept = middle - mean.reshape([1, p]).matmul(coefficients.clone());
        Self { coefficients: read(coefficients), intercept: read(intercept) }
    }

    /// Adds the change to `outputs` of a network with one hidden layer, which `units` join.
    fn apply(&self, outputs: &[usize], units: HostLayer, weights: &mut HostWeights) {
        let (n_units, k) = (units.bias.len(), outputs.len());
        let (Some(layer), Some(before)) = (weights.hidden.first_mut(), &mut weights.output) else { return };
        let mut output = Matrix::new(before.n_rows, n_units, vec![0.0; before.n_rows * n_units]);
        for (which, &row) in outputs.iter().enumerate() {
            let mut values = self.coefficients.iter().skip(which).step_by(k);
            for place in &mut output.values[row * n_units..(row + 1) * n_units] {
                *place = *values.next().expect("a coefficient for every unit");
            }
            if let Some(skip) = &mut weights.skip {
                let row = &mut skip.values[row * skip.n_columns..(row + 1) * skip.n_columns];
                row.iter_mut().zip(values).for_each(|(weight, value)| *weight += value);
            }
            weights.output_bias[row] += self.intercept[which];
        }
        layer.weight.values.extend(units.weight.values);
        layer.weight.n_rows += n_units;
        layer.bias.extend(units.bias);
        let rows = before.values.chunks_exact(before.n_columns).zip(output.values.chunks_exact(n_units));
        let values: Vec<f32> = rows.flat_map(|(old, new)| old.iter().chain(new).copied()).collect();
        *before = Matrix::new(before.n_rows, before.n_columns + n_units, values);
    }
}

fn read(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec().expect("the data was converted to f32")
}

/// Class shares of logits; values stay as they are.
fn shares(labels: &Labels, mut outputs: Vec<f32>) -> Vec<f32> {
    if let Labels::Classes { .. } = labels {
        let mut probabilities = vec![0.0; outputs.len()];
        softmax(&outputs, &mut probabilities);
        outputs.iter_mut().zip(probabilities).for_each(|(output, share)| *output = share as f32);
    }
    outputs
}

/// Takes the mean off.
fn centre(values: &mut [f32]) {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
}

#[cfg(test)]
mod tests;
