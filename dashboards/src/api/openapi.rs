//! `/api/openapi.json`, made from the table of routes.

use super::schema::Schema;
use super::shapes::HealthOut;
use super::table::{Body, Route, routes};
use axum::Json;
use serde_json::{Map, Value, json};

/// The document.
pub(super) fn document() -> Value {
    let mut shapes = Map::new();
    let mut paths = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut shapes);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_owned(), operation);
        }
    }
    HealthOut::define(&mut shapes);
    shapes.insert("Problem".to_owned(), problem());
    for (path, about) in [
        ("/healthz", "200 while the process runs"),
        ("/readyz", "200 when everything works, else 503"),
        ("/metrics", "Metrics in Prometheus text format"),
    ] {
        let answer = json!({ "get": {
            "summary": about,
            "security": [],
            "responses": { "200": { "description": about } },
        }});
        paths.insert(path.to_owned(), answer);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "cemsd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Continuous emission monitoring. Times are ISO 8601 with the site's \
                offset; numbers that count are exact decimals as text; every row carries the \
                journal position it came from.",
        },
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "cems_session" },
            },
            "schemas": shapes,
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "An error: a stable code, the value at fault, and a text in the language \
            asked for with Accept-Language.",
        "required": ["type", "title", "status", "code", "detail", "text"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string" },
            "detail": { "type": "string" },
            "text": { "type": "string" },
        },
    })
}

/// The kinds of content an address answers.
fn content(body: Body, shapes: &mut Map<String, Value>) -> Value {
    match body {
        Body::Json(describe) => json!({ "application/json": { "schema": describe(shapes) } }),
        Body::JsonOrText(describe) => json!({
            "application/json": { "schema": describe(shapes) },
            "text/plain": { "schema": { "type": "string" } },
        }),
        Body::File => json!({ "application/octet-stream": {} }),
    }
}

fn operation(route: &Route, shapes: &mut Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    let names = route
        .path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next());
    for name in names {
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": { "type": "string" },
        }));
    }
    for param in route.query {
        parameters.push(json!({
            "name": param.name,
            "in": "query",
            "description": param.about,
            "schema": { "type": "string" },
        }));
    }
    let content = content(route.response, shapes);
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.about,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "done",
                "content": content,
            },
            "default": {
                "description": "a problem",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                } },
            },
        },
    });
    if let (Some(request), Some(object)) = (route.request, operation.as_object_mut()) {
        let schema = request(shapes);
        object.insert(
            "requestBody".to_owned(),
            json!({
                "required": true,
                "content": { "application/json": { "schema": schema } },
            }),
        );
    }
    operation
}

/// `GET /api/openapi.json`: needs no log-in, it says nothing about anybody.
pub(super) async fn serve() -> Json<Value> {
    Json(document())
}
