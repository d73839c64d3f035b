//! Instruments and uplinks, in words.

use super::Eyes;
use super::outlet::outlet_link;
use crate::backend::{InstrumentStatus, UplinkStatus};
use crate::format::NONE;
use cems_core::model::{Flag, Timestamp};

/// Something that happened: how long ago, when exactly.
pub(crate) struct Moment {
    pub(crate) ago: String,
    pub(crate) full: String,
}

/// A trouble: what, how long ago, when exactly.
pub(crate) struct Trouble {
    pub(crate) text: String,
    pub(crate) at: Moment,
}

/// One factor of an instrument.
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) unit: String,
    pub(crate) flag: String,
    /// Empty for a normal value, else the flag in words.
    pub(crate) flaw: String,
}

/// An instrument.
pub(crate) struct InstrumentItem {
    pub(crate) id: String,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) bus: String,
    pub(crate) map: String,
    pub(crate) ok: bool,
    pub(crate) last_ok: Option<Moment>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) polls: u64,
    pub(crate) failures: u64,
    pub(crate) readings: Vec<Reading>,
}

/// A centre.
pub(crate) struct UplinkItem {
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) edition: String,
    pub(crate) connected: bool,
    pub(crate) pending: u64,
    pub(crate) oldest: Option<Moment>,
    pub(crate) last_acknowledged: Option<Moment>,
    pub(crate) acknowledged: u64,
    pub(crate) trouble: Option<Trouble>,
}

pub(crate) fn moment(eyes: &Eyes<'_>, at: Timestamp) -> Moment {
    Moment {
        ago: eyes.words.with("ago", &[("span", &eyes.times.ago(at))]),
        full: eyes.times.full(at),
    }
}

pub(crate) fn trouble(eyes: &Eyes<'_>, row: Option<&(Timestamp, String)>) -> Option<Trouble> {
    row.map(|(at, text)| Trouble {
        text: text.clone(),
        at: moment(eyes, *at),
    })
}

impl InstrumentItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &InstrumentStatus) -> Self {
        let outlet = eyes.registry.outlets.get(&row.outlet);
        let readings = row.readings.iter().map(|(code, value, flag)| {
            let factor = eyes.factor(outlet, code);
            let none = value.is_empty();
            Reading {
                name: factor.name,
                value: if none { NONE.to_owned() } else { value.clone() },
                unit: if none { String::new() } else { factor.unit },
                flaw: if flag == Flag::NORMAL {
                    String::new()
                } else {
                    eyes.words.code("flag", flag)
                },
                flag: flag.clone(),
            }
        });
        Self {
            id: row.id.clone(),
            outlet: outlet.map_or_else(
                || row.outlet.to_string(),
                |o| eyes.outlet_name(o).to_owned(),
            ),
            outlet_link: outlet_link(row.outlet.as_str()),
            bus: row.bus.clone(),
            map: row.map.clone(),
            ok: row.ok,
            last_ok: row.last_ok.map(|at| moment(eyes, at)),
            trouble: trouble(eyes, row.last_error.as_ref()),
            polls: row.polls,
            failures: row.failures,
            readings: readings.collect(),
        }
    }
}

impl UplinkItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &UplinkStatus) -> Self {
        Self {
            id: row.id.clone(),
            address: row.address.clone(),
            edition: row.edition.clone(),
            connected: row.connected,
            pending: row.pending,
            oldest: row.oldest_pending.map(|at| moment(eyes, at)),
            last_acknowledged: row.last_acknowledged.map(|at| moment(eyes, at)),
            acknowledged: row.acknowledged,
            trouble: trouble(eyes, row.last_error.as_ref()),
        }
    }
}
