//! The check code of a frame (annex A of every edition) and the variants met in the field.

use super::encrypt;

/// Eight shifts of the reflected polynomial 0xA001 for each low byte; both algorithms use it.
const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut index = 0u16;
    while index < 256 {
        let mut register = index;
        let mut bit = 0;
        while bit < 8 {
            let odd = register & 1 == 1;
            register >>= 1;
            if odd {
                register ^= 0xA001;
            }
            bit += 1;
        }
        table[index as usize] = register;
        index += 1;
    }
    table
}

/// The HJ 212 check code (循环冗余校验, annex A): start 0xFFFF; for each byte the register is
/// shifted right by eight and XORed with the byte, then shifted eight times through 0xA001.
///
/// The low byte is thrown away at each step, so only 256 values exist: it is an 8-bit check and
/// the content of a frame needs checks of its own.
#[must_use]
pub fn crc_hj212(data: &[u8]) -> u16 {
    let mut crc = Running::default();
    crc.extend(data);
    crc.hj212
}

/// CRC-16/MODBUS, which many loggers send by mistake in the place of the HJ 212 code.
#[must_use]
pub fn crc_modbus(data: &[u8]) -> u16 {
    let mut crc = Running::default();
    crc.extend(data);
    crc.modbus
}

/// Both registers over a growing prefix, so that each end candidate costs only its new bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    hj212: u16,
    modbus: u16,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            hj212: 0xFFFF,
            modbus: 0xFFFF,
        }
    }
}

impl Running {
    /// Takes more bytes into both registers.
    pub(super) fn extend(&mut self, data: &[u8]) {
        for &byte in data {
            let [high, _] = self.hj212.to_be_bytes();
            self.hj212 = TABLE[usize::from(high ^ byte)];
            let [high, low] = self.modbus.to_be_bytes();
            self.modbus = u16::from(high) ^ TABLE[usize::from(low ^ byte)];
        }
    }

    /// Which algorithm made `text` (1 to 4 hex digits) out of the bytes taken so far.
    pub(super) fn verdict(&self, text: &[u8]) -> CrcVerdict {
        let Some(given) = hex_value(text) else {
            return CrcVerdict::Bad;
        };
        if given == self.hj212 {
            return if text.iter().any(u8::is_ascii_lowercase) {
                CrcVerdict::Hj212Lower
            } else {
                CrcVerdict::Hj212
            };
        }
        if given == self.hj212.swap_bytes() {
            CrcVerdict::Hj212Swapped
        } else if given == self.modbus {
            CrcVerdict::Modbus
        } else if given == self.modbus.swap_bytes() {
            CrcVerdict::ModbusSwapped
        } else {
            CrcVerdict::Bad
        }
    }
}

/// Value of 1 to 4 hex digits; `None` for anything else.
fn hex_value(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 4 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

/// What the check code of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrcVerdict {
    /// The code of annex A in upper case.
    Hj212,
    /// The code of annex A with lower-case hex letters.
    Hj212Lower,
    /// The code of annex A with its two bytes swapped.
    Hj212Swapped,
    /// CRC-16/MODBUS.
    Modbus,
    /// CRC-16/MODBUS with its two bytes swapped.
    ModbusSwapped,
    /// The data area is encrypted (2025): the code covers the clear text and cannot be checked.
    Encrypted,
    /// No known code agrees, or there is none.
    Bad,
}

impl CrcVerdict {
    /// Every verdict, in order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Hj212,
        Self::Hj212Lower,
        Self::Hj212Swapped,
        Self::Modbus,
        Self::ModbusSwapped,
        Self::Encrypted,
        Self::Bad,
    ];

    /// Stable name, for records and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hj212 => "hj212",
            Self::Hj212Lower => "hj212-lowercase",
            Self::Hj212Swapped => "hj212-swapped",
            Self::Modbus => "modbus",
            Self::ModbusSwapped => "modbus-swapped",
            Self::Encrypted => "encrypted",
            Self::Bad => "bad",
        }
    }

    /// The verdict of that name; `None` when the name is not one of [`CrcVerdict::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == name)
    }

    /// Whether the frame may be believed under the tolerance the site was given.
    #[must_use]
    pub fn is_sound(self, accept: &AcceptCrc) -> bool {
        match self {
            Self::Hj212 => true,
            Self::Hj212Lower => accept.lower_case,
            Self::Hj212Swapped => accept.swapped,
            Self::Modbus => accept.modbus,
            Self::ModbusSwapped => accept.modbus && accept.swapped,
            Self::Encrypted => accept.encrypted,
            Self::Bad => false,
        }
    }

    /// Whether some known algorithm agrees with the bytes.
    #[must_use]
    pub fn is_known(self) -> bool {
        !matches!(self, Self::Encrypted | Self::Bad)
    }
}

impl std::fmt::Display for CrcVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which check codes beside the standard's own are taken as sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptCrc {
    /// Lower-case hex letters.
    pub lower_case: bool,
    /// The two bytes swapped.
    pub swapped: bool,
    /// CRC-16/MODBUS in the place of the standard's algorithm.
    pub modbus: bool,
    /// Encrypted frames, whose code cannot be checked before decryption.
    pub encrypted: bool,
}

impl AcceptCrc {
    /// The standard's algorithm in either case, and encrypted frames on trust of their length.
    pub const STANDARD: Self = Self {
        lower_case: true,
        swapped: false,
        modbus: false,
        encrypted: true,
    };
    /// Every known variant.
    pub const ALL: Self = Self {
        lower_case: true,
        swapped: true,
        modbus: true,
        encrypted: true,
    };
}

impl Default for AcceptCrc {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// How to write the check code of a frame that is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrcStyle {
    /// The standard's: annex A, upper case.
    #[default]
    Hj212,
    /// Annex A in lower case.
    Hj212Lower,
    /// Annex A, bytes swapped.
    Hj212Swapped,
    /// CRC-16/MODBUS.
    Modbus,
    /// CRC-16/MODBUS, bytes swapped.
    ModbusSwapped,
    /// This value whatever the bytes are, as loggers with a placeholder send it.
    Fixed(u16),
}

impl CrcStyle {
    /// The style in which a device with this verdict writes its own codes; the standard's for
    /// encrypted and bad ones.
    #[must_use]
    pub fn mirror(verdict: CrcVerdict) -> Self {
        match verdict {
            CrcVerdict::Hj212 | CrcVerdict::Encrypted | CrcVerdict::Bad => Self::Hj212,
            CrcVerdict::Hj212Lower => Self::Hj212Lower,
            CrcVerdict::Hj212Swapped => Self::Hj212Swapped,
            CrcVerdict::Modbus => Self::Modbus,
            CrcVerdict::ModbusSwapped => Self::ModbusSwapped,
        }
    }

    /// The four characters for this data segment.
    #[must_use]
    pub fn text(self, segment: &[u8]) -> String {
        match self {
            Self::Hj212 => format!("{:04X}", crc_hj212(segment)),
            Self::Hj212Lower => format!("{:04x}", crc_hj212(segment)),
            Self::Hj212Swapped => format!("{:04X}", crc_hj212(segment).swap_bytes()),
            Self::Modbus => format!("{:04X}", crc_modbus(segment)),
            Self::ModbusSwapped => format!("{:04X}", crc_modbus(segment).swap_bytes()),
            Self::Fixed(value) => format!("{value:04X}"),
        }
    }
}

/// Verdict over a whole segment; an encrypted data area outweighs a code that agrees by chance.
pub(super) fn judge(segment: &[u8], text: &[u8]) -> CrcVerdict {
    if encrypt::looks_encrypted(segment) {
        return CrcVerdict::Encrypted;
    }
    let mut running = Running::default();
    running.extend(segment);
    running.verdict(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNEX_A_2017: &[u8] = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;\
        MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&";

    #[test]
    fn annex_a_of_2017_gives_its_printed_code() {
        assert_eq!(crc_hj212(ANNEX_A_2017), 0x1C80);
        assert_eq!(judge(ANNEX_A_2017, b"1C80"), CrcVerdict::Hj212);
        assert_eq!(judge(ANNEX_A_2017, b"1c80"), CrcVerdict::Hj212Lower);
        assert_eq!(judge(ANNEX_A_2017, b"801C"), CrcVerdict::Hj212Swapped);
        assert_eq!(judge(ANNEX_A_2017, b"1C08"), CrcVerdict::Bad);
    }

    #[test]
    fn edge_values_of_the_register() {
        assert_eq!(crc_hj212(b""), 0xFFFF);
        assert_eq!(crc_hj212(b"\0"), 0x4040);
        // Check value of the CRC catalogue for CRC-16/MODBUS.
        assert_eq!(crc_modbus(b"123456789"), 0x4B37);
    }

    #[test]
    fn every_style_is_read_back_as_its_verdict() {
        let pairs = [
            (CrcStyle::Hj212, CrcVerdict::Hj212),
            (CrcStyle::Hj212Swapped, CrcVerdict::Hj212Swapped),
            (CrcStyle::Modbus, CrcVerdict::Modbus),
            (CrcStyle::ModbusSwapped, CrcVerdict::ModbusSwapped),
            (CrcStyle::Hj212Lower, CrcVerdict::Hj212Lower),
        ];
        for (style, verdict) in pairs {
            assert_eq!(
                judge(ANNEX_A_2017, style.text(ANNEX_A_2017).as_bytes()),
                verdict
            );
            assert_eq!(CrcStyle::mirror(verdict), style);
            assert!(verdict.is_sound(&AcceptCrc::ALL));
        }
        assert!(!CrcVerdict::Modbus.is_sound(&AcceptCrc::STANDARD));
        assert!(!CrcVerdict::Bad.is_sound(&AcceptCrc::ALL));
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for verdict in CrcVerdict::ALL {
            assert_eq!(CrcVerdict::from_name(verdict.as_str()), Some(verdict));
        }
    }
}
