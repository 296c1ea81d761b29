//! What is left out of rows before anything is learned from them, for each set of rows once.

use std::cell::RefCell;
use weightsmith_base_model::SupportInfo;
use weightsmith_generation::{GenerateError, Maker, SelectMode, Selected, select_support};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, Support};

/// Selections by the checksum of the rows: every candidate of a fold learns from the same.
pub(crate) struct Selections {
    mode: SelectMode,
    known: RefCell<Vec<(String, Selected)>>,
}

impl Selections {
    /// None yet; of nothing where there is nothing to select.
    pub(crate) fn new(mode: SelectMode) -> Option<Self> {
        (mode != SelectMode::Off).then(|| Self { mode, known: RefCell::new(Vec::new()) })
    }

    /// What is selected of some rows, by these alone.
    pub(crate) fn of(
        &self,
        support: &Support,
        pretrained: &Pretrained,
        seed: Seed,
    ) -> Result<Selected, GenerateError> {
        let checksum = SupportInfo::of(support).checksum;
        if let Some((_, known)) = self.known.borrow().iter().find(|(known, _)| *known == checksum) {
            return Ok(known.clone());
        }
        let selected = select_support(Maker::Metamodel(pretrained), support, self.mode, seed)?;
        self.known.borrow_mut().push((checksum, selected.clone()));
        Ok(selected)
    }
}
