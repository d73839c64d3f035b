//! Random numbers that are the same on every machine (splitmix64).

#[derive(Debug, Clone)]
pub(in crate::engine::tests) struct Dice(u64);

impl Dice {
    pub(in crate::engine::tests) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::engine::tests) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n` - 1; 0 when there is nothing below.
    pub(in crate::engine::tests) fn below(&mut self, n: i64) -> i64 {
        let n = u64::try_from(n.max(1)).unwrap();
        i64::try_from(self.next() % n).unwrap()
    }

    pub(in crate::engine::tests) fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    pub(in crate::engine::tests) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(i64::try_from(len).unwrap())).unwrap()
    }

    pub(in crate::engine::tests) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())]
    }
}
