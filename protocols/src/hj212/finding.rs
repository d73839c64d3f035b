//! What a message does otherwise than the standard asks, as a closed list.

/// One deviation of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which deviation.
    pub code: FindingCode,
    /// The text that shows it, as sent; may be empty.
    pub detail: String,
}

macro_rules! findings {
    ($($variant:ident $name:literal $zh:literal $en:literal;)*) => {
        /// Every deviation the reader forgives or reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode {
            $(#[doc = $en] $variant,)*
        }

        impl FindingCode {
            /// Every code, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable kebab-case name, for records and logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in Chinese.
            #[must_use]
            pub fn describe_zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)* }
            }

            /// What it means, in English.
            #[must_use]
            pub fn describe_en(self) -> &'static str {
                match self { $(Self::$variant => $en,)* }
            }
        }
    };
}

findings! {
    CrcLowercase "crc-lowercase" "校验码为小写字母" "the check code is in lower case";
    CrcSwapped "crc-swapped" "校验码高低字节颠倒" "the bytes of the check code are swapped";
    CrcModbus "crc-modbus" "校验码按 MODBUS 算法计算"
        "the check code is CRC-16/MODBUS, not that of HJ 212";
    CrcShort "crc-short" "校验码不足四位" "the check code has lost its leading zeros";
    CrcAbsent "crc-absent" "没有校验码" "there is no check code";
    CrcBad "crc-bad" "校验码不正确" "the check code agrees with no known algorithm";
    LengthWrong "length-wrong" "长度字段与数据段实际长度不符"
        "the declared length is not that of the data segment";
    LengthDigits "length-digits" "长度字段不是四位数字" "the length field has not four digits";
    LengthOverMax "length-over-1024" "数据段超过 1024 字节且未拆包"
        "the data segment exceeds 1024 bytes and was not split";
    NoCrlf "no-crlf" "包尾没有回车换行" "the frame does not end in CR LF";
    CpAbsent "cp-absent" "没有数据区 CP" "there is no CP field";
    MissingOpening "missing-opening-&&" "数据区开头缺少 &&" "the && that opens the data area is missing";
    MissingClosing "missing-closing-&&" "数据区结尾缺少 &&"
        "the && that closes the data area is missing";
    TextAfterCp "text-after-cp" "数据区之后还有内容" "text follows the closing &&";
    TrailingSemicolon "trailing-semicolon" "数据区末尾多余分号" "a separator stands before the closing &&";
    MissingSeparator "missing-separator" "CP 前缺少分号" "the ; before CP is missing";
    HeaderComma "header-comma" "包头字段以逗号分隔" "a comma separates header fields";
    HeaderOrder "header-order" "包头字段次序与标准不同" "the header fields are in another order";
    HeaderExtra "header-extra" "包头有标准以外的字段" "the header has a field unknown to the standard";
    DuplicateField "duplicate-field" "同一字段重复出现" "a field appears twice; the first counts";
    NameCase "name-case" "字段名大小写与标准不同" "a field name is in the wrong case";
    StrayBlank "stray-blank" "多余空格" "blanks stand around a name or value";
    EmptyField "empty-field" "两个分隔符之间为空" "nothing stands between two separators";
    EmptyValue "empty-value" "字段值为空" "a field has no value";
    NoEquals "no-equals" "字段缺少等号" "an item has no = sign";
    QnAbsent "qn-absent" "没有请求编号 QN" "there is no QN";
    QnShape "qn-shape" "请求编号不是 17 位时间" "the QN is not a time of 17 digits";
    StAbsent "st-absent" "没有系统编码 ST" "there is no ST";
    StShape "st-shape" "系统编码不是两位" "the ST has not two characters";
    CnAbsent "cn-absent" "没有命令编码 CN" "there is no CN";
    CnShape "cn-shape" "命令编码不是四位数字" "the CN has not four digits";
    CnUnknown "cn-unknown" "该版本标准中没有此命令" "the CN is not in this edition of the standard";
    PwShape "pw-shape" "密码不是六位" "the password has not six characters";
    MnAbsent "mn-absent" "没有设备标识 MN" "there is no MN";
    MnShape "mn-shape" "设备标识既非 14 位也非 24 位十六进制"
        "the MN has neither 14 characters nor 24 hex digits";
    FlagAbsent "flag-absent" "没有 Flag 字段" "there is no Flag";
    FlagShape "flag-shape" "Flag 不是 0 至 255 的数" "the Flag is not a number from 0 to 255";
    SplitWithoutNumbers "split-without-numbers" "Flag 声明拆包却没有 PNUM、PNO"
        "the Flag declares packet numbers and there are none";
    SplitBitUnset "split-bit-unset" "有 PNUM、PNO 而 Flag 未声明"
        "packet numbers are there but the Flag does not declare them";
    SplitNumberWrong "split-number-wrong" "PNUM 或 PNO 不合理" "PNUM or PNO makes no sense";
    RfShape "rf-shape" "RF 的值不是 1" "RF has a value other than 1";
    EditionMixed "edition-mixed" "不同版本标准的写法混用"
        "signs of different editions of the standard are mixed";
    EditionUncertain "edition-uncertain" "无法断定标准版本"
        "the edition cannot be told; the surface-water profile also uses these version bits";
    DataTimeLength "datatime-length" "时间不是 14 位" "a time has not 14 digits";
    DataTimeBad "datatime-bad" "时间无效" "a time names no real date";
    DataTimeAbsent "datatime-absent" "没有数据时间" "data without DataTime";
    ValueExponent "value-exponent" "数值使用科学计数法" "a value is written with an exponent";
    ValueNotANumber "value-not-a-number" "数值不是数字" "a value is not a number";
    FlagShared "flag-shared" "一个数据标记用于全部因子"
        "one bare Flag stands for all factors";
    FieldUnknown "field-unknown" "标准以外的数据字段" "a sub-field is unknown to the standard";
    ItemsByComma "items-by-comma" "数据项之间以逗号分隔"
        "a comma separates items that belong to different codes";
    FactorRepeated "factor-repeated" "同一因子重复上报" "a factor has the same sub-field twice";
    GbkText "gbk-text" "中文为 GBK 编码" "the Chinese text is GBK, not UTF-8";
    TextUndecodable "text-undecodable" "含有无法解码的字节" "bytes that are neither UTF-8 nor GBK";
    ControlBytes "control-bytes" "含有控制字符" "control characters inside the data segment";
    EncryptedArea "encrypted" "数据区已加密，尚未解密" "the data area is encrypted and was not read";
    EncryptedPrinted "encrypted-printed" "密文以 {0x..} 文本形式发送"
        "the cipher text was sent in its printed form {0x..}";
    DecipherFailed "decipher-failed" "密钥不符或数据受损，解密后校验码不符"
        "the key does not fit or the frame is damaged: the deciphered text disagrees with the code";
    ItemsOverMax "items-over-max" "数据项过多，其余未读" "too many items; the rest was not read";
}

/// Most findings kept of one message: damage can make thousands, and ten tell the story.
const FINDINGS_MAX: usize = 64;

/// Longest detail kept, bytes; the raw frame has the rest.
const DETAIL_BYTES_MAX: usize = 64;

/// Collects findings within the bounds.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a finding; beyond the bound only codes not seen before are added.
    pub(super) fn add(&mut self, code: FindingCode, detail: &str) {
        if self.list.len() >= FINDINGS_MAX && self.has(code) {
            return;
        }
        let mut end = detail.len().min(DETAIL_BYTES_MAX);
        while !detail.is_char_boundary(end) {
            end -= 1;
        }
        self.list.push(Finding {
            code,
            detail: detail[..end].to_owned(),
        });
    }

    /// Adds a finding unless its code is already there.
    pub(super) fn add_once(&mut self, code: FindingCode, detail: &str) {
        if !self.has(code) {
            self.add(code, detail);
        }
    }

    fn has(&self, code: FindingCode) -> bool {
        self.list.iter().any(|finding| finding.code == code)
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_described_in_both_languages() {
        let names: BTreeSet<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), FindingCode::ALL.len());
        for code in FindingCode::ALL {
            assert!(!code.describe_zh().is_ascii(), "{}", code.as_str());
            assert!(code.describe_en().is_ascii(), "{}", code.as_str());
        }
    }

    #[test]
    fn floods_are_bounded_but_new_codes_are_kept() {
        let mut findings = Findings::default();
        for _ in 0..10_000 {
            findings.add(FindingCode::EmptyValue, &"长".repeat(100));
        }
        findings.add(FindingCode::NoCrlf, "");
        let list = findings.into_list();
        assert_eq!(list.len(), FINDINGS_MAX + 1);
        assert!(
            list.iter()
                .all(|finding| finding.detail.len() <= DETAIL_BYTES_MAX)
        );
    }
}
