//! Weights that the metamodel writes from chosen columns.

use super::generated::Generated;
use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_generation::{Maker, likely_columns, with_columns};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Weights that the metamodel writes, with as many inner steps as pay, from the columns that are not likely of no use. Whether leaving the
/// others out pays is for those to find out who compare.
pub(super) struct GeneratedColumns;

impl Method for GeneratedColumns {
    fn name(&self) -> &'static str {
        "generated-columns"
    }

    fn about(&self) -> String {
        "weights written by the metamodel as in generated, from the columns that are not likely of no use"
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
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let kept = likely_columns(Maker::Metamodel(settings.pretrained), support, settings.seed)?;
        let n_columns = support.table().columns().len();
        let made = Generated::DECIDED.make(&with_columns(support, &kept), settings, watch)?;
        Ok(Made { details: format!("{} of {n_columns} columns, {}", kept.len(), made.details), ..made })
    }
}
