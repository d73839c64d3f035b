//! `/live`: tells a page what changed, so that it fetches itself anew. The stream carries names of
//! what changed, never data: what a person may see is decided where the page is made.

use crate::app::{App, Visit};
use crate::backend::{Change, Changes};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use cems_core::model::{Access, OutletId};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// Changes within this time after the first one go out together: a page refreshes once for a
/// burst, and a fast demo does not flood the line.
const GATHER: Duration = Duration::from_millis(250);

/// A sign of life at least this often; the page calls the connection lost after three missed ones.
const TICK: Duration = Duration::from_secs(10);

/// More changed outlets than this in one message are sent as "everything": the page fetches
/// itself once either way.
const OUTLETS_MAX: usize = 100;

#[derive(Debug, Default, Serialize, PartialEq, Eq)]
struct News {
    /// Journal position reached; 0 when the message stands for an unknown number of changes.
    seq: u64,
    /// `values`, `values:<outlet>`, `alarms`, `fallbacks`, `duties`, `exchanges`,
    /// `exchanges:<outlet>`, `exchange:<id>`, `registry`, `desk`, `health`, or `all`.
    topics: BTreeSet<String>,
}

impl News {
    fn everything() -> Self {
        Self {
            seq: 0,
            topics: BTreeSet::from(["all".to_owned()]),
        }
    }
}

struct Feed {
    app: App,
    token: String,
    access: Access,
    changes: Receiver<Changes>,
    closing: Option<watch::Receiver<bool>>,
    started: bool,
    ended: bool,
    next_tick: Instant,
    _permit: OwnedSemaphorePermit,
}

/// `GET /live`.
pub(crate) async fn live(visit: Visit) -> Response {
    let Ok(permit) = visit.app.streams.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "15")]).into_response();
    };
    let feed = Feed {
        changes: visit.app.backend.changes(),
        closing: visit.app.options.closing.clone(),
        access: Access {
            role: visit.actor.role,
            scope: visit.actor.scope.clone(),
        },
        token: visit.token,
        app: visit.app,
        started: false,
        ended: false,
        next_tick: Instant::now() + TICK,
        _permit: permit,
    };
    // Proxies that buffer would hold back the news.
    ([("x-accel-buffering", "no")], Sse::new(events(feed))).into_response()
}

fn events(feed: Feed) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    })
}

impl Feed {
    /// The next message, or `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        if !self.started {
            self.started = true;
            return Some(self.tick());
        }
        loop {
            let mut closing = self.closing.clone();
            let news = tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(first) => self.gather(first).await,
                    Err(RecvError::Lagged(_)) => {
                        self.changes = self.changes.resubscribe();
                        News::everything()
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = sleep_until(self.next_tick) => {
                    self.next_tick = Instant::now() + TICK;
                    if self.still_valid().await {
                        return Some(self.tick());
                    }
                    self.ended = true;
                    return Some(Event::default().event("gone").data("{}"));
                }
                () = closed(&mut closing) => return None,
            };
            if !news.topics.is_empty() {
                return Some(message("change", &news));
            }
        }
    }

    fn tick(&self) -> Event {
        let now = serde_json::json!({ "now": self.app.backend.now().0 });
        message("tick", &now)
    }

    /// A session that was ended elsewhere must not go on listening.
    async fn still_valid(&self) -> bool {
        let token = self.token.clone();
        let session = self.app.read(move |b| Ok(b.session(&token))).await;
        // An unavailable backend does not log anybody out.
        !matches!(session, Ok(None))
    }

    async fn gather(&mut self, first: Changes) -> News {
        let mut news = News::default();
        self.add(&mut news, &first);
        let until = Instant::now() + GATHER;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            match timeout(rest, self.changes.recv()).await {
                Ok(Ok(more)) => self.add(&mut news, &more),
                Ok(Err(RecvError::Lagged(_))) => return self.catch_up(),
                Ok(Err(RecvError::Closed)) | Err(_) => return news,
            }
            if news.topics.len() > OUTLETS_MAX {
                return self.catch_up();
            }
        }
    }

    /// Drops what waits: the page is about to fetch all of it.
    fn catch_up(&mut self) -> News {
        loop {
            match self.changes.try_recv() {
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return News::everything(),
            }
        }
    }

    fn add(&self, news: &mut News, changes: &Changes) {
        news.seq = news.seq.max(changes.seq.0);
        for change in changes.changes.iter() {
            match change {
                Change::Values(outlet) if !self.sees(outlet) => {}
                Change::Values(outlet) => {
                    news.topics.insert("values".to_owned());
                    news.topics.insert(format!("values:{outlet}"));
                }
                Change::Alarm(_) => {
                    news.topics.insert("alarms".to_owned());
                }
                Change::Fallback(_) => {
                    news.topics.insert("fallbacks".to_owned());
                }
                Change::Exchange(_, outlet) if !self.sees(outlet) => {}
                Change::Exchange(id, outlet) => {
                    news.topics.insert("exchanges".to_owned());
                    news.topics.insert(format!("exchanges:{outlet}"));
                    news.topics.insert(format!("exchange:{}", id.0));
                }
                Change::Messages => {
                    news.topics.insert("messages".to_owned());
                }
                Change::Destinations => {
                    news.topics.insert("destinations".to_owned());
                }
                Change::Uplinks => {
                    news.topics.insert("uplinks".to_owned());
                }
                Change::Duties => {
                    news.topics.insert("duties".to_owned());
                }
                Change::Registry => {
                    news.topics.insert("registry".to_owned());
                }
                Change::Desk => {
                    news.topics.insert("desk".to_owned());
                }
                Change::Health => {
                    news.topics.insert("health".to_owned());
                }
            }
        }
    }

    fn sees(&self, id: &OutletId) -> bool {
        let registry = self.app.backend.registry();
        registry
            .outlets
            .get(id)
            .is_some_and(|outlet| self.access.covers(&registry, outlet))
    }
}

async fn closed(closing: &mut Option<watch::Receiver<bool>>) {
    match closing {
        Some(signal) => {
            // An error means that the daemon dropped its end, which is a stop as well.
            let _ = signal.wait_for(|stop| *stop).await;
        }
        None => std::future::pending().await,
    }
}

fn message(name: &str, data: &impl Serialize) -> Event {
    let text = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    Event::default().event(name).data(text)
}
