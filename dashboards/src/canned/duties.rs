//! Duties of the canned backend.

use super::Canned;
use super::books::attachment;
use super::held::Held;
use super::owed::instance;
use super::rows::NOW;
use super::writing::allow;
use crate::backend::{
    Actor, Backend, BackendError, Change, DutyAsk, DutyBackend, DutyDetail, DutyRound, Feed,
    LIST_ROWS_MAX, Receipt, Reply, Upload, sees_duty,
};
use crate::refusal::of_duty;
use cems_core::duties::{
    Opening, check_completion, check_opening, check_withdrawal, due_at, triggered,
};
use cems_core::engine::{DutyCompletion, DutyOpening, DutyTakeBack};
use cems_core::model::{
    DutyBook, DutyDone, DutyGone, DutyId, DutyKey, DutyRow, DutySubject, Permission, Role,
    Timestamp, UserId, UtcOffset,
};
use std::collections::BTreeMap;
use std::sync::Arc;

type Read<T> = Result<T, BackendError>;

/// The secret of every canned feed is `feed-` and the user's name.
const FEED: &str = "feed-";

impl Held {
    fn own_duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyRow> {
        let row = self.duties.get(key).ok_or(BackendError::NotFound)?;
        if sees_duty(actor, &self.registry, row) {
            Ok(row.clone())
        } else {
            Err(BackendError::NotFound)
        }
    }
}

impl Canned {
    fn duty_changed(&self, row: DutyRow, receipt: Receipt) -> Receipt {
        let mut held = self.lock();
        held.duties.insert(row.key.clone(), row);
        drop(held);
        self.announce(&[Change::Duties]);
        receipt
    }

    fn write_completion(
        &self,
        actor: &Actor,
        key: DutyKey,
        note: String,
        files: &[Upload],
    ) -> Read<Receipt> {
        let mut held = self.lock();
        let mut row = held.own_duty(actor, &key)?;
        let rule = held.book.rules.get(&row.rule).cloned();
        if !rule
            .as_ref()
            .is_some_and(|rule| rule.is_completed_by(actor.role))
        {
            return Err(BackendError::Forbidden);
        }
        let entry = DutyCompletion {
            key,
            by: actor.user.clone(),
            note,
            attachments: files.iter().map(attachment).collect(),
        };
        check_completion(&entry, Some(&row), rule.as_ref())
            .map_err(|e| of_duty(&e, UtcOffset::default()))?;
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.done", object, &entry.note);
        row.done = Some(DutyDone {
            at: NOW,
            by: entry.by,
            note: entry.note,
            attachments: entry.attachments,
            late: NOW >= row.due_at,
            seq: receipt.seq,
        });
        for file in files {
            held.duty_files
                .insert(attachment(file).sha256, file.clone());
        }
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }

    fn write_taken_back(&self, actor: &Actor, key: DutyKey, reason: String) -> Read<Receipt> {
        let mut held = self.lock();
        let mut row = held.own_duty(actor, &key)?;
        let rule = held.book.rules.get(&row.rule);
        let may = rule.is_some_and(|rule| match row.done {
            Some(_) => rule.is_completed_by(actor.role),
            None => rule.is_opened_by(actor.role),
        });
        if !may {
            return Err(BackendError::Forbidden);
        }
        let entry = DutyTakeBack {
            key,
            by: actor.user.clone(),
            reason,
        };
        check_withdrawal(&entry, Some(&row)).map_err(|e| of_duty(&e, UtcOffset::default()))?;
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.taken-back", object, &entry.reason);
        if row.done.take().is_none() {
            row.gone = Some((NOW, DutyGone::TakenBack));
        }
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }

    fn write_opening(
        &self,
        actor: &Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Read<Receipt> {
        let mut held = self.lock();
        let (book, registry) = (Arc::clone(&held.book), Arc::clone(&held.registry));
        let known = book.rules.get(&rule).ok_or(BackendError::NotFound)?;
        if !known.is_opened_by(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let offset = UtcOffset::default();
        let entry = DutyOpening {
            rule,
            subject,
            trigger_at,
            by: actor.user.clone(),
            note,
        };
        check_opening(&entry, Some(known), &registry, NOW).map_err(|e| of_duty(&e, offset))?;
        let opening = Opening::Trigger(trigger_at);
        let due = due_at(known, &opening, &book.calendar, offset);
        let due = due.ok_or(BackendError::NotFound)?;
        let round = triggered("entry", held.seq + 1);
        let mut row = instance(known, entry.subject, &registry, (&round, NOW, due));
        row.trigger_at = Some(trigger_at);
        row.opened_by = Some(entry.by);
        row.note = entry.note;
        if !sees_duty(actor, &registry, &row) {
            return Err(BackendError::NotFound);
        }
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.opened", object, &row.note);
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }
}

impl DutyBackend for Canned {
    fn duty_book(&self) -> Arc<DutyBook> {
        Arc::clone(&self.lock().book)
    }

    fn duties(&self, actor: &Actor, ask: &DutyAsk) -> Read<Vec<DutyRow>> {
        let held = self.lock();
        let wanted = |row: &&DutyRow| {
            row.is_open() != ask.ended
                && ask.due_before.is_none_or(|before| row.due_at < before)
                && ask.rule.as_ref().is_none_or(|rule| row.rule == *rule)
                && sees_duty(actor, &held.registry, row)
        };
        let mut rows: Vec<DutyRow> = held.duties.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|row| (row.due_at, row.key.clone()));
        if ask.ended {
            rows.sort_by_key(|row| std::cmp::Reverse(row.ended_at()));
        }
        rows.truncate(LIST_ROWS_MAX);
        Ok(rows)
    }

    fn duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyDetail> {
        let held = self.lock();
        let row = held.own_duty(actor, key)?;
        let of = format!("duty/{key}");
        let history = held.audit.iter().filter(|line| line.object == of);
        Ok(DutyDetail {
            history: history.cloned().collect(),
            row,
        })
    }

    fn duty_rounds(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<DutyRound>> {
        let held = self.lock();
        let mut rounds: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        for row in held.duties.values() {
            let within = from < row.due_at && row.due_at <= until && row.gone.is_none();
            if within && sees_duty(actor, &held.registry, row) {
                let of = (row.due_at, row.rule.clone(), row.round.clone());
                let counts = rounds.entry(of).or_default();
                counts.0 += u64::from(row.is_open());
                counts.1 += 1;
            }
        }
        let one = |((due_at, rule, round), (open, all))| DutyRound {
            rule,
            round,
            due_at,
            open,
            all,
        };
        Ok(rounds.into_iter().map(one).take(LIST_ROWS_MAX).collect())
    }

    fn duty_file(&self, actor: &Actor, key: &DutyKey, sha256: &str) -> Read<Upload> {
        let held = self.lock();
        let row = held.own_duty(actor, key)?;
        let mut named = row.done.iter().flat_map(|done| &done.attachments);
        let kept = held.duty_files.get(sha256);
        let kept = kept.filter(|_| named.any(|file| file.sha256 == sha256));
        kept.cloned().ok_or(BackendError::NotFound)
    }

    fn complete_duty<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_completion(actor, key, note, &files) })
    }

    fn take_duty_back<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        reason: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_taken_back(actor, key, reason) })
    }

    fn open_duty<'a>(
        &'a self,
        actor: &'a Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_opening(actor, rule, subject, trigger_at, note) })
    }

    fn feed(&self, actor: &Actor) -> Read<Option<Feed>> {
        allow(actor, Permission::View)?;
        let made = self.lock().feeds.contains(&actor.user);
        Ok(made.then_some(Feed {
            created_at: NOW,
            fetched_at: None,
        }))
    }

    fn renew_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<String>> {
        Box::pin(async move {
            self.lock().feeds.insert(actor.user.clone());
            Ok(format!("{FEED}{}", actor.user))
        })
    }

    fn end_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<()>> {
        Box::pin(async move {
            self.lock().feeds.remove(&actor.user);
            Ok(())
        })
    }

    fn feed_of(&self, token: &str) -> Option<Actor> {
        let user = UserId::new(token.strip_prefix(FEED)?);
        let known = self.lock().feeds.contains(&user);
        let role = Role::ALL
            .into_iter()
            .find(|role| super::user_of(*role) == user.as_str());
        let actor = self.session(&Self::token(role?));
        actor.filter(|_| known)
    }
}
