//! Habits of a logger that one of its frames shows.

use super::open::{VERSION_2025, cipher_form};
use super::translate::instant;
use crate::events::{NOTED_IGNORES_CLOCK, NOTED_READS_ANSWERS, NOTED_REPEATED, NOTED_SETS_CLOCK};
use cems_core::model::rows::Habits;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{Timestamp, UtcOffset};
use cems_protocols::hj212::{
    CrcVerdict, FindingCode, LocalTime, Message, RawFrame, TextEncoding, must_be_enciphered,
};
use smol_str::SmolStr;

/// What a frame shows: `came` as it came, `message` read (in clear text), `opened` with a key,
/// `noted` by the connection.
pub(super) fn seen(
    came: &RawFrame,
    message: &Message,
    opened: bool,
    noted: &[SmolStr],
    (at, offset): (Timestamp, UtcOffset),
) -> Habits {
    let found = |code: FindingCode| message.findings.iter().any(|f| f.code == code);
    let text = |text: &'static str| Some(SmolStr::new_static(text));
    let noticed = |yes: &str, no: &str| {
        let said = |code: &str| noted.iter().any(|n| n == code);
        said(no).then_some(false).or(said(yes).then_some(true))
    };
    let unread = message.encrypted && !message.deciphered;
    let is_answer = message.cn().starts_with('9') && message.cn() != "9015";
    Habits {
        crc: (message.crc.is_known() && message.crc != CrcVerdict::Encrypted)
            .then(|| SmolStr::new_static(message.crc.as_str())),
        line_end: text(line_end(&came.bytes)),
        encoding: match message.text_encoding {
            _ if unread => None,
            TextEncoding::Gbk => text("gbk"),
            TextEncoding::Binary => text("binary"),
            TextEncoding::Utf8 if opened || came.segment_bytes().is_ascii() => None,
            TextEncoding::Utf8 => text("utf-8"),
        },
        length: text(if found(FindingCode::LengthDigits) {
            "unpadded"
        } else if came.len_ok {
            "right"
        } else {
            "wrong"
        }),
        case: text(if found(FindingCode::NameCase) {
            "other"
        } else {
            "standard"
        }),
        wants_answer: (!is_answer && message.header.flag.is_some())
            .then(|| message.header.wants_answer()),
        reads_answers: noticed(NOTED_READS_ANSWERS, NOTED_REPEATED),
        sets_clock: noticed(NOTED_SETS_CLOCK, NOTED_IGNORES_CLOCK),
        encryption: encryption(came, message, opened),
        clock_offset_s: clock_offset_ms(message, at, offset).map(|ms| ms / SECOND_MS),
    }
}

fn line_end(bytes: &[u8]) -> &'static str {
    match bytes {
        [.., b'\r', b'\n'] => "crlf",
        [.., b'\n'] => "lf",
        [.., b'\r'] => "cr",
        _ => "none",
    }
}

fn encryption(came: &RawFrame, message: &Message, opened: bool) -> Option<SmolStr> {
    let says_2025 = message.header.version_bits() == Some(VERSION_2025);
    if !says_2025 || !must_be_enciphered(message.cn()) {
        return None;
    }
    let form = cipher_form(came, opened).unwrap_or("none");
    Some(SmolStr::new_static(form))
}

/// The logger's clock against ours, ms, positive when it is ahead: by the request number of what
/// it says about the present. History and answers carry other numbers.
pub fn clock_offset_ms(message: &Message, at: Timestamp, offset: UtcOffset) -> Option<i64> {
    if !matches!(message.cn(), "2011" | "2021" | "9015" | "1013") || message.header.rf {
        return None;
    }
    let qn = message.header.qn.as_deref().filter(|qn| qn.len() == 17)?;
    Some(instant(LocalTime::parse(qn)?, offset)?.since_ms(at))
}
