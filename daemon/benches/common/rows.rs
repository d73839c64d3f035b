//! An invented city's minutes.

use cems_core::model::{
    EnterpriseId, FactorCode, Flag, Number, OutletId, RecordKind, RecordRow, Seq, StoredValue,
    Timestamp, Value,
};
use cems_daemon::outbox::series::Owner;
use rust_decimal::Decimal;

/// Factors of an outlet.
pub(crate) const FACTORS: usize = 10;
/// 2026-11-20 00:00 at the site.
pub(crate) const BEGIN: Timestamp = Timestamp(1_795_104_000_000);

/// Records in the order in which a centre gets them: minute by minute, outlet by outlet.
pub(crate) struct Rows {
    pub(crate) records: Vec<Owned>,
}

/// A record and whose it is.
pub(crate) type Owned = (Owner, RecordRow);

impl Rows {
    pub(crate) fn new(outlets: usize, minutes: usize) -> Self {
        let records = (0..minutes)
            .flat_map(|minute| {
                (0..outlets).map(move |outlet| (owner(outlet), record(outlet, minute)))
            })
            .collect();
        Self { records }
    }

    pub(crate) fn values(&self) -> usize {
        self.records.iter().map(|(_, row)| row.values.len()).sum()
    }
}

pub(crate) fn outlet_id(n: usize) -> OutletId {
    OutletId::new(format!("outlet-{n:06}"))
}

pub(crate) fn owner(n: usize) -> Owner {
    Owner {
        enterprise: EnterpriseId::new(format!("enterprise-{:06}", n / 2)),
        region: "example-north".into(),
    }
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
