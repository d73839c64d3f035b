//! Making frames of any edition: answers, uplinks and simulated stations.

use smol_str::SmolStr;
use thiserror::Error;

use super::crc::CrcStyle;
use super::edition::Edition;
use super::encrypt::looks_encrypted;
use super::fields::{FLAG_ANSWER, FLAG_SPLIT, Item};
use super::time::LocalTime;

/// Longest data segment a frame may have without being split, bytes (every edition).
const SEGMENT_BYTES_MAX: usize = 1024;

/// Longest segment the four-digit length field can declare, bytes.
const LENGTH_FIELD_MAX: usize = 9999;

/// Most packets of one set: PNUM has four digits.
const PARTS_MAX: usize = 9999;

/// How the length field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthStyle {
    /// Right, four digits.
    #[default]
    Right,
    /// Right, without leading zeros.
    Unpadded,
    /// This value whatever the length is (0 to 9999).
    Fixed(u16),
}

/// Deviations of the envelope, for peers that need or send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The check code.
    pub crc: CrcStyle,
    /// Whether CR LF ends the frame.
    pub crlf: bool,
    /// The length field.
    pub length: LengthStyle,
}

impl Default for BuildOptions {
    /// The standard's frame.
    fn default() -> Self {
        Self {
            crc: CrcStyle::Hj212,
            crlf: true,
            length: LengthStyle::Right,
        }
    }
}

/// Why a frame could not be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A name or value would break the frame.
    #[error("text with a separator or control character; remove `;`, `,`, `&`, `#`, `=`: {0:?}")]
    UnsafeText(SmolStr),
    /// One item alone is longer than a data segment may be.
    #[error("item is longer than one frame of 1024 bytes; send fewer sub-fields: {0}")]
    ItemTooLong(SmolStr),
    /// The other side would take the clear data area for cipher text.
    #[error("the data area begins like cipher text; begin its first field with a name")]
    ReadsAsCipher,
    /// The segment cannot be declared in four digits.
    #[error("data segment is longer than 9999 bytes; split it: {0}")]
    SegmentTooLong(usize),
    /// More packets than PNUM can count.
    #[error("more than 9999 packets; send fewer items: {0}")]
    TooManyParts(usize),
}

/// Puts header fields and items together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameBuilder {
    edition: Edition,
    qn: Option<SmolStr>,
    st: SmolStr,
    cn: SmolStr,
    pw: Option<SmolStr>,
    mn: Option<SmolStr>,
    flag: Option<u8>,
    answer_wanted: bool,
    rf: bool,
    data_time: Option<SmolStr>,
    items: Vec<Item>,
}

impl FrameBuilder {
    /// A message of this edition, system code and command code, without items.
    #[must_use]
    pub fn new(edition: Edition, st: &str, cn: &str) -> Self {
        Self {
            edition,
            qn: None,
            st: SmolStr::new(st),
            cn: SmolStr::new(cn),
            pw: None,
            mn: None,
            flag: None,
            answer_wanted: false,
            rf: false,
            data_time: None,
            items: Vec::new(),
        }
    }

    /// Sets the request number (17 digits).
    #[must_use]
    pub fn qn(mut self, qn: &str) -> Self {
        self.qn = Some(SmolStr::new(qn));
        self
    }

    /// Sets the request number from a time.
    #[must_use]
    pub fn qn_time(self, time: LocalTime) -> Self {
        self.qn(&time.digits17())
    }

    /// Sets the password.
    #[must_use]
    pub fn pw(mut self, pw: &str) -> Self {
        self.pw = Some(SmolStr::new(pw));
        self
    }

    /// Sets the device number.
    #[must_use]
    pub fn mn(mut self, mn: &str) -> Self {
        self.mn = Some(SmolStr::new(mn));
        self
    }

    /// Asks for an answer (bit 0 of the Flag).
    #[must_use]
    pub fn answer_wanted(mut self, wanted: bool) -> Self {
        self.answer_wanted = wanted;
        self
    }

    /// Writes this Flag instead of the one computed from edition, answer and packets.
    #[must_use]
    pub fn flag(mut self, flag: u8) -> Self {
        self.flag = Some(flag);
        self
    }

    /// Marks data sent again (`RF=1`, 2025).
    #[must_use]
    pub fn rf(mut self, rf: bool) -> Self {
        self.rf = rf;
        self
    }

    /// Sets `DataTime`, which every packet of a split message repeats.
    #[must_use]
    pub fn data_time(mut self, time: &str) -> Self {
        self.data_time = Some(SmolStr::new(time));
        self
    }

    /// Adds an item.
    #[must_use]
    pub fn item(mut self, item: Item) -> Self {
        self.items.push(item);
        self
    }

    /// Adds items.
    #[must_use]
    pub fn items(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.items.extend(items);
        self
    }

    /// Puts an item before the others.
    #[must_use]
    pub(super) fn first_item(mut self, item: Item) -> Self {
        self.items.insert(0, item);
        self
    }

    /// The command code.
    pub(super) fn cn(&self) -> SmolStr {
        self.cn.clone()
    }

    /// Whether the frame will ask for an answer.
    pub(super) fn wants_answer(&self) -> bool {
        self.flag
            .map_or(self.answer_wanted, |flag| flag & FLAG_ANSWER != 0)
    }

    /// One frame, however long up to 9999 bytes.
    ///
    /// # Errors
    /// [`BuildError::UnsafeText`], [`BuildError::ReadsAsCipher`], [`BuildError::SegmentTooLong`].
    pub fn build(&self, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
        let texts = self.item_texts()?;
        let segment = self.segment(self.qn.as_deref(), None, &texts)?;
        if segment.len() > LENGTH_FIELD_MAX {
            return Err(BuildError::SegmentTooLong(segment.len()));
        }
        Ok(envelope(segment.as_bytes(), options))
    }

    /// One frame if 1024 bytes are enough, else packets of at most 1024 bytes, each a whole frame
    /// with its own QN (the milliseconds count up and wrap within the second) and `DataTime`.
    /// Items are never cut.
    ///
    /// # Errors
    /// [`BuildError::UnsafeText`], [`BuildError::ReadsAsCipher`], [`BuildError::ItemTooLong`],
    /// [`BuildError::TooManyParts`].
    pub fn build_split(&self, options: &BuildOptions) -> Result<Vec<Vec<u8>>, BuildError> {
        let texts = self.item_texts()?;
        let whole = self.segment(self.qn.as_deref(), None, &texts)?;
        if whole.len() <= SEGMENT_BYTES_MAX {
            return Ok(vec![envelope(whole.as_bytes(), options)]);
        }
        let empty = self
            .segment(self.qn.as_deref(), Some((PARTS_MAX, PARTS_MAX)), &[])?
            .len();
        let mut parts: Vec<&[String]> = Vec::new();
        let (mut from, mut length) = (0, empty);
        for (index, text) in texts.iter().enumerate() {
            if empty + text.len() + 1 > SEGMENT_BYTES_MAX {
                return Err(BuildError::ItemTooLong(SmolStr::new(text)));
            }
            if length + text.len() + 1 > SEGMENT_BYTES_MAX {
                parts.push(&texts[from..index]);
                (from, length) = (index, empty);
            }
            length += text.len() + 1;
        }
        parts.push(&texts[from..]);
        if parts.len() > PARTS_MAX {
            return Err(BuildError::TooManyParts(parts.len()));
        }
        let total = parts.len();
        let frame = |(index, part): (usize, &&[String])| {
            let qn = self.qn.as_deref().map(|qn| later_qn(qn, index));
            let segment = self.segment(qn.as_deref(), Some((total, index + 1)), part)?;
            Ok(envelope(segment.as_bytes(), options))
        };
        parts.iter().enumerate().map(frame).collect()
    }

    fn item_texts(&self) -> Result<Vec<String>, BuildError> {
        self.items.iter().map(item_text).collect()
    }

    fn segment(
        &self,
        qn: Option<&str>,
        part: Option<(usize, usize)>,
        items: &[String],
    ) -> Result<String, BuildError> {
        let mut fields = Vec::new();
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                fields.push(format!("{name}={}", safe(value)?));
            }
            Ok(())
        };
        field("QN", qn)?;
        field("ST", Some(&self.st))?;
        field("CN", Some(&self.cn))?;
        field("PW", self.pw.as_deref())?;
        field("MN", self.mn.as_deref())?;
        let computed = self.edition.flag_bits()
            | if self.answer_wanted { FLAG_ANSWER } else { 0 }
            | if part.is_some() { FLAG_SPLIT } else { 0 };
        // 2005 writes a Flag only when it says something.
        if self.flag.is_some() || computed != 0 {
            fields.push(format!("Flag={}", self.flag.unwrap_or(computed)));
        }
        if let Some((total, number)) = part {
            fields.push(format!("PNUM={total};PNO={number}"));
        }
        if self.rf {
            fields.push("RF=1".to_owned());
        }
        let mut area = Vec::new();
        if let Some(time) = &self.data_time {
            area.push(format!("DataTime={}", safe(time)?));
        }
        area.extend(items.iter().cloned());
        let segment = format!("{};CP=&&{}&&", fields.join(";"), area.join(";"));
        if looks_encrypted(segment.as_bytes()) {
            return Err(BuildError::ReadsAsCipher);
        }
        Ok(segment)
    }
}

/// `##`, length, segment, check code, CR LF.
pub(super) fn envelope(segment: &[u8], options: &BuildOptions) -> Vec<u8> {
    let length = match options.length {
        LengthStyle::Right => format!("{:04}", segment.len()),
        LengthStyle::Unpadded => segment.len().to_string(),
        LengthStyle::Fixed(value) => format!("{value:04}"),
    };
    let mut frame = Vec::with_capacity(segment.len() + 12);
    frame.extend_from_slice(b"##");
    frame.extend_from_slice(length.as_bytes());
    frame.extend_from_slice(segment);
    frame.extend_from_slice(options.crc.text(segment).as_bytes());
    if options.crlf {
        frame.extend_from_slice(b"\r\n");
    }
    frame
}

fn item_text(item: &Item) -> Result<String, BuildError> {
    let name = safe(&item.name)?;
    let mut parts = Vec::new();
    for (field, value) in &item.fields {
        let dash = if field.is_empty() { "" } else { "-" };
        parts.push(format!(
            "{name}{dash}{}={}",
            safe(field)?,
            safe_value(value)?
        ));
    }
    if parts.is_empty() {
        Ok(name.to_owned())
    } else {
        Ok(parts.join(","))
    }
}

fn safe(text: &str) -> Result<&str, BuildError> {
    let bad = |c: char| c.is_control() || matches!(c, ';' | ',' | '&' | '#' | '=');
    if text.contains(bad) {
        Err(BuildError::UnsafeText(SmolStr::new(text)))
    } else {
        Ok(text)
    }
}

/// A log text between `//` may hold separators; everything else may not.
fn safe_value(text: &str) -> Result<&str, BuildError> {
    let inner = text
        .strip_prefix("//")
        .and_then(|rest| rest.strip_suffix("//"));
    match inner {
        Some(inner) if !inner.contains("//") => {
            let bad = |c: char| c.is_control() || matches!(c, '&' | '#');
            if inner.contains(bad) {
                return Err(BuildError::UnsafeText(SmolStr::new(text)));
            }
            Ok(text)
        }
        _ => safe(text),
    }
}

/// The QN of the packet `index` places after the first.
fn later_qn(qn: &str, index: usize) -> String {
    let split = qn
        .len()
        .checked_sub(3)
        .filter(|at| qn.is_char_boundary(*at));
    let millis = split.and_then(|at| qn[at..].parse::<usize>().ok().map(|millis| (at, millis)));
    match millis {
        Some((at, millis)) => format!("{}{:03}", &qn[..at], (millis + index) % 1000),
        None => qn.to_owned(),
    }
}
