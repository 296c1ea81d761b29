//! The shares of everything a prior draws.

use crate::family::{Family, FamilyShares};
use serde::{Deserialize, Serialize};

/// The mixture that a [`Prior`](crate::Prior) draws from. The default is the mixture of the design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriorConfig {
    /// How often each family occurs.
    pub families: FamilyShares,
    /// How scores become classes.
    pub labels: LabelShares,
    /// How scores become numbers.
    pub values: ValueShares,
    /// What the columns look like.
    pub columns: ColumnShares,
    /// What is wrong with some rows of the support.
    #[serde(skip_serializing_if = "ImpurityShares::is_none")]
    pub impurities: ImpurityShares,
    /// Of the tables whose columns say next to nothing about the target, the share that is drawn anew.
    pub weak_dropped: f64,
}

impl Default for PriorConfig {
    fn default() -> Self {
        Self {
            families: FamilyShares::default(),
            labels: LabelShares::default(),
            values: ValueShares::default(),
            columns: ColumnShares::default(),
            impurities: ImpurityShares::default(),
            weak_dropped: 0.8,
        }
    }
}

impl PriorConfig {
    /// The default with one family only.
    pub fn of_family(family: Family) -> Self {
        Self { families: FamilyShares::only(family), ..Self::default() }
    }

    /// Checks every share and range.
    ///
    /// # Errors
    /// A share outside 0..=1, a family share below 0, no family at all, a range that is empty or not positive.
    pub fn validate(&self) -> Result<(), PriorError> {
        let mut total = 0.0;
        for family in Family::ALL {
            let share = self.families.get(family);
            if !(share.is_finite() && share >= 0.0) {
                return Err(PriorError::BadFamilyShare { family, found: share });
            }
            total += share;
        }
        if total <= 0.0 {
            return Err(PriorError::NoFamily);
        }
        let (labels, values, columns) = (&self.labels, &self.values, &self.columns);
        let impurities = &self.impurities;
        for (name, share) in [
            ("weak_dropped", self.weak_dropped),
            ("labels.softmax", labels.softmax),
            ("labels.shuffled_bins", labels.shuffled_bins),
            ("labels.flipped_tables", labels.flipped_tables),
            ("labels.max_flipped", labels.max_flipped),
            ("values.heavy_noise", values.heavy_noise),
            ("values.uneven_noise", values.uneven_noise),
            ("values.warped", values.warped),
            ("values.counts", values.counts),
            ("values.censored", values.censored),
            ("columns.categorical_tables", columns.categorical_tables),
            ("columns.unordered", columns.unordered),
            ("columns.binary_tables", columns.binary_tables),
            ("columns.count_tables", columns.count_tables),
            ("columns.irrelevant_tables", columns.irrelevant_tables),
            ("columns.clustered_tables", columns.clustered_tables),
            ("columns.warped_tables", columns.warped_tables),
            ("columns.noisy_tables", columns.noisy_tables),
            ("columns.rounded_tables", columns.rounded_tables),
            ("columns.outlier_tables", columns.outlier_tables),
            ("columns.duplicate_tables", columns.duplicate_tables),
            ("columns.missing_tables", columns.missing_tables),
            ("columns.noise_tables", columns.noise_tables),
            ("impurities.tables", impurities.tables),
            ("impurities.most", impurities.most),
            ("impurities.systematic", impurities.systematic),
            ("impurities.repeated_tables", impurities.repeated_tables),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(PriorError::BadShare { name, found: share });
            }
        }
        for (name, [low, high]) in
            [("labels.sharpness", labels.sharpness), ("columns.spread", columns.spread)]
        {
            let floor_ok = if name == "columns.spread" { low >= 0.0 } else { low > 0.0 };
            if !(floor_ok && low <= high && high <= 100.0) {
                return Err(PriorError::BadRange { name, low, high });
            }
        }
        Ok(())
    }
}

/// How scores become classes, in the families other than [`Family::Mixture`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelShares {
    /// Tables with one score a class and a draw from their softmax; the rest have one score, cut into classes.
    pub softmax: f64,
    /// Bounds of the softmax's sharpness, which is uniform on the logarithmic scale.
    pub sharpness: [f64; 2],
    /// Of the cut tables, those whose classes are several bins in no order.
    pub shuffled_bins: f64,
    /// Tables with labels flipped at random.
    pub flipped_tables: f64,
    /// The largest share of flipped labels in such a table.
    pub max_flipped: f64,
}

impl Default for LabelShares {
    fn default() -> Self {
        Self {
            softmax: 0.6,
            sharpness: [0.8, 20.0],
            shuffled_bins: 0.35,
            flipped_tables: 0.15,
            max_flipped: 0.15,
        }
    }
}

/// How a score becomes a number. The share of the target's variance that the score explains lies mostly
/// between 0.4 and 0.95 and always between 0.1 and 0.999, before the last three of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValueShares {
    /// Tables whose noise has heavy tails.
    pub heavy_noise: f64,
    /// Tables whose noise is larger for some rows than for others, by a law.
    pub uneven_noise: f64,
    /// Tables whose target is shown through an exponential, a logarithm, a square or a power.
    pub warped: f64,
    /// Tables whose target is a whole number.
    pub counts: f64,
    /// Tables whose target has a floor that many rows reach.
    pub censored: f64,
}

impl Default for ValueShares {
    fn default() -> Self {
        Self { heavy_noise: 0.2, uneven_noise: 0.15, warped: 0.35, counts: 0.12, censored: 0.06 }
    }
}

/// What the columns look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnShares {
    /// Tables with categorical columns: a fifth, two fifths, three fifths or all of them.
    pub categorical_tables: f64,
    /// Of the categorical columns, those whose levels act each in its own way; the others act in an order.
    pub unordered: f64,
    /// Tables with 0/1 columns among the numeric ones.
    pub binary_tables: f64,
    /// Tables with whole-number columns among the numeric ones.
    pub count_tables: f64,
    /// Tables in which only 30 to 80 percent of the columns matter.
    pub irrelevant_tables: f64,
    /// Bounds of the spread of the columns' importances, which are log-normal.
    pub spread: [f64; 2],
    /// Tables whose rows come in clusters.
    pub clustered_tables: f64,
    /// Tables with columns that are skewed, heavy-tailed, uniform, bimodal or floored.
    pub warped_tables: f64,
    /// Tables whose columns are measured with noise.
    pub noisy_tables: f64,
    /// Tables with rounded columns.
    pub rounded_tables: f64,
    /// Tables with rare outliers.
    pub outlier_tables: f64,
    /// Tables in which some columns are noisy copies of others.
    pub duplicate_tables: f64,
    /// Tables with missing cells.
    pub missing_tables: f64,
    /// Tables with 6 encoded inputs or more, of which at least half come from columns that have nothing to do with the
    /// target nor with the columns that have. 0 by default.
    #[serde(skip_serializing_if = "is_zero")]
    pub noise_tables: f64,
}

impl Default for ColumnShares {
    fn default() -> Self {
        Self {
            categorical_tables: 0.55,
            unordered: 0.7,
            binary_tables: 0.3,
            count_tables: 0.5,
            irrelevant_tables: 0.5,
            spread: [0.0, 3.0],
            clustered_tables: 0.2,
            warped_tables: 0.75,
            noisy_tables: 0.3,
            rounded_tables: 0.3,
            outlier_tables: 0.1,
            duplicate_tables: 0.1,
            missing_tables: 0.2,
            noise_tables: 0.0,
        }
    }
}

/// What is wrong with some rows of the support; query rows are never impure. None by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImpurityShares {
    /// Tables in which some support rows have a wrong target.
    pub tables: f64,
    /// The largest share of wrong targets in such a table; the share is uniform up to it.
    pub most: f64,
    /// Of these tables, those whose targets are wrong by a rule (one class for another, or in one group of rows, or by a
    /// constant) instead of at random.
    pub systematic: f64,
    /// Tables in which some support rows are replaced by copies of others.
    pub repeated_tables: f64,
}

impl ImpurityShares {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ImpurityShares {
    fn default() -> Self {
        Self { tables: 0.0, most: 0.5, systematic: 0.4, repeated_tables: 0.0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

/// What is wrong with a [`PriorConfig`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriorError {
    /// A share that is not a probability.
    #[error("{name} is {found}; a share lies between 0 and 1")]
    BadShare {
        /// The field, with its section.
        name: &'static str,
        /// What was given.
        found: f64,
    },
    /// A family's share that is negative or not a number.
    #[error("the share of the family {family} is {found}; it must be 0 or more")]
    BadFamilyShare {
        /// The family.
        family: Family,
        /// What was given.
        found: f64,
    },
    /// Every family has the share 0.
    #[error("every family has the share 0; give at least one a positive share")]
    NoFamily,
    /// A range whose bounds do not fit.
    #[error("{name} is [{low}, {high}]; the bounds must be positive and in order, at most 100")]
    BadRange {
        /// The field, with its section.
        name: &'static str,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_bad_shares_are_named() {
        assert_eq!(PriorConfig::default().validate(), Ok(()));
        let mut config = PriorConfig::default();
        config.columns.noisy_tables = 1.5;
        assert!(config.validate().unwrap_err().to_string().contains("columns.noisy_tables is 1.5"));
        let mut config = PriorConfig::default();
        config.labels.sharpness = [3.0, 1.0];
        assert!(matches!(config.validate(), Err(PriorError::BadRange { .. })));
        let mut config = PriorConfig::of_family(Family::Linear);
        config.families.linear = 0.0;
        assert_eq!(config.validate(), Err(PriorError::NoFamily));
        config.families.trees = f64::NAN;
        assert!(matches!(config.validate(), Err(PriorError::BadFamilyShare { .. })));
    }
}
