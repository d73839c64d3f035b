//! Stories over the whole codec: the frames file, streams, deviations, properties.

mod answers;
mod commands;
mod contents;
mod deviations;
mod dialogues;
pub(super) mod fixture;
mod frames;
mod properties;
mod requests;
mod sessions;
mod stations;
mod streams;
mod uploads;
mod world;

use super::*;

/// All steps of a stream that arrives in these pieces and then ends.
pub(super) fn steps(pieces: &[&[u8]]) -> Vec<Step> {
    let mut framer = Framer::default();
    let mut steps = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Step::Incomplete => break,
                step => steps.push(step),
            }
        }
    }
    loop {
        match framer.expire() {
            Step::Incomplete => break,
            step => steps.push(step),
        }
    }
    assert_eq!(framer.pending(), 0);
    steps
}

/// The frames of a stream.
pub(super) fn frames_of(bytes: &[u8]) -> Vec<RawFrame> {
    let only_frames = |step| {
        if let Step::Frame(frame) = step {
            Some(frame)
        } else {
            None
        }
    };
    steps(&[bytes])
        .into_iter()
        .filter_map(only_frames)
        .collect()
}

/// The bytes of the steps, in order.
fn bytes_of(steps: &[Step]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for step in steps {
        match step {
            Step::Incomplete => {}
            Step::Frame(frame) => bytes.extend_from_slice(&frame.bytes),
            Step::Garbage(garbage) => bytes.extend_from_slice(garbage),
        }
    }
    bytes
}

/// A right frame around this segment.
fn framed(segment: &str) -> Vec<u8> {
    build::envelope(segment.as_bytes(), &BuildOptions::default())
}

/// The only message of a stream that holds one frame.
fn message_of(bytes: &[u8]) -> Message {
    let frames = frames_of(bytes);
    assert_eq!(frames.len(), 1, "{}", String::from_utf8_lossy(bytes));
    parse(&frames[0])
}

/// Names of the findings of a message.
pub(super) fn findings_of(message: &Message) -> Vec<&'static str> {
    message
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}
