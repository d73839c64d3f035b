//! Files the pages use, and the headers around everything.

use crate::http::{Console, Request};
use cems_core::model::Role;
use sha2::{Digest, Sha256};
use std::path::Path;

#[tokio::test]
async fn a_browser_keeps_an_asset_until_it_changes() {
    let console = Console::start().await;
    let page = console.ask(Request::get("/login")).await.body;
    let at = page.find("/assets/app.css?v=").unwrap();
    let url = page[at..].split('"').next().unwrap();
    let first = console.ask(Request::get(url)).await;
    assert_eq!(first.status, 200);
    assert!(first.header("cache-control").contains("immutable"));
    assert_eq!(first.header("content-type"), "text/css; charset=utf-8");
    let again = Request::get(url).header("if-none-match", first.header("etag"));
    assert_eq!(console.ask(again).await.status, 304);
    let bare = console.ask(Request::get("/assets/app.css")).await;
    assert_eq!(bare.header("cache-control"), "no-cache");
    assert_eq!(
        console
            .ask(Request::get("/assets/../Cargo.toml"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn every_asset_that_a_page_names_is_there() {
    let console = Console::start().await;
    for page in ["/", "/outlets/qs-01", "/login"] {
        let body = console
            .ask(Request::get(page).visit(Role::Auditor, "en"))
            .await
            .body;
        for part in body.split("\"/assets/").skip(1) {
            let name = part.split(['"', '#']).next().unwrap();
            let answer = console.ask(Request::get(&format!("/assets/{name}"))).await;
            assert_eq!(answer.status, 200, "{name} on {page}");
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let console = Console::start().await;
    for path in [
        "/",
        "/login",
        "/nothing",
        "/api/v1/overview",
        "/healthz",
        "/assets/app.js",
    ] {
        let answer = console.ask(Request::get(path)).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    let page = console
        .ask(Request::get("/").visit(Role::Auditor, "en"))
        .await;
    assert_eq!(page.header("cache-control"), "no-store");
}

#[test]
fn vendored_files_are_the_ones_that_the_list_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/vendor");
    let list = std::fs::read_to_string(root.join("VENDORED.md")).unwrap();
    let mut checked = 0;
    for line in list
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("uPlot"))
    {
        let cells: Vec<&str> = line
            .split('|')
            .map(|c| c.trim().trim_matches('`'))
            .collect();
        let bytes = std::fs::read(root.join(cells[4])).unwrap();
        let sum: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(sum, cells[5], "{}", cells[4]);
        checked += 1;
    }
    assert_eq!(checked, 2);
}
