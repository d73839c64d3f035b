//! Whose turn it is on a bus. Pure: times in, turns out.
//!
//! Every instrument has a fixed grid of times; the one that is due longest is next, so nobody
//! starves. What cannot be kept is skipped and counted, never made up for. An instrument that did
//! not answer three times running loses its place: it is probed in the gaps that the others leave,
//! more and more rarely, and only when it has waited very long at the expense of the others.

use std::time::Duration;
use tokio::time::Instant;

/// Polls without an answer until an instrument is called silent.
pub(super) const SILENT_AFTER: u32 = 3;
/// So long without an answer is silent, too, however slowly it is polled.
pub(super) const SILENT_AFTER_TIME: Duration = Duration::from_secs(60);
/// Longest pause between attempts to reach a silent instrument.
pub(super) const PROBE_PAUSE_MAX: Duration = Duration::from_secs(60);
/// A bus so full that there is never a gap still tries after this long.
const PROBE_FORCED_AFTER: Duration = Duration::from_secs(30);
/// Every so many probes one has the full patience: an instrument may come back slower than it was.
const PATIENT_PROBE_EVERY: u32 = 4;

/// One instrument's place in the schedule.
#[derive(Debug, Clone)]
pub(super) struct Place {
    every: Duration,
    /// The next time of its grid, or of the next probe.
    due: Instant,
    /// Polls it did not answer since it last did, on a line that was up.
    failures: u32,
    /// Polls without an answer since the last one, for whatever reason.
    missed: u32,
    last_answer: Instant,
    reported: Option<Instant>,
    pulse: Pulse,
}

/// How well an instrument's period is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Polls so far.
    pub polls: u64,
    /// Those without an answer.
    pub failures: u64,
    /// Times of the grid at which it could not be polled.
    pub skipped: u64,
    /// Longest wait between being due and being polled, of instruments that answer.
    pub late_max: Duration,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Poll the instrument with this index.
    Poll(usize),
    /// See whether the silent instrument with this index is back.
    Probe {
        /// Which.
        index: usize,
        /// With the full patience of its settings.
        patient: bool,
    },
    /// Nothing until then.
    Wait(Instant),
}

/// What a poll did to an instrument's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It answers, as before.
    Answers,
    /// It answers again.
    Back,
    /// It did not answer; that happens.
    Missed,
    /// It is silent now.
    FellSilent,
    /// It is silent still.
    Silent,
}

impl Place {
    /// A place whose first poll is due at `first`.
    pub(super) fn new(every: Duration, first: Instant) -> Self {
        Self {
            every: every.max(Duration::from_millis(1)),
            due: first,
            failures: 0,
            missed: 0,
            last_answer: first,
            reported: None,
            pulse: Pulse::default(),
        }
    }

    /// How well it has been going.
    pub(super) fn pulse(&self) -> Pulse {
        self.pulse
    }

    /// Changes the period; the next poll is not later than the new period from now.
    pub(super) fn set_every(&mut self, every: Duration, now: Instant) {
        let every = every.max(Duration::from_millis(1));
        if every != self.every {
            self.every = every;
            self.due = self.due.min(now + every);
        }
    }

    /// It has its place on the grid.
    fn answers(&self) -> bool {
        self.failures < SILENT_AFTER
    }

    /// It counts as silent.
    pub(super) fn is_silent(&self) -> bool {
        self.reported.is_some()
    }

    /// A poll begins; how late it is.
    pub(super) fn begins(&mut self, now: Instant) -> Duration {
        let late = now.saturating_duration_since(self.due);
        self.pulse.polls += 1;
        if self.answers() {
            self.pulse.late_max = self.pulse.late_max.max(late);
        }
        late
    }

    /// The poll that was due now cannot be made at all (nothing can be recorded).
    pub(super) fn skip(&mut self, now: Instant) {
        self.pulse.skipped += 1;
        self.advance(now);
    }

    /// To the next time of the grid that lies ahead.
    fn advance(&mut self, now: Instant) {
        self.due += self.every;
        let behind = now.saturating_duration_since(self.due).as_nanos();
        let missed = behind / self.every.as_nanos();
        if behind > 0 && missed > 0 {
            let missed = u32::try_from(missed).unwrap_or(u32::MAX);
            self.pulse.skipped += u64::from(missed);
            self.due += self.every.saturating_mul(missed);
        }
    }

    /// The poll that began is over. When the whole line is down the instrument is not to blame: it
    /// keeps its place, so that it is polled as soon as the line is back.
    pub(super) fn ended(&mut self, answered: bool, line_down: bool, now: Instant) -> Standing {
        if answered {
            let back = self.is_silent();
            let was_probe = !self.answers();
            self.failures = 0;
            self.missed = 0;
            self.last_answer = now;
            self.reported = None;
            if was_probe {
                // A probe is off the grid; the grid begins anew with the answer.
                self.due = self.due.max(now);
            }
            self.advance(now);
            return if back {
                Standing::Back
            } else {
                Standing::Answers
            };
        }
        self.pulse.failures += 1;
        self.missed = self.missed.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(!line_down));
        if self.answers() {
            self.advance(now);
        } else {
            let doublings = (self.failures - SILENT_AFTER + 1).min(16);
            let pause = self.every.saturating_mul(1 << doublings);
            self.due = now + pause.min(PROBE_PAUSE_MAX.max(self.every));
        }
        let silence = now.saturating_duration_since(self.last_answer);
        let silent = self.missed >= SILENT_AFTER || silence >= SILENT_AFTER_TIME;
        match self.reported {
            None if silent => {
                self.reported = Some(now);
                Standing::FellSilent
            }
            None => Standing::Missed,
            Some(_) => Standing::Silent,
        }
    }

    /// Once a minute a silent instrument is reported as not answering, so that every minute record
    /// says so; asks and takes note.
    pub(super) fn says_so_again(&mut self, now: Instant) -> bool {
        match self.reported {
            Some(at) if now.saturating_duration_since(at) >= SILENT_AFTER_TIME => {
                self.reported = Some(now);
                true
            }
            _ => false,
        }
    }

    /// When it is time to say again that it is silent.
    pub(super) fn says_so_at(&self) -> Option<Instant> {
        self.reported.map(|at| at + SILENT_AFTER_TIME)
    }
}

/// Whose turn it is. `cost` says how long an attempt at a silent instrument can take.
pub(super) fn next(places: &[Place], now: Instant, cost: impl Fn(usize, bool) -> Duration) -> Turn {
    let answering = || places.iter().enumerate().filter(|(_, p)| p.answers());
    let first = answering().min_by_key(|(_, place)| place.due);
    if let Some((index, place)) = first
        && place.due <= now
    {
        return forced(places, now).unwrap_or(Turn::Poll(index));
    }
    let next_due = first.map(|(_, place)| place.due);
    let mut wait = next_due;
    let silent = places.iter().enumerate().filter(|(_, p)| !p.answers());
    let mut silent: Vec<(usize, &Place)> = silent.collect();
    silent.sort_by_key(|(_, place)| place.due);
    for (index, place) in silent {
        if place.due > now {
            wait = Some(wait.map_or(place.due, |at| at.min(place.due)));
            continue;
        }
        let fits = |patient| next_due.is_none_or(|at| now + cost(index, patient) <= at);
        if place.patient() && fits(true) {
            return Turn::Probe {
                index,
                patient: true,
            };
        }
        if fits(false) {
            return Turn::Probe {
                index,
                patient: false,
            };
        }
    }
    forced(places, now).unwrap_or(Turn::Wait(wait.unwrap_or(now + PROBE_PAUSE_MAX)))
}

impl Place {
    /// Most probes are short, some have the full patience.
    fn patient(&self) -> bool {
        self.failures.is_multiple_of(PATIENT_PROBE_EVERY)
    }
}

/// A silent instrument for which there has been no gap for very long.
fn forced(places: &[Place], now: Instant) -> Option<Turn> {
    let waiting = places.iter().enumerate().filter(|(_, place)| {
        !place.answers() && now.saturating_duration_since(place.due) >= PROBE_FORCED_AFTER
    });
    let (index, place) = waiting.min_by_key(|(_, place)| place.due)?;
    Some(Turn::Probe {
        index,
        patient: place.patient(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_one_that_is_due_longest_is_next() {
        let now = Instant::now();
        let places = [Place::new(s(5), now + s(2)), Place::new(s(5), now + s(1))];
        let cost = |_, _| Duration::ZERO;
        assert_eq!(next(&places, now, cost), Turn::Wait(now + s(1)));
        assert_eq!(next(&places, now + s(3), cost), Turn::Poll(1));
        assert_eq!(next(&[], now, cost), Turn::Wait(now + PROBE_PAUSE_MAX));
    }

    #[test]
    fn what_cannot_be_kept_is_skipped_and_counted() {
        let begun = Instant::now();
        let mut place = Place::new(s(1), begun);
        assert_eq!(place.begins(begun), Duration::ZERO);
        let ended = place.ended(true, false, begun + Duration::from_millis(4_500));
        assert_eq!(ended, Standing::Answers);
        assert_eq!(place.pulse().skipped, 3, "those at 1, 2 and 3 s");
        assert_eq!(place.due, begun + s(4), "the one at 4 s is only late");
    }

    #[test]
    fn a_silent_one_is_probed_where_it_fits_and_seldom() {
        let begun = Instant::now();
        let mut dead = Place::new(s(5), begun);
        for n in 0..3 {
            dead.begins(begun + s(n * 5));
            dead.ended(false, false, begun + s(n * 5 + 1));
        }
        assert!(dead.is_silent());
        let now = begun + s(30);
        let live = |due| Place::new(s(5), due);
        let cost = |_, patient| if patient { s(2) } else { s(1) };
        let turn = |places: &[Place]| next(places, now, cost);
        let probe = Turn::Probe {
            index: 0,
            patient: false,
        };
        assert_eq!(turn(&[dead.clone(), live(now + s(1))]), probe);
        let soon = now + Duration::from_millis(900);
        assert_eq!(turn(&[dead.clone(), live(soon)]), Turn::Wait(soon));
        assert_eq!(turn(&[dead.clone(), live(now)]), Turn::Poll(1));
        // Its turn was at 21 s; after half a minute more it does not wait for a gap any longer.
        let full = begun + s(21) + PROBE_FORCED_AFTER;
        assert_eq!(next(&[dead.clone(), live(full)], full, cost), probe);
        for n in 0..20 {
            dead.ended(false, false, now + s(n * 60));
        }
        assert_eq!(dead.due, now + s(19 * 60) + PROBE_PAUSE_MAX);
        assert_eq!(dead.ended(true, false, now + s(2_000)), Standing::Back);
    }
}
