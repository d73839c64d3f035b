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
    hj212_from(0xFFFF, data)
}

/// CRC-16/MODBUS, which many loggers send by mistake in the place of the HJ 212 code.
#[must_use]
pub fn crc_modbus(data: &[u8]) -> u16 {
    modbus_from(0xFFFF, data)
}

/// The steps of annex A as printed, a byte at a time.
fn hj212_steps(register: u16, data: &[u8]) -> u16 {
    data.iter().fold(register, |register, byte| {
        let [high, _] = register.to_be_bytes();
        TABLE[usize::from(high ^ byte)]
    })
}

/// [`hj212_steps`] at the speed of memory.
///
/// A step is linear over the eight bits of state, and eight steps in a row are the identity (the
/// matrix has order 8). So bytes eight apart enter the register alike: the data is XORed together
/// in words of eight bytes first, and the steps are walked once, over what remains.
fn hj212_from(register: u16, data: &[u8]) -> u16 {
    /// Words XORed side by side, so that the compiler uses the widest registers there are.
    const LANES: usize = 8;
    let mut lanes = [0u64; LANES];
    let mut blocks = data.chunks_exact(LANES * 8);
    for block in &mut blocks {
        for (lane, word) in lanes.iter_mut().zip(words(block)) {
            *lane ^= word;
        }
    }
    let rest = blocks.remainder();
    let mut folded = lanes.iter().fold(0, |all, lane| all ^ lane);
    folded = words(rest).fold(folded, |all, word| all ^ word);
    let tail = &rest[rest.len() / 8 * 8..];
    if data.len() < 8 {
        // No whole word: eight steps over nothing would replace the low byte of the start value.
        return hj212_steps(register, tail);
    }
    hj212_steps(hj212_steps(register, &folded.to_le_bytes()), tail)
}

/// The whole words of eight bytes.
fn words(data: &[u8]) -> impl Iterator<Item = u64> {
    data.chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
}

fn modbus_from(register: u16, data: &[u8]) -> u16 {
    data.iter().fold(register, |register, byte| {
        let [high, low] = register.to_be_bytes();
        u16::from(high) ^ TABLE[usize::from(low ^ byte)]
    })
}

/// Both registers over a growing prefix of one segment, so that each end candidate costs only its
/// new bytes, and MODBUS costs nothing where the standard's code agrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    hj212: u16,
    /// Bytes of the segment that `hj212` has taken.
    hj212_len: usize,
    modbus: u16,
    /// Bytes of the segment that `modbus` has taken.
    modbus_len: usize,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            hj212: 0xFFFF,
            hj212_len: 0,
            modbus: 0xFFFF,
            modbus_len: 0,
        }
    }
}

impl Running {
    /// Which algorithm made `text` (1 to 4 hex digits) out of `segment`, which begins with the
    /// bytes of the calls before; a shorter one starts over.
    pub(super) fn verdict(&mut self, segment: &[u8], text: &[u8]) -> CrcVerdict {
        let Some(given) = hex_value(text) else {
            return CrcVerdict::Bad;
        };
        if segment.len() < self.hj212_len.max(self.modbus_len) {
            *self = Self::default();
        }
        self.hj212 = hj212_from(self.hj212, &segment[self.hj212_len..]);
        self.hj212_len = segment.len();
        if given == self.hj212 {
            return if text.iter().any(u8::is_ascii_lowercase) {
                CrcVerdict::Hj212Lower
            } else {
                CrcVerdict::Hj212
            };
        }
        if given == self.hj212.swap_bytes() {
            return CrcVerdict::Hj212Swapped;
        }
        self.modbus = modbus_from(self.modbus, &segment[self.modbus_len..]);
        self.modbus_len = segment.len();
        if given == self.modbus {
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
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let value = text
        .iter()
        .try_fold(0, |value, byte| Some(value * 16 + digit(byte)?))?;
    u16::try_from(value).ok()
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
    Running::default().verdict(segment, text)
}

#[cfg(test)]
mod tests;
