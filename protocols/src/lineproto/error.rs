//! Why something cannot be written as a line.

use std::fmt;

/// Which part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The measurement.
    Measurement,
    /// The name of a tag.
    TagKey,
    /// The value of a tag.
    TagValue,
    /// The name of a field.
    FieldKey,
    /// A field that is a text.
    Text,
    /// Measurement and tags together.
    Series,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Measurement => "measurement",
            Self::TagKey => "tag key",
            Self::TagValue => "tag value",
            Self::FieldKey => "field key",
            Self::Text => "text field",
            Self::Series => "measurement with its tags",
        })
    }
}

/// Why something cannot be written as a line that every server reads alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Servers refuse the line, or drop it without a word.
    #[error("the {0} is empty")]
    Empty(Part),
    /// A line break would begin another line; other control characters are nobody's name.
    #[error("a control character in the {0}")]
    Control(Part),
    /// A backslash at the end or before a character that is escaped: InfluxDB has no spelling for
    /// it, and others read the one that looks right differently.
    #[error("a backslash at the end of the {0}, or before a comma, `=`, space or backslash in it")]
    Backslash(Part),
    /// Longer than servers take.
    #[error("the {part} has more than {max} bytes")]
    TooLong {
        /// Of what.
        part: Part,
        /// Bytes it may have.
        max: usize,
    },
    /// A name that servers keep to themselves, or a measurement that would be a comment.
    #[error("the {0} is a name that servers keep to themselves")]
    Reserved(Part),
    /// Two tags with one name.
    #[error("the tag `{0}` is there twice")]
    TagTwice(String),
    /// Not a number, or infinite.
    #[error("the field `{0}` is not a finite number")]
    NotFinite(String),
    /// A line says something.
    #[error("the line has no field")]
    NoField,
    /// Written in seconds, the time would be another one.
    #[error("the time {0} ms is no whole second")]
    NotWhole(i64),
    /// Servers count nanoseconds in 64 bits: 1677 to 2262.
    #[error("the time {0} ms is out of range")]
    OutOfRange(i64),
}
