//! Training one generation, in memory: half a minute on one core.

use burn::tensor::Device;
use std::ops::ControlFlow;
use weightsmith_base_model::Precision;
use weightsmith_experiments::ReferenceTasks;
use weightsmith_ledger::CurvePoint;
use weightsmith_metamodel::{Checkpoint, Metamodel};
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::Level;
use weightsmith_training::{
    Beside, Observer, OuterConfig, OuterConfigError, StepReport, TrainState, Trainer, Validation,
};

/// Looks at a training, evenly over the logarithm of its steps.
const N_LOOKS: u32 = 5;

/// A finished training of a metamodel.
pub(crate) struct TrainedGeneration {
    /// Its file.
    pub(crate) bytes: Vec<u8>,
    pub(crate) curve: Vec<CurvePoint>,
    pub(crate) cost: Cost,
    pub(crate) n_tasks: u64,
    /// Those of them that were about runs, or in their place.
    pub(crate) n_beside: u64,
}

/// Trains a metamodel; none if `goes_on` ends it.
///
/// # Errors
/// A configuration that makes no training.
pub(crate) fn train<L: Level>(
    config: &OuterConfig,
    beside: Option<Beside<L>>,
    reference_tasks: &ReferenceTasks,
    device: &Device,
    listen: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<TrainedGeneration>, OuterConfigError> {
    let mut state = TrainState::new(config)?;
    let stopwatch = Stopwatch::of_process(Cost::default());
    let trainer = Trainer::with_beside(config, beside, device, 1)?;
    let mut watch = Watch {
        config,
        reference_tasks,
        device,
        stopwatch,
        curve: Vec::new(),
        loss: (0.0, 0),
        n_beside: 0,
        listen,
    };
    trainer.run(&mut state, &mut watch);
    if state.step < config.last_step() {
        return Ok(None);
    }
    let (cost, curve, n_beside) = (watch.stopwatch.cost(), watch.curve, watch.n_beside);
    let trained = format!("{} steps, {} tasks, seed {}", state.step, state.n_tasks, config.seed.0);
    let checkpoint =
        Checkpoint { config: config.metamodel.clone(), trained, params: state.averaged(), arrays: vec![] };
    let bytes = checkpoint.to_bytes(Precision::F16).expect("parameters fit the format");
    Ok(Some(TrainedGeneration { bytes, curve, cost, n_tasks: state.n_tasks, n_beside }))
}

/// Looks at a training; looking costs it nothing.
struct Watch<'a> {
    config: &'a OuterConfig,
    reference_tasks: &'a ReferenceTasks,
    device: &'a Device,
    stopwatch: Stopwatch,
    curve: Vec<CurvePoint>,
    loss: (f64, u32),
    n_beside: u64,
    listen: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl Observer for Watch<'_> {
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()> {
        self.loss = (self.loss.0 + f64::from(report.loss), self.loss.1 + 1);
        self.n_beside += report.n_beside as u64;
        let is_look = (0..N_LOOKS).any(|halving| report.step == self.config.n_steps >> halving);
        if is_look {
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
