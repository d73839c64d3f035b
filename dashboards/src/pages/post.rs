//! `/channels` and `/messages`: how messages reach people, and what became of them.

use super::{Page, Params, html, saved};
use crate::app::Visit;
use crate::backend::{BackendError, MessageState, may_see_messages, may_test_channels};
use crate::view::post::{ChannelItem, MessageItem};
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use cems_core::model::{ChannelId, MessageId, Permission};

#[derive(Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    shell: Shell,
    channels: Vec<ChannelItem>,
    may_test: bool,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    shell: Shell,
    /// Name, word, whether it is shown.
    tabs: Vec<(&'static str, String, bool)>,
    state: &'static str,
    when_label: String,
    messages: Vec<MessageItem>,
    may_send: bool,
}

/// `GET /channels`.
pub(super) async fn channels(visit: Visit, Query(query): Params) -> Page {
    allowed(&visit)?;
    let rows = visit
        .read(|backend, actor| backend.channels(actor))
        .await
        .map_err(|e| visit.failed(&e))?;
    let notice = Notice::saved(visit.words, query.get("saved").map(String::as_str));
    Ok(channels_page(&visit, &rows, notice))
}

fn channels_page(
    visit: &Visit,
    rows: &[crate::backend::ChannelStatus],
    notice: Option<Notice>,
) -> Response {
    let eyes = visit.eyes();
    html(&ChannelsPage {
        shell: Shell::new(visit, "messages").with_notice(notice),
        channels: rows
            .iter()
            .map(|row| ChannelItem::new(&eyes, row))
            .collect(),
        may_test: may_test_channels(visit.actor.role),
    })
}

/// `POST /channels/{id}/test`.
pub(super) async fn test(visit: Visit, Path(id): Path<String>) -> Page {
    let done = visit
        .app
        .backend
        .test_channel(&visit.actor, ChannelId::new(id))
        .await;
    match done {
        Ok(receipt) => Ok(saved("/channels", receipt.seq)),
        Err(error @ BackendError::Refused { .. }) => {
            let rows = visit
                .read(|backend, actor| backend.channels(actor))
                .await
                .map_err(|e| visit.failed(&e))?;
            let mut page = channels_page(&visit, &rows, Some(visit.refusal(&error)));
            *page.status_mut() = super::status_of(&error);
            Ok(page)
        }
        Err(error) => Err(visit.failed(&error)),
    }
}

/// `GET /messages?state=`.
pub(super) async fn messages(visit: Visit, Query(query): Params) -> Page {
    allowed(&visit)?;
    let asked = query
        .get("state")
        .and_then(|name| MessageState::from_name(name));
    let state = asked.unwrap_or(MessageState::Dead);
    let rows = visit
        .read(move |backend, actor| backend.messages(actor, state))
        .await
        .map_err(|e| visit.failed(&e))?;
    let (eyes, words) = (visit.eyes(), visit.words);
    let tab = |of: MessageState| {
        let word = words.code("message-state", of.as_str());
        (of.as_str(), word, of == state)
    };
    let notice = Notice::saved(words, query.get("saved").map(String::as_str));
    Ok(html(&MessagesPage {
        shell: Shell::new(&visit, "messages").with_notice(notice),
        tabs: MessageState::ALL.into_iter().map(tab).collect(),
        state: state.as_str(),
        when_label: words.code("message-when", state.as_str()),
        messages: rows
            .iter()
            .map(|row| MessageItem::new(&eyes, row))
            .collect(),
        may_send: state == MessageState::Dead && visit.may(Permission::AcknowledgeAlarm),
    }))
}

/// `POST /messages/{id}/again`.
pub(super) async fn again(visit: Visit, Path(id): Path<u64>) -> Page {
    let done = visit
        .app
        .backend
        .send_again(&visit.actor, MessageId(id))
        .await;
    match done {
        Ok(receipt) => Ok(saved("/messages", receipt.seq)),
        Err(error) => Err(visit.failed(&error)),
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the response is the page, made once"
)]
fn allowed(visit: &Visit) -> Result<(), Response> {
    if may_see_messages(visit.actor.role) {
        Ok(())
    } else {
        Err(visit.failed(&BackendError::Forbidden))
    }
}
