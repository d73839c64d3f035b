//! Which edition of the standard a message speaks.
//!
//! The version bits of `Flag` are the first sign, but never alone: the national surface-water
//! profile used the bits of 2025 years before 2025, and devices mix envelopes and factor codes.

use super::fields::{Header, Item};
use super::finding::{FindingCode as Code, Findings};

/// Edition of HJ 212.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// HJ/T 212-2005.
    V2005,
    /// HJ 212-2017.
    V2017,
    /// HJ 212-2025.
    V2025,
    /// Cannot be told: version bits of a later edition or of the surface-water profile.
    Unknown,
}

impl Edition {
    /// The editions of the standard, oldest first.
    pub const KNOWN: [Self; 3] = [Self::V2005, Self::V2017, Self::V2025];

    /// The year, or `?`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2005 => "2005",
            Self::V2017 => "2017",
            Self::V2025 => "2025",
            Self::Unknown => "?",
        }
    }

    /// The edition of that name; `None` when it is not one of [`Edition::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::V2005, Self::V2017, Self::V2025, Self::Unknown]
            .into_iter()
            .find(|edition| edition.as_str() == name)
    }

    /// The version bits of `Flag`, already shifted to their place (0, 4, 8). The unknown edition
    /// is built like 2025, whose bits it has on the wire.
    #[must_use]
    pub fn flag_bits(self) -> u8 {
        match self {
            Self::V2005 => 0,
            Self::V2017 => 1 << 2,
            Self::V2025 | Self::Unknown => 2 << 2,
        }
    }
}

impl std::fmt::Display for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a device number has the EPC-96 form of 2017: 24 hex digits.
pub(super) fn is_epc_mn(mn: &str) -> bool {
    mn.len() == 24 && mn.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Commands that only 2025 knows. 2062 and 9015 are not among them: the surface-water profile has
/// them too.
const ONLY_2025: [&str; 7] = ["1002", "1014", "2013", "2052", "2111", "3022", "3024"];

/// Decides the edition from the Flag and the shape, and reports what does not fit together.
pub(super) fn decide(
    header: &Header,
    items: &[Item],
    encrypted: bool,
    findings: &mut Findings,
) -> Edition {
    let epc = header.mn.as_deref().is_some_and(is_epc_mn);
    let shape_2025 = header.rf
        || encrypted
        || header
            .cn
            .as_deref()
            .is_some_and(|cn| ONLY_2025.contains(&cn));
    let edition = match header.version_bits() {
        None if header.rf && epc => Edition::V2025,
        None | Some(0) => Edition::V2005,
        Some(1) => Edition::V2017,
        Some(2) if epc || shape_2025 => Edition::V2025,
        Some(_) => Edition::Unknown,
    };
    if edition == Edition::Unknown {
        findings.add(
            Code::EditionUncertain,
            header.mn.as_deref().unwrap_or_default(),
        );
    }
    if matches!(edition, Edition::V2017 | Edition::V2025) && header.qn.is_none() {
        findings.add(Code::QnAbsent, "");
    }
    mixed_signs(edition, header, items, epc, findings);
    edition
}

fn mixed_signs(
    edition: Edition,
    header: &Header,
    items: &[Item],
    epc: bool,
    findings: &mut Findings,
) {
    let code_of = |alphabet: fn(&str) -> bool| {
        items
            .iter()
            .filter(|item| item.get("").is_none())
            .find(|item| alphabet(&item.name))
            .map(|item| item.name.as_str())
    };
    if header.rf && edition != Edition::V2025 {
        findings.add_once(Code::EditionMixed, "RF=1");
    }
    match edition {
        Edition::V2005 => {
            if let Some(code) = code_of(is_2017_code) {
                findings.add_once(Code::EditionMixed, code);
            } else if epc {
                findings.add_once(Code::EditionMixed, "MN");
            } else if header.st.as_deref() == Some("91")
                && header.qn.is_some()
                && matches!(
                    header.cn.as_deref(),
                    Some("9011" | "9012" | "9013" | "9014")
                )
            {
                findings.add_once(Code::EditionMixed, "QN");
            }
        }
        Edition::V2017 | Edition::V2025 | Edition::Unknown => {
            if let Some(code) = code_of(is_2005_code) {
                findings.add_once(Code::EditionMixed, code);
            }
        }
    }
}

/// A letter of the 2017 tables and five digits (`a21026`, `w01018`).
fn is_2017_code(code: &str) -> bool {
    let bytes = code.as_bytes();
    bytes.len() == 6
        && matches!(bytes[0], b'a' | b'w' | b'e' | b'g' | b'i')
        && bytes[1..].iter().all(u8::is_ascii_digit)
}

/// Two or three digits, or `S`, `B` and two digits (`02`, `101`, `S01`, `B02`).
fn is_2005_code(code: &str) -> bool {
    let digits = code.strip_prefix(['S', 'B']).unwrap_or(code);
    let prefixed = digits.len() < code.len();
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 2 || (digits.len() == 3 && !prefixed))
}
