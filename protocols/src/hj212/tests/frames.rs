//! The frames file decodes to what it says, alone and as one stream.

use super::fixture::{Sample, samples};
use super::*;

/// The frame of a row; one row has a headless fragment before it.
fn frame_of(sample: &Sample) -> RawFrame {
    let mut frames = frames_of(&sample.wire);
    assert_eq!(frames.len(), 1, "line {}", sample.line);
    frames.remove(0)
}

/// The command code a row is about. In one row a fragment without `##` stands before the frame:
/// its verdicts are those of the frame (CN 9021), its `cn` is that of the fragment, which comes
/// out as garbage.
fn cn_of_row(sample: &Sample, message: &Message) -> String {
    match &steps(&[&sample.wire])[0] {
        Step::Garbage(fragment) => {
            assert_eq!(message.cn(), "9021");
            let text = String::from_utf8_lossy(fragment).into_owned();
            let at = text.find("CN=").unwrap() + 3;
            text[at..at + 4].to_owned()
        }
        _ => message.cn().to_owned(),
    }
}

#[test]
fn every_frame_decodes_to_its_verdict() {
    let samples = samples();
    assert_eq!(samples.len(), 266);
    for sample in samples {
        let line = sample.line;
        let frame = frame_of(sample);
        let message = parse(&frame);
        match &sample.plain {
            // The code covers the clear text: it can only be checked by who has the key.
            Some(plain) => {
                assert_eq!(frame.crc, CrcVerdict::Encrypted, "line {line}");
                assert!(message.encrypted, "line {line}");
                assert!(findings_of(&message).contains(&"encrypted"), "line {line}");
                assert_eq!(
                    CrcStyle::Hj212.text(plain),
                    frame.crc_text.as_str(),
                    "line {line}"
                );
            }
            None => {
                let ok = matches!(frame.crc, CrcVerdict::Hj212 | CrcVerdict::Hj212Lower);
                assert_eq!(ok, sample.crc_ok, "line {line}");
                let variant = match sample.crc_variant.as_str() {
                    "none" => CrcVerdict::Bad,
                    name => CrcVerdict::from_name(name).unwrap(),
                };
                assert_eq!(frame.crc, variant, "line {line}");
                assert!(!message.encrypted, "line {line}");
            }
        }
        assert_eq!(frame.len_ok, sample.len_ok, "line {line}");
        assert_eq!(message.edition.as_str(), sample.version, "line {line}");
        assert_eq!(cn_of_row(sample, &message), sample.cn, "line {line}");
    }
}

/// Sound content: the check code agrees with a known algorithm (so nothing was damaged on the
/// way), the command uploads values, the data area is clear and has a DataTime and at least one
/// sub-field with a value beside flags and times.
#[test]
fn every_sound_data_frame_yields_records() {
    let mut records = 0;
    for sample in samples() {
        let frame = frame_of(sample);
        let message = parse(&frame);
        let Some(kind) = DataKind::from_cn(message.cn()) else {
            continue;
        };
        let is_value = |(name, value): &(smol_str::SmolStr, smol_str::SmolStr)| {
            !value.is_empty() && !matches!(name.as_str(), "" | "Flag" | "EFlag" | "SampleTime")
        };
        let valued = message
            .items
            .iter()
            .any(|item| item.fields.iter().any(is_value));
        let timed = message
            .bare("DataTime")
            .is_some_and(|time| !time.is_empty());
        if !frame.crc.is_known() || message.encrypted || !valued || !timed {
            continue;
        }
        let Content::Data(record) = content(&message) else {
            panic!("line {}: no data", sample.line);
        };
        assert_eq!(record.kind, kind);
        assert!(record.data_time.is_some(), "line {}", sample.line);
        assert!(
            record.values.iter().any(DataValue::has_value),
            "line {}",
            sample.line
        );
        records += 1;
    }
    assert!(records > 60, "{records}");
}

#[test]
fn all_frames_in_one_stream_are_the_same_frames() {
    let samples = samples();
    let stream: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.wire.clone())
        .collect();
    let together = frames_of(&stream);
    assert_eq!(together.len(), samples.len());
    for (sample, frame) in samples.iter().zip(&together) {
        let alone = frame_of(sample);
        assert_eq!(
            frame.segment_bytes(),
            alone.segment_bytes(),
            "line {}",
            sample.line
        );
        assert_eq!(parse(frame), parse(&alone), "line {}", sample.line);
    }
}
