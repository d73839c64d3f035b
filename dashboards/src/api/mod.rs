//! The JSON API under `/api/v1`. One table gives the routes and the document.

mod answers;
mod books;
mod calls;
mod control;
mod convert;
mod derived;
mod desk;
mod desk_calls;
mod destinations;
mod devices;
mod duties;
mod judged;
mod openapi;
mod post;
pub(crate) mod problem;
mod reckoned;
mod reckoning;
mod replays;
mod reports;
mod schema;
mod shapes;
mod table;
mod uplinks;

use crate::app::App;
use axum::Router;
use axum::routing::{MethodRouter, get};
use std::collections::BTreeMap;

pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new().route("/api/openapi.json", get(openapi::serve));
    // An address may have several methods, and one fallback.
    let mut addresses: BTreeMap<&str, MethodRouter<App>> = BTreeMap::new();
    for route in table::routes() {
        let known = addresses.remove(route.path).unwrap_or_default();
        addresses.insert(route.path, known.merge(route.handler));
    }
    for (path, handler) in addresses {
        router = router.route(path, handler.fallback(problem::wrong_method));
    }
    router
}
