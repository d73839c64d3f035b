//! One `[[point]]` of a register map.

use super::{Setting, not_for};
use crate::factors::FactorTable;
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::suggest;
use crate::units::{UNITS, Unit};
use cems_protocols::instrument::{Outside, Place, Point, Range, Role};
use cems_protocols::modbus::{Kind, Register, Table};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// Units of gas analysers that no factor has: shares of volume. Settings give the multiplier to a
/// mass concentration, because it depends on the gas.
pub(crate) const VOLUME_SHARES: [&str; 2] = ["ppm", "ppb"];

/// Reads one point with the place of its name.
pub(super) fn point(
    s: Section<'_>,
    setting: &Setting<'_>,
    r: &mut Report,
) -> Option<(Got<String>, Point)> {
    let hint = say!(
        "a short name, such as name = \"so2\"",
        "短名称，如 name = \"so2\""
    );
    let name = s.need_text(r, "name", hint);
    let role = role(&s, r);
    let place = match setting.modbus {
        true => register(&s, setting, r).map(Place::Register),
        false => {
            for key in REGISTER_KEYS {
                if let Some(item) = s.item(key) {
                    not_for(item.at, key, false, r);
                }
            }
            Some(Place::Field)
        }
    };
    let group = group(&s, name.as_ref(), setting, r);
    let unit = unit(&s, &role, r);
    let scale = s.decimal(r, "scale");
    if let Some(scale) = scale.as_ref().filter(|scale| scale.value.is_zero()) {
        r.error(
            scale.at,
            say!("`scale` is 0", "`scale` 为 0"),
            say!("every value would be the same", "所有数值将相同"),
        );
    }
    let point = Point {
        name: SmolStr::new(name.as_ref().map_or("", |got| &got.value)),
        role,
        place: place.unwrap_or(Place::Field),
        unit,
        scale: scale.map_or(Decimal::ONE, |got| got.value),
        offset: s
            .decimal(r, "offset")
            .map_or(Decimal::ZERO, |got| got.value),
        decimals: s.integer(r, "decimals", 0..=10).map(|got| got.value),
        range: range(&s, r),
        group,
    };
    s.finish(r);
    Some((name?, point))
}

const REGISTER_KEYS: [&str; 8] = [
    "table",
    "address",
    "type",
    "order",
    "bit",
    "bit_count",
    "registers",
    "base",
];

fn role(s: &Section<'_>, r: &mut Report) -> Role {
    let words = [("state", Role::State), ("info", Role::Info)];
    let mut role = None;
    if let Some(got) = s.text(r, "role") {
        let found = words.iter().find(|(word, _)| *word == got.value);
        if found.is_none() {
            let sent = &got.value;
            r.error(
                got.at,
                say!(
                    "`role` does not know \"{sent}\"",
                    "`role` 不能取值 \"{sent}\""
                ),
                suggest::hint(sent, words.iter().map(|(word, _)| *word)),
            );
        }
        role = found.map(|(_, role)| role.clone());
    }
    let Some(factor) = s.text(r, "factor") else {
        return role.unwrap_or(Role::Info);
    };
    let table = FactorTable::builtin();
    if table.get(&factor.value).is_none() {
        let code = &factor.value;
        r.error(
            factor.at,
            say!("{code} is not in the factor table", "因子表中没有 {code}"),
            suggest::hint(code, table.all().iter().map(|row| row.code.as_str())),
        );
    }
    if role.is_some() {
        r.error(
            factor.at,
            say!("a factor has no `role`", "因子不设 `role`"),
            say!("take one of the two out", "请删除其中一项"),
        );
    }
    Role::Factor(SmolStr::new(factor.value))
}

fn register(s: &Section<'_>, setting: &Setting<'_>, r: &mut Report) -> Option<Register> {
    let table = s
        .word(r, "table", &Table::NAMES)
        .map_or(setting.table, |got| got.value);
    let base = s
        .integer::<i64>(r, "base", 0..=400_001)
        .map_or(setting.base, |got| got.value);
    let kind = kind(s, table, r);
    let order = s.word(r, "order", &cems_protocols::modbus::Order::NAMES);
    if s.item("address").is_none() {
        let hint = say!(
            "the address as the manual gives it; `base` says what it counts from",
            "按说明书填写地址；起始编号用 `base` 说明"
        );
        s.missing(r, "address", hint);
    }
    let written = s.integer::<i64>(r, "address", 0..=465_536)?;
    let kind = kind?;
    let wire = written.value - base;
    let last = wire + i64::from(kind.len()) - 1;
    let address = u16::try_from(wire).ok().filter(|_| last <= 65_535);
    if address.is_none() {
        let sent = written.value;
        r.error(
            written.at,
            say!(
                "address {sent} counted from {base} is {wire} to {last} on the wire, outside 0 to \
                 65535",
                "地址 {sent}（从 {base} 起编）在线路上为 {wire} 到 {last}，超出 0 到 65535"
            ),
            say!(
                "correct `address`, or `base` (0, 1, 30001, 40001, ...)",
                "请更正 `address` 或 `base`（0、1、30001、40001 等）"
            ),
        );
    }
    Some(Register {
        table,
        address: address?,
        kind,
        order: order.map_or(setting.order, |got| got.value),
    })
}

fn kind(s: &Section<'_>, table: Table, r: &mut Report) -> Option<Kind> {
    let words = [
        ("bit", Kind::Bit),
        ("u16", Kind::U16),
        ("i16", Kind::I16),
        ("u32", Kind::U32),
        ("i32", Kind::I32),
        ("f32", Kind::F32),
        ("f64", Kind::F64),
        ("bcd16", Kind::Bcd16),
        ("bcd32", Kind::Bcd32),
        ("bits", Kind::Bits { first: 0, count: 1 }),
        ("text", Kind::Text { registers: 1 }),
    ];
    let bit = s.integer::<u8>(r, "bit", 0..=15);
    let count = s.integer::<u8>(r, "bit_count", 1..=16);
    let registers = s.integer::<u8>(r, "registers", 1..=32);
    let named = s.item("type").is_some();
    let word = s.word(r, "type", &words);
    if table.is_bits() {
        if let Some(word) = word.filter(|got| got.value != Kind::Bit) {
            r.error(
                word.at,
                say!(
                    "coils and inputs hold single bits",
                    "线圈和离散输入只有一位"
                ),
                say!(
                    "take `type` out, or correct `table`",
                    "请删除 `type` 或更正 `table`"
                ),
            );
        }
        return Some(Kind::Bit);
    }
    if !named && bit.is_none() {
        let hint = say!(
            "such as type = \"f32\", or bit = 3 for one bit",
            "如 type = \"f32\"；取一位时写 bit = 3"
        );
        s.missing(r, "type", hint);
        return None;
    }
    let kind = match word {
        None if named => return None,
        None => Kind::Bits { first: 0, count: 1 },
        Some(got) if got.value == Kind::Bit => {
            r.error(
                got.at,
                say!("a register is no single bit", "寄存器不是单个位"),
                say!("write bit = 0 to 15", "请写 bit = 0 到 15"),
            );
            return None;
        }
        Some(got) => got.value,
    };
    match kind {
        Kind::Bits { .. } => bits(s.at, bit.as_ref(), count.as_ref(), r),
        Kind::Text { .. } => Some(Kind::Text {
            registers: registers.map_or(1, |got| got.value),
        }),
        kind => Some(kind),
    }
}

fn bits(at: At, bit: Option<&Got<u8>>, count: Option<&Got<u8>>, r: &mut Report) -> Option<Kind> {
    let first = bit.map_or(0, |got| got.value);
    let most = count.map_or(1, |got| got.value);
    if first + most > 16 {
        r.error(
            count.map_or(at, |got| got.at),
            say!(
                "{most} bits from bit {first} do not fit a register",
                "从第 {first} 位起的 {most} 位超出一个寄存器"
            ),
            say!("bits are 0 to 15", "位编号为 0 到 15"),
        );
        return None;
    }
    Some(Kind::Bits { first, count: most })
}

fn group(
    s: &Section<'_>,
    name: Option<&Got<String>>,
    setting: &Setting<'_>,
    r: &mut Report,
) -> usize {
    let said = s.text(r, "group");
    let found = said.as_ref().map(|got| {
        let index = setting.groups.iter().position(|g| g.name == got.value);
        if index.is_none() {
            let value = &got.value;
            r.error(
                got.at,
                say!("no group is called {value}", "没有名为 {value} 的轮询组"),
                suggest::hint(value, setting.groups.iter().map(|g| g.name.as_str())),
            );
        }
        index.unwrap_or(0)
    });
    if setting.modbus {
        return found.unwrap_or(0);
    }
    // The field says which answer it is in.
    let Some(name) = name else {
        return 0;
    };
    let field = setting
        .fields
        .iter()
        .find(|(field, group)| *field == name.value && found.is_none_or(|g| g == *group));
    if field.is_none() && !r.has_errors() {
        let value = &name.value;
        r.error(
            name.at,
            say!("no answer has a field {value}", "应答中没有字段 {value}"),
            suggest::hint(value, setting.fields.iter().map(|(f, _)| f.as_str())),
        );
    }
    field.map_or(0, |(_, group)| *group)
}

fn unit(s: &Section<'_>, role: &Role, r: &mut Report) -> Option<SmolStr> {
    let Some(got) = s.text(r, "unit") else {
        if matches!(role, Role::Factor(_)) {
            let hint = say!(
                "the unit after `scale`, such as \"mg/m3\", \"ppm\" or \"%\"",
                "换算后的单位，如 \"mg/m3\"、\"ppm\"、\"%\""
            );
            s.missing(r, "unit", hint);
        }
        return None;
    };
    if let Some(unit) = Unit::named(&got.value) {
        return Some(SmolStr::new_static(unit.name));
    }
    let share = VOLUME_SHARES.contains(&got.value.as_str());
    // Of what is only shown, any unit will do: bar, mL/min, g/m3.
    if !share && matches!(role, Role::Factor(_)) {
        let value = &got.value;
        let known = UNITS.iter().map(|u| u.name).chain(VOLUME_SHARES);
        let known: Vec<&str> = known.collect();
        r.error(
            got.at,
            say!("unknown unit \"{value}\"", "未知单位 \"{value}\""),
            suggest::hint(value, known),
        );
    }
    Some(SmolStr::new(got.value))
}

fn range(s: &Section<'_>, r: &mut Report) -> Option<Range> {
    let words = [
        ("over-range", Outside::OverRange),
        ("invalid", Outside::Invalid),
    ];
    let outside = s.word(r, "outside", &words);
    let Some(item) = s.item("range") else {
        if let Some(outside) = outside {
            r.error(
                outside.at,
                say!("`outside` without `range`", "有 `outside` 而无 `range`"),
                say!("add range = [0, 500]", "请添加 range = [0, 500]"),
            );
        }
        return None;
    };
    let ends: Vec<Decimal> = item
        .entries()
        .iter()
        .filter_map(|e| e.decimal(r, "range"))
        .map(|got| got.value)
        .collect();
    let [min, max] = ends.as_slice() else {
        r.error(
            item.at,
            say!("`range` needs two numbers", "`range` 须为两个数"),
            say!("such as range = [0, 500]", "如 range = [0, 500]"),
        );
        return None;
    };
    if min >= max {
        r.error(
            item.at,
            say!(
                "range from {min} to {max} is empty",
                "量程 {min} 到 {max} 无效"
            ),
            say!("the lower end first", "先写下限"),
        );
    }
    Some(Range {
        min: *min,
        max: *max,
        outside: outside.map_or(Outside::OverRange, |got| got.value),
    })
}
