//! Loading: files that name files, what is kept and what is not, and no panic whatever comes.

use cems_config::factors::FINDING_UNIT_ASSUMED;
use cems_config::{Checked, Lang, Problems, load, load_str};
use cems_core::model::{Basis, FactorCode, Medium, Outlet, OutletId};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::fs;
use std::path::Path;

const CITY: &str = r#"
[[region]]
id = "shili"
name = "示例市"

[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"
"#;

const STACK: &str = r#"
[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号机组总排口"
medium = "gas"
mn = "EXAMPLE0000001"
password = "s3cret"
profile = "hj75-2017"
permit = "排污许可证 示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }

[[outlet.factor]]
code = "a21026"
range = 500
limit_hour = 35
"#;

/// SHA-256 of `s3cret`.
const SECRET_SHA256: &str = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

fn outlet<'a>(checked: &'a Checked, id: &str) -> &'a Outlet {
    &checked.registry.outlets[&OutletId::new(id)]
}

fn problems(files: &[(&str, &str)]) -> Problems {
    load_str(files)
        .map(|c| c.warnings)
        .expect_err("should not load")
}

#[test]
fn a_single_text_is_enough() {
    let checked = load_str(&[("cemsd.toml", &format!("{CITY}{STACK}"))]).unwrap();
    assert_eq!(checked.registry.outlets.len(), 1);
    assert_eq!(checked.settings.hj212.listen[0].to_string(), "0.0.0.0:9212");
    assert_eq!(
        checked.settings.console.listen.to_string(),
        "127.0.0.1:8080"
    );
    assert_eq!(checked.settings.data_dir, Path::new("data"));
    assert_eq!(checked.registry.offset.minutes(), 480);
    let nobody = &checked.warnings[0];
    assert!(nobody.what_zh.contains("没有可登录"), "{nobody}");
}

#[test]
fn an_empty_file_runs_with_defaults_and_says_what_is_missing() {
    let checked = load_str(&[("cemsd.toml", "")]).unwrap();
    assert_eq!(checked.warnings.len(), 2, "{:?}", checked.warnings);
    let builtin = cems_config::profiles::BUILTIN.len();
    assert_eq!(checked.registry.profiles.len(), builtin);
}

#[test]
fn directories_are_read_sorted_and_relative_to_the_main_file() {
    let main = "registry = \"registry\"\n";
    let files = [
        ("etc/cemsd.toml", main),
        ("etc/registry/20-stack.toml", STACK),
        ("etc/registry/10-city.toml", CITY),
        ("etc/registry/notes.txt", "not read"),
    ];
    let checked = load_str(&files).unwrap();
    let names: Vec<String> = checked
        .files
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "etc/cemsd.toml",
            "etc/registry/10-city.toml",
            "etc/registry/20-stack.toml"
        ]
    );
    assert_eq!(checked.settings.data_dir, Path::new("etc/data"));
}

#[test]
fn the_digest_knows_every_byte_of_every_file() {
    let digest = |city: &str, stack: &str| {
        let main = "registry = [\"a.toml\", \"b.toml\"]\n";
        load_str(&[("m.toml", main), ("a.toml", city), ("b.toml", stack)])
            .unwrap()
            .digest
    };
    let first = digest(CITY, STACK);
    assert_eq!(first, digest(CITY, STACK));
    assert_ne!(first, digest(CITY, &STACK.replace("35", "36")));
    assert_ne!(
        first,
        digest(&format!("{CITY}\n"), STACK.strip_prefix('\n').unwrap())
    );
}

#[test]
fn of_a_password_only_the_hash_is_kept() {
    let file = STACK.replace("password = \"s3cret\"", "password_file = \"pw/jia-1\"");
    let from_file = load_str(&[
        ("m.toml", &format!("{CITY}{file}")),
        ("pw/jia-1", "s3cret\n"),
    ])
    .unwrap();
    let inline = load_str(&[("m.toml", &format!("{CITY}{STACK}"))]).unwrap();
    for checked in [from_file, inline] {
        let hash = outlet(&checked, "jia-1").password_sha256.clone().unwrap();
        assert_eq!(hash.as_str(), SECRET_SHA256);
        assert!(!format!("{checked:?}").contains("s3cret"));
    }
}

#[test]
fn a_broken_file_does_not_make_others_look_wrong() {
    let files = [
        ("m.toml", "registry = [\"city.toml\", \"stack.toml\"]\n"),
        ("city.toml", "[[region]\n"),
        ("stack.toml", STACK),
    ];
    let found = problems(&files);
    assert_eq!(found.0.len(), 1, "{found}");
    assert!(found.0[0].what.starts_with("not TOML"), "{found}");
}

#[test]
fn problems_of_all_files_come_at_once() {
    let files = [
        (
            "m.toml",
            "registry = [\"city.toml\", \"stack.toml\"]\nusers = \"gone.toml\"\nx = 1\n",
        ),
        ("city.toml", &CITY.replace("name = \"甲电厂\"\n", "")),
        ("stack.toml", &STACK.replace("35", "\"35\"")),
    ];
    let found = problems(&files);
    let lines: Vec<String> = found
        .0
        .iter()
        .map(|p| format!("{}:{}:{}", p.file.display(), p.line, p.column))
        .collect();
    assert_eq!(
        lines,
        [
            "m.toml:3:1",
            "gone.toml:0:0",
            "city.toml:6:1",
            "stack.toml:17:14"
        ]
    );
    assert!(
        found.render(Lang::Zh).contains("gone.toml: 文件不存在"),
        "{found}"
    );
}

#[test]
fn text_that_is_not_utf_8_or_too_large_is_refused_and_a_byte_order_mark_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cemsd.toml");
    // "示例" in GBK.
    fs::write(&path, b"[site]\nname = \"\xca\xbe\xc0\xfd\"\n").unwrap();
    let gbk = load(&path).unwrap_err();
    assert_eq!(
        (gbk.0[0].line, gbk.0[0].what.as_str()),
        (2, "not UTF-8 text"),
        "{gbk}"
    );
    fs::write(&path, "#".repeat(4 * 1024 * 1024 + 1)).unwrap();
    let large = load(&path).unwrap_err();
    assert!(large.0[0].what.contains("larger than 4 MiB"), "{large}");
    fs::write(&path, "\u{feff}data_dir = \"d\"\n").unwrap();
    assert_eq!(load(&path).unwrap().settings.data_dir, dir.path().join("d"));
    let gone = load(&dir.path().join("gone.toml")).unwrap_err();
    assert_eq!(gone.0[0].what, "there is no such file");
    assert!(load(dir.path()).is_err(), "a directory is no main file");
}

#[test]
fn thousands_of_mistakes_are_counted_not_listed() {
    let text: String = (0..2_000).map(|i| format!("unknown_{i} = 1\n")).collect();
    let found = problems(&[("m.toml", &text)]);
    assert_eq!(found.0.len(), 501);
    assert_eq!(found.0[500].what, "and 1500 more problems");
}

#[test]
fn defaults_for_all_outlets_and_for_one() {
    let main = "[expect]\nrealtime_s = 0\nno_data_after_s = 7200\n[fallback]\nmax_gap_min = 240\n";
    let water = r#"
[[outlet]]
id = "jia-w"
enterprise = "jia"
name = "总排口"
medium = "water"
mn = "EXAMPLE0000002"
any_password = true
profile = "hj356-2019@1"
permit = "排污许可证 示例-0001"
factor = [{ code = "w01018", range = [0, 200], limit_day = 50 }]
expect = { minute_min = 30 }
"#;
    let checked = load_str(&[("m.toml", &format!("{main}{CITY}{STACK}{water}"))]).unwrap();
    let (gas, water) = (outlet(&checked, "jia-1"), outlet(&checked, "jia-w"));
    assert_eq!(gas.expectation.realtime_s, None);
    assert_eq!(
        (gas.expectation.minute_min, gas.expectation.no_data_after_s),
        (Some(10), 7_200)
    );
    assert_eq!(
        (
            water.expectation.minute_min,
            water.expectation.no_data_after_s
        ),
        (Some(30), 7_200)
    );
    assert_eq!(
        (gas.fallback.opens_after_min, water.fallback.opens_after_min),
        (60, 240)
    );
    assert_eq!(
        (gas.fallback.max_gap_min, water.fallback.max_gap_min),
        (240, 240)
    );
    assert_eq!(water.password_sha256, None);
    assert_eq!(water.medium, Medium::Water);
    assert!(water.water.as_ref().is_some_and(|w| w.weighted_mean));
}

#[test]
fn dates_of_limits_follow_the_site_clock() {
    let limit = r#"
[[outlet.factor.limit]]
id = "winter"
period = "hour"
upper = 20
from = 2026-11-15
until = 2027-03-15T00:00:00Z
kind = "local"
"#;
    let checked = load_str(&[("m.toml", &format!("{CITY}{STACK}{limit}"))]).unwrap();
    let factor = &outlet(&checked, "jia-1").factors[&FactorCode::new("a21026")];
    let winter = &factor.limits[1];
    assert_eq!(winter.from.unwrap().to_string(), "2026-11-14T16:00:00.000Z");
    assert_eq!(
        winter.until.unwrap().to_string(),
        "2027-03-15T00:00:00.000Z"
    );
    assert!(winter.converted);
    assert_eq!(winter.source, "排污许可证 示例-0001");
}

#[test]
fn a_factor_of_ones_own_and_a_unit_of_ones_own() {
    let own = r#"
[[outlet.factor]]
code = "x-dioxin"
name = "二噁英"
name_en = "dioxins"
unit = "ng/m³"
range = 5
pollutant = true
basis = "standard-wet"

[[outlet.factor]]
code = "a21001"
unit = "mg/m3"
range = 50
"#;
    let checked = load_str(&[("m.toml", &format!("{CITY}{STACK}{own}"))]).unwrap();
    let factors = &outlet(&checked, "jia-1").factors;
    let dioxin = &factors[&FactorCode::new("x-dioxin")];
    assert_eq!(
        (dioxin.unit.as_str(), dioxin.basis),
        ("ng/m3", Basis::StandardWet)
    );
    assert_eq!(dioxin.kg_per_unit_m3.to_string(), "0.000000000001");
    let ammonia = &factors[&FactorCode::new("a21001")];
    assert_eq!(ammonia.kg_per_unit_m3.to_string(), "0.000001");
    assert_eq!(ammonia.range_min, Some(Decimal::new(-25, 1)));
}

#[test]
fn codes_from_the_wire_arrive_in_the_units_of_the_registry() {
    let own = r#"
[[outlet.factor]]
code = "a00000"
unit_2005 = "m3/s"

[[outlet.factor]]
code = "a21001"
unit = "mg/m3"
range = 50
"#;
    let stack = STACK
        .replace("\"a01011\", ", "")
        .replace("\"a01013\", ", "");
    let velocity = "\n[[outlet.factor]]\ncode = \"a01011\"\nunit_2005 = \"m3/h\"\n";
    let pressure = "\n[[outlet.factor]]\ncode = \"a01013\"\nunit_2005 = \"Pa\"\n";
    let text = format!("{CITY}{stack}{own}{velocity}{pressure}");
    let checked = load_str(&[("m.toml", &text)]).unwrap();
    let stack = outlet(&checked, "jia-1");
    let resolve = |code: &str, edition: &str| {
        let got = cems_config::factors::resolve_at(stack, code, edition);
        (
            got.code.as_str().to_owned(),
            got.multiplier.map(|m| m.round_dp(10).to_string()),
        )
    };
    let to = |code: &str, m: Option<&str>| (code.to_owned(), m.map(str::to_owned));
    assert_eq!(
        resolve("S08", "2005"),
        to("a01013", Some("0.001")),
        "stated: Pa"
    );
    assert_eq!(resolve("B02", "2005"), to("a00000", None), "stated: m3/s");
    // 1 / (3600 s/h x 20 m2)
    assert_eq!(
        resolve("S02", "2005"),
        to("a01011", Some("0.0000138889")),
        "through the area"
    );
    assert_eq!(resolve("10", "2005"), to("a21001", None), "mg/m3 in both");
    assert_eq!(resolve("S03", "2005"), to("a01012", None));
    assert_eq!(
        resolve("a01013", "2017"),
        to("a01013", None),
        "2017 codes are never converted"
    );
    assert_eq!(
        resolve("S08", "2017"),
        to("a01013", Some("0.001")),
        "old code in a new frame"
    );
    let stated = cems_config::factors::resolve_at(stack, "B02", "2005").findings;
    assert!(!stated.contains(&FINDING_UNIT_ASSUMED), "{stated:?}");
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    fs::read_to_string(path).expect("the examples can be read")
}

/// A text with bytes replaced, dropped or inserted at a few places.
fn damaged(text: String) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            0..3_u8,
            prop::sample::select(&b"\"[]{}=,.#\n 09aZ-\xff"[..]),
        ),
        1..6,
    );
    edits.prop_map(move |edits| {
        let mut bytes = text.clone().into_bytes();
        for (at, kind, byte) in edits {
            let i = at.index(bytes.len());
            match kind {
                0 => bytes[i] = byte,
                1 => bytes.insert(i, byte),
                _ => drop(bytes.remove(i)),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a slip of the keyboard makes of the examples: values or problems with a place
    /// inside the text, never a panic.
    #[test]
    fn damage_never_panics(
        main in damaged(example("cemsd.toml")),
        stack in damaged(example("registry/20-jia-1.toml")),
        users in damaged(example("users.toml")),
    ) {
        let city = example("registry/10-enterprises.toml");
        let files = [
            ("cemsd.toml", main.as_str()),
            ("users.toml", users.as_str()),
            ("registry/10.toml", city.as_str()),
            ("registry/20.toml", stack.as_str()),
        ];
        match load_str(&files) {
            Ok(checked) => prop_assert!(checked.registry.outlets.len() <= 1),
            Err(found) => {
                prop_assert!(!found.0.is_empty());
                for problem in &found.0 {
                    let known = files.iter().find(|(name, _)| problem.file == Path::new(name));
                    if let Some((_, text)) = known {
                        prop_assert!(problem.line <= text.lines().count() + 1, "{}", problem);
                    }
                    prop_assert!(!problem.what.is_empty() && !problem.what_zh.is_empty());
                }
            }
        }
    }

    /// Codes from the wire are any bytes.
    #[test]
    fn any_code_resolves(code in ".{0,12}", edition in "(2005|2017|2025|\\?)") {
        let table = cems_config::factors::FactorTable::builtin();
        let met = cems_config::factors::Sighting { edition: &edition, ..Default::default() };
        let got = table.resolve(&code, met);
        prop_assert!(got.known || got.code.as_str() == code);
    }
}
