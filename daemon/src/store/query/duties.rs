//! Instances of duties: by key, by round, by whom they are about, and as lists within a scope.

use super::{Queries, body_at, rows_capped, text_at};
use crate::store::error::StoreError;
use crate::store::write::duty_subject;
use cems_core::model::{
    DutyId, DutyKey, DutyRow, DutySubject, EnterpriseId, OutletId, RegionId, Timestamp,
};
use rusqlite::{Row, named_params};
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Where somebody may see duties: the union of what is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutyPlaces {
    /// Regions, with all their enterprises and outlets.
    pub regions: BTreeSet<RegionId>,
    /// Enterprises, with all their outlets.
    pub enterprises: BTreeSet<EnterpriseId>,
    /// Outlets.
    pub outlets: BTreeSet<OutletId>,
}

/// Which duties to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyFilter {
    /// Open ones by due time, or those that ended, newest first.
    pub open: bool,
    /// Due before this.
    pub due_before: Option<Timestamp>,
    /// Only of this row.
    pub rule: Option<DutyId>,
    /// Only in these places; `None`: everywhere.
    pub places: Option<DutyPlaces>,
    /// Those of the authority alone, too.
    pub inside: bool,
    /// At most so many.
    pub limit: usize,
}

/// A round on the day on which it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyDay {
    /// Its row.
    pub rule: DutyId,
    /// Its name.
    pub round: SmolStr,
    /// When it is due.
    pub due_at: Timestamp,
    /// Instances not completed.
    pub open: u64,
    /// Instances in all, those that ended without being completed not counted.
    pub all: u64,
}

fn list_of<T: Serialize>(ids: &BTreeSet<T>) -> Result<String, StoreError> {
    serde_json::to_string(ids).map_err(|error| StoreError::Unstorable {
        what: "a list of ids",
        detail: error.to_string(),
    })
}

/// The lists of the places, as JSON; all `None` where everything may be seen.
struct Bounds([Option<String>; 3]);

impl Bounds {
    fn of(places: Option<&DutyPlaces>) -> Result<Self, StoreError> {
        let Some(places) = places else {
            return Ok(Self([None, None, None]));
        };
        Ok(Self([
            Some(list_of(&places.regions)?),
            Some(list_of(&places.enterprises)?),
            Some(list_of(&places.outlets)?),
        ]))
    }
}

/// The condition that a row lies in the places.
const WITHIN: &str = "(inside = 0 OR :inside) AND (:regions IS NULL \
    OR region IN (SELECT value FROM json_each(:regions)) \
    OR enterprise IN (SELECT value FROM json_each(:enterprises)) \
    OR outlet IN (SELECT value FROM json_each(:outlets)))";

impl Queries<'_> {
    /// An instance of a duty.
    pub fn duty(&self, key: &DutyKey) -> Result<Option<DutyRow>, StoreError> {
        self.one(
            "SELECT body FROM duty WHERE key = ?1",
            [key.as_str()],
            |row| body_at("duty", row),
        )
    }

    /// Open instances of a row, of one round or of all, by key. Not limited: a round has as many as
    /// the registry has subjects.
    pub fn open_duties(
        &self,
        rule: &DutyId,
        round: Option<&str>,
    ) -> Result<Vec<DutyRow>, StoreError> {
        let read = |row: &Row<'_>| body_at("duty", row);
        match round {
            Some(round) => self.list(
                "SELECT body FROM duty WHERE open = 1 AND rule = ?1 AND round = ?2 ORDER BY key",
                (rule.as_str(), round),
                read,
            ),
            None => self.list(
                "SELECT body FROM duty WHERE open = 1 AND rule = ?1 ORDER BY key",
                [rule.as_str()],
                read,
            ),
        }
    }

    /// Open instances about a subject, by key.
    pub fn open_duties_about(&self, subject: &DutySubject) -> Result<Vec<DutyRow>, StoreError> {
        self.list(
            "SELECT body FROM duty WHERE open = 1 AND subject = ?1 ORDER BY key",
            [duty_subject(subject)],
            |row| body_at("duty", row),
        )
    }

    /// Duties within a scope.
    pub fn duties(&self, filter: &DutyFilter) -> Result<Vec<DutyRow>, StoreError> {
        let Bounds([regions, enterprises, outlets]) = Bounds::of(filter.places.as_ref())?;
        let due_before = filter.due_before.map_or(i64::MAX, |at| at.0);
        let sql = if filter.open {
            format!(
                "SELECT body FROM duty WHERE open = 1 AND due_at < :due \
                 AND (:rule IS NULL OR rule = :rule) AND {WITHIN} \
                 ORDER BY due_at, key LIMIT :limit"
            )
        } else {
            format!(
                "SELECT body FROM duty WHERE open = 0 AND due_at < :due \
                 AND (:rule IS NULL OR rule = :rule) AND {WITHIN} \
                 ORDER BY ended_at DESC, key LIMIT :limit"
            )
        };
        let params = named_params! {
            ":due": due_before,
            ":rule": filter.rule.as_ref().map(DutyId::as_str),
            ":inside": filter.inside,
            ":regions": regions,
            ":enterprises": enterprises,
            ":outlets": outlets,
            ":limit": rows_capped(filter.limit),
        };
        self.list(&sql, params, |row| body_at("duty", row))
    }

    /// Rounds due in `from..until` within a scope, with how many instances are open; by due time,
    /// row and round. As many as there are rows and periods, and one for each event.
    pub fn duty_days(
        &self,
        places: Option<&DutyPlaces>,
        inside: bool,
        (from, until): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<DutyDay>, StoreError> {
        let Bounds([regions, enterprises, outlets]) = Bounds::of(places)?;
        let sql = format!(
            "SELECT rule, round, due_at, sum(open), count(*) FROM duty \
             WHERE gone = 0 AND due_at > :from AND due_at <= :until AND {WITHIN} \
             GROUP BY due_at, rule, round ORDER BY due_at, rule, round LIMIT :limit"
        );
        let params = named_params! {
            ":from": from.0,
            ":until": until.0,
            ":inside": inside,
            ":regions": regions,
            ":enterprises": enterprises,
            ":outlets": outlets,
            ":limit": rows_capped(limit),
        };
        self.list(&sql, params, |row| {
            let count = |n: i64| n.unsigned_abs();
            Ok(DutyDay {
                rule: DutyId::new(text_at(row, 0)?),
                round: text_at(row, 1)?,
                due_at: Timestamp(row.get(2)?),
                open: count(row.get(3)?),
                all: count(row.get(4)?),
            })
        })
    }
}
