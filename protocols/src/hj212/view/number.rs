//! Exact decimals out of the bytes of a value.

use rust_decimal::Decimal;

use super::pieces::marks;

/// Eight characters `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Most digits whose value is sure to fit an `i64`.
const DIGITS_MAX: usize = 18;

/// A number, or that there is none, in two words.
///
/// A `Decimal` that may come from a call comes in memory, and is then read in other portions than
/// it was written, for which the processor waits; this stays in registers until the decimal is
/// made at its destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// The lower 64 of 96 bits.
    low: u64,
    /// From the lowest: the upper 32 bits, 8 bits of scale, 1 bit of sign; all ones is no number.
    high: u64,
}

impl Parts {
    const NONE: Self = Self {
        low: 0,
        high: u64::MAX,
    };

    fn of(number: Decimal) -> Self {
        let parts = number.unpack();
        Self {
            low: (u64::from(parts.mid) << 32) | u64::from(parts.lo),
            high: (u64::from(parts.negative) << 40)
                | (u64::from(parts.scale) << 32)
                | u64::from(parts.hi),
        }
    }

    /// The number.
    #[inline(always)]
    pub(super) fn decimal(self) -> Option<Decimal> {
        let half = |word: u64| u32::try_from(word & 0xFFFF_FFFF).unwrap_or_default();
        if self.high == u64::MAX {
            return None;
        }
        Some(Decimal::from_parts(
            half(self.low),
            half(self.low >> 32),
            half(self.high),
            self.high >> 40 != 0,
            half((self.high >> 32) & 0xFF),
        ))
    }
}

/// [`decimal`] for what [`of_word`] does not take.
#[inline(never)]
pub(super) fn of_text(text: &str) -> Parts {
    decimal(text).map_or(Parts::NONE, Parts::of)
}

/// A plain number in the low `length` (1 to 8) bytes of a word, read without a branch for each
/// digit. `None` for a sign, and for what is no number.
#[inline(always)]
pub(super) fn of_word(word: u64, length: usize) -> Option<Parts> {
    if !matches!(length, 1..=8) {
        return None;
    }
    // The digits go to the top, zeros before them.
    let bits = u32::try_from(length * 8).ok()?;
    let text = (word ^ ZEROS).wrapping_shl(64 - bits);
    let point = marks(text, b'.' ^ b'0');
    let (digits, decimals) = if point == 0 {
        (text, 0)
    } else {
        if length == 1 {
            return None;
        }
        // The top bit of the point's byte alone.
        let point = point & point.wrapping_neg();
        let before = text & ((point >> 7) - 1);
        let after = text & !(point | (point - 1));
        (
            (before << 8) | after,
            7 - u64::from(point.trailing_zeros() / 8),
        )
    };
    let not_digits = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    if not_digits != 0 {
        return None;
    }
    // Pairs, then fours, then all eight.
    let pairs = digits.wrapping_mul(10 * 256 + 1) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 * 65_536 + 1) >> 16;
    let value = (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32;
    Some(Parts {
        low: value,
        high: decimals << 32,
    })
}

/// The number that stands here, with as many decimals as were written (`1.50` keeps its scale):
/// a sign, digits and at most one point, or with an exponent. `None` when it is no number, or has
/// more digits than 96 bits hold.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    short(text.as_bytes()).or_else(|| long(text))
}

/// Numbers of up to 18 digits.
#[inline(always)]
fn short(bytes: &[u8]) -> Option<Decimal> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if unsigned.len() > DIGITS_MAX {
        return None;
    }
    let mut value = 0i64;
    let mut point = None;
    for (index, byte) in unsigned.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            value = value * 10 + i64::from(digit);
        } else if *byte == b'.' && point.is_none() {
            point = Some(index);
        } else {
            return None;
        }
    }
    let digits = unsigned.len() - usize::from(point.is_some());
    if digits == 0 {
        return None;
    }
    let decimals = point.map_or(0, |at| unsigned.len() - at - 1);
    let signed = if negative { -value } else { value };
    Some(Decimal::new(signed, u32::try_from(decimals).ok()?))
}

/// Numbers with an exponent, or of more digits.
#[cold]
fn long(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut shape = unsigned.bytes();
    if !shape.all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'))
        || !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    match Decimal::from_str_exact(text) {
        Ok(value) => Some(value),
        Err(_) => Decimal::from_scientific(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_devices_write() {
        for (text, shown) in [
            ("1.50", "1.50"),
            ("0", "0"),
            ("-0.001", "-0.001"),
            ("+12", "12"),
            (".5", "0.5"),
            ("5.", "5"),
            ("9999999.99", "9999999.99"),
            ("123456789012345678", "123456789012345678"),
            ("1234567890123456789012.25", "1234567890123456789012.25"),
            ("1.2e-3", "0.0012"),
        ] {
            assert_eq!(decimal(text).unwrap().to_string(), shown, "{text}");
        }
        for text in [
            "", "-", ".", "+-1", "1.2.3", "NaN", "1,5", "0x10", "1_000", "--1", "12a",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(decimal(&"9".repeat(40)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_quick_way_gives_what_the_library_gives(text in "-?[0-9]{1,12}(\\.[0-9]{1,12})?") {
            let library = Decimal::from_str_exact(&text).unwrap();
            let own = decimal(&text).unwrap();
            prop_assert_eq!(own, library);
            prop_assert_eq!(own.scale(), library.scale());
        }

        #[test]
        fn no_text_is_a_trap_and_the_word_is_read_like_the_text(
            text in "[-+.eE0-9_a]{0,40}|[.0-9]{0,9}",
            behind in any::<u64>(),
        ) {
            let mut word = behind.to_le_bytes();
            for (place, byte) in word.iter_mut().zip(text.bytes()) {
                *place = byte;
            }
            let read = decimal(&text);
            let quick = of_word(u64::from_le_bytes(word), text.len())
                .map_or_else(|| of_text(&text).decimal(), Parts::decimal);
            prop_assert_eq!(quick, read);
            prop_assert_eq!(quick.map(|n| n.scale()), read.map(|n| n.scale()));
        }
    }
}
