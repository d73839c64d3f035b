//! The typed view of every command a centre takes.

use super::*;

fn say(cn: &str, flag: &str, area: &str) -> Content {
    content(&message_of(&framed(&format!(
        "QN=20240520210700000;ST=31;CN={cn};PW=123456;MN=FICTION0000001;{flag}CP=&&{area}&&"
    ))))
}

fn time() -> Option<LocalTime> {
    LocalTime::parse("20240520210600")
}

#[test]
fn data_of_all_four_intervals() {
    for kind in [
        DataKind::Realtime,
        DataKind::Minute,
        DataKind::Hour,
        DataKind::Day,
    ] {
        let said = say(
            kind.cn(),
            "Flag=5;",
            "DataTime=20240520210600;a21026-SampleTime=20240520210500,a21026-Rtd=1,a21026-Min=2,\
             a21026-Avg=3,a21026-Max=4,a21026-Cou=5,a21026-ZsRtd=6,a21026-ZsMin=7,a21026-ZsAvg=8,\
             a21026-ZsMax=9,a21026-Flag=N,a21026-EFlag=A01;Leq-Data=50.0,Leq-DayData=51,\
             Leq-NightData=52;01-ZsRtd=3;01-Rtd=2,01-Flag=D",
        );
        let Content::Data(record) = said else {
            panic!("{said:?}")
        };
        assert_eq!((record.kind, record.data_time), (kind, time()));
        let gas = &record.values[0];
        let texts = [
            &gas.rtd,
            &gas.min,
            &gas.avg,
            &gas.max,
            &gas.cou,
            &gas.zs_rtd,
            &gas.zs_min,
            &gas.zs_avg,
            &gas.zs_max,
            &gas.flag,
            &gas.eflag,
        ];
        let texts: Vec<&str> = texts
            .into_iter()
            .map(|text| text.as_deref().unwrap())
            .collect();
        assert_eq!(
            texts,
            ["1", "2", "3", "4", "5", "6", "7", "8", "9", "N", "A01"]
        );
        assert_eq!(gas.sample_time, LocalTime::parse("20240520210500"));
        let noise = &record.values[1];
        assert_eq!(noise.data.as_deref(), Some("50.0"));
        assert_eq!(noise.day_data.as_deref(), Some("51"));
        assert_eq!(noise.night_data.as_deref(), Some("52"));
        // Sub-fields that stand apart belong to one factor.
        assert_eq!(record.values.len(), 3);
        assert_eq!(record.values[2].zs_rtd.as_deref(), Some("3"));
        assert_eq!(record.values[2].rtd.as_deref(), Some("2"));
    }
}

#[test]
fn a_repeated_factor_is_kept_twice_and_a_shared_flag_reaches_all() {
    let said = say(
        "2011",
        "Flag=4;",
        "DataTime=20240520210600;e01001-Rtd=1;e01001-Rtd=2;Flag=N",
    );
    let Content::Data(record) = said else {
        panic!("{said:?}")
    };
    let rtds: Vec<_> = record
        .values
        .iter()
        .map(|value| value.rtd.as_deref().unwrap())
        .collect();
    assert_eq!(rtds, ["1", "2"]);
    assert!(
        record
            .values
            .iter()
            .all(|value| value.flag.as_deref() == Some("N"))
    );
}

#[test]
fn notices_and_uploads_that_are_not_data() {
    assert_eq!(say("9015", "Flag=9;", ""), Content::Heartbeat);
    assert_eq!(
        say("1013", "Flag=5;", ""),
        Content::TimeRequest { pol_id: None }
    );
    assert_eq!(
        say("1013", "Flag=5;", " PolId=w01018"),
        Content::TimeRequest {
            pol_id: Some("w01018".into())
        }
    );
    assert_eq!(
        say(
            "2081",
            "Flag=5;",
            "DataTime=20240520210600;RestartTime=20240520210600"
        ),
        Content::Boot {
            time: time(),
            restart_time: time()
        }
    );
    let state = FacilityState {
        facility: "SB1".into(),
        state: "1".into(),
    };
    assert_eq!(
        say("2021", "Flag=5;", "DataTime=20240520210600;SB1-RS=1"),
        Content::Facility {
            time: time(),
            states: vec![state]
        }
    );
    let run_time = FacilityRunTime {
        facility: "SB2".into(),
        hours: "2.1".into(),
    };
    assert_eq!(
        say("2041", "Flag=5;", "DataTime=20240520210600;SB2-RT=2.1"),
        Content::FacilityRunTime {
            time: time(),
            run_times: vec![run_time]
        }
    );
    assert_eq!(
        say("3019", "Flag=4;", "PolId=w01018;w01018-SN=X1"),
        Content::Serial {
            time: None,
            pol_id: Some("w01018".into()),
            serials: vec![("w01018".into(), "X1".into())]
        }
    );
}

#[test]
fn information_alarms_and_parameters() {
    assert_eq!(
        say(
            "3020",
            "Flag=4;",
            "DataTime=20240520210600;PolId=w01018;i12001-Info=1;i12003-Info =0"
        ),
        Content::FieldInfo {
            time: time(),
            pol_id: Some("w01018".into()),
            infos: vec![("i12001".into(), "1".into()), ("i12003".into(), "0".into())]
        }
    );
    assert_eq!(
        say(
            "2072",
            "Flag=0;",
            "AlarmTime=20240520210600;101-Ala=1.1, AlarmType =1"
        ),
        Content::AlarmEvent {
            time: time(),
            values: vec![("101".into(), "1.1".into())],
            alarm_type: Some("1".into())
        }
    );
    assert_eq!(
        say("3015", "Flag=5;", "DataTime=20240520210600;VaseNo=1"),
        Content::SampleKept {
            time: time(),
            bottle: Some("1".into())
        }
    );
    assert_eq!(
        say("1001", "Flag=9;", "i23005-Info=L1"),
        Content::Identity(vec![("i23005".into(), "L1".into())])
    );
    assert_eq!(
        say("1014", "Flag=9;", "SKCreateTime=20240520210600"),
        Content::KeyRequest { created: time() }
    );
    assert_eq!(
        say("1061", "Flag=4;", "RtdInterval=30"),
        Content::Parameters(vec![Item::bare("RtdInterval", "30")])
    );
    assert_eq!(say("4711", "Flag=4;", "x=1"), Content::Other);
}

#[test]
fn commands_of_a_centre_and_answers() {
    let requests = [
        ("1000", "OverTime=5;ReCount=3"),
        ("1011", ""),
        ("1012", "SystemTime=20240520210600"),
        ("1061", ""),
        ("1072", "NewPW=654321"),
        ("2011", ""),
        ("2012", ""),
        ("2021", ""),
        ("2051", "BeginTime=20240520210600,EndTime=20240520210600"),
        ("3011", "PolId=w01018"),
        ("3015", ""),
        ("3019", "PolId=w01018"),
        ("3020", "PolId=w01018;InfoId=i11001"),
    ];
    for (cn, area) in requests {
        assert_eq!(
            say(cn, "Flag=5;", area),
            Content::Request { cn: cn.into() },
            "{cn}"
        );
    }
    assert_eq!(
        say("1001", "Flag=3;", "WarnTime=5"),
        Content::Request { cn: "1001".into() }
    );
    assert_eq!(
        say("9011", "Flag=4;", "QnRtn=1"),
        Content::Answer {
            kind: AnswerKind::Request,
            qn: Some("20240520210700000".into()),
            result: Some(1)
        }
    );
    // 2005 carries the QN of what is answered inside the data area.
    let message = message_of(&framed(
        "ST=91;CN=9012;CP=&&QN=20040516010101001;ExeRtn=100&&",
    ));
    assert_eq!(
        content(&message),
        Content::Answer {
            kind: AnswerKind::Execution,
            qn: Some("20040516010101001".into()),
            result: Some(100)
        }
    );
}
