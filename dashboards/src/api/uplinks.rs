//! Uploads to centres: how the lines stand, what was sent, and what no receipt is on record for.

use super::calls::flag;
use super::convert::Convert;
use super::problem::{Answer, Problem};
use super::schema::{Iso, shape};
use crate::app::Caller;
use crate::backend::{
    BackendError, LIST_ROWS_MAX, SENT_DAYS_MAX, SENT_FILE_ROWS_MAX, SentFilter, SentPlace, SentRow,
    UplinkGap, UplinkLine, UplinkSummary,
};
use crate::pages::Params;
use crate::sheet::{self, Cell};
use crate::view::Eyes;
use axum::Json;
use axum::response::Response;
use cems_core::model::OutletId;
use cems_core::model::time::DAY_MS;

use super::devices::TroubleOut;

shape! {
    /// One outlet on its way to one centre.
    UplinkLineOut {
        /// Which.
        outlet: String,
        /// A connection stands.
        connected: bool,
        /// Last trouble; for those who see the whole site.
        last_error: Option<TroubleOut>,
        /// Journal position up to which the records formed here were taken in hand.
        position: Option<u64>,
        /// Records formed behind that.
        lag_rows: u64,
        /// Records taken in hand and not acknowledged.
        pending: u64,
        /// Data time of the oldest of them.
        oldest_pending: Option<Iso>,
        /// Last acknowledgement.
        last_acknowledged: Option<Iso>,
        /// Records acknowledged so far.
        acknowledged: u64,
        /// Records that became too old to be owed.
        expired: u64,
        /// Records acknowledged since midnight of the site's clock.
        today_acknowledged: u64,
        /// Those of them that had to be sent more than once.
        today_resent: u64,
        /// Records sent since midnight and not acknowledged so far.
        today_unanswered: u64,
    }
}
shape! {
    /// A centre with the outlets that it gets, those in scope.
    UplinkLinesOut {
        /// Its id in the settings.
        id: String,
        /// host:port; for those who see the whole site.
        address: Option<String>,
        /// Edition spoken.
        edition: String,
        /// It is asked for acknowledgements.
        answer: bool,
        /// Days for which records are owed to it and receipts are kept.
        history_days: u64,
        /// One for each outlet.
        lines: Vec<UplinkLineOut>,
    }
}
shape! {
    /// A record on its way to a centre, or there.
    SentRecordOut {
        /// The centre.
        uplink: String,
        /// The outlet.
        outlet: String,
        /// realtime, minute, hour or day.
        kind: String,
        /// Its data time.
        start: Iso,
        /// Journal position of the version concerned.
        seq: u64,
        /// acknowledged, taken (no answers are asked for), unanswered (sent, it goes again),
        /// waiting (not sent yet), not-owed, or unsendable.
        state: String,
        /// Times it was sent, in all versions.
        times: u64,
        /// The first time; null when not sent, or before such times were noted.
        first_sent: Option<Iso>,
        /// The last time.
        last_sent: Option<Iso>,
        /// When it was acknowledged.
        acknowledged_at: Option<Iso>,
        /// Command code of the answer: 9014, from some centres 9013.
        answer: Option<String>,
        /// Sent more often than there are versions of it.
        resent: bool,
        /// A correction: an earlier version was acknowledged.
        corrected: bool,
    }
}
shape! {
    /// Records on their way and there, newest data time first.
    SentRecordsOut {
        /// At most 500.
        rows: Vec<SentRecordOut>,
        /// What to give as `before` for the next ones; null at the end.
        older: Option<String>,
    }
}
shape! {
    /// Records formed one after another none of which has an acknowledgement on record.
    UplinkGapOut {
        /// The centre.
        uplink: String,
        /// The outlet.
        outlet: String,
        /// realtime, minute, hour or day.
        kind: String,
        /// Data time of the first.
        first: Iso,
        /// Data time of the last.
        last: Iso,
        /// How many.
        records: u64,
        /// Those of them that still wait to be acknowledged; the others are owed no more.
        pending: u64,
        /// Those of the waiting that were sent without an answer.
        unanswered: u64,
    }
}

impl Caller {
    /// The filter of a query, for at most `limit` rows.
    fn sent_filter(&self, query: &Params, limit: usize) -> Result<SentFilter, Problem> {
        let named = |name: &str| query.get(name).filter(|text| !text.is_empty());
        let behind = named("before")
            .map(|text| SentPlace::read(text).ok_or_else(|| self.bad(format!("before {text}"))));
        Ok(SentFilter {
            uplink: named("uplink").cloned(),
            outlet: named("outlet").map(OutletId::new),
            kind: named("kind").map(|name| self.kind(name)).transpose()?,
            span: self.span_of(query, DAY_MS, SENT_DAYS_MAX * DAY_MS)?,
            open_only: flag(query, "open"),
            behind: behind.transpose()?,
            limit,
        })
    }
}

pub(super) async fn list(caller: Caller) -> Answer<Vec<UplinkLinesOut>> {
    let rows = caller.rows(|b, actor| b.uplinks(actor)).await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::uplink_lines)))
}

pub(super) async fn receipts(caller: Caller, query: Params) -> Answer<SentRecordsOut> {
    // One more than is shown tells whether there are more.
    let filter = caller.sent_filter(&query, LIST_ROWS_MAX + 1)?;
    let mut rows = caller.rows(move |b, a| b.sent(a, &filter)).await?;
    let more = rows.len() > LIST_ROWS_MAX;
    rows.truncate(LIST_ROWS_MAX);
    let last = rows.last().filter(|_| more);
    let older = last.map(|row| SentPlace::of(row).text());
    let rows = caller.convert().all(&rows, Convert::sent_record);
    Ok(Json(SentRecordsOut { rows, older }))
}

pub(super) async fn gaps(caller: Caller, query: Params) -> Answer<Vec<UplinkGapOut>> {
    let filter = caller.sent_filter(&query, LIST_ROWS_MAX)?;
    let rows = caller.rows(move |b, a| b.uplink_gaps(a, &filter)).await?;
    Ok(Json(caller.convert().all(&rows, Convert::uplink_gap)))
}

/// `GET /api/v1/uplinks/receipts/file?format=`: the whole list as a table.
pub(super) async fn file(caller: Caller, query: Params) -> Result<Response, Problem> {
    let format = caller.format(&query)?;
    let filter = caller.sent_filter(&query, SENT_FILE_ROWS_MAX + 1)?;
    let (words, registry) = (caller.words, std::sync::Arc::clone(&caller.registry));
    let times = caller.convert().times;
    // A long table takes its time: it is written where the rows are read.
    let content = caller.rows(move |backend, actor| {
        let rows = backend.sent(actor, &filter)?;
        if rows.len() > SENT_FILE_ROWS_MAX {
            let most = SENT_FILE_ROWS_MAX.to_string();
            return Err(crate::refusal::refused("too-many-rows", most));
        }
        let eyes = Eyes {
            words,
            times,
            registry: &registry,
        };
        let table = table(&eyes, &rows);
        sheet::write(format, &table, (times.now, times.offset)).map_err(BackendError::Unavailable)
    });
    let content = content.await?;
    Ok(sheet::answer(format, "receipts", content))
}

/// Headings of the file, as text keys.
const COLUMNS: [&str; 14] = [
    "uplink",
    "outlet-id",
    "subject",
    "receipt-kind",
    "receipt-start",
    "status",
    "receipt-first-sent",
    "receipt-last-sent",
    "receipt-times",
    "receipt-settled",
    "receipt-answer",
    "receipt-resent",
    "receipt-corrected",
    "journal",
];

fn table(eyes: &Eyes<'_>, rows: &[SentRow]) -> Vec<Vec<Cell>> {
    let words = eyes.words;
    let mut table = vec![COLUMNS.map(|key| Cell::text(words.t(key))).to_vec()];
    let time = |at: Option<_>| at.map_or(Cell::Empty, |at| Cell::text(eyes.times.full(at)));
    let mark = |set: bool| if set { Cell::of(1) } else { Cell::Empty };
    table.extend(rows.iter().map(|row| {
        vec![
            Cell::text(&row.uplink),
            Cell::text(row.outlet.as_str()),
            Cell::text(eyes.outlet_words(&row.outlet)),
            Cell::text(words.code("kind", row.kind.as_str())),
            time(Some(row.start)),
            Cell::text(words.code("sent-state", row.state.as_str())),
            time(row.first_sent),
            time(row.last_sent),
            Cell::of(row.times),
            time(row.settled_at),
            row.answer.as_ref().map_or(Cell::Empty, Cell::text),
            mark(row.resent),
            mark(row.corrected),
            Cell::of(row.seq.0),
        ]
    }));
    table
}

impl Convert<'_> {
    fn uplink_lines(&self, row: &UplinkSummary) -> UplinkLinesOut {
        UplinkLinesOut {
            id: row.id.clone(),
            address: row.address.clone(),
            edition: row.edition.clone(),
            answer: row.answer,
            history_days: u64::from(row.history_days),
            lines: self.all(&row.lines, Self::uplink_line),
        }
    }

    fn uplink_line(&self, row: &UplinkLine) -> UplinkLineOut {
        UplinkLineOut {
            outlet: row.outlet.to_string(),
            connected: row.connected,
            last_error: self.trouble(row.last_error.as_ref()),
            position: row.position.map(|seq| seq.0),
            lag_rows: row.lag_rows,
            pending: row.pending,
            oldest_pending: self.iso_opt(row.oldest_pending),
            last_acknowledged: self.iso_opt(row.last_acknowledged),
            acknowledged: row.acknowledged,
            expired: row.expired,
            today_acknowledged: row.today.acknowledged,
            today_resent: row.today.resent,
            today_unanswered: row.today.unanswered,
        }
    }

    fn sent_record(&self, row: &SentRow) -> SentRecordOut {
        SentRecordOut {
            uplink: row.uplink.clone(),
            outlet: row.outlet.to_string(),
            kind: row.kind.as_str().to_owned(),
            start: self.iso(row.start),
            seq: row.seq.0,
            state: row.state.as_str().to_owned(),
            times: u64::from(row.times),
            first_sent: self.iso_opt(row.first_sent),
            last_sent: self.iso_opt(row.last_sent),
            acknowledged_at: self.iso_opt(row.settled_at.filter(|_| row.state.is_there())),
            answer: row.answer.clone(),
            resent: row.resent,
            corrected: row.corrected,
        }
    }

    fn uplink_gap(&self, row: &UplinkGap) -> UplinkGapOut {
        UplinkGapOut {
            uplink: row.uplink.clone(),
            outlet: row.outlet.to_string(),
            kind: row.kind.as_str().to_owned(),
            first: self.iso(row.first),
            last: self.iso(row.last),
            records: row.records,
            pending: row.pending,
            unanswered: row.unanswered,
        }
    }
}
