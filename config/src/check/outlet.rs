//! One outlet: whose, which logger, which rules, which factors, which permitted amounts.

use super::factor::{self, Setting};
use super::registry::World;
use super::{id, permitted, rules, unknown};
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::source::{Loader, sha256_hex};
use cems_core::model::{
    EnterpriseId, GasSettings, Medium, Mn, Outlet, OutletId, Profile, ProfileId, WaterSettings,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// An outlet with the places of what must be unique.
pub(super) struct Draft {
    pub(super) id: Option<Got<String>>,
    pub(super) mn: Option<Got<String>>,
    pub(super) outlet: Outlet,
}

/// Longest MN met in the field is 24; twice that is no MN.
const MN_BYTES_MAX: usize = 48;

/// Reads one `[[outlet]]`.
pub(super) fn outlet(
    s: Section<'_>,
    world: &World,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Draft {
    let id = id(&s, r);
    let enterprise = enterprise(&s, world, r);
    let name = s.need_text(
        r,
        "name",
        say!("such as 1号机组总排口", "如：1号机组总排口"),
    );
    let name_en = s.text(r, "name_en").map(|got| got.value);
    let mn = mn(&s, r);
    let password_sha256 = password(&s, loader, r);
    let allowed_sources = sources(&s, r);
    let medium = medium(&s, r);
    let profile = profile(&s, world, r);
    let (gas, water) = media(&s, medium, r);
    let setting = Setting {
        medium,
        gas: gas.as_ref(),
        offset: world.registry.offset,
        source: s.text(r, "permit").map(|got| got.value),
        here: world.here(enterprise.as_ref().map(|got| got.value.as_str())),
        limit_periods: world.limit_periods(&profile),
    };
    let factors = factor::factors(&s, &setting, r);
    let permitted = permitted::of_outlet(&s, &setting, &factors, r);
    let expectation = match (s.section(r, "expect"), &world.expect) {
        (Some(own), base) => rules::expectation(own, base.as_ref(), r),
        (None, Some(base)) => base.clone(),
        (None, None) => rules::default_expectation(),
    };
    let [usual_gas, usual_water] = &world.fallback;
    let usual = match medium {
        Medium::Gas => usual_gas,
        Medium::Water => usual_water,
    };
    let fallback = match s.section(r, "fallback") {
        Some(own) => rules::fallback(own, usual, r),
        None => usual.clone(),
    };
    s.finish(r);
    let text = |got: &Option<Got<String>>| got.as_ref().map_or("", |g| g.value.as_str()).to_owned();
    let outlet = Outlet {
        id: OutletId::new(text(&id)),
        enterprise: EnterpriseId::new(text(&enterprise)),
        name: text(&name),
        name_en,
        medium,
        mn: Mn::new(text(&mn)),
        password_sha256,
        allowed_sources,
        profile,
        gas,
        water,
        factors,
        expectation,
        fallback,
        permitted,
        forward: false,
        feeds: false,
    };
    Draft { id, mn, outlet }
}

fn enterprise(s: &Section<'_>, world: &World, r: &mut Report) -> Option<Got<String>> {
    let hint = say!("the id of an enterprise", "填排污单位标识");
    let got = s.need_text(r, "enterprise", hint)?;
    let known = &world.registry.enterprises;
    if !known.contains_key(got.value.as_str()) {
        let ids = known.keys().map(EnterpriseId::as_str);
        unknown(r, ("enterprise", "排污单位"), &got, ids);
    }
    Some(got)
}

fn mn(s: &Section<'_>, r: &mut Report) -> Option<Got<String>> {
    let hint = say!(
        "the identity of the data logger, as it sends it",
        "数采仪上传的设备唯一标识"
    );
    let got = s.need_text(r, "mn", hint)?;
    // These end a field of the frame, so no logger can send them.
    let ends_a_field = |c: char| c.is_control() || matches!(c, ';' | ',' | '&' | '=' | ' ');
    if got.value.len() > MN_BYTES_MAX || got.value.chars().any(ends_a_field) {
        let value = &got.value;
        r.error(
            got.at,
            say!(
                "no logger can send the MN \"{value}\"",
                "数采仪不可能上传 MN \"{value}\""
            ),
            say!(
                "14 or 24 characters as a rule, no blanks",
                "通常为 14 或 24 个字符，不含空格"
            ),
        );
    }
    Some(got)
}

/// Only the hash of a password is kept.
fn password(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<SmolStr> {
    let plain = s.text(r, "password");
    let file = s.text(r, "password_file");
    let any = s.boolean(r, "any_password");
    let ways: Vec<At> = [
        plain.as_ref().map(|g| g.at),
        file.as_ref().map(|g| g.at),
        any.as_ref().filter(|g| g.value).map(|g| g.at),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(second) = ways.get(1) {
        r.error(
            *second,
            say!(
                "the logger's password is given in two ways",
                "数采仪密码重复设置"
            ),
            say!(
                "one of `password`, `password_file`, `any_password = true`",
                "`password`、`password_file`、`any_password = true` 只能选一个"
            ),
        );
    }
    if ways.is_empty() {
        r.warn(
            s.at,
            say!(
                "any password is accepted from this logger",
                "该数采仪使用任何密码都会被接收"
            ),
            say!(
                "set `password`, or `any_password = true` if that is meant",
                "请设置 `password`；如确需如此，写 `any_password = true`"
            ),
        );
    }
    if let Some(plain) = plain {
        return Some(SmolStr::new(sha256_hex(&plain.value)));
    }
    let path = loader.beside_main(&file?.value);
    let text = loader.text(&path, r)?;
    Some(SmolStr::new(sha256_hex(text.text.trim())))
}

fn sources(s: &Section<'_>, r: &mut Report) -> Vec<SmolStr> {
    let mut out = Vec::new();
    for got in s.texts(r, "sources").unwrap_or_default() {
        match got.value.parse::<IpAddr>() {
            Ok(ip) => out.push(SmolStr::new(ip.to_string())),
            Err(_) => {
                let value = &got.value;
                r.error(
                    got.at,
                    say!("not an IP address: {value}", "不是 IP 地址：{value}"),
                    say!(
                        "such as \"10.1.2.3\", without a port",
                        "如 \"10.1.2.3\"，不带端口"
                    ),
                );
            }
        }
    }
    out
}

fn medium(s: &Section<'_>, r: &mut Report) -> Medium {
    let words = [("gas", Medium::Gas), ("water", Medium::Water)];
    if s.item("medium").is_none() {
        s.missing(
            r,
            "medium",
            say!(
                "\"gas\" or \"water\"",
                "填 \"gas\"（废气）或 \"water\"（废水）"
            ),
        );
    }
    s.word(r, "medium", &words)
        .map_or(Medium::Gas, |got| got.value)
}

/// A profile by `name@version`, or a family of versions by its name: each period is then judged
/// by the version in force when it begins.
fn profile(s: &Section<'_>, world: &World, r: &mut Report) -> ProfileId {
    let hint = say!(
        "such as \"hj75-2017\" or \"hj356-2019\"",
        "如 \"hj75-2017\"、\"hj356-2019\""
    );
    let Some(got) = s.need_text(r, "profile", hint) else {
        return ProfileId::new("");
    };
    let known = &world.registry.profiles;
    let families: BTreeSet<&str> = known.values().map(Profile::family).collect();
    let exact = known.contains_key(got.value.as_str());
    if !exact && !families.contains(got.value.as_str()) {
        let versions = known
            .keys()
            .map(ProfileId::as_str)
            .filter(|id| id.split('@').next() == got.value.split('@').next());
        if got.value.contains('@') && versions.clone().next().is_some() {
            unknown(r, ("profile", "规则集"), &got, versions);
        } else {
            unknown(r, ("profile", "规则集"), &got, families);
        }
    }
    ProfileId::new(got.value)
}

fn media(
    s: &Section<'_>,
    medium: Medium,
    r: &mut Report,
) -> (Option<GasSettings>, Option<WaterSettings>) {
    let gas = s.section(r, "gas");
    let water = s.section(r, "water");
    let (other, en, zh) = match medium {
        Medium::Gas => (&water, "water", "废水"),
        Medium::Water => (&gas, "gas", "废气"),
    };
    if let Some(other) = other {
        r.error(
            other.at,
            say!(
                "[outlet.{en}] at an outlet of another medium",
                "排放口介质不符，不应有{zh}参数"
            ),
            say!(
                "correct `medium` or take the table out",
                "请更正 `medium` 或删除该表"
            ),
        );
    }
    match medium {
        Medium::Gas => {
            let Some(gas) = gas else {
                s.missing(
                    r,
                    "gas",
                    say!(
                        "write [outlet.gas] with area_m2",
                        "请写 [outlet.gas] 及 area_m2"
                    ),
                );
                return (None, None);
            };
            (Some(gas_settings(gas, r)), None)
        }
        Medium::Water => {
            let weighted = water.as_ref().and_then(|w| w.boolean(r, "weighted_mean"));
            if let Some(water) = water {
                water.finish(r);
            }
            let weighted_mean = weighted.is_none_or(|got| got.value);
            (None, Some(WaterSettings { weighted_mean }))
        }
    }
}

fn gas_settings(s: Section<'_>, r: &mut Report) -> GasSettings {
    if s.item("area_m2").is_none() {
        s.missing(
            r,
            "area_m2",
            say!("cross-section of the duct in m²", "烟道截面积，单位 m²"),
        );
    }
    let within = |got: Got<Decimal>, low: i64, high: i64, r: &mut Report, key: &str| {
        let (low, high) = (Decimal::from(low), Decimal::from(high));
        if got.value <= low || got.value >= high {
            let value = got.value;
            r.error(
                got.at,
                say!("`{key}` cannot be {value}", "`{key}` 不能是 {value}"),
                say!("between {low} and {high}", "应在 {low} 与 {high} 之间"),
            );
        }
        got.value
    };
    let area = s
        .decimal(r, "area_m2")
        .map(|got| within(got, 0, 1_000, r, "area_m2"));
    let kv = s
        .decimal(r, "velocity_coefficient")
        .map(|got| within(got, 0, 10, r, "velocity_coefficient"));
    let pressure = s
        .decimal(r, "atmospheric_pressure_pa")
        .map(|got| within(got, 40_000, 120_000, r, "atmospheric_pressure_pa"));
    let o2 = s
        .decimal(r, "reference_o2_pct")
        .map(|got| within(got, 0, 21, r, "reference_o2_pct"));
    let wet = s.boolean(r, "o2_is_wet");
    s.finish(r);
    GasSettings {
        area_m2: area.unwrap_or(Decimal::ONE),
        velocity_coefficient: kv.unwrap_or(Decimal::ONE),
        atmospheric_pressure_pa: pressure.unwrap_or(Decimal::from(101_325)),
        reference_o2_pct: o2,
        o2_is_wet: wet.is_some_and(|got| got.value),
    }
}
