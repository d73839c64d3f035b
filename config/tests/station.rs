//! Lines and instruments: what a station reads, the maps shipped, and how many requests they take.

use cems_config::{Checked, Framing, Line, instruments, load_map, load_str};
use cems_protocols::instrument::{Map, Place, Protocol, Role};
use cems_protocols::modbus::{Limits, plan};
use std::fs;
use std::path::Path;

/// A city with a stack and a treatment works, and instruments on two lines.
fn station(extra: &str) -> Vec<(&'static str, String)> {
    let main = r#"
registry = "registry.toml"
station = "station.toml"

[console]
listen = "127.0.0.1:8080"
"#;
    let registry = r#"
[[region]]
id = "shili"
name = "示例市"

[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"

[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号机组总排口"
medium = "gas"
mn = "EXAMPLE0000001"
password = "s3cret"
profile = "hj75-2017"
permit = "排污许可证 示例-0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001", "a00000"]
gas = { area_m2 = 20, reference_o2_pct = 6 }

[[outlet.factor]]
code = "a21026"
range = 500
limit_hour = 35

[[outlet.factor]]
code = "a21002"
range = 500
limit_hour = 50
"#;
    vec![
        ("cemsd.toml", main.to_owned()),
        ("registry.toml", registry.to_owned()),
        ("station.toml", extra.to_owned()),
    ]
}

fn load(extra: &str) -> Result<Checked, String> {
    let files = station(extra);
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    load_str(&files).map_err(|problems| problems.to_string())
}

const LINES: &str = r#"
[[bus]]
id = "rack"
tcp = "10.1.2.3:502"
close_after_cycle = true

[[bus]]
id = "stack"
serial = "/dev/ttyS1"
baud = 19200
parity = "even"
rs485 = true
timeout_ms = 500

[[instrument]]
id = "gas"
outlet = "jia-1"
bus = "rack"
map = "sick-marsic300"

[[instrument]]
id = "flow"
outlet = "jia-1"
bus = "stack"
unit = 7
map = "krohne-gfc300"
every_ms = 2000
"#;

#[test]
fn a_station_with_two_lines_and_two_instruments() {
    let checked = load(LINES).unwrap();
    let station = &checked.settings.station;
    assert_eq!(station.buses.len(), 2);
    let rack = &station.buses[0];
    assert_eq!(rack.framing, Framing::ModbusTcp);
    assert!(rack.timing.close_after_cycle);
    let stack = &station.buses[1];
    assert_eq!(stack.framing, Framing::ModbusRtu);
    let Line::Serial(serial) = &stack.line else {
        panic!("{stack:?}")
    };
    assert_eq!((serial.baud, serial.bits_per_byte()), (19_200, 11));
    let gas = &station.instruments[0];
    assert_eq!((gas.unit, gas.every_ms), (1, 5_000));
    let fed: Vec<&str> = gas.channels.iter().map(|c| c.factor.as_str()).collect();
    assert_eq!(fed, ["a21026", "a01014", "a21002", "a19001"]);
    let flow = station.on_bus("stack").next().unwrap();
    assert_eq!(flow.unit, 7);
    let fed: Vec<(&str, String)> = flow
        .channels
        .iter()
        .map(|c| (c.factor.as_str(), c.multiplier.to_string()))
        .collect();
    let one = || "1".to_owned();
    assert_eq!(
        fed,
        [("a00000", one()), ("a01011", one()), ("a01012", one())]
    );
    assert_eq!(flow.timing(&stack.timing).timeout_ms, 500);
}

#[test]
fn a_value_in_ppb_needs_a_multiplier_and_gets_it() {
    let bus = "[[bus]]\nid = \"b\"\ntcp = \"10.1.2.3:502\"\n";
    let instrument = "[[instrument]]\nid = \"i\"\noutlet = \"jia-1\"\nbus = \"b\"\n\
                      map = \"teledyne-t100\"\n";
    let refused = load(&format!("{bus}{instrument}")).unwrap_err();
    assert!(refused.contains("so2 is in ppb"), "{refused}");
    assert!(refused.contains("SO2 2.86"), "{refused}");
    let given = "[instrument.channels]\na21026 = { multiplier = 0.00286 }\n";
    let checked = load(&format!("{bus}{instrument}{given}")).unwrap();
    let channel = &checked.settings.station.instruments[0].channels[0];
    assert_eq!(channel.multiplier.to_string(), "0.00286");
}

#[test]
fn a_map_of_ones_own_takes_the_place_of_one_built_in() {
    let own = fs::read_to_string(here("instruments/generic-modbus.toml"))
        .unwrap()
        .replace("scale = 0.01", "scale = 0.1");
    let mut files = station(
        "[[bus]]\nid = \"b\"\ntcp = \"10.1.2.3:502\"\n[[instrument]]\nid = \"i\"\n\
         outlet = \"jia-1\"\nbus = \"b\"\nmap = \"generic-modbus\"\n",
    );
    files[0].1 = format!("maps = \"maps\"\n{}", files[0].1);
    files.push(("maps/mine.toml", own));
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let checked = load_str(&files).unwrap();
    let instrument = &checked.settings.station.instruments[0];
    assert_eq!(
        instrument.map_file.as_deref(),
        Some(Path::new("maps/mine.toml"))
    );
    let oxygen = instrument.map.point("o2").unwrap();
    assert_eq!(instrument.map.points[oxygen].scale.to_string(), "0.1");
    assert!(checked.files.iter().any(|f| f.ends_with("mine.toml")));
}

#[test]
fn a_map_alone_is_read_with_every_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("map.toml");
    fs::write(
        &path,
        "id = \"x\"\n[[point]]\nname = \"p\"\ntype = \"f33\"\n",
    )
    .unwrap();
    let problems = load_map(&path).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("did you mean `f32`?"), "{text}");
    assert!(text.contains("has no `source`"), "{text}");
    for (name, _) in instruments::BUILTIN {
        load_map(&here("instruments").join(name)).unwrap_or_else(|p| panic!("{p}"));
    }
}

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_list_of_built_in_maps_is_the_folder() {
    let mut files: Vec<String> = fs::read_dir(here("instruments"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    files.sort();
    let listed: Vec<&str> = instruments::BUILTIN.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, listed);
    for (name, map) in instruments::builtin() {
        assert!(listed.contains(&format!("{name}.toml").as_str()), "{name}");
        assert!(map.source.len() > 10, "{name} names no manual");
    }
    assert_eq!(instruments::builtin().len(), listed.len());
}

/// Every shipped map, what it measures and the requests it takes, as `instruments/plans.expected`
/// says; `BLESS=1` writes it.
#[test]
fn the_requests_of_every_shipped_map_are_known() {
    let mut text = String::new();
    for map in instruments::builtin().values() {
        describe(map, &mut text);
    }
    let file = here("instruments/plans.expected");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&file).unwrap_or_default());
}

fn describe(map: &Map, out: &mut String) {
    let certainty = map.certainty;
    out.push_str(&format!("{} ({certainty:?})\n", map.id));
    for point in &map.points {
        if let (Role::Factor(code), Some(unit)) = (&point.role, &point.unit) {
            out.push_str(&format!("  {code} = {} in {unit}\n", point.name));
        }
    }
    match &map.protocol {
        Protocol::Ascii(exchanges) => {
            for exchange in exchanges {
                let request = exchange.request.as_ref().map(|r| r.bytes(1));
                let shown = request.unwrap_or_default().escape_ascii().to_string();
                out.push_str(&format!("  {}: {shown}\n", map.groups[exchange.group].name));
            }
        }
        Protocol::Modbus => {
            for block in plan(map, Limits::default()) {
                let names: Vec<&str> = block
                    .points
                    .iter()
                    .map(|p| map.points[*p].name.as_str())
                    .collect();
                let group = &map.groups[block.group].name;
                let (table, start, count) = (block.table, block.start, block.count);
                let names = names.join(" ");
                out.push_str(&format!(
                    "  {group}: {table:?} {start} x {count}: {names}\n"
                ));
            }
            let unread = map.points.iter().filter(|p| p.place == Place::Field);
            assert_eq!(unread.count(), 0);
        }
    }
    out.push('\n');
}

#[test]
fn the_example_of_a_station_loads_and_its_commented_values_are_the_defaults() {
    let read = |name: &str| fs::read_to_string(here("examples").join(name)).unwrap();
    let load = |lines: &str| {
        let files = [
            ("station/cemsd.toml", read("station/cemsd.toml")),
            ("station/registry.toml", read("station/registry.toml")),
            ("station/../users.toml", read("users.toml")),
            ("station/instruments.toml", lines.to_owned()),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
        load_str(&files).unwrap_or_else(|p| panic!("{p}"))
    };
    let lines = read("station/instruments.toml");
    let checked = load(&lines);
    assert_eq!(checked.warnings, []);
    let is_setting = |line: &str| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let spelled: Vec<&str> = lines
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|l| is_setting(l))
                .unwrap_or(line)
        })
        .collect();
    let spelled = spelled.join("\n");
    assert!(spelled.contains("\nbusy_retries = 3\n"), "{spelled}");
    assert_eq!(load(&spelled).settings.station, checked.settings.station);
}

#[test]
fn the_example_of_sources_loads_and_its_commented_values_are_the_defaults() {
    let read = |name: &str| fs::read_to_string(here("examples").join(name)).unwrap();
    let main = read("station/cemsd.toml").replace("instruments.toml", "sources.toml");
    let load = |sources: &str| {
        let files = [
            ("station/cemsd.toml", main.clone()),
            ("station/registry.toml", read("station/registry.toml")),
            ("station/../users.toml", read("users.toml")),
            ("station/sources.toml", sources.to_owned()),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
        load_str(&files).unwrap_or_else(|p| panic!("{p}"))
    };
    let text = read("station/sources.toml");
    let checked = load(&text);
    assert_eq!(checked.warnings, []);
    let spelled = text
        .replace("# tls", "tls")
        .replace("# client_id", "client_id")
        .replace("# payload", "payload")
        .replace("# as", "as")
        .replace("# fresh_s", "fresh_s");
    assert!(spelled.contains("\nfresh_s = 60\n"), "{spelled}");
    let sources = &load(&spelled).settings.station.sources;
    assert_eq!(*sources, checked.settings.station.sources);
    let source = &sources[0];
    assert_eq!(source.broker.client_id, "cemsd-gateway");
    assert!(source.reading("plant/stack1/dust").is_some());
    assert!(source.reading("plant/stack2/dust").is_none());
}

#[test]
fn the_example_of_the_readme_about_mqtt_loads() {
    let checked = cems_config::load(&here("examples").join("mqtt.toml"));
    let checked = checked.unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.settings.destinations.len(), 1);
    assert_eq!(checked.settings.station.sources.len(), 1);
}
