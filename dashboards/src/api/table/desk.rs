//! Addresses of the duty desk: queue, roster, figures, and what people do to alarms.

use super::super::answers::{AcknowledgeIn, CloseIn};
use super::super::calls::{Body, Id};
use super::super::desk::*;
use super::super::desk_calls as calls;
use super::{Param, Route, SPAN, read, write};
use crate::app::Caller;
use crate::backend::AlarmVerb;
use axum::routing::{get, post};

/// What the queue, and the list of alarms, can be narrowed to.
pub(super) const QUEUE: [Param; 5] = [
    Param {
        name: "kind",
        about: "only of this kind, such as exceedance.hour",
    },
    Param {
        name: "priority",
        about: "only of this priority",
    },
    Param {
        name: "state",
        about: "only in these states, with commas between them",
    },
    Param {
        name: "region",
        about: "only of this region",
    },
    Param {
        name: "enterprise",
        about: "only of this enterprise",
    },
];

/// Reads.
pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<DeskOut>(
            "/api/v1/desk",
            "desk",
            "The duty desk: who is on duty, the queue in rows, what is put aside or silent",
            &QUEUE,
            get(calls::desk),
        ),
        read::<QueueOut>(
            "/api/v1/alarms/groups",
            "alarmGroups",
            "Open alarms in fewer than 50 rows, what waits first, by priority and age",
            &QUEUE,
            get(calls::groups),
        ),
        read::<FiguresOut>(
            "/api/v1/alarms/figures",
            "alarmFigures",
            "Performance of the desk (ISA-18.2); a week when no span is given, at most 92 days",
            &SPAN,
            get(calls::figures),
        ),
        read::<RosterOut>(
            "/api/v1/roster",
            "roster",
            "Shifts and hand-overs; the coming week when no span is given, at most 92 days",
            &SPAN,
            get(calls::roster),
        ),
    ]
}

/// Writes.
pub(super) fn writes() -> Vec<Route> {
    let mut routes = vec![
        write::<AcknowledgeIn>(
            "/api/v1/alarms/{id}/acknowledge",
            "acknowledgeAlarm",
            "Takes notice of an alarm; answers when the event is on disk",
            post(calls::acknowledge),
        ),
        write::<ShelveIn>(
            "/api/v1/alarms/{id}/shelve",
            "shelveAlarm",
            "Puts an alarm aside for a limited time, at most 7 days",
            post(calls::shelve),
        ),
    ];
    routes.extend(remarks());
    routes.extend([
        write::<CloseIn>(
            "/api/v1/alarms/{id}/close",
            "closeAlarm",
            "Closes an alarm that is acknowledged and back to normal",
            post(calls::close),
        ),
        write::<AlarmServiceIn>(
            "/api/v1/outlets/{id}/alarm-service",
            "setAlarmService",
            "Takes a kind of alarm of an outlet out of service, or puts it back",
            post(calls::service),
        ),
        write::<HandOverIn>(
            "/api/v1/desk/hand-over",
            "handOverDesk",
            "Hands the desk over to those named, with notes",
            post(calls::hand_over),
        ),
        write::<ShiftIn>(
            "/api/v1/roster",
            "enterShift",
            "Enters a shift; one with the same beginning is replaced, one without people removed",
            post(calls::shift),
        ),
    ]);
    routes
}

/// What can be done with a note or without one.
fn remarks() -> Vec<Route> {
    let with_note = [
        (
            "/api/v1/alarms/{id}/call",
            "noteCall",
            "Notes a call about an alarm: whom, and what was said",
            AlarmVerb::Called,
        ),
        (
            "/api/v1/alarms/{id}/note",
            "noteOnAlarm",
            "Notes something on an alarm",
            AlarmVerb::Noted,
        ),
    ];
    let without = [
        (
            "/api/v1/alarms/{id}/unshelve",
            "unshelveAlarm",
            "Takes an alarm back before its shelving is over",
            AlarmVerb::Unshelve,
        ),
        (
            "/api/v1/alarms/{id}/tell-enterprise",
            "tellEnterprise",
            "Has the enterprise told of an alarm",
            AlarmVerb::ToldEnterprise,
        ),
        (
            "/api/v1/alarms/{id}/tell-operator",
            "tellOperator",
            "Has the operator of the equipment told of an alarm",
            AlarmVerb::ToldOperator,
        ),
        (
            "/api/v1/alarms/{id}/hand-over",
            "handAlarmOver",
            "Hands an alarm over to the inspectors",
            AlarmVerb::HandedOver,
        ),
    ];
    let noted = with_note.map(|(path, id, about, verb)| {
        let handler = post(move |caller: Caller, id: Id<u64>, body: Body<NoteIn>| {
            calls::noted(verb, caller, id, body)
        });
        write::<NoteIn>(path, id, about, handler)
    });
    let plain = without.map(|(path, id, about, verb)| {
        let handler = post(move |caller: Caller, id: Id<u64>, body: Body<RemarkIn>| {
            calls::remarked(verb, caller, id, body)
        });
        write::<RemarkIn>(path, id, about, handler)
    });
    noted.into_iter().chain(plain).collect()
}
