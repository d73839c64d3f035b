//! Destinations: the example with its secrets in place, what little said means, and which outlets
//! feed them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cems_config::{DESTINATIONS_MAX, DestinationKind, DestinationMeans, load, load_str};
use cems_core::model::{Level, RecordKind, RegionId, Series};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Two enterprises in two regions, one outlet each.
const CITY: &str = r#"
[[region]]
id = "north"
name = "北区"

[[region]]
id = "south"
name = "南区"

[[enterprise]]
id = "jia"
name = "甲电厂"
region = "north"
permit = "排污许可证 示例-0001"

[[enterprise]]
id = "yi"
name = "乙电厂"
region = "south"
permit = "排污许可证 示例-0002"
"#;

fn outlet(id: &str, enterprise: &str) -> String {
    format!(
        "\n[[outlet]]\nid = \"{id}\"\nenterprise = \"{enterprise}\"\nname = \"排口\"\n\
         medium = \"gas\"\nmn = \"MN-{id}\"\npassword = \"123456\"\nprofile = \"hj75-2017\"\n\
         auxiliary = [\"a01011\", \"a01012\", \"a01013\", \"a01014\", \"a19001\", \"a05024\"]\n\
         gas = {{ area_m2 = 20, reference_o2_pct = 6 }}\n\n\
         [[outlet.factor]]\ncode = \"a21026\"\nrange = 500\nlimit_hour = 35\n"
    )
}

fn fed(destinations: &str) -> Vec<String> {
    let city = format!(
        "{CITY}{}{}{}",
        outlet("a", "jia"),
        outlet("b", "jia"),
        outlet("c", "yi")
    );
    let main = format!("registry = [\"city.toml\"]\n{destinations}");
    let files = [("cemsd.toml", main.as_str()), ("city.toml", city.as_str())];
    let checked = load_str(&files).unwrap_or_else(|problems| panic!("{problems}"));
    let outlets = checked.registry.outlets.values();
    let feeds = outlets.filter(|outlet| outlet.feeds);
    feeds.map(|outlet| outlet.id.to_string()).collect()
}

#[test]
fn the_example_loads_with_its_secrets_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::create_dir(dir.join("secrets")).unwrap();
    for name in ["influx-token", "mqtt-password"] {
        let path = dir.join("secrets").join(name);
        fs::write(&path, format!("fictional-{name}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::copy(
        examples.join("destinations.toml"),
        dir.join("destinations.toml"),
    )
    .unwrap();
    fs::copy(examples.join("users.toml"), dir.join("users.toml")).unwrap();
    let registry = examples.join("registry").display().to_string();
    let main = format!(
        "registry = [{registry:?}]\nusers = [\"users.toml\"]\n\
         destinations = [\"destinations.toml\"]\n"
    );
    fs::write(dir.join("cemsd.toml"), main).unwrap();
    let checked = load(&dir.join("cemsd.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(checked.warnings, []);
    let settings = &checked.settings;
    let kinds: Vec<DestinationKind> = settings
        .destinations
        .iter()
        .map(|to| to.means.kind())
        .collect();
    assert_eq!(kinds, DestinationKind::ALL);
    let DestinationMeans::Influx(influx) = &settings.destinations[0].means else {
        panic!("series come first");
    };
    assert_eq!(influx.token.as_ref().unwrap().0, "fictional-influx-token");
    assert_eq!((influx.batch_lines, influx.gzip), (5_000, true));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("fictional"), "{shown}");
    assert!(checked.registry.outlets.values().all(|outlet| outlet.feeds));
    assert!(
        settings.destinations[1]
            .filter
            .regions
            .contains(&RegionId::new("shili"))
    );
}

#[test]
fn little_said_means_the_usual() {
    let text = "[[destination]]\nid = \"s\"\nkind = \"influx\"\n\
                url = \"https://influx.example:8086/\"\nbucket = \"cems\"\n\
                [[destination]]\nid = \"b\"\nkind = \"mqtt\"\nserver = \"broker.example:8883\"\n";
    let checked = load_str(&[("cemsd.toml", text)]).unwrap();
    let [series, broker] = &checked.settings.destinations[..] else {
        panic!("two of them");
    };
    assert_eq!(series.series, Series::ALL);
    assert!(!series.events && broker.events);
    assert!(series.filter.is_all() && broker.filter.is_all());
    assert!(
        !broker
            .series
            .contains(&Series::Record(RecordKind::Realtime))
    );
    assert_eq!(broker.series.len(), 7);
    assert_eq!(series.give_up_after_days, 400);
    let (DestinationMeans::Influx(influx), DestinationMeans::Mqtt(mqtt)) =
        (&series.means, &broker.means)
    else {
        panic!("in the order written");
    };
    assert_eq!(
        influx.url, "https://influx.example:8086",
        "no slash at the end"
    );
    assert!(influx.org.is_empty() && influx.token.is_none());
    assert!(mqtt.tls);
    assert_eq!(
        (mqtt.client_id.as_str(), mqtt.prefix.as_str()),
        ("cemsd-data", "cems")
    );
}

#[test]
fn an_outlet_feeds_when_a_destination_takes_its_data() {
    let to = |filter: &str| {
        format!(
            "[[destination]]\nid = \"b\"\nkind = \"mqtt\"\n\
             server = \"broker.example:8883\"\n{filter}\n"
        )
    };
    assert_eq!(fed(""), [""; 0]);
    assert_eq!(fed(&to("")), ["a", "b", "c"]);
    assert_eq!(fed(&to("outlets = [\"b\"]")), ["b"]);
    assert_eq!(fed(&to("enterprises = [\"jia\"]")), ["a", "b"]);
    assert_eq!(fed(&to("regions = [\"south\"]")), ["c"]);
    assert_eq!(
        fed(&to("regions = [\"south\"]\noutlets = [\"a\"]")),
        ["a", "c"]
    );
    let none = "records = []\naggregates = []";
    assert_eq!(fed(&to(none)), [""; 0], "events alone need no log of rows");
}

#[test]
fn records_and_aggregates_are_chosen_by_name() {
    let text = "[[destination]]\nid = \"s\"\nkind = \"influx\"\nbucket = \"cems\"\n\
                url = \"https://influx.example\"\nrecords = \"hour\"\n\
                aggregates = [\"year\", \"day\"]\n";
    let checked = load_str(&[("cemsd.toml", text)]).unwrap();
    let hour = Series::Record(RecordKind::Hour);
    let levels = [Level::Day, Level::Year].map(Series::Aggregate);
    assert_eq!(
        checked.settings.destinations[0].series,
        [hour, levels[0], levels[1]]
    );
}

#[test]
fn there_is_an_end_to_destinations() {
    let one = |n: usize| {
        format!("[[destination]]\nid = \"b{n}\"\nkind = \"mqtt\"\nserver = \"b{n}.example:8883\"\n")
    };
    let text: String = (0..=DESTINATIONS_MAX).map(one).collect();
    let problems = load_str(&[("cemsd.toml", &text)]).unwrap_err();
    assert!(problems.to_string().contains("more than 16"), "{problems}");
}
