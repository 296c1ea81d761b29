//! A Gaussian process.

use super::references::Model;
use super::{Made, Method, MethodError, MethodSettings, Reference, ReferenceError, Role};
use weightsmith_base_model::Predictions;
use weightsmith_tasks::{Support, Table};
use weightsmith_training::{GaussianProcess, Moment};

/// A Gaussian process whose hyperparameters the marginal likelihood decides.
pub(super) struct Gp;

impl Method for Gp {
    fn name(&self) -> &'static str {
        "gp"
    }

    fn about(&self) -> String {
        "a Gaussian process with a length scale a column and a linear part, by marginal likelihood".into()
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
        let process = GaussianProcess::fit(support, settings.seed)?;
        let n_rows = process.n_rows();
        let details = if n_rows < support.n_rows() { format!("from {n_rows} rows") } else { String::new() };
        Ok(Made::reference(Reference::of(process), details))
    }
}

impl Model for GaussianProcess {
    fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        Ok(GaussianProcess::predict(self, table)?)
    }

    fn residual_std(&self) -> Option<f32> {
        GaussianProcess::residual_std(self)
    }
}
