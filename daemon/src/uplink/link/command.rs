//! Commands of a centre that the dialogue leaves to us: executed, or refused with the ExeRtn that
//! says why.

use super::super::translate::instant;
use super::fetch::{Fetch, SPAN_MS_MAX};
use super::serve::Writer;
use super::{Ending, Link};
use crate::keys::DeviceKey;
use crate::store::blocking;
use cems_core::model::time::SECOND_MS;
use cems_core::model::{RecordKind, Timestamp};
use cems_protocols::hj212::dialogue::{StationOutput, Token};
use cems_protocols::hj212::{FrameBuilder, HistoryKind, Item, LocalTime, Request, Secret, Sm4Key};
use std::sync::Arc;

/// ExeRtn of HJ 212-2017 table 11 (2005 knows 1, 2 and 100).
mod exe {
    /// Executed.
    pub(super) const DONE: u32 = 1;
    /// Failed; no reason has a number of its own.
    pub(super) const FAILED: u32 = 2;
    /// The conditions of the request are wrong: nothing here can do it so.
    pub(super) const CONDITION: u32 = 3;
    /// System fault.
    pub(super) const FAULT: u32 = 6;
    /// No data.
    pub(super) const NO_DATA: u32 = 100;
}

/// Most re-fetches that wait for each other; one more is answered as failed.
const FETCHES_MAX: usize = 8;
/// Notices of our own have keys above all records.
const OWN_KEYS: u64 = 1 << 62;
/// Hours between two requests for a new key while none comes.
const KEY_ASK_MS: i64 = 24 * 3_600 * SECOND_MS;

impl Link {
    /// Executes a request: what is to be sent, 9012 included, or nothing yet for a re-fetch.
    pub(super) async fn execute(
        &mut self,
        token: Token,
        request: Request,
    ) -> Result<Vec<StationOutput>, Ending> {
        let result = match request {
            Request::History { kind, begin, end } => {
                return Ok(self.fetch(token, kind, begin, end));
            }
            Request::GetInfo {
                pol_id,
                info_id,
                range,
            } => {
                return self.info(token, pol_id.as_deref(), &info_id, range).await;
            }
            Request::SetTime {
                pol_id: None,
                system_time,
            } => self.set_time(system_time).await?,
            Request::SetRealtimeInterval { seconds } => self.set_realtime(seconds).await?,
            // A mean over other minutes than those formed here would be another figure.
            Request::SetMinuteInterval { minutes } => {
                if self.outlet.expectation.minute_min == Some(minutes) {
                    exe::DONE
                } else {
                    exe::CONDITION
                }
            }
            Request::SetKey { key, .. } => self.set_key(&key).await?,
            Request::SetDeviceNumber { logger, mn } => {
                if logger == self.terms.mn || logger == self.station.config().mn {
                    self.kept.mn = Some(mn.to_string());
                    self.keep().await?;
                    exe::DONE
                } else {
                    exe::CONDITION
                }
            }
            // Nothing here measures facilities, and instruments say no serial number.
            Request::StartFacility | Request::GetSerial { .. } | Request::GetTime { .. } => {
                exe::NO_DATA
            }
            Request::SetAlarmDelay { .. }
            | Request::SetAlarmLimits { .. }
            | Request::SetCentreAddress { .. }
            | Request::SetReportTime { .. } => exe::FAILED,
            // Control of instruments (3011 to 3024): none of ours takes orders.
            _ => exe::CONDITION,
        };
        Ok(self.station.finish(self.dialogue_now().0, token, result))
    }

    fn fetch(
        &mut self,
        token: Token,
        kind: HistoryKind,
        begin: LocalTime,
        end: LocalTime,
    ) -> Vec<StationOutput> {
        let now = self.dialogue_now().0;
        let kind = match kind {
            HistoryKind::Minute => RecordKind::Minute,
            HistoryKind::Hour => RecordKind::Hour,
            HistoryKind::Day => RecordKind::Day,
            _ => return self.station.finish(now, token, exe::NO_DATA),
        };
        let offset = self.ground.offset;
        let (Some(from), Some(last)) = (instant(begin, offset), instant(end, offset)) else {
            return self.station.finish(now, token, exe::CONDITION);
        };
        if last.since_ms(from) > SPAN_MS_MAX {
            return self.station.finish(now, token, exe::CONDITION);
        }
        if self.fetches.len() >= FETCHES_MAX {
            return self.station.finish(now, token, exe::FAILED);
        }
        // The end is meant to the second.
        let last = last.plus_ms(SECOND_MS - 1);
        self.fetches.push_back(Fetch::new(token, kind, from, last));
        self.station.accept(now, token)
    }

    async fn info(
        &mut self,
        token: Token,
        pol_id: Option<&str>,
        info_id: &str,
        range: Option<(LocalTime, LocalTime)>,
    ) -> Result<Vec<StationOutput>, Ending> {
        let said = self.field_info(pol_id, info_id, range).await?;
        let now = self.dialogue_now().0;
        let mut outputs = Vec::new();
        let mut result = exe::NO_DATA;
        for (time, text) in said {
            let edition = self.station.config().edition;
            let mut frame = FrameBuilder::new(edition, &self.terms.st, "3020")
                .answer_wanted(self.uplink.answer)
                .data_time(&time.digits14());
            if let Some(pol_id) = pol_id {
                frame = frame.item(Item::bare("PolId", pol_id));
            }
            let frame = frame.item(Item::factor(info_id, &[("Info", &text)]));
            match self.station.data(now, token, frame) {
                Ok(sent) => {
                    outputs.extend(sent);
                    result = exe::DONE;
                }
                Err(error) => tracing::warn!(%error, "a line of the log stays here"),
            }
        }
        outputs.extend(self.station.finish(now, token, result));
        Ok(outputs)
    }

    /// CN 1012. The machine's clock is not ours to set; where it is allowed, the difference is kept
    /// and this line's numbers and answers follow the centre's time. Times of records stay those
    /// of the machine.
    async fn set_time(&mut self, system_time: LocalTime) -> Result<u32, Ending> {
        if !self.uplink.allow_time_sync {
            return Ok(exe::FAILED);
        }
        let Some(theirs) = instant(system_time, self.ground.offset) else {
            return Ok(exe::CONDITION);
        };
        let before = self.kept.clock_ahead_ms;
        self.kept.clock_ahead_ms = theirs.since_ms(self.ground.clock.now());
        self.keep().await?;
        // The pause before the next heartbeat begins anew on the new clock.
        self.station.on_connect(self.dialogue_now().0);
        let ahead_ms = self.kept.clock_ahead_ms;
        let detail = format!("clock set by the centre: {ahead_ms} ms ahead of ours, was {before}");
        self.note(vec![self.audit("uplink.clock", detail)]).await?;
        Ok(exe::DONE)
    }

    /// CN 1062. Records can only be left out: there are none between those formed here.
    async fn set_realtime(&mut self, seconds: u32) -> Result<u32, Ending> {
        let formed = self.outlet.expectation.realtime_s.unwrap_or(0);
        if formed == 0 || !seconds.is_multiple_of(formed) {
            return Ok(exe::CONDITION);
        }
        self.kept.settings.rtd_interval_s = seconds;
        self.station.settings_mut().rtd_interval_s = seconds;
        self.keep().await?;
        Ok(exe::DONE)
    }

    /// CN 1014 (second-hand: HJ 212-2025 as quoted publicly). The answer still goes out under the
    /// old key: 9012 is not enciphered.
    async fn set_key(&mut self, key: &Secret) -> Result<u32, Ending> {
        if self.key.is_none() {
            return Ok(exe::CONDITION);
        }
        let Ok(new) = DeviceKey::from_text(key.reveal()) else {
            return Ok(exe::CONDITION);
        };
        let (keys, owner) = (Arc::clone(&self.ground.keys), self.key_owner());
        let (since, given) = (self.ground.clock.now(), new.clone());
        let put = tokio::task::spawn_blocking(move || keys.put(&owner, &given, since)).await;
        if !matches!(put, Ok(Ok(()))) {
            return Ok(exe::FAULT);
        }
        self.key = Some(Sm4Key::new(*new.bytes()));
        let detail = format!("new key from the centre, fingerprint {}", new.fingerprint());
        self.note(vec![self.audit("uplink.key", detail)]).await?;
        Ok(exe::DONE)
    }

    /// What a logger of 2025 says by itself when a connection stands: that its key is old (1014).
    /// Second-hand: HJ 212-2025 as quoted publicly.
    pub(super) async fn greet(&mut self, writer: &mut Writer) -> Result<(), Ending> {
        let Some(made) = self.old_key().await? else {
            return Ok(());
        };
        let edition = self.station.config().edition;
        let created = super::super::translate::local(made, self.ground.offset);
        let frame = FrameBuilder::new(edition, &self.terms.st, "1014")
            .answer_wanted(true)
            .item(Item::bare("SKCreateTime", &created.digits14()));
        let now = self.dialogue_now().0;
        if let Ok(outputs) = self.station.upload(now, OWN_KEYS, frame) {
            self.carry_out(outputs, writer).await?;
        }
        Ok(())
    }

    /// When the key was put in force, if it is due to be changed and the centre was not asked
    /// within a day.
    async fn old_key(&mut self) -> Result<Option<Timestamp>, Ending> {
        if self.key.is_none() {
            return Ok(None);
        }
        let (keys, owner) = (Arc::clone(&self.ground.keys), self.key_owner());
        let dated = blocking(move || {
            keys.in_force(&owner)
                .map_err(|error| crate::store::StoreError::Io(error.to_string()))
        })
        .await?;
        let now = self.ground.clock.now();
        let since = dated.map(|dated| dated.since);
        let is_old = since.is_some_and(|at| now.since_ms(at) >= crate::keys::KEY_ROTATE_MS);
        let asked = self
            .key_asked
            .is_some_and(|at| now.since_ms(at) < KEY_ASK_MS);
        if !is_old || asked {
            return Ok(None);
        }
        self.key_asked = Some(now);
        Ok(since)
    }

    /// Answers among what is to be sent, for the journal.
    pub(super) fn sent_events(
        &self,
        outputs: &[StationOutput],
    ) -> Vec<crate::events::JournalEvent> {
        outputs
            .iter()
            .filter_map(|output| match output {
                StationOutput::Send { cn, bytes } if cn.starts_with('9') => {
                    Some(self.sent_event(bytes))
                }
                _ => None,
            })
            .collect()
    }
}
