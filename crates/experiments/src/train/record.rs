//! The run record of a finished training of a metamodel.

use super::{Experiment, Files, TrainError, fingerprint, io_error};
use crate::VERSION;
use crate::history::read_curve;
use crate::reference_tasks::{AcceptanceSet, stream_of};
use burn::tensor::Device;
use std::collections::BTreeSet;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Ledger, LedgerError, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::check_output;
use weightsmith_tasks::{Base, TaskSplit};

/// Records a finished training in a ledger, with its curve, its cost and its outcome on the acceptance set, fixed tasks that no
/// metamodel is trained on; whether it is new there.
///
/// # Errors
/// A training that is not finished or has lost files, a ledger that cannot be written.
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
    let bytes = fs::read(&files.metamodel).map_err(|source| io_error("read", &files.metamodel, source))?;
    let pretrained = Pretrained::from_bytes("trained", &bytes, device)
        .map_err(|source| TrainError::Checkpoint { path: files.metamodel.clone(), source })?;
    let acceptance = AcceptanceSet::new(training.metamodel.task_type);
    let outcome = acceptance.loss(&pretrained.metamodel);
    let finite = |loss: f64| Some(loss).filter(|loss| loss.is_finite());
    let mut losses: Vec<f64> = Vec::new();
    let mut looks = Vec::new();
    for point in &curve {
        losses.extend(point.train_loss);
        if let Some(long_loss) = point.valid_loss {
            let n = losses.len() as f64;
            let short_loss = finite(losses.drain(..).sum::<f64>() / n);
            looks.push(CurvePoint {
                step: point.step,
                long_loss: finite(long_loss),
                short_loss,
                cpu_s: point.cost().cpu_s,
            });
        }
    }
    looks.dedup_by_key(|look| look.step);
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
            metric: "anchor_loss".into(),
            value: finite(outcome),
            n_short: last.n_tasks,
            n_long: acceptance.n_tasks() as u64,
        },
        cost: Cost { cpu_s: last.cost().cpu_s, wall_s: last.cost().wall_s },
        seed: training.seed.0,
        code_version: VERSION.into(),
        device: if *device == Device::flex() { "cpu" } else { "cuda" }.into(),
        n_steps: last_step,
        parents: BTreeSet::new(),
        curve: looks,
        level: PhantomData,
    };
    match ledger.append(&record) {
        Ok(Appended::New(_)) => Ok(true),
        Ok(Appended::There(_)) | Err(LedgerError::OtherContent { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
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
