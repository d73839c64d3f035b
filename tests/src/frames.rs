//! The frames of `protocols/testdata/frames.jsonl`: standards, manuals and field captures, with
//! what each is known to be.

use serde::Deserialize;
use std::collections::BTreeSet;

/// One line of the file.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// The bytes, as text.
    pub frame: String,
    /// `2005`, `2017`, `2025` or `?`.
    pub version: String,
    /// Command number.
    pub cn: String,
    /// The check code is the standard's.
    pub crc_ok: bool,
    /// The length field is right.
    pub len_ok: bool,
    /// Which way of computing the check code fits, or `none`.
    pub crc_variant: String,
    /// What is special about it.
    pub note: String,
    /// `latin-1` where each character of `frame` stands for one byte.
    #[serde(default)]
    pub encoding: Option<String>,
}

impl Case {
    /// The bytes on the wire.
    ///
    /// # Panics
    /// When a frame of bytes holds a character that is none.
    pub fn bytes(&self) -> Vec<u8> {
        if self.encoding.as_deref() == Some("latin-1") {
            let byte = |c| u8::try_from(c).expect("one byte a character");
            self.frame.chars().map(byte).collect()
        } else {
            self.frame.clone().into_bytes()
        }
    }

    /// A fragment without a head stands before the frame.
    pub fn begins_broken(&self) -> bool {
        !self.frame.starts_with("##")
    }
}

/// Every line.
///
/// # Panics
/// When the file cannot be read or a line is not of the form.
pub fn cases() -> Vec<Case> {
    let path = crate::place::root().join("protocols/testdata/frames.jsonl");
    let text = std::fs::read_to_string(&path).expect("the frames lie beside the codec");
    let parse = |line: &str| serde_json::from_str(line).expect("a line of the frames file");
    text.lines()
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

/// The MN of a frame, as its sender wrote it.
pub fn mn(frame: &str) -> Option<&str> {
    let (_, after) = frame.split_once("MN=")?;
    let mn = after.split([';', '&', '\r']).next()?;
    let fine = |c: char| c.is_ascii_graphic() && !"#,=".contains(c);
    (!mn.is_empty() && mn.chars().all(fine)).then_some(mn)
}

/// Every MN in the file.
pub fn mns() -> BTreeSet<String> {
    cases()
        .iter()
        .filter_map(|case| mn(&case.frame))
        .map(str::to_owned)
        .collect()
}
