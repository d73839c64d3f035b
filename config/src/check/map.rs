//! One register map: a file of `config/instruments/`, or one of the user's own.

mod point;
mod rule;

pub(crate) use point::VOLUME_SHARES;

use super::Taken;
use crate::report::{At, Report, Say, say};
use crate::section::{Got, Section};
use cems_protocols::ascii::{Exchange, Mistake, Pattern, PatternError, Request};
use cems_protocols::instrument::{Certainty, Group, Map, Place, Point, Protocol, Timing};
use cems_protocols::modbus::{Kind, Order, Table};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Most points of a map; the longest public register lists have a few hundred worth reading.
const POINTS_MAX: usize = 1_000;
/// Longest poll period of a group, milliseconds: a day.
const GROUP_MS_MAX: i64 = 86_400_000;

/// What a map says for all its points.
struct Setting<'a> {
    modbus: bool,
    /// Subtracted from an address as written.
    base: i64,
    table: Table,
    order: Order,
    groups: &'a [Group],
    /// Fields of the answers, with their group.
    fields: Vec<(SmolStr, usize)>,
}

/// Reads a map; what is wrong is in the report.
pub(crate) fn map(s: &Section<'_>, r: &mut Report) -> Option<Map> {
    let id = super::id(s, r);
    let need = |r: &mut Report, key, hint| s.need_text(r, key, hint).map(|got| got.value);
    let shown = || say!("pages and messages show it", "页面和消息中显示");
    let title_zh = need(r, "title_zh", shown());
    let title_en = need(r, "title_en", shown());
    let source = need(
        r,
        "source",
        say!(
            "the manual it was made from, with its section",
            "所依据的说明书及章节"
        ),
    );
    let certainty = certainty(s, r);
    let modbus = protocol(s, r);
    let timing = timing(s, r);
    let (groups, exchanges) = groups(s, modbus, r);
    let base = base(s, modbus, r);
    let table = s.word(r, "table", &Table::NAMES);
    let order = s.word(r, "order", &Order::NAMES);
    let mut setting = Setting {
        modbus,
        base,
        table: table.map_or(Table::Holding, |got| got.value),
        order: order.map_or(Order::Abcd, |got| got.value),
        groups: &groups,
        fields: Vec::new(),
    };
    for exchange in &exchanges {
        for field in exchange.0.response.fields() {
            setting
                .fields
                .extend(field.name.clone().map(|name| (name, exchange.0.group)));
        }
    }
    let (points, places) = points(s, &setting, r);
    unpointed(&exchanges, &points, r);
    overlaps(&points, &places, r);
    let rules = rule::rules(s, &points, r);
    Some(Map {
        id: SmolStr::new(id?.value),
        title_zh: title_zh?,
        title_en: title_en?,
        source: source?,
        certainty: certainty?,
        timing,
        groups,
        points,
        rules,
        protocol: match modbus {
            true => Protocol::Modbus,
            false => Protocol::Ascii(exchanges.into_iter().map(|(e, _)| e).collect()),
        },
    })
}

fn certainty(s: &Section<'_>, r: &mut Report) -> Option<Certainty> {
    let words = [
        ("manual", Certainty::Manual),
        ("secondary", Certainty::Secondary),
        ("recalled", Certainty::Recalled),
    ];
    if s.item("certainty").is_none() {
        let hint = say!(
            "how sure the entries are: \"manual\" (copied from it), \"secondary\" (from software \
             that quotes it) or \"recalled\" (from memory)",
            "来源可靠程度：\"manual\"（摘自说明书）、\"secondary\"（转引）、\"recalled\"（凭记忆）"
        );
        s.missing(r, "certainty", hint);
    }
    s.word(r, "certainty", &words).map(|got| got.value)
}

/// Whether it is Modbus; else ASCII.
fn protocol(s: &Section<'_>, r: &mut Report) -> bool {
    s.word(r, "protocol", &[("modbus", true), ("ascii", false)])
        .is_none_or(|got| got.value)
}

/// What the manual counts addresses from.
fn base(s: &Section<'_>, modbus: bool, r: &mut Report) -> i64 {
    let Some(got) = s.integer::<i64>(r, "base", 0..=400_001) else {
        return 0;
    };
    if !modbus {
        not_for(got.at, "base", modbus, r);
    }
    got.value
}

/// A key that the protocol of the map has no use for.
fn not_for(at: At, key: &str, modbus: bool, r: &mut Report) {
    let (en, zh) = match modbus {
        true => ("a Modbus map", "Modbus 映射"),
        false => ("an ASCII map", "ASCII 映射"),
    };
    r.error(
        at,
        say!("`{key}` means nothing in {en}", "`{key}` 不适用于 {zh}"),
        say!(
            "take it out, or correct `protocol`",
            "请删除，或更正 `protocol`"
        ),
    );
}

fn timing(s: &Section<'_>, r: &mut Report) -> Timing {
    let Some(s) = s.section(r, "timing") else {
        return Timing::default();
    };
    let timing = Timing {
        timeout_ms: s.integer(r, "timeout_ms", 50..=60_000).map(|g| g.value),
        pause_between_requests_ms: s
            .integer(r, "pause_between_requests_ms", 0..=10_000)
            .map(|g| g.value),
        max_registers_per_request: s
            .integer(r, "max_registers_per_request", 1..=125)
            .map(|g| g.value),
        max_gap: s.integer(r, "max_gap", 0..=124).map(|g| g.value),
        one_request_per_point: s.boolean(r, "one_request_per_point").map(|g| g.value),
    };
    s.finish(r);
    timing
}

type Placed = (Exchange, At);

fn groups(s: &Section<'_>, modbus: bool, r: &mut Report) -> (Vec<Group>, Vec<Placed>) {
    let mut groups = Vec::new();
    let mut exchanges = Vec::new();
    let mut taken = Taken::default();
    for s in s.sections(r, "group") {
        let hint = say!("such as name = \"slow\"", "如 name = \"slow\"");
        let name = s.need_text(r, "name", hint);
        if let Some(name) = &name {
            taken.claim(r, ("group", "轮询组"), name);
        }
        let every_ms = s.integer(r, "every_ms", 500..=GROUP_MS_MAX);
        exchanges.extend(exchange(&s, groups.len(), modbus, r).map(|e| (e, s.at)));
        groups.push(Group {
            name: SmolStr::new(name.map(|got| got.value).unwrap_or_default()),
            every_ms: every_ms.map(|got| got.value),
        });
        s.finish(r);
    }
    if groups.is_empty() {
        if !modbus {
            let hint = say!(
                "[[group]] with `request` and `response`",
                "[[group]]，含 `request` 和 `response`"
            );
            s.missing(r, "group", hint);
        }
        groups.push(Group {
            name: SmolStr::new_static("all"),
            every_ms: None,
        });
    }
    (groups, exchanges)
}

fn exchange(s: &Section<'_>, group: usize, modbus: bool, r: &mut Report) -> Option<Exchange> {
    let request = s.text(r, "request");
    if modbus {
        for key in ["request", "response"] {
            if let Some(item) = s.item(key) {
                not_for(item.at, key, modbus, r);
            }
        }
        return None;
    }
    let hint = say!(
        "such as response = 'SO2={{so2:number}}\\r\\n'",
        "如 response = 'SO2={{so2:number}}\\r\\n'"
    );
    let response = s.need_text(r, "response", hint);
    let request = match request.map(|got| (Request::compile(&got.value), got)) {
        None => None,
        Some((Ok(request), _)) => Some(request),
        Some((Err(error), got)) => {
            pattern_error("request", &got, &error, r);
            None
        }
    };
    let response = response?;
    match Pattern::compile(&response.value) {
        Ok(response) => Some(Exchange {
            group,
            request,
            response,
        }),
        Err(error) => {
            pattern_error("response", &response, &error, r);
            None
        }
    }
}

/// A mistake in a pattern: at its own column where the text stands there as it is.
fn pattern_error(key: &str, got: &Got<String>, error: &PatternError, r: &mut Report) {
    let column = error.column;
    let kind = &error.kind;
    let kind_zh = mistake_zh(kind);
    r.error(
        r.within(got.at, column),
        say!(
            "`{key}`, character {column}: {kind}",
            "`{key}` 第 {column} 个字符有误：{kind_zh}"
        ),
        say!(
            "config/README.md describes the patterns; write them in single quotes",
            "模式写法见 config/README.md；请用单引号书写"
        ),
    );
}

fn mistake_zh(kind: &Mistake) -> String {
    match kind {
        Mistake::Empty => "内容为空".to_owned(),
        Mistake::TooLong => "内容过长".to_owned(),
        Mistake::Escape => {
            "没有这种转义；可用 \\r \\n \\t \\\\ \\{ \\} 或 \\x 加两位十六进制数字".to_owned()
        }
        Mistake::Close => "`}` 前缺少 `{`；字符本身写作 \\}".to_owned(),
        Mistake::Open => "`{` 后缺少 `}`；字符本身写作 \\{".to_owned(),
        Mistake::Unknown(name) => format!("此处不能写 {{{name}}}"),
        Mistake::Width => "宽度应为 1 到 64".to_owned(),
        Mistake::Twice(name) => format!("字段 {name} 重复"),
        Mistake::NoEnd => "无法判断字段在何处结束；请指定宽度，或在其后写固定文本".to_owned(),
        Mistake::Blends => "其后的字符可能被当作数字的一部分；请指定宽度".to_owned(),
        Mistake::Swallows => "空格会吃掉其后内容开头的空格；恰好一个空格写作 \\ 加空格".to_owned(),
        Mistake::NoStart => "开头可匹配任意内容；请以固定文本开头".to_owned(),
    }
}

fn points(s: &Section<'_>, setting: &Setting<'_>, r: &mut Report) -> (Vec<Point>, Vec<At>) {
    let mut out = Vec::new();
    let mut places = Vec::new();
    let mut taken = Taken::default();
    for (n, s) in s.sections(r, "point").into_iter().enumerate() {
        if n == POINTS_MAX {
            r.error(
                s.at,
                say!("more than {POINTS_MAX} points", "测点超过 {POINTS_MAX} 个"),
                say!("leave out what nobody reads", "请删除无人使用的测点"),
            );
        }
        let at = s.at;
        let Some((name, point)) = point::point(s, setting, r) else {
            continue;
        };
        taken.claim(r, ("point", "测点"), &name);
        out.push(point);
        places.push(at);
    }
    if out.is_empty() && !r.has_errors() {
        s.missing(
            r,
            "point",
            say!("at least one [[point]]", "至少一个 [[point]]"),
        );
    }
    (out, places)
}

/// A field of an answer that no point takes.
fn unpointed(exchanges: &[Placed], points: &[Point], r: &mut Report) {
    for (exchange, at) in exchanges {
        for name in exchange.response.fields().iter().flat_map(|f| &f.name) {
            let taken = points
                .iter()
                .any(|p| p.name == *name && p.group == exchange.group);
            if !taken && !r.has_errors() {
                r.error(
                    *at,
                    say!("no point is called {name}", "没有名为 {name} 的测点"),
                    say!(
                        "add a [[point]] of that name in this group, or write {{skip}}",
                        "请在该组添加同名 [[point]]，或改写为 {{skip}}"
                    ),
                );
            }
        }
    }
}

/// Two numbers in the same register are a slip; bit fields share one by nature.
fn overlaps(points: &[Point], places: &[At], r: &mut Report) {
    let mut taken: Vec<(Table, u32, u32, bool, usize)> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        if let Place::Register(at) = point.place {
            let start = u32::from(at.address);
            let bits = matches!(at.kind, Kind::Bits { .. });
            taken.push((
                at.table,
                start,
                start + u32::from(at.kind.len()),
                bits,
                index,
            ));
        }
    }
    taken.sort_unstable();
    let mut told = BTreeSet::new();
    for (n, (table, _, end, bits, index)) in taken.iter().enumerate() {
        let after = taken.iter().skip(n + 1);
        for (_, _, _, other_bits, other) in
            after.take_while(|(t, start, ..)| t == table && start < end)
        {
            let (first, second) = (*index.min(other), *index.max(other));
            if *bits || *other_bits || !told.insert(second) {
                continue;
            }
            let (Some(a), Some(b)) = (points.get(first), points.get(second)) else {
                continue;
            };
            let (a, b) = (&a.name, &b.name);
            let Some(at) = places.get(second) else {
                continue;
            };
            r.error(
                *at,
                say!(
                    "the registers of {b} overlap those of {a}",
                    "{b} 与 {a} 的寄存器重叠"
                ),
                say!(
                    "correct `address` or `type`; only bit fields may share a register",
                    "请更正 `address` 或 `type`；只有位字段可共用寄存器"
                ),
            );
        }
    }
}

fn hint_of_names(name: &str, points: &[Point]) -> Say {
    crate::suggest::hint(name, points.iter().map(|p| p.name.as_str()))
}
