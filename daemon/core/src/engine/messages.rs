//! Messages that a person asks for, and what became of messages.

use super::context::Cx;
use super::state::Shared;
use crate::model::time::MINUTE_MS;
use crate::model::{
    ChannelTest, MessageFate, MessageId, MessageOutcome, MessageReason, MessageRow, Output,
    Priority,
};
use smol_str::format_smolstr;

/// Who tries a channel waits in front of it: later a test message helps nobody.
const TEST_DEADLINE_MS: i64 = 15 * MINUTE_MS;

/// The number of the next message.
pub(super) fn next_id(shared: &mut Shared) -> MessageId {
    shared.messages = shared.messages.saturating_add(1);
    MessageId(shared.messages)
}

/// A person tries a channel.
pub(super) fn test(shared: &mut Shared, test: ChannelTest, cx: &mut Cx<'_>) {
    let id = next_id(shared);
    let object = format!("channel/{}", test.channel);
    let to = test.to.as_str().to_owned();
    cx.emit(Output::Message(MessageRow {
        id,
        key: format_smolstr!("test/{}", cx.seq),
        reason: MessageReason::Test,
        channel: test.channel,
        to: test.to,
        priority: Priority::Normal,
        enterprise: None,
        about: Vec::new(),
        more: 0,
        at: cx.at,
        deadline: cx.at.plus_ms(TEST_DEADLINE_MS),
        seq: cx.seq,
    }));
    cx.audit(test.by.as_str(), "channel.test", object, to);
}

/// What became of a message, in the history of everything it was about.
pub(super) fn fate(fate: &MessageFate, cx: &mut Cx<'_>) {
    let what = match fate.outcome {
        MessageOutcome::Delivered => "message.delivered",
        MessageOutcome::Dead => "message.dead",
        MessageOutcome::Resent => "message.resent",
    };
    let MessageFate {
        id,
        reason,
        channel,
        to,
        attempts,
        detail,
        ..
    } = fate;
    let mut words = format!(
        "message {id} ({}) by {channel} to {}, attempts: {attempts}",
        reason.as_str(),
        to.as_str()
    );
    if !detail.is_empty() {
        words.push_str("; ");
        words.push_str(detail);
    }
    let by = fate.by.as_str();
    for about in &fate.about {
        cx.audit(by, what, about.object(), words.clone());
    }
    if fate.about.is_empty() {
        cx.audit(by, what, format!("channel/{channel}"), words);
    }
}
