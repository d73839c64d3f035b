//! Where data and events go, checked.

use super::{Broker, Secret};
use cems_core::model::{EnterpriseId, Outlet, OutletId, RegionId, Registry, Series};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Most destinations: each has a task and a batch in memory of its own.
pub const DESTINATIONS_MAX: usize = 16;

/// One place that data and events go to.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Its name: letters, digits, `-`, `_`, `.`.
    pub id: SmolStr,
    /// Whose data and events it gets.
    pub filter: OutletFilter,
    /// Which series it gets, as in [`Series::ALL`].
    pub series: Vec<Series>,
    /// Whether it gets events: the lines of the audit trail.
    pub events: bool,
    /// What was due longer ago than this many days is not sent any more unless somebody asks for
    /// it.
    pub give_up_after_days: u32,
    /// How it is reached.
    pub means: DestinationMeans,
}

/// Outlets, named in any of three ways; nothing named: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutletFilter {
    /// By themselves.
    pub outlets: BTreeSet<OutletId>,
    /// By enterprise.
    pub enterprises: BTreeSet<EnterpriseId>,
    /// By region.
    pub regions: BTreeSet<RegionId>,
}

impl OutletFilter {
    /// Whether everything passes, also what belongs to no outlet.
    pub fn is_all(&self) -> bool {
        self.outlets.is_empty() && self.enterprises.is_empty() && self.regions.is_empty()
    }

    /// Whether an outlet passes.
    pub fn takes(&self, outlet: &Outlet, registry: &Registry) -> bool {
        let region = registry
            .enterprises
            .get(&outlet.enterprise)
            .map(|enterprise| &enterprise.region);
        self.is_all()
            || self.outlets.contains(&outlet.id)
            || self.enterprises.contains(&outlet.enterprise)
            || region.is_some_and(|region| self.regions.contains(region))
    }
}

/// Kinds of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DestinationKind {
    /// A database of series that takes the InfluxDB v2 write protocol.
    Influx,
    /// An MQTT broker.
    Mqtt,
}

impl DestinationKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Influx, Self::Mqtt];

    /// Its name in files and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Influx => "influx",
            Self::Mqtt => "mqtt",
        }
    }
}

/// How a destination is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum DestinationMeans {
    /// The InfluxDB v2 write protocol.
    Influx(InfluxServer),
    /// MQTT 3.1.1, quality of service 1.
    Mqtt(Broker),
}

impl DestinationMeans {
    /// The kind of destination.
    pub fn kind(&self) -> DestinationKind {
        match self {
            Self::Influx(_) => DestinationKind::Influx,
            Self::Mqtt(_) => DestinationKind::Mqtt,
        }
    }

    /// Certificates in PEM that it uses: those it shows, and the authorities it trusts in place of
    /// the public ones.
    pub fn certificates(&self) -> Vec<&str> {
        match self {
            Self::Influx(server) => server.ca.as_deref().into_iter().collect(),
            Self::Mqtt(broker) => broker.certificates(),
        }
    }
}

/// What a server does with a second point of a series at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corrections {
    /// It replaces the first (InfluxDB, GreptimeDB).
    Replace,
    /// It keeps both and shows either (VictoriaMetrics). There a value or mean stands a
    /// millisecond late, and another one for each time it was corrected; the server is told to
    /// show the last of a second. Times of received records are whole seconds, so the
    /// milliseconds are free.
    Later,
}

/// A server that takes the InfluxDB v2 write protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct InfluxServer {
    /// Its root, such as `https://influx.example:8086`, without a slash at the end.
    pub url: SmolStr,
    /// Organisation; empty where the server knows none.
    pub org: SmolStr,
    /// Bucket.
    pub bucket: SmolStr,
    /// Token of the API; `None` where the server asks for none.
    pub token: Option<Secret<String>>,
    /// Authorities trusted instead of the public ones, PEM.
    pub ca: Option<String>,
    /// Lines in one request at most.
    pub batch_lines: u32,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// What it does with a value that is corrected.
    pub corrections: Corrections,
}
