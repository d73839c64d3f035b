//! What the demo shows happened when. All times hang on one instant, the end of the made-up past,
//! which is kept with the data so that the story goes on at the next start.

use anyhow::{Context, bail, ensure};
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use cems_core::model::{Level, Period, Timestamp, UtcOffset};
use std::path::Path;

/// File in the data directory that says when the story is.
const FILE: &str = "demo-story.txt";
/// First line of the file; a changed cast is a new version.
const HEAD: &str = "cemsd demo story 1";
/// Minute records reach back this far; before them there are hour records only.
const MINUTES_MS: i64 = 2 * DAY_MS;
/// Real-time records reach back this far.
const REALTIME_MS: i64 = 30 * MINUTE_MS;

/// The instants of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Story {
    /// Where the made-up past ends and stations go live.
    pub(super) base: Timestamp,
    /// Days of hour records before it.
    pub(super) days: u32,
}

impl Story {
    /// A story that ends now. In the first two days of a year it ends two days earlier, so that
    /// the year has some emissions to hold against a permit.
    pub(super) fn ending(now: Timestamp, days: u32) -> Self {
        let year = Period::containing(Level::Year, now, UtcOffset::default()).start;
        let young = now.since_ms(year) < 2 * DAY_MS;
        Self {
            base: if young { now.plus_ms(-2 * DAY_MS) } else { now },
            days,
        }
    }

    /// Hour records begin.
    pub(super) fn begins(&self) -> Timestamp {
        let back = self.base.plus_ms(-i64::from(self.days) * DAY_MS);
        Period::containing(Level::Hour, back, UtcOffset::default()).start
    }

    /// Minute records begin: a minute after a full hour, when every station has just sent the
    /// hour, so that nobody seems silent because more is expected from now on.
    pub(super) fn minutes_from(&self) -> Timestamp {
        let back = self.base.plus_ms(-MINUTES_MS);
        Period::containing(Level::Hour, back, UtcOffset::default())
            .start
            .plus_ms(MINUTE_MS)
    }

    /// Real-time records begin.
    pub(super) fn realtime_from(&self) -> Timestamp {
        Timestamp(self.base.plus_ms(-REALTIME_MS).0.div_euclid(MINUTE_MS) * MINUTE_MS)
    }

    /// So many hours and minutes before the end of the past.
    pub(super) fn ago(&self, hours: i64, minutes: i64) -> Timestamp {
        self.base.plus_ms(-hours * HOUR_MS - minutes * MINUTE_MS)
    }

    /// The start of the hour so many whole hours before the one in which the past ends.
    pub(super) fn hour_ago(&self, hours: i64) -> Timestamp {
        let hour = Period::containing(Level::Hour, self.base, UtcOffset::default());
        hour.start.plus_ms(-hours * HOUR_MS)
    }

    /// Reads the story of a data directory; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or belongs to another version of the demo.
    pub(super) fn load(dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("reading {}", path.display()));
            }
        };
        let mut lines = text.lines();
        ensure!(
            lines.next() == Some(HEAD),
            "{} is of another version of the demo; name another directory with --data",
            path.display()
        );
        let mut number = |name: &str| {
            let line = lines.next()?.strip_prefix(name)?;
            line.strip_prefix('=')?.parse::<i64>().ok()
        };
        match (
            number("base_ms"),
            number("days").and_then(|days| u32::try_from(days).ok()),
        ) {
            (Some(base), Some(days)) => Ok(Some(Self {
                base: Timestamp(base),
                days,
            })),
            _ => bail!(
                "{} is damaged; name another directory with --data",
                path.display()
            ),
        }
    }

    /// Writes the story; done once the past is complete, so that a past that was interrupted is
    /// not mistaken for one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(FILE);
        let text = format!("{HEAD}\nbase_ms={}\ndays={}\n", self.base.0, self.days);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 00:00 in China.
    const MIDNIGHT: i64 = 1_795_104_000_000;

    #[test]
    fn a_story_survives_its_file() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(Story::load(dir.path()).expect("readable"), None);
        let story = Story::ending(Timestamp(MIDNIGHT + 123), 21);
        story.save(dir.path()).expect("writable");
        assert_eq!(Story::load(dir.path()).expect("readable"), Some(story));
        for text in [
            "",
            "cemsd demo story 99\n",
            "cemsd demo story 1\nbase_ms=x\ndays=1\n",
        ] {
            std::fs::write(dir.path().join(FILE), text).expect("writable");
            assert!(Story::load(dir.path()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_hang_on_the_end() {
        let story = Story::ending(Timestamp(MIDNIGHT + 10 * HOUR_MS + 5 * MINUTE_MS + 7), 21);
        let iso = |at| UtcOffset::default().iso(at);
        assert_eq!(iso(story.begins()), "2026-10-30T10:00:00+08:00");
        assert_eq!(iso(story.minutes_from()), "2026-11-18T10:01:00+08:00");
        assert_eq!(iso(story.realtime_from()), "2026-11-20T09:35:00+08:00");
        assert_eq!(iso(story.hour_ago(2)), "2026-11-20T08:00:00+08:00");
        assert_eq!(iso(story.ago(26, 5)), "2026-11-19T08:00:00+08:00");
    }

    #[test]
    fn new_year_is_met_with_the_last_year() {
        let new_year = UtcOffset::default()
            .instant("2027-01-01T10:00:00".parse().expect("a time in the test"));
        let story = Story::ending(new_year, 21);
        assert_eq!(
            UtcOffset::default().iso(story.base),
            "2026-12-30T10:00:00+08:00"
        );
    }
}
