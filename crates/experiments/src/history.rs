//! The learning curve of a training, `metrics.csv`: cost, losses and settings at some of its steps.
//!
//! Seconds are those of the training since its beginning, over all its resumes; time that a listener takes is not
//! counted. Every checkpoint has a line, so that a resumed training knows what it had cost by then; later lines belong
//! to steps that are taken again and are dropped.

use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use weightsmith_runtime::Cost;

/// The name of the file in a training's folder.
pub(crate) const CURVE_FILE: &str = "metrics.csv";

/// A point of a learning curve, a line of the file; figures that were not measured there are missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingPoint {
    /// Steps done.
    pub step: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds by the clock, validations included.
    pub seconds: f64,
    /// Seconds on the processor, over all threads; none in a file from before they were counted.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// Mean loss of the training's tasks since the line before that has one.
    pub train_loss: Option<f64>,
    /// Loss on held-out synthetic tasks; not finite where the training diverged.
    pub valid_loss: Option<f64>,
    /// Loss of the closed-form head alone on the same tasks.
    pub untrained_loss: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: Option<f64>,
    /// Norm of its gradient.
    pub gradient_norm: Option<f64>,
}

impl TrainingPoint {
    /// After `step` steps and `n_tasks` tasks at a cost, without figures yet.
    pub(crate) fn at(step: u64, n_tasks: u64, cost: Cost) -> Self {
        let (seconds, cpu_seconds) = (rounded(cost.wall_s), Some(rounded(cost.cpu_s)));
        Self { step, n_tasks, seconds, cpu_seconds, ..Self::default() }
    }

    /// What the training had cost here; processor seconds that were not counted are taken to be those of the clock.
    pub fn cost(&self) -> Cost {
        Cost { wall_s: self.seconds, cpu_s: self.cpu_seconds.unwrap_or(self.seconds) }
    }
}

/// Rounds to milliseconds.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// Rounds to six significant digits.
pub(crate) fn digits(figure: f32) -> f64 {
    format!("{figure:.5e}").parse().expect("a number was written")
}

/// Whether a training has diverged: a validation loss is not finite.
pub(crate) fn is_diverged(curve: &[TrainingPoint]) -> bool {
    curve.iter().any(|point| point.valid_loss.is_some_and(|loss| !loss.is_finite()))
}

/// The lines of a curve; none where there is no file. A last line that a killed process left unfinished is dropped.
pub(crate) fn read_curve(path: &Path) -> io::Result<Vec<TrainingPoint>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    csv::Reader::from_reader(whole.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)
}

/// The text of a whole curve.
pub(crate) fn curve_csv(points: &[TrainingPoint]) -> Vec<u8> {
    // The header must be there without points too.
    let mut text = HEADER.join(",").into_bytes();
    text.push(b'\n');
    text.extend(lines(points));
    text
}

const HEADER: [&str; 9] = [
    "step",
    "n_tasks",
    "seconds",
    "cpu_seconds",
    "train_loss",
    "valid_loss",
    "untrained_loss",
    "learning_rate",
    "gradient_norm",
];

fn lines(points: &[TrainingPoint]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for point in points {
        writer.serialize(point).expect("a point is plain data");
    }
    writer.into_inner().expect("memory takes every byte")
}

/// Adds a line to a curve.
pub(crate) fn append_point(path: &Path, point: &TrainingPoint) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(&lines(std::slice::from_ref(point)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CURVE_FILE);
        assert_eq!(read_curve(&path).unwrap(), []);
        let first = TrainingPoint::at(1, 20, Cost { wall_s: 0.12345, cpu_s: 0.1 });
        let second = TrainingPoint { valid_loss: Some(0.5), untrained_loss: Some(0.6), ..first.clone() };
        std::fs::write(&path, curve_csv(std::slice::from_ref(&first))).unwrap();
        append_point(&path, &second).unwrap();
        assert_eq!(read_curve(&path).unwrap(), [first.clone(), second]);
        assert_eq!((first.seconds, first.cpu_seconds), (0.123, Some(0.1)));

        // A process was killed while it wrote.
        std::fs::write(&path, [curve_csv(std::slice::from_ref(&first)), b"2,40,0.2,0".to_vec()].concat())
            .unwrap();
        assert_eq!(read_curve(&path).unwrap(), [first]);
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(read_curve(&path).is_err());
    }

    #[test]
    fn curves_from_before_processor_seconds_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CURVE_FILE);
        let header =
            "step,n_tasks,seconds,train_loss,valid_loss,untrained_loss,learning_rate,gradient_norm\n";
        std::fs::write(&path, format!("{header}100,2000,31.5,0.51234,,,1.000e-3,0.5000\n")).unwrap();
        let points = read_curve(&path).unwrap();
        assert_eq!((points[0].cost().cpu_s, points[0].train_loss), (31.5, Some(0.51234)));
    }
}
