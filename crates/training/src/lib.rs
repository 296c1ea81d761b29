//! Training, without a disk: the outer loop that makes metamodels, the inner loop that trains base models, and the loop that
//! learns starts for the latter.
//!
//! The outer loop reports to an [`Observer`]; who stores checkpoints and curves is not its concern. Only this crate
//! asks for gradients.

mod inner;
mod outer;
mod starts;

pub use inner::{
    FromRandom, Gain, GaussianProcess, GaussianProcessRegression, InnerError, LogStrengths, Moment, N_TRIES,
    Optimiser, RIGHT_WITHIN, Recipe, Refined, Start, Stepped, SteppedLoss, TrainInfo, Trained, Training,
    Tuned, VariableProjection, Wanted, Weighting, decided_steps_from_start, fit_linear, folds, grid,
    prediction_losses, project, random_start, refine, split_off, steps_from_random, steps_from_start,
    train_base_model, tune_base_model,
};
pub use outer::{
    AUXILIARY_AT_MOST_ONE_IN, AuxiliaryTasks, CoolDown, EncodedTask, Moments, Observer, OuterConfig,
    OuterConfigError, OuterOptimiser, QueryLosses, Shapes, StepReport, StepRule, TaskStream, ThroughSteps,
    TrainState, Trainer, Validation, encode_task, query_losses,
};
pub use starts::{
    AdamConfig, Batch, Canonical, Combine, Conflict, Episode, Family, FamilyConfig, InnerConfig, InnerSteps,
    LARGEST_INPUT, LearnedStart, Loss, MetaGradient, Mlp, Number, Order, Sinusoid, SinusoidFamily,
    StartAlgorithm, StartConfig, StartConfigError, StartFile, StartFileError, StartObserver, StartState,
    StartStep, StartTrainer, StartValidation, TableFamilyConfig, Unit, combine, conflict, one_against_rest,
};
