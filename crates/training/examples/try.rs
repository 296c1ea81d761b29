use std::ops::ControlFlow;
use std::time::Instant;
use weightsmith_training::*;
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_tasks::{Seed, TaskType};
#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
struct O(Instant, f32, u64);
impl Observer for O {
    fn on_step(&mut self, r: &StepReport, s: &TrainState) -> ControlFlow<()> {
        self.1 += r.loss;
        if r.step % 50 == 0 { println!("{} loss {:.4} norm {:.3} lr {:.5} tasks {} {:.1}/s", r.step, self.1/50.0, r.gradient_norm, r.learning_rate, s.n_tasks, s.n_tasks as f64/self.0.elapsed().as_secs_f64()); self.1=0.0; }
        ControlFlow::Continue(())
    }
    fn on_validation(&mut self, v: &Validation, _s: &TrainState) -> ControlFlow<()> { println!("{v:?}"); ControlFlow::Continue(()) }
}
fn main() {
    let kind = if std::env::args().nth(1).as_deref() == Some("r") { TaskType::Regression } else { TaskType::Classification };
    let steps = std::env::args().nth(2).unwrap().parse().unwrap();
    let config = OuterConfig { seed: Seed(1), n_steps: steps, n_shards: 4, shard_tokens: 1200, validate_every: 200, n_valid: 300, metamodel: MetamodelConfig::standard(kind), shapes: Default::default(), optimiser: Default::default(), prior: Default::default() };
    let mut s = TrainState::new(&config).unwrap();
    println!("{} params", s.params.values.len());
    let t = Trainer::new(&config, &burn::tensor::Device::flex(), 1).unwrap();
    t.run(&mut s, &mut O(Instant::now(), 0.0, 0));
}
