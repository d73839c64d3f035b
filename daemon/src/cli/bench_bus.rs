//! `cemsd bench --bus`: a bus of ten slaves, all alive and with one of them dead.

use crate::links::bus::{Rhythm, rhythm};
use anyhow::Context;
use cems_config::load_map_str;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long each of the two runs is measured.
const SPAN: Duration = Duration::from_secs(20);
/// Ten registers, as a small analyser has them.
const MAP: &str = r#"
id = "bench"
title_zh = "测试"
title_en = "bench"
source = "none"
certainty = "recalled"
base = 0
[[point]]
name = "first"
role = "info"
address = 0
type = "u16"
[[point]]
name = "last"
role = "info"
address = 9
type = "u16"
"#;

/// Measures and prints both runs.
///
/// # Errors
/// When standard output fails.
pub(super) fn run(as_json: bool) -> anyhow::Result<ExitCode> {
    let map = load_map_str("bench.toml", MAP).map_err(|p| anyhow::anyhow!("{p}"))?;
    let map = Arc::new(map);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("starting a runtime")?;
    let mut out = std::io::stdout().lock();
    let mut all = Vec::new();
    for (name, dead) in [
        ("10 of 10 slaves answer", false),
        ("9 of 10 slaves answer", true),
    ] {
        let rhythm = runtime.block_on(rhythm(dead, Arc::clone(&map), SPAN));
        if as_json {
            all.push(json!({
                "name": name,
                "asked_us": rhythm.asked_us,
                "mean_us": rhythm.mean_us,
                "least_us": rhythm.least_us,
                "most_us": rhythm.most_us,
                "intervals": rhythm.intervals,
            }));
        } else {
            print(&mut out, name, &rhythm)?;
        }
    }
    if as_json {
        writeln!(out, "{}", json!(all))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, name: &str, rhythm: &Rhythm) -> std::io::Result<()> {
    let ms = |us: u128| format!("{}.{:01}", us / 1_000, us % 1_000 / 100);
    writeln!(
        out,
        "{name:<24} period {:>7} ms asked, {:>7} ms mean, {:>7} to {:>7} ms, {} intervals",
        ms(rhythm.asked_us),
        ms(rhythm.mean_us),
        ms(rhythm.least_us),
        ms(rhythm.most_us),
        rhythm.intervals
    )
}
