//! The parts of a message: header, items, and how its text was encoded.

use smol_str::SmolStr;

use super::crc::CrcVerdict;
use super::edition::Edition;
use super::finding::Finding;

/// Bit 0 of `Flag`: the sender wants an answer. (2017 calls the bit A, 2025 calls it D.)
pub(super) const FLAG_ANSWER: u8 = 0b01;

/// Bit 1 of `Flag`: the frame carries PNUM and PNO.
pub(super) const FLAG_SPLIT: u8 = 0b10;

/// The fields before the data area (数据段结构, table of section 6.3). Texts are as sent; a field
/// that is absent or empty is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Request number (请求编号): a time of 17 digits by the standard.
    pub qn: Option<SmolStr>,
    /// System code (系统编码), for instance 31 air source, 32 water source, 91 answers.
    pub st: Option<SmolStr>,
    /// Command code (命令编码), four digits.
    pub cn: Option<SmolStr>,
    /// Password (访问密码).
    pub pw: Option<SmolStr>,
    /// Device number (设备唯一标识).
    pub mn: Option<SmolStr>,
    /// Version bits, packet-number bit and answer bit.
    pub flag: Option<u8>,
    /// Total number of packets (总包数).
    pub pnum: Option<u32>,
    /// Number of this packet (包号), from 1.
    pub pno: Option<u32>,
    /// `RF=1`: data sent again (2025).
    pub rf: bool,
    /// Fields the standard does not know, in order.
    pub extra: Vec<(SmolStr, SmolStr)>,
}

impl Header {
    /// Whether bit 0 of `Flag` asks for an answer; `false` without a Flag.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.flag.is_some_and(|flag| flag & FLAG_ANSWER != 0)
    }

    /// Whether this is one packet of several. Padding (`PNUM=1`) and a Flag that declares packet
    /// numbers without giving them do not count.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.pno.is_some() && self.pnum.is_some_and(|total| total > 1)
    }

    /// The version bits (`Flag` shifted right by two); `None` without a Flag.
    #[must_use]
    pub fn version_bits(&self) -> Option<u8> {
        self.flag.map(|flag| flag >> 2)
    }
}

/// One item of the data area: a factor with its sub-fields, or a bare field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Factor code or field name as sent.
    pub name: SmolStr,
    /// Sub-field name (`Rtd`, `Avg`, `Flag`, …) and original text, in order. The name is empty for
    /// the value of a bare field (`DataTime=…`). Known names are in the standard's case.
    pub fields: Vec<(SmolStr, SmolStr)>,
}

impl Item {
    /// A bare field.
    #[must_use]
    pub fn bare(name: &str, value: &str) -> Self {
        Self {
            name: SmolStr::new(name),
            fields: vec![(SmolStr::default(), SmolStr::new(value))],
        }
    }

    /// A factor with its sub-fields.
    #[must_use]
    pub fn factor(code: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields
            .iter()
            .map(|(name, value)| (SmolStr::new(name), SmolStr::new(value)))
            .collect();
        Self {
            name: SmolStr::new(code),
            fields,
        }
    }

    /// Text of a sub-field; the empty name gives the value of a bare field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&SmolStr> {
        self.fields
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value)
    }
}

/// How the bytes of the data segment were turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// ASCII or UTF-8, as the standard asks.
    Utf8,
    /// GBK, which some devices send in log texts.
    Gbk,
    /// Neither: bytes that could not be read are U+FFFD in the text.
    Binary,
}

/// A frame read into fields. Reading never fails; what is missing or odd is in the findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Edition of the standard the sender speaks.
    pub edition: Edition,
    /// Fields before the data area.
    pub header: Header,
    /// Items of the data area, in order; empty when it is encrypted and was not opened.
    pub items: Vec<Item>,
    /// What is otherwise than the standard asks.
    pub findings: Vec<Finding>,
    /// Encoding of the text.
    pub text_encoding: TextEncoding,
    /// What the check code says.
    pub crc: CrcVerdict,
    /// Whether the declared length is right.
    pub len_ok: bool,
    /// The data area came as SM4 cipher text (2025).
    pub encrypted: bool,
    /// The cipher text was opened with the station's key: items and `crc` are those of the clear
    /// text. Always `false` when the data area came clear.
    pub deciphered: bool,
}

impl Message {
    /// The command code, or an empty text.
    #[must_use]
    pub fn cn(&self) -> &str {
        self.header.cn.as_deref().unwrap_or_default()
    }

    /// Value of a bare field of the data area, by exact name or else in any case
    /// (`PolId`, `PolID`).
    #[must_use]
    pub fn bare(&self, name: &str) -> Option<&SmolStr> {
        let find = |same: &dyn Fn(&str) -> bool| {
            self.items
                .iter()
                .find(|item| same(&item.name))
                .and_then(|item| item.get(""))
        };
        find(&|other| other == name).or_else(|| find(&|other| other.eq_ignore_ascii_case(name)))
    }

    /// Whether some item has this sub-field.
    pub(super) fn has_field(&self, field: &str) -> bool {
        self.items.iter().any(|item| item.get(field).is_some())
    }
}
