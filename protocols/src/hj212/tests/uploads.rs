//! What devices upload besides measured values, and the values they give when asked.

use super::*;

fn message(edition: Edition, cn: &str, area: &str) -> Message {
    let flag = edition.flag_bits();
    message_of(&framed(&format!(
        "QN=20240520210700000;ST=31;CN={cn};PW=123456;MN=0100000000F0000000000001;Flag={flag};\
         CP=&&{area}&&"
    )))
}

fn time(text: &str) -> Option<LocalTime> {
    LocalTime::parse(text)
}

#[test]
fn raw_periodic_data_keep_when_the_sample_was_taken() {
    let said = content(&message(
        Edition::V2025,
        "2013",
        "DataTime=20240520210000;a24088-SampleTime=20240520205000,\
         a24088-CompleteTime=20240520205800,a24088-SampleType=1,a24088-Avg=1.25,\
         a24088-i13013=3,a24088-Flag=N",
    ));
    let value = RawValue {
        code: "a24088".into(),
        sample_time: time("20240520205000"),
        complete_time: time("20240520205800"),
        sample_type: Some("1".into()),
        avg: Some("1.25".into()),
        flag: Some("N".into()),
        extra: vec![("i13013".into(), "3".into())],
    };
    let expected = Content::Raw {
        time: time("20240520210000"),
        values: vec![value],
    };
    assert_eq!(said, expected);
}

#[test]
fn noise_standard_checks_and_furnace_temperatures() {
    let at = time("20240520210000");
    let say = |cn, area: &str| {
        let area = format!("DataTime=20240520210000;{area}");
        content(&message(Edition::V2025, cn, &area))
    };
    assert_eq!(
        say("2052", "Leq-Data=50.1;L10-Data=53.2"),
        Content::Noise {
            time: at,
            values: vec![("Leq".into(), "50.1".into()), ("L10".into(), "53.2".into())]
        }
    );
    let check = |code: &str, passed| StandardCheckResult {
        code: code.into(),
        reading: Some("1.02".into()),
        standard: Some("1.00".into()),
        passed,
    };
    assert_eq!(
        say(
            "2062",
            "w01018-SampleRd=1.02,w01018-StandardValue=1.00,w01018-ResultType=1;\
             w21003-SampleRd=1.02,w21003-StandardValue=1.00,w21003-ResultType=0;\
             w21011-SampleRd=1.02,w21011-StandardValue=1.00,w21011-ResultType=x"
        ),
        Content::StandardChecks {
            time: at,
            checks: vec![
                check("w01018", Some(true)),
                check("w21003", Some(false)),
                check("w21011", None)
            ]
        }
    );
    assert_eq!(
        say("2111", "a01901-Avg=901.5"),
        Content::FurnaceTemperature {
            time: at,
            values: vec![("a01901".into(), "901.5".into())]
        }
    );
}

#[test]
fn a_check_of_the_surface_water_profile_is_not_one_of_2025() {
    let message = message_of(&framed(
        "QN=20240520210700000;ST=21;CN=2062;PW=123456;MN=A110000_0009;Flag=9;\
         CP=&&DataTime=20240520210000;w01018-Check=1.02,w01018-StandardValue=1.00&&",
    ));
    assert_eq!(message.edition, Edition::Unknown);
    assert_eq!(content(&message), Content::Other);
}

#[test]
fn the_system_codes_of_2025_change_nothing_about_real_time_data() {
    for (st, code, value) in [("44", "d10101", "220.1"), ("45", "p10101", "St")] {
        let message = message_of(&framed(&format!(
            "QN=20240520210700000;ST={st};CN=2011;PW=123456;MN=0100000000F0000000000001;Flag=9;\
             CP=&&DataTime=20240520210000;{code}-Rtd={value},{code}-Flag=N&&"
        )));
        let Content::Data(record) = content(&message) else {
            panic!("{message:?}")
        };
        assert_eq!(record.values[0].rtd.as_deref(), Some(value));
    }
}

#[test]
fn a_logger_of_2025_says_what_hardware_it_is() {
    let message = message(
        Edition::V2025,
        "1001",
        "i23005-Info=L1;i23006-Info=C1;i23007-Info=00-00-5E-00-53-01",
    );
    let expected = Identity {
        logger: Some("L1".into()),
        cpu: Some("C1".into()),
        macs: vec!["00-00-5E-00-53-01".into()],
    };
    assert_eq!(identity(&message), Some(expected));
    assert_eq!(answer(&message), None, "Flag asks for nothing");
}

#[test]
fn values_a_centre_asked_for_are_typed() {
    let old = Edition::V2005;
    let new = Edition::V2017;
    let pol_id = Some("w01018".into());
    let limits = AlarmLimits {
        pol_id: "101".into(),
        low: "1.1".into(),
        up: "9.9".into(),
    };
    for (edition, cn, area, expected) in [
        (
            old,
            "1011",
            "QN=20040516010101001;SystemTime=20240520210600",
            DeviceValues::Time {
                pol_id: None,
                system_time: time("20240520210600").unwrap(),
            },
        ),
        (
            new,
            "1011",
            " PolId=w01018;SystemTime=20240520210600",
            DeviceValues::Time {
                pol_id: pol_id.clone(),
                system_time: time("20240520210600").unwrap(),
            },
        ),
        (
            old,
            "1021",
            "QN=20040516010101001;101-LowValue=1.1,101-UpValue=9.9",
            DeviceValues::AlarmLimits(vec![limits]),
        ),
        (
            old,
            "1031",
            "ReportTarget=3882566",
            DeviceValues::CentreAddress("3882566".into()),
        ),
        (
            old,
            "1041",
            "ReportTime=0130",
            DeviceValues::ReportTime {
                hour: 1,
                minute: 30,
            },
        ),
        (
            new,
            "1061",
            "RtdInterval=30",
            DeviceValues::RealtimeInterval(30),
        ),
        (
            new,
            "1063",
            "MinInterval=10",
            DeviceValues::MinuteInterval(10),
        ),
        (
            new,
            "3017",
            "PolId=w01018;CstartTime=000000;CTime=2",
            DeviceValues::SamplingPeriod {
                pol_id: pol_id.clone(),
                start: (0, 0, 0),
                hours: 2,
            },
        ),
        (
            new,
            "3018",
            "PolId=w01018;Stime=20",
            DeviceValues::ResultTime {
                pol_id,
                minutes: 20,
            },
        ),
    ] {
        let message = message(edition, cn, area);
        assert_eq!(device_values(&message), Some(expected), "{cn} {edition}");
    }
    assert_eq!(device_values(&message(new, "1061", "RtdInterval=x")), None);
    assert_eq!(device_values(&message(new, "1061", "")), None);
}
