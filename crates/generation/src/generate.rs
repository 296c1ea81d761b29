//! From a support to a whole base model: encode, look at it in several views, generate, and join the views into one
//! wider network.

use crate::decide_steps::StepsInfo;
use crate::distil::{DistillationData, SmoothTeacher, Student, Teacher};
use crate::error::GenerateError;
use crate::expected::{expected_performance, held_out_errors};
use crate::groups::in_groups;
use crate::plan_steps::{Sizes, StepPlan, Steps};
use crate::reading::Reading;
use crate::safeguard::{Candidate, Fallback, Judge};
use crate::steps::{SteppedViews, Stepping};
use crate::views::{self, View, ViewWeights};
use burn::tensor::{Device, Tensor, TensorData, activation};
use std::collections::HashSet;
use std::marker::PhantomData;
use weightsmith_base_model::{BaseModel, Provenance, SupportInfo};
use weightsmith_kernels::SolveInfo;
use weightsmith_metamodel::{
    EncodedSupport, HeadRows, IN_NO_FOLD, Labels, Landmarks, Metamodel, MetamodelConfig, Pretrained,
    find_landmarks, limits,
};
use weightsmith_tasks::{Level, Seed, Support, Target, TaskType};

/// Views that go through the network together; a group is the unit of work of a thread.
const VIEWS_TOGETHER: usize = 4;
/// Factors on the strengths of the head that are tried on supports of unusual size.
const UNUSUAL_STRENGTHS: [f32; 6] = [0.03, 0.1, 0.3, 1.0, 5.0, 30.0];
/// Above this many rows a group is a single view, to bound memory.
const MAX_ROWS_TOGETHER: usize = 2048;

/// What was decided while a base model was generated.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateInfo {
    /// Views that were joined.
    pub n_views: usize,
    /// Rows that the encoder read; the head was solved on all.
    pub n_encoded_rows: usize,
    /// Hidden units of the joined network.
    pub n_units: usize,
    /// Share of the forest in the outputs.
    pub forest_share: f32,
    /// What was decided about inner steps; none where none were asked for or the support is too small, or too wide, to hold
    /// rows out.
    pub steps: Option<StepsInfo>,
    /// What was written in place of the network, because held-out rows say clearly that it is better.
    pub fallback: Option<Fallback>,
    /// What was met while the last layers were solved in double precision.
    pub solve: SolveInfo,
}

/// How a base model is generated.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct GenerateOptions {
    /// Views that are joined, at most; a table without numeric columns has fewer. More are a little better and a
    /// little slower.
    pub n_views: usize,
    /// Threads for the views; 1 is the calling thread. Their number changes nothing but the time.
    pub n_threads: usize,
    /// Trees of the forest that is distilled into the network; 0 for none, and the network is what the metamodel alone makes.
    pub n_trees: usize,
    /// Inner steps from the generated weights; [`Steps::Fixed`] with 0 is the metamodel's forward pass alone.
    pub n_steps: Steps,
    /// Of the only part in which chance has a say, the forest and its distillation.
    pub seed: Seed,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self { n_views: 8, n_threads: 1, n_trees: 100, n_steps: Steps::Decided, seed: Seed(0) }
    }
}

/// Reads a support and writes a base model: one forward pass a view, a few inner steps from there where they pay on rows
/// held out, and, with trees, the distillation of a forest. With [`Steps::Fixed`] at 0 no optimiser runs.
///
/// Rows beyond [`limits::MAX_ENCODED_ROWS`] are not encoded, but the head is solved on them all. On supports larger than
/// any that metamodels are trained on, its strengths are picked by rows held out. Where held-out rows say clearly that
/// the linear model of [`untrained_base_model`] or the base rate is better, that is written. The order of rows, columns
/// and classes changes nothing but rounding.
///
/// # Errors
/// Supports that nothing can be learnt from, or of the other task type.
pub fn generate_base_model<L: Level>(
    pretrained: &Pretrained,
    support: &Support<L>,
    options: GenerateOptions,
) -> Result<(BaseModel<L>, GenerateInfo), GenerateError> {
    let task_type = support.target().task_type();
    if task_type != pretrained.task_type() {
        return Err(GenerateError::WrongTaskType { metamodel: pretrained.task_type(), support: task_type });
    }
    let read = Reading::new(support)?;
    let views = read.canonical.views(options.n_views.max(1), read.distinct_views(), read.n_outputs());
    let together = if support.n_rows() > MAX_ROWS_TOGETHER { 1 } else { VIEWS_TOGETHER };
    let groups: Vec<&[View]> = views.chunks(together).collect();
    let landmarks = read.landmarks(&views);
    let folds = views::folds(&read.order);
    let (units, inputs) = match read.is_usual() {
        true => (1.0, 1.0),
        false => read.pick_strengths::<L>(&pretrained.metamodel, &views[0], &landmarks, &folds),
    };
    let generate = |group: usize| {
        let (summary, head) = read.summarise::<L>(&pretrained.metamodel, groups[group], &landmarks);
        let head = head.strengthened(units, inputs);
        let generated = match group {
            0 => pretrained.metamodel.generate_with_left_out(&summary, &head, &folds),
            _ => pretrained.metamodel.generate(&summary, &head),
        };
        (read.collect(groups[group], &generated), generated.info.solve)
    };
    let generate_all = || in_groups(groups.len(), options.n_threads, &generate);
    let grow = || (options.n_trees > 0).then(|| read.teacher(support, options));
    let (parts, teacher) = if options.n_threads == 1 {
        (generate_all(), grow())
    } else {
        std::thread::scope(|scope| {
            let teacher = scope.spawn(grow);
            (generate_all(), teacher.join().expect("growing a forest does not panic"))
        })
    };
    let (parts, solves): (Vec<Vec<ViewWeights>>, Vec<SolveInfo>) = parts.into_iter().unzip();
    let parts: Vec<ViewWeights> = parts.into_iter().flatten().collect();
    let plan = StepPlan::new(options.n_steps, Sizes::of(read.rows_of(false), read.n_outputs(), &parts));
    let stepping = plan.map(|plan| Stepping {
        pretrained,
        support,
        read: &read,
        plan,
        strengths: (units, inputs),
        n_threads: options.n_threads,
    });
    let stepped = stepping.and_then(|stepping| stepping.run(&parts, teacher.as_ref()));
    let steps = stepped.as_ref().map(|stepped| stepped.info.clone());
    let (generated, forest_share) = read.compose(parts, stepped, teacher)?;
    let linear = read.linear::<L>(task_type, &pretrained.metamodel.device())?;
    let judge = Judge {
        table: support.table(),
        target: &read.standardised_target(support.target()),
        order: &read.order,
        is_usual: read.is_usual(),
    };
    let (written, fallback) = judge.choose(generated, linear)?;
    let provenance = Provenance { name: pretrained.name.clone(), checksum: pretrained.checksum.clone() };
    let model = read.package(support, written, provenance)?;
    let info = GenerateInfo {
        n_views: views.len(),
        n_encoded_rows: support.n_rows().min(limits::MAX_ENCODED_ROWS),
        n_units: model.architecture.hidden.first().copied().unwrap_or(0),
        forest_share,
        steps,
        fallback,
        solve: solves.into_iter().fold(SolveInfo::default(), SolveInfo::and),
    };
    Ok((model, info))
}

/// The closed-form head alone, its strength picked by leave-one-out: what an untrained metamodel makes, a tuned linear
/// model.
///
/// # Errors
/// Supports that nothing can be learnt from.
pub fn untrained_base_model<L: Level>(
    support: &Support<L>,
    device: &Device,
) -> Result<BaseModel<L>, GenerateError> {
    let read = Reading::new(support)?;
    let linear = read.linear::<L>(support.target().task_type(), device)?;
    read.package(support, linear, Provenance { name: "untrained".into(), checksum: String::new() })
}

/// Leave-one-out figures of a linear model and of nearest neighbours on a support, in its standard view.
#[derive(Clone, Debug, PartialEq)]
pub struct LandmarkFigures {
    /// Squared error of ridge regression as a share of the mean's, at seven strengths from weak to strong.
    pub errors: [f32; 7],
    /// Its accuracy at these strengths; 0 for values.
    pub accuracies: [f32; 7],
    /// Natural logarithm of the strength that leave-one-out picks, a soft minimum over the seven.
    pub log_strength: f32,
    /// Accuracy of the 5 nearest neighbours, or their R².
    pub neighbour_score: f32,
}

/// The landmarks of a support: what the metamodel's encoder is told of it.
///
/// # Errors
/// A support that no weights can be generated from.
pub fn landmark_figures<L: Level>(support: &Support<L>) -> Result<LandmarkFigures, GenerateError> {
    let read = Reading::new(support)?;
    let (rows, labels) = read.encoded_rows(&View::standard(read.n_outputs()));
    let found = find_landmarks(&rows, &labels);
    Ok(LandmarkFigures {
        errors: found.errors,
        accuracies: found.accuracies,
        log_strength: found.log_strength,
        neighbour_score: found.neighbour_score,
    })
}

impl Reading {
    /// Factors on the strengths of hidden units and of inputs under which held-out rows are told best, for sizes at which
    /// nobody has taught the metamodel how strong to be. Rows that the encoder has not read are held out where there are
    /// such: hidden units may know the others by heart.
    fn pick_strengths<L: Level>(
        &self,
        metamodel: &Metamodel,
        view: &View,
        landmarks: &[Option<Landmarks>; 2],
        folds: &[usize],
    ) -> (f32, f32) {
        let folds = match &self.encoded {
            None => folds.to_vec(),
            Some(encoded) => {
                let read: HashSet<usize> = encoded.iter().copied().collect();
                let fresh = self.order.iter().filter(|row| !read.contains(row));
                let mut folds = vec![IN_NO_FOLD; folds.len()];
                fresh.step_by(2).for_each(|&row| folds[row] = 0);
                folds
            }
        };
        let (summary, head) = self.summarise::<L>(metamodel, std::slice::from_ref(view), landmarks);
        let held: Vec<f32> = folds.iter().map(|&fold| f32::from(u8::from(fold != IN_NO_FOLD))).collect();
        let held = Tensor::<3>::from_data(TensorData::new(held, [1, folds.len(), 1]), &metamodel.device());
        let loss = |units: f32, inputs: f32| {
            let head = head.clone().strengthened(units, inputs);
            let generated = metamodel.generate_with_left_out(&summary, &head, &folds);
            let outputs = generated.info.left_out.expect("left-out outputs were asked for");
            let each = match self.labels {
                Labels::Classes { .. } => activation::log_softmax(outputs, 2) * head.targets * -1.0,
                Labels::Values(_) => (outputs - head.targets).square(),
            };
            (each * held.clone()).sum().into_scalar::<f32>()
        };
        let best = |loss: &dyn Fn(f32) -> f32| {
            let losses = UNUSUAL_STRENGTHS.map(|factor| (factor, loss(factor)));
            losses.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |(factor, _)| factor)
        };
        let units = best(&|units| loss(units, 1.0));
        (units, best(&|inputs| loss(units, inputs)))
    }

    /// A forest grown on the support.
    fn teacher<'a, L: Level>(&'a self, support: &'a Support<L>, options: GenerateOptions) -> Teacher<'a> {
        let data = DistillationData {
            table: support.table(),
            encoding: &self.fitted.standard,
            rows: &self.standard,
            labels: &self.labels,
            columns: &self.columns,
            order: &self.order,
        };
        Teacher::new(data, options.n_trees, options.seed)
    }

    /// Sets the teacher's shares, or picks the forest's by the left-out outputs, and moves these towards what the trees say that have
    /// not seen the row either.
    fn distil_left_out(
        &self,
        teacher: &mut Teacher<'_>,
        student: &Student<'_>,
        left_out: &mut [f32],
        decided: Option<(f32, Option<SmoothTeacher>)>,
    ) {
        let width = left_out.len() / self.standard.n_rows;
        let said = |row: usize| student.seen(&left_out[row * width..][..width]);
        match decided {
            Some((share, smooth)) => teacher.set_shares(share, smooth),
            None => teacher.pick_share(said),
        }
        for (row, changes) in teacher.left_out_changes(said) {
            for (&output, change) in student.outputs.iter().zip(changes) {
                left_out[row * width + output] += change;
            }
        }
    }

    /// The closed-form head alone.
    fn linear<L: Level>(&self, task_type: TaskType, device: &Device) -> Result<Candidate, GenerateError> {
        let view = View::standard(self.n_outputs());
        let (rows, labels) = self.rows(&view);
        let (few_rows, few_labels) = self.encoded_rows(&view);
        let encoded = EncodedSupport::<L>::new(few_rows, few_labels, &self.is_numeric);
        let config = MetamodelConfig::standard(task_type);
        let head = HeadRows::<L>::new(&[(&rows, &labels, encoded.log_strength())], device);
        let generated = Metamodel::linear_head(&config, &head, Some(&views::folds(&self.order)));
        Ok(self.compose(self.collect(&[view], &generated), None, None)?.0)
    }

    /// One network of the views' networks, those with steps included, moved towards the forest, and the forest's share.
    fn compose(
        &self,
        mut parts: Vec<ViewWeights>,
        stepped: Option<SteppedViews>,
        teacher: Option<Teacher<'_>>,
    ) -> Result<(Candidate, f32), GenerateError> {
        let n_views = parts.len();
        let mut shares = vec![1.0 / n_views as f32; n_views];
        let mut left_out = views::mean_left_out(&parts);
        let mut decided = None;
        if let Some(stepped) = stepped {
            shares.fill((1.0 - stepped.share) / n_views as f32);
            shares.resize(n_views + stepped.parts.len(), stepped.share / stepped.parts.len().max(1) as f32);
            parts.extend(stepped.parts);
            left_out = stepped.left_out;
            decided = Some((stepped.forest_share, stepped.smooth));
        }
        let (encoding, places, mut weights) = views::join(&self.fitted, parts, &shares);
        let mut forest_share = 0.0;
        if let Some(mut teacher) = teacher {
            let outputs = self.canonical.outputs();
            let student = Student { encoding: &encoding, places: &places, outputs: &outputs };
            self.distil_left_out(&mut teacher, &student, &mut left_out, decided);
            teacher.distil_into(&student, &mut weights, &Device::flex())?;
            forest_share = teacher.share();
        }
        Ok((Candidate { encoding, weights, left_out }, forest_share))
    }

    /// The base model of what is written.
    fn package<L: Level>(
        &self,
        support: &Support<L>,
        written: Candidate,
        provenance: Provenance,
    ) -> Result<BaseModel<L>, GenerateError> {
        let Candidate { encoding, weights, left_out } = written;
        let class_names = match support.target() {
            Target::Classes { class_names, .. } => class_names.clone(),
            Target::Values(_) => vec![],
        };
        let standardised = self.standardised_target(support.target());
        let model = BaseModel {
            encoding,
            architecture: weights.architecture(),
            task_type: support.target().task_type(),
            class_names,
            weights,
            target_unit: self.canonical.unit(),
            provenance,
            support: SupportInfo::of(support),
            expected: Some(expected_performance(&standardised, self.canonical.unit(), &left_out)),
            held_out: held_out_errors(&standardised, &left_out),
            level: PhantomData,
        };
        model.validate().map_err(|_| GenerateError::NotFinite)?;
        Ok(model)
    }
}
