//! Commands of a centre: from a form to a frame and back, in each edition.

use proptest::prelude::*;

use super::fixture::samples;
use super::*;

const EDITIONS: [Edition; 4] = [
    Edition::V2005,
    Edition::V2017,
    Edition::V2025,
    Edition::Unknown,
];

fn context(edition: Edition) -> RequestContext {
    let mn = match edition {
        Edition::Unknown => "A110000_0009",
        Edition::V2005 => "FICTION0000001",
        Edition::V2017 | Edition::V2025 => "0100000000F0000000000001",
    };
    RequestContext {
        qn: "20240520210700123".into(),
        st: "31".into(),
        pw: "123456".into(),
        mn: mn.into(),
    }
}

/// A value of this kind; `seed` chooses among those it may have.
fn value(kind: ParamKind, seed: u32) -> String {
    match kind {
        ParamKind::Number { min, max } => (min + seed % (max - min + 1)).to_string(),
        ParamKind::Decimal => format!("-{}.{}", seed % 1000, seed % 10),
        ParamKind::Time => LocalTime::from_unix_ms(i64::from(seed) * 1000, 480).digits14(),
        ParamKind::HourMinute => format!("{:02}{:02}", seed % 24, seed % 60),
        ParamKind::HourMinuteSecond => {
            format!("{:02}{:02}{:02}", seed % 24, seed % 60, seed % 59)
        }
        ParamKind::Choice(choices) => {
            choices[usize::try_from(seed).unwrap() % choices.len()].to_owned()
        }
        ParamKind::Text { max } => format!("a{:05}", seed % 100_000)[..6.min(max)].to_owned(),
        ParamKind::Secret { len } => format!("{seed:0len$}")[..len].to_owned(),
    }
}

/// A filled form of this order.
pub(super) fn form(order: &Order, seed: u32, repeats: usize, all: bool) -> Vec<(String, String)> {
    let mut form = Vec::new();
    for (index, parameter) in order.parameters.iter().enumerate() {
        let count = match parameter.presence {
            Presence::Required => 1,
            Presence::Optional => usize::from(all),
            Presence::Repeated => repeats.max(1),
            Presence::AnyNumber => repeats,
        };
        for repeat in 0..count {
            // Later times come later: the end is not before the beginning.
            let offset = u32::try_from(index * 7 + repeat).unwrap();
            form.push((
                parameter.name.to_owned(),
                value(parameter.kind, seed.saturating_add(offset)),
            ));
        }
    }
    form
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_form_becomes_a_frame_that_is_read_as_the_same_request(
        seed in 0u32..4_000_000_000,
        repeats in 0usize..4,
        all in any::<bool>(),
    ) {
        for edition in EDITIONS {
            for order in orders(edition) {
                let form = form(order, seed, repeats, all);
                let request = Request::from_params(order.cn, edition, &form).unwrap();
                prop_assert_eq!(request.cn(), order.cn);
                let again = Request::from_params(order.cn, edition, &request.params(edition));
                prop_assert_eq!(again.as_ref(), Ok(&request));
                let frame = request.build(edition, &context(edition)).unwrap();
                let message = message_of(&frame.build(&BuildOptions::default()).unwrap());
                prop_assert_eq!(Request::read_as(&message, edition), Ok(request.clone()));
                prop_assert!(message.header.wants_answer());
                if edition != Edition::Unknown {
                    let told = Content::Request { cn: order.cn.into() };
                    prop_assert_eq!(content(&message), told, "{} {}", order.cn, edition);
                    prop_assert_eq!(message.edition, edition);
                    prop_assert_eq!(Request::read(&message), Ok(request.clone()));
                }
            }
        }
    }

    #[test]
    fn any_items_under_any_number_are_read_or_refused_in_words(
        cn in "[123][0-9]{3}",
        area in "([A-Za-z]{2,8}(-[A-Za-z]{2,8})?=[ -~]{0,12}[;,]){0,6}",
        flag in 0u8..12,
    ) {
        let message = message_of(&framed(&format!(
            "QN=20240520210700123;ST=31;CN={cn};PW=123456;MN=FICTION0000001;Flag={flag};\
             CP=&&{}&&",
            area.replace(['#', '&'], "")
        )));
        for edition in EDITIONS {
            if let Err(error) = Request::read_as(&message, edition) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn the_examples_of_the_file_are_read() {
    let mut read = 0;
    for sample in samples() {
        let Some(frame) = frames_of(&sample.wire).pop() else {
            continue;
        };
        let message = parse(&frame);
        if !matches!(content(&message), Content::Request { .. }) {
            continue;
        }
        match Request::read(&message) {
            Ok(request) => {
                assert_eq!(request.cn(), message.cn(), "line {}", sample.line);
                read += 1;
            }
            Err(error) => panic!("line {}: {error}", sample.line),
        }
    }
    assert!(read > 60, "{read}");
}

#[test]
fn each_edition_has_its_own_words() {
    let text = |request: &Request, edition| {
        let frame = request.build(edition, &context(edition)).unwrap();
        let bytes = frame.build(&BuildOptions::default()).unwrap();
        let frame = frames_of(&bytes).pop().unwrap();
        String::from_utf8(frame.segment_bytes().to_vec()).unwrap()
    };
    let password = Request::SetPassword {
        new: Secret::new("654321"),
    };
    assert_eq!(
        text(&password, Edition::V2005),
        "QN=20240520210700123;ST=31;CN=1072;PW=123456;MN=FICTION0000001;Flag=1;CP=&&PW=654321&&"
    );
    assert_eq!(
        text(&password, Edition::V2017),
        "QN=20240520210700123;ST=31;CN=1072;PW=123456;MN=0100000000F0000000000001;Flag=5;\
         CP=&&NewPW=654321&&"
    );
    let parameter = Request::SetParameter {
        pol_id: Some("w01018".into()),
        info_id: "i13004".into(),
        value: "168.0".into(),
    };
    assert_eq!(
        text(&parameter, Edition::V2025),
        "QN=20240520210700123;ST=31;CN=3021;PW=123456;MN=0100000000F0000000000001;Flag=9;\
         CP=&&PolId=w01018;InfoId=i13004;i13004-Info=168.0&&"
    );
    let hours = Request::SetSamplingTimes {
        pol_id: "101".into(),
        hours: vec![4, 10],
    };
    assert_eq!(
        text(&hours, Edition::V2005),
        "QN=20240520210700123;ST=31;CN=3014;PW=123456;MN=FICTION0000001;Flag=1;\
         CP=&&PolID=101;CTime=04;CTime=10&&"
    );
    // The number is there, the meaning is not.
    assert_eq!(
        hours.build(Edition::V2017, &context(Edition::V2017)),
        Err(RequestError::Unexpected {
            cn: "3014",
            name: "CTime".to_owned()
        })
    );
}

#[test]
fn a_wrong_form_is_refused_in_words_that_help() {
    let refuse = |cn: &str, edition, form: &[(&str, &str)]| {
        Request::from_params(cn, edition, form)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refuse("1062", Edition::V2017, &[("RtdInterval", "5")]),
        "parameter RtdInterval is \"5\"; give a whole number from 30 to 3600"
    );
    assert_eq!(
        refuse("1064", Edition::V2017, &[("MinInterval", "7")]),
        "parameter MinInterval is \"7\"; give one of 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30"
    );
    assert_eq!(
        refuse("1072", Edition::V2017, &[("NewPW", "12")]),
        "parameter NewPW is \"***\"; give 6 letters or digits"
    );
    assert_eq!(
        refuse("3012", Edition::V2017, &[("PolId", "a;b")]),
        "parameter PolId is \"a;b\"; give at most 20 bytes without ; , & # ="
    );
    assert_eq!(
        refuse("3012", Edition::V2017, &[("PolId", "")]),
        "parameter PolId is missing; give at most 20 bytes without ; , & # ="
    );
    assert_eq!(
        refuse("1061", Edition::V2017, &[("RtdInterval", "30")]),
        "command 1061 has no parameter \"RtdInterval\"; leave it out"
    );
    assert_eq!(
        refuse("1064", Edition::V2005, &[]),
        "edition 2005 has no request \"1064\"; choose another command or edition"
    );
    let backwards = [
        ("BeginTime", "20240520220000"),
        ("EndTime", "20240520210000"),
    ];
    assert_eq!(
        refuse("2061", Edition::V2017, &backwards),
        "EndTime 2024-05-20T21:00:00 is before BeginTime 2024-05-20T22:00:00; exchange them"
    );
}

#[test]
fn secrets_are_shown_nowhere() {
    let request = Request::SetPassword {
        new: Secret::new("654321"),
    };
    assert!(!format!("{request:?}").contains("654321"));
    assert_eq!(
        request.params_masked(Edition::V2017),
        [("NewPW".into(), "***".to_owned())]
    );
    let open = Request::SetRealtimeInterval { seconds: 30 };
    assert_eq!(
        open.params_masked(Edition::V2017),
        [("RtdInterval".into(), "30".to_owned())]
    );
}
