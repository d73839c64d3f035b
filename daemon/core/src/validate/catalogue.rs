//! The catalogue of checks: one list of everything that is looked at, with number, words in both
//! languages, and thresholds with the place each was read in. Verdicts, clues, pages and
//! `docs/checks.md` take their words from here, by code.
//!
//! Numbers are in blocks: V1xx a value, V2xx a record, V3xx an hour, V4xx a day, V5xx a month.
//! Codes stand in stored data and never change; a number is for people.

mod evidence;
mod list;

pub(crate) use evidence::is_known;
pub use evidence::{EVIDENCE, evidence_text};
pub use list::*;

use crate::model::{CheckCode, Profile};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// What a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The value does not count.
    Invalid,
    /// The value does not count and somebody must look: no working instrument shows it.
    Impossible,
    /// Nothing changes about the data; a person may want to look (线索).
    Clue,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Severity; 3] = [Self::Invalid, Self::Impossible, Self::Clue];

    /// The name in the API and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Impossible => "impossible",
            Self::Clue => "clue",
        }
    }
}

/// How sure a default threshold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Read in the law, rule or standard itself, or in the regulator's own software or data.
    V,
    /// Read in a secondary source.
    V2,
    /// Recalled; no text at hand.
    M,
    /// The choice of the author of a public rule list, no standard.
    H,
    /// Chosen here; the source says why.
    Own,
}

impl Ground {
    /// The mark as it stands in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V => "V",
            Self::V2 => "V2",
            Self::M => "M",
            Self::H => "h",
            Self::Own => "own",
        }
    }
}

/// A threshold of a check. A profile may set another value under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Name in profiles, unit last where it has one.
    pub name: &'static str,
    /// Unit; empty for a bare number.
    pub unit: &'static str,
    /// Value where the profile says nothing.
    pub default: Decimal,
    /// How sure the default is.
    pub ground: Ground,
    /// Where it was read, or why it was chosen.
    pub source: &'static str,
}

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Number for people, such as `V101`; ascends through the list.
    pub number: &'static str,
    /// Code in the store, the API and text keys.
    pub code: &'static str,
    /// What a failure means.
    pub severity: Severity,
    /// What is tested, Chinese.
    pub what_zh: &'static str,
    /// What is tested, English.
    pub what_en: &'static str,
    /// What was seen, Chinese.
    pub text_zh: &'static str,
    /// What was seen, English.
    pub text_en: &'static str,
    /// Its thresholds.
    pub thresholds: &'static [Threshold],
}

impl Check {
    /// The code as stored.
    pub fn stored_code(&self) -> CheckCode {
        CheckCode(SmolStr::new_static(self.code))
    }

    /// True when the profile does not switch it off.
    pub fn is_on(&self, profile: &Profile) -> bool {
        !profile.checks_off.iter().any(|off| off == self.code)
    }

    /// The threshold `name`: the profile's, else the default of the catalogue; `None` for a name
    /// that the check does not have.
    pub fn threshold(&self, name: &str, profile: &Profile) -> Option<Decimal> {
        let entry = self.thresholds.iter().find(|t| t.name == name)?;
        let own = profile.threshold(self.code, name);
        Some(own.unwrap_or(entry.default))
    }
}

/// The check with this code.
pub fn check(code: &str) -> Option<&'static Check> {
    CATALOGUE.iter().find(|check| check.code == code)
}

/// A default of `mantissa / 10^places`.
const fn default(mantissa: u32, places: u32) -> Decimal {
    Decimal::from_parts(mantissa, 0, 0, false, places)
}

macro_rules! catalogue {
    ($(
        $name:ident = $number:literal, $code:literal, $severity:ident,
            $what_zh:literal => $zh:literal,
            $what_en:literal => $en:literal
            $(, [$($threshold:literal, $unit:literal, $mantissa:literal / $places:literal,
                $ground:ident, $source:literal;)+])?;
    )*) => {
        $(
            #[doc = concat!($number, ": ", $what_en, ".")]
            pub const $name: super::Check = super::Check {
                number: $number,
                code: $code,
                severity: super::Severity::$severity,
                what_zh: $what_zh,
                what_en: $what_en,
                text_zh: $zh,
                text_en: $en,
                thresholds: &[$($(super::Threshold {
                    name: $threshold,
                    unit: $unit,
                    default: super::default($mantissa, $places),
                    ground: super::Ground::$ground,
                    source: $source,
                }),+)?],
            };
        )*

        /// Every check, in the order of the numbers; failures and clues are listed in it.
        pub const CATALOGUE: &[super::Check] = &[$($name),*];
    };
}

use catalogue;
