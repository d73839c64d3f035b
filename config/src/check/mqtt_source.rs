//! `[[mqtt_source]]`: brokers from which readings come, and what stands where in their messages.

use super::reach::broker;
use super::{Taken, id, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{
    JsonPath, MqttFactor, MqttReading, MqttSource, READINGS_MAX, ReadingForm,
    SOURCE_PAYLOAD_BYTES_MAX, SOURCES_MAX,
};
use crate::source::Loader;
use crate::suggest;
use cems_core::model::{FactorCode, Outlet, OutletId, RecordKind, Registry};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Payloads of instruments and gateways have some hundred bytes; this leaves room for a rack.
const PAYLOAD_BYTES: usize = 64 * 1024;
/// A sample may have been under way for this long, seconds.
const FRESH_S: u32 = 60;
/// Longest topic filter, bytes (MQTT 3.1.1, 1.5.3: 65535; brokers take less).
const FILTER_BYTES_MAX: usize = 500;

/// Reads every `[[mqtt_source]]`. `fed` knows what instruments feed already.
pub(super) fn sources(
    docs: &[&Section<'_>],
    registry: &Registry,
    fed: &mut Taken,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Vec<MqttSource> {
    let mut ids = Taken::default();
    let mut sessions = Taken::default();
    let mut out = Vec::new();
    let listed: Vec<Section<'_>> = docs
        .iter()
        .flat_map(|d| d.sections(r, "mqtt_source"))
        .collect();
    for (n, s) in listed.into_iter().enumerate() {
        if n == SOURCES_MAX {
            r.error(
                s.at,
                say!(
                    "more than {SOURCES_MAX} brokers",
                    "消息代理超过 {SOURCES_MAX} 个"
                ),
                say!("use several stations", "请拆分为多个站点"),
            );
        }
        let id = id(&s, r);
        if let Some(id) = &id {
            ids.claim(r, ("source", "数据源"), id);
        }
        let source = source(&s, id, registry, fed, loader, r);
        if let Some(source) = &source {
            let session = Got {
                value: format!("{} @ {}", source.broker.client_id, source.broker.server),
                at: s.at,
            };
            sessions.claim(r, ("session", "会话"), &session);
        }
        s.finish(r);
        out.extend(source);
    }
    out
}

fn source(
    s: &Section<'_>,
    id: Option<Got<String>>,
    registry: &Registry,
    fed: &mut Taken,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<MqttSource> {
    if let Some(item) = s.item("prefix") {
        r.error(
            item.at,
            say!("`prefix` of a source", "数据源不设 `prefix`"),
            say!(
                "write whole topic filters in [[mqtt_source.reading]]",
                "请在 [[mqtt_source.reading]] 中写完整的主题过滤器"
            ),
        );
    }
    let own = id
        .as_ref()
        .map_or_else(String::new, |id| format!("cemsd-{}", id.value));
    let broker = broker(s, &own, loader, r);
    let payload_bytes_max = s
        .integer(r, "payload_bytes_max", 64..=262_144)
        .map_or(PAYLOAD_BYTES, |got| got.value)
        .min(SOURCE_PAYLOAD_BYTES_MAX);
    let listed = s.sections(r, "reading");
    if listed.is_empty() {
        s.missing(
            r,
            "reading",
            say!(
                "[[mqtt_source.reading]] with `topic`, `outlet` and `factors`",
                "[[mqtt_source.reading]]，含 `topic`、`outlet` 与 `factors`"
            ),
        );
    }
    if listed.len() > READINGS_MAX {
        r.error(
            s.at,
            say!(
                "more than {READINGS_MAX} topic filters",
                "主题过滤器超过 {READINGS_MAX} 个"
            ),
            say!(
                "use wildcards or several sources",
                "请使用通配符或多个数据源"
            ),
        );
    }
    let mut filters = Taken::default();
    let mut readings = Vec::new();
    for one in listed {
        readings.extend(reading(one, registry, &mut filters, fed, r));
    }
    let id = SmolStr::new(id?.value);
    Some(MqttSource {
        id,
        broker: broker?,
        payload_bytes_max,
        readings,
    })
}

fn reading(
    s: Section<'_>,
    registry: &Registry,
    filters: &mut Taken,
    fed: &mut Taken,
    r: &mut Report,
) -> Option<MqttReading> {
    let topic = filter(&s, r);
    if let Some(topic) = &topic {
        filters.claim(r, ("topic filter", "主题过滤器"), topic);
    }
    let outlet = s
        .need_text(
            r,
            "outlet",
            say!("the id of the outlet it measures", "所监测排放口的标识"),
        )
        .and_then(|name| {
            let found = registry.outlets.get(name.value.as_str());
            if found.is_none() {
                let known = registry.outlets.keys().map(OutletId::as_str);
                unknown(r, ("outlet", "排放口"), &name, known);
            }
            found
        });
    let form = form(&s, r);
    let time = path(&s, "time", r);
    if let (ReadingForm::Record(kind), None) = (form, &time)
        && s.item("time").is_none()
    {
        let kind = kind.as_str();
        s.missing(
            r,
            "time",
            say!(
                "where the time of a {kind} record stands, such as time = \"$.time\"",
                "{kind} 记录的时间所在路径，如 time = \"$.time\""
            ),
        );
    }
    let fresh_s = s
        .integer(r, "fresh_s", 1..=3_600)
        .map_or(FRESH_S, |got| got.value);
    let flag = path(&s, "flag", r);
    let flags = flags(&s, r);
    let factors = factors(&s, outlet, form, fed, r);
    s.finish(r);
    Some(MqttReading {
        topic: SmolStr::new(topic?.value),
        outlet: outlet?.id.clone(),
        form,
        time,
        fresh_s,
        flag,
        flags,
        factors,
    })
}

fn form(s: &Section<'_>, r: &mut Report) -> ReadingForm {
    let words = [
        ("samples", ReadingForm::Samples),
        ("realtime", ReadingForm::Record(RecordKind::Realtime)),
        ("minute", ReadingForm::Record(RecordKind::Minute)),
        ("hour", ReadingForm::Record(RecordKind::Hour)),
        ("day", ReadingForm::Record(RecordKind::Day)),
    ];
    s.word(r, "as", &words)
        .map_or(ReadingForm::Samples, |got| got.value)
}

fn filter(s: &Section<'_>, r: &mut Report) -> Option<Got<String>> {
    let hint = || {
        say!(
            "a topic filter, such as topic = \"plant/stack1/+/gas\"; + stands for a level, # at \
             the end for the rest",
            "主题过滤器，如 topic = \"plant/stack1/+/gas\"；+ 代表一级，末尾的 # 代表其余各级"
        )
    };
    let got = s.need_text(r, "topic", hint())?;
    let levels: Vec<&str> = got.value.split('/').collect();
    let last = levels.len() - 1;
    let fine = |(n, level): (usize, &&str)| match *level {
        "+" => true,
        "#" => n == last,
        other => !other.contains(['+', '#', '\0']),
    };
    if got.value.len() > FILTER_BYTES_MAX || !levels.iter().enumerate().all(fine) {
        let value = &got.value;
        r.error(
            got.at,
            say!("not a topic filter: {value}", "不是主题过滤器：{value}"),
            hint(),
        );
        return None;
    }
    Some(got)
}

fn path(s: &Section<'_>, key: &'static str, r: &mut Report) -> Option<JsonPath> {
    parsed(&s.text(r, key)?, r)
}

fn parsed(got: &Got<String>, r: &mut Report) -> Option<JsonPath> {
    let path = JsonPath::parse(&got.value);
    if path.is_none() {
        let value = &got.value;
        r.error(
            got.at,
            say!("not a place in JSON: {value}", "不是 JSON 路径：{value}"),
            say!(
                "such as \"$.gas[0].so2\" or, as a pointer, \"/gas/0/so2\"",
                "如 \"$.gas[0].so2\"，或 JSON 指针 \"/gas/0/so2\""
            ),
        );
    }
    path
}

/// `flags = { OK = "N", FAULT = "D" }`.
fn flags(s: &Section<'_>, r: &mut Report) -> BTreeMap<SmolStr, SmolStr> {
    let mut out = BTreeMap::new();
    for (said, item) in s.named(r, "flags") {
        let Some(flag) = item.text(r, &said.value) else {
            continue;
        };
        let known = ["N", "F", "M", "S", "D", "C", "T", "B"];
        if !known.contains(&flag.value.as_str()) {
            let (value, known) = (&flag.value, known.join(" "));
            r.error(
                flag.at,
                say!(
                    "no flag of HJ 212: {value}",
                    "不是 HJ 212 数据标记：{value}"
                ),
                say!("one of {known}", "可用：{known}"),
            );
        }
        out.insert(SmolStr::new(said.value), SmolStr::new(flag.value));
    }
    out
}

/// `[mqtt_source.reading.factors]`: a path, or a table with more about it.
fn factors(
    s: &Section<'_>,
    outlet: Option<&Outlet>,
    form: ReadingForm,
    fed: &mut Taken,
    r: &mut Report,
) -> Vec<MqttFactor> {
    if s.item("factors").is_none() {
        s.missing(
            r,
            "factors",
            say!(
                "what stands where, such as factors = {{ a21026 = \"$.so2\" }}",
                "各因子的路径，如 factors = {{ a21026 = \"$.so2\" }}"
            ),
        );
    }
    let mut out = Vec::new();
    let mut taken = Taken::default();
    for (code, item) in s.named(r, "factors") {
        let (path, multiplier, flag) = if item.is_table() {
            let Some(said) = s.table(r, &code.value, &item) else {
                continue;
            };
            let hint = say!("where the value stands", "数值所在路径");
            let path = said
                .need_text(r, "path", hint)
                .and_then(|got| parsed(&got, r));
            let multiplier = said.decimal(r, "multiplier").map(|got| got.value);
            let flag = self::path(&said, "flag", r);
            said.finish(r);
            (path, multiplier, flag)
        } else {
            let path = item.text(r, &code.value).and_then(|got| parsed(&got, r));
            (path, None, None)
        };
        let Some(outlet) = outlet else { continue };
        if !outlet.factors.contains_key(code.value.as_str()) {
            no_factor(outlet, &code, r);
            continue;
        }
        let key = Got {
            value: format!("{} / {}", outlet.id, code.value),
            at: code.at,
        };
        match form {
            // Two senders of samples of one factor would be mixed into one mean.
            ReadingForm::Samples => fed.claim(r, ("source of", "数据来源"), &key),
            ReadingForm::Record(_) => taken.claim(r, ("source of", "数据来源"), &key),
        }
        if let Some(path) = path {
            out.push(MqttFactor {
                factor: FactorCode::new(&code.value),
                path,
                multiplier: multiplier.unwrap_or(Decimal::ONE),
                flag,
            });
        }
    }
    out
}

fn no_factor(outlet: &Outlet, code: &Got<String>, r: &mut Report) {
    if r.incomplete {
        return;
    }
    let (value, id) = (&code.value, &outlet.id);
    r.error(
        code.at,
        say!(
            "the outlet {id} has no factor {value}",
            "排放口 {id} 没有因子 {value}"
        ),
        suggest::hint(value, outlet.factors.keys().map(FactorCode::as_str)),
    );
}
