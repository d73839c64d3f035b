//! Names of the files in a journal directory.
//!
//! | name | what |
//! | --- | --- |
//! | `2026-05-09.db` (+ `-wal`, `-shm`) | a day being written |
//! | `2026-05-09.sealed.db` | a finished day, read-only |
//! | `2026-05-09.db.damaged-1` | set aside by recovery; kept for ever |
//! | `2026-05-09.db.ready` | a complete replacement of a damaged file, not yet in its place |
//! | `*.building` | work in progress; worthless after a crash |
//! | `lock.db` | held by the one writer |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Datelike as _, NaiveDate};

/// Days from 0001-01-01 to 1970-01-01 plus one: chrono counts from the former.
const EPOCH_FROM_CE: i32 = 719_163;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

pub(super) const LOCK: &str = "lock.db";
pub(super) const BUILDING: &str = ".building";
pub(super) const READY: &str = ".ready";
const SEALED: &str = ".sealed.db";
const LIVE: &str = ".db";

/// A local calendar day, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

impl Day {
    /// The local day of an instant. The time was checked when it came in.
    pub(super) fn of(at_ms: i64, offset_minutes: i32) -> Self {
        let local = at_ms.saturating_add(i64::from(offset_minutes) * MINUTE_MS);
        Self(i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// `2026-05-09`. A day outside the calendar cannot come from a checked time.
    pub(super) fn text(self) -> String {
        self.0
            .checked_add(EPOCH_FROM_CE)
            .and_then(NaiveDate::from_num_days_from_ce_opt)
            .map_or_else(
                || "9999-12-31".to_owned(),
                |date| date.format("%Y-%m-%d").to_string(),
            )
    }

    fn from_text(text: &str) -> Option<Self> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        let day = Self(date.num_days_from_ce() - EPOCH_FROM_CE);
        (day.text() == text).then_some(day)
    }
}

/// One day's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayFile {
    pub(super) day: Day,
    pub(super) sealed: bool,
    pub(super) path: PathBuf,
    pub(super) name: String,
}

impl DayFile {
    pub(super) fn new(dir: &Path, day: Day, sealed: bool) -> Self {
        let name = format!("{}{}", day.text(), if sealed { SEALED } else { LIVE });
        Self {
            day,
            sealed,
            path: dir.join(&name),
            name,
        }
    }

    fn parse(dir: &Path, name: &str) -> Option<Self> {
        let (day, sealed) = match name.strip_suffix(SEALED) {
            Some(day) => (day, true),
            None => (name.strip_suffix(LIVE)?, false),
        };
        Some(Self::new(dir, Day::from_text(day)?, sealed))
    }
}

/// The path with something written behind it: `x.db` -> `x.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Everything in a journal directory that recovery cares about.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Day files in order. Where a day has both, only the sealed one.
    pub(super) days: Vec<DayFile>,
    /// Live files whose sealed twin exists: sealing was interrupted before the removal.
    pub(super) superseded: Vec<DayFile>,
    /// Names ending in `.building` (with their `-wal` and so on).
    pub(super) building: Vec<PathBuf>,
    /// Replacements waiting for their place, as the path they belong at.
    pub(super) ready: Vec<PathBuf>,
    /// Write-ahead logs whose database is not there, as the path of the database.
    pub(super) orphan_wals: Vec<PathBuf>,
}

/// Lists the directory.
pub(super) fn list(dir: &Path) -> io::Result<Listing> {
    let mut names = Vec::new();
    for item in fs::read_dir(dir)? {
        if let Ok(name) = item?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut listing = Listing::default();
    for name in &names {
        if name.contains(BUILDING) {
            listing.building.push(dir.join(name));
        } else if let Some(place) = name.strip_suffix(READY) {
            if DayFile::parse(dir, place).is_some() {
                listing.ready.push(dir.join(place));
            }
        } else if let Some(database) = name.strip_suffix("-wal") {
            let known = DayFile::parse(dir, database).is_some();
            if known
                && names
                    .binary_search_by(|other| other.as_str().cmp(database))
                    .is_err()
            {
                listing.orphan_wals.push(dir.join(database));
            }
        } else if let Some(file) = DayFile::parse(dir, name) {
            listing.days.push(file);
        }
    }
    listing.days.sort_unstable();
    let sealed: Vec<Day> = listing
        .days
        .iter()
        .filter(|file| file.sealed)
        .map(|file| file.day)
        .collect();
    let (superseded, days) = listing
        .days
        .drain(..)
        .partition(|file| !file.sealed && sealed.binary_search(&file.day).is_ok());
    (listing.superseded, listing.days) = (superseded, days);
    Ok(listing)
}

/// The first name `path.damaged-<n>` that is free.
pub(super) fn set_aside_name(path: &Path) -> PathBuf {
    (1_u32..)
        .map(|n| beside(path, &format!(".damaged-{n}")))
        .find(|name| !name.exists() && !beside(name, "-wal").exists())
        .unwrap_or_else(|| beside(path, ".damaged"))
}

/// The newest `path.damaged-<n>` there is.
pub(super) fn newest_set_aside(path: &Path) -> Option<PathBuf> {
    (1_u32..)
        .map(|n| beside(path, &format!(".damaged-{n}")))
        .take_while(|name| name.exists())
        .last()
}

/// The last part of a path, for messages.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-05-09 16:00 UTC is midnight in China.
    #[test]
    fn the_day_is_the_local_one() {
        const MIDNIGHT: i64 = 1_778_342_400_000;
        for (at_ms, offset, text) in [
            (MIDNIGHT - 1, 480, "2026-05-09"),
            (MIDNIGHT, 480, "2026-05-10"),
            (MIDNIGHT, 0, "2026-05-09"),
            (0, 0, "1970-01-01"),
            (0, -480, "1969-12-31"),
            (253_402_214_399_999, 480, "9999-12-31"),
        ] {
            let day = Day::of(at_ms, offset);
            assert_eq!(day.text(), text);
            assert_eq!(Day::from_text(text), Some(day));
        }
    }

    #[test]
    fn only_day_files_count_and_the_sealed_twin_wins() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "2026-05-09.db",
            "2026-05-09.sealed.db",
            "2026-05-10.db",
            "2026-05-10.db-wal",
            "2026-05-11.db-wal",
            "2026-05-12.db.ready",
            "2026-05-12.db.building-journal",
            "2026-05-10.db.damaged-1",
            "2026-5-1.db",
            "lock.db",
            "notes.txt",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let listing = list(dir.path()).unwrap();
        let names = |files: &[DayFile]| files.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            names(&listing.days),
            ["2026-05-09.sealed.db", "2026-05-10.db"]
        );
        assert_eq!(names(&listing.superseded), ["2026-05-09.db"]);
        assert_eq!(listing.orphan_wals, [dir.path().join("2026-05-11.db")]);
        assert_eq!(listing.ready, [dir.path().join("2026-05-12.db")]);
        assert_eq!(listing.building.len(), 1);
        let live = dir.path().join("2026-05-10.db");
        assert_eq!(
            newest_set_aside(&live),
            Some(dir.path().join("2026-05-10.db.damaged-1"))
        );
        assert_eq!(
            set_aside_name(&live),
            dir.path().join("2026-05-10.db.damaged-2")
        );
    }
}
