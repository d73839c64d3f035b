//! The table row by row, and what loggers send against it.

use super::*;
use std::collections::BTreeSet;

fn table() -> &'static FactorTable {
    FactorTable::builtin()
}

fn resolve(code: &str, edition: &str) -> Resolved {
    table().resolve(
        code,
        Sighting {
            edition,
            ..Sighting::default()
        },
    )
}

fn multiplier(code: &str) -> Option<String> {
    resolve(code, "2005").multiplier.map(|m| m.to_string())
}

#[test]
fn the_embedded_table_parses_and_is_complete() {
    FactorTable::parse(BUILTIN).unwrap();
    let by_clause = |clause: &str| table().all().iter().filter(|f| f.clause == clause).count();
    // 379 codes of 2017, of which two are printed twice; four of 2005 only; thirteen others.
    let tables = ["B.1", "B.2", "B.3", "B.5", "B.7", "B.10"];
    let printed: usize = tables
        .iter()
        .map(|t| by_clause(&format!("HJ 212-2017 {t}")))
        .sum();
    assert_eq!(printed, 377);
    assert_eq!(by_clause("HJ/T 212-2005 B"), 4);
    assert_eq!(table().all().len(), 394);
}

#[test]
fn every_row_is_sound() {
    let mut codes = BTreeSet::new();
    let mut old_codes = BTreeSet::new();
    for f in table().all() {
        let code = &f.code;
        assert!(codes.insert(code.to_ascii_lowercase()), "{code} twice");
        if let Some(old) = &f.old_code {
            assert!(
                old_codes.insert(old.to_ascii_lowercase()),
                "{code}: {old} twice"
            );
        }
        assert!(
            !f.name_zh.is_empty() && !f.name_en.is_empty(),
            "{code} names"
        );
        assert!(!f.clause.is_empty(), "{code} clause");
        assert!(f.decimals <= 6, "{code} decimals");
        let unit = Unit::named(&f.unit);
        assert!(
            unit.is_some() || f.unit.is_empty(),
            "{code}: unit {}",
            f.unit
        );
        for other in [&f.unit_total, &f.old_unit, &f.unit_in_use]
            .into_iter()
            .flatten()
        {
            assert!(Unit::named(other).is_some(), "{code}: unit {other}");
        }
        if let Some(in_use) = f.unit_in_use.as_deref().and_then(Unit::named) {
            assert!(
                in_use.multiplier_to(unit.unwrap()).is_some(),
                "{code}: unit in use"
            );
        }
        if let Some((low, high)) = f.range {
            assert!(low < high, "{code} range");
        }
        assert_eq!(
            f.kg_per_unit_m3,
            unit.and_then(Unit::kg_per_unit_m3),
            "{code}"
        );
    }
}

#[test]
fn totals_fit_concentrations() {
    for f in table().all() {
        let Some(total) = f.unit_total.as_deref().and_then(Unit::named) else {
            continue;
        };
        let expected = match f.unit.as_str() {
            "m3/s" | "L/s" => "m3",
            "mg/m3" | "mg/L" => "kg",
            "ug/L" | "ng/m3" => "g",
            "ng/L" => "mg",
            other => panic!("{}: total of {other}", f.code),
        };
        assert_eq!(total.name, expected, "{}", f.code);
    }
}

#[test]
fn thirteen_units_changed_between_the_editions() {
    let converted: Vec<(&str, String)> = table()
        .all()
        .iter()
        .filter_map(|f| {
            let m = f.old_multiplier_to(&f.unit)?;
            (!f.old_unit_assumed).then(|| (f.code.as_str(), m.to_string()))
        })
        .collect();
    let thousand = [
        "w20111", "w20115", "w20117", "w20119", "w20120", "w20127", "w20128",
    ];
    let mut expected: Vec<(&str, &str)> = thousand.iter().map(|c| (*c, "1000")).collect();
    expected.extend([("w20089", "1000000"), ("w20113", "1000000")]);
    expected.extend([
        ("a01013", "1000"),
        ("a01017", "1000"),
        ("a21001", "1000000"),
    ]);
    expected.sort_unstable();
    let mut converted: Vec<(&str, &str)> =
        converted.iter().map(|(c, m)| (*c, m.as_str())).collect();
    converted.sort_unstable();
    // The thirteenth, S02 (m3/h to m/s), does not convert: loggers send m/s, see below.
    assert_eq!(converted, expected);
}

#[test]
fn codes_of_2005_become_codes_of_2017() {
    for (old, new) in [
        ("S01", "a19001"),
        ("S02", "a01011"),
        ("S03", "a01012"),
        ("S05", "a01014"),
        ("S08", "a01013"),
        ("01", "a34013"),
        ("02", "a21026"),
        ("03", "a21002"),
        ("B01", "w00000"),
        ("B02", "a00000"),
        ("001", "w01001"),
        ("011", "w01018"),
        ("060", "w21003"),
        ("101", "w21011"),
        ("065", "w21001"),
    ] {
        let got = resolve(old, "2005");
        assert_eq!((got.code.as_str(), got.known), (new, true), "{old}");
    }
}

#[test]
fn values_of_2005_change_unit() {
    assert_eq!(multiplier("S08").as_deref(), Some("1000"), "MPa to kPa");
    assert_eq!(multiplier("020").as_deref(), Some("1000"), "mg/L to ug/L");
    assert_eq!(multiplier("02"), None);
    let ammonia = Sighting {
        edition: "2005",
        unit: Some("mg/m3"),
        ..Sighting::default()
    };
    assert_eq!(
        table().resolve("10", ammonia).multiplier,
        None,
        "an outlet that keeps mg/m3"
    );
}

#[test]
fn units_the_2005_table_leaves_open_are_assumed_and_said_so() {
    let flow = resolve("B02", "2005");
    assert_eq!(flow.findings, [FINDING_UNIT_ASSUMED]);
    let per_second = flow.multiplier.unwrap() * Decimal::from(360_000);
    assert_eq!(per_second.round_dp(20), Decimal::from(100), "m3/h to m3/s");
    let velocity = resolve("S02", "2005");
    assert_eq!(
        (velocity.multiplier, velocity.findings),
        (None, vec![FINDING_UNIT_ASSUMED])
    );
}

#[test]
fn editions_mixed_by_devices() {
    let old_in_new = resolve("S01", "2017");
    assert_eq!(old_in_new.code.as_str(), "a19001");
    assert_eq!(old_in_new.findings, [FINDING_OLD_CODE]);
    let new_in_old = resolve("a21026", "2005");
    assert_eq!(
        (new_in_old.code.as_str(), new_in_old.multiplier),
        ("a21026", None)
    );
    assert_eq!(new_in_old.findings, Vec::<&str>::new());
}

#[test]
fn letter_case_is_forgiven_and_noted() {
    for (sent, code) in [
        ("A21026", "a21026"),
        ("W01018", "w01018"),
        ("I33400", "i33400"),
    ] {
        let got = resolve(sent, "2017");
        assert_eq!(
            (got.code.as_str(), got.findings),
            (code, vec![FINDING_CASE]),
            "{sent}"
        );
        assert!(table().get(sent).is_none(), "get is exact");
    }
    assert_eq!(resolve("s01", "2005").findings, [FINDING_CASE]);
}

#[test]
fn unknown_codes_are_kept_as_sent() {
    for sent in [
        "SO2", "o31104", "ele01", "", "x", "xx", "中文", "a", "a21026x", "e10",
    ] {
        let got = resolve(sent, "2017");
        assert_eq!((got.code.as_str(), got.known), (sent, false));
        assert_eq!(
            (got.multiplier, got.findings),
            (None, vec![FINDING_UNKNOWN])
        );
    }
    let orphan = resolve("B03", "2005");
    assert_eq!((orphan.code.as_str(), orphan.known), ("B03", true));
    assert_eq!(orphan.findings, [FINDING_NO_SUCCESSOR]);
}

#[test]
fn numbered_devices_share_a_row() {
    assert_eq!(table().get("e10103").unwrap().code, "e101xx");
    assert_eq!(table().get("i33314").unwrap().code, "i3331x");
    assert_eq!(resolve("e10103", "2017").code.as_str(), "e10103");
    assert_eq!(resolve("E10103", "2017").code.as_str(), "e10103");
    assert!(table().get("LM1").is_none(), "the x of LMx is a letter");
    assert_eq!(table().get("LMx").unwrap().unit, "dB");
}

#[test]
fn day_and_night_noise_changed_places() {
    assert_eq!(resolve("Ld", "2005").code.as_str(), "Ln");
    assert_eq!(resolve("Ln", "2005").code.as_str(), "Ld");
    assert_eq!(resolve("Ld", "2017").code.as_str(), "Ld");
}

#[test]
fn a_water_factor_at_a_stack_is_noted() {
    let met = Sighting {
        edition: "2017",
        medium: Some(Medium::Gas),
        unit: None,
    };
    assert_eq!(
        table().resolve("w01018", met).findings,
        [FINDING_OTHER_MEDIUM]
    );
    assert_eq!(table().resolve("a21026", met).findings, Vec::<&str>::new());
}

#[test]
fn pollutants_by_default() {
    for (code, pollutant) in [
        ("a21026", true),
        ("a34013", true),
        ("a19001", false),
        ("a00000", false),
        ("w01018", true),
        ("w20111", true),
        ("w01001", false),
        ("w00000", false),
    ] {
        assert_eq!(
            table().get(code).unwrap().pollutant_default,
            pollutant,
            "{code}"
        );
    }
}
