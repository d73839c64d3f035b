//! The city as settings files, checked like those of a real site.

use super::city::{ENTERPRISES, REALTIME_S, REGIONS, Resident};
use super::permits::{Shared, permitted_kg};
use super::story::Story;
use anyhow::bail;
use cems_config::Checked;
use cems_core::model::Medium;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Silence that raises "no data": ten minutes without any record.
const NO_DATA_AFTER_S: u32 = 600;
/// The same while only hour records are sent.
const NO_DATA_HOURLY_S: u32 = 3 * 3_600;
/// Minutes without a valid value that open a fallback while only hour records are sent: three
/// hours are missing by then.
const OPENS_HOURLY_MIN: u32 = 240;

/// Own rules about alarms: an escalation that can be seen within minutes, and a desk that is asked
/// again while somebody still watches.
const ALARMS: &str = r#"
[respond_min]
immediate = 5

[[escalation.urgent]]
after_min = 2
roles = ["duty-officer", "supervisor"]

[[escalation.urgent]]
after_min = 5
roles = ["supervisor", "inspector"]

[[escalation.high]]
after_min = 15
roles = ["supervisor"]

[kind."exceedance.hour"]
ack_expires_min = 60
"#;

/// What the stations are expected to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Hour records only, as in the first weeks of the made-up past.
    Hours,
    /// Everything.
    All,
}

/// Ports and places.
#[derive(Debug, Clone)]
pub(super) struct Ports {
    /// Of the console.
    pub(super) console: u16,
    /// Of HJ 212.
    pub(super) hj212: u16,
}

/// Writes the settings and has them checked.
pub(super) struct Settings<'a> {
    residents: &'a [Resident],
    permits: Vec<BTreeMap<&'static str, Decimal>>,
    shared: Shared,
    main: String,
    users: String,
    destinations: String,
}

impl<'a> Settings<'a> {
    /// Settings of the cast. Works out permitted amounts, which takes a moment.
    pub(super) fn new(
        residents: &'a [Resident],
        story: &Story,
        ports: &Ports,
        users: String,
    ) -> Self {
        let main = format!(
            "registry = [\"registry.toml\"]\nusers = [\"users.toml\"]\n\
             alarms = [\"alarms.toml\"]\n\n\
             [site]\nname = \"示例市污染源监控中心（演示）\"\n\n\
             [hj212]\nlisten = \"127.0.0.1:{}\"\n\n\
             [hj212.dialogue]\nrefetch_days = 1\n\n\
             [console]\nlisten = \"127.0.0.1:{}\"\n\n\
             [log]\nlevel = \"warn\"\n",
            ports.hj212, ports.console
        );
        let permits: Vec<_> = residents
            .iter()
            .map(|resident| permitted_kg(resident, story))
            .collect();
        Self {
            residents,
            shared: Shared::of(residents, &permits, story),
            permits,
            main,
            users,
            destinations: String::new(),
        }
    }

    /// The same with a file of destinations; an empty one changes nothing.
    pub(super) fn feeding(mut self, destinations: String) -> Self {
        if !destinations.is_empty() {
            self.main
                .insert_str(0, "destinations = [\"destinations.toml\"]\n");
            self.destinations = destinations;
        }
        self
    }

    /// The settings under an expectation, with the data in `data_dir`.
    ///
    /// # Errors
    /// When they do not pass the checks: a mistake of the demo itself.
    pub(super) fn checked(&self, expected: Expected, data_dir: &Path) -> anyhow::Result<Checked> {
        let registry = self.registry(expected);
        let files = [
            ("demo.toml", self.main.as_str()),
            ("registry.toml", registry.as_str()),
            ("users.toml", self.users.as_str()),
            ("alarms.toml", ALARMS),
            ("destinations.toml", self.destinations.as_str()),
        ];
        match cems_config::load_str(&files) {
            Ok(mut checked) => {
                data_dir.clone_into(&mut checked.settings.data_dir);
                Ok(checked)
            }
            Err(problems) => bail!("the demo's own settings are not sound:\n{problems}"),
        }
    }

    fn registry(&self, expected: Expected) -> String {
        let cast = self.residents.iter().zip(&self.permits);
        registry(cast, &self.shared, expected)
    }
}

/// The registry of a station: these outlets, without their permits.
pub(super) fn registry_of<'r>(
    residents: impl Iterator<Item = &'r Resident>,
    expected: Expected,
) -> String {
    let permits = BTreeMap::new();
    let cast = residents.map(|resident| (resident, &permits));
    registry(cast, &Shared::default(), expected)
}

fn registry<'r>(
    residents: impl Iterator<Item = (&'r Resident, &'r BTreeMap<&'static str, Decimal>)>,
    shared: &Shared,
    expected: Expected,
) -> String {
    let mut text = String::new();
    for (id, name) in REGIONS {
        push(
            &mut text,
            format_args!("[[region]]\nid = \"{id}\"\nname = \"{name}\"\n\n"),
        );
    }
    text.push_str(&shared.periods);
    for (id, region, name, name_en) in ENTERPRISES {
        push(
            &mut text,
            format_args!(
                "[[enterprise]]\nid = \"{id}\"\nname = \"{name}\"\n\
                     name_en = \"{name_en}\"\nregion = \"{region}\"\n\n"
            ),
        );
        text.push_str(shared.enterprises.get(id).map_or("", String::as_str));
    }
    for (number, (resident, permits)) in residents.enumerate() {
        outlet(&mut text, number, resident, permits, expected);
        text.push_str(shared.outlets.get(resident.id).map_or("", String::as_str));
    }
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what)
        .expect("writing to a string cannot fail");
}

fn outlet(
    text: &mut String,
    number: usize,
    resident: &Resident,
    permits: &BTreeMap<&'static str, Decimal>,
    expected: Expected,
) {
    let Resident {
        id,
        enterprise,
        name,
        name_en,
        station,
        ..
    } = resident;
    let (medium, profile) = match resident.plant.kind().medium() {
        Medium::Gas => ("gas", "hj75-2017"),
        Medium::Water => ("water", "hj356-2019"),
    };
    let (mn, password, number) = (&station.mn, &station.password, number + 1);
    let auxiliary: Vec<String> = resident
        .channels()
        .iter()
        .filter(|channel| !channel.is_pollutant() && channel.code != PH)
        .map(|channel| format!("{:?}", channel.code))
        .collect();
    let auxiliary = auxiliary.join(", ");
    push(
        text,
        format_args!(
            "[[outlet]]\nid = \"{id}\"\nenterprise = \"{enterprise}\"\nname = \"{name}\"\n\
             name_en = \"{name_en}\"\nmedium = \"{medium}\"\nmn = \"{mn}\"\n\
             password = \"{password}\"\nprofile = \"{profile}\"\n\
             permit = \"排污许可证 示例-{number:04}\"\nauxiliary = [{auxiliary}]\n\n"
        ),
    );
    match resident.stack {
        Some((area, o2)) => push(
            text,
            format_args!("[outlet.gas]\narea_m2 = {area}\nreference_o2_pct = {o2}\n\n"),
        ),
        None => text.push_str("[outlet.water]\n\n"),
    }
    factors(text, resident);
    for (code, kg) in permits {
        push(
            text,
            format_args!(
                "[[outlet.permitted]]\nfactor = \"{code}\"\nperiod = \"year\"\n\
                 amount_kg = {kg}\n\n"
            ),
        );
    }
    let (realtime, minute, silence, opens) = match expected {
        Expected::Hours => (0, 0, NO_DATA_HOURLY_S, OPENS_HOURLY_MIN),
        Expected::All => (REALTIME_S, 1, NO_DATA_AFTER_S, resident.fallback_after_min),
    };
    push(
        text,
        format_args!(
            "[outlet.expect]\nrealtime_s = {realtime}\nminute_min = {minute}\nhour = true\n\
             no_data_after_s = {silence}\n\n[outlet.fallback]\nopens_after_min = {opens}\n\n"
        ),
    );
}

const PH: &str = "w01001";

fn factors(text: &mut String, resident: &Resident) {
    for channel in resident.channels() {
        if !(channel.is_pollutant() || channel.code == PH) {
            continue;
        }
        push(
            text,
            format_args!("[[outlet.factor]]\ncode = \"{}\"\n", channel.code),
        );
        if channel.is_pollutant() {
            let range = Decimal::new(channel.range, channel.decimals).normalize();
            push(text, format_args!("range = {range}\n"));
        }
        for (code, hour, day) in resident.limits {
            if *code == channel.code {
                for (name, bound) in [("limit_hour", hour), ("limit_day", day)] {
                    if let Some(bound) = bound {
                        push(text, format_args!("{name} = {bound}\n"));
                    }
                }
            }
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::city::residents;
    use crate::demo::feed::Taker;
    use crate::demo::people::{logins, users_toml};
    use cems_core::model::Timestamp;

    #[test]
    fn the_demo_passes_the_checks_of_a_real_site_without_a_warning() {
        let dir = tempfile::tempdir().expect("a directory");
        let story = Story::ending(Timestamp(1_795_104_000_000), 2);
        let cast = residents(&story);
        let users = users_toml(&logins(dir.path(), false).expect("made")).expect("hashed");
        let ports = Ports {
            console: 0,
            hj212: 0,
        };
        let fed: String = Taker::ALL.map(|taker| taker.settings(1_883)).concat();
        let settings = Settings::new(&cast, &story, &ports, users).feeding(fed);
        for expected in [Expected::Hours, Expected::All] {
            let checked = settings
                .checked(expected, dir.path())
                .expect("sound settings");
            assert_eq!(checked.warnings, []);
            assert_eq!(checked.registry.outlets.len(), cast.len());
            assert_eq!(checked.settings.users.len(), 7);
            assert_eq!(checked.settings.destinations.len(), Taker::ALL.len());
            assert_eq!(checked.settings.data_dir, dir.path());
            for resident in &cast {
                let outlet = &checked.registry.outlets[resident.id];
                assert_eq!(outlet.factors.len(), resident.channels().len());
                assert!(
                    outlet
                        .factors
                        .values()
                        .any(|factor| !factor.limits.is_empty())
                );
            }
        }
    }
}
