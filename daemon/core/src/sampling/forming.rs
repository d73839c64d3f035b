//! Open intervals of one outlet.

use super::meter::{Meter, Reading};
use super::span::Span;
use super::{FORGOTTEN_AFTER_MS, minute};
use crate::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::model::{
    FactorCode, Flag, Medium, Outlet, Profile, Record, SampleSet, Timestamp, UtcOffset,
};
use crate::validate::code;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Factors of one outlet that are followed. The standard lists some hundred for both media; what
/// samples beyond that name is dropped, and the journal has it.
const FACTORS_MAX: usize = 512;

/// The rules at an outlet.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Whose samples.
    pub outlet: &'a Outlet,
    /// What counts.
    pub profile: &'a Profile,
    /// The site's clock.
    pub offset: UtcOffset,
}

impl Rules<'_> {
    /// Flag of an interval that counts.
    pub(super) fn normal_flag(&self) -> SmolStr {
        let known = self.profile.valid_flags.first();
        known.cloned().unwrap_or(SmolStr::new_static(Flag::NORMAL))
    }

    pub(super) fn is_ph(&self, factor: &FactorCode) -> bool {
        factor.as_str() == code::PH
    }

    /// Means of water are weighted by its flow.
    fn is_weighted(&self) -> bool {
        let weighted = self.outlet.water.as_ref().is_some_and(|w| w.weighted_mean);
        self.outlet.medium == Medium::Water && weighted
    }

    /// The mean of this factor is weighted by the flow.
    pub(super) fn is_weighted_load(&self, factor: &FactorCode) -> bool {
        let listed = self.outlet.factors.get(factor);
        self.is_weighted()
            && factor.as_str() != code::PH
            && factor.as_str() != code::WATER_FLOW
            && listed.is_some_and(|f| f.pollutant)
    }

    /// Minutes of a minute record; one where the registry expects none, because hours are made of
    /// them.
    pub fn minute_min(&self) -> u32 {
        self.outlet.expectation.minute_min.unwrap_or(1).max(1)
    }
}

/// What was sampled at one outlet and is not in a record yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Forming {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    meters: BTreeMap<FactorCode, Meter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    realtime: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minute: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hour: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Span>,
}

impl Forming {
    /// True when the outlet has not been sampled, or not for long.
    pub fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    /// Takes samples of the instant `at`; a poll that gave none is no sample. Intervals that end at
    /// `at` or before must have been closed.
    pub fn take(&mut self, at: Timestamp, set: SampleSet, rules: &Rules<'_>) {
        if set.samples.is_empty() {
            return;
        }
        self.settle(at, rules);
        for sample in set.samples {
            if let Some(meter) = self.meters.get_mut(&sample.factor) {
                meter.note(at, sample);
            } else if self.meters.len() < FACTORS_MAX {
                let factor = sample.factor.clone();
                self.meters.insert(factor, Meter::first(at, sample));
            }
        }
        let open = |span: &mut Option<Span>, len_ms: i64| {
            if span.is_none() {
                *span = Some(Span::containing(at, len_ms, rules.offset));
            }
        };
        if let Some(every_s) = rules.outlet.expectation.realtime_s {
            open(&mut self.realtime, i64::from(every_s) * SECOND_MS);
        }
        open(&mut self.minute, i64::from(rules.minute_min()) * MINUTE_MS);
        open(&mut self.hour, HOUR_MS);
        open(&mut self.day, DAY_MS);
    }

    /// End of the open interval that ends first; `None` when nothing is open.
    pub fn first_end(&self) -> Option<Timestamp> {
        let open = [self.realtime, self.minute, self.hour, self.day];
        open.into_iter().flatten().map(|span| span.end).min()
    }

    /// The real-time record, if its interval has ended by `until`: the last sample of each factor.
    pub fn close_realtime(&mut self, until: Timestamp, rules: &Rules<'_>) -> Option<Record> {
        let span = self.realtime.take_if(|span| span.end <= until)?;
        rules.outlet.expectation.realtime_s?;
        let meters = self.meters.iter();
        let values = meters.map(|(factor, meter)| minute::latest(factor, meter, span.end, rules));
        Some(minute::realtime(span.end, values.collect(), rules))
    }

    /// The minute record, if its interval has ended by `until`.
    pub fn close_minute(&mut self, until: Timestamp, rules: &Rules<'_>) -> Option<Record> {
        let span = self.minute.take_if(|span| span.end <= until)?;
        self.settle(span.end, rules);
        self.forget(span, rules);
        let readings: Vec<(FactorCode, Reading)> = self
            .meters
            .iter_mut()
            .map(|(factor, meter)| (factor.clone(), meter.close(factor, span, rules)))
            .collect();
        Some(minute::minute(span, readings, rules))
    }

    /// The hour that has ended by `until`, if minutes of it were formed.
    pub fn close_hour(&mut self, until: Timestamp) -> Option<Span> {
        self.hour.take_if(|span| span.end <= until)
    }

    /// The day that has ended by `until`, if hours of it were formed.
    pub fn close_day(&mut self, until: Timestamp) -> Option<Span> {
        self.day.take_if(|span| span.end <= until)
    }

    /// Takes the samples of the instants before `at` into their tallies, all factors together, so
    /// that the order within one instant does not show.
    fn settle(&mut self, at: Timestamp, rules: &Rules<'_>) {
        let flow = self
            .meters
            .get(code::WATER_FLOW)
            .filter(|_| rules.is_weighted())
            .cloned();
        for (factor, meter) in &mut self.meters {
            if meter.at < at {
                let flow = flow
                    .as_ref()
                    .filter(|_| rules.is_weighted_load(factor))
                    .and_then(|flow| flow.flow(meter.at, rules));
                meter.settle(factor, flow, rules);
            }
        }
    }

    /// Stops waiting for factors that are no longer sampled.
    fn forget(&mut self, span: Span, rules: &Rules<'_>) {
        self.meters.retain(|factor, meter| {
            let listed = rules.outlet.factors.contains_key(factor);
            let silent_ms = span.end.since_ms(meter.at);
            meter.at >= span.start || (listed && silent_ms < FORGOTTEN_AFTER_MS)
        });
    }
}
