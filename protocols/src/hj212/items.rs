//! Items of the data area: `code-Field=value,code-Field=value;name=value;…`.

use smol_str::SmolStr;

use super::fields::Item;
use super::finding::{FindingCode as Code, Findings};
use super::time::LocalTime;
use super::view::pieces::{Piece, Pieces};

/// Most items read of one message. The longest segment (9999 bytes) of the shortest items
/// (`a=1;`) has 2500; the rest is reported, not read.
const ITEMS_MAX: usize = 2500;

/// Sub-fields of the standards, with what their values are.
const SUB_FIELDS: &[(&str, Kind)] = &[
    ("Rtd", Kind::Number),
    ("Flag", Kind::Text),
    ("Avg", Kind::Number),
    ("Min", Kind::Number),
    ("Max", Kind::Number),
    ("Cou", Kind::Number),
    ("ZsRtd", Kind::Number),
    ("ZsMin", Kind::Number),
    ("ZsAvg", Kind::Number),
    ("ZsMax", Kind::Number),
    ("EFlag", Kind::Text),
    ("SampleTime", Kind::Time),
    ("CompleteTime", Kind::Time),
    ("SampleType", Kind::Text),
    ("SampleRd", Kind::Number),
    ("StandardValue", Kind::Number),
    ("ResultType", Kind::Text),
    ("Data", Kind::Number),
    ("DayData", Kind::Number),
    ("NightData", Kind::Number),
    ("RS", Kind::Number),
    ("RT", Kind::Number),
    ("Info", Kind::Text),
    ("SN", Kind::Text),
    ("Ala", Kind::Number),
    ("UpValue", Kind::Number),
    ("LowValue", Kind::Number),
];

/// Bare fields whose value is a time of 14 digits.
const TIME_FIELDS: [&str; 7] = [
    "DataTime",
    "SystemTime",
    "BeginTime",
    "EndTime",
    "RestartTime",
    "AlarmTime",
    "SKCreateTime",
];

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Time,
}

/// What the value of this field should be, by its exact name: bare fields are texts but for the
/// times, sub-fields the standards do not know are texts.
#[inline]
pub(super) fn kind_of(name: &str, part: &str) -> Kind {
    match part {
        "Rtd" | "Avg" | "Min" | "Max" | "ZsRtd" | "Cou" | "ZsAvg" | "ZsMin" | "ZsMax" => {
            Kind::Number
        }
        "Flag" => Kind::Text,
        "" if TIME_FIELDS.contains(&name) => Kind::Time,
        "" => Kind::Text,
        _ => {
            let known = SUB_FIELDS.iter().find(|(known, _)| part == *known);
            known.map_or(Kind::Text, |(_, kind)| *kind)
        }
    }
}

/// Reads the data area between its `&&`.
pub(super) fn read_items(area: &str, findings: &mut Findings) -> Vec<Item> {
    let mut reader = Reader {
        items: Vec::new(),
        group_start: 0,
        findings,
    };
    let trimmed = area.trim();
    if trimmed.len() < area.len() {
        reader.findings.add_once(Code::StrayBlank, "CP");
    }
    for Piece {
        start, equals, end, ..
    } in Pieces::new(trimmed.as_bytes())
    {
        match equals {
            Some(equals) => reader.field(&trimmed[start..equals], &trimmed[equals + 1..end]),
            None => reader.name_alone(&trimmed[start..end]),
        }
        match trimmed.as_bytes().get(end) {
            Some(_) if end + 1 == trimmed.len() => {
                reader.findings.add(Code::TrailingSemicolon, "");
            }
            Some(b';') => reader.group_start = reader.items.len(),
            _ => {}
        }
        if reader.items.len() > ITEMS_MAX {
            reader.items.truncate(ITEMS_MAX);
            reader.findings.add(Code::ItemsOverMax, "");
            break;
        }
    }
    reader.items
}

struct Reader<'f> {
    items: Vec<Item>,
    /// First item after the last `;`.
    group_start: usize,
    findings: &'f mut Findings,
}

impl Reader<'_> {
    fn name_alone(&mut self, piece: &str) {
        if piece.trim().is_empty() {
            self.findings.add_once(Code::EmptyField, "");
            return;
        }
        self.findings.add(Code::NoEquals, piece);
        self.items.push(Item {
            name: SmolStr::new(piece.trim()),
            fields: Vec::new(),
        });
    }

    fn field(&mut self, raw_name: &str, raw_value: &str) {
        let (name, value) = (raw_name.trim(), raw_value.trim());
        if name.len() < raw_name.len() || value.len() < raw_value.len() {
            self.findings.add_once(Code::StrayBlank, name);
        }
        if value.is_empty() {
            self.findings.add(Code::EmptyValue, name);
        }
        match name.rsplit_once('-') {
            Some((code, field)) if !code.is_empty() && !field.is_empty() => {
                let field = self.sub_field(field, name, value);
                self.push(code, field, value);
            }
            _ => {
                if TIME_FIELDS.contains(&name) {
                    self.time(name, value);
                }
                self.push(name, SmolStr::default(), value);
            }
        }
    }

    /// The sub-field's name in the standard's case, after a look at its value.
    fn sub_field(&mut self, field: &str, name: &str, value: &str) -> SmolStr {
        let exact = SUB_FIELDS.iter().find(|(known, _)| field == *known);
        let known = exact.or_else(|| {
            let same = |(known, _): &&(&str, Kind)| field.eq_ignore_ascii_case(known);
            SUB_FIELDS.iter().find(same)
        });
        let Some((known, kind)) = known else {
            self.findings.add_once(Code::FieldUnknown, name);
            return SmolStr::new(field);
        };
        if field != *known {
            self.findings.add(Code::NameCase, name);
        }
        match kind {
            Kind::Text => {}
            _ if value.is_empty() => {}
            Kind::Time => self.time(name, value),
            Kind::Number => match number_shape(value) {
                Shape::Plain => {}
                Shape::Exponent => self.findings.add(Code::ValueExponent, value),
                Shape::Other => {
                    self.findings
                        .add(Code::ValueNotANumber, &format!("{name}={value}"));
                }
            },
        }
        SmolStr::new_static(known)
    }

    fn time(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if value.len() != 14 {
            self.findings
                .add(Code::DataTimeLength, &format!("{name}={value}"));
        }
        if LocalTime::parse(value).is_none() {
            self.findings
                .add(Code::DataTimeBad, &format!("{name}={value}"));
        }
    }

    /// Sub-fields of one code between two `;` are one item; a bare field is always its own.
    fn push(&mut self, name: &str, field: SmolStr, value: &str) {
        let value = SmolStr::new(value);
        let group = self.items.get_mut(self.group_start..).unwrap_or_default();
        if !field.is_empty()
            && let Some(item) = group
                .iter_mut()
                .rev()
                .take(GROUP_LOOK_BACK)
                .find(|item| item.name == name && item.get("").is_none())
        {
            item.fields.push((field, value));
            return;
        }
        if !group.is_empty() {
            self.findings.add_once(Code::ItemsByComma, name);
        }
        self.items.push(Item {
            name: SmolStr::new(name),
            fields: vec![(field, value)],
        });
    }
}

/// Items looked at for the one a sub-field belongs to, so that a segment of commas stays linear.
const GROUP_LOOK_BACK: usize = 8;

enum Shape {
    Plain,
    Exponent,
    Other,
}

/// Shape of a number as written: a sign, digits, one point (Nx.y of the standard), and perhaps an
/// exponent, which the standard does not know.
fn number_shape(text: &str) -> Shape {
    let is_decimal = |text: &str, point: bool| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let points = digits.bytes().filter(|byte| *byte == b'.').count();
        digits.bytes().any(|byte| byte.is_ascii_digit())
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && points <= usize::from(point)
    };
    if is_decimal(text, true) {
        return Shape::Plain;
    }
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) if is_decimal(mantissa, true) && is_decimal(exponent, false) => {
            Shape::Exponent
        }
        _ => Shape::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(area: &str) -> (Vec<Item>, Vec<&'static str>) {
        let mut findings = Findings::default();
        let items = read_items(area, &mut findings);
        (
            items,
            findings
                .into_list()
                .iter()
                .map(|finding| finding.code.as_str())
                .collect(),
        )
    }

    #[test]
    fn one_item_per_code_between_semicolons() {
        let (items, findings) =
            read("DataTime=20200101000000;a21026-Rtd=1.5,a21026-ZsRtd=-2,a21026-Flag=N;SB1-RS=1");
        assert_eq!(
            items,
            [
                Item::bare("DataTime", "20200101000000"),
                Item::factor("a21026", &[("Rtd", "1.5"), ("ZsRtd", "-2"), ("Flag", "N")]),
                Item::factor("SB1", &[("RS", "1")]),
            ]
        );
        assert_eq!(findings, [""; 0]);
    }

    #[test]
    fn separators_inside_a_log_text_are_text() {
        let (items, _) = read("i11001-Info=//a;b,c=d//;PolId=w01018");
        assert_eq!(items[0], Item::factor("i11001", &[("Info", "//a;b,c=d//")]));
        assert_eq!(items[1], Item::bare("PolId", "w01018"));
        // An open text ends at the next separator.
        assert_eq!(read("i11001-Info=//a;PolId=1").0.len(), 2);
    }

    #[test]
    fn odd_forms_are_read_and_reported() {
        let cases: &[(&str, usize, &str)] = &[
            (
                "BeginTime=20200101000000,EndTime=20200101000000",
                2,
                "items-by-comma",
            ),
            ("a-Rtd=1;", 1, "trailing-semicolon"),
            ("a-Rtd=1;;b-Rtd=2", 2, "empty-field"),
            (" a-Rtd=1", 1, "stray-blank"),
            ("a-Rtd =1", 1, "stray-blank"),
            ("a-Rtd=", 1, "empty-value"),
            ("a-Rtd=1.2e-3", 1, "value-exponent"),
            ("a-Rtd=1.2.3", 1, "value-not-a-number"),
            ("a-Rtd=NaN", 1, "value-not-a-number"),
            ("a-rtd=1", 1, "name-case"),
            ("a-td=1", 1, "field-unknown"),
            ("DataTime=202001010000", 1, "datatime-length"),
            ("DataTime=20201301000000", 1, "datatime-bad"),
            ("noequals", 1, "no-equals"),
        ];
        for (area, count, code) in cases {
            let (items, findings) = read(area);
            assert_eq!(items.len(), *count, "{area}");
            assert!(findings.contains(code), "{area}: {findings:?}");
        }
    }

    #[test]
    fn the_number_of_items_is_bounded() {
        let (items, findings) = read(&"a=1;".repeat(ITEMS_MAX + 10));
        assert_eq!(items.len(), ITEMS_MAX);
        assert_eq!(findings, ["items-over-max"]);
    }
}
