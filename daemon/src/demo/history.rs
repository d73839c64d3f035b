//! The past weeks, put into the books before the city goes live: real frames of its loggers,
//! admitted, journalled and projected by the code that takes live ones, only faster. The received
//! time of each is the simulated time at which it was due.

use super::city::Resident;
use super::settings::{Expected, Settings};
use super::story::Story;
use super::{desk, upkeep};
use crate::app::{Places, admission, journal_options};
use crate::attachments::Attachments;
use crate::cli::verify::progress_bar;
use crate::clock::Clock;
use crate::events::JournalEvent;
use crate::intake::{Admission, Directory, Interpreter};
use crate::journal::{Draft, Journal};
use crate::pipeline::{Pipeline, Projected};
use crate::simulate::parcel::Parcel;
use crate::simulate::schedule::Task;
use crate::simulate::station::interval_before;
use crate::store::SqliteStore;
use anyhow::{Context, anyhow, bail};
use cems_config::Checked;
use cems_core::model::time::{DAY_MS, MINUTE_MS};
use cems_core::model::{
    FactorCode, ManualReport, ManualValue, OutletId, RecordKind, Timestamp, UserId, UtcOffset,
};
use cems_protocols::hj212::{Framer, Limits, Message, Step, parse};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

/// Entries of one group commit of the past: large, because nobody waits for an answer.
const BATCH: usize = 1_000;
/// Batches the journal may be ahead of the projections.
const HANDOVER_BATCHES_MAX: usize = 16;
/// Peer written beside frames of the past: there was no connection.
const PEER: &str = "127.0.0.1:0";
/// The outlet whose fallback is open, and who reports for it.
const FALLBACK_OUTLET: &str = "xishui-1";
const REPORTER: &str = "enterprise";

/// The past as it is being written.
pub(super) struct Past<'a> {
    /// The cast.
    pub(super) residents: &'a [Resident],
    /// Its times.
    pub(super) story: &'a Story,
    /// Its settings.
    pub(super) settings: &'a Settings<'a>,
    /// Where the books are.
    pub(super) dir: &'a Path,
}

/// What stands behind a station's next frame.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    resident: usize,
    task: Task,
}

impl Past<'_> {
    /// Writes the books and returns how many entries they have. Blocks for seconds.
    ///
    /// # Errors
    /// When the directory cannot be written, or `stop` turned true meanwhile.
    pub(super) fn write(&self, stop: &Arc<AtomicBool>) -> anyhow::Result<u64> {
        let hours = self.settings.checked(Expected::Hours, self.dir)?;
        let all = self.settings.checked(Expected::All, self.dir)?;
        let places = Places::of(self.dir);
        let store = SqliteStore::open(&places.projections())
            .context("opening the projections")?
            .store;
        let (committed, batches) = sync_channel(HANDOVER_BATCHES_MAX);
        let clock = Clock::simulated(self.story.begins(), 1);
        let mut options = journal_options(&all.settings, &clock, &all.registry);
        options.follower = Some(committed);
        let (journal, _) = Journal::open(&places.journal(), options)
            .with_context(|| format!("opening the journal in {}", places.journal().display()))?;
        let pipeline = Pipeline::new(store, places.journal(), Interpreter, Arc::clone(stop))?;
        let projected = pipeline.projected();
        let projecting = std::thread::Builder::new()
            .name("projections".into())
            .spawn(move || pipeline.run(&batches))
            .context("starting the projections thread")?;
        let mut writer = Writer::new(journal.clone(), &projected, &all, self.count());
        let written = self.tell(&mut writer, &hours, &all, stop);
        let count = writer.written;
        journal.close();
        projecting
            .join()
            .map_err(|_| anyhow!("the projections thread died"))?;
        writer.bar.finish_and_clear();
        written?;
        if let Some(problem) = projected.problem() {
            bail!("the projections could not be written: {problem}");
        }
        Ok(count)
    }

    /// Everything in order of time.
    fn tell(
        &self,
        writer: &mut Writer<'_>,
        hours: &Checked,
        all: &Checked,
        stop: &AtomicBool,
    ) -> anyhow::Result<()> {
        let mut extras = self.extras(hours, all)?.into_iter().peekable();
        let mut queue = self.first();
        while let Some(Reverse(due)) = queue.pop() {
            if stop.load(Ordering::Relaxed) {
                bail!("stopped while the past was being written");
            }
            while let Some((at, event)) = extras.next_if(|(at, _)| *at <= due.at) {
                writer.push(at, &event)?;
            }
            let parcel = self.parcel(&due)?;
            for packet in parcel.iter().flat_map(Parcel::packets) {
                writer.frame(due.at, &packet.bytes)?;
            }
            queue.extend(self.next(due.resident, due.at).map(Reverse));
        }
        for (at, event) in extras {
            writer.push(at, &event)?;
        }
        writer.flush()
    }

    /// How many frames there will be, for the progress bar; split ones count once.
    fn count(&self) -> u64 {
        let mut count = 0;
        for resident in 0..self.residents.len() {
            let mut at = self.story.begins();
            while let Some(due) = self.next(resident, at) {
                at = due.at;
                count += 1;
            }
        }
        count
    }

    fn first(&self) -> BinaryHeap<Reverse<Due>> {
        let begins = self.story.begins();
        let residents = 0..self.residents.len();
        residents
            .filter_map(|index| self.next(index, begins))
            .map(Reverse)
            .collect()
    }

    /// The next thing a station says after `after`; the past grows finer towards its end.
    fn next(&self, resident: usize, after: Timestamp) -> Option<Due> {
        let schedule = self.residents.get(resident)?.schedule;
        let story = self.story;
        let phases = [
            (schedule.hours_only(), story.minutes_from()),
            (schedule.without_realtime(), story.realtime_from()),
            (schedule, story.base),
        ];
        let mut after = after;
        for (schedule, until) in phases {
            if after >= until {
                continue;
            }
            if let Some((at, task)) = schedule.next(after)
                && at <= until
            {
                return Some(Due { at, resident, task });
            }
            after = until;
        }
        None
    }

    fn parcel(&self, due: &Due) -> anyhow::Result<Option<Parcel>> {
        let Some(resident) = self.residents.get(due.resident) else {
            return Ok(None);
        };
        let (plant, station) = (&resident.plant, &resident.station);
        let script = plant.script();
        if script.silent(due.at) {
            return Ok(None);
        }
        let ahead = script.clock_offset_ms(due.at);
        Ok(match due.task {
            Task::Data(RecordKind::Realtime) => {
                Some(station.realtime(due.at, ahead, &plant.sample(due.at))?)
            }
            Task::Data(kind) => {
                let span = interval_before(kind, due.at, 1, station.offset);
                let means = plant.means(span.0, span.1);
                Some(station.interval(kind, span, (due.at, ahead), &means)?)
            }
            Task::Facilities => {
                let stopped = script.state(due.at).and_then(|state| state.flag()) == Some("F");
                Some(station.facilities(due.at, !stopped)?)
            }
            Task::Heartbeat => station.heartbeat(due.at)?,
            Task::TimeRequest => station.time_request(due.at)?,
        })
    }

    /// Registries and what people entered, with their times, in order.
    fn extras(
        &self,
        hours: &Checked,
        all: &Checked,
    ) -> anyhow::Result<Vec<(Timestamp, JournalEvent)>> {
        let registry = |checked: &Checked| JournalEvent::Registry {
            files_sha256: SmolStr::new(&checked.digest),
            registry: Arc::new(checked.registry.clone()),
        };
        let note = format!("{} days of simulated history follow", self.story.days);
        let mut list = vec![
            (
                self.story.begins(),
                JournalEvent::daemon("demo.history", note),
            ),
            (self.story.begins(), registry(hours)),
            (self.story.minutes_from(), registry(all)),
        ];
        // Four reports, and then none for more than six hours.
        for (hours, minutes) in [(23, 30), (18, 0), (12, 30), (8, 30)] {
            let sampled_at = self.story.ago(hours, minutes);
            let report = manual_report(sampled_at, hours);
            let entered = sampled_at.plus_ms(25 * MINUTE_MS);
            list.push((entered, JournalEvent::ManualReport { report }));
        }
        let attachments = Attachments::in_directory(Places::of(self.dir).attachments());
        let (residents, registry) = (self.residents, &all.registry);
        list.extend(upkeep::entries(
            residents,
            self.story,
            registry,
            &attachments,
        )?);
        list.extend(desk::entries(self.story)?);
        list.sort_by_key(|(at, _)| *at);
        Ok(list)
    }
}

fn manual_report(sampled_at: Timestamp, variant: i64) -> ManualReport {
    let value = |code: &str, mantissa: i64, decimals: u32| ManualValue {
        factor: FactorCode::new(code),
        value: Decimal::new(mantissa + variant % 5, decimals),
    };
    ManualReport {
        outlet: OutletId::new(FALLBACK_OUTLET),
        sampled_at,
        sampler: "采样员辛".into(),
        method: "HJ 828-2017; HJ 535-2009; GB 11893-89; HJ 636-2012".into(),
        laboratory: "示例市环境监测站（虚构）".into(),
        values: vec![
            value("w01018", 27, 0),
            value("w21003", 128, 2),
            value("w21011", 24, 2),
            value("w21001", 880, 2),
            value("w01001", 72, 1),
        ],
        note: "自动监测设备故障期间人工监测".into(),
        attachments: Vec::new(),
        corrects: None,
        by: UserId::new(REPORTER),
    }
}

/// Admits and journals, in batches that end with the day: a day has a file of its own.
struct Writer<'a> {
    journal: Journal,
    projected: &'a Projected,
    admission: Admission,
    directory: Directory,
    batch: Vec<Draft>,
    day: i64,
    written: u64,
    bar: indicatif::ProgressBar,
}

impl<'a> Writer<'a> {
    fn new(journal: Journal, projected: &'a Projected, all: &Checked, total: u64) -> Self {
        Self {
            journal,
            projected,
            admission: admission(&all.settings),
            directory: Directory::of(&all.registry),
            batch: Vec::with_capacity(BATCH),
            day: 0,
            written: 0,
            bar: progress_bar(total),
        }
    }

    fn frame(&mut self, at: Timestamp, bytes: &[u8]) -> anyhow::Result<()> {
        let (raw, message) = cut(bytes).context("a station of the demo built no frame")?;
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let verdict = self.admission.decide(&message, source, &self.directory);
        let peer = SmolStr::new_static(PEER);
        self.push(at, &JournalEvent::frame(peer, verdict, raw))
    }

    fn push(&mut self, at: Timestamp, event: &JournalEvent) -> anyhow::Result<()> {
        let local = at.0 + i64::from(UtcOffset::default().minutes()) * MINUTE_MS;
        let day = local.div_euclid(DAY_MS);
        if day != self.day || self.batch.len() >= BATCH {
            self.flush()?;
            self.day = day;
        }
        self.batch.push(Draft::at(at.0, event.to_line()));
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.written += u64::try_from(batch.len()).unwrap_or(0);
        self.journal
            .append_many_blocking(batch)
            .context("writing the past")?;
        self.bar
            .set_position(self.projected.position().borrow().seq.0);
        Ok(())
    }
}

/// The frame in bytes a station built, as a connection would have cut it.
fn cut(bytes: &[u8]) -> Option<(Vec<u8>, Message)> {
    let mut framer = Framer::new(Limits::default());
    framer.push(bytes);
    let mut step = framer.next();
    if step == Step::Incomplete {
        // A frame without a line end is complete once nothing follows.
        step = framer.expire();
    }
    match step {
        Step::Frame(frame) => {
            let message = parse(&frame);
            Some((frame.bytes, message))
        }
        Step::Garbage(_) | Step::Incomplete => None,
    }
}

#[cfg(test)]
mod tests;
