//! Frames of every edition are read back as what was meant, bad habits included.

use super::*;
use crate::simulate::plant::{Plant, PlantKind};
use crate::simulate::script::{Incident, Script};
use cems_protocols::hj212::{
    self, Content, CrcVerdict, DataKind, Framer, Limits, Message, Step, parse,
};

const EDITIONS: [Edition; 3] = [Edition::V2005, Edition::V2017, Edition::V2025];

fn at() -> Timestamp {
    // 2026-11-20 10:05:30 in China.
    Timestamp(1_795_104_000_000 + 10 * HOUR_MS + 5 * MINUTE_MS + 30_000)
}

fn station(kind: PlantKind, edition: Edition, quirks: Quirks) -> Station {
    let outfall = match kind {
        PlantKind::WasteWater => Outfall::Discharge,
        _ => Outfall::Stack {
            area_m2: Decimal::from(12),
            reference_o2_pct: Decimal::from(6),
        },
    };
    Station {
        mn: if edition == Edition::V2005 {
            "SIM00000000001"
        } else {
            "5349000000000000000000A1"
        }
        .into(),
        password: "123456".into(),
        edition,
        wants_answer: true,
        outfall,
        channels: crate::simulate::channels::of(kind),
        quirks,
        offset: UtcOffset::default(),
    }
}

fn messages(bytes: &[u8]) -> Vec<Message> {
    let mut framer = Framer::new(Limits::default());
    framer.push(bytes);
    let mut out = Vec::new();
    loop {
        match framer.next() {
            Step::Frame(frame) => out.push(parse(&frame)),
            Step::Garbage(bytes) => panic!("garbage: {bytes:?}"),
            Step::Incomplete => match framer.expire() {
                Step::Frame(frame) => out.push(parse(&frame)),
                _ => return out,
            },
        }
    }
}

fn all(parcel: &Parcel) -> Vec<Message> {
    parcel
        .packets()
        .iter()
        .flat_map(|packet| messages(&packet.bytes))
        .collect()
}

#[test]
fn every_message_of_every_edition_is_read_back_soundly() {
    for kind in PlantKind::ALL {
        for edition in EDITIONS {
            let plant = Plant::new(kind, 4);
            let station = station(kind, edition, Quirks::default());
            let (start, minutes) = interval_before(RecordKind::Hour, at(), 1, station.offset);
            let hour = plant.means(start, minutes);
            let mut parcels = vec![
                station
                    .realtime(at(), 0, &plant.sample(at()))
                    .expect("builds"),
                station
                    .interval(RecordKind::Hour, (start, minutes), (at(), 0), &hour)
                    .expect("builds"),
                station.facilities(at(), true).expect("builds"),
            ];
            parcels.extend(station.boot(at()).expect("builds"));
            parcels.extend(station.heartbeat(at()).expect("builds"));
            parcels.extend(station.time_request(at()).expect("builds"));
            parcels.extend(station.identity(at()).expect("builds"));
            for parcel in parcels {
                for message in all(&parcel) {
                    assert_eq!(message.crc, CrcVerdict::Hj212);
                    assert!(message.len_ok);
                    assert_eq!(message.edition, edition, "{}", parcel.cn);
                    assert_eq!(message.cn(), parcel.cn);
                    assert_eq!(message.header.mn.as_deref(), Some(station.mn.as_str()));
                    // A logger of 2005 that flags only what is wrong is the rule, not a fault.
                    let findings: Vec<_> = message
                        .findings
                        .iter()
                        .map(|f| f.code.as_str())
                        .filter(|code| edition != Edition::V2005 || *code != "flag-absent")
                        .collect();
                    assert!(
                        findings.is_empty(),
                        "{kind:?} {edition} {}: {findings:?}",
                        parcel.cn
                    );
                    assert_eq!(
                        hj212::answer(&message).is_some(),
                        parcel.answer || (edition == Edition::V2005 && parcel.cn == "1013")
                    );
                }
            }
        }
    }
}

#[test]
fn an_hour_says_what_the_plant_measured() {
    let plant = Plant::new(PlantKind::CoalBoiler, 4);
    let (start, minutes) = interval_before(RecordKind::Hour, at(), 1, UtcOffset::default());
    let means = plant.means(start, minutes);
    for edition in EDITIONS {
        let station = station(PlantKind::CoalBoiler, edition, Quirks::default());
        let parcel = station
            .interval(RecordKind::Hour, (start, minutes), (at(), 0), &means)
            .expect("builds");
        let read = all(&parcel);
        let Content::Data(data) = hj212::content(&read[0]) else {
            panic!("data expected")
        };
        assert_eq!(data.kind, DataKind::Hour);
        assert_eq!(
            data.data_time.map(|t| t.digits14()).as_deref(),
            Some("20261120090000")
        );
        assert_eq!(data.values.len(), means.len());
        let old = edition == Edition::V2005;
        for (value, mean) in data.values.iter().zip(&means) {
            let text = value.avg.as_deref().expect("a mean");
            let sent: Decimal = text.parse().expect("a number");
            let pressure = mean.code == "a01013" && old;
            let unit = if pressure {
                Decimal::ONE_THOUSAND
            } else {
                Decimal::ONE
            };
            assert_eq!(sent * unit, mean.avg, "{}", mean.code);
            assert_eq!(value.flag.is_some(), !old);
            let pollutant = station
                .channel(mean.code)
                .is_some_and(Channel::is_pollutant);
            assert_eq!(value.cou.is_some(), pollutant);
            assert_eq!(value.zs_avg.is_some(), pollutant);
        }
        let expected = if old { "03" } else { "a21002" };
        assert!(data.values.iter().any(|value| value.code == expected));
    }
}

#[test]
fn bad_habits_are_told_by_the_check_code_and_the_line_end() {
    let styles = [
        (CrcStyle::Modbus, CrcVerdict::Modbus),
        (CrcStyle::Hj212Lower, CrcVerdict::Hj212Lower),
        (CrcStyle::Hj212, CrcVerdict::Hj212),
    ];
    let plant = Plant::new(PlantKind::WasteWater, 9);
    for (crc, verdict) in styles {
        let quirks = Quirks {
            crc,
            no_line_end: true,
            ..Quirks::default()
        };
        let station = station(PlantKind::WasteWater, Edition::V2017, quirks);
        // Some check codes have no letters; of several frames one has.
        let seen: Vec<CrcVerdict> = (0..8)
            .map(|second| at().plus_ms(second * 30_000))
            .map(|time| {
                station
                    .realtime(time, 0, &plant.sample(time))
                    .expect("builds")
            })
            .inspect(|parcel| assert!(!parcel.packets()[0].bytes.ends_with(b"\n")))
            .flat_map(|parcel| all(&parcel))
            .map(|message| message.crc)
            .collect();
        assert!(seen.contains(&verdict), "{seen:?}");
        assert!(!seen.contains(&CrcVerdict::Bad));
    }
}

#[test]
fn a_talkative_logger_splits_its_frames() {
    let plant = Plant::new(PlantKind::WasteIncinerator, 4);
    let quirks = Quirks {
        verbose: true,
        pol_id_upper: true,
        ..Quirks::default()
    };
    let station = station(PlantKind::WasteIncinerator, Edition::V2017, quirks);
    let span = interval_before(RecordKind::Minute, at(), 1, station.offset);
    let means = plant.means(span.0, span.1);
    let parcel = station
        .interval(RecordKind::Minute, span, (at(), 0), &means)
        .expect("builds");
    assert_eq!(parcel.packets().len(), 2);
    let read = all(&parcel);
    let mut codes = Vec::new();
    for (index, message) in read.iter().enumerate() {
        assert!(message.header.is_split());
        assert_eq!(message.header.pno, u32::try_from(index + 1).ok());
        let Content::Data(data) = hj212::content(message) else {
            panic!("data expected")
        };
        assert_eq!(
            data.data_time.map(|t| t.digits14()).as_deref(),
            Some("20261120100400")
        );
        codes.extend(data.values.into_iter().map(|value| value.code));
    }
    assert_eq!(codes.len(), means.len());
    assert_ne!(parcel.packets()[0].qn, parcel.packets()[1].qn);
    let identity = station.identity(at()).expect("builds");
    assert!(
        identity[0].packets()[0]
            .bytes
            .windows(6)
            .any(|text| text == b"PolID=")
    );
}

#[test]
fn what_is_sent_again_is_marked_in_2025_only() {
    let plant = Plant::new(PlantKind::CementKiln, 4);
    for edition in EDITIONS {
        let station = station(PlantKind::CementKiln, edition, Quirks::default());
        let parcel = station
            .realtime(at(), 0, &plant.sample(at()))
            .expect("builds");
        let again = messages(&parcel.packets_resent()[0].bytes);
        assert_eq!(again[0].header.rf, edition == Edition::V2025);
        assert_eq!(again[0].header.qn, all(&parcel)[0].header.qn);
    }
}

#[test]
fn clocks_can_be_wrong_as_a_whole_or_for_real_time_data_only() {
    let half_day = 12 * HOUR_MS;
    let plant = Plant::new(PlantKind::CementKiln, 4);
    let quirks = Quirks {
        realtime_ahead_ms: half_day,
        ..Quirks::default()
    };
    let station = station(PlantKind::CementKiln, Edition::V2017, quirks);
    let time = |parcel: &Parcel| match hj212::content(&all(parcel)[0]) {
        Content::Data(data) => data.data_time.map(|t| t.digits14()),
        _ => None,
    };
    let realtime = station
        .realtime(at(), 0, &plant.sample(at()))
        .expect("builds");
    assert_eq!(time(&realtime).as_deref(), Some("20261120220530"));
    let span = interval_before(RecordKind::Minute, at(), 1, station.offset);
    let means = plant.means(span.0, span.1);
    let minute = station
        .interval(RecordKind::Minute, span, (at(), 0), &means)
        .expect("builds");
    assert_eq!(time(&minute).as_deref(), Some("20261120100400"));
    let wrong = station
        .interval(RecordKind::Minute, span, (at(), half_day), &means)
        .expect("builds");
    assert_eq!(time(&wrong).as_deref(), Some("20261120220400"));
}

#[test]
fn a_stopped_source_says_so_in_2005_too() {
    let script = Script::default().with(Incident::Stopped, at(), None);
    let plant = Plant::new(PlantKind::CoalBoiler, 4).with_script(script);
    let station = station(PlantKind::CoalBoiler, Edition::V2005, Quirks::default());
    let later = at().plus_ms(MINUTE_MS);
    let parcel = station
        .realtime(later, 0, &plant.sample(later))
        .expect("builds");
    let Content::Data(data) = hj212::content(&all(&parcel)[0]) else {
        panic!("data expected")
    };
    assert!(
        data.values
            .iter()
            .all(|value| value.flag.as_deref() == Some("F"))
    );
}

#[test]
fn intervals_end_on_the_clock() {
    let offset = UtcOffset::default();
    let iso = |kind, minutes| offset.iso(interval_before(kind, at(), minutes, offset).0);
    assert_eq!(iso(RecordKind::Minute, 1), "2026-11-20T10:04:00+08:00");
    assert_eq!(iso(RecordKind::Minute, 10), "2026-11-20T09:50:00+08:00");
    assert_eq!(iso(RecordKind::Hour, 1), "2026-11-20T09:00:00+08:00");
    assert_eq!(iso(RecordKind::Day, 1), "2026-11-19T00:00:00+08:00");
}

#[test]
fn a_password_that_breaks_the_frame_is_refused() {
    let mut station = station(PlantKind::CoalBoiler, Edition::V2017, Quirks::default());
    station.password = "12;34".into();
    assert!(station.heartbeat(at()).expect("2017 has none").is_none());
    assert!(station.facilities(at(), true).is_err());
}
