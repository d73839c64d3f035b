//! How numbers and times look. Display only: every figure is also given exactly by the API.

use crate::text::{Lang, Words};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{Timestamp, UtcOffset};
use rust_decimal::{Decimal, RoundingStrategy};

/// What stands where there is no value.
pub const NONE: &str = "—";

/// Decimals a value is shown with when the registry does not know its factor.
pub const DECIMALS_UNKNOWN: u32 = 2;

/// Kilograms from which totals are shown in tonnes.
const TONNE_KG: Decimal = Decimal::from_parts(1000, 0, 0, false, 0);

/// `value` with exactly `decimals` decimals, half to even (GB/T 8170).
pub fn number(value: Decimal, decimals: u32) -> String {
    let decimals = decimals.min(Decimal::MAX_SCALE);
    let mut rounded = value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(decimals);
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    rounded.to_string()
}

/// As [`number`], or a dash.
pub fn number_or_dash(value: Option<Decimal>, decimals: u32) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| number(v, decimals))
}

/// A unit as people write it, from the plain form of the factor table; `1` (a pure number, such as
/// pH) is not written.
pub fn unit(plain: &str) -> &str {
    match plain {
        "1" => "",
        "degC" => "℃",
        "mg/m3" => "mg/m³",
        "ug/m3" => "μg/m³",
        "ng/m3" => "ng/m³",
        "m3/s" => "m³/s",
        "m3/h" => "m³/h",
        "m3" => "m³",
        "m2" => "m²",
        "ug/L" => "μg/L",
        "uS/cm" => "μS/cm",
        "umol/mol" => "μmol/mol",
        other => other,
    }
}

/// An amount in kg or, from 1000 kg on, in t: figure and unit.
pub fn amount(kg: Decimal) -> (String, &'static str) {
    if kg.abs() >= TONNE_KG {
        let tonnes = kg / TONNE_KG;
        let decimals = if tonnes.abs() >= Decimal::from(100) {
            1
        } else {
            3
        };
        (number(tonnes, decimals), "t")
    } else {
        let decimals = if kg.abs() >= Decimal::from(100) { 1 } else { 2 };
        (number(kg, decimals), "kg")
    }
}

/// An amount as it was written, in kg or, from 1000 kg on, in t: `36.5 t`, not `36.500 t`.
pub fn plain_amount(kg: Decimal) -> (String, &'static str) {
    if kg.abs() >= TONNE_KG {
        ((kg / TONNE_KG).normalize().to_string(), "t")
    } else {
        (kg.normalize().to_string(), "kg")
    }
}

/// `value - 1` held against a bound: the exceedance multiple (超标倍数); `None` when not above it
/// or the bound is not positive.
pub fn multiple(value: Decimal, bound: Decimal) -> Option<Decimal> {
    if bound <= Decimal::ZERO || value <= bound {
        return None;
    }
    value.checked_div(bound)?.checked_sub(Decimal::ONE)
}

/// `text` with the value of every `PW=` field hidden: a logger's password is nobody's reading.
pub fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("PW=") {
        let (before, field) = rest.split_at(at + 3);
        out.push_str(before);
        out.push_str("***");
        rest = field.find([';', '&']).map_or("", |end| &field[end..]);
    }
    out.push_str(rest);
    out
}

/// How times look at one site in one language.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Offset of the site's clock.
    pub offset: UtcOffset,
    /// What the backend's clock says.
    pub now: Timestamp,
    /// Language.
    pub words: Words,
}

impl Times {
    /// Date and time to the second: `2026-03-18 14:32:10`.
    pub fn full(&self, at: Timestamp) -> String {
        self.offset
            .local(at)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// Time of day when it is today, else with month and day: `14:32`, `03-17 14:32`; with the
    /// year when that differs.
    pub fn short(&self, at: Timestamp) -> String {
        let (local, now) = (self.offset.local(at), self.offset.local(self.now));
        let pattern = if local.date() == now.date() {
            "%H:%M"
        } else if local.format("%Y").to_string() == now.format("%Y").to_string() {
            "%m-%d %H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        local.format(pattern).to_string()
    }

    /// ISO 8601 with the offset.
    pub fn iso(&self, at: Timestamp) -> String {
        self.offset.iso(at)
    }

    /// Local date: `2026-03-18`.
    pub fn date(&self, at: Timestamp) -> String {
        self.offset.local(at).format("%Y-%m-%d").to_string()
    }

    /// How long ago `at` was, in words.
    pub fn ago(&self, at: Timestamp) -> String {
        self.span(self.now.since_ms(at))
    }

    /// A length of time in its two greatest units; negative lengths read as zero.
    pub fn span(&self, ms: i64) -> String {
        let ms = ms.max(0);
        let (days, hours) = (ms / DAY_MS, ms % DAY_MS / HOUR_MS);
        let (minutes, seconds) = (ms % HOUR_MS / MINUTE_MS, ms % MINUTE_MS / SECOND_MS);
        match self.words.0 {
            Lang::Zh if days > 0 => format!("{days} 天 {hours} 小时"),
            Lang::Zh if hours > 0 && minutes == 0 => format!("{hours} 小时"),
            Lang::Zh if hours > 0 => format!("{hours} 小时 {minutes:02} 分"),
            Lang::Zh if minutes > 0 => format!("{minutes} 分"),
            Lang::Zh => format!("{seconds} 秒"),
            Lang::En if days > 0 => format!("{days} d {hours} h"),
            Lang::En if hours > 0 && minutes == 0 => format!("{hours} h"),
            Lang::En if hours > 0 => format!("{hours} h {minutes:02} min"),
            Lang::En if minutes > 0 => format!("{minutes} min"),
            Lang::En => format!("{seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn figures_are_rounded_half_to_even_and_padded() {
        for (value, decimals, shown) in [
            ("2.5", 0, "2"),
            ("3.5", 0, "4"),
            ("35.25", 1, "35.2"),
            ("35", 2, "35.00"),
            ("-0.001", 2, "0.00"),
            ("0.045", 2, "0.04"),
        ] {
            assert_eq!(number(dec(value), decimals), shown, "{value} to {decimals}");
        }
        assert_eq!(number_or_dash(None, 1), NONE);
    }

    #[test]
    fn totals_turn_into_tonnes_at_a_thousand_kilograms() {
        assert_eq!(amount(dec("999.94")), ("999.9".to_owned(), "kg"));
        assert_eq!(amount(dec("12.345")), ("12.34".to_owned(), "kg"));
        assert_eq!(amount(dec("1000")), ("1.000".to_owned(), "t"));
        assert_eq!(amount(dec("123456")), ("123.5".to_owned(), "t"));
        assert_eq!(plain_amount(dec("36500.00")), ("36.5".to_owned(), "t"));
        assert_eq!(plain_amount(dec("80.50")), ("80.5".to_owned(), "kg"));
    }

    #[test]
    fn the_multiple_is_what_exceeds_the_bound() {
        assert_eq!(multiple(dec("70"), dec("50")), Some(dec("0.4")));
        assert_eq!(multiple(dec("50"), dec("50")), None);
        assert_eq!(multiple(dec("5"), Decimal::ZERO), None);
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for (sent, shown) in [
            ("ST=31;PW=123456;MN=1", "ST=31;PW=***;MN=1"),
            ("PW=a;b;PW=\u{5bc6}&&", "PW=***;b;PW=***&&"),
            ("##PW=cut off", "##PW=***"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_passwords(sent), shown);
        }
    }

    #[test]
    fn spans_show_their_two_greatest_units() {
        let times = Times {
            offset: UtcOffset::default(),
            now: Timestamp(0),
            words: Words(Lang::En),
        };
        for (ms, shown) in [
            (-5, "0 s"),
            (59_000, "59 s"),
            (61_000, "1 min"),
            (3_600_000, "1 h"),
            (3_660_000, "1 h 01 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(times.span(ms), shown);
        }
    }
}
