//! Prometheus Alertmanager: `POST /api/v2/alerts`.
//!
//! Alertmanager forgets alerts that nobody repeats and loses them all when it restarts, so every
//! alarm it was told of is sent again each minute until it is over; an alert ends by itself some
//! minutes after we fell silent. An alarm that returned to normal or was closed is sent once more
//! with its end. Labels never change in the life of an alarm, so that the end meets its beginning.

use super::super::parcel::{Parcel, Shown};
use super::http::{Http, JSON, address};
use super::{Channel, Delivered, Room, SendError, Sending, StateBoard, payload};
use crate::clock::Clock;
use axum::http::Uri;
use cems_config::Hook;
use cems_core::model::time::MINUTE_MS;
use cems_core::model::{About, AlarmRow, Timestamp};
use cems_dashboards::message::{Headline, link};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::time::Duration;

/// How often alarms are sent again, as Prometheus does.
const AGAIN_EVERY: Duration = Duration::from_secs(60);
/// An alert that was not sent again for so long ends by itself.
const ENDS_AFTER_MS: i64 = 5 * MINUTE_MS;
/// Alerts in one request.
const BATCH: usize = 200;

/// The channel.
pub(super) struct Alertmanager {
    http: Http,
    uri: Uri,
    clock: Clock,
    console: Option<String>,
}

impl Alertmanager {
    pub(super) fn open(hook: &Hook, room: &Room) -> anyhow::Result<Self> {
        let root = hook.url.0.trim_end_matches('/');
        Ok(Self {
            http: Http::new(hook.ca.as_deref())?,
            uri: address(&format!("{root}/api/v2/alerts"))?,
            clock: room.clock.clone(),
            console: room.console.clone(),
        })
    }

    async fn post(&self, alerts: Vec<Value>) -> Result<Delivered, SendError> {
        let body = Value::from(alerts).to_string().into_bytes();
        let answer = self.http.post(&self.uri, JSON, &[], body).await?;
        Ok(Delivered {
            said: answer.said(),
        })
    }

    fn alarm(&self, shown: &Shown) -> Value {
        let row = &shown.row;
        let (subject_type, subject) = payload::subject(&row.subject);
        let text = |id: Option<String>| id.unwrap_or_default();
        json!({
            "labels": {
                "alertname": row.kind,
                "alarm": row.id.to_string(),
                "severity": row.priority,
                "subject_type": subject_type,
                "subject": subject,
                "enterprise": text(row.enterprise.as_ref().map(ToString::to_string)),
                "factor": text(row.factor.as_ref().map(ToString::to_string)),
            },
            "annotations": annotations(&shown.words),
            "startsAt": utc(row.raised_at),
            "endsAt": utc(self.end(row)),
            "generatorURL": text(link(self.console.as_deref(), &About::Alarm(row.id))),
        })
    }

    fn end(&self, row: &AlarmRow) -> Timestamp {
        let closed = row.closed.as_ref().map(|closure| closure.at);
        match (row.returned_at, closed) {
            (Some(end), _) | (None, Some(end)) => end,
            (None, None) => self.clock.now().plus_ms(ENDS_AFTER_MS),
        }
    }

    /// What is no alarm is an alert named after its reason, until its deadline.
    fn other(parcel: &Parcel) -> Value {
        let m = &parcel.message;
        let words: Vec<Headline> = parcel
            .written
            .iter()
            .map(|w| Headline {
                lang: w.lang,
                title: w.subject.clone(),
                text: w.text.clone(),
            })
            .collect();
        let object = m
            .about
            .first()
            .map_or_else(|| m.key.to_string(), About::object);
        json!({
            "labels": {
                "alertname": m.reason,
                "severity": m.priority,
                "subject": object,
                "message": m.id.to_string(),
            },
            "annotations": annotations(&words),
            "startsAt": utc(m.at),
            "endsAt": utc(m.deadline),
            "generatorURL": parcel.console.clone().unwrap_or_default(),
        })
    }
}

/// Title and text in each language; the first language under the usual names.
fn annotations(words: &[Headline]) -> Value {
    let mut out = json!({});
    for (n, w) in words.iter().enumerate() {
        let behind = if n == 0 {
            String::new()
        } else {
            format!("_{}", w.lang.code().replace('-', "_"))
        };
        out[format!("summary{behind}")] = Value::from(w.title.as_str());
        out[format!("description{behind}")] = Value::from(w.text.as_str());
    }
    out
}

/// RFC 3339 in UTC, as its API wants it.
fn utc(at: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(at.0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Channel for Alertmanager {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(async move {
            let alarms: Vec<Value> = parcel.shown.iter().map(|shown| self.alarm(shown)).collect();
            let alerts = if alarms.is_empty() {
                vec![Self::other(parcel)]
            } else {
                alarms
            };
            self.post(alerts).await
        })
    }

    fn board(&self) -> Option<&dyn StateBoard> {
        Some(self)
    }
}

impl StateBoard for Alertmanager {
    fn show<'a>(&'a self, alarms: &'a [Shown]) -> Sending<'a, ()> {
        Box::pin(async move {
            let alerts = alarms.iter().map(|shown| self.alarm(shown)).collect();
            self.post(alerts).await.map(|_| ())
        })
    }

    fn again_every(&self) -> Option<Duration> {
        Some(AGAIN_EVERY)
    }

    fn batch(&self) -> usize {
        BATCH
    }
}
