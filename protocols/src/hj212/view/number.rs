//! Exact decimals out of the bytes of a value.

use rust_decimal::Decimal;

/// Every byte 1, and eight characters `0`.
const ONES: u64 = u64::MAX / 255;
const ZEROS: u64 = ONES * 0x30;

/// Most digits whose value is sure to fit an `i64`.
const DIGITS_MAX: usize = 18;

/// A number, or that there is none, in two words.
///
/// A `Decimal` that may come from a call comes in memory, and is then read in other portions than
/// it was written, for which the processor waits; this stays in registers until the decimal is
/// made at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// The lower 64 of 96 bits.
    low: u64,
    /// From the lowest: the upper 32 bits, 8 bits of scale, 1 bit of sign; all ones is no number.
    high: u64,
}

impl Parts {
    /// No number.
    pub(super) const NONE: Self = Self {
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

/// The number that a text is.
#[inline(never)]
pub(super) fn of_text(text: &str) -> Parts {
    decimal(text).map_or(Parts::NONE, Parts::of)
}

/// The plain number that the word begins with (first byte lowest) and a `;` or `,` ends inside the
/// word, and its length. `None` for all else, be it a number or not.
#[inline(always)]
pub(super) fn leading(word: u64) -> Option<(usize, Parts)> {
    if word & 0xFF == u64::from(b'-') {
        let (length, parts) = unsigned(word >> 8)?;
        let high = parts.high | (1 << 40);
        return Some((length + 1, Parts { high, ..parts }));
    }
    unsigned(word)
}

/// [`leading`] without a sign, and without a branch for each digit.
#[inline(always)]
fn unsigned(word: u64) -> Option<(usize, Parts)> {
    let text = word ^ ZEROS;
    let byte = |stop: u64| (word >> (stop.trailing_zeros() & 56)) & 0xFF;
    let is_end = |byte: u64| byte == u64::from(b',') || byte == u64::from(b';');
    // The top bit of each byte above 9; what follows the end of the number is of no value.
    let stops = (text.wrapping_add(ONES * 0x76) | text) & (ONES << 7);
    let (stop, digits, decimals) = if byte(stops) == u64::from(b'.') {
        let end = stops & stops.wrapping_sub(1);
        let decimals = (end.trailing_zeros() >> 3).wrapping_sub((stops.trailing_zeros() >> 3) + 1);
        // The top bit of the point's byte alone.
        let point = stops & stops.wrapping_neg();
        let before = text & (point >> 7).wrapping_sub(1);
        let after = text & !(point | point.wrapping_sub(1));
        if decimals == 0 && point == 1 << 7 {
            return None;
        }
        (end, (before << 8) | after, u64::from(decimals))
    } else {
        (stops, text, 0)
    };
    let length = stop.trailing_zeros() >> 3;
    if stop == 0 || length == 0 || !is_end(byte(stop)) {
        return None;
    }
    // The digits go to the top, zeros before them.
    let digits = digits.wrapping_shl(64 - 8 * length);
    // Pairs, then fours, then all eight.
    let pairs = digits.wrapping_mul(10 * 256 + 1) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 * 65_536 + 1) >> 16;
    let low = (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32;
    let high = decimals << 32;
    Some((usize::try_from(length).ok()?, Parts { low, high }))
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
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn the_quick_way_gives_what_the_library_gives(text in "-?[0-9]{1,12}(\\.[0-9]{1,12})?") {
            let library = Decimal::from_str_exact(&text).unwrap();
            let own = decimal(&text).unwrap();
            prop_assert_eq!(own, library);
            prop_assert_eq!(own.scale(), library.scale());
        }

        #[test]
        fn no_text_is_a_trap_and_the_word_is_read_like_the_text(
            text in "[-+.eE0-9_a]{0,40}|-?[.0-9]{0,8}",
            end in "[,;]|[ -~]|",
            behind in any::<u64>(),
        ) {
            let read = decimal(&text);
            prop_assert_eq!(of_text(&text).decimal(), read);
            let mut word = behind.to_le_bytes();
            for (place, byte) in word.iter_mut().zip(text.bytes().chain(end.bytes())) {
                *place = byte;
            }
            let ends = word.iter().position(|byte| matches!(byte, b',' | b';'));
            let written = ends.and_then(|at| std::str::from_utf8(&word[..at]).ok());
            match leading(u64::from_le_bytes(word)) {
                Some((length, parts)) => {
                    let number = parts.decimal().unwrap();
                    prop_assert_eq!(Some(length), ends);
                    let read = decimal(written.unwrap()).unwrap();
                    prop_assert_eq!(number, read);
                    prop_assert_eq!(number.scale(), read.scale());
                    prop_assert_eq!(number.is_sign_negative(), read.is_sign_negative());
                }
                None => {
                    let plain = |text: &str| !text.starts_with('+') && decimal(text).is_some();
                    let missed = written.filter(|text| !text.contains(['e', 'E']) && plain(text));
                    prop_assert_eq!(missed, None);
                }
            }
        }
    }
}
