//! What goes to destinations: a row of the projections as it stands, with a key and its place.

use cems_core::model::rows::AuditRow;
use cems_core::model::{
    AggregateRow, AlarmRow, EnterpriseId, FactorCode, Medium, OutletId, RecordRow, RegionId,
    Registry, Seq, Series, Timestamp,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Which thing a parcel holds: the same thing sent again has the same key. Ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A record or an aggregate; sent again when it was corrected.
    Row {
        /// Whose.
        outlet: OutletId,
        /// Which series.
        what: Series,
        /// Start of its interval or period.
        start: Timestamp,
    },
    /// An event.
    Event {
        /// Journal position.
        seq: Seq,
        /// Ordinal within the event.
        n: u32,
    },
}

impl Key {
    /// The key that a text of [`Display`](fmt::Display) stands for.
    pub fn parse(text: &str) -> Option<Self> {
        let event = text.strip_prefix("event/");
        if let Some((seq, n)) = event.and_then(|rest| rest.split_once('.')) {
            return Some(Self::Event {
                seq: Seq(seq.parse().ok()?),
                n: n.parse().ok()?,
            });
        }
        let mut parts = text.rsplitn(3, '/');
        let (start, what, outlet) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self::Row {
            outlet: OutletId::new(outlet),
            what: Series::named(what)?,
            start: Timestamp(start.parse().ok()?),
        })
    }
}

/// `jia-1/minute/1773815520000`, `event/812.3`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row {
                outlet,
                what,
                start,
            } => write!(f, "{outlet}/{}/{}", what.as_str(), start.0),
            Self::Event { seq, n } => write!(f, "event/{}.{n}", seq.0),
        }
    }
}

/// Where a thing belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Outlet.
    pub outlet: OutletId,
    /// Its name.
    pub name: String,
    /// Gas or water.
    pub medium: Medium,
    /// Its enterprise.
    pub enterprise: EnterpriseId,
    /// The region of that.
    pub region: RegionId,
    /// Units of its factors, as the registry keeps them.
    pub units: BTreeMap<FactorCode, String>,
}

impl Place {
    /// Where an outlet of the registry is.
    pub fn of(registry: &Registry, outlet: &OutletId) -> Option<Self> {
        let outlet = registry.outlets.get(outlet)?;
        let enterprise = registry.enterprises.get(&outlet.enterprise)?;
        Some(Self {
            outlet: outlet.id.clone(),
            name: outlet.name.clone(),
            medium: outlet.medium,
            enterprise: outlet.enterprise.clone(),
            region: enterprise.region.clone(),
            units: outlet
                .factors
                .iter()
                .map(|(code, factor)| (code.clone(), factor.unit.clone()))
                .collect(),
        })
    }
}

/// What a parcel holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A record as it stands.
    Record(RecordRow),
    /// A complete aggregate as it stands.
    Aggregate(AggregateRow),
    /// A line of the audit trail, and the alarm it speaks of as it stands.
    Event(AuditRow, Option<Box<AlarmRow>>),
}

/// One thing on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// Which one.
    pub key: Key,
    /// Where it belongs; `None` for events of no single outlet.
    pub place: Option<Arc<Place>>,
    /// What it is.
    pub item: Item,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text() {
        for series in Series::ALL {
            let key = Key::Row {
                outlet: OutletId::new("jia-1"),
                what: series,
                start: Timestamp(-5),
            };
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        let key = Key::Event {
            seq: Seq(812),
            n: 3,
        };
        assert_eq!(key.to_string(), "event/812.3");
        assert_eq!(Key::parse("event/812.3"), Some(key));
        for wrong in ["", "event/812", "jia-1/week/5", "jia-1/minute/x", "5"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }
}
