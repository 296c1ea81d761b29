//! Whether a newly trained metamodel replaces the incumbent.

/// The margin of non-inferiority: a loss at most this much higher counts as equally good, in nats a query row.
pub const AS_GOOD: f64 = 0.002;
/// An equally good candidate is accepted if its training cost at most this share of the incumbent's.
pub const CHEAPER: f64 = 0.9;

/// A candidate compared with the incumbent on the acceptance set, paired by task.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Contest {
    /// Mean loss of the candidate minus the incumbent's, in nats a query row.
    pub difference: f64,
    /// Lower end of its 95 % bootstrap interval over tasks.
    pub low: f64,
    /// Upper end of the same interval.
    pub high: f64,
    /// Processor seconds of the candidate's training divided by the incumbent's.
    pub cost_ratio: f64,
}

/// The decision of [`gate`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted: there is no incumbent yet.
    First,
    /// Accepted: better, with the whole interval below 0.
    Better,
    /// Accepted: not worse by more than [`AS_GOOD`], and cheaper.
    Cheaper,
    /// Rejected: the incumbent stays.
    Kept,
}

impl Verdict {
    /// Whether the candidate becomes the incumbent.
    pub fn is_accepted(self) -> bool {
        self != Self::Kept
    }

    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Better => "better",
            Self::Cheaper => "as good and cheaper",
            Self::Kept => "not better",
        }
    }
}

/// Decides whether a candidate becomes the incumbent; `None` if there is no incumbent. Only losses on the acceptance set
/// enter, so that the report set stays untouched by every decision.
pub fn gate(contest: Option<&Contest>) -> Verdict {
    match contest {
        None => Verdict::First,
        Some(contest) if contest.high < 0.0 => Verdict::Better,
        Some(contest) if contest.high <= AS_GOOD && contest.cost_ratio <= CHEAPER => Verdict::Cheaper,
        Some(_) => Verdict::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_to_be_better_or_cheaper_is_not_accepted() {
        let verdict = |difference: f64, half: f64, cost_ratio: f64| {
            let (low, high) = (difference - half, difference + half);
            gate(Some(&Contest { difference, low, high, cost_ratio }))
        };
        assert_eq!(gate(None), Verdict::First);
        assert_eq!(verdict(-0.01, 0.009, 3.0), Verdict::Better);
        assert_eq!(verdict(-0.01, 0.015, 1.0), Verdict::Kept);
        assert_eq!(verdict(0.0, 0.001, 0.8), Verdict::Cheaper);
        assert_eq!(verdict(0.0, 0.001, 1.0), Verdict::Kept);
        assert_eq!(verdict(0.001, 0.002, 0.5), Verdict::Kept);
        assert!(Verdict::First.is_accepted() && !Verdict::Kept.is_accepted());
    }
}
