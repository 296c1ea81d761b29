//! Runs of one level, one after another.

use crate::error::{LedgerError, told};
use crate::ledger::Ledger;
use crate::read::Reader;
use crate::record::{Entry, RunRole};
use rusqlite::params;
use std::marker::PhantomData;
use std::vec::IntoIter;
use weightsmith_tasks::{Level, TaskSplit};

/// Which runs of a level are wanted; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this role.
    pub role: Option<RunRole>,
    /// Those of this task.
    pub task: Option<String>,
    /// Those of this split.
    pub split: Option<TaskSplit>,
    /// Of these the last so many.
    pub last: Option<usize>,
}

/// An iterator over runs of level `L`, by ascending position. Each is read when it is asked for.
pub struct Runs<'a, L: Level> {
    ledger: &'a Ledger,
    reader: Reader<'a>,
    positions: IntoIter<i64>,
    level: PhantomData<L>,
}

impl<'a, L: Level> Runs<'a, L> {
    /// Those up to a position.
    pub(crate) fn new(ledger: &'a Ledger, filter: &Filter, last_position: i64) -> Result<Self, LedgerError> {
        let asked = || -> rusqlite::Result<_> {
            let mut statement = ledger.connection.prepare(
                "SELECT id FROM runs WHERE level = ?1 AND id <= ?2 AND (?3 IS NULL OR role = ?3) \
                 AND (?4 IS NULL OR task = ?4) AND (?5 IS NULL OR split = ?5) ORDER BY id DESC LIMIT ?6",
            )?;
            // A limit below 0 is none.
            let limit = filter.last.map_or(-1, |last| i64::try_from(last).unwrap_or(i64::MAX));
            let role = filter.role.map(RunRole::name);
            let split = filter.split.map(TaskSplit::name);
            let found = statement
                .query_map(params![L::DEPTH, last_position, role, filter.task, split, limit], |row| {
                    row.get(0)
                })?;
            let mut positions: Vec<i64> = found.collect::<rusqlite::Result<_>>()?;
            positions.reverse();
            Ok((positions, Reader::new(&ledger.connection)?))
        };
        let (positions, reader) = asked().map_err(|error| told(&ledger.path, error))?;
        Ok(Self { ledger, reader, positions: positions.into_iter(), level: PhantomData })
    }
}

impl<L: Level> Iterator for Runs<'_, L> {
    type Item = Result<Entry<L>, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.positions.next()?;
        Some(self.reader.entry(position).map_err(|unread| self.ledger.unread(unread, position)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.positions.size_hint()
    }
}

impl<L: Level> ExactSizeIterator for Runs<'_, L> {}
