//! Cutting streams that do not look like the standard's pictures.

use super::*;

const GOOD: &str = "QN=20240520210700000;ST=31;CN=2011;PW=123456;MN=FICTION0000001;Flag=5;\
    CP=&&DataTime=20240520210600;a21026-Rtd=1.5,a21026-Flag=N&&";

fn good() -> Vec<u8> {
    framed(GOOD)
}

fn with_length(length: u16, crlf: bool) -> Vec<u8> {
    let options = BuildOptions {
        length: LengthStyle::Fixed(length),
        crlf,
        ..BuildOptions::default()
    };
    build::envelope(GOOD.as_bytes(), &options)
}

/// Ways of the frames in a stream, and whether their codes agree.
fn ways(stream: &[u8]) -> Vec<(&'static str, bool)> {
    frames_of(stream)
        .iter()
        .map(|frame| (frame.how.as_str(), frame.crc.is_known()))
        .collect()
}

#[test]
fn nothing_comes_out_before_the_frame_is_whole() {
    let frame = good();
    let mut framer = Framer::default();
    assert_eq!(framer.wait(), Wait::Nothing);
    for (index, byte) in frame.iter().enumerate() {
        assert_eq!(framer.next(), Step::Incomplete, "byte {index}");
        framer.push(&[*byte]);
    }
    let Step::Frame(whole) = framer.next() else {
        panic!("no frame")
    };
    assert_eq!(whole.bytes, frame);
    assert_eq!(whole.segment_bytes(), GOOD.as_bytes());
    assert_eq!(whole.declared_len, Some(u32::try_from(GOOD.len()).unwrap()));
    assert!(whole.len_ok && whole.has_crlf());
    assert_eq!((whole.crc, whole.how), (CrcVerdict::Hj212, Framing::Length));
    assert_eq!(framer.next(), Step::Incomplete);
}

#[test]
fn a_missing_line_end_is_waited_for_only_briefly() {
    let mut framer = Framer::default();
    framer.push(&with_length(u16::try_from(GOOD.len()).unwrap(), false));
    assert_eq!(framer.next(), Step::Incomplete);
    assert_eq!(framer.wait(), Wait::LineEnd);
    assert!(matches!(framer.expire(), Step::Frame(frame) if frame.crc == CrcVerdict::Hj212));
}

#[test]
fn a_wrong_length_never_eats_the_next_frame() {
    let right = u16::try_from(GOOD.len()).unwrap();
    for length in [
        0,
        1,
        6,
        right - 13,
        right - 3,
        right + 1,
        right + 9,
        right + 200,
        888,
        9999,
    ] {
        for crlf in [true, false] {
            let mut stream = with_length(length, crlf);
            stream.extend(good());
            stream.extend(good());
            let sound = [("delimiter", true), ("length", true), ("length", true)];
            assert_eq!(ways(&stream), sound, "length {length}, crlf {crlf}");
        }
    }
}

#[test]
fn a_frame_with_a_too_long_length_does_not_wait_for_it() {
    let mut framer = Framer::default();
    framer.push(&with_length(888, true));
    let Step::Frame(frame) = framer.next() else {
        panic!("waits for 888 bytes")
    };
    assert_eq!((frame.how, frame.len_ok), (Framing::Delimiter, false));
}

#[test]
fn a_cut_frame_is_given_up_when_the_next_ones_show_up() {
    let mut stream = good()[..60].to_vec();
    stream.extend(good());
    stream.extend(good());
    assert_eq!(
        ways(&stream),
        [("no-crc", false), ("length", true), ("length", true)]
    );
    // Also when the cut frame declares more than will ever come.
    let mut stream = b"##9999QN=20240520;ST".to_vec();
    stream.extend(good());
    let mut framer = Framer::default();
    framer.push(&stream);
    assert_eq!(framer.next(), Step::Incomplete);
    framer.push(&good());
    assert!(matches!(framer.next(), Step::Frame(frame) if frame.how == Framing::NoCrc));
    assert!(matches!(framer.next(), Step::Frame(frame) if frame.crc == CrcVerdict::Hj212));
}

#[test]
fn a_declared_length_that_never_fills_expires() {
    let mut framer = Framer::default();
    framer.push(b"##0400ST=31;CN=2011;CP=&&DataTime=2024");
    assert_eq!(framer.next(), Step::Incomplete);
    assert_eq!(framer.wait(), Wait::Body);
    let Step::Frame(frame) = framer.expire() else {
        panic!("nothing salvaged")
    };
    assert_eq!(frame.crc, CrcVerdict::Bad);
    assert_eq!(framer.expire(), Step::Incomplete);
    assert_eq!(framer.pending(), 0);
}

#[test]
fn foreign_bytes_come_out_as_garbage_around_the_frames() {
    let foreign: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: example.invalid\r\n\r\n",
        b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0A",
        b"REG:000000000001,HELLO\r\n",
        b"#",
        b"##",
        b"##12345##",
    ];
    for bytes in foreign {
        let stream = [bytes, &good(), bytes, &good(), bytes].concat();
        let steps = steps(&[&stream]);
        let frames = steps
            .iter()
            .filter(|step| matches!(step, Step::Frame(_)))
            .count();
        assert_eq!(frames, 2, "{bytes:?}");
        assert_eq!(bytes_of(&steps), stream, "{bytes:?}");
    }
}

#[test]
fn a_stream_without_heads_is_cut_into_bounded_pieces() {
    let limits = Limits {
        segment_bytes_max: 100,
        buffer_bytes_max: 1000,
    };
    let mut framer = Framer::new(limits);
    let mut out = 0;
    for _ in 0..500 {
        framer.push(&[b'x'; 77]);
        while let Step::Garbage(garbage) = framer.next() {
            assert_eq!(garbage.len(), 1000);
            out += garbage.len();
        }
        assert!(framer.pending() < 1000 + 77);
    }
    assert_eq!(out + framer.pending(), 500 * 77);
}

#[test]
fn a_head_without_an_end_is_given_up_at_the_limit() {
    let mut framer = Framer::default();
    framer.push(b"##0100QN=");
    framer.push(&vec![b'x'; 20_000]);
    assert!(matches!(framer.next(), Step::Garbage(garbage) if garbage.len() < 11_000));
    assert!(framer.pending() < 11_000);
}

#[test]
fn cipher_text_may_hold_every_marker() {
    let mut segment =
        b"QN=20240520210700000;ST=31;CN=2051;MN=010000A8900016F000169DC0;Flag=9;CP=&&".to_vec();
    let cipher: Vec<u8> = (0u8..96)
        .map(|n| n.wrapping_mul(73).wrapping_add(0x91))
        .collect();
    segment.extend_from_slice(&cipher[..48]);
    segment.extend_from_slice(b"&&\r\n##12AB\x00&&ABCD");
    segment.extend_from_slice(&cipher[48..]);
    segment.extend_from_slice(b"&&");
    let options = BuildOptions {
        crc: CrcStyle::Fixed(0xB541),
        ..BuildOptions::default()
    };
    let stream = [build::envelope(&segment, &options), good()].concat();
    let frames = frames_of(&stream);
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].segment_bytes(), segment);
    assert_eq!(frames[0].crc, CrcVerdict::Encrypted);
    let message = parse(&frames[0]);
    assert!(message.encrypted && message.items.is_empty());
    assert_eq!((message.edition, message.cn()), (Edition::V2025, "2051"));
}

#[test]
fn a_log_text_that_quotes_a_frame_head_is_not_cut() {
    let segment = "QN=20240520210700000;ST=31;CN=3020;MN=FICTION0000001;Flag=5;\
        CP=&&DataTime=20240520210600;i11001-Info=//got ##0101QN=2016//&&";
    let frames = frames_of(&framed(segment));
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].segment_bytes(), segment.as_bytes());
}

/// Floods made to look like heads, delimiters and codes must cost time in proportion to their
/// length: a quarter of a megabyte of each goes through byte by byte in moments, which a scan that
/// starts over at each push (3 * 10^10 steps) would not.
#[test]
fn floods_go_through_in_linear_work() {
    let patterns: [&[u8]; 9] = [
        b"#",
        b"##",
        b"##1a",
        b"##9999QN=",
        b"##9999a&&1234",
        b"&&1234",
        b"##9999a=&&0000\r",
        b"CN=2011;Flag=9;CP=&&\x80##1a",
        b"##9999CN=2011;Flag=9;CP=&&CP=&&CP=&&CP=&&CP=&&CP=&&CP=&&CP=&&CP=&&",
    ];
    for pattern in patterns {
        let flood = pattern.repeat(250_000 / pattern.len());
        let mut framer = Framer::default();
        let mut out = 0;
        for byte in &flood {
            framer.push(std::slice::from_ref(byte));
            loop {
                match framer.next() {
                    Step::Incomplete => break,
                    Step::Frame(frame) => out += frame.bytes.len(),
                    Step::Garbage(garbage) => out += garbage.len(),
                }
            }
        }
        assert_eq!(out + framer.pending(), flood.len());
        assert!(framer.pending() < 80 * 1024);
    }
}

#[test]
fn a_declared_end_inside_the_next_frame_is_not_believed_for_a_code_right_by_chance() {
    let cut_off = b"##0068ST=32LCN=5033;PW=123456;MN=0000000000001;CFk=";
    let next = b"##0129QN=20240520210700000;ST=31;CN=2011;PW=123456;MN=FICTION0000001;Flag=5;\
        CP=&&DataTime=20240520210600;a21026-Rtd=1.5,a21026-Flag=N&&6AC0\r\n";
    let stream = [cut_off.as_slice(), next].concat();
    let frames: Vec<_> = steps(&[&stream])
        .into_iter()
        .filter_map(|step| match step {
            Step::Frame(frame) => Some(frame),
            Step::Incomplete | Step::Garbage(_) => None,
        })
        .collect();
    assert_eq!(
        frames.last().map(|frame| frame.bytes.as_slice()),
        Some(next.as_slice())
    );
}
