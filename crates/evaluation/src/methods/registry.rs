//! The methods that a program knows.

use super::{
    AVERAGE, BOOSTING, FINE_TUNED, FOREST, FROM_ANIL, FROM_MAML, FROM_REPTILE, GENERATED, GENERATED_ALONE,
    GENERATED_COLUMNS, GENERATED_PLAIN, GP, LINEAR_TUNED, MethodRef, NEIGHBOURS, NOISY, REFINED, Role,
    SHUFFLED, STEPS_FROM_RANDOM, UNTRAINED, trained, tuned,
};
use weightsmith_training::Optimiser;

/// The methods that a program knows, in the order of reports.
#[derive(Clone, Debug)]
pub struct Registry {
    methods: Vec<MethodRef>,
}

impl Default for Registry {
    /// The methods of this crate.
    fn default() -> Self {
        let gradients = [Optimiser::Adam, Optimiser::AdamW, Optimiser::Sgd, Optimiser::Lbfgs];
        let mut methods = vec![GENERATED, GENERATED_PLAIN, GENERATED_ALONE, GENERATED_COLUMNS, REFINED];
        methods.extend([STEPS_FROM_RANDOM, FROM_MAML, FROM_REPTILE, FROM_ANIL]);
        methods.extend(gradients.map(tuned));
        methods.extend(gradients.map(trained));
        methods.extend([Optimiser::Evolution, Optimiser::RandomSearch].map(trained));
        methods.extend([LINEAR_TUNED, NEIGHBOURS, FOREST, GP, BOOSTING, AVERAGE]);
        methods.extend([UNTRAINED, NOISY, SHUFFLED, FINE_TUNED]);
        Self { methods }
    }
}

impl Registry {
    /// With one more, after the last that the metamodel writes.
    #[must_use]
    pub fn with(mut self, method: MethodRef) -> Self {
        let last = self.methods.iter().rposition(|method| method.role() == Role::Generated);
        self.methods.insert(last.map_or(0, |last| last + 1), method);
        self
    }

    /// Every method.
    pub fn all(&self) -> &[MethodRef] {
        &self.methods
    }

    /// Every method that needs no weights to start from.
    pub fn without_weights(&self) -> Vec<MethodRef> {
        self.methods.iter().copied().filter(|method| !method.needs_weights()).collect()
    }

    /// The method of a name; `linear` is short for `linear-tuned`.
    ///
    /// # Errors
    /// A name that no method has.
    pub fn find(&self, name: &str) -> Result<MethodRef, UnknownMethod> {
        let is_meant =
            |method: &&MethodRef| method.name() == name || (**method == LINEAR_TUNED && name == "linear");
        self.methods.iter().find(is_meant).copied().ok_or_else(|| UnknownMethod {
            found: name.to_string(),
            available: self.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// No method has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method \"{found}\"; there are {available}")]
pub struct UnknownMethod {
    found: String,
    available: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_their_names() {
        let registry = Registry::default();
        for method in registry.all() {
            assert_eq!(registry.find(method.name()), Ok(*method));
        }
        assert_eq!(registry.find("linear"), Ok(LINEAR_TUNED));
        let error = registry.find("astrology").unwrap_err().to_string();
        assert!(error.contains("unknown method \"astrology\"") && error.contains("evolution"), "{error}");
    }

    #[test]
    fn every_name_is_there_once() {
        let registry = Registry::default();
        let mut names: Vec<&str> = registry.all().iter().map(|method| method.name()).collect();
        let n_methods = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_methods);
    }
}
