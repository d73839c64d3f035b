//! Who is on duty (值班): the roster with its hand-overs.

use crate::model::time::DAY_MS;
use crate::model::{HandOver, SHIFT_PEOPLE_MAX, Shift, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Shifts kept: a year of four a day.
pub const SHIFTS_MAX: usize = 1_500;
/// Shifts that ended this long ago are dropped from the state; their rows stay.
const FORGET_MS: i64 = 2 * DAY_MS;
/// Longest shift: a day and a half covers every roster seen, and a slip of the date is noticed.
pub const SHIFT_MS_MAX: i64 = 36 * crate::model::time::HOUR_MS;

/// Why a shift or a hand-over makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// It ends before it begins, or lasts too long.
    #[error("the shift must last between a minute and 36 hours")]
    Length,
    /// Too many people, or nobody in a hand-over.
    #[error("name between 1 and {SHIFT_PEOPLE_MAX} people")]
    People,
    /// Too many shifts.
    #[error("the roster is full: {SHIFTS_MAX} shifts")]
    Full,
    /// Somebody whom the settings do not know.
    #[error("nobody is called {0}")]
    Unknown(UserId),
}

impl RosterError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length => "shift-length",
            Self::People => "shift-people",
            Self::Full => "roster-full",
            Self::Unknown(_) => "unknown-user",
        }
    }
}

/// The roster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    shifts: Vec<Shift>,
    /// The last hand-over: when, and to whom.
    over: Option<(Timestamp, BTreeSet<UserId>)>,
}

/// Whether a shift makes sense, whoever is known.
///
/// # Errors
/// When its length or the number of people is not possible.
pub fn check_shift(shift: &Shift) -> Result<(), RosterError> {
    let length = shift.until.since_ms(shift.from);
    if !(crate::model::time::MINUTE_MS..=SHIFT_MS_MAX).contains(&length) {
        return Err(RosterError::Length);
    }
    if shift.people.len() > SHIFT_PEOPLE_MAX {
        return Err(RosterError::People);
    }
    Ok(())
}

/// Whether a hand-over makes sense.
///
/// # Errors
/// When nobody or too many people take over.
pub fn check_hand_over(over: &HandOver) -> Result<(), RosterError> {
    if over.to.is_empty() || over.to.len() > SHIFT_PEOPLE_MAX {
        return Err(RosterError::People);
    }
    Ok(())
}

impl Roster {
    /// Enters a shift; one with the same beginning is replaced, one without people taken out.
    ///
    /// # Errors
    /// As [`check_shift`], and when the roster is full.
    pub fn enter(&mut self, shift: Shift, now: Timestamp) -> Result<(), RosterError> {
        check_shift(&shift)?;
        let forgotten = |known: &Shift| now.since_ms(known.until) >= FORGET_MS;
        // A shift that ended a hand-over is not forgotten alone: the hand-over would come back.
        let over = self.over.take();
        self.over = over.filter(|(when, _)| {
            let mut shifts = self.shifts.iter();
            !shifts.any(|known| forgotten(known) && known.from > *when)
        });
        self.shifts
            .retain(|known| known.from != shift.from && !forgotten(known));
        if shift.people.is_empty() {
            return Ok(());
        }
        if self.shifts.len() >= SHIFTS_MAX {
            return Err(RosterError::Full);
        }
        self.shifts.push(shift);
        self.shifts.sort_by_key(|shift| shift.from);
        Ok(())
    }

    /// Hands the desk over.
    ///
    /// # Errors
    /// As [`check_hand_over`].
    pub fn hand_over(&mut self, over: &HandOver, now: Timestamp) -> Result<(), RosterError> {
        check_hand_over(over)?;
        self.over = Some((now, over.to.clone()));
        Ok(())
    }

    /// Who is on duty at `at`, as [`on_duty`] says.
    pub fn on_duty(&self, at: Timestamp) -> BTreeSet<UserId> {
        let over = self.over.as_ref().map(|(when, people)| (*when, people));
        on_duty(&self.shifts, over, at)
    }
}

/// Who is on duty at `at`: those of the shifts that run, or those who took over since the last
/// shift began. Empty: the roster says nothing. `over` is the last hand-over; `shifts` holds at
/// least those that begin after it or run at `at`.
pub fn on_duty<'a>(
    shifts: impl IntoIterator<Item = &'a Shift>,
    over: Option<(Timestamp, &BTreeSet<UserId>)>,
    at: Timestamp,
) -> BTreeSet<UserId> {
    let mut people = BTreeSet::new();
    let mut begun: Option<Timestamp> = None;
    for shift in shifts.into_iter().filter(|shift| shift.from <= at) {
        begun = begun.max(Some(shift.from));
        if at < shift.until {
            people.extend(shift.people.iter().cloned());
        }
    }
    match over {
        Some((when, taken)) if begun.is_none_or(|begun| begun <= when) => taken.clone(),
        _ => people,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp(1_780_000_000_000).plus_ms(hour * crate::model::time::HOUR_MS)
    }

    fn shift(from: i64, until: i64, who: &[&str]) -> Shift {
        Shift {
            from: at(from),
            until: at(until),
            people: who.iter().map(|who| UserId::from(*who)).collect(),
            by: "chief".into(),
        }
    }

    fn names(roster: &Roster, hour: i64) -> Vec<String> {
        let on = roster.on_duty(at(hour));
        on.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn shifts_follow_each_other_and_a_hand_over_lasts_until_the_next_begins() {
        let mut roster = Roster::default();
        roster.enter(shift(0, 8, &["night"]), at(0)).unwrap();
        roster
            .enter(shift(8, 16, &["early", "second"]), at(0))
            .unwrap();
        assert_eq!(names(&roster, 7), ["night"]);
        assert_eq!(names(&roster, 8), ["early", "second"]);
        assert!(names(&roster, 16).is_empty());
        let over = HandOver {
            from: "early".into(),
            to: [UserId::from("stand-in")].into(),
            note: "furnace 2 is starting up".into(),
        };
        roster.hand_over(&over, at(10)).unwrap();
        assert_eq!(names(&roster, 11), ["stand-in"]);
        roster.enter(shift(16, 24, &["late"]), at(12)).unwrap();
        assert_eq!(names(&roster, 15), ["stand-in"]);
        assert_eq!(names(&roster, 17), ["late"]);
    }

    #[test]
    fn a_hand_over_that_a_shift_ended_does_not_come_back_when_the_shift_is_forgotten() {
        let mut roster = Roster::default();
        roster.enter(shift(0, 8, &["night"]), at(0)).unwrap();
        let over = HandOver {
            from: "night".into(),
            to: [UserId::from("stand-in")].into(),
            note: String::new(),
        };
        roster.hand_over(&over, at(4)).unwrap();
        roster.enter(shift(8, 16, &["early"]), at(4)).unwrap();
        roster.enter(shift(200, 208, &["later"]), at(100)).unwrap();
        assert!(names(&roster, 100).is_empty());
        assert_eq!(names(&roster, 201), ["later"]);
    }

    #[test]
    fn a_shift_without_people_leaves_the_roster() {
        let mut roster = Roster::default();
        roster.enter(shift(0, 8, &["night"]), at(0)).unwrap();
        roster.enter(shift(0, 8, &[]), at(0)).unwrap();
        assert!(names(&roster, 1).is_empty());
        assert_eq!(
            roster.enter(shift(8, 8, &["x"]), at(0)),
            Err(RosterError::Length)
        );
    }
}
