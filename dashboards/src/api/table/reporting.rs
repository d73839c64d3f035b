//! Addresses of what is reported in fallbacks.

use super::super::answers::*;
use super::super::judged::{AttachmentOut, WithdrawIn};
use super::super::reports;
use super::{Body, Param, Route, read, write};
use crate::upload::JSON_BYTES_MAX;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

const FORMAT: [Param; 1] = [Param {
    name: "format",
    about: "csv (default) or xlsx",
}];

/// Reads.
pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<ComplianceOut>(
            "/api/v1/fallbacks/{id}/compliance",
            "compliance",
            "What was owed in a fallback against what was delivered",
            &[],
            get(reports::compliance),
        ),
        Route {
            response: Body::File,
            ..read::<AttachmentOut>(
                "/api/v1/fallbacks/{id}/compliance/file",
                "complianceFile",
                "The same as a table",
                &FORMAT,
                get(reports::compliance_file),
            )
        },
        Route {
            response: Body::File,
            ..read::<AttachmentOut>(
                "/api/v1/outlets/{id}/manual-reports/template",
                "manualReportTemplate",
                "An empty table for manual reports, with a column for each pollutant",
                &FORMAT,
                get(reports::blank),
            )
        },
    ]
}

/// Writes; those with files take larger requests.
pub(super) fn writes() -> Vec<Route> {
    let large = || DefaultBodyLimit::max(JSON_BYTES_MAX);
    vec![
        write::<ManualReportIn>(
            "/api/v1/outlets/{id}/manual-reports",
            "submitManualReport",
            "Enters manual monitoring data, or a correction of some",
            post(reports::submit).layer(large()),
        ),
        write::<ManualReportsIn>(
            "/api/v1/outlets/{id}/manual-reports/list",
            "submitManualReports",
            "Enters several manual reports, all or none; the receipt is that of the last",
            post(reports::submit_list).layer(large()),
        ),
        write::<ReportTableIn>(
            "/api/v1/outlets/{id}/manual-reports/table",
            "submitManualReportTable",
            "Enters the manual reports of a table (CSV, XLSX), all or none; the answer to one with \
             mistakes names all of them with row and column",
            post(reports::submit_table).layer(large()),
        ),
        write::<WithdrawIn>(
            "/api/v1/manual-reports/{id}/withdraw",
            "withdrawManualReport",
            "Takes a manual report back",
            post(reports::withdraw),
        ),
        write::<WrittenIn>(
            "/api/v1/fallbacks/{id}/written",
            "deliverWrittenReport",
            "Hands in the written report of a fallback",
            post(reports::deliver).layer(large()),
        ),
    ]
}
