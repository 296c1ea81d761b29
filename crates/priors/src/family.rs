//! The task families and their shares.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the signal of a table comes about.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A weighted sum of the columns.
    Linear,
    /// A sum of functions of single columns, sometimes with a few products of two.
    Additive,
    /// A sum of oblivious trees.
    Trees,
    /// A random network of one to three hidden layers.
    Network,
    /// A random smooth function: a sum of cosines of random projections.
    Smooth,
    /// An additive part and a part from trees.
    AdditiveTrees,
    /// Rows from Gaussian clusters: one or two a class, or a linear law of its own in each.
    Mixture,
    /// Columns and target are nodes of a random causal graph.
    StructuralCausal,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 8] = [
        Self::Linear,
        Self::Additive,
        Self::Trees,
        Self::Network,
        Self::Smooth,
        Self::AdditiveTrees,
        Self::Mixture,
        Self::StructuralCausal,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linear => "linear",
            Self::Additive => "additive",
            Self::Trees => "trees",
            Self::Network => "network",
            Self::Smooth => "smooth",
            Self::AdditiveTrees => "additive_trees",
            Self::Mixture => "mixture",
            Self::StructuralCausal => "structural_causal",
        })
    }
}

/// The share of each [`Family`]; only their proportions matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FamilyShares {
    /// [`Family::Linear`].
    pub linear: f64,
    /// [`Family::Additive`].
    pub additive: f64,
    /// [`Family::Trees`].
    pub trees: f64,
    /// [`Family::Network`].
    pub network: f64,
    /// [`Family::Smooth`].
    pub smooth: f64,
    /// [`Family::AdditiveTrees`].
    pub additive_trees: f64,
    /// [`Family::Mixture`].
    pub mixture: f64,
    /// [`Family::StructuralCausal`].
    pub structural_causal: f64,
}

impl Default for FamilyShares {
    fn default() -> Self {
        Self {
            linear: 0.14,
            additive: 0.22,
            trees: 0.14,
            network: 0.12,
            smooth: 0.05,
            additive_trees: 0.08,
            mixture: 0.15,
            structural_causal: 0.10,
        }
    }
}

impl FamilyShares {
    /// All of one family.
    pub fn only(family: Family) -> Self {
        let share = |other| if family == other { 1.0 } else { 0.0 };
        Self {
            linear: share(Family::Linear),
            additive: share(Family::Additive),
            trees: share(Family::Trees),
            network: share(Family::Network),
            smooth: share(Family::Smooth),
            additive_trees: share(Family::AdditiveTrees),
            mixture: share(Family::Mixture),
            structural_causal: share(Family::StructuralCausal),
        }
    }

    /// The share of `family`.
    pub fn get(&self, family: Family) -> f64 {
        match family {
            Family::Linear => self.linear,
            Family::Additive => self.additive,
            Family::Trees => self.trees,
            Family::Network => self.network,
            Family::Smooth => self.smooth,
            Family::AdditiveTrees => self.additive_trees,
            Family::Mixture => self.mixture,
            Family::StructuralCausal => self.structural_causal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_is_one_family() {
        for family in Family::ALL {
            let shares = FamilyShares::only(family);
            let total: f64 = Family::ALL.iter().map(|&other| shares.get(other)).sum();
            assert_eq!((shares.get(family), total), (1.0, 1.0));
        }
    }
}
