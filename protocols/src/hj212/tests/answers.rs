//! Answers in the dialect of the sender.

use super::*;

fn answer_text(segment: &str) -> Option<String> {
    let answer = answer(&message_of(&framed(segment)))?;
    let frames = frames_of(&answer.bytes);
    assert_eq!(frames.len(), 1);
    assert!(frames[0].len_ok && frames[0].has_crlf());
    assert_eq!(frames[0].crc, CrcVerdict::Hj212);
    assert_eq!(parse(&frames[0]).cn(), answer.cn);
    Some(String::from_utf8(frames[0].segment_bytes().to_vec()).unwrap())
}

const DATA: &str = "CP=&&DataTime=20240520210600;a21026-Rtd=1.5&&";

fn expect(cases: &[(String, Option<&str>)]) {
    for (segment, expected) in cases {
        assert_eq!(answer_text(segment).as_deref(), *expected, "{segment}");
    }
}

#[test]
fn data_and_notices_since_2017() {
    let cases = [
        (
            format!("QN=20240520210700001;ST=31;CN=2011;PW=123456;MN=FICTION0000001;Flag=5;{DATA}"),
            Some("QN=20240520210700001;ST=91;CN=9014;PW=123456;MN=FICTION0000001;Flag=4;CP=&&&&"),
        ),
        (
            format!("QN=20240520210700001;ST=31;CN=2011;PW=123456;MN=FICTION0000001;Flag=4;{DATA}"),
            None,
        ),
        // A packet of a split message is answered with its own QN.
        (
            format!("QN=20240520210700001;ST=31;CN=2051;PW=123456;MN=A;Flag=7;PNUM=2;PNO=2;{DATA}"),
            Some("QN=20240520210700001;ST=91;CN=9014;PW=123456;MN=A;Flag=4;CP=&&&&"),
        ),
        // The surface-water profile keeps its version bits.
        (
            format!("QN=20240520210700001;ST=21;CN=2011;PW=123456;MN=A110000_0009;Flag=9;{DATA}"),
            Some("QN=20240520210700001;ST=91;CN=9014;PW=123456;MN=A110000_0009;Flag=8;CP=&&&&"),
        ),
        (
            "QN=20240520210700001;ST=31;CN=1013;PW=123456;MN=A;Flag=5;CP=&&&&".to_owned(),
            Some("QN=20240520210700001;ST=91;CN=9013;PW=123456;MN=A;Flag=4;CP=&&&&"),
        ),
        (
            "QN=20240520210700001;ST=31;CN=9015;PW=123456;MN=010000A8900016F000169DC0;Flag=9;\
             CP=&&&&"
                .to_owned(),
            Some(
                "QN=20240520210700001;ST=91;CN=9013;PW=123456;MN=010000A8900016F000169DC0;Flag=8;\
                 CP=&&&&",
            ),
        ),
    ];
    expect(&cases);
}

#[test]
fn uploads_of_2005() {
    let cases = [
        // 2005 repeats what is answered inside the data area.
        (
            format!("ST=32;CN=2051;QN=20040516010101001;PW=1;MN=A;PNO=1;PNUM=1;{DATA}"),
            Some("ST=91;CN=9014;PW=1;MN=A;CP=&&QN=20040516010101001;CN=2051;PNO=1;PNUM=1&&"),
        ),
        (
            format!("QN=20040516010101001;ST=32;CN=2011;MN=A;Flag=1;{DATA}"),
            Some("ST=91;CN=9014;MN=A;Flag=0;CP=&&QN=20040516010101001;CN=2011&&"),
        ),
        (
            "QN=20040516010101001;ST=32;CN=2072;PW=1;MN=A;Flag=0;CP=&&AlarmTime=20040506010101&&"
                .to_owned(),
            Some("ST=91;CN=9013;PW=1;MN=A;Flag=0;CP=&&QN=20040516010101001&&"),
        ),
        // 2005 without QN and Flag wants nothing.
        (format!("ST=32;CN=2011;PW=1;MN=A;{DATA}"), None),
    ];
    expect(&cases);
}

#[test]
fn nothing_to_repeat_and_nothing_to_answer() {
    let cases = [
        // Without a QN there is nothing to repeat.
        (
            format!("ST=32;CN=2011;MN=A;Flag=5;{DATA}"),
            Some("ST=91;CN=9014;MN=A;Flag=4;CP=&&&&"),
        ),
        (
            format!("ST=32;CN=2011;MN=A;Flag=1;{DATA}"),
            Some("ST=91;CN=9014;MN=A;Flag=0;CP=&&CN=2011&&"),
        ),
        // Answers and commands of a centre get nothing, or two centres would talk forever.
        (
            "QN=20240520210700001;ST=91;CN=9014;MN=A;Flag=9;CP=&&&&".to_owned(),
            None,
        ),
        (
            "QN=20240520210700001;ST=91;CN=9011;MN=A;Flag=5;CP=&&QnRtn=1&&".to_owned(),
            None,
        ),
        (
            "QN=20240520210700001;ST=32;CN=2011;MN=A;Flag=5;CP=&&&&".to_owned(),
            None,
        ),
        (
            "QN=20240520210700001;ST=91;CN=9021;MN=A;Flag=1;CP=&&&&".to_owned(),
            None,
        ),
    ];
    expect(&cases);
}

#[test]
fn an_execution_result_of_2005_may_be_acknowledged() {
    assert_eq!(
        answer_text("ST=91;CN=9012;MN=A;Flag=1;CP=&&QN=20040516010101001;ExeRtn=1&&").as_deref(),
        Some("ST=91;CN=9014;MN=A;Flag=0;CP=&&QN=20040516010101001;CN=9012&&")
    );
}

#[test]
fn damaged_header_texts_are_not_echoed() {
    let text = answer_text(&format!(
        "QN=2024\u{7}1;ST=31;CN=2011;MN=测站;Flag=5;{DATA}"
    ));
    assert_eq!(text.as_deref(), Some("ST=91;CN=9014;Flag=4;CP=&&&&"));
}

#[test]
fn a_device_with_its_own_check_code_can_be_answered_in_it() {
    let message = message_of(&framed(&format!("ST=31;CN=2011;MN=A;Flag=5;{DATA}")));
    let answer = answer_as(&message, CrcStyle::mirror(CrcVerdict::Modbus)).unwrap();
    assert_eq!(frames_of(&answer.bytes)[0].crc, CrcVerdict::Modbus);
}
