//! The part of a line that never changes.

use super::{LineError, Part};

/// Bytes of measurement and tags: the bound of InfluxDB.
pub const SERIES_BYTES_MAX: usize = 65_535;

/// A series: measurement and tags, escaped, sorted and checked, with the space behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    prefix: Box<[u8]>,
}

impl Series {
    /// A series of a measurement; tags in any order, they are written sorted by name, which
    /// servers are quickest with.
    ///
    /// # Errors
    /// When a part is empty, too long, kept by servers to themselves, there twice, or has no
    /// spelling.
    pub fn new(measurement: &str, tags: &[(&str, &str)]) -> Result<Self, LineError> {
        let mut prefix = Vec::new();
        checked(measurement, Part::Measurement)?;
        if measurement.starts_with(['_', '#']) {
            return Err(LineError::Reserved(Part::Measurement));
        }
        escape(measurement, Part::Measurement, &mut prefix);
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        for pair in tags.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(LineError::TagTwice(pair[0].0.to_owned()));
            }
        }
        for (key, value) in tags {
            name(key, Part::TagKey)?;
            checked(value, Part::TagValue)?;
            prefix.push(b',');
            escape(key, Part::TagKey, &mut prefix);
            prefix.push(b'=');
            escape(value, Part::TagValue, &mut prefix);
        }
        if prefix.len() > SERIES_BYTES_MAX {
            let (part, max) = (Part::Series, SERIES_BYTES_MAX);
            return Err(LineError::TooLong { part, max });
        }
        prefix.push(b' ');
        Ok(Self {
            prefix: prefix.into(),
        })
    }

    /// What every line of it begins with.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

/// The name of a tag or field.
pub(super) fn name(key: &str, part: Part) -> Result<(), LineError> {
    checked(key, part)?;
    if key.starts_with('_') || key == "time" {
        return Err(LineError::Reserved(part));
    }
    Ok(())
}

fn checked(text: &str, part: Part) -> Result<(), LineError> {
    if text.is_empty() {
        return Err(LineError::Empty(part));
    }
    if text.len() > SERIES_BYTES_MAX {
        let max = SERIES_BYTES_MAX;
        return Err(LineError::TooLong { part, max });
    }
    if text.chars().any(char::is_control) {
        return Err(LineError::Control(part));
    }
    // Outside of text fields a backslash stands for itself before anything that is not escaped.
    let bytes = text.as_bytes();
    let ambiguous = |(at, byte): (usize, &u8)| {
        *byte == b'\\' && matches!(bytes.get(at + 1), None | Some(b',' | b'=' | b' ' | b'\\'))
    };
    if bytes.iter().enumerate().any(ambiguous) {
        return Err(LineError::Backslash(part));
    }
    Ok(())
}

/// Writes a name. All special characters are ASCII, so the bytes of Chinese text pass as they are.
pub(super) fn escape(text: &str, part: Part, out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        let special = match byte {
            b',' | b' ' => true,
            b'=' => part != Part::Measurement,
            _ => false,
        };
        if special {
            out.push(b'\\');
        }
        out.push(byte);
    }
}
