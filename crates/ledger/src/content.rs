//! What a record says, checked and as a hash.

use crate::error::LedgerError;
use crate::record::{CurvePoint, Named, RunRecord, Value};
use sha2::{Digest, Sha256};
use weightsmith_tasks::Level;

/// A hash of texts and numbers, each with its length or its kind before it, so that no two contents are the same bytes.
pub(crate) struct Content(Sha256);

impl Content {
    pub(crate) fn new(kind: &str) -> Self {
        let mut content = Self(Sha256::new());
        content.text(kind);
        content
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.whole(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    pub(crate) fn whole(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn number(&mut self, number: Option<f64>) {
        self.0.update([u8::from(number.is_some())]);
        // The database has one zero: adding 0 takes the sign from the other.
        self.0.update((number.unwrap_or(0.0) + 0.0).to_le_bytes());
    }

    fn named(&mut self, named: &Named) {
        self.whole(named.len() as u64);
        for (name, value) in named {
            self.text(name);
            match value {
                Value::Text(text) => {
                    self.whole(0);
                    self.text(text);
                }
                Value::Number(number) => {
                    self.whole(1);
                    self.number(Some(*number));
                }
            }
        }
    }

    pub(crate) fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The hash of everything in a record but its name.
pub(crate) fn content_digest<L: Level>(level: u32, record: &RunRecord<L>) -> [u8; 32] {
    let mut content = Content::new("run");
    content.whole(level.into());
    content.text(record.role.name());
    content.text(&record.task);
    content.whole(record.roots.len() as u64);
    record.roots.iter().for_each(|root| content.text(root));
    content.text(record.split.name());
    content.named(&record.recipe);
    content.named(&record.features);
    content.named(&record.probe);
    content.text(&record.outcome.metric);
    content.number(record.outcome.value);
    content.whole(record.outcome.n_short);
    content.whole(record.outcome.n_long);
    content.number(Some(record.cost.cpu_s));
    content.number(Some(record.cost.wall_s));
    content.whole(record.seed);
    content.text(&record.code_version);
    content.text(&record.device);
    content.whole(record.n_steps);
    content.whole(record.parents.len() as u64);
    for parent in &record.parents {
        content.text(&parent.uid.to_string());
        content.text(parent.kind.name());
    }
    content.whole(record.curve.len() as u64);
    for CurvePoint { step, long_loss, short_loss, cpu_s } in &record.curve {
        content.whole(*step);
        content.number(*long_loss);
        content.number(*short_loss);
        content.number(Some(*cpu_s));
    }
    content.digest()
}

/// The first part in which two records of a level and name differ: none if their content is the same.
pub(crate) fn difference<L: Level>(a: &RunRecord<L>, b: &RunRecord<L>) -> Option<&'static str> {
    let curve = |run: &RunRecord<L>| run.curve.iter().map(|point| point.cpu_s).collect::<Vec<_>>();
    difference_beside_cost(a, b)
        .or_else(|| (a.cost != b.cost).then_some("cost"))
        .or_else(|| (curve(a) != curve(b)).then_some("curve"))
}

/// The same, whatever the two took.
pub(crate) fn difference_beside_cost<L: Level>(a: &RunRecord<L>, b: &RunRecord<L>) -> Option<&'static str> {
    // Taken apart, so that a field that is added has to find its place here.
    let RunRecord {
        uid: _,
        role,
        task,
        roots,
        split,
        recipe,
        features,
        probe,
        outcome,
        cost: _,
        seed,
        code_version,
        device,
        n_steps,
        parents,
        curve,
        level: _,
    } = a;
    let is_same_curve = curve.len() == b.curve.len()
        && curve.iter().zip(&b.curve).all(|(&a, &b)| a == CurvePoint { cpu_s: a.cpu_s, ..b });
    let parts = [
        ("role", *role == b.role),
        ("task", *task == b.task),
        ("roots", *roots == b.roots),
        ("split", *split == b.split),
        ("recipe", *recipe == b.recipe),
        ("features", *features == b.features),
        ("probe", *probe == b.probe),
        ("outcome", *outcome == b.outcome),
        ("seed", *seed == b.seed),
        ("code_version", *code_version == b.code_version),
        ("device", *device == b.device),
        ("n_steps", *n_steps == b.n_steps),
        ("parents", *parents == b.parents),
        ("curve", is_same_curve),
    ];
    parts.into_iter().find(|(_, is_same)| !is_same).map(|(part, _)| part)
}

/// Checks what can be checked without the ledger.
///
/// # Errors
/// Numbers that are not finite or too large, no root, steps that do not ascend.
pub(crate) fn check_record<L: Level>(record: &RunRecord<L>) -> Result<(), LedgerError> {
    if record.roots.is_empty() {
        return Err(LedgerError::NoRoot { uid: record.uid });
    }
    for (part, named) in
        [("recipe", &record.recipe), ("features", &record.features), ("probe", &record.probe)]
    {
        for (name, value) in named {
            if let Value::Number(number) = value {
                finite(Some(*number), || format!("{part}.{name}"))?;
            }
        }
    }
    finite(record.outcome.value, || "outcome.value".to_string())?;
    finite(Some(record.cost.cpu_s), || "cost.cpu_s".to_string())?;
    finite(Some(record.cost.wall_s), || "cost.wall_s".to_string())?;
    storable(record.outcome.n_short, "outcome.n_short")?;
    storable(record.outcome.n_long, "outcome.n_long")?;
    storable(record.n_steps, "n_steps")?;
    if let Some(pair) = record.curve.windows(2).find(|pair| pair[0].step >= pair[1].step) {
        return Err(LedgerError::StepsDoNotAscend { step: pair[1].step });
    }
    for CurvePoint { step, long_loss, short_loss, cpu_s } in &record.curve {
        storable(*step, "curve.step")?;
        finite(*long_loss, || format!("curve.long_loss at step {step}"))?;
        finite(*short_loss, || format!("curve.short_loss at step {step}"))?;
        finite(Some(*cpu_s), || format!("curve.cpu_s at step {step}"))?;
    }
    Ok(())
}

fn finite(number: Option<f64>, field: impl Fn() -> String) -> Result<(), LedgerError> {
    match number {
        Some(number) if !number.is_finite() => Err(LedgerError::NotFinite { field: field(), found: number }),
        _ => Ok(()),
    }
}

/// The database has signed numbers.
fn storable(number: u64, field: &'static str) -> Result<(), LedgerError> {
    match i64::try_from(number) {
        Ok(_) => Ok(()),
        Err(_) => Err(LedgerError::TooLarge { field, found: number }),
    }
}
