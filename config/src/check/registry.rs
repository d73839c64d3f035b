//! Regions, enterprises and outlets.

use super::daemon::Site;
use super::special::{self, Here};
use super::{Taken, id, outlet, permitted, rules, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::source::Loader;
use cems_core::model::{
    Enterprise, EnterpriseId, Expectation, FallbackRule, LimitPeriod, Medium, Outlet, Profile,
    ProfileId, RegionId, Registry,
};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What an outlet is checked against.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) expect: Option<Expectation>,
    /// For gas and for water.
    pub(super) fallback: [FallbackRule; 2],
}

impl World {
    /// The special periods, as an outlet of `enterprise` sees them.
    pub(super) fn here(&self, enterprise: Option<&str>) -> Here<'_> {
        let enterprise = enterprise.and_then(|id| self.registry.enterprises.get(id));
        Here {
            periods: &self.registry.special_periods,
            region: enterprise.map(|enterprise| &enterprise.region),
        }
    }

    /// The means that a profile, or any version of a family, sets limits on; empty: one of them
    /// does not say.
    pub(super) fn limit_periods(&self, id: &ProfileId) -> Vec<LimitPeriod> {
        let mut out = Vec::new();
        let named = |p: &&Profile| p.id == *id || p.family() == id.as_str();
        for profile in self.registry.profiles.values().filter(named) {
            if profile.limit_periods.is_empty() {
                return Vec::new();
            }
            out.extend_from_slice(&profile.limit_periods);
        }
        out
    }
}

/// Builds the registry from the main file and the registry files.
pub(super) fn registry(
    docs: &[&Section<'_>],
    site: Site,
    profiles: BTreeMap<ProfileId, Profile>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Registry {
    let mut world = World {
        registry: Registry {
            site_name: site.name,
            offset: site.offset,
            regions: BTreeMap::new(),
            enterprises: BTreeMap::new(),
            outlets: BTreeMap::new(),
            profiles,
            special_periods: BTreeMap::new(),
        },
        expect: None,
        fallback: [Medium::Gas, Medium::Water].map(rules::default_fallback),
    };
    if let Some(main) = docs.first() {
        world.expect = main
            .section(r, "expect")
            .map(|s| rules::expectation(s, None, r));
        if let Some(own) = main.section(r, "fallback") {
            let [_, water] = &world.fallback;
            let usual_water = water.opens_after_min;
            let says_when = own.item("opens_after_min").is_some();
            let gas = rules::fallback(own, &world.fallback[0], r);
            let mut water = gas.clone();
            if !says_when {
                water.opens_after_min = usual_water;
            }
            world.fallback = [gas, water];
        }
    }
    regions(docs, &mut world.registry, r);
    special::periods(docs, &mut world.registry, r);
    let amounts = enterprises(docs, &mut world.registry, r);
    outlets(docs, &mut world, loader, r);
    for (enterprise, codes) in &amounts {
        let outlets = world.registry.outlets.values();
        let own: Vec<&Outlet> = outlets.filter(|o| o.enterprise == *enterprise).collect();
        permitted::check_enterprise(codes, &own, r);
    }
    if world.registry.outlets.is_empty()
        && !r.has_errors()
        && let Some(main) = docs.first()
    {
        r.warn(
            main.at,
            say!("no outlet is registered", "没有登记任何排放口"),
            say!(
                "name registry files with `registry = [\"registry\"]`",
                "用 `registry = [\"registry\"]` 指明名录文件"
            ),
        );
    }
    world.registry
}

fn regions(docs: &[&Section<'_>], registry: &mut Registry, r: &mut Report) {
    let mut taken = Taken::default();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "region"))
        .collect::<Vec<_>>()
    {
        let id = id(&s, r);
        let name = s.need_text(r, "name", say!("such as 示例市", "如：示例市"));
        if let (Some(id), Some(name)) = (id, name) {
            taken.claim(r, ("region", "行政区"), &id);
            registry.regions.insert(RegionId::new(id.value), name.value);
        }
        s.finish(r);
    }
}

/// Reads every `[[enterprise]]`. Gives back the factors of their permitted amounts, which are
/// checked when the outlets are known.
fn enterprises(
    docs: &[&Section<'_>],
    registry: &mut Registry,
    r: &mut Report,
) -> Vec<(EnterpriseId, Vec<Got<String>>)> {
    let mut taken = Taken::default();
    let mut amounts = Vec::new();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "enterprise"))
        .collect::<Vec<_>>()
    {
        let id = id(&s, r);
        let name = s.need_text(
            r,
            "name",
            say!("the name on the permit", "与排污许可证一致"),
        );
        let name_en = s.text(r, "name_en").map(|got| got.value);
        let region = s.need_text(r, "region", say!("the id of a region", "填行政区标识"));
        let credit_code = credit_code(&s, r);
        if let Some(region) = &region
            && !registry.regions.contains_key(region.value.as_str())
        {
            let known = registry.regions.keys().map(RegionId::as_str);
            unknown(r, ("region", "行政区"), region, known);
        }
        let region = RegionId::new(region.map(|got| got.value).unwrap_or_default());
        let here = Here {
            periods: &registry.special_periods,
            region: registry.regions.contains_key(&region).then_some(&region),
        };
        let permit = s.text(r, "permit").map(|got| got.value);
        let mut codes = Vec::new();
        let permitted = permitted::amounts(&s, permit.as_ref(), here, &mut codes, r);
        if let Some(id) = id {
            taken.claim(r, ("enterprise", "排污单位"), &id);
            let id = EnterpriseId::new(id.value);
            amounts.push((id.clone(), codes));
            registry.enterprises.insert(
                id.clone(),
                Enterprise {
                    id,
                    name: name.map(|got| got.value).unwrap_or_default(),
                    name_en,
                    region,
                    credit_code,
                    permitted,
                },
            );
        }
        s.finish(r);
    }
    amounts
}

/// Unified social credit code (GB 32100): 18 digits and capitals without I, O, S, V, Z.
fn credit_code(s: &Section<'_>, r: &mut Report) -> Option<SmolStr> {
    let got = s.text(r, "credit_code")?;
    let fine = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"IOSVZ".contains(&b));
    if got.value.len() != 18 || !got.value.bytes().all(fine) {
        let value = &got.value;
        r.error(
            got.at,
            say!(
                "not a unified social credit code: {value}",
                "不是统一社会信用代码：{value}"
            ),
            say!(
                "18 digits and capital letters (GB 32100), or leave the line out",
                "18 位数字和大写字母（GB 32100），或删除该行"
            ),
        );
    }
    Some(SmolStr::new(got.value))
}

fn outlets(docs: &[&Section<'_>], world: &mut World, loader: &mut Loader<'_>, r: &mut Report) {
    let mut ids = Taken::default();
    let mut mns = Taken::default();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "outlet"))
        .collect::<Vec<_>>()
    {
        let draft = outlet::outlet(s, world, loader, r);
        if let Some(mn) = &draft.mn {
            mns.claim(r, ("logger MN", "设备标识 MN"), mn);
        }
        if let Some(id) = &draft.id {
            ids.claim(r, ("outlet", "排放口"), id);
            world
                .registry
                .outlets
                .insert(draft.outlet.id.clone(), draft.outlet);
        }
    }
}
