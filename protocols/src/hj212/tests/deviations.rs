//! Every deviation met in the field: one small frame each, what is read and what is reported.

use super::*;

const MN: &str = "FICTION0000001";

/// A right frame with this header tail and data area.
fn data(area: &str) -> Vec<u8> {
    framed(&format!(
        "QN=20240520210700000;ST=31;CN=2011;PW=123456;MN={MN};Flag=5;CP=&&{area}&&"
    ))
}

fn header(text: &str) -> Vec<u8> {
    framed(&format!(
        "{text};CP=&&DataTime=20240520210600;a21026-Rtd=1.5&&"
    ))
}

/// The values of the message, as `code=rtd`.
fn rtds(message: &Message) -> Vec<String> {
    match content(message) {
        Content::Data(record) => record
            .values
            .iter()
            .map(|value| format!("{}={}", value.code, value.rtd.as_deref().unwrap_or("-")))
            .collect(),
        other => panic!("no data: {other:?}"),
    }
}

#[test]
fn a_right_frame_has_no_findings() {
    let message = message_of(&data(
        "DataTime=20240520210600;a21026-Rtd=1.5,a21026-Flag=N",
    ));
    assert_eq!(findings_of(&message), [""; 0]);
    assert_eq!(rtds(&message), ["a21026=1.5"]);
}

#[test]
fn damage_of_the_data_area() {
    let cases: &[(&str, &str)] = &[
        (
            "CP=&&DataTime=20240520210600;a21026-Rtd=1.5",
            "missing-closing-&&",
        ),
        (
            "CP=DataTime=20240520210600;a21026-Rtd=1.5&&",
            "missing-opening-&&",
        ),
        (
            "CP=DataTime=20240520210600;a21026-Rtd=1.5",
            "missing-opening-&&",
        ),
        (
            "CP=&&DataTime=20240520210600;a21026-Rtd=1.5;&&",
            "trailing-semicolon",
        ),
        (
            "CP=&& DataTime=20240520210600;a21026-Rtd=1.5&&",
            "stray-blank",
        ),
        (
            "CP=&&DataTime=20240520210600; a21026-Rtd =1.5 &&",
            "stray-blank",
        ),
        (
            "CP =&&DataTime=20240520210600;a21026-Rtd=1.5&&",
            "flag-absent",
        ),
        ("cp=&&DataTime=20240520210600;a21026-Rtd=1.5&&", "name-case"),
        (
            "CP=&&DataTime=20240520210600;a21026-Rtd=1.5&&x",
            "text-after-cp",
        ),
        (
            "CP=&&DataTime=20240520210600,a21026-Rtd=1.5&&",
            "items-by-comma",
        ),
        (
            "CP=&&DataTime=20240520210600;a21026-Rtd=1.5;Flag=N&&",
            "flag-shared",
        ),
    ];
    for (area, finding) in cases {
        let message = message_of(&framed(&format!("ST=31;CN=2011;MN={MN};{area}")));
        assert_eq!(rtds(&message), ["a21026=1.5"], "{area}");
        assert!(
            findings_of(&message).contains(finding),
            "{area}: {:?}",
            findings_of(&message)
        );
    }
    let glued = message_of(&framed(
        "ST=31;CN=2011;Flag=5CP=&&DataTime=20240520210600;1-Rtd=2&&",
    ));
    assert_eq!(glued.header.flag, Some(5));
    assert!(findings_of(&glued).contains(&"missing-separator"));
    assert!(findings_of(&message_of(&framed("ST=31;CN=2011;MN=A"))).contains(&"cp-absent"));
}

#[test]
fn damage_of_the_header() {
    let cases: &[(&str, &str)] = &[
        (
            "ST=31;CN=2011;MN=FICTION0000001;PW=123456;Flag=4",
            "header-order",
        ),
        (
            "ST=31;CN=2011;PW=123456;MN=FICTION0000001;PNO=1;PNUM=2;Flag=6",
            "header-order",
        ),
        (
            "ST=31;CN=2011;PW=123456;MN=FICTION0000001;FLAG=0",
            "name-case",
        ),
        ("ST=31;CN=2011;PW=123456;,MN=FICTION0000001", "header-comma"),
        (
            "QN=20240520210700000,ST=31;CN=2011;MN=FICTION0000001;Flag=5",
            "header-comma",
        ),
        ("QN=;ST=31;CN=2011;PW=;MN=", "empty-value"),
        ("QN=;ST=31;CN=2011;PW=;MN=", "mn-absent"),
        ("QN=20240520210700;ST=31;CN=2011;MN=A", "qn-shape"),
        ("QN=202405202107000001;ST=31;CN=2011;MN=A", "qn-shape"),
        ("QN=Mon May 20 CST 2024;ST=31;CN=2011;MN=A", "qn-shape"),
        ("ST=31;CN=2011;MN=A-1_b", "mn-shape"),
        ("ST=31;CN=2011;PW=0123456789ABCDEF01234567;MN=A", "pw-shape"),
        ("ST=101;CN=2011;MN=A", "st-shape"),
        ("CN=2011;MN=A", "st-absent"),
        ("ST=31;CN=2011;MN=A;Flag=x", "flag-shape"),
        ("ST=31;CN=2011;MN=A", "flag-absent"),
        ("ST=31;CN=2011;MN=A;Flag=5", "qn-absent"),
        ("ST=31;CN=2011;MN=A;Flag=7", "split-without-numbers"),
        ("ST=31;CN=2011;MN=A;Flag=5;PNUM=1;PNO=1", "split-bit-unset"),
        (
            "ST=31;CN=2011;MN=A;Flag=6;PNUM=2;PNO=3",
            "split-number-wrong",
        ),
        (
            "ST=31;CN=2011;MN=A;Flag=6;PNUM=2;PNO=x",
            "split-number-wrong",
        ),
        ("ST=31;CN=2011;MN=A;AL=;GS=1", "header-extra"),
        ("ST=31;ST=32;CN=2011;MN=A", "duplicate-field"),
        ("ST=31;CN=2011;MN=A; Flag=4", "stray-blank"),
        ("ST=31;;CN=2011;MN=A", "empty-field"),
        ("hello;ST=31;CN=2011;MN=A", "no-equals"),
        ("ST=31;CN=2011;MN=A;RF=2", "rf-shape"),
    ];
    for (text, finding) in cases {
        let message = message_of(&header(text));
        assert!(
            findings_of(&message).contains(finding),
            "{text}: {:?}",
            findings_of(&message)
        );
        assert_eq!(rtds(&message), ["a21026=1.5"], "{text}");
    }
    let other = message_of(&framed("ST=31;CN=20x1;MN=A;CP=&&&&"));
    assert!(findings_of(&other).contains(&"cn-shape"));
    assert!(findings_of(&message_of(&framed("ST=31;CP=&&&&"))).contains(&"cn-absent"));
    let passwords = message_of(&header("ST=31;CN=2011;PW=secret-of-a-site;MN=A"));
    assert!(
        passwords
            .findings
            .iter()
            .all(|finding| !finding.detail.contains("secret"))
    );
}

#[test]
fn odd_values_keep_their_text() {
    let message = message_of(&data(
        "DataTime=20240520210600;a-Rtd=;b-Rtd=-0.900;c-Rtd=1.2e-3;d-Rtd=NaN,d-Flag=D;LA-td=50.1;\
         LA-Rtd-Rtd=71.0;FANSTATUS=1",
    ));
    let found = findings_of(&message);
    for finding in [
        "empty-value",
        "value-exponent",
        "value-not-a-number",
        "field-unknown",
    ] {
        assert!(found.contains(&finding), "{finding}: {found:?}");
    }
    let Content::Data(record) = content(&message) else {
        panic!("no data")
    };
    assert_eq!(
        rtds(&message),
        [
            "a=-",
            "b=-0.900",
            "c=1.2e-3",
            "d=NaN",
            "LA=-",
            "LA-Rtd=71.0"
        ]
    );
    assert_eq!(record.values[4].extra, [("td".into(), "50.1".into())]);
    assert_eq!(record.extra, [("FANSTATUS".into(), "1".into())]);
}

#[test]
fn data_times_of_other_lengths() {
    for (time, read) in [
        ("20240520210600123", true),
        ("202405202106001", true),
        ("2024052021060012", true),
        ("202405202106", false),
        ("20240532210600", false),
        ("", false),
    ] {
        let message = message_of(&data(&format!("DataTime={time};a21026-Rtd=1.5")));
        let Content::Data(record) = content(&message) else {
            panic!("no data")
        };
        assert_eq!(record.data_time.is_some(), read, "{time}");
        let finding = if time.is_empty() {
            "empty-value"
        } else if time.len() == 14 {
            "datatime-bad"
        } else {
            "datatime-length"
        };
        assert!(findings_of(&message).contains(&finding), "{time}");
    }
    let without = message_of(&data("a21026-Rtd=1.5"));
    assert!(findings_of(&without).contains(&"datatime-absent"));
}

#[test]
fn damage_of_the_envelope() {
    // A segment whose code has a letter and differs from itself with the bytes swapped.
    let segment = (0..)
        .map(|n| format!("ST=31;CN=2011;MN={MN};CP=&&DataTime=20240520210600;01-Rtd=1;x={n}&&"))
        .find(|segment| {
            let code = crc_hj212(segment.as_bytes());
            code >= 0xA000 && code != code.swap_bytes()
        })
        .unwrap();
    let build = |options: BuildOptions| build::envelope(segment.as_bytes(), &options);
    let crc = |crc| BuildOptions {
        crc,
        ..BuildOptions::default()
    };
    let length = |length| BuildOptions {
        length,
        ..BuildOptions::default()
    };
    let no_crlf = BuildOptions {
        crlf: false,
        ..BuildOptions::default()
    };
    let cases = [
        (no_crlf, "no-crlf"),
        (length(LengthStyle::Unpadded), "length-digits"),
        (length(LengthStyle::Fixed(6)), "length-wrong"),
        (length(LengthStyle::Fixed(70)), "length-wrong"),
        (length(LengthStyle::Fixed(888)), "length-wrong"),
        (crc(CrcStyle::Hj212Lower), "crc-lowercase"),
        (crc(CrcStyle::Hj212Swapped), "crc-swapped"),
        (crc(CrcStyle::Modbus), "crc-modbus"),
        (crc(CrcStyle::ModbusSwapped), "crc-modbus"),
        (crc(CrcStyle::Fixed(0)), "crc-bad"),
        (crc(CrcStyle::Fixed(0xFFFF)), "crc-bad"),
    ];
    for (options, finding) in cases {
        let message = message_of(&build(options));
        assert!(
            findings_of(&message).contains(&finding),
            "{finding}: {:?}",
            message.findings
        );
        assert_eq!(rtds(&message), ["01=1"], "{finding}");
    }
    let bare = [
        b"##",
        format!("{:04}", segment.len()).as_bytes(),
        segment.as_bytes(),
    ]
    .concat();
    assert!(findings_of(&message_of(&bare)).contains(&"crc-absent"));
    let code = CrcStyle::Hj212.text(segment.as_bytes());
    let blank = [bare.as_slice(), b" ", code.as_bytes()];
    assert_eq!(message_of(&blank.concat()).crc, CrcVerdict::Hj212);
    let long = format!(
        "ST=31;CN=2011;CP=&&DataTime=20240520210600;{}&&",
        "b-Rtd=1;".repeat(140)
    );
    assert!(findings_of(&message_of(&framed(&long))).contains(&"length-over-1024"));
}

#[test]
fn check_codes_without_their_leading_zeros() {
    // A segment whose code begins with a zero, printed as a number by the sender.
    let segment = (0..)
        .map(|n| format!("ST=31;CN=2011;MN=A{n};CP=&&DataTime=20240520210600;01-Rtd=1&&"))
        .find(|segment| crc_hj212(segment.as_bytes()) < 0x1000)
        .unwrap();
    let code = format!("{:X}", crc_hj212(segment.as_bytes()));
    for (length, tail) in [(segment.len(), "\r\n"), (segment.len(), ""), (9, "\r\n")] {
        let message = message_of(format!("##{length:04}{segment}{code}{tail}").as_bytes());
        assert_eq!(message.crc, CrcVerdict::Hj212, "{length} {tail:?}");
        assert!(findings_of(&message).contains(&"crc-short"));
    }
}

#[test]
fn chinese_text_in_utf8_and_gbk() {
    let text = "QN=20240520210700000;ST=31;CN=3020;PW=123456;MN=FICTION0000001;Flag=4;\
        CP=&&DataTime=20240520210600;PolId=w01018;i11001-Info=//清洗管路//&&";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    for (bytes, encoding) in [
        (text.as_bytes(), TextEncoding::Utf8),
        (gbk.as_ref(), TextEncoding::Gbk),
    ] {
        let message = message_of(&build::envelope(bytes, &BuildOptions::default()));
        assert_eq!(message.text_encoding, encoding);
        let gbk_reported = findings_of(&message).contains(&"gbk-text");
        assert_eq!(gbk_reported, encoding == TextEncoding::Gbk);
        let Content::FieldInfo { infos, .. } = content(&message) else {
            panic!("no info")
        };
        assert_eq!(infos, [("i11001".into(), "清洗管路".into())]);
    }
    let message = message_of(&build::envelope(
        b"ST=31;CN=2011;MN=\xFF\xFF;CP=&&&&",
        &BuildOptions::default(),
    ));
    assert_eq!(message.text_encoding, TextEncoding::Binary);
    assert!(findings_of(&message).contains(&"text-undecodable"));
    let message = message_of(&framed("ST=31;CN=2011;MN=A\0;CP=&&&&"));
    assert!(findings_of(&message).contains(&"control-bytes"));
}

#[test]
fn editions_by_more_than_one_sign() {
    let epc = "010000A8900016F000169DC0";
    let cases = [
        (format!("ST=31;CN=2011;MN={MN}"), "2005"),
        (
            format!("QN=20240520210700000;ST=31;CN=2011;MN={MN};Flag=3"),
            "2005",
        ),
        (
            format!("QN=20240520210700000;ST=31;CN=2011;MN={MN};Flag=5"),
            "2017",
        ),
        (
            format!("QN=20240520210700000;ST=31;CN=2011;MN={epc};Flag=9"),
            "2025",
        ),
        (
            format!("QN=20240520210700000;ST=31;CN=2011;MN={MN};Flag=9;RF=1"),
            "2025",
        ),
        (
            format!("QN=20240520210700000;ST=31;CN=2052;MN={MN};Flag=9"),
            "2025",
        ),
        (
            "QN=20240520210700000;ST=21;CN=2011;MN=A110000_0009;Flag=9".to_owned(),
            "?",
        ),
        (
            "QN=20240520210700000;ST=21;CN=2062;MN=A110000_0009;Flag=8".to_owned(),
            "?",
        ),
        (
            format!("QN=20240520210700000;ST=31;CN=2011;MN={epc};Flag=12"),
            "?",
        ),
    ];
    for (text, edition) in &cases {
        let message = message_of(&header(text));
        assert_eq!(message.edition.as_str(), *edition, "{text}");
        let uncertain = findings_of(&message).contains(&"edition-uncertain");
        assert_eq!(uncertain, *edition == "?", "{text}");
    }
    // Envelope of one edition, factor codes of another.
    assert!(findings_of(&message_of(&header(&cases[0].0))).contains(&"edition-mixed"));
    let old_codes = message_of(&data("DataTime=20240520210600;B02-Rtd=1;101-Rtd=2"));
    assert!(findings_of(&old_codes).contains(&"edition-mixed"));
    let unknown = message_of(&framed("ST=31;CN=9015;MN=FICTION0000001;CP=&&&&"));
    assert!(findings_of(&unknown).contains(&"cn-unknown"));
}
