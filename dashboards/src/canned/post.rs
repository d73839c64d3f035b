//! Fictional channels and messages: one that works, one in trouble, a dead letter.

use super::Canned;
use super::rows::NOW;
use super::writing::{allow, refused};
use crate::backend::{
    Actor, BackendError, Change, ChannelStatus, MessageState, MessageStatus, PostOffice, Receipt,
    Reply, may_test_channels,
};
use cems_core::model::time::{HOUR_MS, MINUTE_MS};
use cems_core::model::{
    About, AlarmId, ChannelId, ChannelKind, FallbackId, MessageId, MessageReason, MessageRow,
    Permission, Priority, Recipient, Role, Seq,
};

/// The channels of this fiction.
pub(super) fn channels() -> Vec<ChannelStatus> {
    let channel = |id: &str, kind, waiting, dead| ChannelStatus {
        id: ChannelId::new(id),
        kind,
        waiting,
        delivered: 1_204,
        dead,
        last_sent: Some(NOW.plus_ms(-4 * MINUTE_MS)),
        trouble: None,
        reaches_me: true,
    };
    let why = "connection error: Connection refused";
    vec![
        channel("mail", ChannelKind::Mail, 0, 1),
        ChannelStatus {
            delivered: 318,
            last_sent: Some(NOW.plus_ms(-3 * HOUR_MS)),
            trouble: Some((NOW.plus_ms(-2 * MINUTE_MS), why.to_owned())),
            ..channel("broker", ChannelKind::Mqtt, 1, 0)
        },
        ChannelStatus {
            delivered: 0,
            last_sent: None,
            reaches_me: false,
            ..channel("sms", ChannelKind::Sms, 0, 0)
        },
    ]
}

/// The messages of this fiction.
pub(super) fn messages() -> Vec<MessageStatus> {
    let row = |id: u64, reason, channel: &str, to, about: Vec<About>| MessageRow {
        id: MessageId(id),
        key: format!("{id}").into(),
        reason,
        channel: ChannelId::new(channel),
        to,
        priority: Priority::Urgent,
        enterprise: None,
        about,
        more: 0,
        at: NOW.plus_ms(-5 * MINUTE_MS),
        deadline: NOW.plus_ms(12 * HOUR_MS),
        seq: Seq(184_000 + id),
    };
    let person = |id: &str| Recipient::User(id.into());
    let status = |message: MessageRow, state, detail: &str| MessageStatus {
        message,
        state,
        attempts: 1,
        next_at: NOW.plus_ms(MINUTE_MS),
        ended_at: (state != MessageState::Waiting).then(|| NOW.plus_ms(-4 * MINUTE_MS)),
        detail: detail.to_owned(),
    };
    let alarm = vec![About::Alarm(AlarmId(30))];
    let report = vec![About::Fallback(FallbackId(5))];
    use MessageReason as R;
    vec![
        status(
            row(
                3,
                R::AlarmRaised,
                "broker",
                Recipient::Channel,
                alarm.clone(),
            ),
            MessageState::Waiting,
            "connection error: Connection refused",
        ),
        status(
            row(2, R::ReportEscalated, "mail", person("qiye"), report),
            MessageState::Dead,
            "permanent error (550): mailbox unavailable",
        ),
        status(
            row(1, R::AlarmRaised, "mail", person("zhiban"), alarm),
            MessageState::Delivered,
            "250 queued",
        ),
    ]
}

impl Canned {
    fn write_channel_test(&self, actor: &Actor, id: &ChannelId) -> Result<Receipt, BackendError> {
        if !may_test_channels(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let mut held = self.lock();
        let channel = held.channels.iter().find(|channel| channel.id == *id);
        let channel = channel.ok_or_else(|| refused("unknown-channel", id))?;
        if !channel.reaches_me {
            return Err(refused("no-address", id));
        }
        let receipt = held.write(actor, "channel.test", format!("channel/{id}"), "");
        drop(held);
        self.announce(&[Change::Messages]);
        Ok(receipt)
    }

    fn write_again(&self, actor: &Actor, id: MessageId) -> Result<Receipt, BackendError> {
        allow(actor, Permission::AcknowledgeAlarm)?;
        let mut held = self.lock();
        let dead = |m: &&mut MessageStatus| m.message.id == id && m.state == MessageState::Dead;
        let message = held.messages.iter_mut().find(dead);
        let message = message.ok_or_else(|| refused("no-dead-letter", &id))?;
        message.state = MessageState::Waiting;
        let object = message.message.about.first().map(About::object);
        let object = object.unwrap_or_else(|| format!("message/{id}"));
        let receipt = held.write(actor, "message.resent", object, "");
        drop(held);
        self.announce(&[Change::Messages]);
        Ok(receipt)
    }
}

impl PostOffice for Canned {
    fn channels(&self, _: &Actor) -> Result<Vec<ChannelStatus>, BackendError> {
        Ok(self.lock().channels.clone())
    }

    fn messages(
        &self,
        actor: &Actor,
        state: MessageState,
    ) -> Result<Vec<MessageStatus>, BackendError> {
        let all = actor.role != Role::EnterpriseUser && actor.role != Role::Operator;
        let held = self.lock();
        let rows = held.messages.iter().filter(|m| all && m.state == state);
        Ok(rows.cloned().collect())
    }

    fn test_channel<'a>(
        &'a self,
        actor: &'a Actor,
        channel: ChannelId,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_channel_test(actor, &channel) })
    }

    fn send_again<'a>(
        &'a self,
        actor: &'a Actor,
        message: MessageId,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(async move { self.write_again(actor, message) })
    }
}
