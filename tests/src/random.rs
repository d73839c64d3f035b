//! Random choices that can be repeated.

use std::ops::Range;

/// SplitMix64: small, good enough to choose moments and sizes.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator whose seed comes from `CEMS_TEST_SEED` or is `usual`; the seed is printed with
    /// the name of the test, so that a failure shows how to repeat it.
    pub fn of_test(name: &str, usual: u64) -> Self {
        let given = std::env::var("CEMS_TEST_SEED").ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or(usual);
        crate::wait::say(&format!(
            "{name}: seed {seed} (CEMS_TEST_SEED={seed} repeats it)"
        ));
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A generator of its own numbers, for a task beside this one.
    #[must_use]
    pub fn child(&mut self) -> Self {
        Self(self.number())
    }

    /// A number of the range, which must not be empty.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        assert!(range.start < range.end, "an empty range has no number");
        let width = u64::try_from(range.end - range.start).expect("a range fits in 64 bits");
        range.start + usize::try_from(self.number() % width).expect("less than the range's width")
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_the_range() {
        let (mut a, mut b) = (Random(7), Random(7));
        for _ in 0..1_000 {
            let n = a.within(3..9);
            assert!((3..9).contains(&n));
            assert_eq!(n, b.within(3..9));
        }
        assert_ne!(Random(1).number(), Random(2).number());
    }
}
