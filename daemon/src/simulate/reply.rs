//! What a logger says to a centre: which message an answer answers, and answers to requests.

use super::station::Station;
use cems_protocols::hj212::{self, BuildOptions, Content, Edition, FrameBuilder, Item, Message};

/// The QN a 9013 or 9014 answers; outer `None`: no such answer. 2005 carries it inside the data
/// area.
pub(super) fn answered_qn(message: &Message) -> Option<Option<&str>> {
    if !matches!(message.cn(), "9013" | "9014") {
        return None;
    }
    let inside = message
        .bare("QN")
        .filter(|_| message.edition == Edition::V2005);
    Some(inside.or(message.header.qn.as_ref()).map(|qn| qn.as_str()))
}

/// Settings a simulated logger takes without objection.
const TAKEN: [&str; 6] = ["1000", "1012", "1062", "1064", "1072", "3013"];

/// Frames that answer a request or a notice of the centre: 9011 and 9012, or 9013. Everything
/// that is not a plain setting is refused (QnRtn 2).
pub(super) fn to_request(message: &Message, station: &Station) -> Vec<Vec<u8>> {
    let Some(qn) = message.header.qn.as_deref() else {
        return Vec::new();
    };
    if matches!(message.cn(), "2012" | "2022") {
        return frames(station, qn, &[("9013", None)]);
    }
    if !matches!(hj212::content(message), Content::Request { .. }) {
        return Vec::new();
    }
    if TAKEN.contains(&message.cn()) {
        frames(
            station,
            qn,
            &[
                ("9011", Some(("QnRtn", "1"))),
                ("9012", Some(("ExeRtn", "1"))),
            ],
        )
    } else {
        frames(station, qn, &[("9011", Some(("QnRtn", "2")))])
    }
}

fn frames(station: &Station, qn: &str, list: &[(&str, Option<(&str, &str)>)]) -> Vec<Vec<u8>> {
    let options = BuildOptions {
        crc: station.quirks.crc,
        ..BuildOptions::default()
    };
    let old = station.edition == Edition::V2005;
    let build = |(cn, item): &(&str, Option<(&str, &str)>)| {
        let mut builder = FrameBuilder::new(station.edition, "91", cn)
            .pw(&station.password)
            .mn(&station.mn);
        builder = if old {
            builder.item(Item::bare("QN", qn))
        } else {
            builder.qn(qn)
        };
        if let Some((name, value)) = item {
            builder = builder.item(Item::bare(name, value));
        }
        // A QN that no frame can carry is left without an answer.
        builder.build(&options).ok()
    };
    list.iter().filter_map(build).collect()
}
