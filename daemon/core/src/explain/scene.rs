//! What every part of an explanation has at hand.

use super::Versions;
use super::node::{Node, Rule};
use super::words;
use crate::aggregate::gather::Of;
use crate::engine::History;
use crate::model::{
    FactorCode, Level, Medium, Outlet, Period, Profile, Registry, Timestamp, UtcOffset,
};
use crate::validate::code;
use rust_decimal::Decimal;

/// One factor of one outlet, with the past and the rules.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) outlet: &'a Outlet,
    pub(super) factor: &'a FactorCode,
    pub(super) profile: &'a Profile,
    pub(super) offset: UtcOffset,
    pub(super) history: &'a dyn History,
    pub(super) versions: Option<&'a Versions<'a>>,
    pub(super) registry: &'a Registry,
}

impl<'a> Scene<'a> {
    pub(super) fn of(&self) -> Of<'a> {
        Of {
            outlet: self.outlet,
            profile: self.profile,
            offset: self.offset,
        }
    }

    /// The same under the profile that judged `period`: the one its row names, where the registry
    /// still has it.
    pub(super) fn under_profile_of(&self, period: Period) -> Self {
        let named = self.stored(period).map(|row| row.profile);
        let profile = named
            .and_then(|id| self.registry.profiles.get(&id))
            .or_else(|| self.registry.profile_at(self.outlet, period.start));
        Self {
            profile: profile.unwrap_or(self.profile),
            ..*self
        }
    }

    /// The row of `period` as it is kept.
    pub(super) fn stored(&self, period: Period) -> Option<crate::model::AggregateRow> {
        let until = period.start.plus_ms(1);
        let outlet = &self.outlet.id;
        self.history
            .aggregates(outlet, period.level, period.start, until)
            .pop()
    }

    pub(super) fn unit(&self) -> String {
        words::unit(self.outlet, self.factor)
    }

    pub(super) fn is_pollutant(&self) -> bool {
        let settings = self.outlet.factors.get(self.factor);
        settings.is_some_and(|f| f.pollutant)
    }

    pub(super) fn is_ph(&self) -> bool {
        self.factor.as_str() == code::PH
    }

    /// A flow, whose volume is a figure of its own.
    pub(super) fn is_flow(&self) -> bool {
        matches!(self.factor.as_str(), code::GAS_FLOW | code::WATER_FLOW)
    }

    /// A pollutant with a mass: not pH.
    pub(super) fn has_amount(&self) -> bool {
        self.is_pollutant() && !self.is_ph() && !self.is_flow()
    }

    /// Its means are weighted by the volume of water.
    pub(super) fn is_weighted(&self) -> bool {
        let settings = self.outlet.water.as_ref();
        self.outlet.medium == Medium::Water
            && settings.is_some_and(|water| water.weighted_mean)
            && self.has_amount()
    }

    /// An instant by the site's clock, `2026-11-22 10:05`; seconds where there are any.
    pub(super) fn instant(&self, at: Timestamp) -> String {
        let local = self.offset.local(at);
        let seconds = at.0.rem_euclid(60_000) != 0;
        let form = if seconds {
            "%Y-%m-%d %H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M"
        };
        local.format(form).to_string()
    }

    /// The time of day alone.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        let local = self.offset.local(at);
        let seconds = at.0.rem_euclid(60_000) != 0;
        let form = if seconds { "%H:%M:%S" } else { "%H:%M" };
        local.format(form).to_string()
    }

    /// From one instant to another.
    pub(super) fn span(&self, from: Timestamp, until: Timestamp) -> String {
        let same_day = self.offset.local(from).date() == self.offset.local(until).date();
        let end = if same_day {
            self.clock(until)
        } else {
            self.instant(until)
        };
        format!("{}–{end}", self.instant(from))
    }

    /// A period as labels name it.
    pub(super) fn period(&self, period: Period) -> String {
        let local = self.offset.local(period.start);
        match period.level {
            Level::Hour => {
                let end = self.clock(period.end(self.offset));
                let end = if end == "00:00" { "24:00" } else { &end };
                format!("{}–{end}", self.instant(period.start))
            }
            Level::Day => local.format("%Y-%m-%d").to_string(),
            Level::Month => local.format("%Y-%m").to_string(),
            Level::Year => local.format("%Y").to_string(),
        }
    }

    /// A label of the factor, of what it is, and of when.
    pub(super) fn title(&self, (zh, en): words::Words, when: &str) -> Node {
        self.title_of(&(zh.to_owned(), en.to_owned()), when)
    }

    /// The same, with words put together.
    pub(super) fn title_of(&self, (zh, en): &(String, String), when: &str) -> Node {
        let (name_zh, name_en) = words::factor(self.outlet, self.factor);
        Node::new(
            format!("{name_zh} {zh} {when}"),
            format!("{name_en}, {en} {when}"),
        )
    }

    /// An entry of the profile.
    pub(super) fn rule(&self, key: &str, value: &dyn std::fmt::Display) -> Rule {
        rule(self.profile, key, value)
    }

    /// The periods of the shorter level within `period`, ascending, whether or not they have rows.
    pub(super) fn shorter(&self, period: Period, below: Level) -> Vec<Period> {
        let end = period.end(self.offset);
        let mut all = Vec::new();
        let mut next = Period {
            level: below,
            start: period.start,
        };
        while next.start < end {
            let after = next.end(self.offset);
            all.push(next);
            if after <= next.start {
                break;
            }
            next.start = after;
        }
        all
    }
}

/// An entry of a profile with where it was read. A key `a.b.c` without an entry of its own has that
/// of `a.b`, else of `a`, else the source of the profile.
fn rule(profile: &Profile, key: &str, value: &dyn std::fmt::Display) -> Rule {
    let mut part = key;
    let found = loop {
        if let Some(found) = profile.provenance.get(part) {
            break Some(found);
        }
        match part.rsplit_once('.') {
            Some((shorter, _)) => part = shorter,
            None => break None,
        }
    };
    Rule {
        key: key.into(),
        value: value.to_string(),
        source: found.map_or_else(|| profile.source.clone(), |found| found.source.clone()),
        sure: found.map(|found| found.sure),
    }
}

/// `a + b`, or `a − |b|` for a negative one.
pub(super) fn plus(a: Decimal, b: Decimal) -> String {
    let (sign, b) = if b.is_sign_negative() {
        ('−', -b)
    } else {
        ('+', b)
    };
    format!("{} {sign} {}", a.normalize(), b.normalize())
}
