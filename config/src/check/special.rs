//! Special periods (特殊时段): `[[special_period]]`, and the limits and amounts that name one.

use super::{Taken, dates, id, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use cems_core::model::{RegionId, Registry, SpecialPeriod};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a limit or an amount may name, and where it would apply.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) periods: &'a BTreeMap<SmolStr, SpecialPeriod>,
    /// Region of the enterprise; `None` where that is wrong itself.
    pub(super) region: Option<&'a RegionId>,
}

/// Reads every `[[special_period]]`; the regions are known by then.
pub(super) fn periods(docs: &[&Section<'_>], registry: &mut Registry, r: &mut Report) {
    let mut taken = Taken::default();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "special_period"))
        .collect::<Vec<_>>()
    {
        if let Some((id, period)) = one(&s, registry, r) {
            taken.claim(r, ("special period", "特殊时段"), &id);
            registry.special_periods.insert(period.id.clone(), period);
        }
        s.finish(r);
    }
}

fn one(
    s: &Section<'_>,
    registry: &Registry,
    r: &mut Report,
) -> Option<(Got<String>, SpecialPeriod)> {
    let id = id(s, r);
    let name = s.need_text(
        r,
        "name",
        say!("such as 重污染天气Ⅱ级响应", "如：重污染天气Ⅱ级响应"),
    );
    for key in ["from", "until"] {
        if s.item(key).is_none() {
            s.missing(
                r,
                key,
                say!(
                    "a date without quotes: {key} = 2026-12-01",
                    "不加引号的日期：{key} = 2026-12-01"
                ),
            );
        }
    }
    let (from, until) = dates::force(s, registry.offset, r);
    let mut regions = Vec::new();
    for region in s.texts(r, "regions").unwrap_or_default() {
        if !registry.regions.contains_key(region.value.as_str()) {
            let known = registry.regions.keys().map(RegionId::as_str);
            unknown(r, ("region", "行政区"), &region, known);
        }
        regions.push(RegionId::new(region.value));
    }
    let hint = say!("the order that declared it", "填写发布该时段的文件");
    let source = s.need_text(r, "source", hint);
    let id = id?;
    let period = SpecialPeriod {
        id: SmolStr::new(&id.value),
        name: name.map(|got| got.value).unwrap_or_default(),
        from: from.unwrap_or_default(),
        until: until.unwrap_or_default(),
        regions,
        source: source.map(|got| got.value).unwrap_or_default(),
    };
    Some((id, period))
}

/// `special` of a limit or an amount: the id of a special period that holds where it applies.
pub(super) fn named(s: &Section<'_>, here: Here<'_>, r: &mut Report) -> Option<SmolStr> {
    let got = s.text(r, "special")?;
    let Some(period) = here.periods.get(got.value.as_str()) else {
        let known = here.periods.keys().map(SmolStr::as_str);
        unknown(r, ("special period", "特殊时段"), &got, known);
        return Some(SmolStr::new(got.value));
    };
    let elsewhere = !period.regions.is_empty()
        && here
            .region
            .is_some_and(|region| !period.regions.contains(region));
    if elsewhere {
        let id = &period.id;
        r.warn(
            got.at,
            say!(
                "special period {id} does not hold in this region",
                "特殊时段 {id} 不适用于该行政区"
            ),
            say!(
                "it never applies here: add the region, or take `special` out",
                "此处永不生效：请补充行政区，或删除 `special`"
            ),
        );
    }
    Some(period.id.clone())
}

/// A problem: something that holds in a special period names none.
pub(super) fn missing(s: &Section<'_>, what: (&str, &str), r: &mut Report) {
    let (en, zh) = what;
    r.error(
        s.at,
        say!("{en} without a special period", "{zh}未指明特殊时段"),
        say!(
            "special = \"the id of a [[special_period]]\"",
            "请写 special = \"[[special_period]] 的标识\""
        ),
    );
}
