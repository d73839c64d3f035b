//! `testdata/frames.jsonl`: frames met in the field and printed in the standards.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    frame: String,
    version: String,
    cn: String,
    crc_ok: bool,
    len_ok: bool,
    crc_variant: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    plain_data: Option<String>,
}

/// One row with its wire bytes.
pub(in crate::hj212) struct Sample {
    pub(in crate::hj212) line: usize,
    pub(in crate::hj212) wire: Vec<u8>,
    pub(in crate::hj212) version: String,
    pub(in crate::hj212) cn: String,
    pub(in crate::hj212) crc_ok: bool,
    pub(in crate::hj212) len_ok: bool,
    pub(in crate::hj212) crc_variant: String,
    /// The clear segment of an encrypted frame.
    pub(in crate::hj212) plain: Option<Vec<u8>>,
}

/// Every row of the file, read once.
pub(in crate::hj212) fn samples() -> &'static [Sample] {
    static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(read);
    &SAMPLES
}

fn read() -> Vec<Sample> {
    let text = include_str!("../../../testdata/frames.jsonl");
    let sample = |(index, line): (usize, &str)| {
        let row: Row = serde_json::from_str(line).unwrap();
        let wire = match row.encoding.as_deref() {
            Some("latin-1") => row
                .frame
                .chars()
                .map(|c| u8::try_from(c).unwrap())
                .collect(),
            _ => row.frame.into_bytes(),
        };
        Sample {
            line: index + 1,
            wire,
            version: row.version,
            cn: row.cn,
            crc_ok: row.crc_ok,
            len_ok: row.len_ok,
            crc_variant: row.crc_variant,
            plain: row.plain_data.map(String::into_bytes),
        }
    };
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(sample)
        .collect()
}
