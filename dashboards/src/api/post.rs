//! Channels and messages.

use super::answers::ReceiptOut;
use super::calls::Id;
use super::convert::Convert;
use super::devices::TroubleOut;
use super::problem::Answer;
use super::schema::{Iso, shape};
use crate::app::Caller;
use crate::backend::BackendError;
use crate::backend::{ChannelStatus, MessageState, MessageStatus, may_see_messages};
use crate::pages::Params;
use axum::Json;
use cems_core::model::{About, ChannelId, MessageId};

shape! {
    /// A channel for messages and how it is doing.
    ChannelOut {
        /// Its name.
        id: String,
        /// mail, sms, mqtt, dingtalk, wecom, feishu, webhook or alertmanager.
        kind: String,
        /// Messages that wait.
        waiting: u64,
        /// Messages delivered so far.
        delivered: u64,
        /// Dead letters at hand.
        dead: u64,
        /// The last delivery.
        last_sent: Option<Iso>,
        /// The last trouble, without addresses and secrets.
        last_error: Option<TroubleOut>,
    }
}
shape! {
    /// A message with what became of it so far.
    MessageOut {
        /// Identity.
        id: u64,
        /// The same text for the same fact.
        key: String,
        /// Why: alarm-raised, alarm-returned, report-reminder, ...
        reason: String,
        /// urgent, high, normal or low.
        priority: String,
        /// Through which channel.
        channel: String,
        /// To whom: a user, or null for the channel's own address.
        to: Option<String>,
        /// What it is about: `alarm/12`, `fallback/3`, `duty/...`.
        about: Vec<String>,
        /// How many more things it would be about.
        more: u64,
        /// When it was decided.
        at: Iso,
        /// When it is given up.
        deadline: Iso,
        /// waiting, delivered or dead.
        state: String,
        /// How often it was tried.
        attempts: u64,
        /// When it is tried next; null when it has come to its end.
        next_at: Option<Iso>,
        /// When it came to its end.
        ended_at: Option<Iso>,
        /// What the other side said last, or what was wrong.
        detail: String,
    }
}

pub(super) async fn channels(caller: Caller) -> Answer<Vec<ChannelOut>> {
    allowed(&caller)?;
    let rows = caller.rows(|b, actor| b.channels(actor)).await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::channel)))
}

pub(super) async fn messages(caller: Caller, query: Params) -> Answer<Vec<MessageOut>> {
    allowed(&caller)?;
    let name = query.get("state").map_or("dead", String::as_str);
    let state = MessageState::from_name(name).ok_or_else(|| caller.bad(format!("state {name}")))?;
    let rows = caller
        .rows(move |b, actor| b.messages(actor, state))
        .await?;
    let convert = caller.convert();
    Ok(Json(convert.all(&rows, Convert::message)))
}

pub(super) async fn test(caller: Caller, id: Id<String>) -> Answer<ReceiptOut> {
    let id = ChannelId::new(caller.id(id)?);
    let receipt = caller.app.backend.test_channel(&caller.actor, id).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

pub(super) async fn again(caller: Caller, id: Id<u64>) -> Answer<ReceiptOut> {
    let id = MessageId(caller.id(id)?);
    let receipt = caller.app.backend.send_again(&caller.actor, id).await;
    let receipt = receipt.map_err(|e| caller.problem(&e))?;
    Ok(Json(caller.convert().receipt(receipt)))
}

fn allowed(caller: &Caller) -> Result<(), super::problem::Problem> {
    if may_see_messages(caller.actor.role) {
        Ok(())
    } else {
        Err(caller.problem(&BackendError::Forbidden))
    }
}

impl Convert<'_> {
    fn channel(&self, row: &ChannelStatus) -> ChannelOut {
        ChannelOut {
            id: row.id.to_string(),
            kind: row.kind.as_str().to_owned(),
            waiting: row.waiting,
            delivered: row.delivered,
            dead: row.dead,
            last_sent: self.iso_opt(row.last_sent),
            last_error: self.trouble(row.trouble.as_ref()),
        }
    }

    fn message(&self, row: &MessageStatus) -> MessageOut {
        let m = &row.message;
        MessageOut {
            id: m.id.0,
            key: m.key.to_string(),
            reason: m.reason.as_str().to_owned(),
            priority: m.priority.as_str().to_owned(),
            channel: m.channel.to_string(),
            to: m.to.user().map(ToString::to_string),
            about: m.about.iter().map(About::object).collect(),
            more: u64::from(m.more),
            at: self.iso(m.at),
            deadline: self.iso(m.deadline),
            state: row.state.as_str().to_owned(),
            attempts: u64::from(row.attempts),
            next_at: (row.state == MessageState::Waiting).then(|| self.iso(row.next_at)),
            ended_at: self.iso_opt(row.ended_at),
            detail: row.detail.clone(),
        }
    }
}
