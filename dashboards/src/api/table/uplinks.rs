//! Addresses of uploads to centres.

use super::super::judged::AttachmentOut;
use super::super::replays;
use super::super::uplinks as up;
use super::post::order;
use super::{Body, Param, Route, SPAN, read, write};
use axum::routing::{get, post};

const SENT: [Param; 7] = [
    Param {
        name: "uplink",
        about: "only to this centre",
    },
    Param {
        name: "outlet",
        about: "only of this outlet",
    },
    Param {
        name: "kind",
        about: "only realtime, minute, hour or day records",
    },
    Param {
        name: "open",
        about: "true: only what the centre should have and has not acknowledged",
    },
    SPAN[0],
    SPAN[1],
    Param {
        name: "before",
        about: "only what stands behind this place, for paging: `older` of the answer before",
    },
];
const GAPS: [Param; 5] = [SENT[0], SENT[1], SENT[2], SPAN[0], SPAN[1]];
const FILE: [Param; 7] = [
    SENT[0],
    SENT[1],
    SENT[2],
    SENT[3],
    SPAN[0],
    SPAN[1],
    Param {
        name: "format",
        about: "csv (default) or xlsx",
    },
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<Vec<up::UplinkLinesOut>>(
            "/api/v1/uplinks",
            "uplinks",
            "Centres that this daemon uploads to: lines, positions, counts of the day",
            &[],
            get(up::list),
        ),
        read::<up::SentRecordsOut>(
            "/api/v1/uplinks/receipts",
            "receipts",
            "What was sent to which centre, when, acknowledged or not; by data time, newest first, \
             at most 31 days, the last one when not said",
            &SENT,
            get(up::receipts),
        ),
        Route {
            response: Body::File,
            ..read::<AttachmentOut>(
                "/api/v1/uplinks/receipts/file",
                "receiptsFile",
                "The same as a table, at most 50,000 rows; more are refused",
                &FILE,
                get(up::file),
            )
        },
        read::<Vec<up::UplinkGapOut>>(
            "/api/v1/uplinks/gaps",
            "uplinkGaps",
            "Records formed here without an acknowledgement on record, by runs, newest first, at \
             most 500; those of the last minutes count as on their way",
            &GAPS,
            get(up::gaps),
        ),
        read::<Vec<replays::UplinkReplayOut>>(
            "/api/v1/uplinks/replays",
            "uplinkReplays",
            "Periods that are or were sent to a centre again on demand and how far that is, newest \
             first, at most 100",
            &[],
            get(replays::list),
        ),
        write::<replays::UplinkReplayIn>(
            "/api/v1/uplinks/{id}/replays",
            "replayUplink",
            "Sends the records of a period to a centre again, whatever it has acknowledged; at \
             most 800 days, within what is stored",
            post(replays::ask),
        ),
        order(
            "/api/v1/uplinks/replays/{id}/cancel",
            "cancelUplinkReplay",
            "Calls a replay off: what waits for it only is not sent",
            post(replays::cancel),
        ),
    ]
}
