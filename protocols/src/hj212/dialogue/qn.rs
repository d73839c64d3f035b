//! Request numbers (请求编号): times of 17 digits that never repeat on a connection.

use super::super::time::LocalTime;

/// Minutes that Beijing time is ahead of UTC. The standard names no zone; every site uses this.
pub(super) const BEIJING_MIN: i32 = 480;

/// Gives request numbers that only grow, also within one millisecond and when the clock steps
/// back.
#[derive(Clone, Debug)]
pub struct QnSource {
    utc_offset_min: i32,
    /// Last number given, as milliseconds since 1970.
    last_ms: i64,
}

impl QnSource {
    /// A source in a zone, minutes ahead of UTC (Beijing: 480).
    #[must_use]
    pub fn new(utc_offset_min: i32) -> Self {
        Self {
            utc_offset_min,
            last_ms: i64::MIN,
        }
    }

    /// The next number at this time.
    pub fn next(&mut self, now_ms: i64) -> LocalTime {
        self.next_block(now_ms, 1)
    }

    /// The first of `count` numbers that follow each other within one second, as the packets of a
    /// split message have them. More than 1000 do not fit into a second and wrap.
    pub fn next_block(&mut self, now_ms: i64, count: usize) -> LocalTime {
        let count = i64::try_from(count).unwrap_or(1000).clamp(1, 1000);
        let mut first = now_ms.max(self.last_ms.saturating_add(1));
        if first.rem_euclid(1000) + count > 1000 {
            first = (first.div_euclid(1000))
                .saturating_add(1)
                .saturating_mul(1000);
        }
        self.last_ms = first.saturating_add(count - 1);
        LocalTime::from_unix_ms(first, self.utc_offset_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_within_a_millisecond_and_when_the_clock_steps_back() {
        let mut source = QnSource::new(BEIJING_MIN);
        let at = 1_716_210_420_123;
        let numbers: Vec<String> = [at, at, at - 5000, at + 1, at + 10]
            .into_iter()
            .map(|now| source.next(now).digits17())
            .collect();
        assert_eq!(
            numbers,
            [
                "20240520210700123",
                "20240520210700124",
                "20240520210700125",
                "20240520210700126",
                "20240520210700133",
            ]
        );
    }

    #[test]
    fn a_block_stays_within_its_second() {
        let mut source = QnSource::new(BEIJING_MIN);
        let at = 1_716_210_420_998;
        assert_eq!(source.next_block(at, 3).digits17(), "20240520210701000");
        assert_eq!(source.next(at).digits17(), "20240520210701003");
    }
}
