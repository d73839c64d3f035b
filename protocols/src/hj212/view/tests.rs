//! What the view reads, and that it reads like the tolerant reader.

use proptest::prelude::*;

use super::*;
use crate::hj212::tests::fixture::samples;
use crate::hj212::tests::frames_of;
use crate::hj212::{BuildOptions, Message, build, parse};

const SEGMENT: &[u8] = b"QN=20240520210700998;ST=31;CN=2051;PW=123456;MN=FICTION0000001;\
    Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20240520210600;a21026-Min=1.05,a21026-Avg=-1.50,\
    a21026-Flag=N;i1-Info=//a;b//;x&&";

#[test]
fn a_frame_is_read_where_it_lies() {
    let frame = build::envelope(SEGMENT, &BuildOptions::default());
    let bytes = [frame.as_slice(), b"##01"].concat();
    let view = frame_at(&bytes).expect("a frame of the standard");
    assert_eq!(view.bytes, frame);
    assert_eq!(view.crc, CrcVerdict::Hj212);
    let header = HeaderView {
        qn: Some("20240520210700998"),
        st: Some("31"),
        cn: Some("2051"),
        pw: Some("123456"),
        mn: Some("FICTION0000001"),
        flag: Some(7),
        pnum: Some(2),
        pno: Some(1),
        rf: false,
    };
    assert_eq!(view.header, header);
    assert!(header.wants_answer() && header.declares_packets());
    assert_eq!(header_at(&bytes[..100]), Some(header));
    assert_eq!(header_at(&bytes[..80]), None);
    let time = LocalTime::parse("20240520210600").unwrap();
    assert_eq!(view.data_time(), Some(time));
    let number = |value, scale| ValueView::Number(Decimal::new(value, scale));
    let read: Vec<_> = view
        .fields()
        .map(|field| (field.name(), field.part(), field.value()))
        .collect();
    assert_eq!(
        read,
        [
            ("DataTime", "", ValueView::Time(time)),
            ("a21026", "Min", number(105, 2)),
            ("a21026", "Avg", number(-150, 2)),
            ("a21026", "Flag", ValueView::Text("N")),
            ("i1", "Info", ValueView::Text("//a;b//")),
            ("x", "", ValueView::Empty),
        ]
    );
}

#[test]
fn what_is_off_the_letter_is_left_to_the_tolerant_reader() {
    let segment = "ST=31;CN=2011;MN=FICTION0000001;CP=&&a-Rtd=1&&";
    let good = build::envelope(segment.as_bytes(), &BuildOptions::default());
    assert!(frame_at(&good).is_some());
    for length in 0..good.len() {
        assert_eq!(frame_at(&good[..length]), None, "{length}");
    }
    for segment in [
        "ST=31;CN=2011;st=31;CP=&&&&",
        "ST=31;ST=31;CP=&&&&",
        "ST=31;CN= 2011;CP=&&&&",
        "ST=31;AL=1;CP=&&&&",
        "ST=31,CN=2011;CP=&&&&",
        "ST=31CP=&&&&",
        "ST=31;CP=&&x=1",
        "ST=31;cp=&&x=1&&",
        "ST=31;CN;CP=&&x=1&&",
        "ST=31",
    ] {
        let frame = build::envelope(segment.as_bytes(), &BuildOptions::default());
        assert_eq!(frame_at(&frame), None, "{segment}");
    }
}

/// Name, sub-field and text of every field with a value, in an order that does not depend on
/// grouping.
fn flat(message: &Message) -> Vec<(String, String, String)> {
    let mut fields = Vec::new();
    for item in &message.items {
        for (part, value) in &item.fields {
            if value.is_empty() {
                continue;
            }
            let part = part.to_ascii_lowercase();
            fields.push((item.name.to_string(), part, value.to_string()));
        }
    }
    fields.sort();
    fields
}

/// `Some` when the view takes the frame; then it has been compared with the tolerant reader.
fn compared(bytes: &[u8]) -> Option<()> {
    let view = frame_at(bytes)?;
    let frame = frames_of(view.bytes).into_iter().next()?;
    if frame.bytes != view.bytes || frame.segment_bytes() != view.segment.as_bytes() {
        // A right code inside the frame ended it before its declared length.
        return None;
    }
    let message = parse(&frame);
    assert_eq!(view.crc, message.crc);
    let header = &message.header;
    assert_eq!(view.header.qn, header.qn.as_deref());
    assert_eq!(view.header.st, header.st.as_deref());
    assert_eq!(view.header.cn, header.cn.as_deref());
    assert_eq!(view.header.pw, header.pw.as_deref());
    assert_eq!(view.header.mn, header.mn.as_deref());
    assert_eq!(view.header.flag, header.flag);
    assert_eq!(view.header.pnum, header.pnum);
    assert_eq!(view.header.pno, header.pno);
    assert_eq!(view.header.rf, header.rf);
    let mut fields: Vec<_> = view
        .fields()
        .filter(|field| !field.text().is_empty())
        .map(|field| {
            let part = field.part().to_ascii_lowercase();
            (field.name().to_owned(), part, field.text().to_owned())
        })
        .collect();
    fields.sort();
    assert_eq!(fields, flat(&message));
    assert_eq!(
        view.data_time(),
        message
            .items
            .iter()
            .find(|item| item.name == "DataTime")
            .and_then(|item| LocalTime::parse(item.get("")?))
    );
    for field in view.fields() {
        // A number out of the view is what the text says.
        if let ValueView::Number(number) = field.value()
            && !field.text().contains(['e', 'E'])
        {
            let text = field.text().trim_start_matches('+');
            assert_eq!(Decimal::from_str_exact(text), Ok(number), "{text}");
        }
    }
    Some(())
}

#[test]
fn the_frames_file_is_read_alike() {
    let taken = samples()
        .iter()
        .filter(|sample| compared(&sample.wire).is_some())
        .count();
    assert!(taken > 150, "{taken} of {}", samples().len());
}

#[test]
fn a_code_is_read_alike_wherever_it_was_seen_before() {
    let long = "9".repeat(20);
    for area in [
        // The code comes back after bare fields, other codes, odd parts and values of all lengths.
        "a21026-Rtd=1;DataTime=20240520210600;a21026-ZsRtd=-1.5;a21026-Flag=N",
        "a21026-Rtd=1,a21002-Rtd=2,a21026-Flag=D;a21026-X=1;a21026-Avg=12345678;a21026-Max=.5",
        "a21026-Rtd=-,a21026-Rtd=.,a21026-Rtd=,a21026-Rtd=-.5,a21026-Rtd=5.;a21026-Flag=",
        "a21026-Rtd=1 ,a21026-Rtd= 1,a21026-Flag= N;a21026-Flag=//N,;//;a21026-Rtd=1e3",
        // Six characters that are no code: blanks, Chinese, a second dash, nothing.
        "  a026-Rtd=1; a0026-Rtd=2,排污-Rtd=3,排污-Flag=N;a-0026-Rtd=4;-----a-Rtd=5",
        "a=1;26-Rtd=6;,,,,,,-Rtd=7;\0\0\0\0\0\0\0Rtd=8;\0\0\0\0\0\0-Rtd=9",
        &format!("a21026-Cou={long},a21026-Cou=-{long};a21026-Cou={long}.{long}"),
    ] {
        for end in [
            "",
            ";",
            ",a21026-Min=0.0",
            ";a21026-Flag=ABCDEFGH",
            ";a21026-Flag=ABCDEFGHI",
        ] {
            let segment = format!("ST=31;CN=2011;MN=FICTION0000001;CP=&&{area}{end}&&");
            let frame = build::envelope(segment.as_bytes(), &BuildOptions::default());
            assert_eq!(compared(&frame), Some(()), "{area}{end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn view_and_tolerant_reader_agree(
        header in "(QN=[0-9]{0,17};|ST=[0-9]{2};|CN=[0-9]{4};|MN=[A-Z0-9]{0,24};|Flag=[0-9]{1,3};|\
            PNUM=[0-9]{0,4};|PNO=[0-9];|RF=[01];|[ -~]{0,6}){0,8}",
        area in "(DataTime=2024[0-9]{10};|[aw]0100[12]-(ZsMin|Cou|Flag)=[-.0-9N/]{0,9}[;,]|\
            [aw][0-9]{5}-(Rtd|Avg|Flag|rtd|Info|X)=[-+0-9.eN/ ]{0,12}[;,]|\
            [ -~]{0,6}|[排污/]{0,4}|;|,|&){0,20}",
    ) {
        let segment = format!("{header}CP=&&{area}&&");
        compared(&build::envelope(segment.as_bytes(), &BuildOptions::default()));
    }

    #[test]
    fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = header_at(&bytes);
        compared(&bytes);
        compared(&build::envelope(&bytes, &BuildOptions::default()));
    }
}
