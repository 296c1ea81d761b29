//! The features of a table's rows: fitting what they need, and filling them in.

use crate::basis::{Bumps, linear};
use crate::dynamics::watch;
use crate::feature::Feature;
use crate::linear_algebra::{Matrix, squared_distances};
use crate::neighbours::Neighbours;
use crate::ridge::SolvedHead;
use crate::rows::{LabelledRows, margin};

/// Where figures are cut off.
const FARTHEST: f64 = 6.0;
/// Belief in a row falls from one to nothing around a margin of 0 within about this.
const MARGIN_WIDTH: f64 = 0.12;
/// Least belief in a row.
const LEAST_BELIEF: f64 = 0.05;

/// The features of every row, `[n_rows, Feature::ALL.len()]`.
pub fn row_features(rows: &LabelledRows) -> Matrix {
    Reading::new(rows).features()
}

/// Everything that was fitted to the rows.
pub(crate) struct Reading<'a> {
    rows: &'a LabelledRows,
    trusted: Vec<usize>,
    neighbours: Neighbours,
    linear: SolvedHead,
    curved: SolvedHead,
    second_linear: SolvedHead,
    second_curved: SolvedHead,
    targets: Matrix,
    belief: Vec<f64>,
    linear_basis: Matrix,
    curved_basis: Matrix,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(rows: &'a LabelledRows) -> Self {
        let n = rows.n_rows();
        let targets = rows.one_hot();
        let linear_basis = linear(&rows.inputs);
        let curved_basis = Bumps::new(&rows.inputs).features(&rows.inputs);
        let neighbours = Neighbours::new(&squared_distances(&rows.inputs, &rows.inputs));
        let first = vec![1.0; n];
        let linear = SolvedHead::solve_best(&linear_basis, &targets, &first);
        let curved = SolvedHead::solve_best(&curved_basis, &targets, &first);
        let belief: Vec<f64> = (0..n)
            .map(|row| {
                let of = |head: &SolvedHead| margin(head.left_out.row(row), rows.labels[row]);
                let mean = 0.5 * (of(&linear) + of(&curved));
                if rows.is_trusted[row] { 1.0 } else { sigmoid(mean / MARGIN_WIDTH).max(LEAST_BELIEF) }
            })
            .collect();
        let second_linear = SolvedHead::solve_best(&linear_basis, &targets, &belief);
        let second_curved = SolvedHead::solve_best(&curved_basis, &targets, &belief);
        let trusted = (0..n).filter(|&row| rows.is_trusted[row]).collect();
        Self {
            rows,
            trusted,
            neighbours,
            linear,
            curved,
            second_linear,
            second_curved,
            targets,
            belief,
            linear_basis,
            curved_basis,
        }
    }

    pub(crate) fn features(&self) -> Matrix {
        let n = self.rows.n_rows();
        let mut features = Matrix::zeros(n, Feature::ALL.len());
        let mut put = |feature: Feature, values: Vec<f64>| {
            for (row, value) in values.into_iter().enumerate() {
                features.row_mut(row)[feature as usize] =
                    if value.is_finite() { value.clamp(-FARTHEST, FARTHEST) } else { 0.0 };
            }
        };
        self.centres(&mut put);
        self.near(&mut put);
        let margins = self.heads(&mut put);
        self.learning(&mut put);
        self.trusted(&mut put);
        self.context(&margins, &mut put);
        features
    }

    /// The class that heads which were solved without the row find likeliest, the mean of both in the second round.
    pub(crate) fn told(&self, row: usize) -> usize {
        let (linear, curved) = (self.second_linear.left_out.row(row), self.second_curved.left_out.row(row));
        let output = |class: &usize| linear[*class] + curved[*class];
        (0..linear.len()).max_by(|a, b| output(a).total_cmp(&output(b))).expect("there are classes")
    }

    /// How many of the 5 nearest rows bear each class.
    pub(crate) fn votes(&self, row: usize) -> Vec<usize> {
        let mut votes = vec![0; self.rows.n_classes];
        self.neighbours.of(row).take(5).for_each(|(_, other)| votes[self.rows.labels[other]] += 1);
        votes
    }

    fn each(&self, figure: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..self.rows.n_rows()).map(figure).collect()
    }

    fn centres(&self, put: &mut impl FnMut(Feature, Vec<f64>)) {
        let LabelledRows { inputs, labels, n_classes, .. } = self.rows;
        let (n, d) = (inputs.n_rows(), inputs.n_columns());
        let (mut sums, mut counts) = (Matrix::zeros(*n_classes, d), vec![0.0f64; *n_classes]);
        let mut centre = vec![0.0; d];
        for (row, values) in inputs.rows().enumerate() {
            counts[labels[row]] += 1.0;
            let own = sums.row_mut(labels[row]).iter_mut().zip(&mut centre).zip(values);
            own.for_each(|((sum, centre), value)| {
                *sum += value;
                *centre += value / n as f64;
            });
        }
        let (mut similarity, mut margins, mut distances) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for (row, values) in inputs.rows().enumerate() {
            let own = labels[row];
            let rest = (counts[own] - 1.0).max(1.0);
            let own_centre = |at: usize| (sums.row(own)[at] - values[at]) / rest;
            let (mut ab, mut aa, mut bb, mut square) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
            for at in 0..d {
                let (a, b) = (values[at] - centre[at], own_centre(at) - centre[at]);
                (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
                square += (a - b) * (a - b);
            }
            similarity[row] = ab / (aa * bb).sqrt().max(1e-9);
            distances[row] = square.sqrt();
            let other = (0..*n_classes).filter(|&class| class != own && counts[class] > 0.0).map(|class| {
                let centre = sums.row(class).iter().map(|sum| sum / counts[class]);
                centre.zip(values).map(|(c, x)| (c - x) * (c - x)).sum::<f64>().sqrt()
            });
            margins[row] = ratio(distances[row], other.fold(f64::INFINITY, f64::min));
        }
        let mut percentiles = vec![0.0; n];
        for class in 0..*n_classes {
            let of_class: Vec<usize> = (0..n).filter(|&row| labels[row] == class).collect();
            let middle = median(of_class.iter().map(|&row| distances[row]));
            let mut order: Vec<(f64, usize)> =
                of_class.iter().map(|&row| ((distances[row] - middle).abs(), row)).collect();
            order.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (place, (_, row)) in order.iter().enumerate() {
                percentiles[*row] = (place as f64 + 0.5) / order.len() as f64;
            }
        }
        let overlap: Vec<f64> = (0..*n_classes)
            .map(|class| {
                let of_class = (0..n).filter(|&row| labels[row] == class);
                mean(of_class.map(|row| f64::from(u8::from(margins[row] < 0.0))))
            })
            .collect();
        put(Feature::ClassOverlap, self.each(|row| overlap[labels[row]]));
        put(Feature::OwnSimilarity, similarity);
        put(Feature::CentreMargin, margins);
        put(Feature::CentrePercentile, percentiles);
    }

    fn near(&self, put: &mut impl FnMut(Feature, Vec<f64>)) {
        let labels = &self.rows.labels;
        let shares = self.rows.class_shares();
        let agreement = |row: usize, k: usize, weight: &dyn Fn(usize) -> f64| {
            self.neighbours.agreement(row, labels, k, weight).map_or(0.0, |share| share - shares[labels[row]])
        };
        let ratio_among = |row: usize, counts: &dyn Fn(usize) -> bool| {
            let (same, other) = self.neighbours.nearest(row, labels, counts);
            ratio(same, other)
        };
        let trusted = |other: usize| self.rows.is_trusted[other];
        put(Feature::NearestRatio, self.each(|row| ratio_among(row, &|_| true)));
        put(Feature::AgreementOf5, self.each(|row| agreement(row, 5, &|_| 1.0)));
        put(Feature::AgreementOf15, self.each(|row| agreement(row, 15, &|_| 1.0)));
        put(Feature::SecondAgreement, self.each(|row| agreement(row, 10, &|other| self.belief[other])));
        let distance = |row: usize, place: usize| {
            self.neighbours.of(row).nth(place).map_or(1.0, |(distance, _)| distance.sqrt() + 1e-3)
        };
        let nearest = self.each(|row| distance(row, 0));
        let middle = median(nearest.iter().copied());
        put(Feature::Isolation, self.each(|row| (distance(row, 1) / nearest[row]).ln()));
        put(Feature::NearestDistance, nearest.into_iter().map(|distance| (distance / middle).ln()).collect());
        if !self.trusted.is_empty() {
            let belief = |other: usize| f64::from(u8::from(trusted(other)));
            put(Feature::TrustedAgreement, self.each(|row| agreement(row, 3, &belief)));
            put(Feature::TrustedRatio, self.each(|row| ratio_among(row, &trusted)));
            let near = self.each(|row| {
                let mut found = self.neighbours.of(row).filter(|(_, other)| trusted(*other));
                found.next().map_or(1.0, |(distance, _)| distance.sqrt() + 1e-3)
            });
            let middle = median(near.iter().copied());
            put(
                Feature::TrustedDistance,
                near.into_iter().map(|distance| (distance / middle).ln()).collect(),
            );
        }
    }

    /// The figures of the heads; gives the second margins.
    fn heads(&self, put: &mut impl FnMut(Feature, Vec<f64>)) -> Vec<f64> {
        let labels = &self.rows.labels;
        let margins = |head: &SolvedHead| self.each(|row| margin(head.left_out.row(row), labels[row]));
        let total: f64 = self.linear.leverages.iter().sum::<f64>() / labels.len() as f64;
        put(
            Feature::Leverage,
            self.each(|row| (self.linear.leverages[row] / total.max(1e-9)).max(1e-4).ln()),
        );
        put(Feature::Residual, self.each(|row| 1.0 - self.linear.left_out.row(row)[labels[row]]));
        put(Feature::LinearMargin, margins(&self.linear));
        put(Feature::CurvedMargin, margins(&self.curved));
        put(Feature::SecondLinearMargin, margins(&self.second_linear));
        let second = margins(&self.second_curved);
        put(Feature::SecondCurvedMargin, second.clone());
        put(Feature::ConfidentMargin, confident_margins(&self.curved.left_out, labels));
        let (query, query_weights) = self.query();
        for (feature, head) in
            [(Feature::LinearValue, &self.second_linear), (Feature::CurvedValue, &self.second_curved)]
        {
            put(feature, standardised(head.cross_fitted_values(&self.targets, &query_weights)));
        }
        put(Feature::Shapley, standardised(self.neighbours.shapley(labels, &query)));
        let largest = self.rows.class_shares().into_iter().fold(0.0, f64::max);
        let accuracy =
            |margins: &[f64]| mean(margins.iter().map(|m| f64::from(u8::from(*m > 0.0)))) - largest;
        let linear = accuracy(&margins(&self.linear));
        let curved = accuracy(&second);
        put(Feature::LinearAccuracy, self.each(|_| linear));
        put(Feature::CurvedAccuracy, self.each(|_| curved));
        second
    }

    /// The rows that values are for, and how much each of all rows counts there.
    fn query(&self) -> (Vec<usize>, Vec<f64>) {
        if self.trusted.is_empty() {
            ((0..self.rows.n_rows()).collect(), self.belief.clone())
        } else {
            let weights = self.each(|row| f64::from(u8::from(self.rows.is_trusted[row])));
            (self.trusted.clone(), weights)
        }
    }

    fn learning(&self, put: &mut impl FnMut(Feature, Vec<f64>)) {
        let watched = watch(&self.curved_basis, &self.rows.labels, self.rows.n_classes);
        let gradient = mean(watched.iter().map(|row| row.gradient)).max(1e-9);
        put(Feature::Loss, self.each(|row| watched[row].loss));
        put(Feature::LossSlope, self.each(|row| 10.0 * watched[row].slope));
        put(Feature::GradientNorm, self.each(|row| (watched[row].gradient / gradient).max(1e-4).ln()));
        put(Feature::Forgotten, self.each(|row| watched[row].n_forgotten));
        put(Feature::TrainingMargin, self.each(|row| watched[row].margin));
    }

    fn trusted(&self, put: &mut impl FnMut(Feature, Vec<f64>)) {
        let n = self.rows.n_rows();
        if self.trusted.is_empty() || self.trusted.len() == n {
            return;
        }
        let labels = &self.rows.labels;
        let largest = self.rows.class_shares().into_iter().fold(0.0, f64::max);
        let marks: Vec<usize> = self.rows.is_trusted.iter().map(|&trusted| usize::from(trusted)).collect();
        let marks = crate::rows::one_hot(&marks, 2);
        // Both kinds of rows weigh the same, however few are trusted.
        let share = self.trusted.len() as f64 / n as f64;
        let balance =
            self.each(|row| if self.rows.is_trusted[row] { 0.5 / share } else { 0.5 / (1.0 - share) });
        let belief = self.each(|row| f64::from(u8::from(self.rows.is_trusted[row])));
        let (mut accuracies, mut kinship) = (0.0, 0.0);
        for (basis, margin_feature, kin_feature) in [
            (&self.linear_basis, Feature::TrustedLinearMargin, Feature::LinearKinship),
            (&self.curved_basis, Feature::TrustedCurvedMargin, Feature::CurvedKinship),
        ] {
            let head = SolvedHead::solve_best(basis, &self.targets, &belief);
            let margins = self.each(|row| margin(head.left_out.row(row), labels[row]));
            let others = (0..n).filter(|&row| !self.rows.is_trusted[row]);
            accuracies += 0.5 * mean(others.map(|row| f64::from(u8::from(margins[row] > 0.0))));
            put(margin_feature, margins);
            let head = SolvedHead::solve_best(basis, &marks, &balance);
            let kin = self.each(|row| head.left_out.row(row)[1]);
            kinship += 0.5 * (auc(&kin, &self.rows.is_trusted) - 0.5);
            put(kin_feature, standardised(kin));
        }
        put(Feature::TrustedAccuracy, self.each(|_| accuracies - largest));
        put(Feature::Kinship, self.each(|_| kinship));
    }

    fn context(&self, margins: &[f64], put: &mut impl FnMut(Feature, Vec<f64>)) {
        let LabelledRows { inputs, labels, n_classes, groups, is_trusted, .. } = self.rows;
        let (n, shares) = (labels.len() as f64, self.rows.class_shares());
        put(Feature::NRows, self.each(|_| n.ln() - 5.0));
        put(Feature::NInputs, self.each(|_| (inputs.n_columns() as f64).ln() - 2.5));
        put(Feature::ClassSize, self.each(|_| 1.0 / *n_classes as f64));
        put(Feature::ClassShare, self.each(|row| shares[labels[row]] * *n_classes as f64));
        put(Feature::HasTrusted, self.each(|_| f64::from(u8::from(!self.trusted.is_empty()))));
        put(Feature::NTrusted, self.each(|_| (1.0 + self.trusted.len() as f64).ln()));
        let of_class: Vec<f64> = (0..*n_classes)
            .map(|class| mean((0..labels.len()).filter(|&row| labels[row] == class).map(|row| margins[row])))
            .collect();
        put(Feature::ClassMargin, self.each(|row| of_class[labels[row]]));
        if groups.is_empty() {
            return;
        }
        let n_groups = groups.iter().max().map_or(0, |last| last + 1);
        let all = mean(margins.iter().copied());
        let in_group = |group: usize| (0..groups.len()).filter(move |&row| groups[row] == group);
        let of_group: Vec<f64> =
            (0..n_groups).map(|group| mean(in_group(group).map(|row| margins[row])) - all).collect();
        let n_trusted = self.trusted.len() as f64;
        let trust: Vec<f64> = (0..n_groups)
            .map(|group| {
                let trusted = in_group(group).filter(|&row| is_trusted[row]).count() as f64;
                let others = in_group(group).count() as f64 - trusted;
                if n_trusted == 0.0 { 0.0 } else { trusted / n_trusted - others / (n - n_trusted).max(1.0) }
            })
            .collect();
        put(Feature::GroupMargin, self.each(|row| of_group[groups[row]]));
        put(Feature::GroupTrust, self.each(|row| trust[groups[row]]));
        put(Feature::HasGroups, self.each(|_| 1.0));
    }
}

/// The left-out output of each row's own class over the class's mean, less the same of the likeliest other class.
pub(crate) fn confident_margins(left_out: &Matrix, labels: &[usize]) -> Vec<f64> {
    let n_classes = left_out.n_columns();
    let thresholds: Vec<f64> = (0..n_classes)
        .map(|class| {
            let of_class = (0..labels.len()).filter(|&row| labels[row] == class);
            let known: Vec<f64> = of_class.map(|row| left_out.row(row)[class]).collect();
            if known.is_empty() { 1.0 } else { mean(known.into_iter()) }
        })
        .collect();
    let over = |row: usize| -> Vec<f64> {
        left_out.row(row).iter().zip(&thresholds).map(|(output, threshold)| output - threshold).collect()
    };
    (0..labels.len()).map(|row| margin(&over(row), labels[row])).collect()
}

/// `(b - a) / (b + a)`; where only one is finite, what that says.
fn ratio(same: f64, other: f64) -> f64 {
    match (same.is_finite(), other.is_finite()) {
        (true, true) => (other - same) / (other + same).max(1e-9),
        (true, false) => 1.0,
        (false, true) => -1.0,
        (false, false) => 0.0,
    }
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    values.for_each(|value| {
        sum += value;
        n += 1.0;
    });
    if n > 0.0 { sum / n } else { 0.0 }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

/// Values in standard deviations from their mean.
pub(crate) fn standardised(values: Vec<f64>) -> Vec<f64> {
    let centre = mean(values.iter().copied());
    let scale = mean(values.iter().map(|value| (value - centre).powi(2))).sqrt().max(1e-12);
    values.into_iter().map(|value| (value - centre) / scale).collect()
}

/// The area under the curve: how often a row that is meant has a higher score than one that is not. One half where one kind
/// is missing.
pub fn auc(scores: &[f64], is_meant: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut found, mut n_meant) = (0.0f64, 0.0f64, 0.0f64);
    let mut start = 0;
    while start < order.len() {
        let ties = order[start..].iter().take_while(|&&row| scores[row] == scores[order[start]]).count();
        let of_ties = &order[start..start + ties];
        let meant = of_ties.iter().filter(|&&row| is_meant[row]).count() as f64;
        let others = ties as f64 - meant;
        found += meant * (below + 0.5 * others);
        (below, n_meant) = (below + others, n_meant + meant);
        start += ties;
    }
    if below * n_meant == 0.0 { 0.5 } else { found / (below * n_meant) }
}
