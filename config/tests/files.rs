//! The files that users see: the examples load without a remark, and each mistake in `bad/` is
//! answered with exactly the text beside it.

use cems_config::{Lang, load};
use cems_core::model::{
    AmountPeriod, Basis, FactorCode, LimitKind, LimitPeriod, MarkKind, Outlet, Registry, Timestamp,
};
use rust_decimal::Decimal;
use std::fs;
use std::path::{Path, PathBuf};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_examples_load_without_a_remark() {
    let checked = load(&here("examples/cemsd.toml")).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.files.len(), 6, "{:?}", checked.files);
    assert_eq!(checked.digest.len(), 64);
    let registry = &checked.registry;
    assert_eq!(registry.outlets.len(), 3);

    let stack = registry
        .outlets
        .values()
        .find(|o| o.id.as_str() == "jia-1")
        .unwrap();
    // A family: the version in force when a period begins judges it.
    assert_eq!(stack.profile.as_str(), "hj75-2017");
    let judged_by = |at: i64| {
        let profile = registry.profile_at(stack, Timestamp(at)).unwrap();
        profile.id.as_str().to_owned()
    };
    let new_year = 1_767_196_800_000;
    assert_eq!(judged_by(new_year - 1), "hj75-2017@1");
    assert_eq!(judged_by(new_year), "hj75-2017@2");
    let dust = &stack.factors[&FactorCode::new("a34013")];
    assert_eq!((dust.basis, dust.pollutant), (Basis::ActualWet, true));
    assert_eq!(dust.kg_per_unit_m3.to_string(), "0.000001");
    assert_eq!(dust.range_min, Some(Decimal::new(-25, 1)));
    assert_eq!(dust.limits[0].period, LimitPeriod::Hour);
    assert!(dust.limits[0].converted);
    let oxygen = &stack.factors[&FactorCode::new("a19001")];
    assert!(!oxygen.pollutant);
    assert_eq!(stack.permitted[0].amount_kg, Decimal::from(120_000));
    assert_eq!(stack.expectation.no_data_after_s, 900);
    assert_eq!(stack.fallback.opens_after_min, 60);

    special_periods_limits_and_amounts(registry, stack);

    let works = registry
        .outlets
        .values()
        .find(|o| o.id.as_str() == "yi-out")
        .unwrap();
    let ph = &works.factors[&FactorCode::new("w01001")];
    assert_eq!(
        (ph.limits[0].lower, ph.limits[0].upper),
        (Some(6.into()), Some(9.into()))
    );
    assert!(!ph.limits[0].converted);
}

fn special_periods_limits_and_amounts(registry: &Registry, stack: &Outlet) {
    let winter = &registry.special_periods["2026-winter-ii"];
    assert_eq!(winter.regions.len(), 1);
    assert_eq!(winter.until.since_ms(winter.from), 9 * 24 * 3_600_000);
    let nox = &stack.factors[&FactorCode::new("a21002")].limits;
    assert_eq!(nox[0].kind, LimitKind::National);
    assert_eq!(nox[0].not_during, [MarkKind::StartUp, MarkKind::Shutdown]);
    assert_eq!(nox[1].kind, LimitKind::Special);
    assert_eq!(nox[1].special.as_deref(), Some("2026-winter-ii"));
    let whole = &registry.enterprises[&stack.enterprise].permitted;
    assert_eq!(whole[0].amount_kg, Decimal::from(200_000));
    assert_eq!(whole[0].source, "排污许可证 示例-0001");
    let special = stack.permitted.last().expect("one of them");
    assert_eq!(special.period, AmountPeriod::Special);
    assert_eq!(special.special.as_deref(), Some("2026-winter-ii"));
}

#[test]
fn commented_out_values_of_the_example_are_the_defaults() {
    let text = fs::read_to_string(here("examples/cemsd.toml")).unwrap();
    let mut full = String::new();
    for line in text.lines() {
        let setting = line.strip_prefix("# ").filter(|l| is_setting(l));
        full.push_str(setting.unwrap_or(line));
        full.push('\n');
    }
    assert!(full.contains("\nsegment_bytes_max = 9999\n"), "{full}");
    let strip = |text: &str| {
        text.replace("[\"registry\"]", "[]")
            .replace("[\"users.toml\"]", "[]")
    };
    let plain = cems_config::load_str(&[("cemsd.toml", &strip(&text))]).unwrap();
    let spelled = cems_config::load_str(&[("cemsd.toml", &strip(&full))]).unwrap();
    assert_eq!(plain.settings, spelled.settings);
    assert_eq!(plain.registry, spelled.registry);
}

fn is_setting(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[test]
fn every_mistake_is_answered_as_written() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut files: Vec<PathBuf> = fs::read_dir(here("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 25, "only {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let answer = answer(&file);
        let expected = file.with_extension("expected");
        if bless {
            fs::write(&expected, &answer).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != answer {
            wrong.push(format!("{}:\n{answer}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "bless with BLESS=1 after reading:\n{}",
        wrong.join("\n")
    );
}

/// Problems in both languages, or the warnings when there is none.
fn answer(file: &Path) -> String {
    let dir = here("bad");
    let text = match load(file) {
        Err(problems) => {
            format!(
                "{}\n\n{}\n",
                problems.render(Lang::En),
                problems.render(Lang::Zh)
            )
        }
        Ok(checked) => {
            assert!(
                !checked.warnings.is_empty(),
                "{} is not bad",
                file.display()
            );
            let render = |lang| {
                let lines: Vec<String> = checked.warnings.iter().map(|w| w.render(lang)).collect();
                lines.join("\n")
            };
            format!("(warnings)\n{}\n\n{}\n", render(Lang::En), render(Lang::Zh))
        }
    };
    text.replace(&format!("{}/", dir.display()), "")
}
