//! The stages: route → mute → group → rate → message.
//!
//! | stage | what | state |
//! | --- | --- | --- |
//! | route | which channels and people a notice goes to; each once | none |
//! | mute | what is not urgent waits until the quiet hours of its reader are over | a digest |
//! | group | things for one reader about one enterprise are gathered a moment | a bucket |
//! | rate | what is over a reader's hourly share waits for a digest | times sent |
//! | message | the row, with the key by which a repetition is noticed | a number |

use super::clockwork::{end_of, within};
use super::{Notice, People};
use crate::model::policy::{QuietHours, Route};
use crate::model::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::model::{
    About, ChannelId, ChannelTest, EnterpriseId, MESSAGE_ITEMS_MAX, MessageId, MessageReason,
    MessageRow, Policy, Priority, Recipient, Role, Seq, Timestamp, UserId, UtcOffset,
};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// Who tries a channel waits in front of it: later a test message helps nobody.
const TEST_DEADLINE_MS: i64 = 15 * MINUTE_MS;

/// What the stages look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// Its people by scope.
    pub people: &'a People,
    /// Who is on duty; empty: the roster says nothing.
    pub on_duty: &'a BTreeSet<UserId>,
    /// The site's clock.
    pub offset: UtcOffset,
}

/// One reader over one channel.
type Reader = (ChannelId, Recipient);

/// Where things are gathered: `reason` is `None` for what was held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    reader: Reader,
    enterprise: Option<EnterpriseId>,
    reason: Option<MessageReason>,
}

/// Things gathered for one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    due: Timestamp,
    priority: Priority,
    items: Vec<(Priority, About)>,
    more: u32,
}

/// What waits to become a message, and what was sent lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Planner {
    last: u64,
    #[serde(default, with = "crate::engine::pairs")]
    buckets: BTreeMap<Place, Bucket>,
    /// How many buckets are due when: asked for after every event of a flood.
    #[serde(skip)]
    dues: BTreeMap<Timestamp, usize>,
    /// Times of messages of the last hour.
    #[serde(default, with = "crate::engine::pairs")]
    sent: BTreeMap<Reader, Vec<Timestamp>>,
}

impl Planner {
    /// When the first bucket is due.
    pub fn due(&self) -> Option<Timestamp> {
        self.dues.first_key_value().map(|(due, _)| *due)
    }

    /// Counts again what is due when: the planner was read from its state row.
    pub(crate) fn reindex(&mut self) {
        self.dues.clear();
        for bucket in self.buckets.values() {
            arm(&mut self.dues, bucket.due);
        }
    }

    /// True when nothing waits and nothing was sent lately.
    pub fn is_idle(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Takes a notice in at `at`.
    pub fn note(&mut self, notice: &Notice, at: Timestamp, scene: Scene<'_>) {
        for reader in readers(notice, at, scene) {
            let held = muted(&reader, notice, at, scene);
            let place = Place {
                enterprise: held.map_or_else(|| notice.enterprise.clone(), |_| None),
                reason: held.map_or(Some(notice.reason), |_| None),
                reader,
            };
            let rule = scene.policy.notify.channels.get(&place.reader.0);
            let wait_s = rule.map_or(0, |rule| rule.group_wait_s);
            let due = held.unwrap_or(at.plus_ms(i64::from(wait_s) * SECOND_MS));
            self.put(place, (notice.priority, notice.about.clone()), due);
        }
    }

    /// The message of a person who tries a channel: it goes the way of all others from here on.
    pub fn test(&mut self, test: ChannelTest, at: Timestamp, seq: Seq) -> MessageRow {
        self.last = self.last.saturating_add(1);
        MessageRow {
            id: MessageId(self.last),
            key: format_smolstr!("test/{seq}"),
            reason: MessageReason::Test,
            channel: test.channel,
            to: test.to,
            priority: Priority::Normal,
            enterprise: None,
            about: Vec::new(),
            more: 0,
            at,
            deadline: at.plus_ms(TEST_DEADLINE_MS),
            seq,
        }
    }

    fn put(&mut self, place: Place, item: (Priority, About), due: Timestamp) {
        let priority = item.0;
        let dues = &mut self.dues;
        let bucket = self.buckets.entry(place).or_insert_with(|| {
            arm(dues, due);
            Bucket {
                due,
                priority,
                items: Vec::new(),
                more: 0,
            }
        });
        if due < bucket.due {
            disarm(dues, bucket.due);
            arm(dues, due);
            bucket.due = due;
        }
        bucket.priority = bucket.priority.min(priority);
        if bucket.items.iter().any(|(_, about)| *about == item.1) {
            return;
        }
        if bucket.items.len() < MESSAGE_ITEMS_MAX {
            bucket.items.push(item);
            return;
        }
        bucket.more = bucket.more.saturating_add(1);
        // The most urgent things are named.
        let least = bucket.items.iter().max_by_key(|(priority, _)| *priority);
        if least.is_some_and(|(least, _)| *least > priority) {
            let place = bucket.items.iter().rposition(|(p, _)| *p > priority);
            if let Some(place) = place {
                bucket.items[place] = item;
            }
        }
    }

    /// Takes out of what was gathered that these alarms were raised: they are told under another.
    pub fn forget(&mut self, covered: &[About]) {
        if covered.is_empty() {
            return;
        }
        let covered: BTreeSet<&About> = covered.iter().collect();
        let dues = &mut self.dues;
        self.buckets.retain(|place, bucket| {
            if place.reason == Some(MessageReason::AlarmRaised) {
                bucket.items.retain(|(_, about)| !covered.contains(about));
            }
            if bucket.items.is_empty() {
                disarm(dues, bucket.due);
            }
            !bucket.items.is_empty()
        });
    }

    /// The messages whose time has come by `at`, in the order of their time.
    pub fn flush(&mut self, at: Timestamp, seq: Seq, scene: Scene<'_>) -> Vec<MessageRow> {
        let due = |bucket: &Bucket| bucket.due <= at;
        let mut places: Vec<(Timestamp, Place)> = self
            .buckets
            .iter()
            .filter(|(_, bucket)| due(bucket))
            .map(|(place, bucket)| (bucket.due, place.clone()))
            .collect();
        places.sort();
        let mut rows = Vec::new();
        for (_, place) in places {
            let Some(bucket) = self.buckets.remove(&place) else {
                continue;
            };
            disarm(&mut self.dues, bucket.due);
            match self.slot(&place.reader, at, scene) {
                None => rows.push(self.message(place, bucket, (at, seq), scene)),
                Some(free) => self.hold(place.reader, bucket, free),
            }
        }
        rows
    }

    /// `None` when the reader may get a message now, else when the next one is free.
    fn slot(&mut self, reader: &Reader, at: Timestamp, scene: Scene<'_>) -> Option<Timestamp> {
        let rule = scene.policy.notify.channels.get(&reader.0);
        let most = rule.map_or(u32::MAX, |rule| rule.per_hour_max.max(1));
        let sent = self.sent.entry(reader.clone()).or_default();
        sent.retain(|when| at.since_ms(*when) < HOUR_MS);
        let full = u32::try_from(sent.len()).is_ok_and(|n| n >= most);
        let oldest = sent.first().copied().filter(|_| full);
        if oldest.is_none() {
            sent.push(at);
        }
        oldest.map(|when| when.plus_ms(HOUR_MS))
    }

    fn hold(&mut self, reader: Reader, bucket: Bucket, until: Timestamp) {
        let place = Place {
            reader,
            enterprise: None,
            reason: None,
        };
        let more = bucket.more;
        for item in bucket.items {
            self.put(place.clone(), item, until);
        }
        if let Some(held) = self.buckets.get_mut(&place) {
            held.more = held.more.saturating_add(more);
        }
    }

    fn message(
        &mut self,
        place: Place,
        mut bucket: Bucket,
        (at, seq): (Timestamp, Seq),
        scene: Scene<'_>,
    ) -> MessageRow {
        bucket.items.sort();
        self.last = self.last.saturating_add(1);
        let rule = scene.policy.notify.channels.get(&place.reader.0);
        let deadline_min = rule.map_or(0, |rule| rule.deadline_min);
        let reason = place.reason.unwrap_or(MessageReason::Digest);
        let about: Vec<About> = bucket.items.into_iter().map(|(_, about)| about).collect();
        let (channel, to) = place.reader;
        MessageRow {
            id: MessageId(self.last),
            key: key(reason, &about, bucket.more, at),
            reason,
            channel,
            to,
            priority: bucket.priority,
            enterprise: place.enterprise,
            about,
            more: bucket.more,
            at,
            deadline: at.plus_ms(i64::from(deadline_min) * MINUTE_MS),
            seq,
        }
    }
}

/// One more bucket is due at `due`.
fn arm(dues: &mut BTreeMap<Timestamp, usize>, due: Timestamp) {
    let count = dues.entry(due).or_default();
    *count = count.saturating_add(1);
}

/// One bucket less is due at `due`.
fn disarm(dues: &mut BTreeMap<Timestamp, usize>, due: Timestamp) {
    if let Some(count) = dues.get_mut(&due) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            dues.remove(&due);
        }
    }
}

/// The same fact has the same key: why, about what, and for what can come again, when.
fn key(reason: MessageReason, about: &[About], more: u32, at: Timestamp) -> SmolStr {
    let name = |about: &About| match about {
        About::Alarm(id) => format_smolstr!("alarm/{id}"),
        About::Fallback(id) => format_smolstr!("fallback/{id}"),
        About::Duty(id) => format_smolstr!("duty/{id}"),
    };
    let first = about.first().map(name).unwrap_or_default();
    let others = about.len().saturating_sub(1);
    format_smolstr!("{}/{first}+{others}+{more}@{}", reason.as_str(), at.0)
}

/// Everyone a notice goes to, each once.
fn readers(notice: &Notice, at: Timestamp, scene: Scene<'_>) -> BTreeSet<Reader> {
    let mut readers = BTreeSet::new();
    let policy = scene.policy;
    for route in &policy.notify.routes {
        if !applies(route, notice, at, scene.offset) {
            continue;
        }
        for channel in &route.channels {
            let Some(rule) = policy.notify.channels.get(channel) else {
                continue;
            };
            if !rule.kind.is_personal() {
                readers.insert((channel.clone(), Recipient::Channel));
                continue;
            }
            for user in scene.people.covering(notice) {
                if reaches(route, notice, channel, user, scene) {
                    readers.insert((channel.clone(), Recipient::User(user.clone())));
                }
            }
        }
    }
    readers
}

fn allows<T: Ord>(set: &BTreeSet<T>, one: Option<&T>) -> bool {
    set.is_empty() || one.is_some_and(|one| set.contains(one))
}

fn applies(route: &Route, notice: &Notice, at: Timestamp, offset: UtcOffset) -> bool {
    let kinds = notice.kind.is_none() || allows(&route.kinds, notice.kind.as_ref());
    let urgent = route.priority.is_none_or(|least| notice.priority <= least);
    kinds
        && urgent
        && allows(&route.reasons, Some(&notice.reason))
        && allows(&route.regions, notice.region.as_ref())
        && allows(&route.enterprises, notice.enterprise.as_ref())
        && within(route.days, route.hours, at, offset)
}

/// Whether a route brings a notice to a person who covers it.
fn reaches(
    route: &Route,
    notice: &Notice,
    channel: &ChannelId,
    user: &UserId,
    scene: Scene<'_>,
) -> bool {
    let Some(person) = scene.policy.people.get(user) else {
        return false;
    };
    if !person.channels.contains(channel) {
        return false;
    }
    let role = person.access.role;
    let named = if notice.roles.is_empty() {
        route.roles.contains(&role)
            || route.users.contains(user)
            || (route.roles.is_empty() && route.users.is_empty())
    } else {
        notice.roles.contains(&role)
    };
    let off_duty = route.on_duty_only
        && role == Role::DutyOfficer
        && !scene.on_duty.is_empty()
        && !scene.on_duty.contains(user);
    named && !off_duty
}

/// Until when a reader is left alone with this; `None`: not at all.
fn muted(reader: &Reader, notice: &Notice, at: Timestamp, scene: Scene<'_>) -> Option<Timestamp> {
    let Recipient::User(user) = &reader.1 else {
        return None;
    };
    let role = scene.policy.people.get(user)?.access.role;
    let holds = |quiet: &&QuietHours| {
        allows(&quiet.roles, Some(&role))
            && notice.priority > quiet.except
            && within(quiet.days, Some(quiet.hours), at, scene.offset)
    };
    let quiet = scene.policy.notify.quiet.iter().filter(holds);
    quiet.map(|q| end_of(q.hours, at, scene.offset)).max()
}

#[cfg(test)]
mod tests;
