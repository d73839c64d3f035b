//! Duties with a clock: read within the actor's scope; entries checked against what is known,
//! journalled, and only then confirmed. The calendar feed of a person.

use super::write::allow;
use super::{Committed, ConsoleBackend, unavailable};
use crate::console::access::random_token;
use crate::events::JournalEvent;
use crate::store::{DutyFilter, DutyPlaces};
use cems_core::duties::{check_completion, check_opening, check_withdrawal};
use cems_core::engine::{DutyCompletion, DutyOpening, DutyTakeBack, History};
use cems_core::model::{
    DutyBook, DutyId, DutyKey, DutyRow, DutySubject, Permission, Registry, Timestamp,
};
use cems_dashboards::backend::{
    Actor, BackendError, DutyAsk, DutyBackend, DutyDetail, DutyRound, Feed, LIST_ROWS_MAX, Places,
    Receipt, Reply, Upload, sees_duty,
};
use cems_dashboards::refusal;
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

type Read<T> = Result<T, BackendError>;

fn places(actor: &Actor, registry: &Registry) -> Option<DutyPlaces> {
    Places::of(actor, registry).map(|places| DutyPlaces {
        regions: places.regions,
        enterprises: places.enterprises,
        outlets: places.outlets,
    })
}

impl ConsoleBackend {
    /// The duty if it exists and the actor may see it.
    fn own_duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyRow> {
        let row = self.readers.duty(key).map_err(unavailable)?;
        let registry = self.projected.registry();
        row.filter(|row| sees_duty(actor, &registry, row))
            .ok_or(BackendError::NotFound)
    }

    fn read_duties(&self, actor: &Actor, ask: &DutyAsk) -> Read<Vec<DutyRow>> {
        let filter = DutyFilter {
            open: !ask.ended,
            due_before: ask.due_before,
            rule: ask.rule.clone(),
            places: places(actor, &self.projected.registry()),
            inside: actor.role.is_centre(),
            limit: LIST_ROWS_MAX,
        };
        self.readers.duties(&filter).map_err(unavailable)
    }

    fn read_duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyDetail> {
        let row = self.own_duty(actor, key)?;
        let round = format!("duties/{}:{}", row.rule, row.round);
        let objects = [format!("duty/{key}"), round];
        let mut history = Vec::new();
        for object in objects {
            history.extend(self.readers.audit_of(&object).map_err(unavailable)?);
        }
        history.sort_by_key(|line| (line.seq, line.n));
        Ok(DutyDetail { row, history })
    }

    fn read_rounds(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<DutyRound>> {
        let places = places(actor, &self.projected.registry());
        let inside = actor.role.is_centre();
        let days = self
            .readers
            .duty_days(places.as_ref(), inside, (from, until), LIST_ROWS_MAX)
            .map_err(unavailable)?;
        let rounds = days.into_iter().map(|day| DutyRound {
            rule: day.rule,
            round: day.round,
            due_at: day.due_at,
            open: day.open,
            all: day.all,
        });
        Ok(rounds.collect())
    }

    fn read_duty_file(&self, actor: &Actor, key: &DutyKey, sha256: &str) -> Read<Upload> {
        let row = self.own_duty(actor, key)?;
        let named = row.done.iter().flat_map(|done| &done.attachments);
        let named = named
            .clone()
            .find(|file| file.sha256 == sha256)
            .ok_or(BackendError::NotFound)?;
        let content = self.attachments.content(sha256).map_err(unavailable)?;
        Ok(Upload {
            name: named.name.clone(),
            content: content.ok_or(BackendError::NotFound)?,
        })
    }

    async fn enter_completion(
        &self,
        actor: &Actor,
        key: DutyKey,
        note: String,
        files: Vec<Upload>,
    ) -> Read<Receipt> {
        allow(actor, Permission::CompleteDuty)?;
        let row = self.own_duty(actor, &key)?;
        let policy = self.projected.policy();
        let rule = policy.duties.rules.get(&row.rule);
        if !rule.is_some_and(|rule| rule.is_completed_by(actor.role)) {
            return Err(BackendError::Forbidden);
        }
        let offset = self.projected.registry().offset;
        let mut entry = DutyCompletion {
            key,
            by: actor.user.clone(),
            note,
            attachments: Vec::new(),
        };
        // What would be refused anyway must leave no file behind; only the document is checked
        // after.
        let mut asked = rule.cloned();
        if let Some(rule) = &mut asked {
            rule.document &= files.is_empty();
        }
        check_completion(&entry, Some(&row), asked.as_ref())
            .map_err(|error| refusal::of_duty(&error, offset))?;
        entry.attachments = self.keep(files).await?;
        self.commit(&JournalEvent::DutyDone {
            key: entry.key,
            by: entry.by,
            note: entry.note,
            attachments: entry.attachments,
        })
        .await
    }

    async fn enter_take_back(&self, actor: &Actor, key: DutyKey, reason: String) -> Read<Receipt> {
        allow(actor, Permission::CompleteDuty)?;
        let row = self.own_duty(actor, &key)?;
        let policy = self.projected.policy();
        let rule = policy.duties.rules.get(&row.rule);
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
        let row = Committed(&self.readers).duty(&entry.key);
        let offset = self.projected.registry().offset;
        check_withdrawal(&entry, row.as_ref()).map_err(|e| refusal::of_duty(&e, offset))?;
        self.commit(&JournalEvent::DutyTakenBack {
            key: entry.key,
            by: entry.by,
            reason: entry.reason,
        })
        .await
    }

    async fn enter_opening(&self, actor: &Actor, entry: DutyOpening) -> Read<Receipt> {
        allow(actor, Permission::CompleteDuty)?;
        let policy = self.projected.policy();
        let rule = policy.duties.rules.get(&entry.rule);
        if !rule.is_some_and(|rule| rule.is_opened_by(actor.role)) {
            return Err(BackendError::Forbidden);
        }
        let registry = self.projected.registry();
        check_opening(&entry, rule, &registry, self.clock.now())
            .map_err(|error| refusal::of_duty(&error, registry.offset))?;
        if !in_scope(actor, &registry, &entry.subject) {
            return Err(BackendError::NotFound);
        }
        self.commit(&JournalEvent::DutyOpened {
            rule: entry.rule,
            subject: entry.subject,
            trigger_at: entry.trigger_at,
            by: entry.by,
            note: entry.note,
        })
        .await
    }

    async fn note_feed(&self, actor: &Actor, what: &'static str) -> Read<Receipt> {
        self.commit(&JournalEvent::Audit {
            who: SmolStr::new(actor.user.as_str()),
            what: SmolStr::new_static(what),
            object: format_smolstr!("user/{}", actor.user),
            detail: String::new(),
        })
        .await
    }
}

fn in_scope(actor: &Actor, registry: &Registry, subject: &DutySubject) -> bool {
    let Some(places) = Places::of(actor, registry) else {
        return true;
    };
    let region_of = |id| registry.enterprises.get(id).map(|e| &e.region);
    let enterprise = match subject {
        DutySubject::Outlet(id) if places.outlets.contains(id) => return true,
        DutySubject::Outlet(id) => registry.outlets.get(id).map(|o| &o.enterprise),
        DutySubject::Enterprise(id) => Some(id),
        DutySubject::Region(id) => return places.regions.contains(id),
    };
    enterprise.is_some_and(|id| {
        places.enterprises.contains(id)
            || region_of(id).is_some_and(|region| places.regions.contains(region))
    })
}

impl DutyBackend for ConsoleBackend {
    fn duty_book(&self) -> Arc<DutyBook> {
        Arc::clone(&self.projected.policy().duties)
    }

    fn duties(&self, actor: &Actor, ask: &DutyAsk) -> Read<Vec<DutyRow>> {
        self.read_duties(actor, ask)
    }

    fn duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyDetail> {
        self.read_duty(actor, key)
    }

    fn duty_rounds(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<DutyRound>> {
        self.read_rounds(actor, from, until)
    }

    fn duty_file(&self, actor: &Actor, key: &DutyKey, sha256: &str) -> Read<Upload> {
        self.read_duty_file(actor, key, sha256)
    }

    fn complete_duty<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.enter_completion(actor, key, note, files))
    }

    fn take_duty_back<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        reason: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(self.enter_take_back(actor, key, reason))
    }

    fn open_duty<'a>(
        &'a self,
        actor: &'a Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Reply<'a, Read<Receipt>> {
        let entry = DutyOpening {
            rule,
            subject,
            trigger_at,
            by: actor.user.clone(),
            note,
        };
        Box::pin(self.enter_opening(actor, entry))
    }

    fn feed(&self, actor: &Actor) -> Read<Option<Feed>> {
        let found = self.access.feed(&actor.user).map_err(unavailable)?;
        Ok(found.map(|(created_at, fetched_at)| Feed {
            created_at,
            fetched_at,
        }))
    }

    fn renew_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<String>> {
        Box::pin(async move {
            // A program has its token already, and no calendar.
            if !self.access.is_person(&actor.user) {
                return Err(BackendError::Forbidden);
            }
            self.note_feed(actor, "feed.renewed").await?;
            let token = random_token();
            self.access
                .renew_feed(&actor.user, &token)
                .map_err(unavailable)?;
            Ok(token)
        })
    }

    fn end_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<()>> {
        Box::pin(async move {
            self.note_feed(actor, "feed.ended").await?;
            self.access.end_feed(&actor.user).map_err(unavailable)
        })
    }

    fn feed_of(&self, token: &str) -> Option<Actor> {
        self.access.feed_of(token)
    }
}
