//! The run record of a finished training of a metamodel, or of a start.

use super::{Experiment, Files, StartExperiment, TrainError, fingerprint, io_error};
use crate::VERSION;
use crate::history::{TrainingPoint, is_diverged, read_curve};
use crate::reference_tasks::{AcceptanceSet, stream_of};
use burn::tensor::Device;
use std::collections::BTreeSet;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Ledger, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::check_output;
use weightsmith_tasks::{Base, TaskSplit};
use weightsmith_training::FamilyConfig;

/// Records a training that finished or diverged in a ledger: its configuration, curve, cost and outcome, the loss on the
/// acceptance set, fixed tasks that no metamodel is trained on. One that diverged has no outcome. Returns whether it is new there.
///
/// # Errors
/// Files of the training that cannot be read, a ledger that cannot be written, another run of its UID.
pub fn record_training(experiment: &Experiment, ledger: &Path, device: &Device) -> Result<bool, TrainError> {
    check_output(ledger)?;
    let mut ledger = Ledger::open(ledger)?;
    let training = &experiment.training;
    let fingerprint = fingerprint(experiment);
    let last_step = training.last_step();
    let uid = Uid::derived(&["train", VERSION, &fingerprint, &last_step.to_string()]);
    if ledger.level_of(uid)?.is_some() {
        return Ok(false);
    }
    let files = Files::new(&experiment.folder);
    let curve = read_curve(&files.curve).map_err(|source| io_error("read", &files.curve, source))?;
    let last = curve.last().cloned().unwrap_or_default();
    let (value, n_scored) = if is_diverged(&curve) {
        (None, 0)
    } else {
        let bytes =
            fs::read(&files.metamodel).map_err(|source| io_error("read", &files.metamodel, source))?;
        let pretrained = Pretrained::from_bytes("trained", &bytes, device)
            .map_err(|source| TrainError::Checkpoint { path: files.metamodel.clone(), source })?;
        let acceptance = AcceptanceSet::new(training.metamodel.task_type);
        (finite(acceptance.loss(&pretrained.metamodel)), acceptance.n_tasks())
    };
    let points = points_of(&curve);
    let mut recipe = Named::new();
    let values = toml::Value::try_from(training).expect("a configuration is plain data");
    flatten("", &values, &mut recipe);
    let record: RunRecord<Base> = RunRecord {
        uid,
        role: RunRole::Metamodel,
        task: format!("{} tables", training.metamodel.task_type),
        roots: BTreeSet::from([stream_of(training.seed.0)]),
        split: TaskSplit::MetaTrain,
        recipe,
        features: Named::from([("n_tasks".to_string(), Value::Number(last.n_tasks as f64))]),
        probe: Named::new(),
        outcome: Outcome {
            metric: "acceptance_loss".into(),
            value,
            n_short: last.n_tasks,
            n_long: n_scored as u64,
        },
        cost: Cost { cpu_s: last.cost().cpu_s, wall_s: last.cost().wall_s },
        seed: training.seed.0,
        code_version: VERSION.into(),
        device: if *device == Device::flex() { "cpu" } else { "cuda" }.into(),
        n_steps: last.step,
        parents: BTreeSet::new(),
        curve: points,
        level: PhantomData,
    };
    append(&mut ledger, &record)
}

/// Records a training of a start that finished or diverged in a ledger: its configuration, curve, cost and outcome, the held-out loss
/// after its inner steps. It is a run of level 0 with the role of a metamodel: its numbers were made from many tasks, and make weights
/// for others. One that diverged has no outcome. Returns whether it is new there.
///
/// # Errors
/// Files of the training that cannot be read, a ledger that cannot be written, another run of its UID.
pub fn record_start(experiment: &StartExperiment, ledger: &Path) -> Result<bool, TrainError> {
    check_output(ledger)?;
    let mut ledger = Ledger::open(ledger)?;
    let config = &experiment.start;
    let uid = Uid::derived(&["start", VERSION, &experiment.fingerprint()]);
    if ledger.level_of(uid)?.is_some() {
        return Ok(false);
    }
    let files = Files::new(&experiment.folder);
    let curve = read_curve(&files.curve).map_err(|source| io_error("read", &files.curve, source))?;
    let last = curve.last().cloned().unwrap_or_default();
    let loss = curve.iter().rev().find_map(|point| point.valid_loss);
    let mut recipe = Named::new();
    flatten("", &toml::Value::try_from(config).expect("a configuration is plain data"), &mut recipe);
    let task = match &config.family {
        FamilyConfig::Sinusoids(_) => "starts on sinusoids".to_string(),
        FamilyConfig::Tables(tables) => format!("starts on {} tables", tables.task_type),
    };
    let record: RunRecord<Base> = RunRecord {
        uid,
        role: RunRole::Metamodel,
        task,
        roots: BTreeSet::from([stream_of(config.seed.0)]),
        split: TaskSplit::MetaTrain,
        recipe,
        features: Named::from([("n_tasks".to_string(), Value::Number(last.n_tasks as f64))]),
        probe: Named::new(),
        outcome: Outcome {
            metric: "held_out_loss".into(),
            value: loss.and_then(finite),
            n_short: last.n_tasks,
            n_long: config.n_valid,
        },
        cost: Cost { cpu_s: last.cost().cpu_s, wall_s: last.cost().wall_s },
        seed: config.seed.0,
        code_version: VERSION.into(),
        device: "cpu".into(),
        n_steps: last.step,
        parents: BTreeSet::new(),
        curve: points_of(&curve),
        level: PhantomData,
    };
    append(&mut ledger, &record)
}

fn finite(loss: f64) -> Option<f64> {
    Some(loss).filter(|loss| loss.is_finite())
}

/// A point for each validation, with the mean training loss since the one before.
fn points_of(curve: &[TrainingPoint]) -> Vec<CurvePoint> {
    let mut losses: Vec<f64> = Vec::new();
    let mut points = Vec::new();
    for point in curve {
        losses.extend(point.train_loss);
        if let Some(long_loss) = point.valid_loss {
            let n = losses.len() as f64;
            let short_loss = finite(losses.drain(..).sum::<f64>() / n);
            points.push(CurvePoint {
                step: point.step,
                long_loss: finite(long_loss),
                short_loss,
                cpu_s: point.cost().cpu_s,
            });
        }
    }
    points.dedup_by_key(|point| point.step);
    points
}

/// Appends a run unless it is there; whether it is new. The same training may have been done by another process, at another
/// speed; a run of the same UID that differs in anything else is an error.
fn append(ledger: &mut Ledger, record: &RunRecord<Base>) -> Result<bool, TrainError> {
    Ok(matches!(ledger.append_once(record)?, Appended::New(_)))
}

/// Every setting by its dotted name.
fn flatten(prefix: &str, value: &toml::Value, named: &mut Named) {
    let name = |key: &str| if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| flatten(&name(key), value, named)),
        toml::Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| flatten(&name(&at.to_string()), value, named));
        }
        toml::Value::Integer(number) => _ = named.insert(prefix.to_string(), Value::Number(*number as f64)),
        toml::Value::Float(number) => _ = named.insert(prefix.to_string(), Value::Number(*number)),
        other => {
            _ = named.insert(prefix.to_string(), Value::Text(other.to_string().trim_matches('"').to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_ledger::LedgerError;

    #[test]
    fn the_same_training_counts_once_and_another_of_its_name_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("runs.ledger")).unwrap();
        let point = CurvePoint { step: 5, long_loss: Some(0.5), short_loss: None, cpu_s: 1.0 };
        let record: RunRecord<Base> = RunRecord {
            uid: Uid::derived(&["test"]),
            role: RunRole::Metamodel,
            task: "regression tables".into(),
            roots: BTreeSet::from([stream_of(1)]),
            split: TaskSplit::MetaTrain,
            recipe: Named::new(),
            features: Named::new(),
            probe: Named::new(),
            outcome: Outcome { metric: "acceptance_loss".into(), value: Some(0.4), n_short: 9, n_long: 9 },
            cost: Cost { cpu_s: 1.0, wall_s: 1.0 },
            seed: 1,
            code_version: VERSION.into(),
            device: "cpu".into(),
            n_steps: 5,
            parents: BTreeSet::new(),
            curve: vec![point],
            level: PhantomData,
        };
        assert!(append(&mut ledger, &record).unwrap());
        let mut slower = record.clone();
        slower.cost.cpu_s = 2.0;
        slower.curve[0].cpu_s = 2.0;
        assert!(!append(&mut ledger, &slower).unwrap());
        let mut other = record.clone();
        other.outcome.value = Some(0.3);
        let error = append(&mut ledger, &other).unwrap_err();
        let is_other =
            |error: &LedgerError| matches!(error, LedgerError::OtherContent { part: "outcome", .. });
        assert!(matches!(&error, TrainError::Ledger(error) if is_other(error)), "{error}");
    }
}
