//! The catalogue of requests: what each edition lets a centre ask, with labels and bounds. The
//! numbers and bounds are those of the field tables (2017: section 6.3; 2005: section 5.4).

use super::super::edition::Edition;
use super::{edition_2025, rows};

/// How a parameter is written and bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number.
    Number {
        /// Least.
        min: u32,
        /// Greatest.
        max: u32,
    },
    /// A decimal number, as text.
    Decimal,
    /// A wall-clock time, `YYYYMMDDhhmmss`.
    Time,
    /// A time of day, `hhmm`.
    HourMinute,
    /// A time of day, `hhmmss`.
    HourMinuteSecond,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// Text of at most so many bytes, without separators.
    Text {
        /// Most bytes.
        max: usize,
    },
    /// A secret of exactly so many printable characters: never shown, never recorded.
    Secret {
        /// Its length.
        len: usize,
    },
}

/// How often a parameter stands in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Once.
    Required,
    /// Once or not at all.
    Optional,
    /// At least once; repeats are written one after another.
    Repeated,
    /// Any number of times.
    AnyNumber,
}

/// One parameter of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Name in forms: the standard's.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
    /// How it is written.
    pub kind: ParamKind,
    /// How often.
    pub presence: Presence,
    /// What a form may show at first; may be empty.
    pub preset: &'static str,
}

/// What comes back besides 9011 and 9012.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing: 9011, then 9012.
    Nothing,
    /// 9013 alone.
    Confirmation,
    /// Values with the request's QN (2005: the QN in the data area), under this number.
    Values(&'static str),
    /// Records, each with its own QN, under this number.
    Records(&'static str),
    /// Uploads under this number begin, and go on after the exchange is over.
    Stream(&'static str),
}

/// A command of a centre, as one or more editions have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The four digits.
    pub cn: &'static str,
    /// Editions with this meaning and these parameters.
    pub editions: &'static [Edition],
    /// What it does, in Chinese.
    pub zh: &'static str,
    /// What it does, in English.
    pub en: &'static str,
    /// Its parameters in the order they are written.
    pub parameters: &'static [Parameter],
    /// It changes or moves something at the site (sets, calibrates, samples).
    pub intrusive: bool,
    /// What comes back.
    pub reply: Reply,
}

/// The requests of an edition, in order of number. The unknown edition (surface-water profile,
/// shaped like 2017) has those of 2017 and what only 2025 has.
pub fn orders(edition: Edition) -> impl Iterator<Item = &'static Order> {
    let all = || rows::ORDERS.iter().chain(edition_2025::ORDERS);
    let of_edition = move |of: Edition| all().filter(move |row| row.editions.contains(&of));
    let (first, second) = match edition {
        Edition::Unknown => (Edition::V2017, Some(Edition::V2025)),
        known => (known, None),
    };
    let mut list: Vec<&'static Order> = of_edition(first).collect();
    if let Some(second) = second {
        let more: Vec<_> = of_edition(second)
            .filter(|row| !list.iter().any(|known| known.cn == row.cn))
            .collect();
        list.extend(more);
    }
    list.sort_by_key(|row| row.cn);
    list.into_iter()
}

/// The request of this number in an edition; `None` when the edition has none.
#[must_use]
pub fn order(cn: &str, edition: Edition) -> Option<&'static Order> {
    orders(edition).find(|row| row.cn == cn)
}
