//! Exchanges with devices, in words.

use crate::backend::ParameterKind;
use crate::text::Words;

/// Names of parameters whose values no page shows, should a row ever hold one.
const SECRET_NAMES: [&str; 3] = ["PW", "NewPW", "NewSK"];

/// What stands for a secret.
const MASK: &str = "***";

impl ParameterKind {
    /// The name in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Number { .. } => "number",
            Self::Time => "time",
            Self::Choice(_) => "choice",
            Self::Text(_) => "text",
            Self::Secret(_) => "secret",
        }
    }
}

/// Which part of the standard a command belongs to: `settings` (1000-1999), `data` (2000-2999) or
/// `control` (the rest).
pub(crate) fn command_group(cn: &str) -> &'static str {
    match cn.as_bytes().first() {
        Some(b'1') => "settings",
        Some(b'2') => "data",
        _ => "control",
    }
}

/// What a command does, whatever the edition; its number when nobody has written words for it.
pub(crate) fn command_name(words: Words, cn: &str) -> String {
    words.code("cn", cn)
}

/// The value of a parameter as it may be shown.
pub(crate) fn shown_param(name: &str, value: &str) -> String {
    if SECRET_NAMES.iter().any(|s| s.eq_ignore_ascii_case(name)) {
        MASK.to_owned()
    } else {
        value.to_owned()
    }
}

/// The detail of a step as it may be shown.
pub(crate) fn shown_detail(detail: &str) -> String {
    crate::format::without_passwords(detail)
}
