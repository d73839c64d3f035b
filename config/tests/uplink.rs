//! Uploads to centres: what a file that says little means, and codes and units of 2005.

use cems_config::{Checked, RealtimeUpload, Uplink, UplinkEdition, UplinkFactor, load, load_str};
use rust_decimal::Decimal;
use std::path::Path;

const STATION: &str = r#"
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
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
gas = { area_m2 = 20, reference_o2_pct = 6 }

[[outlet.factor]]
code = "a21026"
range = 500
limit_hour = 35

[[outlet]]
id = "jia-w"
enterprise = "jia"
name = "废水总排口"
medium = "water"
mn = "EXAMPLE0000002"
any_password = true
profile = "hj356-2019"
permit = "排污许可证 示例-0001"
auxiliary = ["w00000"]

[[outlet.factor]]
code = "w20115"
range = 100
"#;

fn with(uplink: &str) -> Checked {
    let text = format!("{STATION}\n{uplink}");
    load_str(&[("cemsd.toml", &text), ("key", "0123456789ABCDEF\n")]).expect("a sound file")
}

fn only(checked: &Checked) -> &Uplink {
    assert_eq!(checked.settings.uplinks.len(), 1);
    &checked.settings.uplinks[0]
}

fn factor<'a>(uplink: &'a Uplink, code: &str) -> &'a UplinkFactor {
    uplink.outlets[0]
        .factors
        .iter()
        .find(|factor| factor.factor.as_str() == code)
        .unwrap_or_else(|| panic!("{code} is sent"))
}

#[test]
fn little_said_means_everything_acknowledged_in_2017() {
    let checked = with(
        r#"
[[uplink]]
id = "centre"
address = "centre.example:9212"
edition = "2017"
outlet = [{ outlet = "jia-1", password = "123456" }]
"#,
    );
    let uplink = only(&checked);
    assert_eq!(uplink.edition, UplinkEdition::V2017);
    assert!(uplink.answer && uplink.minute && uplink.hour && uplink.day);
    assert_eq!(uplink.realtime, RealtimeUpload::All);
    assert_eq!((uplink.over_time_s, uplink.re_count), (10, 3));
    assert_eq!((uplink.history_days, uplink.heartbeat_s), (30, None));
    let outlet = &uplink.outlets[0];
    assert_eq!(
        (outlet.mn.as_str(), outlet.st.as_str()),
        ("EXAMPLE0000001", "31")
    );
    assert_eq!(outlet.password.0, "123456");
    assert_eq!(outlet.factors.len(), 6);
    assert!(
        outlet
            .factors
            .iter()
            .all(|f| f.code == f.factor.as_str() && f.multiplier.is_none())
    );
    let forwarded: Vec<(&str, bool)> = checked
        .registry
        .outlets
        .values()
        .map(|o| (o.id.as_str(), o.forward))
        .collect();
    assert_eq!(forwarded, [("jia-1", true), ("jia-w", false)]);
}

#[test]
fn the_codes_and_units_of_2005_are_the_default_there() {
    let checked = with(
        r#"
[[uplink]]
id = "centre"
address = "10.1.2.3:9005"
edition = "2005"
outlet = [{ outlet = "jia-1", password = "123456" }]
"#,
    );
    let uplink = only(&checked);
    assert_eq!(factor(uplink, "a21026").code, "02");
    assert_eq!(factor(uplink, "a21026").multiplier, None);
    // Pressure went from MPa to kPa.
    let pressure = factor(uplink, "a01013");
    assert_eq!(pressure.code, "S08");
    assert_eq!(pressure.multiplier, Some(Decimal::new(1, 3)));

    let checked = with(
        r#"
[[uplink]]
id = "centre"
address = "10.1.2.3:9005"
edition = "2005"
outlet = [{ outlet = "jia-w", password = "123456", decimals = 4 }]
"#,
    );
    // Cadmium went from mg/L to ug/L.
    let cadmium = factor(only(&checked), "w20115");
    assert_eq!(cadmium.code, "022");
    assert_eq!(cadmium.multiplier, Some(Decimal::new(1, 3)));
    assert_eq!(cadmium.decimals, Some(4));
}

#[test]
fn a_centre_of_its_own_mind() {
    let checked = with(
        r#"
[[uplink]]
id = "centre"
address = "[fd00::1]:9005"
edition = "2025"
realtime_s = 300
key_file = "key"
heartbeat_s = 0

[[uplink.outlet]]
outlet = "jia-1"
mn = "CENTRE000000000000000001"
password = "123456"
st = "27"
[uplink.outlet.factors]
a21026 = { code = "a21026x", unit = "ug/m3" }
a01011 = { code = "B02", unit = "m3/h", decimals = 0 }
"#,
    );
    let uplink = only(&checked);
    assert_eq!(uplink.realtime, RealtimeUpload::Every(300));
    assert_eq!(uplink.heartbeat_s, None);
    assert_eq!(
        uplink.key.as_ref().map(|key| key.0),
        Some(*b"0123456789ABCDEF")
    );
    let sulphur = factor(uplink, "a21026");
    assert_eq!(
        (sulphur.code.as_str(), sulphur.multiplier),
        ("a21026x", Some(1_000.into()))
    );
    // 1 m/s through 20 m² is 72,000 m³/h.
    let speed = factor(uplink, "a01011");
    assert_eq!(
        (speed.multiplier, speed.decimals),
        (Some(72_000.into()), Some(0))
    );
    assert!(!format!("{uplink:?}").contains("123456"));
}

#[test]
fn the_example_loads_and_its_comments_are_the_defaults() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/uplink.toml");
    let plain = load(&here).expect("the example");
    let uplinks = &plain.settings.uplinks;
    assert_eq!(uplinks.len(), 3);
    assert_eq!(uplinks[1].realtime, RealtimeUpload::Every(300));

    let text = std::fs::read_to_string(&here).expect("the example");
    let spelled: String = text
        .lines()
        .map(|line| {
            let setting = line.strip_prefix("# ").filter(|rest| {
                // The key file is no default, it is what turns encryption on.
                rest.split_once(" = ").is_some_and(|(key, _)| {
                    key != "key_file" && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                })
            });
            format!("{}\n", setting.unwrap_or(line))
        })
        .collect();
    assert!(spelled.contains("\nhistory_days = 30\n"), "{spelled}");
    let dir = tempfile::tempdir().expect("a directory");
    copy(here.parent().expect("a directory"), dir.path());
    std::fs::write(dir.path().join("uplink.toml"), spelled).expect("written");
    let spelled = load(&dir.path().join("uplink.toml")).expect("the example in full");
    assert_eq!(spelled.settings.uplinks, plain.settings.uplinks);
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).expect("made");
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}
