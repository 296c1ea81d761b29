//! From a support to a whole base model: encode, look at it in several views, generate, and join the views into one
//! wider network.

use crate::decide_steps::StepsInfo;
use crate::distil::{DistillationData, Student, Teacher};
use crate::expected::expected_performance;
use crate::groups::in_groups;
use crate::plan_steps::{Sizes, StepPlan};
use crate::safeguard::{Candidate, Fallback, Judge};
use crate::steps::{SteppedViews, Stepping, Steps};
use crate::views::{self, Canonical, View, ViewWeights};
use burn::tensor::{Device, Tensor, TensorData, activation};
use std::collections::HashSet;
use std::marker::PhantomData;
use weightsmith_base_model::{
    BaseModel, Encoding, EncodingError, EncodingLimits, Fitted, Provenance, Rows, SupportInfo,
};
use weightsmith_kernels::SolveInfo;
use weightsmith_metamodel::{
    EncodedSupport, Generated, HeadRows, IN_NO_FOLD, Labels, Landmarks, Metamodel, MetamodelConfig,
    Pretrained, Summary, SupportBatch, find_landmarks, limits,
};
use weightsmith_tasks::{Level, Support, Target, TaskType};

/// Views that go through the network together; a group is the unit of work of a thread.
const VIEWS_TOGETHER: usize = 4;
/// Factors on the strengths of the head that are tried on supports of unusual size.
const UNUSUAL_STRENGTHS: [f32; 6] = [0.03, 0.1, 0.3, 1.0, 5.0, 30.0];
/// Above this many rows a group is a single view, to bound memory.
const MAX_ROWS_TOGETHER: usize = 2048;

/// Why no weights can be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The rows cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Too little to learn from.
    #[error("{n_rows} labelled rows are too few; at least {} are needed", limits::MIN_SUPPORT)]
    TooFewRows {
        /// Rows given.
        n_rows: usize,
    },
    /// All rows are of one class.
    #[error("all rows have the class \"{class}\"; at least two classes are needed")]
    OneClass {
        /// The class.
        class: String,
    },
    /// More classes than the metamodel can tell apart.
    #[error(
        "{n_classes} classes; at most {} can be told apart. Is the target a number? Then use regression",
        limits::MAX_CLASSES
    )]
    TooManyClasses {
        /// Classes that occur.
        n_classes: usize,
    },
    /// All values are equal, but for the last places of 64-bit numbers.
    #[error("all rows have the target {value}, up to the rounding of numbers; there is nothing to predict")]
    ConstantTarget {
        /// The value.
        value: f64,
    },
    /// A metamodel for the other type of task.
    #[error("this metamodel generates networks for {metamodel}, the table asks for {support}")]
    WrongTaskType {
        /// What the metamodel is for.
        metamodel: TaskType,
        /// What the target is.
        support: TaskType,
    },
    /// The numbers broke down.
    #[error("the generated weights are not finite")]
    NotFinite,
}

/// What was decided while a base model was generated.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateInfo {
    /// Views that were joined.
    pub n_views: usize,
    /// Rows that the encoder read; the head was solved on all.
    pub n_encoded_rows: usize,
    /// Hidden units of the joined network.
    pub n_units: usize,
    /// Share of the forest's opinion in the outputs.
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
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self { n_views: 8, n_threads: 1, n_trees: 100, n_steps: Steps::Decided }
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
    let grow = || (options.n_trees > 0).then(|| read.teacher(support, options.n_trees));
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

/// A support, encoded in both views, with what its order-free description needs.
pub(crate) struct Reading {
    pub(crate) fitted: Fitted,
    standard: Rows,
    gaussian_rank: Rows,
    is_numeric: Vec<bool>,
    pub(crate) canonical: Canonical,
    /// The labels in the canonical order of classes, or the standardised values.
    pub(crate) labels: Labels,
    /// The encoded columns by content, and the rows by label and content, whatever order they came in.
    columns: Vec<usize>,
    pub(crate) order: Vec<usize>,
    /// The rows that the encoder reads in every view, if not all: what is known of rows is shared between views.
    encoded: Option<Vec<usize>>,
}

impl Reading {
    pub(crate) fn new<L: Level>(support: &Support<L>) -> Result<Self, GenerateError> {
        if support.n_rows() < limits::MIN_SUPPORT {
            return Err(GenerateError::TooFewRows { n_rows: support.n_rows() });
        }
        let encoding_limits =
            EncodingLimits { max_columns: limits::MAX_COLUMNS, ..EncodingLimits::default() };
        let fitted = Encoding::fit(support, &encoding_limits)?;
        let standard = fitted.standard.encode(support.table())?;
        let gaussian_rank = fitted.gaussian_rank.encode(support.table())?;
        let is_numeric = views::numeric_columns(&fitted.standard);
        let canonical = match support.target() {
            Target::Classes { class_names, labels } => {
                let canonical = Canonical::of_classes(&standard, labels, class_names.len());
                match canonical.n_present() {
                    0 | 1 => {
                        return Err(GenerateError::OneClass { class: class_names[labels[0]].clone() });
                    }
                    n_classes if n_classes > limits::MAX_CLASSES => {
                        return Err(GenerateError::TooManyClasses { n_classes });
                    }
                    _ => canonical,
                }
            }
            Target::Values(values) => {
                Canonical::of_values(values).ok_or(GenerateError::ConstantTarget { value: values[0] })?
            }
        };
        let labels = canonical.labels(&View::standard(canonical.n_present().max(1)));
        let columns = views::content_columns(&standard, &labels);
        let order = views::content_order(&standard, &labels, &columns);
        let encoded = views::spread(&order, limits::MAX_ENCODED_ROWS);
        Ok(Self { fitted, standard, gaussian_rank, is_numeric, canonical, labels, columns, order, encoded })
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.canonical.n_present().max(1)
    }

    /// Whether Gaussian ranks and reflections are views of their own.
    pub(crate) fn distinct_views(&self) -> bool {
        self.is_numeric.iter().any(|numeric| *numeric)
    }

    /// The encoded support, in one of both transforms.
    pub(crate) fn rows_of(&self, gaussian_rank: bool) -> &Rows {
        if gaussian_rank { &self.gaussian_rank } else { &self.standard }
    }

    /// The support as one view sees it.
    fn rows(&self, view: &View) -> (Rows, Labels) {
        let mut rows = self.rows_of(view.gaussian_rank).clone();
        if view.reflected {
            views::reflect(&mut rows, &self.is_numeric);
        }
        (rows, self.canonical.labels(view))
    }

    /// Landmarks of both transforms of the columns, where a view needs them: found once, shared by all views.
    pub(crate) fn landmarks(&self, views: &[View]) -> [Option<Landmarks>; 2] {
        [false, true].map(|gaussian_rank| {
            let view = views.iter().find(|view| view.gaussian_rank == gaussian_rank)?;
            let (rows, labels) = self.encoded_rows(view);
            let found = find_landmarks(&rows, &labels);
            Some(if view.is_negated() { found.negated() } else { found })
        })
    }

    /// The rows that the encoder reads, as one view sees them.
    fn encoded_rows(&self, view: &View) -> (Rows, Labels) {
        let (rows, labels) = self.rows(view);
        match &self.encoded {
            Some(picked) => views::select(&rows, &labels, picked),
            None => (rows, labels),
        }
    }

    /// Whether the support is of a size that metamodels are trained on.
    fn is_usual(&self) -> bool {
        self.standard.n_rows <= limits::MAX_ENCODED_ROWS
            && self.standard.n_columns <= limits::USUAL_COLUMNS
            && self.n_outputs() <= limits::USUAL_CLASSES
    }

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

    /// What the metamodel makes of a group of views, and what its head is solved on.
    pub(crate) fn summarise<L: Level>(
        &self,
        metamodel: &Metamodel,
        group: &[View],
        landmarks: &[Option<Landmarks>; 2],
    ) -> (Summary<L>, HeadRows<L>) {
        let device = metamodel.device();
        let encoded: Vec<EncodedSupport<L>> = group
            .iter()
            .map(|view| {
                let found =
                    landmarks[usize::from(view.gaussian_rank)].as_ref().expect("found for every view");
                let own = if view.is_negated() { &found.negated() } else { found };
                let (rows, labels) = self.encoded_rows(view);
                EncodedSupport::with_landmarks(rows, labels, &self.is_numeric, own)
            })
            .collect();
        let batch = SupportBatch::new(&encoded.iter().collect::<Vec<_>>(), &device);
        let summary = metamodel.summarise(&batch);
        let head = if encoded[0].n_rows() == self.standard.n_rows {
            batch.head
        } else {
            let seen: Vec<(Rows, Labels)> = group.iter().map(|view| self.rows(view)).collect();
            let all: Vec<_> = seen
                .iter()
                .zip(&encoded)
                .map(|((rows, labels), e)| (rows, labels, e.log_strength()))
                .collect();
            HeadRows::new(&all, &device)
        };
        (summary, head)
    }

    /// The weights and left-out outputs of a group of views, in the table's own classes or unit.
    pub(crate) fn collect<L: Level>(&self, group: &[View], generated: &Generated<L>) -> Vec<ViewWeights> {
        let left_out = generated.info.left_out.as_ref().map(|outputs| {
            outputs
                .clone()
                .into_data_as::<f32>()
                .try_into_vec::<f32>()
                .expect("the data was converted to f32")
        });
        let size = self.standard.n_rows * self.n_outputs();
        group
            .iter()
            .enumerate()
            .map(|(idx, view)| {
                let mut weights = generated.weights.to_host(idx);
                if view.reflected {
                    views::reflect_weights(&mut weights, &self.is_numeric);
                }
                let of_view = left_out.as_ref().and_then(|all| all.get(idx * size..(idx + 1) * size));
                let left_out = of_view.map_or(vec![], <[f32]>::to_vec);
                self.canonical.restore(view, weights, left_out)
            })
            .collect()
    }

    /// A forest grown on the support.
    fn teacher<'a, L: Level>(&'a self, support: &'a Support<L>, n_trees: usize) -> Teacher<'a> {
        let data = DistillationData {
            table: support.table(),
            encoding: &self.fitted.standard,
            rows: &self.standard,
            labels: &self.labels,
            columns: &self.columns,
            order: &self.order,
        };
        Teacher::new(data, n_trees)
    }

    /// Sets the forest's share, or picks it by the left-out outputs, and moves these towards what the trees say that have
    /// not seen the row either.
    fn distil_left_out(
        &self,
        teacher: &mut Teacher<'_>,
        student: &Student<'_>,
        left_out: &mut [f32],
        share: Option<f32>,
    ) {
        let width = left_out.len() / self.standard.n_rows;
        let said = |row: usize| student.seen(&left_out[row * width..][..width]);
        match share {
            Some(share) => teacher.set_share(share),
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
            decided = Some(stepped.forest_share);
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

    /// Classes as they are, values in standard deviations from their mean, as a network's outputs are.
    fn standardised_target(&self, target: &Target) -> Target {
        match (target, self.canonical.unit()) {
            (Target::Values(values), Some(unit)) => {
                Target::Values(values.iter().map(|value| unit.standardised(*value)).collect())
            }
            _ => target.clone(),
        }
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
        let model = BaseModel {
            encoding,
            architecture: weights.architecture(),
            task_type: support.target().task_type(),
            class_names,
            weights,
            target_unit: self.canonical.unit(),
            provenance,
            support: SupportInfo::of(support),
            expected: Some(expected_performance(
                &self.standardised_target(support.target()),
                self.canonical.unit(),
                &left_out,
            )),
            level: PhantomData,
        };
        model.validate().map_err(|_| GenerateError::NotFinite)?;
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Table};

    #[test]
    fn all_views_encode_the_same_rows() {
        let n_rows = limits::MAX_ENCODED_ROWS + 100;
        let values = (0..n_rows).map(|row| (row * 7919 % 1009) as f64).collect();
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values) };
        let table = Table::new(n_rows, vec![column]).unwrap();
        let classes = Target::Classes {
            class_names: vec!["a".into(), "b".into(), "c".into()],
            labels: (0..n_rows).map(|row| row * 31 % 7 % 3).collect(),
        };
        let numbers = Target::Values((0..n_rows).map(|row| (row * 104_729 % 997) as f64).collect());
        for target in [classes, numbers] {
            let support: Support = Support::new(table.clone(), target).unwrap();
            let read = Reading::new(&support).unwrap();
            let mut first = None;
            for view in read.canonical.views(8, true, read.n_outputs()) {
                let (mut rows, _) = read.encoded_rows(&view);
                assert_eq!(rows.n_rows, limits::MAX_ENCODED_ROWS);
                if view.reflected {
                    views::reflect(&mut rows, &read.is_numeric);
                }
                if !view.gaussian_rank {
                    assert_eq!(first.get_or_insert_with(|| rows.clone()), &rows, "{view:?}");
                }
            }
        }
    }
}
