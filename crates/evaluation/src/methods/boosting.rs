//! Gradient boosting of shallow trees.

mod bins;
mod rounds;
mod tree;

use super::references::{Model, encoded};
use super::{Made, Method, MethodError, MethodSettings, Reference, ReferenceError, Role};
use rounds::{Coding, Rounds, Sum, Wanted, add};
use weightsmith_base_model::{Encoding, Predictions, Rows};
use weightsmith_tasks::{Seed, Support, Table, Target};
use weightsmith_training::{Moment, folds, split_off};

/// The most rounds.
const MAX_ROUNDS: usize = 300;
/// The fewest rounds.
const MIN_ROUNDS: usize = 10;
/// Rounds without a lower held-out loss after which no further ones are tried.
const PATIENCE: usize = 50;

/// Gradient boosting of shallow trees.
pub(super) struct Boosting;

impl Method for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn about(&self) -> String {
        "gradient boosting of trees of depth 3, at most 300 rounds, how many chosen by 4-fold cross-validation".into()
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
        let (boosted, n_rounds) = Boosted::fit(support, settings.seed)?;
        Ok(Made::reference(Reference::of(boosted), format!("{n_rounds} rounds")))
    }
}

/// A sum of trees on the encoded columns.
pub(super) struct Boosted {
    encoding: Encoding,
    coding: Coding,
    sum: Sum,
    residual_std: Option<f32>,
}

impl Boosted {
    /// As many rounds as have the lowest loss on held-out rows in 4-fold cross-validation. Also says how many.
    ///
    /// # Errors
    /// Rows that cannot be encoded, fewer than two rows.
    pub(super) fn fit(support: &Support, seed: Seed) -> Result<(Self, usize), ReferenceError> {
        let coding = Coding::of(support.target());
        let (n_rounds, loss) = best_rounds(support, &coding, seed)?;
        let (encoding, rows) = encoded(support)?;
        let mut rounds = Rounds::new(rows, coding.wanted(support.target()), seed.stream("boosting"));
        (0..n_rounds).for_each(|_| {
            rounds.go_on();
        });
        let residual_std = match support.target() {
            Target::Values(_) => Some((loss.sqrt() * coding.unit.scale) as f32),
            Target::Classes { .. } => None,
        };
        Ok((Self { encoding, coding, sum: rounds.into_sum(), residual_std }, n_rounds))
    }
}

/// One fold of cross-validation: what is learned from the other rows, and what it says of the fold's.
struct Fold {
    rounds: Rounds,
    /// Encoded by what the others show.
    held_out: Rows,
    wanted: Wanted,
    outputs: Vec<Vec<f64>>,
}

impl Fold {
    fn loss(&self) -> f64 {
        self.outputs.iter().enumerate().map(|(row, outputs)| self.wanted.loss(row, outputs)).sum()
    }

    fn go_on(&mut self) {
        let trees = self.rounds.go_on();
        for (row, outputs) in self.outputs.iter_mut().enumerate() {
            add(trees, self.held_out.row(row), outputs);
        }
    }
}

/// The number of rounds with the lowest held-out loss, and that loss, a row's in the mean.
fn best_rounds(support: &Support, coding: &Coding, seed: Seed) -> Result<(usize, f64), ReferenceError> {
    let mut all = Vec::new();
    for (place, fold) in folds(support.target(), seed)?.iter().enumerate() {
        let (rest, held_out) = split_off(support, fold);
        let (encoding, rows) = encoded(&rest)?;
        let random = seed.indexed_stream("boosting.fold", &[place as u64]);
        let rounds = Rounds::new(rows, coding.wanted(rest.target()), random);
        let outputs = vec![rounds.sum().start().to_vec(); held_out.n_rows()];
        let wanted = coding.wanted(held_out.target());
        all.push(Fold { rounds, held_out: encoding.encode(held_out.table())?, wanted, outputs });
    }
    let mut best = (MIN_ROUNDS, f64::INFINITY);
    for n_rounds in 1..=MAX_ROUNDS {
        all.iter_mut().for_each(Fold::go_on);
        let loss: f64 = all.iter().map(Fold::loss).sum();
        if n_rounds >= MIN_ROUNDS && loss < best.1 {
            best = (n_rounds, loss);
        }
        if n_rounds >= best.0 + PATIENCE {
            break;
        }
    }
    Ok((best.0, best.1 / support.n_rows() as f64))
}

impl Model for Boosted {
    fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        let rows = self.encoding.encode(table)?;
        let outputs: Vec<Vec<f64>> = (0..rows.n_rows).map(|row| self.sum.outputs(rows.row(row))).collect();
        Ok(self.coding.predictions(&outputs))
    }

    fn residual_std(&self) -> Option<f32> {
        self.residual_std
    }
}
