//! The books of the past say what the story says.

use super::*;
use crate::demo::city::residents;
use crate::demo::people::{logins, users_toml};
use crate::demo::settings::Ports;
use crate::journal::Reader;
use crate::store::Store;
use cems_core::model::{AlarmId, AlarmKind, AlarmSubject, FallbackId, Level, Period};

/// 2026-11-20 10:07:13 in China.
const NOW: Timestamp = Timestamp(1_795_104_000_000 + 36_433_000);

#[test]
fn the_four_situations_are_in_the_books() {
    let dir = tempfile::tempdir().expect("a directory");
    let story = Story::ending(NOW, 3);
    let cast = residents(&story);
    let users = users_toml(&logins(dir.path(), false).expect("made")).expect("hashed");
    let settings = Settings::new(
        &cast,
        &story,
        &Ports {
            console: 0,
            hj212: 0,
        },
        users,
    );
    // The others would only take time: they are in the registry and say nothing.
    let told = ["redian-1", "redian-2", "gongre-1", "xishui-1", "yinran-1"];
    let actors: Vec<Resident> = cast
        .iter()
        .filter(|resident| told.contains(&resident.id))
        .cloned()
        .collect();
    let past = Past {
        residents: &actors,
        story: &story,
        settings: &settings,
        dir: dir.path(),
    };
    let written = past
        .write(&Arc::new(AtomicBool::new(false)))
        .expect("written");

    let places = Places::of(dir.path());
    let reader = Reader::open(&places.journal()).expect("readable");
    let mut last = 0;
    let mut count = 0;
    for entry in reader.entries_from(1) {
        let entry = entry.expect("sound");
        assert!(
            entry.at_ms >= last && entry.at_ms <= story.base.0,
            "time never runs backwards"
        );
        last = entry.at_ms;
        count += 1;
    }
    assert_eq!(count, written);

    let store = SqliteStore::open(&places.projections())
        .expect("readable")
        .store;
    assert_eq!(
        store.position().expect("readable").map(|p| p.seq.0),
        Some(written)
    );
    let history = store.history();
    let year = Period::containing(Level::Year, NOW, UtcOffset::default());
    let hour = |outlet: &str| {
        let from = story.hour_ago(1);
        history.aggregates(&OutletId::new(outlet), Level::Hour, from, from.plus_ms(1))
    };
    let over = hour("redian-2");
    let verdicts = &over[0].factors["a21002"].limits;
    assert!(
        verdicts.iter().any(|verdict| verdict.exceeded),
        "{verdicts:?}"
    );
    assert!(
        hour("redian-1")[0].factors["a21002"]
            .limits
            .iter()
            .all(|v| !v.exceeded)
    );
    let total = history.aggregates(
        &OutletId::new("gongre-1"),
        Level::Year,
        year.start,
        year.start.plus_ms(1),
    );
    let emitted = total[0].factors["a21026"].amount_kg.expect("an amount");
    let checked = settings.checked(Expected::All, dir.path()).expect("sound");
    let permitted = &checked.registry.outlets["gongre-1"].permitted;
    let permitted = permitted
        .iter()
        .find(|p| p.factor.as_str() == "a21026")
        .expect("in the cast");
    let share = emitted * Decimal::ONE_HUNDRED / permitted.amount_kg;
    assert!(
        (Decimal::from(91)..Decimal::from(93)).contains(&share),
        "{share} %"
    );

    let alarms: Vec<_> = (1..100)
        .map_while(|id| history.alarm(AlarmId(id)))
        .collect();
    let unexpected = alarms.iter().filter(|alarm| match &alarm.subject {
        AlarmSubject::Outlet(outlet) => {
            outlet.as_str() == "redian-1" || told.contains(&outlet.as_str()) && !alarm.active
        }
        _ => true,
    });
    assert_eq!(unexpected.count(), 0, "nothing else happens: {alarms:#?}");
    let active: Vec<_> = alarms.into_iter().filter(|alarm| alarm.active).collect();
    let has = |kind: AlarmKind, outlet: &str| {
        let subject = AlarmSubject::Outlet(OutletId::new(outlet));
        active
            .iter()
            .any(|alarm| alarm.kind == kind && alarm.subject == subject)
    };
    assert!(has(AlarmKind::ExceedanceHour, "redian-2"), "{active:#?}");
    assert!(has(AlarmKind::NoData, "yinran-1"), "{active:#?}");
    assert!(has(AlarmKind::AmountWarning, "gongre-1"), "{active:#?}");
    assert!(
        has(AlarmKind::ManualReportOverdue, FALLBACK_OUTLET),
        "{active:#?}"
    );
    let fallbacks = (1..100).map_while(|id| history.fallback(FallbackId(id)));
    let open: Vec<_> = fallbacks
        .filter(|fallback| fallback.closed_at.is_none())
        .filter(|fallback| told.contains(&fallback.outlet.as_str()))
        .collect();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(open[0].outlet.as_str(), FALLBACK_OUTLET);
    assert_eq!(open[0].reports, 4);
    assert!(open[0].overdue_since.is_some());
}

#[test]
fn a_past_that_is_stopped_ends_soon_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let story = Story::ending(NOW, 2);
    let cast = residents(&story);
    let users = users_toml(&logins(dir.path(), false).expect("made")).expect("hashed");
    let settings = Settings::new(
        &cast,
        &story,
        &Ports {
            console: 0,
            hj212: 0,
        },
        users,
    );
    let past = Past {
        residents: &cast,
        story: &story,
        settings: &settings,
        dir: dir.path(),
    };
    let stopped = past.write(&Arc::new(AtomicBool::new(true)));
    assert!(stopped.is_err_and(|error| error.to_string().contains("stopped")));
}
