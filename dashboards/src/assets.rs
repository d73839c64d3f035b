//! Style, scripts and icons, inside the program.

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One file the pages use.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Name under `/assets/`.
    pub(crate) name: &'static str,
    content_type: &'static str,
    pub(crate) bytes: &'static [u8],
    hash: u64,
}

/// FNV-1a: names a version of a file for caches; protects nothing.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash ^= bytes[i] as u64;
        hash = hash.wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

macro_rules! asset {
    ($name:literal, $type:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!("../assets/", $name));
        const HASH: u64 = fnv1a(BYTES);
        Asset {
            name: $name,
            content_type: $type,
            bytes: BYTES,
            hash: HASH,
        }
    }};
}

/// All of them.
pub(crate) static ASSETS: [Asset; 7] = [
    asset!("app.css", "text/css; charset=utf-8"),
    asset!("app.js", "text/javascript; charset=utf-8"),
    asset!("chart.js", "text/javascript; charset=utf-8"),
    asset!("icons.svg", "image/svg+xml"),
    asset!("favicon.svg", "image/svg+xml"),
    asset!(
        "vendor/uplot/uPlot.iife.min.js",
        "text/javascript; charset=utf-8"
    ),
    asset!("vendor/uplot/uPlot.min.css", "text/css; charset=utf-8"),
];

/// The address of an asset with its version, so that a browser may keep it for ever.
pub(crate) fn url(name: &str) -> String {
    let version = ASSETS.iter().find(|a| a.name == name).map_or(0, |a| a.hash);
    format!("/assets/{name}?v={version:016x}")
}

/// `GET /assets/{*name}`.
pub(crate) async fn serve(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{:016x}\"", asset.hash);
    let versioned = query.is_some_and(|q| q == format!("v={:016x}", asset.hash));
    let cache = if versioned {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let fixed = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::CONTENT_TYPE, asset.content_type.to_owned()),
    ];
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
    if known {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, asset.bytes).into_response()
}
