//! The table of addresses: everything the API does, once.

mod desk;
mod destinations;
mod duties;
mod judgement;
mod post;
mod reporting;
mod uplinks;

use super::answers::*;
use super::calls;
use super::control;
use super::devices::*;
use super::schema::Schema;
use super::shapes::*;
use crate::app::App;
use axum::routing::{MethodRouter, get, post};
use serde_json::{Map, Value};

/// A parameter of a query.
#[derive(Clone, Copy)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
}

/// How a schema is written into the document.
pub(super) type Describe = fn(&mut Map<String, Value>) -> Value;

/// What an address answers.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// JSON of this shape.
    Json(Describe),
    /// JSON of this shape, or plain text when asked for.
    JsonOrText(Describe),
    /// A file.
    File,
}

/// One address with one method.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) method: &'static str,
    pub(super) id: &'static str,
    pub(super) about: &'static str,
    pub(super) query: &'static [Param],
    pub(super) request: Option<Describe>,
    pub(super) response: Body,
    pub(super) handler: MethodRouter<App>,
}

fn describe<T: Schema>(shapes: &mut Map<String, Value>) -> Value {
    T::define(shapes);
    T::schema()
}

const SPAN: [Param; 2] = [
    Param {
        name: "from",
        about: "first instant, ISO 8601 with offset",
    },
    Param {
        name: "until",
        about: "first instant not wanted; now when not given",
    },
];
const KIND: [Param; 3] = [
    Param {
        name: "kind",
        about: "realtime (default), minute, hour, day",
    },
    SPAN[0],
    SPAN[1],
];
const LEVEL: [Param; 3] = [
    Param {
        name: "level",
        about: "hour (default), day, month, year",
    },
    SPAN[0],
    SPAN[1],
];
const ALARMS: [Param; 9] = [
    Param {
        name: "open",
        about: "true: only alarms not closed",
    },
    Param {
        name: "outlet",
        about: "only of this outlet",
    },
    desk::QUEUE[0],
    desk::QUEUE[1],
    desk::QUEUE[2],
    desk::QUEUE[3],
    desk::QUEUE[4],
    Param {
        name: "covered_by",
        about: "only those that the outage of this number stands for",
    },
    Param {
        name: "before",
        about: "only alarms with a smaller number, for paging",
    },
];
const OPEN: [Param; 1] = [Param {
    name: "open",
    about: "true: only open ones",
}];
const OF_OUTLET: [Param; 1] = [Param {
    name: "outlet",
    about: "only with the device of this outlet",
}];
const BEFORE: [Param; 1] = [Param {
    name: "before",
    about: "only before this journal position",
}];

fn read<T: Schema>(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    query: &'static [Param],
    handler: MethodRouter<App>,
) -> Route {
    Route {
        path,
        method: "get",
        id,
        about,
        query,
        request: None,
        response: Body::Json(describe::<T>),
        handler,
    }
}

fn write<T: Schema>(
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
        request: Some(describe::<T>),
        response: Body::Json(describe::<ReceiptOut>),
        handler,
    }
}

/// All routes of the API, in the order of the document.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = outlets();
    routes.extend(answers());
    routes.extend(devices());
    routes.extend(desk::routes());
    routes.extend(duties::routes());
    routes.extend(judgement::routes());
    routes.extend(post::routes());
    routes.extend(destinations::routes());
    routes.extend(uplinks::routes());
    routes.extend(reporting::routes());
    routes.extend(writes());
    routes.extend(desk::writes());
    routes.extend(duties::writes());
    routes.extend(judgement::writes());
    routes.extend(reporting::writes());
    routes
}

fn outlets() -> Vec<Route> {
    vec![
        read::<OverviewOut>(
            "/api/v1/overview",
            "overview",
            "Outlets, open alarms, open fallbacks and totals in scope",
            &[],
            get(calls::overview),
        ),
        read::<Vec<OutletOut>>(
            "/api/v1/outlets",
            "outlets",
            "Outlets in scope, worst state first",
            &[],
            get(calls::outlets),
        ),
        read::<OutletDetailOut>(
            "/api/v1/outlets/{id}",
            "outlet",
            "One outlet with its logger, alarms, fallbacks and totals",
            &[],
            get(calls::outlet),
        ),
        read::<Vec<RecordOut>>(
            "/api/v1/outlets/{id}/records",
            "records",
            "Records as received with their verdicts, ascending; at most 31 days",
            &KIND,
            get(calls::records),
        ),
        read::<Vec<AggregateOut>>(
            "/api/v1/outlets/{id}/aggregates",
            "aggregates",
            "Means and amounts, ascending; hours: at most 366 days",
            &LEVEL,
            get(calls::aggregates),
        ),
    ]
}

fn answers() -> Vec<Route> {
    vec![
        read::<Vec<AlarmOut>>(
            "/api/v1/alarms",
            "alarms",
            "Alarms, newest first, at most 500",
            &ALARMS,
            get(calls::alarms),
        ),
        read::<AlarmDetailOut>(
            "/api/v1/alarms/{id}",
            "alarm",
            "One alarm with its history",
            &[],
            get(calls::alarm),
        ),
        read::<Vec<FallbackOut>>(
            "/api/v1/fallbacks",
            "fallbacks",
            "Fallbacks, open ones first, at most 500",
            &OPEN,
            get(calls::fallbacks),
        ),
        read::<FallbackDetailOut>(
            "/api/v1/fallbacks/{id}",
            "fallback",
            "One fallback with its manual reports",
            &[],
            get(calls::fallback),
        ),
        read::<Vec<QuarantineOut>>(
            "/api/v1/quarantine",
            "quarantine",
            "What was refused, newest first, at most 500",
            &[],
            get(calls::quarantine),
        ),
        read::<Vec<AuditOut>>(
            "/api/v1/audit",
            "audit",
            "The audit trail, newest first, at most 500",
            &BEFORE,
            get(calls::audit),
        ),
        read::<HealthOut>(
            "/api/v1/health",
            "health",
            "How the daemon is",
            &[],
            get(calls::health),
        ),
    ]
}

fn devices() -> Vec<Route> {
    vec![
        read::<Vec<CommandOut>>(
            "/api/v1/outlets/{id}/commands",
            "commands",
            "Commands that the outlet's device understands; empty until it has connected once",
            &[],
            get(control::commands),
        ),
        read::<Vec<ExchangeOut>>(
            "/api/v1/exchanges",
            "exchanges",
            "Exchanges with devices, newest first, at most 500",
            &OF_OUTLET,
            get(control::exchanges),
        ),
        read::<ExchangeOut>(
            "/api/v1/exchanges/{id}",
            "exchange",
            "One exchange with its steps so far",
            &[],
            get(control::exchange),
        ),
        read::<StationOut>(
            "/api/v1/station",
            "station",
            "Instruments and uplinks of this daemon",
            &[],
            get(control::station),
        ),
    ]
}

fn writes() -> Vec<Route> {
    vec![
        write::<CommandIn>(
            "/api/v1/outlets/{id}/commands",
            "sendCommand",
            "Orders a command; the answer's position is the id of the exchange",
            post(control::command),
        ),
        write::<DecisionIn>(
            "/api/v1/outlets/{id}/fallback",
            "decideFallback",
            "Opens or closes a fallback by decision",
            post(calls::decide),
        ),
    ]
}
