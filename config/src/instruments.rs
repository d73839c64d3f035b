//! The register maps built in (`config/instruments/*.toml`).

use crate::check;
use crate::report::Report;
use crate::section::Section;
use cems_protocols::instrument::Map;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use toml::de::DeTable;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../instruments/", $name)))),*]
    };
}

/// File names and texts of the built-in maps.
pub const BUILTIN: [(&str, &str); 17] = shipped![
    "generic-ascii.toml",
    "generic-modbus.toml",
    "hach-3400sc.toml",
    "hach-nitratax-sc.toml",
    "hach-surface-scatter-7-sc.toml",
    "hach-uvas-sc.toml",
    "krohne-gfc300.toml",
    "krohne-ifc300.toml",
    "sick-gm32.toml",
    "sick-marsic300.toml",
    "siemens-mag6000.toml",
    "teledyne-t100.toml",
    "teledyne-t101.toml",
    "teledyne-t400.toml",
    "thermo-42i.toml",
    "thermo-43i-clink.toml",
    "vaisala-hmt330.toml",
];

/// The built-in maps by their id, checked.
pub fn builtin() -> &'static BTreeMap<String, Arc<Map>> {
    static MAPS: LazyLock<BTreeMap<String, Arc<Map>>> = LazyLock::new(|| {
        let mut report = Report::default();
        let mut out = BTreeMap::new();
        for (name, text) in BUILTIN {
            let file = report.add_source(Path::new(name), text);
            if let Ok(table) = DeTable::parse(text) {
                let root = Section::root(file, &table);
                if let Some(map) = check::map(&root, &mut report) {
                    out.insert(map.id.to_string(), Arc::new(map));
                }
                root.finish(&mut report);
            }
        }
        debug_assert!(!report.has_errors(), "a built-in map has a problem");
        out
    });
    &MAPS
}
