//! Training one metamodel in memory, with points of its learning curve.

use burn::tensor::Device;
use std::ops::ControlFlow;
use weightsmith_base_model::Precision;
use weightsmith_experiments::ReferenceTasks;
use weightsmith_ledger::CurvePoint;
use weightsmith_metamodel::{Checkpoint, Metamodel};
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::Level;
use weightsmith_training::{
    AuxiliaryTasks, Observer, OuterConfig, OuterConfigError, StepReport, TrainState, Trainer, Validation,
};

/// Points of a learning curve, each at half the steps of the next.
const N_EVALUATION_POINTS: u32 = 5;

/// A finished training of a metamodel.
pub(crate) struct TrainedMetamodel {
    /// Its file's content.
    pub(crate) bytes: Vec<u8>,
    pub(crate) curve: Vec<CurvePoint>,
    pub(crate) cost: Cost,
    pub(crate) n_tasks: u64,
    /// Auxiliary ones of these.
    pub(crate) n_auxiliary: u64,
}

/// Trains a metamodel; `None` if `listen` stops it.
///
/// # Errors
/// A configuration that makes no training.
pub(crate) fn train<L: Level>(
    config: &OuterConfig,
    auxiliary: Option<AuxiliaryTasks<L>>,
    reference_tasks: &ReferenceTasks,
    device: &Device,
    listen: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<TrainedMetamodel>, OuterConfigError> {
    let mut state = TrainState::new(config)?;
    let stopwatch = Stopwatch::of_process(Cost::default());
    let trainer = Trainer::with_auxiliary(config, auxiliary, device, 1)?;
    let mut observer = CurveObserver {
        config,
        reference_tasks,
        device,
        stopwatch,
        curve: Vec::new(),
        loss: (0.0, 0),
        n_auxiliary: 0,
        listen,
    };
    trainer.run(&mut state, &mut observer);
    if state.step < config.last_step() {
        return Ok(None);
    }
    let (cost, curve, n_auxiliary) = (observer.stopwatch.cost(), observer.curve, observer.n_auxiliary);
    let trained = format!("{} steps, {} tasks, seed {}", state.step, state.n_tasks, config.seed.0);
    let checkpoint =
        Checkpoint { config: config.metamodel.clone(), trained, params: state.averaged(), arrays: vec![] };
    let bytes = checkpoint.to_bytes(Precision::F16).expect("parameters fit the format");
    Ok(Some(TrainedMetamodel { bytes, curve, cost, n_tasks: state.n_tasks, n_auxiliary }))
}

/// Records the learning curve; the time of evaluations is not counted.
struct CurveObserver<'a> {
    config: &'a OuterConfig,
    reference_tasks: &'a ReferenceTasks,
    device: &'a Device,
    stopwatch: Stopwatch,
    curve: Vec<CurvePoint>,
    loss: (f64, u32),
    n_auxiliary: u64,
    listen: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl Observer for CurveObserver<'_> {
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()> {
        self.loss = (self.loss.0 + f64::from(report.loss), self.loss.1 + 1);
        self.n_auxiliary += report.n_auxiliary as u64;
        let is_evaluated =
            (0..N_EVALUATION_POINTS).any(|halving| report.step == self.config.n_steps >> halving);
        if is_evaluated {
            let cpu_s = self.stopwatch.cost().cpu_s;
            let finite = |loss: f64| Some(loss).filter(|loss| loss.is_finite());
            let short_loss = finite(self.loss.0 / f64::from(self.loss.1));
            self.loss = (0.0, 0);
            let (config, reference_tasks, device) = (self.config, self.reference_tasks, self.device);
            let long_loss = self.stopwatch.pausing(|| {
                let metamodel = Metamodel::new_unchecked(&config.metamodel, &state.averaged(), device);
                reference_tasks.curve_loss(&metamodel)
            });
            self.curve.push(CurvePoint {
                step: report.step,
                long_loss: finite(long_loss),
                short_loss,
                cpu_s,
            });
        }
        (self.listen)(report.step)
    }

    fn on_validation(&mut self, _: &Validation, _: &TrainState) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
