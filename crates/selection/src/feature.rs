//! What a selector knows of a row: where it lies among the others, and what models that were fitted to the table make of it.
//!
//! Notation: `n` rows, `d` encoded inputs, `p` features of a head (`1 + d`, or up to 193 with bumps), `K` classes. *Trusted* rows
//! are known to be clean. Costs are for all rows of a table. The whole takes some 20 ms for 256 rows of 20 inputs.

use serde::{Deserialize, Serialize};

/// Which part of what is known of a row a feature belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureGroup {
    /// Where the row lies among the others.
    Position,
    /// What models make of it while, and after, they learn.
    Dynamics,
    /// What is the same for all rows of a table, a class or a group.
    Context,
}

macro_rules! features {
    ($($(#[doc = $doc:literal])+ $name:ident: $group:ident,)+) => {
        /// A figure of a row.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub enum Feature {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Feature {
            /// All of them, in the order in which a selector reads them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The group it belongs to.
            pub fn group(self) -> FeatureGroup {
                match self { $(Self::$name => FeatureGroup::$group,)+ }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

features! {
    /// Cosine between the row and its own class's centre, both seen from the centre of the table; the row is not part of
    /// its class's centre. `O(n d)`.
    OwnSimilarity: Position,
    /// `(b - a) / (b + a)` of the distances to the own (`a`) and the nearest other class's centre (`b`). `O(n d K)`.
    CentreMargin: Position,
    /// The percentile, within the class, of `|distance to the centre - its median|`. `O(n log n)`.
    CentrePercentile: Position,
    /// `(b - a) / (b + a)` of the distances to the nearest row of the same (`a`) and of another class (`b`). `O(n² d)`.
    NearestRatio: Position,
    /// The weighted share of the 5 nearest rows that bear the row's label, less the label's share of the table.
    AgreementOf5: Position,
    /// The same of the 15 nearest.
    AgreementOf15: Position,
    /// The same of the 3 nearest trusted rows; 0 where there are none.
    TrustedAgreement: Position,
    /// [`Feature::NearestRatio`] among trusted rows; 0 where there are none.
    TrustedRatio: Position,
    /// Logarithm of the distance to the nearest trusted row over its median; 0 where there are none.
    TrustedDistance: Position,
    /// Logarithm of the leverage in the linear head over the mean leverage. `O(n d²)`.
    Leverage: Position,
    /// How much like the trusted rows a linear head finds it that tells them from the others, left out of it, in standard
    /// deviations; 0 where there are none. `O(n d²)`.
    LinearKinship: Position,
    /// The same by the head with bumps. `O(n p²)`.
    CurvedKinship: Position,
    /// Logarithm of the distance to the nearest row over its median.
    NearestDistance: Position,
    /// Logarithm of the distance to the second nearest row over that to the nearest.
    Isolation: Position,
    /// `1 - output of the own class` by the linear head that was solved without the row. `O(n d²)`.
    Residual: Dynamics,
    /// Output of the own class less the highest other one, by the linear head, left out.
    LinearMargin: Dynamics,
    /// The same by the head with bumps. `O(n p²)`.
    CurvedMargin: Dynamics,
    /// [`Feature::LinearMargin`] once rows count by how much the first round believes them.
    SecondLinearMargin: Dynamics,
    /// [`Feature::CurvedMargin`] once rows count by how much the first round believes them.
    SecondCurvedMargin: Dynamics,
    /// Agreement of the 10 nearest rows, each by how much the first round believes it.
    SecondAgreement: Dynamics,
    /// The exact value of the row for the linear head in the second round, see [`SolvedHead::values`](crate::SolvedHead::values): for the trusted rows, and
    /// where there are none for all others as far as they are believed; in standard deviations.
    LinearValue: Dynamics,
    /// The same for the head with bumps.
    CurvedValue: Dynamics,
    /// The Shapley value for a classifier by 5 nearest neighbours, for the same queries, in standard deviations. `O(n²)`.
    Shapley: Dynamics,
    /// Mean loss over 12 epochs of softmax regression by small batches. `O(n p K)`.
    Loss: Dynamics,
    /// Slope of the loss over the epochs.
    LossSlope: Dynamics,
    /// Logarithm of the mean length of its gradient over the table's mean.
    GradientNorm: Dynamics,
    /// Forgetting events: right after an epoch and wrong after the next. Toneva et al. 2019.
    Forgotten: Dynamics,
    /// Mean margin of the probabilities over the epochs. Pleiss et al. 2020, "area under the margin".
    TrainingMargin: Dynamics,
    /// The own class's left-out output less the mean of that over the class's rows, less the same of the likeliest other class.
    /// Northcutt et al. 2021, "confident learning".
    ConfidentMargin: Dynamics,
    /// Margin by a linear head that was solved on trusted rows alone; 0 where there are none.
    TrustedLinearMargin: Dynamics,
    /// The same by a head with bumps.
    TrustedCurvedMargin: Dynamics,
    /// Logarithm of the number of rows.
    NRows: Context,
    /// Logarithm of the number of inputs.
    NInputs: Context,
    /// One over the number of classes.
    ClassSize: Context,
    /// Share of the own class, times the number of classes.
    ClassShare: Context,
    /// Whether there are trusted rows.
    HasTrusted: Context,
    /// Logarithm of one more than their number.
    NTrusted: Context,
    /// Accuracy of the linear head on rows left out, less the largest class's share.
    LinearAccuracy: Context,
    /// The same of the head with bumps, in the second round.
    CurvedAccuracy: Context,
    /// Accuracy of the heads of trusted rows on the others, less the largest class's share.
    TrustedAccuracy: Context,
    /// How well trusted rows and others are told apart, as an area under the curve less one half.
    Kinship: Context,
    /// Mean of [`Feature::SecondCurvedMargin`] over the row's class.
    ClassMargin: Context,
    /// Share of the rows of its class and of its nearest other class's that lie nearer to the other's centre.
    ClassOverlap: Context,
    /// Mean of [`Feature::SecondCurvedMargin`] over the row's group, less the table's.
    GroupMargin: Context,
    /// Share of the trusted rows that are of the row's group, less the group's share of the others.
    GroupTrust: Context,
    /// Whether rows have groups.
    HasGroups: Context,
}
