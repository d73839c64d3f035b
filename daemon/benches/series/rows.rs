//! An invented city's minutes.

use cems_core::model::{
    Enterprise, EnterpriseId, FactorCode, Flag, Number, Outlet, OutletId, RecordKind, RecordRow,
    Registry, Seq, StoredValue, Timestamp, Value,
};
use rust_decimal::Decimal;
use std::sync::Arc;

/// Factors of an outlet.
pub(crate) const FACTORS: usize = 10;
/// 2026-11-20 00:00 at the site.
const BEGIN: Timestamp = Timestamp(1_795_104_000_000);

/// Records in the order in which a centre gets them: minute by minute, outlet by outlet.
pub(crate) struct Rows {
    pub(crate) registry: Arc<Registry>,
    pub(crate) records: Vec<RecordRow>,
}

impl Rows {
    pub(crate) fn new(outlets: usize, minutes: usize) -> Self {
        let records = (0..minutes)
            .flat_map(|minute| (0..outlets).map(move |outlet| record(outlet, minute)))
            .collect();
        Self {
            registry: Arc::new(registry(outlets)),
            records,
        }
    }

    pub(crate) fn values(&self) -> usize {
        self.records.iter().map(|row| row.values.len()).sum()
    }

    /// What one of several workers does: the records of some of the outlets.
    pub(crate) fn share(&self, worker: usize, workers: usize) -> Vec<RecordRow> {
        let own = self.records.iter().skip(worker).step_by(workers);
        own.cloned().collect()
    }
}

fn outlet_id(n: usize) -> OutletId {
    OutletId::new(format!("outlet-{n:06}"))
}

fn registry(outlets: usize) -> Registry {
    let text = "[[region]]\nid = \"example-north\"\nname = \"示例\"\n\
         [[enterprise]]\nid = \"example-works\"\nname = \"示例\"\nregion = \"example-north\"\n\
         [[outlet]]\nid = \"o\"\nenterprise = \"example-works\"\nname = \"示例\"\n\
         medium = \"gas\"\nmn = \"o\"\nany_password = true\nprofile = \"hj75-2017\"\n\
         permit = \"示例\"\nauxiliary = [\"a19001\", \"a01012\"]\n\
         expect = { minute_min = 1 }\ngas = { area_m2 = 20, reference_o2_pct = 6 }\n\
         factor = [{ code = \"a21026\", range = 500, limit_hour = 50 }]\n";
    let mut city = cems_config::load_str(&[("bench.toml", text)])
        .unwrap_or_else(|problems| panic!("{problems}"))
        .registry;
    let stack = city.outlets.values().next().unwrap().clone();
    let works = city.enterprises.values().next().unwrap().clone();
    for n in 0..outlets {
        let enterprise = Enterprise {
            id: EnterpriseId::new(format!("enterprise-{:06}", n / 2)),
            ..works.clone()
        };
        let outlet = Outlet {
            id: outlet_id(n),
            enterprise: enterprise.id.clone(),
            ..stack.clone()
        };
        city.enterprises.insert(enterprise.id.clone(), enterprise);
        city.outlets.insert(outlet.id.clone(), outlet);
    }
    city
}

fn record(outlet: usize, minute: usize) -> RecordRow {
    let start = BEGIN.plus_ms(i64::try_from(minute).unwrap() * 60_000);
    let values = (0..FACTORS).map(|factor| {
        let seed = outlet * 7_919 + minute * 104_729 + factor * 1_299_709;
        let stored = value(factor, i64::try_from(seed).unwrap());
        (stored.value.factor.clone(), stored)
    });
    RecordRow {
        outlet: outlet_id(outlet),
        kind: RecordKind::Minute,
        start,
        resent: false,
        values: values.collect(),
    }
}

/// Avg, Min, Max, Cou, flag N: what a logger sends of a minute.
fn value(factor: usize, seed: i64) -> StoredValue {
    let number = |mantissa: i64, scale: u32| {
        let value = Decimal::new(mantissa, scale);
        let text = value.to_string().into();
        Some(Number { value, text })
    };
    let level = seed * 48_271 % 40_000 + 1_000;
    let value = Value {
        factor: FactorCode::new(format!("a{:05}", 21_000 + factor)),
        sent_as: None,
        rtd: None,
        avg: number(level, 3),
        min: number(level * 9 / 10, 3),
        max: number(level * 11 / 10, 3),
        cou: number(level * 81 + seed % 997, 6),
        converted: None,
        flag: Some(Flag(Flag::NORMAL.into())),
        unreadable: None,
    };
    StoredValue {
        value,
        valid: true,
        checks: Vec::new(),
        received_at: BEGIN,
        seq: Seq(1),
        superseded: 0,
    }
}
