//! Amounts of an enterprise as a whole and of special periods.

use crate::engine::Event;
use crate::fixture::*;
use crate::model::*;
use std::sync::Arc;

fn permit(period: AmountPeriod, kg: &str, special: Option<&str>) -> PermittedAmount {
    PermittedAmount {
        factor: "a21026".into(),
        period,
        amount_kg: dec(kg),
        warn_at_pct: vec![dec("80")],
        source: "invented permit".into(),
        special: special.map(Into::into),
    }
}

/// Two stacks of one enterprise.
fn two_stacks() -> Registry {
    let mut city = registry();
    let mut second = city.outlets[GAS].clone();
    second.id = "dc-02".into();
    second.mn = "MN-GAS-2".into();
    city.outlets.insert(second.id.clone(), second);
    city
}

/// The real day of a stack, at the outlet.
fn play(bench: &mut Bench, outlet: &str) {
    for mut record in gas_day() {
        record.outlet = outlet.into();
        let at = record.start.plus_ms(61_000).max(bench.engine.now());
        let mut contact = contact(GAS);
        contact.outlet = outlet.into();
        bench.send(at, Event::Record(contact, record));
    }
    let after = bench.engine.now().plus_ms(600_000).max(minute(1_450));
    bench.tick(after);
}

fn alarms(bench: &mut Bench) -> Vec<(AlarmKind, AlarmSubject, bool)> {
    let alarms = bench.tables().alarms;
    let of_amounts = |row: &&AlarmRow| {
        matches!(
            row.kind,
            AlarmKind::AmountWarning | AlarmKind::AmountExceeded
        )
    };
    let rows = alarms.values().filter(of_amounts);
    rows.map(|row| (row.kind, row.subject.clone(), row.active))
        .collect()
}

fn day_kg(bench: &Bench, outlet: &str) -> rust_decimal::Decimal {
    bench.aggregate(outlet, Level::Day, minute(0)).factors["a21026"]
        .amount_kg
        .unwrap()
}

#[test]
fn an_enterprise_is_held_against_the_sum_of_its_outlets() {
    let mut alone = Bench::with(two_stacks(), minute(0));
    play(&mut alone, GAS);
    let kg = day_kg(&alone, GAS);
    // Neither stack alone reaches what the enterprise may emit; both together do.
    let mut city = two_stacks();
    let permitted = (kg * dec("1.5")).to_string();
    let acme = city.enterprises.get_mut("acme").unwrap();
    acme.permitted = vec![permit(AmountPeriod::Year, &permitted, None)];
    let mut bench = Bench::with(city.clone(), minute(0));
    play(&mut bench, GAS);
    assert_eq!(alarms(&mut bench), []);
    play(&mut bench, "dc-02");
    let acme = AlarmSubject::Enterprise("acme".into());
    let warned = alarms(&mut bench);
    assert_eq!(
        warned,
        [
            (AlarmKind::AmountWarning, acme.clone(), true),
            (AlarmKind::AmountExceeded, acme, true),
        ]
    );
    // The permit is taken away: nothing is exceeded any more.
    bench.restart();
    city.enterprises.get_mut("acme").unwrap().permitted.clear();
    bench.send(bench.engine.now(), Event::Registry(Arc::new(city)));
    assert!(alarms(&mut bench).iter().all(|(.., active)| !active));
}

#[test]
fn a_special_period_has_an_amount_of_its_own() {
    let mut city = registry();
    let special = SpecialPeriod {
        id: "red-1".into(),
        name: "重污染天气Ⅰ级响应".into(),
        from: minute(-1_440),
        until: minute(1_440),
        regions: vec!["r".into()],
        source: "invented order".into(),
    };
    city.special_periods.insert("red-1".into(), special.clone());
    let gas = city.outlets.get_mut(GAS).unwrap();
    gas.permitted = vec![permit(AmountPeriod::Special, "10", Some("red-1"))];
    let mut bench = Bench::with(city.clone(), minute(0));
    play(&mut bench, GAS);
    let raised = alarms(&mut bench);
    let kinds: Vec<AlarmKind> = raised.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [AlarmKind::AmountWarning, AlarmKind::AmountExceeded]);
    // In another region the order does not hold.
    let elsewhere = SpecialPeriod {
        regions: vec!["far".into()],
        ..special
    };
    city.special_periods.insert("red-1".into(), elsewhere);
    let mut bench = Bench::with(city, minute(0));
    play(&mut bench, GAS);
    assert_eq!(alarms(&mut bench), []);
}
