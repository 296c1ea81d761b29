//! What a run is called, in every file that it is copied to.

use crate::content::Content;
use std::fmt;
use std::str::FromStr;

/// The name of a run: 128 bits that no other run has, drawn at random or a part of a hash. Written as 32 hexadecimal
/// digits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(pub u128);

impl Uid {
    /// The name that follows from what decides a run, such as task, recipe, seed and code version: who repeats the run
    /// finds it. The same parts in the same order give the same name on every machine.
    pub fn derived(parts: &[&str]) -> Self {
        let mut content = Content::new("uid");
        parts.iter().for_each(|part| content.text(part));
        Self::of_digest(&content.digest())
    }

    /// The first half of a hash.
    pub(crate) fn of_digest(digest: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(half))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is no uid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is no uid; a uid is 32 hexadecimal digits in lower case")]
pub struct NoUid {
    /// The text.
    pub found: String,
}

impl FromStr for Uid {
    type Err = NoUid;

    fn from_str(text: &str) -> Result<Self, NoUid> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let parsed = (text.len() == 32 && text.bytes().all(is_digit))
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten();
        parsed.map(Self).ok_or_else(|| NoUid { found: text.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_read_as_written() {
        for uid in [Uid(0), Uid(u128::MAX), Uid(0x1f), Uid::derived(&["a", "b"])] {
            assert_eq!(uid.to_string().parse(), Ok(uid));
        }
        for bad in
            ["", "1f", &"F".repeat(32), &"g".repeat(32), &format!("+{}", "1".repeat(31)), &"é".repeat(16)]
        {
            assert!(bad.parse::<Uid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(Uid::derived(&["a", "b"]), Uid::derived(&["a", "b"]));
        assert_ne!(Uid::derived(&["a", "b"]), Uid::derived(&["ab"]));
        assert_ne!(Uid::derived(&["a", "b"]), Uid::derived(&["b", "a"]));
    }
}
