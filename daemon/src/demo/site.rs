//! The stations of the city that are `cemsd` themselves: one daemon per enterprise with its own
//! books, set up by files like a real one. It polls its instruments over Modbus TCP, forms the
//! records, and uploads them to the centre.

use super::city::Resident;
use super::settings::{Expected, registry_of};
use crate::app::{App, Places, Start, open_keys};
use crate::clock::Clock;
use crate::keys::{DeviceKey, KeyOwner};
use crate::simulate::analyser;
use crate::simulate::slave::{Device, Line};
use crate::text::hex;
use anyhow::{Context, bail};
use cems_config::{Checked, Settings};
use cems_core::model::{OutletId, Timestamp};
use cems_protocols::hj212::Edition;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Milliseconds between polls: HJ 212-2017 annex D asks for samples every 5 s.
const EVERY_MS: u32 = 5_000;
/// The shortest the settings allow; a fast demo polls less often in its own time.
const EVERY_MS_MIN: u32 = 500;
/// Unit number of every instrument: each is alone on its line.
const UNIT: u8 = 1;

/// File of the key with which a station of 2025 enciphers its data areas.
const KEY_FILE: &str = "line.key";

/// The key of an enterprise's line: made up, the same at every start.
fn line_key(enterprise: &str) -> DeviceKey {
    let digest = Sha256::digest(format!("demo line of {enterprise}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    DeviceKey::new(bytes)
}

/// Gives the centre the keys of its enciphered lines, as an operator does with `cemsd key import`.
///
/// # Errors
/// When the keys in the centre's directory cannot be opened.
pub(super) fn share_keys(
    settings: &Settings,
    residents: &[Resident],
    since: Timestamp,
) -> anyhow::Result<()> {
    let keys = open_keys(settings, &Places::of(&settings.data_dir))?;
    for resident in residents.iter().filter(|resident| enciphers(resident)) {
        let owner = KeyOwner::Outlet(OutletId::new(resident.id));
        // It may have been changed since by the two ends themselves.
        if keys.in_force(&owner)?.is_none() {
            keys.put(&owner, &line_key(resident.enterprise), since)?;
        }
    }
    Ok(())
}

fn enciphers(resident: &Resident) -> bool {
    !resident.foreign && resident.station.edition == Edition::V2025
}

/// The running station of one enterprise.
pub(super) struct Site {
    enterprise: &'static str,
    app: App,
}

impl Site {
    /// Starts the instruments of these outlets (of one enterprise, speaking one edition) and the
    /// daemon that reads them.
    ///
    /// # Errors
    /// When a port or the directory cannot be used.
    pub(super) async fn start(
        residents: &[&Resident],
        centre: SocketAddr,
        (dir, speed): (&Path, u32),
        clock: &Clock,
        (tasks, stop): (&TaskTracker, &CancellationToken),
    ) -> anyhow::Result<Self> {
        let first = residents.first().context("a station has an outlet")?;
        let mut lines = BTreeMap::new();
        let mut listeners = Vec::new();
        for resident in residents {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .context("a port for an instrument")?;
            let address = listener.local_addr().context("address of an instrument")?;
            lines.insert(resident.id, address);
            listeners.push((*resident, listener));
        }
        let settings = settings(residents, centre, &lines, speed);
        let dir = dir.join("stations").join(first.enterprise);
        let checked = checked(&settings, residents, dir)?;
        for (resident, listener) in listeners {
            let mut instruments = checked.settings.station.instruments.iter();
            let map = instruments
                .find(|instrument| instrument.id == resident.id)
                .map(|instrument| Arc::clone(&instrument.map))
                .context("an outlet has its instrument")?;
            let device = Device::new(map, resident.plant.clone(), clock.clone());
            let line = Line::new([(UNIT, device)].into());
            tasks.spawn(line.serve_tcp(listener, stop.clone()));
        }
        let app = App::start(Start {
            checked,
            clock: clock.clone(),
            demo: None,
        })
        .await
        .with_context(|| format!("the station of {}", first.enterprise))?;
        Ok(Self {
            enterprise: first.enterprise,
            app,
        })
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// When its books cannot be closed.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let enterprise = self.enterprise;
        self.app
            .stop()
            .await
            .with_context(|| format!("the station of {enterprise}"))
    }
}

fn edition(edition: Edition) -> &'static str {
    match edition {
        Edition::V2005 => "2005",
        Edition::V2025 => "2025",
        Edition::V2017 | Edition::Unknown => "2017",
    }
}

/// The main settings file of a station.
fn settings(
    residents: &[&Resident],
    centre: SocketAddr,
    lines: &BTreeMap<&'static str, SocketAddr>,
    speed: u32,
) -> String {
    let every_ms = (EVERY_MS / speed.max(1)).max(EVERY_MS_MIN);
    let spoken = residents
        .first()
        .map_or("2017", |resident| edition(resident.station.edition));
    let mut text = String::from(
        "registry = [\"registry.toml\"]\nmaps = [\"maps\"]\n\n\
         [site]\nname = \"示例现场端（演示）\"\n\n\
         [hj212]\nlisten = []\n\n\
         [console]\nlisten = \"127.0.0.1:0\"\n\n\
         [log]\nlevel = \"warn\"\n\n",
    );
    let mut push = |part: std::fmt::Arguments<'_>| {
        text.write_fmt(part)
            .expect("writing to a string cannot fail");
    };
    for resident in residents {
        let (id, map) = (resident.id, analyser::name(resident.plant.kind()));
        let Some(line) = lines.get(id) else { continue };
        push(format_args!(
            "[[bus]]\nid = \"{id}\"\ntcp = \"{line}\"\n\n\
             [[instrument]]\nid = \"{id}\"\noutlet = \"{id}\"\nbus = \"{id}\"\nunit = {UNIT}\n\
             map = \"{map}\"\nevery_ms = {every_ms}\n\n"
        ));
    }
    push(format_args!(
        "[[uplink]]\nid = \"centre\"\naddress = \"{centre}\"\nedition = \"{spoken}\"\n\
         over_time_s = 5\n"
    ));
    if residents.iter().any(|resident| enciphers(resident)) {
        push(format_args!("key_file = \"{KEY_FILE}\"\n"));
    }
    push(format_args!("\n"));
    for resident in residents {
        let (id, password) = (resident.id, &resident.station.password);
        push(format_args!(
            "[[uplink.outlet]]\noutlet = \"{id}\"\npassword = \"{password}\"\n\n"
        ));
    }
    text
}

/// The settings of a station as the program reads them.
fn checked(main: &str, residents: &[&Resident], dir: PathBuf) -> anyhow::Result<Checked> {
    let registry = registry_of(residents.iter().copied(), Expected::All);
    // Outlets of the same kind share a map.
    let maps: BTreeMap<String, String> = residents
        .iter()
        .map(|resident| {
            let kind = resident.plant.kind();
            let path = format!("maps/{}.toml", analyser::name(kind));
            (path, analyser::map(kind, resident.channels()))
        })
        .collect();
    let enterprise = residents.first().map_or("", |resident| resident.enterprise);
    let key = hex(line_key(enterprise).bytes());
    let mut files = vec![
        ("station.toml", main),
        ("registry.toml", registry.as_str()),
        (KEY_FILE, key.as_str()),
    ];
    files.extend(
        maps.iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    match cems_config::load_str(&files) {
        Ok(mut checked) => {
            checked.settings.data_dir = dir;
            Ok(checked)
        }
        Err(problems) => bail!("a station's own settings are not sound:\n{problems}"),
    }
}
