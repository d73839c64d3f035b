//! Addresses of destinations.

use super::super::destinations as to;
use super::post::order;
use super::{Route, read, write};
use axum::routing::{get, post};

pub(super) fn routes() -> Vec<Route> {
    vec![
        read::<Vec<to::WayOut>>(
            "/api/v1/outgoing",
            "outgoing",
            "Everything that leaves: centres, channels and destinations, and how they are doing",
            &[],
            get(to::ways),
        ),
        read::<Vec<to::DestinationOut>>(
            "/api/v1/destinations",
            "destinations",
            "Destinations of data and events and how they are doing",
            &[],
            get(to::list),
        ),
        read::<Vec<to::RefusedOut>>(
            "/api/v1/destinations/{id}/refused",
            "refusedItems",
            "What a destination refused, newest first, at most 500",
            &[],
            get(to::refused),
        ),
        write::<to::ReplayIn>(
            "/api/v1/destinations/{id}/replay",
            "replayDestination",
            "Sends what began in a period to a destination again",
            post(to::replay),
        ),
        order(
            "/api/v1/destinations/refused/{id}/again",
            "sendItemAgain",
            "Sends a refused thing again",
            post(to::again),
        ),
    ]
}
