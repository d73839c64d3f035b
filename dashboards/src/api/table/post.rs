//! Addresses of channels and messages.

use super::super::answers::ReceiptOut;
use super::super::post;
use super::{Body, Param, Route, describe, read};
use crate::app::App;
use axum::routing::{MethodRouter, get, post as does};

const STATE: [Param; 1] = [Param {
    name: "state",
    about: "dead (default), waiting or delivered",
}];

pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<Vec<post::ChannelOut>>(
            "/api/v1/channels",
            "channels",
            "Channels for messages and how they are doing",
            &[],
            get(post::channels),
        ),
        read::<Vec<post::MessageOut>>(
            "/api/v1/messages",
            "messages",
            "Messages in a state, newest first, at most 500",
            &STATE,
            get(post::messages),
        ),
        order(
            "/api/v1/channels/{id}/test",
            "testChannel",
            "Sends a test message through a channel; to the caller where it is a personal one",
            does(post::test),
        ),
        order(
            "/api/v1/messages/{id}/again",
            "sendMessageAgain",
            "Sends a dead letter again",
            does(post::again),
        ),
    ]
}

/// Something done without a body.
pub(super) fn order(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    handler: MethodRouter<App>,
) -> Route {
    Route {
        path,
        method: "post",
        id,
        about,
        query: &[],
        request: None,
        response: Body::Json(describe::<ReceiptOut>),
        handler,
    }
}
