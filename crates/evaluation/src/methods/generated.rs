//! Weights that the metamodel writes.

use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateInfo, GenerateOptions, Steps, generate_base_model};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Weights that the metamodel writes, in one forward pass or with a few inner steps from there.
pub(super) struct Generated {
    /// Whether a forest is distilled into them.
    with_forest: bool,
    /// Inner steps from there.
    n_steps: Steps,
}

impl Generated {
    pub(super) const DECIDED: Self = Self { with_forest: true, n_steps: Steps::Decided };
    pub(super) const PLAIN: Self = Self { with_forest: true, n_steps: Steps::Fixed(0) };
    pub(super) const ALONE: Self = Self { with_forest: false, n_steps: Steps::Fixed(0) };

    /// Generates on the calling thread.
    pub(super) fn generate(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
    ) -> Result<(BaseModel, GenerateInfo), MethodError> {
        let usual = GenerateOptions::default();
        let n_trees = if self.with_forest { usual.n_trees } else { 0 };
        let options = GenerateOptions {
            n_views: settings.n_views,
            n_threads: 1,
            n_trees,
            n_steps: self.n_steps,
            ..usual
        };
        Ok(generate_base_model(settings.pretrained, support, options)?)
    }
}

impl Method for Generated {
    fn name(&self) -> &'static str {
        match (self.with_forest, self.n_steps) {
            (true, Steps::Decided | Steps::Within { .. }) => "generated",
            (true, Steps::Fixed(_)) => "generated-0",
            (false, _) => "generated-alone",
        }
    }

    fn about(&self) -> String {
        match (self.with_forest, self.n_steps) {
            (true, Steps::Decided | Steps::Within { .. }) => "weights written by the metamodel, with as many inner steps as pay, and a forest and a smooth function distilled into them",
            (true, Steps::Fixed(_)) => {
                "weights written by the metamodel in one forward pass, with a forest distilled into them"
            }
            (false, _) => "weights written by the metamodel alone, in one forward pass",
        }
        .into()
    }

    fn role(&self) -> Role {
        Role::Generated
    }

    fn uses_metamodel(&self) -> bool {
        true
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let (model, info) = self.generate(support, settings)?;
        let details = format!("{} views, {} units", info.n_views, info.n_units);
        let n_steps = info.steps.map(|steps| steps.n_steps);
        Ok(Made { n_steps, ..Made::network(model, details) })
    }
}
