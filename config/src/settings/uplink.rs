//! Uploads of this station to centres, checked.

use super::CrcVariant;
use cems_core::model::{FactorCode, OutletId};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Most centres one station uploads to (一点多发): the number that makers of loggers name.
pub const UPLINKS_MAX: usize = 8;

/// Edition of HJ 212 spoken to a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UplinkEdition {
    /// HJ/T 212-2005.
    V2005,
    /// HJ 212-2017.
    V2017,
    /// HJ 212-2025.
    V2025,
}

impl UplinkEdition {
    /// Every edition with its name in files.
    pub const NAMES: [(&'static str, UplinkEdition); 3] = [
        ("2005", Self::V2005),
        ("2017", Self::V2017),
        ("2025", Self::V2025),
    ];

    /// The year.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2005 => "2005",
            Self::V2017 => "2017",
            Self::V2025 => "2025",
        }
    }
}

/// A text that is never printed: password or key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(pub T);

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Which real-time records go to a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RealtimeUpload {
    /// All that the station forms.
    #[default]
    All,
    /// Those on multiples of this many seconds of the site's clock; 30 to 3600 (HJ 212-2017,
    /// `RtdInterval`).
    Every(u32),
    /// None.
    Never,
}

/// An upload to one centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Uplink {
    /// Identity: letters, digits, `-`, `_`, `.`.
    pub id: SmolStr,
    /// `host:port` of the centre.
    pub address: SmolStr,
    /// Edition spoken.
    pub edition: UplinkEdition,
    /// How the check code is computed and printed.
    pub crc: CrcVariant,
    /// Whether acknowledgements (9014) are asked for: bit 0 of the Flag. Without them a record
    /// counts as delivered once the socket has taken it.
    pub answer: bool,
    /// Seconds to wait for an answer (`OverTime`) until the centre sets another (CN 1000).
    pub over_time_s: u32,
    /// Times a frame is sent again without an answer (`ReCount`) until the centre sets another.
    pub re_count: u32,
    /// Real-time records (CN 2011).
    pub realtime: RealtimeUpload,
    /// Minute records (CN 2051).
    pub minute: bool,
    /// Hour records (CN 2061).
    pub hour: bool,
    /// Day records (CN 2031).
    pub day: bool,
    /// Records older than this many days are not owed to the centre any more: what a new one is
    /// served at first, and what one that was away for long may still expect.
    pub history_days: u32,
    /// Most history records a minute and outlet, so that catching up does not crowd out what is
    /// new.
    pub history_per_min: u32,
    /// Seconds between signs of life (CN 9015, 2025); `None`: none.
    pub heartbeat_s: Option<u32>,
    /// Whether the centre may set the offset of this station's HJ 212 clock (CN 1012). The
    /// machine's own clock is never touched.
    pub allow_time_sync: bool,
    /// Key of the data area (SM4, 2025 only); `None`: clear text.
    pub key: Option<Secret<[u8; 16]>>,
    /// Outlets this centre gets, at least one.
    pub outlets: Vec<UplinkOutlet>,
}

/// One outlet as one centre knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct UplinkOutlet {
    /// Which.
    pub outlet: OutletId,
    /// MN under which the centre knows it.
    pub mn: SmolStr,
    /// PW the centre expects, and by which its commands are known.
    pub password: Secret<SmolStr>,
    /// ST of uploads: `31` stack gas and `32` waste water unless said otherwise.
    pub st: SmolStr,
    /// Factors it gets, in the order of their codes.
    pub factors: Vec<UplinkFactor>,
}

/// One factor as one centre wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UplinkFactor {
    /// The factor by its code here.
    pub factor: FactorCode,
    /// The code it is sent under.
    pub code: SmolStr,
    /// What values are multiplied by to be in the centre's unit; `None`: nothing. Amounts
    /// (`-Cou`) are sent as they are.
    pub multiplier: Option<Decimal>,
    /// Decimals sent of concentrations and the like, rounded half to even; `None`: as many as the
    /// record has. Where the file says none, outlets with instruments here have those of the
    /// factor.
    pub decimals: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?}", (Secret(SmolStr::new("123456")), Secret([7_u8; 16])));
        assert_eq!(shown, "(***, ***)");
    }
}
