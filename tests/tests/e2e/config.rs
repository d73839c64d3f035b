//! A wrong file never starts a daemon half-way.

use crate::Town;
use cems_tests::city::{City, Outlet};
use cems_tests::process::run;
use std::path::Path;

fn run_with(text: &str, directory: &Path) -> std::process::Output {
    let file = directory.join("cemsd.toml");
    std::fs::write(&file, text).expect("the test's directory can be written");
    run(
        &["run", "--config", file.to_str().expect("plain names")],
        b"",
    )
}

#[test]
fn a_wrong_file_starts_nothing_and_says_where_and_what_to_do() {
    let good = City::default().text();
    let wrong = [
        ("not TOML", good.replace("[site]", "[site")),
        (
            "an unknown key",
            good.replace("[console]", "[console]\ncolour = \"red\""),
        ),
        (
            "an unknown enterprise",
            good.replace("enterprise = \"yi\"", "enterprise = \"bing\""),
        ),
        (
            "one MN twice",
            good.clone() + &Outlet::gas("x", cems_tests::city::GAS_MN).text(),
        ),
    ];
    for (what, text) in wrong {
        assert_ne!(text, good, "{what}: the test changed nothing");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let output = run_with(&text, directory.path());
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {message}");
        assert!(
            message.contains("cemsd.toml:"),
            "{what}: the place is named: {message}"
        );
        let left: Vec<_> = std::fs::read_dir(directory.path())
            .expect("the directory")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(left, ["cemsd.toml"], "{what}: nothing was made");
    }
}

#[test]
fn wrong_usage_is_told_from_failure() {
    assert_eq!(run(&["fly"], b"").status.code(), Some(2));
    assert_eq!(run(&["run"], b"").status.code(), Some(2));
    let missing = run(&["run", "--config", "no-such-file.toml"], b"");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such-file.toml"));
}

#[test]
fn check_finds_the_good_file_good_and_the_bad_one_bad() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = City::default().write(directory.path());
    let path = file.to_str().expect("plain names");
    let output = run(&["check", path], b"");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = City::default()
        .text()
        .replace("medium = \"gas\"", "medium = \"steam\"");
    std::fs::write(&file, text).expect("written");
    let output = run(&["check", path], b"");
    assert_eq!(output.status.code(), Some(1));
    let said = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("steam"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_never_share_a_directory() {
    let town = Town::start(&City::default()).await;
    let config = town.config.to_str().expect("plain names");
    let second = run(&["run", "--config", config], b"");
    let message = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{message}");
    // The first one goes on.
    assert_eq!(
        town.api
            .get("/api/v1/outlets")
            .await
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}
