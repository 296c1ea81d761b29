//! Whether a new generation takes the place of the old one.

/// The differences up to which two generations are as good as each other, in nats a query row.
pub const AS_GOOD: f64 = 0.002;
/// The share of the old one's cost that a generation which is only as good may cost.
pub const CHEAPER: f64 = 0.9;

/// What the acceptance set says of a new generation beside the one that it would replace: means over tasks are paired.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Contest {
    /// Mean loss of the new one less that of the old one.
    pub difference: f64,
    /// The lower end of its 95% interval over tasks.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What the training of the new one cost, as a share of the old one's.
    pub cost_ratio: f64,
}

/// What the gate decides.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was none before.
    First,
    /// The new one is better: the whole interval says so.
    Better,
    /// The new one is as good and cheaper.
    Cheaper,
    /// The old one stays; the new one is kept on file.
    Kept,
}

impl Verdict {
    /// Whether the new one takes the place.
    pub fn is_accepted(self) -> bool {
        self != Self::Kept
    }

    /// As files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Better => "better",
            Self::Cheaper => "as good and cheaper",
            Self::Kept => "not better",
        }
    }
}

/// Decides about a generation. The tasks of the acceptance set alone decide, and nothing else uses what is decided by them.
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
