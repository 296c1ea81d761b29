//! The methods that can be named.

use weightsmith_evaluation::{MethodRef, Registry, UnknownMethod};
use weightsmith_planner::PLANNED;

/// Every method there is.
pub(crate) fn registry() -> Registry {
    Registry::default().with(PLANNED)
}

/// The methods of a comparison that names none.
pub(crate) fn usual() -> Vec<MethodRef> {
    registry().without_weights()
}

/// The method of a name, as it is typed.
pub(crate) fn parse(name: &str) -> Result<MethodRef, UnknownMethod> {
    registry().find(name)
}
