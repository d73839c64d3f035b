//! Messages that a person asks for, and what became of messages.

use super::context::Cx;
use super::state::Shared;
use crate::model::{ChannelTest, MessageFate, MessageOutcome, Output};

/// A person tries a channel.
pub(super) fn test(shared: &mut Shared, test: ChannelTest, cx: &mut Cx<'_>) {
    let object = format!("channel/{}", test.channel);
    let (by, to) = (test.by.clone(), test.to.as_str().to_owned());
    let notices = &mut shared.notices;
    notices.dirty = true;
    let row = notices.planner.test(test, cx.at, cx.seq);
    cx.emit(Output::Message(row));
    cx.audit(by.as_str(), "channel.test", object, to);
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
