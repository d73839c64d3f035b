//! What people read, as golden files; `BLESS=1` writes them.

use super::*;
use std::fs;
use std::path::Path;

fn golden(name: &str, root: &Node) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/explain")
        .join(name);
    let both = format!("{}\n{}", text(root, Lang::Zh), text(root, Lang::En));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &both).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let off = kept
        .lines()
        .zip(both.lines())
        .find(|(kept, found)| kept != found);
    assert!(
        kept == both,
        "bless with BLESS=1 after reading: {name}: {off:#?}"
    );
}

#[test]
fn hours_and_the_day_of_the_stack() {
    let city = city();
    let bench = run(&city, gas_day());
    // The hours of the source count from one.
    for (name, factor, hour) in [
        ("gas-hour-15-nox.txt", "a21002", 14),
        ("gas-hour-08-invalid-so2.txt", "a21026", 7),
        ("gas-hour-09-stopped-dust.txt", "a34013", 8),
        ("gas-hour-17-calibration-so2.txt", "a21026", 16),
    ] {
        golden(
            name,
            &ask(&bench, &city, &question(GAS, factor, hour_of(hour))),
        );
    }
    golden(
        "gas-day-so2.txt",
        &ask(&bench, &city, &question(GAS, "a21026", day_of())),
    );
}

#[test]
fn the_day_of_the_discharge() {
    let city = city();
    let bench = run(&city, water_day());
    golden(
        "water-day-cod.txt",
        &ask(&bench, &city, &question(WATER, "w01018", day_of())),
    );
    golden(
        "water-day-ph.txt",
        &ask(&bench, &city, &question(WATER, "w01001", day_of())),
    );
    let hour = question(WATER, "w21003", hour_of(13));
    golden("water-hour-14-nh3n.txt", &ask(&bench, &city, &hour));
}
