//! Vendor text on a line: what is asked and answered follows the patterns of the map.
//!
//! Text has no transaction number and often no address, so the rules of RTU hold here, too: what
//! comes too late is thrown away before the next request, and an answer is taken only when it
//! stands alone. Two requests of one instrument whose answers look the same cannot be told apart
//! when an answer comes later than the silence waited for (the time-out, and twice the slowest
//! answer); maps use the literals of their patterns against that.

use super::line::{Dirty, Line, NOISE_BYTES_MAX};
use super::question::LineError;
use super::quiet::DiscardError;
use super::units::SETTLE_MIN;
use cems_protocols::ascii::{ANSWER_BYTES_MAX, Found, Match, Pattern};
use smol_str::{ToSmolStr, format_smolstr};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// Silence that marks the end of a text from an instrument that sends unasked; its texts are a
/// second or so apart, its characters a few milliseconds.
const BETWEEN_TEXTS: Duration = Duration::from_millis(20);

impl Line {
    /// Sends a request, or waits for a text that comes unasked, and finds the answer.
    ///
    /// # Errors
    /// See [`LineError`]; the line sees to it that the next request is safe.
    pub async fn ask_text(
        &mut self,
        unit: u8,
        request: Option<&[u8]>,
        pattern: &Pattern,
        patience: Duration,
    ) -> Result<Match, LineError> {
        let reused = self.begin();
        match self.attempt_text(unit, request, pattern, patience).await {
            Err(LineError::Lost(_)) if reused => {
                self.forgive();
                self.attempt_text(unit, request, pattern, patience).await
            }
            other => other,
        }
    }

    async fn attempt_text(
        &mut self,
        unit: u8,
        request: Option<&[u8]>,
        pattern: &Pattern,
        patience: Duration,
    ) -> Result<Match, LineError> {
        if request.is_some() {
            self.ready().await?;
        } else {
            self.between_texts(patience).await?;
        }
        let asked = Dirty::asked(unit);
        let character = self.character().unwrap_or_default();
        let sent_bytes = u32::try_from(request.map_or(0, <[u8]>::len)).unwrap_or(u32::MAX);
        let until = Instant::now() + patience + character.saturating_mul(sent_bytes);
        let Some(open) = self.opened() else {
            return Err(LineError::Lost(io::ErrorKind::NotConnected.into()));
        };
        open.dirty = Some(asked);
        open.quiet.begin();
        let mut buffer = Vec::new();
        let mut quiet = open.quiet.clone();
        let talked = timeout_at(until, async {
            if let Some(request) = request {
                quiet.write_all(request).await.map_err(LineError::Lost)?;
            }
            collect(&mut quiet, pattern, unit, &mut buffer).await
        })
        .await;
        let answer = talked.unwrap_or(Err(LineError::Timeout(patience)));
        let answer = answer.and_then(|found| alone(request.is_some(), found, buffer.len()));
        let took = self.note_exchange();
        self.conclude(unit, answer.as_ref().err(), took);
        answer
    }

    /// Waits for the end of the text that is under way.
    async fn between_texts(&mut self, patience: Duration) -> Result<(), LineError> {
        self.opened_or_open().await?;
        let Some(open) = self.opened() else {
            return Err(LineError::Lost(io::ErrorKind::NotConnected.into()));
        };
        let limit = patience.max(SETTLE_MIN);
        match open.quiet.discard_until_silence(BETWEEN_TEXTS, limit).await {
            Ok(_) => Ok(()),
            Err(DiscardError::Wire(error)) => {
                self.failed(error.to_smolstr());
                Err(LineError::Lost(error))
            }
            Err(babble @ DiscardError::Babble { .. }) => {
                Err(LineError::Disorder(babble.to_smolstr()))
            }
        }
    }
}

/// Reads until the pattern finds an answer or cannot find one any more.
async fn collect(
    wire: &mut (impl AsyncReadExt + Unpin),
    pattern: &Pattern,
    unit: u8,
    buffer: &mut Vec<u8>,
) -> Result<Match, LineError> {
    let mut chunk = [0; 256];
    loop {
        let count = wire.read(&mut chunk).await.map_err(LineError::Lost)?;
        if count == 0 {
            return Err(LineError::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
        let room = ANSWER_BYTES_MAX.saturating_sub(buffer.len());
        buffer.extend(chunk[..count].iter().take(room));
        match pattern.find(buffer, unit) {
            Found::Match(found) => return Ok(found),
            Found::Refused(refusal) => return Err(LineError::Disorder(refusal.to_smolstr())),
            Found::More => {}
        }
    }
}

/// An answer among other bytes may be anyone's. Of texts that come unasked the next may follow.
fn alone(asked: bool, found: Match, received: usize) -> Result<Match, LineError> {
    let extra = received.saturating_sub(found.end - found.start.min(found.end));
    if asked && extra > NOISE_BYTES_MAX {
        return Err(LineError::Disorder(format_smolstr!(
            "{extra} bytes besides the answer"
        )));
    }
    Ok(found)
}
