//! `cemsd bench --year`: a year of hours of many outlets recomputed from the store, for growing
//! numbers of outlets.

use super::bench::Scratch;
use crate::figures::recompute::{self, Registries};
use crate::store::{Position, Readers, SqliteStore, Store};
use anyhow::{Context, ensure};
use cems_core::aggregate::{HourInput, Slot, SlotValue, hour};
use cems_core::limits::{self, Circumstances};
use cems_core::model::rows::AggregateOrigin;
use cems_core::model::time::HOUR_MS;
use cems_core::model::{
    AggregateRow, FactorCode, Level, Outlet, OutletId, Output, PackRow, Period, Profile, Registry,
    Seq, Timestamp,
};
use cems_core::pack::Pack;
use cems_core::recompute::{Recomputer, Rules, Year};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Numbers of outlets measured.
const CROWDS: [usize; 3] = [100, 300, 1_000];
/// Years that differ; further outlets repeat them under their own names.
const DIFFERENT: usize = 5;
/// 2025-01-01 at +08:00.
const BEGIN: Timestamp = Timestamp(1_735_660_800_000);
/// Hours of 2025.
const HOURS: i64 = 8_760;
/// Factor, mean to begin with, width of its wandering, in hundredths.
const FACTORS: [(&str, i64, i64); 10] = [
    ("a21026", 2_400, 900),
    ("a21002", 4_100, 1_500),
    ("a34013", 410, 200),
    ("a21005", 1_200, 600),
    ("a19001", 690, 150),
    ("a01011", 1_210, 250),
    ("a01012", 8_600, 500),
    ("a01013", -21, 8),
    ("a01014", 1_290, 180),
    ("a05001", 1_020, 90),
];

/// Measures and prints.
///
/// # Errors
/// When the directory cannot be written, or a recomputed figure is not what was stored.
pub(super) fn run(dir: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::new(dir)?;
    let (registry, outlet) = city()?;
    let years: Vec<Vec<AggregateRow>> = (0..DIFFERENT)
        .map(|n| year_of(&registry, &outlet, u64::try_from(n).unwrap_or(0)))
        .collect::<anyhow::Result<_>>()?;
    let most = CROWDS.iter().copied().max().unwrap_or(0);
    let path = scratch.path().join("projections.db");
    let began = Instant::now();
    let registry = fill(&path, &registry, &outlet, &years, most)?;
    let filled = began.elapsed();
    let readers = Readers::open(&path)?;
    let registries: Registries = vec![(BEGIN, registry)];
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut out = std::io::stdout().lock();
    let bytes = std::fs::metadata(&path)?.len();
    let mut list = Vec::new();
    for crowd in CROWDS {
        let outlets: Vec<OutletId> = (0..crowd).map(name).collect();
        let began = Instant::now();
        let all = recompute::recompute(&readers, &registries, &outlets, (BEGIN, threads), &|_| {})?;
        let seconds = began.elapsed().as_secs_f64();
        let values: u64 = all.iter().map(|one| one.values).sum();
        let differences: u64 = all.iter().map(|one| one.counts.values().sum::<u64>()).sum();
        ensure!(
            differences == 0,
            "{differences} recomputed figures are not what was stored"
        );
        list.push((crowd, values, seconds));
    }
    let peak_kib = peak_memory_kib();
    if json {
        let rows: Vec<_> = list
            .iter()
            .map(|(outlets, values, seconds)| {
                serde_json::json!({"outlets": outlets, "values": values, "seconds": seconds})
            })
            .collect();
        let object = serde_json::json!({
            "threads": threads, "store_bytes": bytes, "peak_kib": peak_kib, "runs": rows,
        });
        writeln!(out, "{object}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{most} outlets with a year of hours of {} factors: {} MB, written in {:.0} s",
        FACTORS.len(),
        bytes / 1_000_000,
        filled.as_secs_f64()
    )?;
    for (outlets, values, seconds) in &list {
        let each_ms = seconds * 1e3 / f64::from(u32::try_from(*outlets)?);
        writeln!(
            out,
            "{outlets:>6} outlets {values:>11} values recomputed in {seconds:>6.1} s on {threads} \
             threads, {each_ms:.0} ms an outlet"
        )?;
    }
    if let Some(kib) = peak_kib {
        writeln!(out, "most memory used: {} MB", kib * 1_024 / 1_000_000)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Most memory of this process so far, KiB, where the system tells.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn name(n: usize) -> OutletId {
    OutletId::new(format!("bench-{n:04}"))
}

/// One stack with ten factors and limits, by the newest gas profile.
fn city() -> anyhow::Result<(Registry, Outlet)> {
    let mut text = String::from(
        "[[region]]\nid = \"r\"\nname = \"演示区\"\n[[enterprise]]\nid = \"e\"\nname = \
         \"虚构热电有限公司\"\nregion = \"r\"\n[[outlet]]\nid = \"bench\"\nenterprise = \"e\"\nname \
         = \"一号排口\"\nmedium = \"gas\"\nmn = \"BENCH\"\npassword = \"123456\"\nprofile = \
         \"hj75-2017@2\"\npermit = \"示例\"\n[outlet.gas]\narea_m2 = 20\nreference_o2_pct = 6\n",
    );
    for (n, (code, ..)) in FACTORS.iter().enumerate() {
        text.push_str(&format!("[[outlet.factor]]\ncode = \"{code}\"\n"));
        if n < 4 {
            text.push_str("range = [0, 500]\nlimit_hour = 50\nlimit_day = 45\n");
        }
    }
    let checked = cems_config::load_str(&[("cemsd.toml", &text)])
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let registry = checked.registry;
    let outlet = registry
        .outlets
        .values()
        .next()
        .context("one outlet")?
        .clone();
    Ok((registry, outlet))
}

/// Numbers that wander, the same on every machine.
struct Wander(u64);

impl Wander {
    fn next(&mut self, width: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let share = i64::try_from(self.0 >> 44).unwrap_or(0);
        share % (2 * width + 1) - width
    }
}

/// The hours of a year and the periods above them.
fn year_of(registry: &Registry, outlet: &Outlet, seed: u64) -> anyhow::Result<Vec<AggregateRow>> {
    let profile = registry.profile_at(outlet, BEGIN).context("a profile")?;
    let mut wander = Wander(seed * 97 + 11);
    let hours: Vec<AggregateRow> = (0..HOURS)
        .map(|n| hour_row(registry, outlet, profile, n, &mut wander))
        .collect();
    let packs = months(registry, &hours)?;
    let bodies: Vec<&[u8]> = packs.iter().map(|(_, body)| body.as_slice()).collect();
    let rules = |_| {
        Some(Rules {
            outlet,
            profile,
            special_periods: &registry.special_periods,
            region: None,
        })
    };
    let year = Recomputer::new().run(&Year {
        offset: registry.offset,
        packs: &bodies,
        stored: &[],
        rules: &rules,
        differences_max: 0,
    })?;
    let longer = year
        .periods
        .into_iter()
        .map(|((level, start), figures)| AggregateRow {
            outlet: outlet.id.clone(),
            level,
            start,
            origin: AggregateOrigin::Computed,
            complete: true,
            volume_m3: figures.volume_m3,
            factors: figures.factors,
            profile: profile.id.clone(),
            received: 0,
            due: 0,
            seq: figures.seq,
            superseded: 0,
        });
    Ok(hours.into_iter().chain(longer).collect())
}

fn hour_row(
    registry: &Registry,
    outlet: &Outlet,
    profile: &Profile,
    n: i64,
    wander: &mut Wander,
) -> AggregateRow {
    let start = BEGIN.plus_ms(n * HOUR_MS);
    let values = FACTORS.iter().map(|(code, mean, width)| {
        let figure = Decimal::new((mean + wander.next(*width)) * 60 + wander.next(30), 2);
        let value = SlotValue {
            value: figure.checked_div(Decimal::from(60)),
            ..SlotValue::default()
        };
        (FactorCode::new(code), value)
    });
    let slot = Slot {
        start,
        minutes: 60,
        values: values.collect(),
        seq: Seq(u64::try_from(n).unwrap_or(0) * 60 + 1),
    };
    let figures = hour(&HourInput {
        outlet,
        profile,
        slots: &[slot],
        origin: AggregateOrigin::Computed,
    });
    let mut row = AggregateRow {
        outlet: outlet.id.clone(),
        level: Level::Hour,
        start,
        origin: AggregateOrigin::Computed,
        complete: true,
        volume_m3: figures.volume_m3,
        factors: figures.factors,
        profile: profile.id.clone(),
        received: 60,
        due: 60,
        seq: figures.seq,
        superseded: 0,
    };
    let of = Circumstances {
        outlet,
        profile,
        level: Level::Hour,
        start,
        o2_valid: true,
        marks: &[],
        special_periods: &registry.special_periods,
        region: None,
    };
    for (code, factor) in &mut row.factors {
        if let Some(settings) = outlet.factors.get(code) {
            factor.limits = limits::judge(factor, settings, &of).verdicts;
        }
    }
    row
}

type Months = Vec<(Timestamp, Vec<u8>)>;

fn months(registry: &Registry, hours: &[AggregateRow]) -> anyhow::Result<Months> {
    let mut by_month: BTreeMap<Timestamp, Vec<AggregateRow>> = BTreeMap::new();
    for row in hours.iter().filter(|row| row.level == Level::Hour) {
        let month = Period::containing(Level::Month, row.start, registry.offset).start;
        by_month.entry(month).or_default().push(row.clone());
    }
    by_month
        .into_iter()
        .map(|(month, rows)| Ok((month, Pack::of(&rows)?)))
        .collect()
}

/// Writes the books of `crowd` outlets; gives the registry with all of them.
fn fill(
    path: &Path,
    registry: &Registry,
    outlet: &Outlet,
    years: &[Vec<AggregateRow>],
    crowd: usize,
) -> anyhow::Result<Registry> {
    let mut store = SqliteStore::open(path)?.store;
    let mut all = registry.clone();
    all.outlets.clear();
    for n in 0..crowd {
        let id = name(n);
        let own: Vec<AggregateRow> = years[n % years.len()]
            .iter()
            .map(|row| AggregateRow {
                outlet: id.clone(),
                ..row.clone()
            })
            .collect();
        store.begin()?;
        for (month, body) in months(registry, &own)? {
            store.apply(&Output::Pack(PackRow {
                outlet: id.clone(),
                month,
                body,
                seq: Seq(1),
            }))?;
        }
        for row in own.into_iter().filter(|row| row.level != Level::Hour) {
            store.apply(&Output::Aggregate(row))?;
        }
        store.commit(Position {
            seq: Seq(u64::try_from(n)? + 1),
            at: BEGIN,
        })?;
        let settings = Outlet {
            id: id.clone(),
            ..outlet.clone()
        };
        all.outlets.insert(id, settings);
    }
    store.checkpoint()?;
    Ok(all)
}
