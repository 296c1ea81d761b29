//! What the rows of a task are about, as a type.

use std::fmt::Debug;
use std::marker::PhantomData;

mod sealed {
    pub trait Sealed {}
}

/// What a row of data is *about*: the world ([`Base`]), or runs on data of the level below ([`Above`]).
///
/// The trait is sealed: the only levels are `Base`, `Above<Base>`, `Above<Above<Base>>` and so on.
pub trait Level: sealed::Sealed + Copy + Clone + Debug + Default + Send + Sync + 'static {
    /// The level as a number, 0 for the world.
    const DEPTH: u32;
}

/// Level 0: rows about the world.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Base;

/// One level above `L`: rows about runs on data of level `L`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Above<L>(PhantomData<L>);

impl sealed::Sealed for Base {}
impl Level for Base {
    const DEPTH: u32 = 0;
}

impl<L: Level> sealed::Sealed for Above<L> {}
impl<L: Level> Level for Above<L> {
    const DEPTH: u32 = L::DEPTH + 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_up_adds_one() {
        assert_eq!(Base::DEPTH, 0);
        assert_eq!(<Above<Base>>::DEPTH, 1);
        assert_eq!(<Above<Above<Base>>>::DEPTH, 2);
    }
}
