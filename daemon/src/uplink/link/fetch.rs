//! Records a centre has asked for (补取: CN 2051, 2061, 2031): one after another from the store,
//! each under a number of its own, between what is new.

use super::serve::Writer;
use super::{Ending, Link};
use crate::store::blocking;
use crate::store::{Readers, StoreError};
use cems_core::model::time::DAY_MS;
use cems_core::model::{OutletId, RecordKind, RecordRow, Timestamp};
use cems_protocols::hj212::dialogue::Token;
use std::collections::VecDeque;

/// Longest span a centre may ask for at once; the law wants data kept for years, a dialogue on
/// one line for longer than this would last for days.
pub(super) const SPAN_MS_MAX: i64 = 400 * DAY_MS;
/// Spans looked up at a time: about a thousand records of a kind at the most.
const MINUTES_SPAN_MS: i64 = DAY_MS;
const HOURS_SPAN_MS: i64 = 30 * DAY_MS;

/// One re-fetch under way.
pub(super) struct Fetch {
    token: Token,
    kind: RecordKind,
    /// Where the next look-up begins.
    from: Timestamp,
    /// Last start wanted, included.
    last: Timestamp,
    found: VecDeque<RecordRow>,
    sent: u64,
}

impl Fetch {
    /// Records of `kind` that start at `from` to `last`, both included.
    pub(super) fn new(token: Token, kind: RecordKind, from: Timestamp, last: Timestamp) -> Self {
        Self {
            token,
            kind,
            from,
            last,
            found: VecDeque::new(),
            sent: 0,
        }
    }

    /// The request it belongs to.
    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// The next record; `None` at the end.
    async fn next(
        &mut self,
        readers: &Readers,
        outlet: &OutletId,
    ) -> Result<Option<RecordRow>, StoreError> {
        let span_ms = match self.kind {
            RecordKind::Realtime | RecordKind::Minute => MINUTES_SPAN_MS,
            RecordKind::Hour | RecordKind::Day => HOURS_SPAN_MS,
        };
        while self.found.is_empty() && self.from <= self.last {
            let until = self.from.plus_ms(span_ms).min(self.last.plus_ms(1));
            let (readers, outlet) = (readers.clone(), outlet.clone());
            let (kind, from) = (self.kind, self.from);
            self.found = blocking(move || readers.records(&outlet, kind, from, until))
                .await?
                .into();
            self.from = until;
        }
        Ok(self.found.pop_front())
    }
}

impl Link {
    /// Goes on with what the centre has asked for; true when something was sent or settled.
    pub(super) async fn fetch_on(&mut self, writer: &mut Writer) -> Result<bool, Ending> {
        let Some(fetch) = self.fetches.front_mut() else {
            return Ok(false);
        };
        let token = fetch.token;
        if !self.station.ready_for_data(token) {
            return Ok(false);
        }
        let row = fetch.next(&self.ground.readers, &self.terms.outlet).await?;
        let now = self.dialogue_now().0;
        let outputs = match row {
            Some(row) => {
                let Some(frame) = self.frame(&row, false) else {
                    return Ok(true);
                };
                match self.station.data(now, token, frame) {
                    Ok(outputs) => {
                        if let Some(fetch) = self.fetches.front_mut() {
                            fetch.sent += 1;
                        }
                        outputs
                    }
                    Err(error) => {
                        tracing::warn!(uplink = %self.uplink.id, %error, "a record stays here");
                        return Ok(true);
                    }
                }
            }
            None => {
                let sent = self.fetches.pop_front().map_or(0, |fetch| fetch.sent);
                // 100: no data.
                let result = if sent > 0 { 1 } else { 100 };
                let outputs = self.station.finish(now, token, result);
                let events = self.sent_events(&outputs);
                self.note(events).await?;
                outputs
            }
        };
        self.carry_out(outputs, writer).await?;
        Ok(true)
    }
}
