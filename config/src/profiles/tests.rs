use super::*;
use cems_core::model::profile::{
    Band, BandBy, CaptureFormula, DayThreshold, SubstitutionMethod, Take,
};
use cems_core::model::{LimitPeriod, MarkKind, ProfileId, Sure, Timestamp};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt::Write;

fn get(id: &str) -> Profile {
    let found = builtin().into_iter().find(|p| p.id.as_str() == id);
    found.unwrap_or_else(|| panic!("no profile {id}"))
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn every_builtin_profile_is_sound() {
    let mut report = Report::default();
    let mut found: BTreeMap<ProfileId, Profile> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (name, text) in BUILTIN {
        let file = report.add_source(Path::new(name), text);
        let table = DeTable::parse(text).unwrap();
        let root = Section::root(file, &table);
        let profile = check::profile(&root, UtcOffset::default(), &mut report).unwrap();
        places.insert(profile.id.clone(), root.at);
        root.finish(&mut report);
        assert_eq!(Some(profile.id.as_str()), name.strip_suffix(".toml"));
        found.insert(profile.id.clone(), profile);
    }
    // As if they were files of one's own: no two versions compete, no time is left out.
    check::families(&found, &places, UtcOffset::default(), &mut report);
    let (problems, warnings) = report.into_parts();
    assert_eq!((problems, warnings), (Vec::new(), Vec::new()));
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles")).unwrap();
    let listed = files.filter(|f| f.as_ref().unwrap().path().extension().unwrap() == "toml");
    assert_eq!(listed.count(), BUILTIN.len(), "a file is not in BUILTIN");
}

/// Every value of a file by its key.
fn entries(table: &toml::Table, above: &str, out: &mut Vec<String>) {
    for (name, value) in table {
        let key = match above {
            "" => name.clone(),
            above => format!("{above}.{name}"),
        };
        match value {
            toml::Value::Table(below) => entries(below, &key, out),
            _ => out.push(key),
        }
    }
}

#[test]
fn every_entry_of_every_profile_says_where_it_was_read() {
    let header = ["id", "title_zh", "title_en", "source", "provenance"];
    let mut listing = String::new();
    for (name, text) in BUILTIN {
        let profile = get(name.strip_suffix(".toml").unwrap());
        let mut table: toml::Table = text.parse().unwrap();
        table.retain(|key, _| !header.contains(&key));
        let mut keys = Vec::new();
        entries(&table, "", &mut keys);
        assert!(keys.len() >= 18, "{name}");
        for key in keys {
            let provenance = profile.provenance_of(&key);
            let provenance = provenance.unwrap_or_else(|| panic!("{name}: {key} has no source"));
            let (sure, source) = (provenance.sure.as_str(), &provenance.source);
            assert!(!source.is_empty(), "{name}: {key}");
            writeln!(listing, "{name}: {key}: {sure}: {source}").unwrap();
        }
    }
    let bands = "hj75-2017@2.toml: qa.bands.so2: M: HJ 75-2017, table of accuracy\n";
    assert!(listing.contains(bands), "{listing}");
}

#[test]
fn what_was_read_in_the_text_is_marked_so_and_what_is_recalled_is_not() {
    let sure = |id: &str, key: &str| get(id).provenance_of(key).unwrap().sure;
    for (id, key, expected) in [
        ("hj75-2017@1", "valid_flags", Sure::V),
        ("hj75-2017@1", "hour_min_valid_minutes", Sure::V2),
        ("hj75-2017@1", "o2_guard_pct", Sure::M),
        ("hj75-2017@2", "substitution.method.tiers", Sure::V2),
        ("hj75-2017@2", "capture.min_pct", Sure::M),
        ("hj75-2017@2", "qa.drift.so2.every_h", Sure::M),
        ("hj356-2019@2", "qa.bands.cod", Sure::V2),
        ("hj356-2019@2", "qa.bands.temperature", Sure::M),
        ("gb18485@1", "incineration.furnace_min_c", Sure::V2),
        ("gb18485@1", "marks.kinds.start-up.year_max_h", Sure::M),
        ("annex-d@1", "hour_min_valid_minutes", Sure::V),
        ("eu-ied@1", "day_min_valid_hours", Sure::M),
        ("eu-ied-waste@1", "day_min_valid_hours", Sure::V),
        ("eu-ied-waste@1", "confidence_pct.a21024", Sure::V),
    ] {
        assert_eq!(sure(id, key), expected, "{id} {key}");
    }
    assert_eq!(get("annex-d@1").provenance_of("qa.bands.so2"), None);
}

/// The words of each line of a table.
fn lines(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let words = |line: &'static str| line.split_whitespace().collect::<Vec<_>>();
    table.lines().map(words).filter(|words| !words.is_empty())
}

/// Minutes of an hour, hours of a day, days of a month and of a February, what the hours are held
/// against, kelvin at 0 °C, O2 guard.
const KEY_NUMBERS: &str = "
    hj75-2017@1     45 20 25 23 hours   273     20
    hj75-2017@2     45 20 25 23 hours   273     20
    gb18485@1       45 20 25 23 hours   273     20
    hj356-2019@1    45 18 23 21 hours   273     21
    hj356-2019@2    45 18 23 21 share   273     21
    hjt356-2007@1   45 18 23 21 share   273     21
    annex-d@1       45 20 1  1  hours   273     21
    eu-ied@1        40 21 1  1  share   273.15  20
    eu-ied-waste@1  40 22 1  1  share   273.15  20
";

#[test]
fn key_numbers() {
    assert_eq!(lines(KEY_NUMBERS).count(), BUILTIN.len());
    for line in lines(KEY_NUMBERS) {
        let p = get(line[0]);
        let threshold = match p.day_threshold {
            DayThreshold::Hours => "hours",
            DayThreshold::ShareOfDue => "share",
        };
        let found = [
            p.id.to_string(),
            p.hour_min_valid_minutes.to_string(),
            p.day_min_valid_hours.to_string(),
            p.month_min_valid_days.to_string(),
            p.february_min_valid_days.to_string(),
            threshold.to_owned(),
            p.kelvin_offset.to_string(),
            p.o2_guard_pct.to_string(),
        ];
        assert_eq!(found.as_slice(), line.as_slice());
        assert_eq!((p.convert_after_mean, p.compare_rounded), (true, false));
        assert_eq!(p.molar_volume_l, dec("22.4"));
    }
}

/// A first version judges as it did before files said more: by the same numbers, without the rest.
#[test]
fn first_versions_do_nothing_new() {
    for id in ["hj75-2017@1", "hj356-2019@1", "annex-d@1"] {
        let p = get(id);
        let plain = Profile::annex_d(id);
        assert_eq!(p.substitution, plain.substitution, "{id}");
        assert_eq!(p.qa, plain.qa, "{id}");
        assert_eq!(p.marks, plain.marks, "{id}");
        assert_eq!((p.from, p.until), (None, None), "{id}");
        assert!(p.checks.is_empty() && p.checks_off.is_empty(), "{id}");
        assert!(
            p.confidence_pct.is_empty() && p.incineration.is_none(),
            "{id}"
        );
    }
}

/// The same numbers for values and means in both versions of a family, so that a verdict on
/// an hour does not depend on which one gave it.
#[test]
fn second_versions_keep_the_numbers_of_the_first() {
    for family in ["hj75-2017", "hj356-2019"] {
        let first = get(&format!("{family}@1"));
        let mut second = get(&format!("{family}@2"));
        assert_eq!(
            second.from,
            Some(Timestamp(1_767_196_800_000)),
            "2026-01-01 at +08:00"
        );
        second.id = first.id.clone();
        second.source = first.source.clone();
        second.provenance = first.provenance.clone();
        second.from = None;
        second.substitution = first.substitution.clone();
        second.qa = first.qa.clone();
        second.marks = first.marks.clone();
        second.day_threshold = first.day_threshold;
        assert_eq!(first, second);
    }
}

#[test]
fn missing_amounts_of_stack_gas_by_capture_rate_and_length() {
    for id in ["hj75-2017@2", "gb18485@1"] {
        let p = get(id);
        assert_eq!(p.capture.formula, CaptureFormula::WithoutStops);
        assert_eq!(p.capture.min_pct, dec("75"));
        assert!(p.substitution.manual_first);
        let SubstitutionMethod::Tiers { tiers } = &p.substitution.method else {
            panic!("{:?}", p.substitution.method);
        };
        let lines: Vec<_> = tiers
            .iter()
            .map(|t| (t.capture_min_pct, t.gap_max_h, t.look_back_h, t.take))
            .collect();
        let expected = [
            (dec("90"), Some(24), 180, Take::Maximum),
            (dec("90"), None, 720, Take::Maximum),
            (dec("75"), None, 2_160, Take::Maximum),
        ];
        assert_eq!(lines, expected, "{id}");
    }
    let method = |id: &str| get(id).substitution.method;
    assert_eq!(
        method("hj356-2019@2"),
        SubstitutionMethod::DailyMaximum { days: 30 }
    );
    assert_eq!(method("hjt356-2007@1"), SubstitutionMethod::PrecedingMean);
    assert_eq!(method("eu-ied@1"), SubstitutionMethod::Nothing);
}

fn band<'p>(p: &'p Profile, item: &str, mean: &str) -> &'p Band {
    let mean = dec(mean);
    let bands = &p.qa.bands[item];
    let inside = |b: &&Band| {
        b.from.is_none_or(|from| from <= mean) && b.below.is_none_or(|below| mean < below)
    };
    bands
        .iter()
        .find(inside)
        .unwrap_or_else(|| panic!("{item} {mean}"))
}

/// Profile, item, mean of the reference values, how the error is expressed, the greatest.
const BANDS: &str = "
    hj75-2017@2   so2    715  ra        15
    hj75-2017@2   so2    143  abs       57
    hj75-2017@2   so2    57   rel       30
    hj75-2017@2   so2    0    abs       17
    hj75-2017@2   nox    512  abs       41
    hj75-2017@2   dust   9.9  abs       5
    hj75-2017@2   dust   201  rel       15
    hj75-2017@2   o2     4.9  abs       1
    gb18485@1     nox    513  ra        15
    hj356-2019@2  cod    60   rel-pair  20
    hj356-2019@2  cod    59   rel-pair  30
    hj356-2019@2  cod    29   abs-pair  5
    hj356-2019@2  tp     0.39 abs-pair  0.04
    hj356-2019@2  nh3-n  2    rel-pair  15
    hj356-2019@2  ph     7    abs       0.5
";

#[test]
fn accuracy_bands() {
    for line in lines(BANDS) {
        let p = get(line[0]);
        let band = band(&p, line[1], line[2]);
        let by = match band.by {
            BandBy::RelativeAccuracy => "ra",
            BandBy::Relative => "rel",
            BandBy::Absolute => "abs",
            BandBy::RelativePair => "rel-pair",
            BandBy::AbsolutePair => "abs-pair",
            BandBy::Greatest => "max",
        };
        assert_eq!((by, band.limit), (line[3], dec(line[4])), "{line:?}");
    }
}

#[test]
fn pairs_standards_and_drift() {
    let water = get("hj356-2019@2").qa;
    assert_eq!(water.pairs_pass, [(3, 2), (4, 3), (5, 4)]);
    assert_eq!((water.pairs_min, water.pairs_min_by_item["flow"]), (3, 1));
    assert_eq!(water.standard_pct["*"], dec("10"));
    let gas = get("hj75-2017@2").qa;
    assert_eq!(
        (gas.accuracy_pairs_min, gas.pairs_min_by_item["dust"]),
        (9, 5)
    );
    let so2 = &gas.drift["so2"];
    assert_eq!(
        (so2.zero_adjust_pct, so2.zero_out_pct, so2.span_out_pct),
        (dec("2.5"), dec("5"), dec("10"))
    );
}

/// Profile, kind, effect, hours in a year, hours at a time.
const MARKS: &str = "
    hj75-2017@2     fault         Invalid    None       None
    hj75-2017@2     stopped       Stopped    None       None
    hj75-2017@2     start-up      Shown      None       None
    hj356-2019@2    calibration   Invalid    None       None
    gb18485@1       start-up      NotJudged  Some(60)   Some(4)
    gb18485@1       drying        NotJudged  Some(700)  None
    gb18485@1       maintenance   Invalid    Some(120)  None
    eu-ied@1        shutdown      NotJudged  None       None
    eu-ied-waste@1  source-fault  NotJudged  Some(60)   Some(4)
";

#[test]
fn what_marks_do() {
    for line in lines(MARKS) {
        let rules = get(line[0]).marks;
        let kind = MarkKind::from_code(line[1]).unwrap();
        let rule = &rules.kinds[&kind];
        let found = [
            format!("{:?}", rule.effect),
            format!("{:?}", rule.year_max_h),
            format!("{:?}", rule.once_max_h),
        ];
        assert_eq!(found.as_slice(), &line[2..], "{line:?}");
    }
    assert_eq!(get("hj75-2017@2").marks.chain_min, 15);
    for id in ["hj75-2017@2", "gb18485@1"] {
        assert_eq!(get(id).marks.kinds.len(), MarkKind::ALL.len(), "{id}");
    }
}

#[test]
fn furnaces_and_europe() {
    let rule = get("gb18485@1").incineration.unwrap();
    assert_eq!((rule.furnace_min_c, rule.furnace_low_max), (dec("850"), 5));
    assert_eq!((rule.exceeded_days_max, rule.pollutants.len()), (5, 5));
    assert_eq!(rule.furnace_factor.as_str(), "a01901");

    let plants = get("eu-ied@1");
    assert_eq!(plants.year_max_discarded_days, Some(10));
    assert!(plants.limit_periods.contains(&LimitPeriod::Month));
    assert!(
        !get("hj75-2017@2")
            .limit_periods
            .contains(&LimitPeriod::Month)
    );
    let shares: Vec<String> = get("eu-ied-waste@1")
        .confidence_pct
        .iter()
        .map(|(code, share)| format!("{code} {share}"))
        .collect();
    let expected = [
        "a21002 20",
        "a21005 10",
        "a21018 40",
        "a21024 40",
        "a21026 20",
        "a24087 30",
        "a34013 30",
    ];
    assert_eq!(shares, expected);
}

/// Versions begin with a day of the site's clock.
#[test]
fn versions_begin_with_a_day_at_the_site() {
    let utc = UtcOffset::from_minutes(0).unwrap();
    let at = |offset| {
        let all = builtin_at(offset);
        let second = all.iter().find(|p| p.id.as_str() == "hj75-2017@2").unwrap();
        offset.iso(second.from.unwrap())
    };
    assert_eq!(at(utc), "2026-01-01T00:00:00+00:00");
    assert_eq!(at(UtcOffset::default()), "2026-01-01T00:00:00+08:00");
}
