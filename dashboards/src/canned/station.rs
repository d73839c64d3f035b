//! A fictional station side: instruments that answer and one that does not, uplinks likewise.

use super::rows::NOW;
use crate::backend::{InstrumentStatus, StationStatus, UplinkStatus};
use cems_core::model::time::{MINUTE_MS, SECOND_MS};
use cems_core::model::{FactorCode, OutletId};

fn readings(rows: &[(&str, &str, &str)]) -> Vec<(FactorCode, String, String)> {
    let rows = rows.iter().map(|(factor, value, flag)| {
        (
            FactorCode::new(*factor),
            (*value).to_owned(),
            (*flag).to_owned(),
        )
    });
    rows.collect()
}

fn instrument(id: &str, bus: &str, map: &str) -> InstrumentStatus {
    InstrumentStatus {
        id: id.to_owned(),
        outlet: OutletId::new("qs-01"),
        bus: bus.to_owned(),
        map: map.to_owned(),
        ok: true,
        last_ok: Some(NOW.plus_ms(-3 * SECOND_MS)),
        last_error: None,
        polls: 51_840,
        failures: 0,
        readings: Vec::new(),
    }
}

/// The status of this fiction.
pub(super) fn station() -> StationStatus {
    let gas = InstrumentStatus {
        readings: readings(&[
            ("a21026", "17.43", "N"),
            ("a21002", "58.91", "N"),
            ("a19001", "7.80", "N"),
        ]),
        failures: 2,
        last_error: Some((
            NOW.plus_ms(-95 * MINUTE_MS),
            "no answer within 1000 ms from unit 1".to_owned(),
        )),
        ..instrument("gas-1", "rs485-1", "extractive-gas")
    };
    let dust = InstrumentStatus {
        outlet: OutletId::new("qs-02"),
        readings: readings(&[("a34013", "4.12", "C")]),
        ..instrument("dust-2", "tcp-dust", "scatter-dust")
    };
    let flow = InstrumentStatus {
        ok: false,
        last_ok: Some(NOW.plus_ms(-48 * MINUTE_MS)),
        last_error: Some((
            NOW.plus_ms(-2 * SECOND_MS),
            "unit 7: answer of 7 bytes where 9 were expected".to_owned(),
        )),
        failures: 576,
        readings: readings(&[("a01011", "", "B"), ("a01012", "", "B")]),
        ..instrument("flow-1", "rs485-1", "pitot-flow")
    };
    let uplink = UplinkStatus {
        id: "city".to_owned(),
        address: "192.0.2.80:9003".to_owned(),
        edition: "2017".to_owned(),
        connected: false,
        pending: 1_284,
        oldest_pending: Some(NOW.plus_ms(-64 * MINUTE_MS)),
        last_acknowledged: Some(NOW.plus_ms(-64 * MINUTE_MS)),
        acknowledged: 203_118,
        last_error: Some((
            NOW.plus_ms(-20 * SECOND_MS),
            "connect 192.0.2.80:9003: connection refused".to_owned(),
        )),
    };
    StationStatus {
        instruments: vec![dust, flow, gas],
        uplinks: vec![
            uplink,
            UplinkStatus {
                id: "province".to_owned(),
                address: "198.51.100.10:9025".to_owned(),
                edition: "2025".to_owned(),
                connected: true,
                pending: 1,
                oldest_pending: Some(NOW.plus_ms(-SECOND_MS)),
                last_acknowledged: Some(NOW.plus_ms(-SECOND_MS)),
                acknowledged: 204_402,
                last_error: None,
            },
        ],
    }
}
