//! The JSON API under `/api/v1`. One table gives the routes and the document.

mod answers;
mod calls;
mod convert;
mod openapi;
pub(crate) mod problem;
mod schema;
mod shapes;
mod table;

use crate::app::App;
use axum::Router;
use axum::routing::get;

pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new().route("/api/openapi.json", get(openapi::serve));
    for route in table::routes() {
        router = router.route(route.path, route.handler.fallback(problem::wrong_method));
    }
    router
}
