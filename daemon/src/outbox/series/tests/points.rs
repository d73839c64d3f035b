//! What a record and an aggregate look like as lines.

use super::super::{Batch, Lines, Owner};
use cems_config::Corrections;
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::{
    AggregateRow, FactorAggregate, FactorCode, Flag, Level, LimitVerdict, Number, OutletId,
    RecordKind, RecordRow, Seq, StoredValue, Timestamp, Value,
};
use rust_decimal::Decimal;

/// 2026-11-20 08:01 at the site.
pub(super) const AT: Timestamp = Timestamp(1_795_132_860_000);

pub(super) fn owner() -> Owner {
    Owner {
        enterprise: "jia".into(),
        region: "qiaobei".into(),
    }
}

pub(super) fn lines() -> Lines {
    Lines::new(Corrections::Replace)
}

fn number(text: &str) -> Option<Number> {
    Some(Number {
        value: decimal(text),
        text: text.into(),
    })
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(super) fn value(factor: &str, avg: &str, flag: Option<&str>) -> (FactorCode, StoredValue) {
    let code = FactorCode::new(factor);
    let value = Value {
        factor: code.clone(),
        sent_as: None,
        rtd: None,
        avg: number(avg),
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: flag.map(|flag| Flag(flag.into())),
        unreadable: None,
    };
    let stored = StoredValue {
        value,
        valid: flag != Some("D"),
        checks: Vec::new(),
        received_at: AT,
        seq: Seq(7),
        superseded: 0,
    };
    (code, stored)
}

pub(super) fn record(
    outlet: &str,
    values: impl IntoIterator<Item = (FactorCode, StoredValue)>,
) -> RecordRow {
    RecordRow {
        outlet: OutletId::new(outlet),
        kind: RecordKind::Minute,
        start: AT,
        resent: false,
        values: values.into_iter().collect(),
    }
}

fn text(batch: &Batch) -> &str {
    std::str::from_utf8(batch.text(0..batch.len())).unwrap()
}

#[test]
fn a_record_is_a_line_a_factor_and_a_flag_is_its_place() {
    let mut full = value("a21026", "12.50", Some("N"));
    full.1.value.rtd = number("99");
    full.1.value.min = number("0");
    full.1.value.max = number("-0.5");
    full.1.value.cou = number("1234567.890");
    full.1.value.converted = number("15.0");
    let mut instant = value("a34013", "1", Some("X"));
    instant.1.value.rtd = instant.1.value.avg.take();
    let mut unreadable = value("a19001", "1", None);
    unreadable.1.value.avg = None;
    unreadable.1.valid = false;
    let row = record(
        "jia-1",
        [full, instant, unreadable, value("a21002", "3", Some("D"))],
    );
    let mut batch = Batch::default();
    assert!(lines().record(0, &owner(), &row, &mut batch).is_empty());
    let tags = |factor: &str| {
        format!("cems,enterprise=jia,factor={factor},kind=minute,outlet=jia-1,region=qiaobei")
    };
    let want = format!(
        "{} valid=0i 1795132860000\n\
         {} value=3,valid=0i,flag=4i 1795132860000\n\
         {} value=12.50,min=0,max=-0.5,total=1234567.890,converted=15.0,valid=1i,flag=0i \
         1795132860000\n\
         {} value=1,valid=1i,flag=-1i 1795132860000\n",
        tags("a19001"),
        tags("a21002"),
        tags("a21026"),
        tags("a34013")
    );
    assert_eq!(text(&batch), want);
}

#[test]
fn an_aggregate_has_a_line_for_its_period_too() {
    let verdict = |exceeded, multiple: Option<&str>| LimitVerdict {
        limit: "hour".into(),
        judged: decimal("60"),
        bound: decimal("50"),
        exceeded,
        multiple: multiple.map(decimal),
    };
    let judged = FactorAggregate {
        mean: Some(decimal("48.123456789012345678")),
        converted: Some(decimal("60")),
        amount_kg: Some(decimal("1.25")),
        substituted_kg: Some(decimal("0.25")),
        valid: true,
        valid_units: 58,
        due_units: 60,
        limits: vec![verdict(true, Some("0.2")), verdict(false, None)],
        ..FactorAggregate::default()
    };
    let row = AggregateRow {
        outlet: OutletId::new("jia-1"),
        level: Level::Hour,
        start: Timestamp(1_795_132_800_000),
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: Some(decimal("81000.5")),
        factors: [
            (FactorCode::new("a19001"), FactorAggregate::default()),
            (FactorCode::new("a21026"), judged),
        ]
        .into(),
        profile: "hj75-2017@1".into(),
        received: 59,
        due: 60,
        seq: Seq(9),
        superseded: 0,
    };
    let mut batch = Batch::default();
    let mut lines = lines();
    assert!(lines.aggregate(3, &owner(), &row, &mut batch).is_empty());
    let want = "\
        cems,enterprise=jia,factor=a19001,kind=hour-mean,outlet=jia-1,region=qiaobei \
        valid=0i,valid_units=0i,due_units=0i 1795132800000\n\
        cems,enterprise=jia,factor=a21026,kind=hour-mean,outlet=jia-1,region=qiaobei \
        value=48.123456789012345678,converted=60,amount_kg=1.25,substituted_kg=0.25,valid=1i,\
        valid_units=58i,due_units=60i,exceeded=1i,multiple=0.2 1795132800000\n\
        cems_period,enterprise=jia,kind=hour-mean,outlet=jia-1,region=qiaobei \
        volume_m3=81000.5,received=59i,due=60i 1795132800000\n";
    assert_eq!(text(&batch), want);
    assert_eq!([0, 1, 2].map(|line| batch.item(line)), [3, 3, 3]);
    // The beginnings of lines are kept: a second time gives the same.
    batch.clear();
    assert!(lines.aggregate(3, &owner(), &row, &mut batch).is_empty());
    assert_eq!(text(&batch), want);
}

#[test]
fn a_corrected_mean_stands_later_where_the_server_keeps_both() {
    let mut row = AggregateRow {
        outlet: OutletId::new("jia-1"),
        level: Level::Hour,
        start: Timestamp(1_795_132_800_000),
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: None,
        factors: [(FactorCode::new("a19001"), FactorAggregate::default())].into(),
        profile: "hj75-2017@1".into(),
        received: 60,
        due: 60,
        seq: Seq(9),
        superseded: 0,
    };
    let mut times = |corrections, superseded| {
        row.superseded = superseded;
        let mut batch = Batch::default();
        let mut lines = Lines::new(corrections);
        assert!(lines.aggregate(0, &owner(), &row, &mut batch).is_empty());
        let text = text(&batch);
        let last = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
        text.lines().map(last).collect::<Vec<String>>()
    };
    let at = |ms: i64| vec![(1_795_132_800_000 + ms).to_string(); 2];
    assert_eq!(times(Corrections::Later, 0), at(1));
    assert_eq!(times(Corrections::Later, 3), at(4));
    assert_eq!(times(Corrections::Later, u32::MAX), at(999));
    assert_eq!(times(Corrections::Replace, 3), at(0));
}

#[test]
fn what_cannot_be_a_point_costs_itself_alone() {
    let mut batch = Batch::default();
    let row = record(
        "jia-1",
        [value("a21026", "1", None), value("a2\\", "2", None)],
    );
    let refused = lines().record(0, &owner(), &row, &mut batch);
    assert_eq!(refused.len(), 1);
    assert!(refused[0].starts_with("a2\\: a backslash"), "{refused:?}");
    assert_eq!(batch.len(), 1);
}

#[test]
fn an_outlet_that_is_sold_has_series_of_its_new_owner() {
    let mut lines = lines();
    let mut batch = Batch::default();
    let row = record("jia-1", [value("a21026", "1", None)]);
    let sold = Owner {
        enterprise: "yi".into(),
        ..owner()
    };
    for owner in [owner(), sold, owner()] {
        assert!(lines.record(0, &owner, &row, &mut batch).is_empty());
    }
    let owners: Vec<&str> = text(&batch)
        .lines()
        .map(|line| &line[5..line.find(",factor").unwrap()])
        .collect();
    assert_eq!(
        owners,
        ["enterprise=jia", "enterprise=yi", "enterprise=jia"]
    );
}

#[test]
fn a_correction_is_later_where_servers_keep_both() {
    for (corrections, corrected, ms) in [
        (Corrections::Replace, 3, 0),
        (Corrections::Later, 0, 1),
        (Corrections::Later, 3, 4),
        (Corrections::Later, 5_000, 999),
    ] {
        let mut batch = Batch::default();
        let mut stored = value("a21026", "1", None);
        stored.1.superseded = corrected;
        let row = record("jia-1", [stored]);
        let mut lines = Lines::new(corrections);
        assert!(lines.record(0, &owner(), &row, &mut batch).is_empty());
        let time = format!(" {}\n", AT.0 + ms);
        assert!(text(&batch).ends_with(&time), "{}", text(&batch));
    }
}
