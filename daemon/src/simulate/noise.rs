//! Numbers that look random and are not: the same seed and place give the same number on every
//! machine, because everything is integer arithmetic.

/// One step of splitmix64 (Steele, Lea, Flood 2014) over a seed and a place.
pub fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number from `0..bound`; 0 when the bound is 0.
pub fn below(seed: u64, place: u64, bound: u64) -> u64 {
    mix(seed, place).checked_rem(bound).unwrap_or(0)
}

/// White noise, -1000..=1000 ‰, one number for each place.
pub(super) fn white(seed: u64, place: i64) -> i64 {
    let drawn = below(seed, place.cast_unsigned(), 2_001);
    i64::try_from(drawn).unwrap_or(0) - 1_000
}

/// Smooth noise, -1000..=1000 ‰: white noise at points `period_ms` apart, joined without kinks.
pub(super) fn smooth(seed: u64, at_ms: i64, period_ms: i64) -> i64 {
    let point = at_ms.div_euclid(period_ms);
    let share = at_ms.rem_euclid(period_ms) * 1_000 / period_ms;
    let eased = share * share * (3_000 - 2 * share) / 1_000_000;
    let (from, to) = (white(seed, point), white(seed, point + 1));
    from + (to - from) * eased / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_splitmix64() {
        // Published test values of the generator seeded with 0: its state after the first step is
        // the golden constant, which is what place 1 starts from here.
        assert_eq!(mix(0, 0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(0, 1), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn smooth_noise_passes_through_its_points_and_never_jumps() {
        let period = 3_600_000;
        for hour in -3..3 {
            assert_eq!(smooth(7, hour * period, period), white(7, hour));
        }
        let mut last = smooth(7, 0, period);
        for minute in 1..600 {
            let now = smooth(7, minute * 60_000, period);
            assert!((-1_000..=1_000).contains(&now));
            assert!((now - last).abs() <= 60, "minute {minute}: {last} to {now}");
            last = now;
        }
    }
}
