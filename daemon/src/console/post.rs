//! Channels and messages: how they are doing, a test, a dead letter sent again.

use super::write::allow;
use super::{ConsoleBackend, scope, unavailable};
use crate::events::JournalEvent;
use crate::notify::{Letter, LetterState, PostBoard};
use cems_core::model::{
    ChannelId, ChannelTest, EnterpriseId, MessageFate, MessageId, MessageOutcome, Permission,
    Recipient, Registry,
};
use cems_dashboards::backend::{
    Actor, BackendError, Change, ChannelStatus, MessageState, MessageStatus, PostOffice, Receipt,
    Reply, may_see_messages, may_test_channels,
};
use std::sync::Arc;

fn refused(code: &str, detail: &impl ToString) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.to_string(),
    }
}

/// Whether a person with bounds may see a message: it is to them, or about their enterprise.
fn sees(actor: &Actor, registry: &Registry, letter: &Letter) -> bool {
    let m = &letter.message;
    let access = scope::access(actor);
    let inside = |id: &EnterpriseId| {
        let region = registry.enterprises.get(id).map(|e| &e.region);
        access.scope.enterprises.contains(id)
            || region.is_some_and(|region| access.scope.regions.contains(region))
    };
    access.sees_all()
        || m.to.user() == Some(&actor.user)
        || m.enterprise.as_ref().is_some_and(inside)
}

fn status(letter: Letter) -> MessageStatus {
    MessageStatus {
        state: match letter.state {
            LetterState::Waiting => MessageState::Waiting,
            LetterState::Delivered => MessageState::Delivered,
            LetterState::Dead => MessageState::Dead,
        },
        attempts: letter.attempts,
        next_at: letter.next_at,
        ended_at: letter.ended_at,
        detail: letter.detail,
        message: letter.message,
    }
}

impl ConsoleBackend {
    /// Whether a test of this actor has somewhere to go on a channel, and where.
    fn reader(&self, actor: &Actor, channel: &ChannelId) -> Option<Recipient> {
        let rule = self.post.rule(channel)?;
        if !rule.kind.is_personal() {
            return Some(Recipient::Channel);
        }
        let policy = self.projected.policy();
        let person = policy.people.get(&actor.user)?;
        person
            .channels
            .contains(channel)
            .then(|| Recipient::User(actor.user.clone()))
    }

    async fn test(&self, actor: &Actor, channel: ChannelId) -> Result<Receipt, BackendError> {
        if !may_test_channels(actor.role) {
            return Err(BackendError::Forbidden);
        }
        if self.post.rule(&channel).is_none() {
            return Err(refused("unknown-channel", &channel));
        }
        let to = self.reader(actor, &channel);
        let to = to.ok_or_else(|| refused("no-address", &channel))?;
        let by = actor.user.clone();
        let test = ChannelTest { channel, to, by };
        self.commit(&JournalEvent::ChannelTest { test }).await
    }

    async fn again(&self, actor: &Actor, id: MessageId) -> Result<Receipt, BackendError> {
        allow(actor, Permission::AcknowledgeAlarm)?;
        let post = Arc::clone(&self.post);
        let letter = ask(move || post.letter(id)).await?;
        let registry = self.projected.registry();
        let letter = letter
            .filter(|letter| letter.state == LetterState::Dead && sees(actor, &registry, letter))
            .ok_or_else(|| refused("no-dead-letter", &id))?;
        if self.post.rule(&letter.message.channel).is_none() {
            return Err(refused("unknown-channel", &letter.message.channel));
        }
        // What a person does stands in the journal before it happens.
        let fate = MessageFate {
            id,
            reason: letter.message.reason,
            channel: letter.message.channel.clone(),
            to: letter.message.to.clone(),
            about: letter.message.about.clone(),
            outcome: MessageOutcome::Resent,
            attempts: letter.attempts,
            by: actor.user.as_str().into(),
            detail: String::new(),
        };
        let receipt = self.commit(&JournalEvent::Message { fate }).await?;
        let post = Arc::clone(&self.post);
        ask(move || post.send_again(&letter)).await?;
        self.projected.announce(Change::Messages);
        Ok(receipt)
    }
}

/// A question to `notify.db` on a thread that may wait.
async fn ask<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, crate::store::StoreError> + Send + 'static,
) -> Result<T, BackendError> {
    crate::store::blocking(ask).await.map_err(unavailable)
}

fn visible(actor: &Actor) -> Result<(), BackendError> {
    if may_see_messages(actor.role) {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

impl PostOffice for ConsoleBackend {
    fn channels(&self, actor: &Actor) -> Result<Vec<ChannelStatus>, BackendError> {
        visible(actor)?;
        let rows = self.post.channels().map_err(unavailable)?;
        let status = rows.into_iter().map(|(id, rule, standing)| ChannelStatus {
            reaches_me: self.reader(actor, &id).is_some(),
            kind: rule.kind,
            waiting: standing.waiting,
            delivered: standing.delivered,
            dead: standing.dead,
            last_sent: standing.last_sent,
            trouble: standing.trouble,
            id,
        });
        Ok(status.collect())
    }

    fn messages(
        &self,
        actor: &Actor,
        state: MessageState,
    ) -> Result<Vec<MessageStatus>, BackendError> {
        visible(actor)?;
        let state = match state {
            MessageState::Waiting => LetterState::Waiting,
            MessageState::Delivered => LetterState::Delivered,
            MessageState::Dead => LetterState::Dead,
        };
        let registry = self.projected.registry();
        let rows = self.post.letters(state).map_err(unavailable)?;
        let rows = rows
            .into_iter()
            .filter(|letter| sees(actor, &registry, letter));
        Ok(rows.map(status).collect())
    }

    fn test_channel<'a>(
        &'a self,
        actor: &'a Actor,
        channel: ChannelId,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.test(actor, channel))
    }

    fn send_again<'a>(
        &'a self,
        actor: &'a Actor,
        message: MessageId,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.again(actor, message))
    }
}

/// The post of a daemon, for the parts of the console.
pub type Post = Arc<PostBoard>;
