//! What makes the scores of a comparison better than they would be on new rows.

use crate::methods::StartWeights;
use crate::splits::Split;
use weightsmith_base_model::SupportInfo;
use weightsmith_datasets::{Labelled, Note, count_copies};
use weightsmith_tasks::Support;

/// Copies of learned rows among the scored ones, and weights to start from that were made from rows they are scored on.
pub(crate) fn suspicions(labelled: &Labelled, splits: &[Split], from: Option<&StartWeights>) -> Vec<Note> {
    let Labelled { table, target, .. } = labelled;
    let copies =
        |split: &Split| (count_copies(table, target, &split.support, &split.query), split.query.len());
    let most = splits.iter().map(copies).max_by_key(|(n_copies, _)| *n_copies);
    let mut notes = Vec::new();
    if let Some((n_copies, n_query)) = most.filter(|(n_copies, _)| *n_copies > 0) {
        notes.push(Note::CopiesAcross { n_query, n_copies });
    }
    if let Some(StartWeights::Model(model)) = from {
        let all = Support::new(table.clone(), target.clone()).expect("rows and labels come from one table");
        let is_made_from = |support: &Support| SupportInfo::of(support).checksum == model.support.checksum;
        // Rows that one split learns from are scored in another.
        let of_split = |split: &Split| is_made_from(&all.select(&split.support));
        if is_made_from(&all) || splits.len() > 1 && splits.iter().any(of_split) {
            notes.push(Note::WeightsOfTheseRows { n_rows: model.support.n_rows });
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Seed, Table, Target};
    use weightsmith_training::fit_linear;

    fn labelled(values: Vec<f64>) -> Labelled {
        let target = Target::Values(values.iter().map(|value| 2.0 * value).collect());
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values) };
        let table = Table::new(target.len(), vec![column]).unwrap();
        Labelled { name: "t".into(), table, target, ids: vec![], notes: vec![] }
    }

    #[test]
    fn copies_of_learned_rows_are_told() {
        let splits = [Split::new(40, 20, 0), Split::new(40, 20, 1)];
        assert_eq!(suspicions(&labelled((0..40).map(f64::from).collect()), &splits, None), []);
        let mut values: Vec<f64> = (0..40).map(f64::from).collect();
        values[splits[1].query[3]] = values[splits[1].support[5]];
        let found = suspicions(&labelled(values), &splits[1..], None);
        assert_eq!(found, [Note::CopiesAcross { n_query: splits[1].query.len(), n_copies: 1 }]);
    }

    #[test]
    fn weights_of_the_rows_they_are_scored_on_are_told() {
        let table = labelled((0..40).map(f64::from).collect());
        let splits = [Split::new(40, 20, 0), Split::new(40, 20, 1)];
        let all = Support::new(table.table.clone(), table.target.clone()).unwrap();
        let of = |rows: &Support, splits: &[Split]| {
            let model = StartWeights::Model(Box::new(fit_linear(rows, Seed(0)).unwrap()));
            suspicions(&table, splits, Some(&model)).len()
        };
        assert_eq!(of(&all, &splits), 1);
        assert_eq!(of(&all.select(&splits[0].support), &splits), 1);
        // With one split they are scored on rows they have not seen.
        assert_eq!(of(&all.select(&splits[0].support), &splits[..1]), 0);
        assert_eq!(of(&all.select(&[1, 2, 3, 4, 5, 6, 7, 8]), &splits), 0);
    }
}
