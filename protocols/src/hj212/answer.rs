//! The reply a device waits for: 9014 for data, 9013 for notices, in the dialect of its edition.

use smol_str::SmolStr;

use super::build::{BuildOptions, envelope};
use super::command::{Kind, command};
use super::content::{Content, content};
use super::crc::CrcStyle;
use super::edition::Edition;
use super::fields::{FLAG_ANSWER, FLAG_SPLIT, Message};

/// A ready answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `9013` or `9014`.
    pub cn: &'static str,
    /// The frame to send, with CR LF.
    pub bytes: Vec<u8>,
}

/// Longest header text repeated in an answer, bytes; longer ones are damage.
const ECHO_BYTES_MAX: usize = 40;

/// The answer this message waits for, with the standard's check code; `None` when it wants none.
///
/// Data are answered (9014) when bit 0 of the Flag asks for it. A 2005 upload without Flag that
/// carries a QN answers a request whose data are to be acknowledged (annex C of 2005), so it is
/// answered too. Notices are answered (9013) always in 2005, later when the Flag asks for it.
/// Answers, commands of a centre and private 9xxx codes get nothing.
///
/// Soundness is not looked at: the caller decides which frames it believes, and answers only
/// after the frame is safely stored.
#[must_use]
pub fn answer(msg: &Message) -> Option<Answer> {
    answer_as(msg, CrcStyle::Hj212)
}

/// [`answer`] with a check code of another style, for devices that only understand their own
/// (see [`CrcStyle::mirror`]).
#[must_use]
pub fn answer_as(msg: &Message, crc: CrcStyle) -> Option<Answer> {
    let cn = wanted(msg)?;
    let segment = match msg.edition {
        Edition::V2005 => segment_2005(msg, cn),
        Edition::V2017 | Edition::V2025 | Edition::Unknown => segment_later(msg, cn),
    };
    let options = BuildOptions {
        crc,
        ..BuildOptions::default()
    };
    Some(Answer {
        cn,
        bytes: envelope(segment.as_bytes(), &options),
    })
}

/// The command code of the answer.
fn wanted(msg: &Message) -> Option<&'static str> {
    let cn = msg.cn();
    let asks = msg.header.wants_answer();
    let old = msg.edition == Edition::V2005;
    match content(msg) {
        Content::Request { .. } => None,
        Content::Answer { .. } => (cn == "9012" && asks).then_some("9014"),
        _ if cn == "9015" || is_notice(msg) => (asks || old).then_some("9013"),
        _ if cn.is_empty() || cn.starts_with('9') || msg.header.st.as_deref() == Some("91") => None,
        _ => {
            let unflagged = old && msg.header.flag.is_none() && msg.header.qn.is_some();
            let data = command(cn, msg.edition).is_some_and(|row| row.kind != Kind::Private);
            (asks || (unflagged && data)).then_some("9014")
        }
    }
}

fn is_notice(msg: &Message) -> bool {
    command(msg.cn(), msg.edition).is_some_and(|row| row.kind == Kind::Notice)
}

/// 2005: what is answered stands inside the data area.
fn segment_2005(msg: &Message, cn: &'static str) -> String {
    let header = &msg.header;
    let mut area = Vec::new();
    // The results of 2005 have the number inside their own data area.
    push(
        &mut area,
        "QN",
        header.qn.as_ref().or_else(|| msg.bare("QN")),
    );
    if cn == "9014" {
        push(&mut area, "CN", header.cn.as_ref());
        if let (Some(number), Some(total)) = (header.pno, header.pnum) {
            area.push(format!("PNO={number};PNUM={total}"));
        }
    }
    let mut fields = vec!["ST=91".to_owned(), format!("CN={cn}")];
    push(&mut fields, "PW", header.pw.as_ref());
    push(&mut fields, "MN", header.mn.as_ref());
    if let Some(flag) = header.flag {
        fields.push(format!("Flag={}", flag & !(FLAG_ANSWER | FLAG_SPLIT)));
    }
    format!("{};CP=&&{}&&", fields.join(";"), area.join(";"))
}

/// 2017 and 2025: the QN stands in the header, the data area is empty, the Flag keeps its
/// version bits and asks for nothing.
fn segment_later(msg: &Message, cn: &'static str) -> String {
    let header = &msg.header;
    let mut fields = Vec::new();
    push(&mut fields, "QN", header.qn.as_ref());
    fields.push("ST=91".to_owned());
    fields.push(format!("CN={cn}"));
    push(&mut fields, "PW", header.pw.as_ref());
    push(&mut fields, "MN", header.mn.as_ref());
    let bits = header.flag.unwrap_or_else(|| msg.edition.flag_bits());
    fields.push(format!("Flag={}", bits & !(FLAG_ANSWER | FLAG_SPLIT)));
    format!("{};CP=&&&&", fields.join(";"))
}

/// Repeats a header text if it cannot break the frame; damage is left out rather than echoed.
fn push(fields: &mut Vec<String>, name: &str, value: Option<&SmolStr>) {
    if let Some(value) = value
        && value.len() <= ECHO_BYTES_MAX
        && value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b";,&=#".contains(&byte))
    {
        fields.push(format!("{name}={value}"));
    }
}
