//! Rules about crates: who may depend on whom, and what pure means.

use crate::{Offences, files, root};
use std::collections::{BTreeMap, BTreeSet};

/// Which crates of ours a crate may use. A crate boundary stands where a different kind of
/// dependency begins; the arrows all point inwards.
const MAY_USE: [(&str, &str, &[&str]); 6] = [
    ("protocols", "cems-protocols", &[]),
    ("daemon/core", "cems-core", &[]),
    ("config", "cems-config", &["cems-protocols", "cems-core"]),
    ("dashboards", "cems-dashboards", &["cems-core"]),
    (
        "daemon",
        "cems-daemon",
        &[
            "cems-protocols",
            "cems-core",
            "cems-config",
            "cems-dashboards",
        ],
    ),
    (
        "tests",
        "cems-tests",
        &[
            "cems-protocols",
            "cems-core",
            "cems-config",
            "cems-dashboards",
            "cems-daemon",
        ],
    ),
];

/// Crates that neither wait, nor look at a clock, nor touch a file or a socket.
const PURE: [&str; 2] = ["protocols/src/", "daemon/core/src/"];

/// Dependencies that one reason covers at most.
const DEPENDENCIES_PER_REASON_MAX: usize = 2;

fn manifest(directory: &str) -> toml::Table {
    let path = root().join(directory).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).expect("every crate has a manifest");
    text.parse().expect("cargo reads the same file")
}

fn names(manifest: &toml::Table, table: &str) -> BTreeSet<String> {
    let table = manifest.get(table).and_then(toml::Value::as_table);
    table
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn dependencies_point_inwards() {
    let mut offences = Offences::against(
        "a crate uses a crate of ours that it may not know",
        "move the code to the crate that may know both, or hand it in through a trait",
    );
    for (directory, name, allowed) in MAY_USE {
        let manifest = manifest(directory);
        let own = manifest["package"]["name"].as_str().unwrap_or_default();
        assert_eq!(own, name, "{directory}/Cargo.toml has another name");
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for used in names(&manifest, table) {
                if used.starts_with("cems-") && !allowed.contains(&used.as_str()) {
                    offences.add(format!("{directory}/Cargo.toml: [{table}] {used}"));
                }
            }
        }
    }
    offences.none();
}

#[test]
fn every_member_is_known_here() {
    let members = manifest("")["workspace"]["members"].clone();
    let members: BTreeSet<&str> = members
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(directory, ..)| *directory).collect();
    assert_eq!(
        members, known,
        "the workspace has other members than this rule knows: say in MAY_USE what the new \
         crate may use"
    );
}

#[test]
fn pure_crates_stay_pure() {
    let mut offences = Offences::against(
        "a pure crate waits, reads a clock, touches the outside, or depends on random order",
        "return what should happen and let `daemon/src` do it; keep sets and maps ordered",
    );
    let impure = [
        "tokio",
        "rusqlite",
        "std::net::Tcp",
        "std::net::Udp",
        "std::fs",
        "std::io::std",
        "std::process",
        "std::env::",
        "std::thread",
        "SystemTime::",
        "time::SystemTime",
        "Instant::now",
        "HashMap",
        "HashSet",
        "getrandom",
    ];
    for file in files() {
        if file.is("rs") && PURE.iter().any(|place| file.path.starts_with(place)) {
            offences.search(&file.path, file.shipped(), &impure);
        }
    }
    for directory in ["protocols", "daemon/core"] {
        for used in names(&manifest(directory), "dependencies") {
            if ["tokio", "rusqlite", "axum", "getrandom", "metrics"].contains(&used.as_str()) {
                offences.add(format!("{directory}/Cargo.toml: {used}"));
            }
        }
    }
    offences.none();
}

#[test]
fn versions_stand_in_one_place_with_a_reason() {
    let mut offences = Offences::against(
        "a dependency without a reason, or with a version of its own",
        "name it in the root Cargo.toml under a comment that says why this crate, and use \
         `name.workspace = true`",
    );
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest");
    let mut under_reason = DEPENDENCIES_PER_REASON_MAX;
    let table = text
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap_or_default();
    for line in table.lines().take_while(|line| !line.starts_with('[')) {
        if line.starts_with('#') {
            under_reason = 0;
        } else if let Some((name, _)) = line.split_once('=') {
            if line.contains("path = ") {
                continue;
            }
            under_reason += 1;
            if under_reason > DEPENDENCIES_PER_REASON_MAX {
                offences.add(format!("Cargo.toml: {}", name.trim()));
            }
        }
    }
    for (directory, ..) in MAY_USE {
        let manifest = manifest(directory);
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in table {
                if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    offences.add(format!("{directory}/Cargo.toml: {name}"));
                }
            }
        }
    }
    offences.none();
}

#[test]
fn every_crate_says_what_it_is() {
    let mut offences = Offences::against(
        "a crate without a description, documentation or the common lints",
        "`description` and `[lints] workspace = true` in Cargo.toml, `//!` at the top of lib.rs",
    );
    let by_path: BTreeMap<String, String> = files()
        .into_iter()
        .filter_map(|f| Some((f.path, f.text?)))
        .collect();
    for (directory, ..) in MAY_USE {
        let manifest = manifest(directory);
        if manifest["package"].get("description").is_none() {
            offences.add(format!("{directory}/Cargo.toml: description"));
        }
        if manifest.get("lints").is_none() {
            offences.add(format!("{directory}/Cargo.toml: lints"));
        }
        let library = format!("{directory}/src/lib.rs");
        let documented = by_path.get(&library).is_some_and(|text| {
            text.starts_with("//! ") || text.starts_with("#![doc = include_str!")
        });
        if !documented {
            offences.add(library);
        }
    }
    offences.none();
}

#[test]
fn packages_come_from_the_public_registry() {
    let mut offences = Offences::against(
        "a package in Cargo.lock does not come from crates.io",
        "publish it, or do without: a fork that nobody else builds is ours to maintain",
    );
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    for line in text.lines().filter(|line| line.starts_with("source = ")) {
        if line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"" {
            offences.add(line);
        }
    }
    offences.none();
}
