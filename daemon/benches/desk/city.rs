//! An invented province: two outlets an enterprise, twelve regions.

use cems_core::model::policy::{ChannelRule, Days, NotifyPolicy, Route};
use cems_core::model::{
    Access, ChannelId, ChannelKind, Enterprise, EnterpriseId, Outlet, OutletId, Person, Policy,
    RegionId, Registry, Role, Scope, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// 2026-11-20 00:00 at the site.
pub(crate) const BEGIN: Timestamp = Timestamp(1_795_104_000_000);
/// Regions.
const REGIONS: usize = 12;
/// Outlets of an enterprise.
const OUTLETS_EACH: usize = 2;
/// How long things for one reader and one enterprise are gathered, s.
pub(crate) const GROUP_WAIT_S: u32 = 3;

pub(crate) fn outlet_id(n: usize) -> OutletId {
    OutletId::new(format!("outlet-{n:06}"))
}

pub(crate) fn mn(n: usize) -> String {
    format!("BENCH{n:09}")
}

pub(crate) fn enterprise_of(n: usize) -> EnterpriseId {
    EnterpriseId::new(format!("enterprise-{:06}", n / OUTLETS_EACH))
}

pub(crate) fn region_of(n: usize) -> RegionId {
    RegionId::new(format!("region-{:02}", n / OUTLETS_EACH % REGIONS))
}

/// One stack with its limits, through the checks of real settings.
fn base(factors: usize) -> Registry {
    const OF: [(&str, u32); 6] = [
        ("a21026", 500),
        ("a21002", 500),
        ("a34013", 100),
        ("a21005", 500),
        ("a21003", 500),
        ("a21004", 500),
    ];
    let list: Vec<String> = OF[..factors]
        .iter()
        .map(|(code, range)| format!("{{ code = \"{code}\", range = {range}, limit_hour = 50 }}"))
        .collect();
    let text = format!(
        "[[region]]\nid = \"r\"\nname = \"示例\"\n\
         [[enterprise]]\nid = \"e\"\nname = \"示例\"\nregion = \"r\"\n\
         [[outlet]]\nid = \"o\"\nenterprise = \"e\"\nname = \"示例\"\nmedium = \"gas\"\nmn = \"o\"\n\
         any_password = true\nprofile = \"hj75-2017\"\npermit = \"示例\"\n\
         auxiliary = [\"a19001\", \"a01012\"]\n\
         gas = {{ area_m2 = 20, reference_o2_pct = 6 }}\nexpect = {{ minute_min = 1 }}\n\
         factor = [{}]\n",
        list.join(", ")
    );
    cems_config::load_str(&[("bench.toml", &text)])
        .unwrap_or_else(|problems| panic!("{problems}"))
        .registry
}

/// `outlets` outlets with `factors` pollutants each.
pub(crate) fn registry(outlets: usize, factors: usize) -> Registry {
    let mut city = base(factors);
    let stack = city.outlets.values().next().unwrap().clone();
    let works = city.enterprises.values().next().unwrap().clone();
    city.outlets.clear();
    city.enterprises.clear();
    city.regions = (0..REGIONS * OUTLETS_EACH)
        .map(|n| (region_of(n), "示例".to_owned()))
        .collect();
    for n in 0..outlets {
        let outlet = Outlet {
            id: outlet_id(n),
            enterprise: enterprise_of(n),
            mn: mn(n).as_str().into(),
            ..stack.clone()
        };
        let enterprise = Enterprise {
            id: enterprise_of(n),
            region: region_of(n),
            ..works.clone()
        };
        city.enterprises.insert(enterprise.id.clone(), enterprise);
        city.outlets.insert(outlet.id.clone(), outlet);
    }
    city
}

fn person(role: Role, enterprises: &[EnterpriseId]) -> Person {
    Person {
        name: "示例".to_owned(),
        access: Access {
            role,
            scope: Scope {
                enterprises: enterprises.iter().cloned().collect(),
                ..Scope::default()
            },
        },
        lang: cems_core::lang::Lang::default(),
        channels: [ChannelId::new("mail")].into(),
    }
}

/// The built-in rules; mail to the desk and to the people of every tenth enterprise.
pub(crate) fn policy(outlets: usize) -> Policy {
    let channel = ChannelRule {
        kind: ChannelKind::Mail,
        group_wait_s: GROUP_WAIT_S,
        per_hour_max: 60,
        deadline_min: 60,
    };
    let route = |id: &str, role: Role| Route {
        id: id.into(),
        channels: [ChannelId::new("mail")].into(),
        reasons: BTreeSet::new(),
        kinds: BTreeSet::new(),
        priority: None,
        roles: [role].into(),
        users: BTreeSet::new(),
        regions: BTreeSet::new(),
        enterprises: BTreeSet::new(),
        days: Days::All,
        hours: None,
        on_duty_only: true,
    };
    let mut people = BTreeMap::from([("duty-1".into(), person(Role::DutyOfficer, &[]))]);
    for n in (0..outlets).step_by(10 * OUTLETS_EACH) {
        let enterprise = enterprise_of(n);
        let user = format!("user-of-{enterprise}").as_str().into();
        people.insert(user, person(Role::EnterpriseUser, &[enterprise]));
    }
    Policy {
        duties: Default::default(),
        alarms: cems_config::alarms::builtin(),
        notify: NotifyPolicy {
            channels: [(ChannelId::new("mail"), channel)].into(),
            routes: vec![
                route("desk", Role::DutyOfficer),
                route("own", Role::EnterpriseUser),
            ],
            quiet: Vec::new(),
        },
        people,
    }
}
