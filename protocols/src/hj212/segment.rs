//! From a frame to a message: header fields, items, findings. Never fails.

use std::borrow::Cow;

use encoding_rs::GBK;
use memchr::memmem;
use smol_str::SmolStr;

use super::command::command;
use super::content::DataKind;
use super::crc::CrcVerdict;
use super::edition;
use super::encrypt::{looks_encrypted, printed_area};
use super::fields::{FLAG_SPLIT, Header, Item, Message, TextEncoding};
use super::finding::{FindingCode as Code, Findings};
use super::frame::RawFrame;
use super::items::read_items;
use super::sm4::{Deciphered, Sm4Key, decipher};
use super::time::LocalTime;

/// The header fields in the order of the 2017 table, with the standard's case.
const HEADER_ORDER: [&str; 9] = ["QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF"];

/// Most private header fields kept: a damaged frame must not make thousands.
const EXTRA_MAX: usize = 32;

/// Longest data segment the standard allows without splitting, bytes (section 6.3 of 2017).
const SEGMENT_BYTES_STANDARD: usize = 1024;

/// Reads a frame. Whatever the bytes are, there is a message; see [`Message::findings`].
///
/// A data area in cipher text stays unread: see [`parse_with_key`].
#[must_use]
pub fn parse(frame: &RawFrame) -> Message {
    parse_with_key(frame, None)
}

/// Reads a frame, opening a data area in cipher text (2025) with the station's key. Then
/// [`Message::crc`] is the verdict over the clear text, and [`Message::deciphered`] says so.
///
/// Give the key whenever there is one: a frame whose check code agrees as it stands is read as
/// clear text without trying it. When the key does not open a frame that is cipher text, the
/// verdict is [`CrcVerdict::Bad`] and the findings say `decipher-failed`.
#[must_use]
pub fn parse_with_key(frame: &RawFrame, key: Option<&Sm4Key>) -> Message {
    let mut findings = Findings::default();
    let raw = frame.segment_bytes();
    let looks = looks_encrypted(raw);
    // A short area may be cipher text without looking like it; then the code is bad.
    let tried = key.filter(|_| looks || !frame.crc.is_known());
    let opened = tried
        .and_then(|key| decipher(frame, key))
        .filter(Deciphered::is_right);
    let encrypted = looks || opened.is_some();
    let unread = encrypted && opened.is_none();
    let crc = match &opened {
        Some(opened) => opened.crc,
        None if unread && tried.is_some() => {
            findings.add(Code::DecipherFailed, "");
            CrcVerdict::Bad
        }
        None => frame.crc,
    };
    envelope_findings(frame, crc, &mut findings);
    if encrypted && printed_area(raw) {
        findings.add(Code::EncryptedPrinted, "");
    }
    let bytes = opened.as_ref().map_or(raw, |opened| &opened.segment);
    let (text, text_encoding) = decode(bytes, unread, &mut findings);
    let parts = split_area(&text, unread, &mut findings);
    let header = read_header(parts.header, &mut findings);
    let items = match parts.area {
        Some(area) if !unread => read_items(area, &mut findings),
        _ => Vec::new(),
    };
    header_findings(&header, &mut findings);
    let edition = edition::decide(&header, &items, encrypted, &mut findings);
    if let Some(cn) = &header.cn
        && command(cn, edition).is_none_or(|row| !row.is_in(edition))
    {
        findings.add(Code::CnUnknown, cn);
    }
    let uploads_data = header
        .cn
        .as_deref()
        .is_some_and(|cn| DataKind::from_cn(cn).is_some());
    let is_time = |item: &Item| item.name.eq_ignore_ascii_case("DataTime");
    let has_values = items
        .iter()
        .any(|item| item.get("").is_none() && !item.fields.is_empty());
    if uploads_data && has_values && !items.iter().any(is_time) {
        findings.add(Code::DataTimeAbsent, "");
    }
    if uploads_data && has_values && items.iter().any(|item| item.name == "Flag") {
        findings.add(Code::FlagShared, "");
    }
    Message {
        edition,
        header,
        items,
        findings: findings.into_list(),
        text_encoding,
        crc,
        len_ok: frame.len_ok,
        encrypted,
        deciphered: opened.is_some(),
    }
}

fn envelope_findings(frame: &RawFrame, crc: CrcVerdict, findings: &mut Findings) {
    match crc {
        CrcVerdict::Hj212 | CrcVerdict::Encrypted => {}
        CrcVerdict::Hj212Lower => findings.add(Code::CrcLowercase, &frame.crc_text),
        CrcVerdict::Hj212Swapped => findings.add(Code::CrcSwapped, &frame.crc_text),
        CrcVerdict::Modbus => findings.add(Code::CrcModbus, &frame.crc_text),
        CrcVerdict::ModbusSwapped => {
            findings.add(Code::CrcModbus, &frame.crc_text);
            findings.add(Code::CrcSwapped, &frame.crc_text);
        }
        CrcVerdict::Bad if frame.crc_text.is_empty() => findings.add(Code::CrcAbsent, ""),
        CrcVerdict::Bad => findings.add(Code::CrcBad, &frame.crc_text),
    }
    if (1..4).contains(&frame.crc_text.len()) {
        findings.add(Code::CrcShort, &frame.crc_text);
    }
    let declared = frame.declared_len.unwrap_or_default();
    if !frame.len_ok {
        findings.add(
            Code::LengthWrong,
            &format!("{declared} for {}", frame.segment.len()),
        );
    }
    let digits = frame.bytes.get(2..frame.segment.start).unwrap_or_default();
    if digits.len() != 4 || digits.contains(&b' ') {
        findings.add(Code::LengthDigits, &String::from_utf8_lossy(digits));
    }
    if frame.segment.len() > SEGMENT_BYTES_STANDARD {
        findings.add(Code::LengthOverMax, &frame.segment.len().to_string());
    }
    if !frame.has_crlf() {
        findings.add(Code::NoCrlf, "");
    }
}

/// Text of the segment. A data area in cipher text is not decoded.
fn decode<'a>(
    bytes: &'a [u8],
    unread: bool,
    findings: &mut Findings,
) -> (Cow<'a, str>, TextEncoding) {
    if unread {
        let area = memmem::find(bytes, b"CP=&&").map_or(bytes.len(), |at| at + 5);
        findings.add(Code::EncryptedArea, "");
        let encoding = if printed_area(bytes) {
            TextEncoding::Utf8
        } else {
            TextEncoding::Binary
        };
        return (String::from_utf8_lossy(&bytes[..area]), encoding);
    }
    if bytes.iter().any(|byte| byte.is_ascii_control()) {
        findings.add(Code::ControlBytes, "");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), TextEncoding::Utf8);
    }
    if let Some(text) = GBK.decode_without_bom_handling_and_without_replacement(bytes) {
        findings.add(Code::GbkText, "");
        return (text, TextEncoding::Gbk);
    }
    findings.add(Code::TextUndecodable, "");
    (String::from_utf8_lossy(bytes), TextEncoding::Binary)
}

struct Parts<'a> {
    header: &'a str,
    area: Option<&'a str>,
}

/// Parts the header from the data area, whatever damage the `CP=&&…&&` has taken.
fn split_area<'a>(text: &'a str, unread: bool, findings: &mut Findings) -> Parts<'a> {
    let Some(at) = find_cp(text) else {
        findings.add(Code::CpAbsent, "");
        return Parts {
            header: text,
            area: None,
        };
    };
    let (header, rest) = (&text[..at], &text[at + 2..]);
    if text[at..].starts_with("CP") {
        // The standard's case.
    } else {
        findings.add(Code::NameCase, &text[at..at + 2]);
    }
    let trimmed = header.trim_end();
    if trimmed.len() < header.len() {
        findings.add_once(Code::StrayBlank, "CP");
    }
    if !trimmed.is_empty() && !trimmed.ends_with([';', ',']) {
        findings.add(Code::MissingSeparator, "CP");
    }
    let header = trimmed.strip_suffix(';').unwrap_or(trimmed);
    let body = rest
        .trim_start()
        .strip_prefix('=')
        .unwrap_or(rest)
        .trim_start();
    let Some(body) = body.strip_prefix("&&") else {
        findings.add(Code::MissingOpening, "");
        return Parts {
            header,
            area: Some(body.trim_end().trim_end_matches('&')),
        };
    };
    if unread {
        return Parts { header, area: None };
    }
    let Some(close) = body.rfind("&&") else {
        findings.add(Code::MissingClosing, "");
        return Parts {
            header,
            area: Some(body.trim_end_matches('&')),
        };
    };
    if !body[close + 2..].trim().is_empty() {
        findings.add(Code::TextAfterCp, &body[close + 2..]);
    }
    Parts {
        header,
        area: Some(&body[..close]),
    }
}

/// Index of the `CP` that opens the data area: the first one that is a name followed by `=`. It
/// may stand right behind a digit (`Flag=5CP=`), but not inside a word.
fn find_cp(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).find(|&at| {
        bytes[at..at + 2].eq_ignore_ascii_case(b"CP")
            && (at == 0 || !bytes[at - 1].is_ascii_alphabetic() && bytes[at - 1] != b'=')
            && bytes[at + 2..].iter().find(|byte| **byte != b' ') == Some(&b'=')
            && !bytes[..at].ends_with(b"&")
    })
}

fn read_header(text: &str, findings: &mut Findings) -> Header {
    let mut header = Header::default();
    let mut seen = [false; HEADER_ORDER.len()];
    let mut last = 0usize;
    let mut ordered = true;
    if text.contains(',') {
        findings.add(Code::HeaderComma, "");
    }
    if text.trim().is_empty() {
        return header;
    }
    for piece in text.split([';', ',']) {
        if piece.trim().is_empty() {
            findings.add_once(Code::EmptyField, "");
            continue;
        }
        let Some((raw_name, raw_value)) = piece.split_once('=') else {
            findings.add(Code::NoEquals, piece);
            continue;
        };
        let (name, value) = (raw_name.trim(), raw_value.trim());
        if name.len() < raw_name.len() || value.len() < raw_value.len() {
            findings.add_once(Code::StrayBlank, name);
        }
        let known = HEADER_ORDER
            .iter()
            .position(|known| name.eq_ignore_ascii_case(known));
        if value.is_empty() {
            findings.add(Code::EmptyValue, name);
        }
        let Some(index) = known else {
            findings.add_once(Code::HeaderExtra, name);
            if header.extra.len() < EXTRA_MAX {
                header.extra.push((SmolStr::new(name), SmolStr::new(value)));
            }
            continue;
        };
        if name != HEADER_ORDER[index] {
            findings.add(Code::NameCase, name);
        }
        if std::mem::replace(&mut seen[index], true) {
            findings.add(Code::DuplicateField, name);
            continue;
        }
        ordered &= index >= last;
        last = index;
        if !value.is_empty() {
            set_field(&mut header, index, value, findings);
        }
    }
    if !ordered {
        findings.add(Code::HeaderOrder, "");
    }
    header
}

fn set_field(header: &mut Header, index: usize, value: &str, findings: &mut Findings) {
    let text = Some(SmolStr::new(value));
    match index {
        0 => header.qn = text,
        1 => header.st = text,
        2 => header.cn = text,
        3 => header.pw = text,
        4 => header.mn = text,
        5 => match value.parse() {
            Ok(flag) => header.flag = Some(flag),
            Err(_) => findings.add(Code::FlagShape, value),
        },
        6 | 7 => {
            let number = value.parse().ok();
            if number.is_none() {
                findings.add(Code::SplitNumberWrong, value);
            }
            if index == 6 {
                header.pnum = number;
            } else {
                header.pno = number;
            }
        }
        _ => {
            header.rf = value == "1";
            if !header.rf {
                findings.add(Code::RfShape, value);
            }
        }
    }
}

/// Findings about what the header says, once it is read.
fn header_findings(header: &Header, findings: &mut Findings) {
    let absent = [(&header.st, Code::StAbsent), (&header.cn, Code::CnAbsent)];
    for (field, code) in absent {
        if field.is_none() {
            findings.add(code, "");
        }
    }
    match &header.mn {
        None => findings.add(Code::MnAbsent, ""),
        Some(mn) if mn.len() == 14 || edition::is_epc_mn(mn) => {}
        Some(mn) => findings.add(Code::MnShape, mn),
    }
    if let Some(qn) = &header.qn
        && (qn.len() != 17 || LocalTime::parse(qn).is_none())
    {
        findings.add(Code::QnShape, qn);
    }
    if header.st.as_ref().is_some_and(|st| st.len() != 2) {
        findings.add(Code::StShape, header.st.as_deref().unwrap_or_default());
    }
    if let Some(cn) = &header.cn
        && (cn.len() != 4 || !cn.bytes().all(|byte| byte.is_ascii_digit()))
    {
        findings.add(Code::CnShape, cn);
    }
    if header.pw.as_ref().is_some_and(|pw| pw.len() != 6) {
        // Not the value: a password does not belong into findings.
        findings.add(Code::PwShape, "");
    }
    let numbers = header.pnum.is_some() || header.pno.is_some();
    match header.flag {
        None => findings.add(Code::FlagAbsent, ""),
        Some(flag) if flag & FLAG_SPLIT != 0 && !numbers => {
            findings.add(Code::SplitWithoutNumbers, &flag.to_string());
        }
        Some(flag) if flag & FLAG_SPLIT == 0 && numbers => {
            findings.add(Code::SplitBitUnset, &flag.to_string());
        }
        Some(_) => {}
    }
    if numbers {
        let (total, number) = (header.pnum.unwrap_or(0), header.pno.unwrap_or(0));
        if number == 0 || number > total {
            findings.add(Code::SplitNumberWrong, &format!("{number} of {total}"));
        }
    }
}
