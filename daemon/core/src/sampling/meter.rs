//! Samples of one factor: the last one, and what came together in the open interval.

use super::forming::Rules;
use super::marks::Marks;
use super::span::Span;
use super::{
    COVER_MAX_MS, COVER_MIN_MS, FAULT, GAS_NORMAL_PCT, OUT_OF_RANGE, PERIOD_MS, WATER_SILENCE_PCT,
};
use crate::formula::ph;
use crate::model::{FactorCode, Flag, Medium, Number, Sample, Timestamp};
use crate::quantity::internal;
use crate::validate::code;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A mean in the making: sums of exact decimals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    n: u32,
    total: Decimal,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    overflow: bool,
    least: Option<Decimal>,
    greatest: Option<Decimal>,
}

impl Mean {
    fn add(&mut self, value: Decimal, is_ph: bool) {
        // pH is averaged as what it stands for.
        let term = if is_ph {
            ph::acid_excess(value)
        } else {
            Some(value)
        };
        match term.and_then(|term| self.total.checked_add(term)) {
            Some(total) => self.total = total,
            None => self.overflow = true,
        }
        self.n = self.n.saturating_add(1);
        self.least = Some(self.least.map_or(value, |least| least.min(value)));
        self.greatest = Some(self.greatest.map_or(value, |most| most.max(value)));
    }

    fn get(&self, is_ph: bool) -> Option<Decimal> {
        let mean = self.total.checked_div(Decimal::from(self.n))?;
        let mean = if is_ph {
            ph::of_acid_excess(mean)?
        } else {
            mean
        };
        (!self.overflow).then_some(mean)
    }
}

/// What one factor showed in the open interval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    /// Samples that count.
    normal: Mean,
    /// Time they speak for, ms.
    normal_ms: i64,
    /// Values read under other flags.
    #[serde(default)]
    other: Mean,
    /// Time under other flags, ms.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    marks: Marks,
    /// Water that passed with samples that count, L, and their sum over it.
    #[serde(default)]
    litres: Decimal,
    #[serde(default)]
    load: Decimal,
}

/// One factor of an outlet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Meter {
    /// Time of the last sample.
    pub(super) at: Timestamp,
    value: Option<Number>,
    flag: Flag,
    /// Between the last sample and the one before, ms.
    gap_ms: i64,
    /// How long the last sample speaks for, ms.
    cover_ms: i64,
    /// The last sample is not in the tally yet: others of its instant may follow.
    pending: bool,
    tally: Tally,
}

/// What an interval of one factor comes to.
pub(super) struct Reading {
    pub(super) flag: SmolStr,
    /// The flag counts as valid.
    pub(super) normal: bool,
    pub(super) mean: Option<Decimal>,
    pub(super) least: Option<Decimal>,
    pub(super) greatest: Option<Decimal>,
}

impl Meter {
    /// The first sample of a factor.
    pub(super) fn first(at: Timestamp, sample: Sample) -> Self {
        Self {
            at,
            value: sample.value,
            flag: sample.flag,
            gap_ms: PERIOD_MS,
            cover_ms: PERIOD_MS,
            pending: true,
            tally: Tally::default(),
        }
    }

    /// A further sample. A second one of the same instant takes the place of the first: two
    /// instruments for one factor would be an error of the settings.
    pub(super) fn note(&mut self, at: Timestamp, sample: Sample) {
        let gap_ms = at.since_ms(self.at).max(0);
        if gap_ms > 0 {
            self.cover_ms = gap_ms.min(self.patience_ms());
            self.gap_ms = gap_ms;
            self.at = at;
            self.pending = true;
        }
        self.value = sample.value;
        self.flag = sample.flag;
    }

    /// How long a sample may be waited for after the last one.
    fn patience_ms(&self) -> i64 {
        self.gap_ms
            .saturating_mul(2)
            .clamp(COVER_MIN_MS, COVER_MAX_MS)
    }

    /// The last sample still speaks at `at`.
    pub(super) fn is_fresh(&self, at: Timestamp) -> bool {
        at.since_ms(self.at) <= self.patience_ms()
    }

    /// The last sample: its number as read, and the value when it counts, else why it does not.
    pub(super) fn latest<'a>(
        &'a self,
        factor: &FactorCode,
        rules: &Rules<'_>,
    ) -> (Option<&'a Number>, Result<Decimal, SmolStr>) {
        let number = self.value.as_ref();
        (number, self.judged(factor, rules))
    }

    fn judged(&self, factor: &FactorCode, rules: &Rules<'_>) -> Result<Decimal, SmolStr> {
        let flag = &self.flag.0;
        let absent = flag.is_empty();
        let claims = if absent {
            rules.profile.flag_absent_is_valid
        } else {
            rules.profile.valid_flags.contains(flag)
        };
        if !claims {
            return Err(if absent { FAULT.into() } else { flag.clone() });
        }
        let number = self.value.as_ref().ok_or(FAULT)?;
        let range = rules.outlet.factors.get(factor);
        let outside = range.is_some_and(|f| {
            f.range_min.is_some_and(|min| number.value < min)
                || f.range_max.is_some_and(|max| number.value > max)
        });
        if outside {
            return Err(OUT_OF_RANGE.into());
        }
        Ok(internal(number.value))
    }

    /// Flow of water that the last sample shows, L/s, while it counts and is fresh.
    pub(super) fn flow(&self, at: Timestamp, rules: &Rules<'_>) -> Option<Decimal> {
        let flow = self.judged(&code::WATER_FLOW.into(), rules).ok()?;
        (self.is_fresh(at) && flow >= Decimal::ZERO).then_some(flow)
    }

    /// Takes the last sample into the tally; `flow`: L/s at its time, where means are weighted.
    pub(super) fn settle(&mut self, factor: &FactorCode, flow: Option<Decimal>, rules: &Rules<'_>) {
        if !std::mem::take(&mut self.pending) {
            return;
        }
        let is_ph = rules.is_ph(factor);
        let judged = self.judged(factor, rules);
        let tally = &mut self.tally;
        match judged {
            Ok(value) => {
                tally.normal.add(value, is_ph);
                tally.normal_ms = tally.normal_ms.saturating_add(self.cover_ms);
                if let Some(flow) = flow {
                    tally.weigh(value, flow, self.cover_ms);
                }
            }
            Err(flag) => {
                tally.marks.add(&flag, self.cover_ms);
                if let Some(number) = &self.value {
                    tally.other.add(internal(number.value), is_ph);
                }
            }
        }
    }

    /// What the interval comes to; the next one begins.
    pub(super) fn close(&mut self, factor: &FactorCode, span: Span, rules: &Rules<'_>) -> Reading {
        let mut tally = std::mem::take(&mut self.tally);
        let is_ph = rules.is_ph(factor);
        let len_ms = span.len_ms();
        let seen_ms = tally.normal_ms.saturating_add(tally.marks.total());
        let silent_ms = len_ms.saturating_sub(seen_ms).max(0);
        let mut normal = match rules.outlet.medium {
            // Annex D: at least 75 % normal values.
            Medium::Gas => share_reached(tally.normal_ms, len_ms, GAS_NORMAL_PCT),
            // Annex D: one abnormal value makes the interval abnormal.
            Medium::Water => {
                let bearable = len_ms.saturating_mul(WATER_SILENCE_PCT);
                let lost_ms = silent_ms.saturating_add(tally.marks.silent());
                tally.marks.only_silent() && lost_ms.saturating_mul(100) <= bearable
            }
        };
        let mut mean = tally.weighted().or_else(|| tally.normal.get(is_ph));
        if normal && mean.is_none() {
            // Sums beyond what a decimal holds: no working instrument reads so.
            normal = false;
            tally.marks.add(FAULT, len_ms);
        }
        let mut shown = &tally.normal;
        if !normal && shown.n == 0 {
            shown = &tally.other;
            mean = shown.get(is_ph);
        }
        let flag = if normal {
            rules.normal_flag()
        } else {
            if silent_ms > 0 {
                tally.marks.add(super::SILENT, silent_ms);
            }
            tally.marks.prevailing()
        };
        let (least, greatest) = (shown.least, shown.greatest);
        Reading {
            flag,
            normal,
            mean: mean.map(|mean| between(internal(mean), least, greatest)),
            least: least.map(|v| v.normalize()),
            greatest: greatest.map(|v| v.normalize()),
        }
    }
}

impl Tally {
    /// Annex D: the volume of the slice, `D = Q * T` in L here, and `D * C`.
    fn weigh(&mut self, value: Decimal, flow: Decimal, cover_ms: i64) {
        let litres = Decimal::new(cover_ms, 3).checked_mul(flow);
        let load = litres.and_then(|litres| litres.checked_mul(value));
        let sums = litres
            .and_then(|litres| self.litres.checked_add(litres))
            .zip(load.and_then(|load| self.load.checked_add(load)));
        if let Some((litres, load)) = sums {
            (self.litres, self.load) = (litres, load);
        }
    }

    /// Annex D: `C = G / D`; `None` when nothing flowed, and where means are not weighted.
    fn weighted(&self) -> Option<Decimal> {
        self.load.checked_div(self.litres)
    }
}

/// `part` is at least `pct` percent of `whole`.
pub(super) fn share_reached(part: i64, whole: i64, pct: i64) -> bool {
    part.saturating_mul(100) >= whole.saturating_mul(pct)
}

/// A mean lies between its extremes whatever the last digit was rounded to.
pub(super) fn between(mean: Decimal, least: Option<Decimal>, greatest: Option<Decimal>) -> Decimal {
    let mean = least.map_or(mean, |least| mean.max(least));
    greatest
        .map_or(mean, |greatest| mean.min(greatest))
        .normalize()
}
