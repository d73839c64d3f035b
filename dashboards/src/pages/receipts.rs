//! `/receipts`: what was sent to which centre, when, acknowledged or not, and what is missing.

use super::clues::day;
use super::judgement::{Fields, for_field};
use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::{
    BackendError, GAPS_MAX, SENT_DAYS_MAX, SENT_FILE_ROWS_MAX, SentFilter, SentPlace, SentRow,
    UplinkGap, UplinkReplay, UplinkSummary, may_replay, may_see_destinations,
};
use crate::url::encode;
use crate::view::receipts::{GapItem, SentItem, UplinkCard, UplinkReplayItem};
use crate::view::section::Choice;
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::Query;
use cems_core::model::time::DAY_MS;
use cems_core::model::{Level, OutletId, Period, RecordKind, Timestamp};

/// Rows of one page; the API gives more at a time.
const ROWS_SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "receipts.html")]
struct ReceiptsPage {
    shell: Shell,
    uplinks: Vec<UplinkCard>,
    rows: Vec<SentItem>,
    gaps: Vec<GapItem>,
    /// There are more gaps than are shown.
    gaps_cut: bool,
    centres: Vec<Choice>,
    outlets: Vec<Choice>,
    kinds: Vec<Choice>,
    open_only: bool,
    from: String,
    /// The last day shown.
    until: String,
    days_max: i64,
    file_rows_max: usize,
    /// Addresses of the list as a file.
    csv: String,
    xlsx: String,
    /// The next rows; `None` at the end.
    older: Option<String>,
    /// The first rows, when others are shown.
    first: Option<String>,
    may_see_destinations: bool,
    /// Periods sent again, for those who may see destinations.
    replays: Vec<UplinkReplayItem>,
    may_replay: bool,
    /// What the form for another begins with: the last day.
    replay_from: String,
    replay_until: String,
}

/// Whole days of the query: yesterday and today when it names none, and never more than may be
/// asked for at once.
fn span(visit: &Visit, query: &Fields) -> (Timestamp, Timestamp) {
    let today = Period::containing(Level::Day, visit.times.now, visit.times.offset).start;
    let last = day(visit, query.get("until")).unwrap_or(today);
    let usual = last.plus_ms(-DAY_MS);
    let from = day(visit, query.get("from")).unwrap_or(usual).min(last);
    let until = last.plus_ms(DAY_MS);
    (from.max(until.plus_ms(-SENT_DAYS_MAX * DAY_MS)), until)
}

fn filter(visit: &Visit, query: &Fields) -> SentFilter {
    let named = |name: &str| query.get(name).filter(|text| !text.is_empty());
    let kind = named("kind").map(String::as_str);
    SentFilter {
        uplink: named("uplink").cloned(),
        outlet: named("outlet").map(OutletId::new),
        kind: RecordKind::ALL
            .into_iter()
            .find(|k| Some(k.as_str()) == kind),
        span: span(visit, query),
        open_only: named("open").is_some(),
        behind: named("before").and_then(|text| SentPlace::read(text)),
        limit: ROWS_SHOWN + 1,
    }
}

/// The part of an address that says what is filtered, without period and place.
fn chosen(filter: &SentFilter) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| out.push_str(&format!("&{name}={}", encode(value)));
    if let Some(uplink) = &filter.uplink {
        add("uplink", uplink);
    }
    if let Some(outlet) = &filter.outlet {
        add("outlet", outlet.as_str());
    }
    if let Some(kind) = filter.kind {
        add("kind", kind.as_str());
    }
    if filter.open_only {
        add("open", "1");
    }
    out
}

/// `GET /receipts?uplink=&outlet=&kind=&from=&until=&open=1&before=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    shown(&visit, &query, notice).await
}

/// What the page is made of.
struct Told {
    uplinks: Vec<UplinkSummary>,
    rows: Vec<SentRow>,
    gaps: Vec<UplinkGap>,
    replays: Vec<UplinkReplay>,
}

async fn told(visit: &Visit, asked: SentFilter) -> Result<Told, BackendError> {
    visit
        .read(move |backend, actor| {
            let mut told = Told {
                uplinks: backend.uplinks(actor)?,
                rows: Vec::new(),
                gaps: Vec::new(),
                replays: Vec::new(),
            };
            if told.uplinks.is_empty() {
                return Ok(told);
            }
            told.rows = backend.sent(actor, &asked)?;
            told.gaps = backend.uplink_gaps(actor, &asked)?;
            if may_see_destinations(actor.role) {
                told.replays = backend.uplink_replays(actor)?;
            }
            Ok(told)
        })
        .await
}

/// The page, with what became of a form.
pub(super) async fn shown(visit: &Visit, query: &Fields, notice: Option<Notice>) -> Page {
    let filter = filter(visit, query);
    let told = told(visit, filter.clone()).await;
    let Told {
        uplinks,
        mut rows,
        gaps,
        replays,
    } = told.map_err(|e| visit.failed(&e))?;
    let more = rows.len() > ROWS_SHOWN;
    rows.truncate(ROWS_SHOWN);
    let (eyes, times) = (visit.eyes(), visit.times);
    let (from, until) = filter.span;
    let days = (times.date(from), times.date(until.plus_ms(-1)));
    let chosen = chosen(&filter);
    let here = format!("/receipts?from={}&until={}{chosen}", days.0, days.1);
    let behind = |place: SentPlace| format!("{here}&before={}", encode(&place.text()));
    let instants = [from, until].map(|at| encode(&times.iso(at)));
    let file = format!(
        "/api/v1/uplinks/receipts/file?from={}&until={}{chosen}",
        instants[0], instants[1]
    );
    Ok(html(&ReceiptsPage {
        shell: Shell::new(visit, "receipts").with_notice(notice),
        rows: rows.iter().map(|row| SentItem::new(&eyes, row)).collect(),
        gaps: gaps.iter().map(|row| GapItem::new(&eyes, row)).collect(),
        gaps_cut: gaps.len() >= GAPS_MAX,
        centres: choices(uplinks.iter().map(|uplink| {
            let chosen = filter.uplink.as_ref() == Some(&uplink.id);
            (uplink.id.clone(), uplink.id.clone(), chosen)
        })),
        outlets: outlets(visit, &uplinks, filter.outlet.as_ref()),
        kinds: choices(RecordKind::ALL.into_iter().map(|kind| {
            let word = visit.words.code("kind", kind.as_str());
            (kind.as_str().to_owned(), word, filter.kind == Some(kind))
        })),
        uplinks: uplinks
            .iter()
            .map(|row| UplinkCard::new(&eyes, row))
            .collect(),
        open_only: filter.open_only,
        older: rows
            .last()
            .filter(|_| more)
            .map(|row| behind(SentPlace::of(row))),
        first: filter.behind.is_some().then(|| here.clone()),
        csv: format!("{file}&format=csv"),
        xlsx: format!("{file}&format=xlsx"),
        from: days.0,
        until: days.1,
        days_max: SENT_DAYS_MAX,
        file_rows_max: SENT_FILE_ROWS_MAX,
        may_see_destinations: may_see_destinations(visit.actor.role),
        replays: replays
            .iter()
            .map(|row| UplinkReplayItem::new(&eyes, row))
            .collect(),
        may_replay: may_replay(visit.actor.role),
        replay_from: for_field(visit, times.now.plus_ms(-DAY_MS)),
        replay_until: for_field(visit, times.now),
    }))
}

fn choices(all: impl Iterator<Item = (String, String, bool)>) -> Vec<Choice> {
    all.map(|(value, label, chosen)| Choice {
        value,
        label,
        chosen,
    })
    .collect()
}

/// Every outlet that goes to some centre, once.
fn outlets(visit: &Visit, uplinks: &[UplinkSummary], chosen: Option<&OutletId>) -> Vec<Choice> {
    let eyes = visit.eyes();
    let lines = uplinks.iter().flat_map(|uplink| &uplink.lines);
    let ids: std::collections::BTreeSet<&OutletId> = lines.map(|line| &line.outlet).collect();
    choices(ids.into_iter().map(|id| {
        let label = eyes.outlet_words(id);
        (id.to_string(), label, chosen == Some(id))
    }))
}
