//! What templates show: plain texts in the language of the page, made from the backend's rows.

pub(crate) mod alarm;
pub(crate) mod amounts;
pub(crate) mod bar;
pub(crate) mod compliance;
pub(crate) mod desk;
pub(crate) mod destinations;
pub(crate) mod duty;
pub(crate) mod exchange;
pub(crate) mod explain;
pub(crate) mod fallback;
pub(crate) mod habits;
pub(crate) mod judged;
pub(crate) mod outlet;
pub(crate) mod post;
pub(crate) mod receipts;
pub(crate) mod reckoned;
pub(crate) mod section;
pub(crate) mod shell;
pub(crate) mod sourced;
pub(crate) mod station;

use crate::format::{DECIMALS_UNKNOWN, Times};
use crate::text::Words;
use cems_core::model::{
    Enterprise, FactorCode, Limit, LimitPeriod, Outlet, OutletFactor, OutletId, Registry, Timestamp,
};

/// The eyes of one page: language, clock and registry.
#[derive(Clone, Copy)]
pub(crate) struct Eyes<'a> {
    pub(crate) words: Words,
    pub(crate) times: Times,
    pub(crate) registry: &'a Registry,
}

impl<'a> Eyes<'a> {
    pub(crate) fn outlet_name(&self, outlet: &'a Outlet) -> &'a str {
        self.words.pick(&outlet.name, outlet.name_en.as_deref())
    }

    pub(crate) fn enterprise_name(&self, enterprise: &'a Enterprise) -> &'a str {
        self.words
            .pick(&enterprise.name, enterprise.name_en.as_deref())
    }

    /// Name of the enterprise of an outlet; its id when the registry has lost it.
    pub(crate) fn enterprise_of(&self, outlet: &'a Outlet) -> &'a str {
        self.registry
            .enterprises
            .get(&outlet.enterprise)
            .map_or(outlet.enterprise.as_str(), |e| self.enterprise_name(e))
    }

    /// Enterprise and name of an outlet; its id when the registry has lost it.
    pub(crate) fn outlet_words(&self, id: &OutletId) -> String {
        self.registry.outlets.get(id).map_or_else(
            || id.to_string(),
            |o| format!("{} · {}", self.enterprise_of(o), self.outlet_name(o)),
        )
    }

    /// Name, unit and decimals of a factor at an outlet.
    pub(crate) fn factor(&self, outlet: Option<&'a Outlet>, code: &FactorCode) -> FactorWords {
        outlet.and_then(|o| o.factors.get(code)).map_or_else(
            || FactorWords {
                name: code.to_string(),
                unit: String::new(),
                decimals: DECIMALS_UNKNOWN,
            },
            |f| FactorWords {
                name: self.words.pick(&f.name_zh, Some(&f.name_en)).to_owned(),
                unit: crate::format::unit(&f.unit).to_owned(),
                decimals: f.decimals,
            },
        )
    }
}

/// How a factor is written.
#[derive(Debug, Clone)]
pub(crate) struct FactorWords {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) decimals: u32,
}

/// The limits of `factor` in force at `at` for means of `period`.
pub(crate) fn limits_at(
    factor: &OutletFactor,
    period: LimitPeriod,
    at: Timestamp,
) -> impl Iterator<Item = &Limit> {
    factor.limits.iter().filter(move |limit| {
        limit.period == period
            && limit.from.is_none_or(|from| from <= at)
            && limit.until.is_none_or(|until| at < until)
    })
}

/// The limit a current value is held against on a page: the strictest hour limit in force, else
/// the strictest day limit.
pub(crate) fn shown_limit(factor: &OutletFactor, at: Timestamp) -> Option<&Limit> {
    [LimitPeriod::Hour, LimitPeriod::Day]
        .into_iter()
        .find_map(|period| {
            limits_at(factor, period, at).min_by_key(|l| (l.upper.is_none(), l.upper))
        })
}
