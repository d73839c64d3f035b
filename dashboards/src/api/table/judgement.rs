//! Addresses about the judgement of data: derivations, marks, tests, reviews, results over longer
//! times, and the catalogues.

use super::super::judged::*;
use super::super::reckoned::*;
use super::super::{books, derived, reckoning};
use super::{Body, Param, Route, SPAN, describe, read, write};
use crate::upload::JSON_BYTES_MAX;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

const EXPLAIN: [Param; 5] = [
    Param {
        name: "outlet",
        about: "whose figure",
    },
    Param {
        name: "factor",
        about: "which factor",
    },
    Param {
        name: "period",
        about: "2026, 2026-Q4, 2026-11, 2026-11-22, 2026-11-22T10, 2026-11-22T10:05 (a minute \
            record) or 2026-11-22T10:05:30 (a real-time record), by the site's clock",
    },
    Param {
        name: "depth",
        about: "levels below the root, 3 when not given, at most 7",
    },
    Param {
        name: "format",
        about: "text: the tree as text, as for Accept: text/plain",
    },
];
const RATES: [Param; 3] = [
    Param {
        name: "of",
        about: "outlet:ID, enterprise:ID or region:ID; all in scope when not given",
    },
    Param {
        name: "from",
        about: "the day that contains this instant is the first; the last 30 days when not given",
    },
    Param {
        name: "until",
        about: "the day that contains this instant is the first not wanted",
    },
];
const ONLY_OUTLET: [Param; 1] = [Param {
    name: "outlet",
    about: "only of this outlet",
}];
const MONTH: [Param; 1] = [Param {
    name: "month",
    about: "2026-03; the running month when not given",
}];
const VERSION: [Param; 2] = [
    Param {
        name: "kind",
        about: "kind of the record: realtime, minute (default), hour, day",
    },
    Param {
        name: "at",
        about: "its start, ISO 8601 with offset",
    },
];

/// Reads.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = derivation();
    routes.extend(entries());
    routes.extend(results());
    routes
}

fn derivation() -> Vec<Route> {
    vec![
        Route {
            response: Body::JsonOrText(describe::<derived::NodeOut>),
            ..read::<derived::NodeOut>(
                "/api/v1/explain",
                "explain",
                "Why a figure is what it is: its derivation down to what a device sent",
                &EXPLAIN,
                get(derived::explain),
            )
        },
        read::<Vec<SupersededOut>>(
            "/api/v1/outlets/{id}/superseded",
            "superseded",
            "Values of a record that later ones replaced",
            &VERSION,
            get(reckoning::superseded),
        ),
        read::<Vec<CheckOut>>(
            "/api/v1/checks",
            "checks",
            "The catalogue of checks, with thresholds and where they were read",
            &[],
            get(reckoning::checks),
        ),
        read::<Vec<FormulaOut>>(
            "/api/v1/formulas",
            "formulas",
            "The catalogue of formulas, with an example worked now",
            &[],
            get(reckoning::formulas),
        ),
    ]
}

fn entries() -> Vec<Route> {
    vec![
        read::<Vec<MarkOut>>(
            "/api/v1/marks",
            "marks",
            "Marks in scope, newest first, at most 500",
            &ONLY_OUTLET,
            get(books::all_marks),
        ),
        read::<Vec<MarkOut>>(
            "/api/v1/outlets/{id}/marks",
            "outletMarks",
            "Marks of an outlet, newest first, at most 500",
            &[],
            get(books::outlet_marks),
        ),
        read::<Vec<TestOut>>(
            "/api/v1/outlets/{id}/tests",
            "tests",
            "Tests of an outlet's equipment, newest first, at most 500",
            &[],
            get(books::tests),
        ),
        read::<Vec<ReviewOut>>(
            "/api/v1/outlets/{id}/reviews",
            "reviews",
            "Validity reviews of an outlet, newest quarter first",
            &[],
            get(books::reviews),
        ),
        Route {
            response: Body::File,
            ..read::<AttachmentOut>(
                "/api/v1/outlets/{id}/attachments/{sha256}",
                "attachment",
                "A file that was attached to an entry of the outlet",
                &[],
                get(books::attachment),
            )
        },
    ]
}

fn results() -> Vec<Route> {
    vec![
        read::<Vec<QuarterOut>>(
            "/api/v1/outlets/{id}/quarters",
            "quarters",
            "Quarters of an outlet: capture rate, invalid periods and what was put in",
            &[],
            get(reckoning::quarters),
        ),
        read::<Vec<ClueRowOut>>(
            "/api/v1/clues",
            "clues",
            "Clues of periods that begin in the span, newest first, at most 500; a week when no \
                span is given, at most 366 days",
            &SPAN,
            get(reckoning::all_clues),
        ),
        read::<Vec<ClueRowOut>>(
            "/api/v1/outlets/{id}/clues",
            "outletClues",
            "The same of one outlet",
            &SPAN,
            get(reckoning::outlet_clues),
        ),
        read::<Vec<RateOut>>(
            "/api/v1/rates",
            "rates",
            "Transmission, validity, effective transmission and capture rate over whole days",
            &RATES,
            get(reckoning::rates),
        ),
        read::<Vec<ProjectionOut>>(
            "/api/v1/projections",
            "projections",
            "Permitted amounts of the year and when they will be reached, highest share first",
            &ONLY_OUTLET,
            get(reckoning::projections),
        ),
        read::<Vec<TaxOut>>(
            "/api/v1/outlets/{id}/tax",
            "tax",
            "Tax basis of an outlet's pollutants in a month",
            &MONTH,
            get(reckoning::tax),
        ),
    ]
}

/// Writes; those with files take larger requests.
pub(super) fn writes() -> Vec<Route> {
    let large = || DefaultBodyLimit::max(JSON_BYTES_MAX);
    vec![
        write::<MarkIn>(
            "/api/v1/marks",
            "enterMark",
            "Enters a mark; answers when it is on disk. The answer's position is its identity",
            post(books::enter_mark).layer(large()),
        ),
        write::<WithdrawIn>(
            "/api/v1/marks/{id}/withdraw",
            "withdrawMark",
            "Takes a mark back",
            post(books::withdraw_mark),
        ),
        write::<TestIn>(
            "/api/v1/outlets/{id}/tests",
            "enterTest",
            "Enters a test of the equipment. The answer's position is its identity",
            post(books::enter_test).layer(large()),
        ),
        write::<WithdrawIn>(
            "/api/v1/tests/{id}/withdraw",
            "withdrawTest",
            "Takes the tests of one entry back",
            post(books::withdraw_test),
        ),
        write::<ReviewIn>(
            "/api/v1/outlets/{id}/reviews",
            "takeReviewStep",
            "Hands in the self-check of a quarter, or decides on it",
            post(books::review).layer(large()),
        ),
    ]
}
