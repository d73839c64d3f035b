//! Cipher text against the examples printed for annex A of 2025, and round trips.

use proptest::prelude::*;

use super::*;
use crate::hj212::tests::fixture::samples;
use crate::hj212::tests::{findings_of, frames_of, steps};
use crate::hj212::{
    Action, BuildOptions, CrcStyle, Edition, FrameBuilder, Framing, Item, Session, SessionConfig,
    Step, build, parse, parse_with_key,
};

/// The key of the printed examples: 16 characters `0`.
fn printed_key() -> Sm4Key {
    Sm4Key::from_text("0000000000000000").unwrap()
}

#[test]
fn a_key_is_sixteen_bytes_and_keeps_quiet() {
    let key = Sm4Key::from_text("30303030303030303030303030303030").unwrap();
    assert_eq!(key, printed_key());
    assert_eq!(key.bytes(), b"0000000000000000");
    assert_eq!(format!("{key:?}"), "Sm4Key(..)");
    assert_ne!(key, Sm4Key::from_text("0000000000000001").unwrap());
    let long = "0".repeat(33);
    let wrong = [
        "",
        "0",
        "00000000 0000000",
        "x0000000000000000000000000000000",
        "钥匙钥匙钥",
        &long,
    ];
    for text in wrong {
        assert_eq!(Sm4Key::from_text(text), Err(KeyError::Shape(text.len())));
    }
}

#[test]
fn one_block_of_the_cipher_standard() {
    // GM/T 0002-2012, annex A: key and text are the same bytes.
    let text: [u8; 16] = [
        0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32,
        0x10,
    ];
    let mut block = text;
    let key = Sm4Key::new(text);
    key.encipher_blocks(&mut block);
    assert_eq!(
        block,
        [
            0x68, 0x1E, 0xDF, 0x34, 0xD2, 0x06, 0x96, 0x5E, 0x86, 0xB3, 0xE9, 0x4F, 0x53, 0x6E,
            0x42, 0x46
        ]
    );
    key.decipher_blocks(&mut block);
    assert_eq!(block, text);
}

/// The multimedia example of annex H enciphers `user:password` with padding (PKCS #7): the same
/// cipher under another key.
#[test]
fn the_authorisation_of_annex_h() {
    let mut text = b"testuser:AezF0nZRs4kypuGO".to_vec();
    text.extend([7u8; 7]);
    Sm4Key::from_text("msbE74gsiSHSEh5e")
        .unwrap()
        .encipher_blocks(&mut text);
    let expected = [
        0x2C, 0x6F, 0xE6, 0xEE, 0x5B, 0x05, 0x53, 0xFB, 0x5A, 0x8A, 0x0F, 0xAF, 0x6D, 0x0B, 0x03,
        0x25, 0x7C, 0xB8, 0x34, 0x60, 0x1A, 0x13, 0x68, 0xF6, 0x96, 0x99, 0x4F, 0xC2, 0x16, 0x4C,
        0xEE, 0x23,
    ];
    assert_eq!(text, expected);
}

#[test]
fn every_enciphered_frame_of_the_file_opens_with_its_key() {
    let mut opened = 0;
    for sample in samples() {
        let Some(plain) = &sample.plain else { continue };
        let line = sample.line;
        let frame = frames_of(&sample.wire).remove(0);
        let clear = decipher(&frame, &printed_key()).unwrap();
        assert_eq!(&clear.segment, plain, "line {line}");
        assert_eq!(clear.crc == CrcVerdict::Hj212, sample.crc_ok, "line {line}");
        assert!(clear.is_right(), "line {line}");

        let message = parse_with_key(&frame, Some(&printed_key()));
        assert!(message.encrypted && message.deciphered, "line {line}");
        assert_eq!(message.crc, CrcVerdict::Hj212, "line {line}");
        assert_eq!(message.edition, Edition::V2025);
        assert_eq!(message.items[1].get("Avg").unwrap(), "1.35");
        let printed = findings_of(&message).contains(&"encrypted-printed");
        assert_eq!(printed, clear.printed, "line {line}");
        assert!(!findings_of(&message).contains(&"encrypted"), "line {line}");

        let wrong = parse_with_key(&frame, Some(&Sm4Key::new([1; 16])));
        assert_eq!((wrong.crc, wrong.deciphered), (CrcVerdict::Bad, false));
        assert!(wrong.items.is_empty() && findings_of(&wrong).contains(&"decipher-failed"));
        opened += 1;
    }
    assert_eq!(opened, 4);
}

#[test]
fn raw_frames_of_the_file_are_what_the_encoder_writes() {
    for sample in samples() {
        let (Some(plain), true) = (&sample.plain, sample.len_ok) else {
            continue;
        };
        let clear = build::envelope(plain, &BuildOptions::default());
        assert_eq!(
            encipher(&clear, &printed_key()).as_ref(),
            Some(&sample.wire)
        );
    }
}

#[test]
fn what_cannot_be_enciphered_is_refused_and_short_areas_stay_clear() {
    let key = printed_key();
    for text in [
        "",
        "##",
        "##0004CP=&",
        "##0009CP=&&x=1&",
        "##0099CP=&&x=1&&",
    ] {
        assert_eq!(encipher(text.as_bytes(), &key), None, "{text}");
    }
    let short = build::envelope(b"CN=9014;Flag=8;CP=&&&&", &BuildOptions::default());
    assert_eq!(encipher(&short, &key).as_ref(), Some(&short));
    let frame = frames_of(&short).remove(0);
    assert_eq!(decipher(&frame, &key), None);
    assert_eq!(parse_with_key(&frame, Some(&key)), parse(&frame));
}

#[test]
fn commands_that_must_be_enciphered() {
    for cn in ["2000", "2011", "2999", "1014", "3020"] {
        assert!(must_be_enciphered(cn), "{cn}");
    }
    for cn in ["", "2", "20111", "1013", "3019", "9014", "2x11"] {
        assert!(!must_be_enciphered(cn), "{cn}");
    }
}

/// A message of one block whose cipher text happens to be mostly printable is found with the key.
#[test]
fn cipher_text_that_looks_clear_is_opened_all_the_same() {
    let mut found = 0;
    for number in 0..1000u32 {
        let frame = FrameBuilder::new(Edition::V2025, "31", "1014")
            .qn("20240520210700998")
            .mn("010000A8900016F000169DC0")
            .item(Item::bare("SKCreateTime", &format!("{number:03}")))
            .build(&BuildOptions::default())
            .unwrap();
        let wire = encipher(&frame, &printed_key()).unwrap();
        let cut = frames_of(&wire).remove(0);
        found += usize::from(!parse(&cut).encrypted);
        let message = parse_with_key(&cut, Some(&printed_key()));
        assert!(message.encrypted && message.deciphered, "{number}");
        assert_eq!(
            message.bare("SKCreateTime").unwrap(),
            &format!("{number:03}")
        );
    }
    assert!(found > 0, "1000 blocks hold one that looks clear");
}

/// Cipher text made of the marks that frames are cut by, among random bytes.
fn marked_blocks() -> impl Strategy<Value = Vec<u8>> {
    let marks: Vec<&'static [u8]> = vec![
        b"&&",
        b"&&1C80\r\n",
        b"&&2200##",
        b"##0101QN=",
        b"##12AB",
        b"\r\n",
        b"\0",
        b"CP=&&",
        b"&&&&",
        b"##0a##0b",
        b"&",
    ];
    // Unprintable bytes between the marks, as cipher text has them.
    let piece = (
        prop_oneof![
            proptest::sample::select(marks).prop_map(<[u8]>::to_vec),
            proptest::collection::vec(any::<u8>(), 1..9),
        ],
        proptest::collection::vec(0x80u8.., 6..12),
    );
    proptest::collection::vec(piece, 1..20).prop_map(|pieces| {
        let mut bytes: Vec<u8> = pieces
            .into_iter()
            .flat_map(|(a, b)| [a, b].concat())
            .collect();
        bytes.resize(bytes.len().next_multiple_of(BLOCK_BYTES), 0xA5);
        bytes
    })
}

const HEADER: &[u8] =
    b"QN=20240520210700000;ST=31;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&";

/// The frame of this cipher text: its check code is that of what the key makes of it.
fn frame_around(cipher: &[u8], key: &Sm4Key) -> Vec<u8> {
    let mut clear = cipher.to_vec();
    key.decipher_blocks(&mut clear);
    let code = CrcStyle::Hj212.text(&[HEADER, &clear, b"&&"].concat());
    let options = BuildOptions {
        crc: CrcStyle::Fixed(u16::from_str_radix(&code, 16).unwrap()),
        ..BuildOptions::default()
    };
    build::envelope(&[HEADER, cipher, b"&&"].concat(), &options)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    })]

    #[test]
    fn enciphered_frames_come_back(
        bytes in any::<[u8; 16]>(),
        values in proptest::collection::vec("-?[0-9]{1,6}(\\.[0-9]{1,4})?", 0..30),
    ) {
        let key = Sm4Key::new(bytes);
        let items = values.iter().enumerate().map(|(at, value)| {
            Item::factor(&format!("a{at:05}"), &[("Avg", value), ("Flag", "N")])
        });
        let frame = FrameBuilder::new(Edition::V2025, "31", "2051")
            .qn("20240520210700998").mn("010000A8900016F000169DC0")
            .data_time("20240520210600").items(items)
            .build(&BuildOptions::default()).unwrap();
        let wire = encipher(&frame, &key).unwrap();
        prop_assert_eq!(wire.len(), frame.len());
        let cut = frames_of(&wire);
        prop_assert_eq!(cut.len(), 1);
        let clear = decipher(&cut[0], &key).unwrap();
        prop_assert!(clear.is_right());
        let sent = frames_of(&frame).remove(0);
        prop_assert_eq!(&clear.segment, sent.segment_bytes());
        let message = parse_with_key(&cut[0], Some(&key));
        let mut plain = parse(&sent);
        (plain.encrypted, plain.deciphered) = (true, true);
        prop_assert_eq!(message, plain);
    }

    /// Only the declared length parts cipher text from what follows, whatever marks it holds and
    /// however reads cut it.
    #[test]
    fn cipher_text_with_every_mark_is_framed_by_its_length(
        cipher in marked_blocks(),
        cut in 1usize..40,
    ) {
        let key = printed_key();
        let frame = frame_around(&cipher, &key);
        let next = build::envelope(&[HEADER, b"&&"].concat(), &BuildOptions::default());
        let stream = [frame.as_slice(), &next].concat();
        let pieces: Vec<&[u8]> = stream.chunks(cut).collect();
        let found = steps(&pieces);
        prop_assert_eq!(found.len(), 2, "{:?}", found);
        let Step::Frame(first) = &found[0] else { return Err(TestCaseError::fail("garbage")) };
        prop_assert_eq!(&first.bytes, &frame);
        prop_assert_eq!(first.how, Framing::Length);

        let mut session = Session::new(SessionConfig::default());
        let mut frames = Vec::new();
        for piece in pieces {
            for action in session.on_bytes(0, piece) {
                if let Action::Frame(frame, _) = action {
                    frames.push(frame.bytes);
                }
            }
        }
        prop_assert_eq!(frames, vec![frame, next]);
    }

    #[test]
    fn deciphering_any_frame_is_harmless(
        area in proptest::collection::vec(any::<u8>(), 0..200),
        printed in any::<bool>(),
    ) {
        let head: &[u8] = if printed { b"{0x" } else { b"" };
        let segment = [b"CN=2011;Flag=9;CP=&&", head, &area, b"&&"].concat();
        for frame in frames_of(&build::envelope(&segment, &BuildOptions::default())) {
            let _ = parse_with_key(&frame, Some(&printed_key()));
            if let Some(clear) = decipher(&frame, &printed_key()) {
                prop_assert!(clear.printed || clear.segment.len() == frame.segment.len());
            }
        }
    }
}
