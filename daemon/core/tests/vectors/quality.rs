//! Cases of the area: quality. Relative accuracy, linearity and calibration error as the EPA's own
//! software stored them, and comparisons by HJ 355.

use crate::case::{Case, Outcome, decimal, decimals};
use cems_core::limits::round;
use cems_core::model::profile::{Band, BandBy, DriftRule, QaRounding, QaRules};
use cems_core::model::{
    Profile, QaKind, QaOutcome, QaPair, QaTest, QaVerdict, Rounding, Timestamp,
};
use cems_core::qa::specification::{Bound, Specification};
use cems_core::qa::{self, accuracy, comparison, errors, linearity};
use rust_decimal::Decimal;
use serde_json::Value;

/// Runs a case of this area; `None` when it is none.
pub(crate) fn run(case: &Case) -> Option<Outcome> {
    let run: fn(&Case) -> Outcome = match case.id.as_str() {
        "ra-9" => relative_accuracy,
        "w-cmp-ph" | "w-cmp-cod-3" | "w-cmp-nh3-4" => compared,
        "w-cmp-flow" | "w-cmp-qc" => single,
        "w-cmp-level" | "w-cmp-level-no" => level,
        id if id.starts_with("w-cmp-band-") => band,
        id if id.starts_with("w-cmp-need-") => needed,
        _ => match case.rule.as_str() {
            "part75.rata_level" => rata,
            "part75.linearity_level" => linearity_level,
            "part75.cal_injection" => calibration,
            _ => return None,
        },
    };
    Some(run(case))
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn pair(measured: &Value, reference: &Value) -> QaPair {
    QaPair {
        measured: decimal(measured),
        reference: decimal(reference),
    }
}

fn bands(by: BandBy, table: &[(Option<&str>, Option<&str>, &str)]) -> Vec<Band> {
    let band = |&(from, below, limit): &(Option<&str>, Option<&str>, &str)| Band {
        from: from.map(dec),
        below: below.map(dec),
        by,
        limit: dec(limit),
    };
    table.iter().map(band).collect()
}

/// Table 1 of HJ 355-2019, item by item. Each item is its own factor code here.
fn hj355() -> QaRules {
    let low = |from, limit, low| {
        let mut all = bands(BandBy::RelativePair, &[(Some(from), None, limit)]);
        all.extend(bands(BandBy::AbsolutePair, &[(None, Some(from), low)]));
        all
    };
    let mut cod = bands(
        BandBy::RelativePair,
        &[
            (Some("100"), None, "15"),
            (Some("60"), Some("100"), "20"),
            (Some("30"), Some("60"), "30"),
        ],
    );
    cod.extend(bands(BandBy::AbsolutePair, &[(None, Some("30"), "5")]));
    let tables = [
        ("COD", cod),
        ("NH3-N", low("2", "15", "0.3")),
        ("TP", low("0.4", "15", "0.04")),
        ("TN", low("2", "15", "0.3")),
        ("pH", bands(BandBy::Absolute, &[(None, None, "0.5")])),
        ("flow", bands(BandBy::Relative, &[(None, None, "10")])),
        ("level", bands(BandBy::Greatest, &[(None, None, "12")])),
    ];
    let items = tables
        .iter()
        .map(|(item, _)| ((*item).into(), (*item).into()));
    QaRules {
        items: items.collect(),
        bands: tables.into_iter().map(|(i, b)| (i.into(), b)).collect(),
        pairs_min: 3,
        pairs_min_by_item: [("flow".into(), 1), ("level".into(), 1)].into(),
        pairs_pass: vec![(3, 2), (4, 3), (5, 4)],
        standard_pct: [("*".into(), dec("10"))].into(),
        ..QaRules::default()
    }
}

/// Limits of 40 CFR 75 that a profile can say, percentages rounded to `pct_decimals`.
fn part75(pct_decimals: u32) -> QaRules {
    let drift = DriftRule {
        zero_adjust_pct: dec("2.5"),
        zero_out_pct: dec("5"),
        span_adjust_pct: dec("2.5"),
        span_out_pct: dec("5"),
        every_h: Some(26),
    };
    let accuracy = bands(BandBy::RelativeAccuracy, &[(None, None, "10")]);
    QaRules {
        items: [("gas".into(), "gas".into())].into(),
        bands: [("gas".into(), accuracy)].into(),
        drift: [("gas".into(), drift)].into(),
        accuracy_pairs_min: 9,
        standard_pct: [("gas".into(), dec("5"))].into(),
        rounding: Some(QaRounding {
            mode: Rounding::HalfAwayFromZero,
            pct_decimals,
            mean_decimals: None,
        }),
        ..QaRules::default()
    }
}

fn judge(
    rules: QaRules,
    factor: &str,
    kind: QaKind,
    pairs: Vec<QaPair>,
    full_scale: Option<Decimal>,
) -> QaVerdict {
    let test = QaTest {
        outlet: "o".into(),
        factor: factor.into(),
        kind,
        at: Timestamp(0),
        pairs,
        full_scale: None,
        note: String::new(),
        attachments: Vec::new(),
        by: "u".into(),
        from_cn: None,
    };
    let mut profile = Profile::annex_d("worked@1");
    profile.qa = rules;
    qa::judge(&test, &profile, full_scale)
}

/// Figures of a verdict under the names of the cases.
fn figures(case: &Case, verdict: &QaVerdict, names: &[(&str, &str)]) -> Outcome {
    names.iter().try_for_each(|(theirs, ours)| {
        let got = verdict.figures.get(*ours).copied();
        case.compare(theirs, got)
    })
}

fn passed(case: &Case, verdict: &QaVerdict) -> Outcome {
    let expected = if case.expected["pass"] == true {
        QaOutcome::Passed
    } else {
        QaOutcome::Failed
    };
    case.same("pass", verdict.outcome, expected)
}

fn relative_accuracy(case: &Case) -> Outcome {
    let measured = decimals(&case.inputs["cems"]);
    let reference = decimals(&case.inputs["ref"]);
    let pairs = measured.into_iter().zip(reference);
    let pairs = pairs.map(|(measured, reference)| QaPair {
        measured,
        reference,
    });
    let pairs: Vec<QaPair> = pairs.collect();
    let mut rules = part75(2);
    rules.rounding = None;
    let verdict = judge(rules, "gas", QaKind::RelativeAccuracy, pairs, None);
    case.compare("ra_pct", verdict.result)?;
    let names = [
        ("mean_ref", "mean_reference"),
        ("mean_diff", "d"),
        ("sd", "sd"),
        ("t", "t"),
        ("cc", "cc"),
        ("rel_error_pct", "error"),
    ];
    figures(case, &verdict, &names)
}

/// Pairs of (equipment, laboratory).
fn compared(case: &Case) -> Outcome {
    let item = case.inputs["item"].as_str().unwrap_or("pH");
    let rows = case.inputs["pairs"].as_array().unwrap();
    let pairs = rows.iter().map(|row| pair(&row[0], &row[1])).collect();
    let verdict = judge(hj355(), item, QaKind::Comparison, pairs, None);
    passed(case, &verdict)?;
    if let Some(limit) = case.expected["limit"].as_str() {
        case.same("limit", verdict.band.as_str(), limit)?;
    }
    if !case.expected["error"].is_null() {
        case.compare("error", verdict.figures.get("error").copied())?;
    }
    let limit = verdict.limit.unwrap();
    let errors = case.expected["errors"].as_array();
    for (i, expected) in errors.into_iter().flatten().enumerate() {
        let name = format!("error_{}", i + 1);
        let error = verdict.figures.get(name.as_str()).copied();
        case.near(&name, expected, error)?;
        if let Some(ok) = case.expected["ok"][i].as_bool() {
            case.same(&name, errors::within(error.unwrap(), limit), ok)?;
        }
    }
    Ok(())
}

fn single(case: &Case) -> Outcome {
    let (factor, kind, reference) = match case.id.as_str() {
        "w-cmp-qc" => ("COD", QaKind::StandardSample, "std"),
        _ => ("flow", QaKind::Comparison, "ref"),
    };
    let pair = pair(&case.inputs["online"], &case.inputs[reference]);
    let verdict = judge(hj355(), factor, kind, vec![pair], None);
    passed(case, &verdict)?;
    let error = verdict.figures["error"];
    // The case of the flow has the magnitude, that of the sample the sign.
    let signed = decimal(&case.expected["error_pct"]).is_sign_negative();
    let error = if signed { Some(error) } else { verdict.result };
    case.compare("error_pct", error)
}

fn level(case: &Case) -> Outcome {
    let pairs = decimals(&case.inputs["diffs_mm"]).into_iter();
    let pairs = pairs.map(|measured| QaPair {
        measured,
        reference: Decimal::ZERO,
    });
    let pairs = pairs.collect();
    let verdict = judge(hj355(), "level", QaKind::Comparison, pairs, None);
    case.compare("max", verdict.result)?;
    passed(case, &verdict)
}

fn band(case: &Case) -> Outcome {
    let rules = hj355();
    let table = &rules.bands[case.inputs["item"].as_str().unwrap()];
    let band = comparison::band(table, case.input("lab_mean")).unwrap();
    let limit = case.expected["limit"].as_str().unwrap();
    case.same("limit", comparison::band_code(band).as_str(), limit)
}

fn needed(case: &Case) -> Outcome {
    let n = u32::try_from(case.inputs["pairs"].as_u64().unwrap()).unwrap();
    let needed = comparison::pairs_needed(&hj355(), n).map(Decimal::from);
    case.compare("need", needed)
}

/// A bound of the EPA's.
fn bound(limit: &str, decimals: u32) -> Bound {
    Bound {
        limit: dec(limit),
        decimals,
    }
}

fn specification(pct: Bound, alternative: Option<Bound>) -> Specification {
    Specification {
        rounding: Rounding::HalfAwayFromZero,
        pct,
        alternative,
    }
}

/// The first type of the component or system.
fn type_of<'a>(case: &'a Case, name: &str) -> &'a str {
    case.inputs[name][0].as_str().unwrap()
}

/// Figures that the EPA stores rounded, all to the same decimals: three, or five in some tests.
fn stored(case: &Case, figures: &[(&str, Decimal)]) -> Outcome {
    let scale = |name: &str| decimal(&case.expected[name]).normalize().scale();
    let decimals = figures.iter().map(|(name, _)| scale(name)).max();
    let decimals = decimals.unwrap().max(3);
    figures.iter().try_for_each(|(name, figure)| {
        case.compare(name, Some(*figure))?;
        let figure = round(*figure, decimals, Rounding::HalfAwayFromZero);
        case.same(name, figure, decimal(&case.expected[*name]))
    })
}

fn rata(case: &Case) -> Outcome {
    let runs = case.inputs["runs"].as_array().unwrap();
    let pairs: Vec<QaPair> = runs.iter().map(|r| pair(&r["cem"], &r["ref"])).collect();
    let rules = part75(2);
    let got = accuracy::accuracy(&pairs, rules.rounding.as_ref()).unwrap();
    case.compare("n", Some(Decimal::from(got.n)))?;
    case.compare("t", Some(got.t))?;
    let ra = decimal(&case.expected["ra_pct"]);
    case.same("ra_pct", got.ra_pct, ra)?;
    let figures = [
        ("mean_ref", got.means.reference),
        ("mean_cem", got.means.measured),
        ("mean_diff", got.d),
        ("sd", got.sd),
        ("cc", got.cc),
    ];
    stored(case, &figures)?;
    let verdict = judge(rules, "gas", QaKind::RelativeAccuracy, pairs, None);
    case.same("verdict", verdict.result, Some(ra))?;
    accepted(case, &got)
}

/// What the EPA made of a relative accuracy: the alternative specification, the factor, the result.
fn accepted(case: &Case, got: &accuracy::Accuracy) -> Outcome {
    // Parameters without a bias test have neither.
    if case.inputs["aps"].is_null() {
        return case.same("baf", case.expected["baf"].is_null(), true);
    }
    let (pct, alternative) = match type_of(case, "system_type") {
        "SO2" => ("7.5", Some(bound("12", 1))),
        "NOX" => ("7.5", Some(bound("0.015", 3))),
        "HG" => ("20", Some(bound("0.5", 1))),
        _ => ("7.5", None),
    };
    let held = specification(bound(pct, 2), alternative).hold(got.ra_pct, got.d);
    case.same("aps", held.alternative, case.inputs["aps"] == 1)?;
    // Low emitters, whose tests pass by the alternative, may use 1.111.
    let cap = held.alternative.then(|| dec("1.111"));
    let factor = got.bias_adjustment_factor(cap).unwrap();
    let factor = round(factor, 3, Rounding::HalfAwayFromZero);
    case.compare("baf", Some(factor))?;
    let result = match (held.passed, held.alternative) {
        (true, true) => "PASSAPS",
        (true, false) => "PASSED",
        (false, _) => "FAILED",
    };
    let expected = case.expected["test_result"].as_str();
    case.same("test_result", result, expected.unwrap_or(result))
}

fn linearity_level(case: &Case) -> Outcome {
    let rows = case.inputs["injections"].as_array().unwrap();
    let pairs: Vec<QaPair> = rows
        .iter()
        .map(|row| pair(&row["measured"], &row["ref"]))
        .collect();
    let level = &accuracy::Means::of(&pairs, None).unwrap().pair();
    let mean = |mean| Some(round(mean, 3, Rounding::HalfAwayFromZero));
    case.compare("mean_ref", mean(level.reference))?;
    case.compare("mean_measured", mean(level.measured))?;
    let alternative = if type_of(case, "component_type") == "CO2" {
        bound("0.5", 1)
    } else {
        bound("5", 0)
    };
    let specification = specification(bound("5", 1), Some(alternative));
    let pct = errors::pct_of_reference(level).unwrap();
    let held = specification.hold(pct, errors::absolute(level).unwrap());
    case.same("aps", held.alternative, case.expected["aps"] == 1)?;
    case.same("error", held.error, decimal(&case.expected["error"]))?;
    // What a profile can say: the percentage alone, and a standard a level (one test has two).
    if held.alternative || linearity::levels(&pairs).unwrap().len() > 1 {
        return Ok(());
    }
    let verdict = judge(part75(1), "gas", QaKind::Linearity, pairs, None);
    case.same("verdict", verdict.result, Some(held.error))
}

fn calibration(case: &Case) -> Outcome {
    let pair = pair(&case.inputs["measured"], &case.inputs["ref"]);
    let span = case.input("span");
    let absolute = errors::absolute(&pair).unwrap();
    let expected = decimal(&case.expected["cal_error"]);
    let aps = case.expected["aps"] == 1;
    if type_of(case, "component_type") == "CO2" {
        let error = round(absolute.abs(), 1, Rounding::HalfAwayFromZero);
        case.same("aps", aps, false)?;
        return case.same("cal_error", error, expected);
    }
    let pct = errors::pct_of_span(&pair, span).unwrap();
    let held = specification(bound("2.5", 1), Some(bound("5", 0))).hold(pct, absolute);
    case.same("aps", held.alternative, aps)?;
    case.same("cal_error", held.error, expected)?;
    let rule = case.inputs["rule"].as_str().unwrap();
    case.same("rule", held.alternative, rule == "abs_diff")?;
    let kind = match case.inputs["gas"].as_str() {
        Some("zero") => QaKind::ZeroDrift,
        _ => QaKind::SpanDrift,
    };
    let verdict = judge(part75(1), "gas", kind, vec![pair], Some(span));
    let adjust = verdict.outcome != QaOutcome::Passed;
    case.same("beyond 2.5 %", adjust, held.alternative)?;
    if adjust {
        return Ok(());
    }
    case.same("verdict", verdict.result, Some(expected))
}
