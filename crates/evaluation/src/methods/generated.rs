//! Weights that the metamodel writes.

use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateInfo, GenerateOptions, generate_base_model};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Weights that the metamodel writes in one forward pass.
pub(super) struct Generated {
    /// Whether a forest is distilled into them.
    pub(super) with_forest: bool,
}

impl Generated {
    /// Generates on the calling thread.
    pub(super) fn generate(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
    ) -> Result<(BaseModel, GenerateInfo), MethodError> {
        let usual = GenerateOptions::default();
        let n_trees = if self.with_forest { usual.n_trees } else { 0 };
        let options = GenerateOptions { n_views: settings.n_views, n_threads: 1, n_trees };
        Ok(generate_base_model(settings.pretrained, support, options)?)
    }
}

impl Method for Generated {
    fn name(&self) -> &'static str {
        if self.with_forest { "generated" } else { "generated-alone" }
    }

    fn about(&self) -> String {
        match self.with_forest {
            true => "weights written by the metamodel, with a forest distilled into them",
            false => "weights written by the metamodel alone, in one forward pass",
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
        Ok(Made::network(model, format!("{} views, {} units", info.n_views, info.n_units)))
    }
}
