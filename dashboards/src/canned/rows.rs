//! Fictional readings: smooth, repeatable, without a clock or a random source.

use super::registry::{PROFILE, dec};
use crate::backend::{OutletState, OutletSummary};
use cems_core::model::record::{Flag, Number, Value};
use cems_core::model::rows::{AggregateOrigin, DeviceRow, Habits, LatestRow};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use cems_core::model::{
    AggregateRow, CheckCode, FactorAggregate, FactorCode, Level, LimitVerdict, Medium, Outlet,
    OutletFactor, Period, ProfileId, RecordKind, RecordRow, Registry, Seq, StoredValue, Timestamp,
    UtcOffset,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// 2026-03-18 14:32:10 +08:00: when it is in this fiction.
pub(super) const NOW: Timestamp = Timestamp(1_773_815_530_000);

/// Milliseconds between two minute records.
const STEP_MS: i64 = 10 * MINUTE_MS;

/// State of an outlet in this fiction.
pub(super) fn state(id: &str) -> OutletState {
    match id {
        "qs-01" => OutletState::Exceeding,
        "hy-01" => OutletState::Silent,
        "yt-01" => OutletState::Fallback,
        "bl-01" => OutletState::Invalid,
        "hy-02" => OutletState::Stopped,
        "bl-02" => OutletState::Waiting,
        _ => OutletState::Normal,
    }
}

/// When the last value came.
pub(super) fn last_seen(id: &str) -> Option<Timestamp> {
    match state(id) {
        OutletState::Silent => Some(NOW.plus_ms(-(2 * HOUR_MS + 18 * MINUTE_MS))),
        OutletState::Fallback => Some(NOW.plus_ms(-40 * SECOND_MS)),
        OutletState::Waiting => None,
        _ => Some(NOW.plus_ms(-12 * SECOND_MS)),
    }
}

/// Flag with which an outlet's values come at `at`.
pub(super) fn flag(id: &str, at: Timestamp) -> &'static str {
    let ago = NOW.since_ms(at);
    match state(id) {
        OutletState::Fallback if ago < 9 * HOUR_MS => "D",
        OutletState::Invalid if ago < 35 * MINUTE_MS => "C",
        OutletState::Stopped => "F",
        _ => "N",
    }
}

/// A wave between -1000 and 1000 with a period of `period_ms`, of straight lines.
fn wave(at: Timestamp, period_ms: i64, shift: i64) -> i64 {
    let phase = (at.0 + shift).rem_euclid(period_ms) * 4_000 / period_ms;
    match phase {
        0..=999 => phase,
        1_000..=2_999 => 2_000 - phase,
        _ => phase - 4_000,
    }
}

/// Something that looks like noise, between -500 and 499.
fn noise(at: Timestamp, salt: i64) -> i64 {
    let mixed = (at.0 / MINUTE_MS + salt)
        .wrapping_mul(2_654_435_761)
        .rem_euclid(65_521);
    (mixed.wrapping_mul(mixed) + salt).rem_euclid(1_000) - 500
}

fn salt(outlet: &Outlet, factor: &OutletFactor) -> i64 {
    let text = format!("{}{}", outlet.id, factor.code);
    text.bytes()
        .fold(7, |sum, b| sum * 31 % 99_991 + i64::from(b))
}

/// The value of a factor at an instant, in thousandths of what is usual for it.
pub(super) fn value_at(outlet: &Outlet, factor: &OutletFactor, at: Timestamp) -> Decimal {
    let salt = salt(outlet, factor);
    let usual = match factor.code.as_str() {
        "a34013" => "4.2",
        "a21026" => "17.5",
        "a21002" => "31",
        "a19001" => "7.8",
        "a01012" => "58",
        "a01011" => "11.4",
        "w01001" => "7.4",
        "w01018" => "27",
        "w21003" => "1.35",
        "w21011" => "0.21",
        "w21001" => "8.6",
        "w00000" => "42",
        _ => "1",
    };
    // pH swings less than everything else.
    let (swing, shiver) = if factor.code.as_str() == "w01001" {
        (30, 8)
    } else {
        (140, 60)
    };
    let mut thousandths = 1_000
        + wave(at, 7 * HOUR_MS, salt * SECOND_MS) * swing / 1_000
        + noise(at, salt) * shiver / 500;
    // The exceedance: nitrogen oxides of the first boiler climb from eleven o'clock on.
    let since = 3 * HOUR_MS + 32 * MINUTE_MS;
    let ago = NOW.since_ms(at);
    if outlet.id.as_str() == "qs-01" && factor.code.as_str() == "a21002" && ago < since {
        thousandths += (since - ago).min(90 * MINUTE_MS) * 900 / (90 * MINUTE_MS);
    }
    let value = dec(usual) * Decimal::new(thousandths, 3);
    value.round_dp(factor.decimals + 1)
}

/// Conversion of this fiction: oxygen of 7.8 % against 6 %.
fn converted(outlet: &Outlet, factor: &OutletFactor, value: Decimal) -> Option<Decimal> {
    (outlet.medium == Medium::Gas && factor.pollutant)
        .then(|| (value * dec("15") / dec("13.2")).round_dp(factor.decimals + 1))
}

fn valid(id: &str, flag: &str) -> bool {
    flag == "N" && state(id) != OutletState::Waiting
}

/// True when something came from the outlet for this instant.
fn came(id: &str, at: Timestamp) -> bool {
    last_seen(id).is_some_and(|last| at <= last)
}

fn seq_at(at: Timestamp) -> Seq {
    let minutes = (at.0 - NOW.0) / MINUTE_MS;
    Seq(u64::try_from(184_200 + minutes).unwrap_or(1))
}

/// Latest values of an outlet.
pub(super) fn latest(outlet: &Outlet) -> Vec<LatestRow> {
    let Some(last) = last_seen(outlet.id.as_str()) else {
        return Vec::new();
    };
    let start = Timestamp(last.0 / (30 * SECOND_MS) * (30 * SECOND_MS));
    let flag = flag(outlet.id.as_str(), start);
    let rows = outlet.factors.values().map(|factor| {
        let value = value_at(outlet, factor, start);
        LatestRow {
            outlet: outlet.id.clone(),
            factor: factor.code.clone(),
            kind: RecordKind::Realtime,
            start,
            value: (flag != "F").then_some(value),
            converted: converted(outlet, factor, value).filter(|_| flag != "F"),
            flag: Some(SmolStr::new(flag)),
            valid: valid(outlet.id.as_str(), flag),
            received_at: last,
            seq: seq_at(last),
        }
    });
    rows.collect()
}

fn stored(outlet: &Outlet, factor: &OutletFactor, kind: RecordKind, at: Timestamp) -> StoredValue {
    let number = |value: Decimal| Number {
        value,
        text: SmolStr::new(value.to_string()),
    };
    let value = value_at(outlet, factor, at);
    let flag = flag(outlet.id.as_str(), at);
    let valid = valid(outlet.id.as_str(), flag);
    let realtime = kind == RecordKind::Realtime;
    StoredValue {
        value: Value {
            factor: factor.code.clone(),
            sent_as: None,
            rtd: realtime.then(|| number(value)),
            avg: (!realtime).then(|| number(value)),
            min: None,
            max: None,
            cou: None,
            converted: converted(outlet, factor, value).map(number),
            flag: Some(Flag(SmolStr::new(flag))),
            unreadable: None,
        },
        valid,
        checks: if valid {
            Vec::new()
        } else {
            vec![CheckCode(SmolStr::new("flag"))]
        },
        received_at: at.plus_ms(15 * SECOND_MS),
        seq: seq_at(at),
        superseded: 0,
    }
}

/// Records of an outlet, one every ten minutes whatever the kind.
pub(super) fn records(
    outlet: &Outlet,
    kind: RecordKind,
    from: Timestamp,
    until: Timestamp,
) -> Vec<RecordRow> {
    let mut rows = Vec::new();
    let mut at = Timestamp((from.0 + STEP_MS - 1).div_euclid(STEP_MS) * STEP_MS);
    while at < until && came(outlet.id.as_str(), at) {
        let values = outlet.factors.values();
        rows.push(RecordRow {
            outlet: outlet.id.clone(),
            kind,
            start: at,
            resent: false,
            values: values
                .map(|f| (f.code.clone(), stored(outlet, f, kind, at)))
                .collect(),
        });
        at = at.plus_ms(STEP_MS);
    }
    rows
}

/// One hour of one factor.
fn hour_factor(outlet: &Outlet, factor: &OutletFactor, start: Timestamp) -> FactorAggregate {
    let steps: Vec<Timestamp> = (0..6).map(|n| start.plus_ms(n * STEP_MS)).collect();
    let flag = flag(outlet.id.as_str(), start);
    let mut due = 0;
    let mut values = Vec::new();
    for at in steps {
        if at < NOW {
            due += 10;
        }
        if came(outlet.id.as_str(), at) && valid(outlet.id.as_str(), flag) {
            values.push(value_at(outlet, factor, at));
        }
    }
    let units = u32::try_from(values.len()).unwrap_or(0) * 10;
    let sum: Decimal = values.iter().copied().sum();
    let mean = (!values.is_empty()).then(|| sum / Decimal::from(values.len()));
    let converted = mean.and_then(|mean| converted(outlet, factor, mean));
    let valid = units >= 45;
    let limits = factor.limits.iter().filter_map(|limit| {
        let judged = converted
            .or(mean)
            .filter(|_| valid)?
            .round_dp(factor.decimals);
        let bound = limit.upper?;
        (outlet.medium == Medium::Gas).then(|| LimitVerdict {
            limit: limit.id.clone(),
            judged,
            bound,
            exceeded: judged > bound,
            multiple: Some((judged / bound - Decimal::ONE).round_dp(3)),
        })
    });
    let volume = volume(outlet);
    FactorAggregate {
        mean: mean.map(|m| m.round_dp(factor.decimals + 2)),
        converted,
        min: values.iter().min().copied(),
        max: values.iter().max().copied(),
        amount_kg: mean
            .filter(|_| factor.pollutant && factor.code.as_str() != "w01001")
            .map(|mean| (mean * volume * factor.kg_per_unit_m3).round_dp(6)),
        valid,
        valid_units: units,
        due_units: due,
        stopped_units: if flag == "F" { due } else { 0 },
        limits: limits.collect(),
        ..FactorAggregate::default()
    }
}

fn volume(outlet: &Outlet) -> Decimal {
    match outlet.medium {
        Medium::Gas => dec("412350"),
        Medium::Water => dec("151.2"),
    }
}

fn hour(outlet: &Outlet, start: Timestamp) -> AggregateRow {
    let factors: BTreeMap<FactorCode, FactorAggregate> = outlet
        .factors
        .values()
        .map(|f| (f.code.clone(), hour_factor(outlet, f, start)))
        .collect();
    AggregateRow {
        outlet: outlet.id.clone(),
        level: Level::Hour,
        start,
        origin: AggregateOrigin::Computed,
        complete: start.plus_ms(HOUR_MS) <= NOW,
        volume_m3: Some(volume(outlet)),
        factors,
        profile: ProfileId::new(PROFILE),
        received: 60,
        due: 60,
        seq: seq_at(start.plus_ms(HOUR_MS)),
        superseded: 0,
    }
}

/// Aggregates of an outlet. Longer levels repeat the last hour of each period: enough to show.
pub(super) fn aggregates(
    outlet: &Outlet,
    level: Level,
    from: Timestamp,
    until: Timestamp,
) -> Vec<AggregateRow> {
    let offset = UtcOffset::default();
    let mut rows = Vec::new();
    let earliest = NOW.plus_ms(-40 * DAY_MS);
    let mut period = Period::containing(level, from.max(earliest), offset);
    while period.start < until && period.start < NOW && last_seen(outlet.id.as_str()).is_some() {
        if period.start >= from {
            let last = period
                .end(offset)
                .plus_ms(-HOUR_MS)
                .min(NOW.plus_ms(-2 * HOUR_MS));
            let start = if level == Level::Hour {
                period.start
            } else {
                last
            };
            rows.push(AggregateRow {
                level,
                start: period.start,
                complete: period.end(offset) <= NOW,
                ..hour(outlet, start)
            });
        }
        period.start = period.end(offset);
    }
    rows
}

/// Habits of a logger: the old ones are careless, the newest one encrypts.
fn habits(edition: &str) -> Habits {
    let code = |code: &str| Some(SmolStr::new(code));
    let usual = Habits {
        crc: code("hj212"),
        line_end: code("crlf"),
        encoding: code("utf-8"),
        length: code("right"),
        case: code("standard"),
        wants_answer: Some(true),
        reads_answers: Some(true),
        sets_clock: Some(true),
        encryption: code("none"),
        clock_offset_s: Some(-2),
    };
    match edition {
        "2005" => Habits {
            crc: code("modbus"),
            line_end: code("none"),
            encoding: code("gbk"),
            length: code("unpadded"),
            case: code("other"),
            wants_answer: Some(false),
            reads_answers: None,
            sets_clock: Some(false),
            clock_offset_s: Some(754),
            ..usual
        },
        "2025" => Habits {
            encoding: None,
            encryption: code("raw"),
            clock_offset_s: Some(0),
            ..usual
        },
        _ => usual,
    }
}

/// The logger of an outlet.
pub(super) fn device(outlet: &Outlet) -> Option<DeviceRow> {
    let last_seen = last_seen(outlet.id.as_str())?;
    let edition = match outlet.mn.as_str() {
        mn if mn.contains("2005") => "2005",
        mn if mn.contains("2025") => "2025",
        _ => "2017",
    };
    let findings = [("crc-modbus", 12_u64), ("crc-lowercase", 3), ("no-crlf", 1)];
    Some(DeviceRow {
        mn: SmolStr::new(outlet.mn.as_str()),
        outlet: Some(outlet.id.clone()),
        peer: SmolStr::new("192.0.2.17:50412"),
        edition: SmolStr::new(edition),
        first_seen: NOW.plus_ms(-36 * DAY_MS),
        last_seen,
        frames: 112_408,
        duplicates: 37,
        findings: findings.map(|(code, n)| (SmolStr::new(code), n)).into(),
        habits: habits(edition),
    })
}

/// An outlet's summary without its alarms.
pub(super) fn summary(registry: &Registry, outlet: &Outlet) -> Option<OutletSummary> {
    let last_hour = Period::containing(Level::Hour, NOW.plus_ms(-HOUR_MS), registry.offset);
    Some(OutletSummary {
        outlet: outlet.clone(),
        enterprise: registry.enterprises.get(&outlet.enterprise)?.clone(),
        state: state(outlet.id.as_str()),
        last_seen: last_seen(outlet.id.as_str()),
        latest: latest(outlet),
        last_hour: last_seen(outlet.id.as_str()).map(|_| hour(outlet, last_hour.start)),
        open_alarms: 0,
    })
}
