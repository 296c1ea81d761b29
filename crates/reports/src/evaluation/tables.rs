//! The tables of an evaluation's page.

use super::{Placed, lead, placed, pointer, short_name};
use crate::page::{escaped, figure, push, table};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::seconds_text;
use weightsmith_evaluation::{Summary, SummaryBlock};
use weightsmith_tasks::TaskType;

/// Every table.
pub(super) fn all(summary: &Summary) -> String {
    let mut out = String::from("<h2>All figures</h2>\n");
    for group in groups(summary) {
        out.push_str(&group.html());
    }
    push(&mut out, format_args!("<h2>Time</h2>\n<p>From the rows to the weights.</p>\n{}", times(summary)));
    out
}

/// One metric at all sizes.
pub(super) struct Group<'a> {
    pub(super) task: TaskType,
    pub(super) metric: Metric,
    pub(super) blocks: Vec<Placed<'a>>,
}

pub(super) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for at in placed(summary) {
        let (task, metric) = (at.block.task, at.block.metric);
        match groups.iter_mut().find(|group| (group.task, group.metric) == (task, metric)) {
            Some(group) => group.blocks.push(at),
            None => groups.push(Group { task, metric, blocks: vec![at] }),
        }
    }
    groups
}

impl<'a> Group<'a> {
    fn lead(&self) -> Option<&'a str> {
        self.blocks.iter().find_map(|at| lead(at.block))
    }

    /// The lead, then the others by their rank at the largest size.
    pub(super) fn models(&self) -> Vec<&'a str> {
        let last = self.blocks.last().map_or([].as_slice(), |at| at.block.models.as_slice());
        let mut models: Vec<&str> = last.iter().map(|model| model.model.as_str()).collect();
        models.sort_by_key(|model| Some(*model) != self.lead());
        models
    }

    fn html(&self) -> String {
        let n_tables = self.blocks.iter().map(|at| at.block.n_tables).max().unwrap_or(0);
        let hint = match self.metric.higher_is_better() {
            Some(true) => "more is better",
            Some(false) => "less is better",
            None => "0.95 is best",
        };
        let mut out = format!(
            "<h3>{}: mean {} on {n_tables} tables <small>{hint}</small></h3>\n",
            self.task,
            self.metric.label()
        );
        let mean =
            |at: Placed<'_>, model: &str| Some(format!("{} {}", at.mean(model)?, small_rank(at, model)?));
        let models = self.models();
        let first = self.lead().and_then(|lead| models.iter().position(|model| *model == lead));
        out.push_str(&self.table(&models, &mean, first));
        let Some(lead) = self.lead().filter(|_| models.len() > 1) else { return out };
        let what = if self.metric == Metric::Coverage { "distance from 0.95, " } else { "" };
        push(
            &mut out,
            format_args!(
                "<p>{what}{} minus each other, with the 95% interval, and the tables won, tied and lost:</p>\n",
                escaped(lead)
            ),
        );
        let paired = |at: Placed<'_>, model: &str| {
            let pair = at.paired(model)?;
            let interval = pair.interval().unwrap_or_else(|| "–".to_string());
            let counts =
                [("wins", pair.paired.wins), ("ties", pair.paired.ties), ("losses", pair.paired.losses)]
                    .map(|(name, n)| pair.count(name, n))
                    .join("/");
            Some(format!("{}<br><small>{interval}<br>{counts}</small>", pair.difference()))
        };
        let others: Vec<&str> = models.iter().copied().filter(|model| *model != lead).collect();
        out.push_str(&self.table(&others, &paired, None));
        out
    }

    /// A row a model, a column a size.
    fn table(
        &self,
        models: &[&str],
        cell: &dyn Fn(Placed<'a>, &str) -> Option<String>,
        lead: Option<usize>,
    ) -> String {
        let sizes = self.blocks.iter().map(|at| format!("{} rows", at.block.n_support));
        let header: Vec<String> = std::iter::once(String::new()).chain(sizes).collect();
        let row = |model: &&str| {
            let cells = self.blocks.iter().map(|at| cell(*at, model).unwrap_or_default());
            let name = self.blocks.last().map_or(model.to_string(), |at| short_name(model, at.block));
            std::iter::once(escaped(&name)).chain(cells).collect()
        };
        table(&header, &models.iter().map(row).collect::<Vec<_>>(), lead)
    }
}

fn small_rank(at: Placed<'_>, model: &str) -> Option<String> {
    Some(format!("<small>rank {}</small>", at.mean_rank(model)?))
}

fn times(summary: &Summary) -> String {
    let mut header = vec![String::new()];
    header.extend(summary.seconds.keys().map(|short| format!("{short} rows")));
    let models: BTreeSet<&String> = summary.seconds.values().flat_map(BTreeMap::keys).collect();
    let row = |model: &&String| {
        let cell = |(short, models): (&usize, &BTreeMap<String, f64>)| {
            let place = pointer(&["seconds", &short.to_string(), model]);
            models.get(*model).map_or(String::new(), |s| figure(&place, *s, &seconds_text(*s)))
        };
        let of_model = |block: &&SummaryBlock| block.models.iter().any(|found| found.model == **model);
        let block = summary.blocks.iter().find(of_model);
        let name = block.map_or(model.to_string(), |block| short_name(model, block));
        std::iter::once(escaped(&name)).chain(summary.seconds.iter().map(cell)).collect()
    };
    let lead = summary.blocks.iter().find_map(|block: &SummaryBlock| lead(block));
    let first = lead.and_then(|lead| models.iter().position(|model| *model == lead));
    table(&header, &models.iter().map(row).collect::<Vec<_>>(), first)
}
