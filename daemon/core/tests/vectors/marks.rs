//! Cases of the area: marks and waste incineration (`m-*`).

use crate::case::{Case, Outcome, decimal};
use crate::world::{POLLUTANTS, day_limit, judged_day, minute, rules, stack};
use cems_core::incineration::{
    Consequence, five_minute_means, furnace_day, over_day_limits, stack_month,
};
use cems_core::marks::{self, Effects};
use cems_core::model::profile::IncinerationRule;
use cems_core::model::{FactorCode, Mark, MarkKind, MarkRow, Outlet, Seq};
use rust_decimal::Decimal;
use serde_json::Value;

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    Some(match case.id.as_str() {
        "m-merge" => merge(case),
        "m-temp-6" => furnace(case),
        "m-daymean" => day_means(case),
        "m-month-5" => month(case),
        _ => return None,
    })
}

fn order_10() -> IncinerationRule {
    rules().incineration.unwrap()
}

/// The minute of the day that a clock time such as `14:43` names.
fn clock(text: &Value) -> i64 {
    let (hour, minute) = text.as_str().unwrap().split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    number(hour) * 60 + number(minute)
}

/// The times of the case are inclusive minutes.
fn merge(case: &Case) -> Outcome {
    let rules = rules().marks;
    let entered = (1..).zip(case.inputs["marks"].as_array().unwrap());
    let rows: Vec<MarkRow> = entered
        .map(|(id, listed)| {
            let mark = Mark {
                outlet: "stack".into(),
                kind: match listed[2].as_str() {
                    Some("校准") => MarkKind::Calibration,
                    _ => MarkKind::Fault,
                },
                factors: Vec::new(),
                from: minute(clock(&listed[0])),
                until: minute(clock(&listed[1]) + 1),
                reason: "case".into(),
                attachments: Vec::new(),
                by: "case".into(),
            };
            marks::enter(mark, Seq(id), minute(0), &rules)
        })
        .collect();
    let chains = marks::chains(&rows);
    case.same("chains", chains.len(), 1)?;
    let chain = &case.expected["chain"];
    case.same("from", chains[0].from, minute(clock(&chain[0])))?;
    case.same("until", chains[0].until, minute(clock(&chain[1]) + 1))?;
    case.compare("minutes", Some(Decimal::from(chains[0].minutes())))?;
    let kept = case.expected["kept"].as_bool().unwrap();
    case.same("kept", chains[0].is_kept(&rules), kept)
}

/// A day at 900 °C but for so many five minutes.
fn furnace(case: &Case) -> Outcome {
    let name = "five_min_means_below_850_unmarked";
    let low = case.inputs[name].as_i64().unwrap();
    let value = |n: i64| Decimal::from(if n < low * 5 { 849 } else { 900 });
    let means = five_minute_means(minute(0), (0..1_440).map(|n| (minute(n), value(n))));
    let day = furnace_day(&order_10(), &means, &Effects::default());
    case.same("low", i64::try_from(day.low.len()).unwrap(), low)?;
    let violation = case.expected["violation"].as_bool().unwrap();
    case.same("violation", day.violation, violation)
}

fn code(name: &str) -> FactorCode {
    let known = POLLUTANTS.iter().find(|(known, _)| *known == name);
    known.unwrap().1.into()
}

fn means(by_name: &Value) -> Vec<(FactorCode, Decimal)> {
    let means = by_name.as_object().unwrap().iter();
    means
        .map(|(name, mean)| (code(name), decimal(mean)))
        .collect()
}

/// The stack with day limits.
fn limited(limits: &[(FactorCode, Decimal)]) -> Outlet {
    let mut outlet = stack();
    for (code, upper) in limits {
        let factor = outlet.factors.get_mut(code).unwrap();
        factor.limits.push(day_limit(*upper));
    }
    outlet
}

fn day_means(case: &Case) -> Outcome {
    let outlet = limited(&means(&case.inputs["limits"]));
    let day = judged_day(&outlet, minute(0), &means(&case.inputs["day"]));
    let expected = case.expected["violation"].as_array().unwrap().iter();
    let expected: Vec<FactorCode> = expected.map(|n| code(n.as_str().unwrap())).collect();
    case.same("violation", over_day_limits(&order_10(), &day), expected)
}

fn month(case: &Case) -> Outcome {
    let exceeded = case.inputs["exceed_days"].as_i64().unwrap();
    let limit = Decimal::from(250u32);
    let outlet = limited(&[(code("nox"), limit)]);
    let days: Vec<_> = (0..31)
        .map(|n| {
            let above = Decimal::from(u32::from(n < exceeded));
            let mean = (code("nox"), limit + above);
            judged_day(&outlet, minute(n * 1_440), &[mean])
        })
        .collect();
    let month = stack_month(&order_10(), &days);
    let expected = case.expected["consequence"].as_str().unwrap();
    let consequence = month.consequence.map(Consequence::as_str);
    let expected = expected.replace(' ', "-");
    case.same("consequence", consequence, Some(expected.as_str()))
}
