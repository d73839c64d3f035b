//! Addresses about duties with a clock.

use super::super::duties as calls;
use super::super::duties::{
    CalendarOut, DutyBackIn, DutyDetailOut, DutyDoneIn, DutyOpenIn, DutyOut, DutyRuleOut,
};
use super::super::judged::AttachmentOut;
use super::{Body, Param, Route, read, write};
use crate::upload::JSON_BYTES_MAX;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

const LIST: [Param; 3] = [
    Param {
        name: "ended",
        about: "true: those that ended, newest first",
    },
    Param {
        name: "due_before",
        about: "only those due before this instant, ISO 8601 with offset",
    },
    Param {
        name: "rule",
        about: "only of this row of the table",
    },
];
const MONTH: [Param; 1] = [Param {
    name: "month",
    about: "2026-10; the running month when not given",
}];

/// Reads.
pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<Vec<DutyOut>>(
            "/api/v1/duties",
            "duties",
            "Duties in scope: open ones in the order in which they fall due, at most 500",
            &LIST,
            get(calls::list),
        ),
        read::<DutyDetailOut>(
            "/api/v1/duties/{key}",
            "duty",
            "One duty with its history",
            &[],
            get(calls::one),
        ),
        Route {
            response: Body::File,
            ..read::<AttachmentOut>(
                "/api/v1/duties/{key}/files/{sha256}",
                "dutyFile",
                "A document of a completion",
                &[],
                get(calls::file),
            )
        },
        read::<Vec<DutyRuleOut>>(
            "/api/v1/duty-rules",
            "dutyRules",
            "The table of duties in force, with sources",
            &[],
            get(calls::rules),
        ),
        read::<CalendarOut>(
            "/api/v1/calendar",
            "calendar",
            "A month: working days, holidays, and what is due",
            &MONTH,
            get(calls::calendar),
        ),
    ]
}

/// Writes.
pub(super) fn writes() -> Vec<Route> {
    vec![
        write::<DutyOpenIn>(
            "/api/v1/duties",
            "openDuty",
            "Opens a duty by hand: an announced stop, a finding, a decision",
            post(calls::open),
        ),
        write::<DutyDoneIn>(
            "/api/v1/duties/{key}/complete",
            "completeDuty",
            "Completes a duty with its documents; answers when the event is on disk",
            post(calls::complete).layer(DefaultBodyLimit::max(JSON_BYTES_MAX)),
        ),
        write::<DutyBackIn>(
            "/api/v1/duties/{key}/withdraw",
            "takeDutyBack",
            "Takes a completion back, or else an opening by hand",
            post(calls::take_back),
        ),
    ]
}
