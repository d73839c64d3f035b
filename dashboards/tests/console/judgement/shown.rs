//! What the pages show: texts from outside, links to derivations, and nothing of others.

use super::{MARK, MARKS, REVIEWS, TESTS, get, send, with};
use crate::http::{Console, Request};
use cems_core::model::Role;

#[tokio::test]
async fn texts_from_outside_are_shown_and_never_run() {
    let console = Console::start().await;
    let evil = "<script>alert('x')</script>\"&";
    let fields = with(&MARK, "reason", evil);
    let file: [(&str, &[u8]); 1] = [("<img src=x>.txt", b"x")];
    let answer = send(&console, MARKS, Role::Operator, &fields, &file).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let test = [
        ("factor", "a21026"),
        ("kind", "zero-drift"),
        ("at", "2026-03-18T10:00"),
        ("pairs", "0 0.1"),
        ("note", evil),
    ];
    let answer = send(&console, TESTS, Role::Operator, &test, &file).await;
    assert_eq!(answer.status, 303);
    let step = [("quarter", "2025-Q4"), ("step", "submit"), ("note", evil)];
    let answer = send(&console, REVIEWS, Role::Operator, &step, &file).await;
    assert_eq!(answer.status, 303);
    for page in [MARKS, TESTS, REVIEWS, "/marks"] {
        let answer = get(&console, page, Role::Supervisor).await;
        assert!(answer.body.contains("&#60;script&#62;alert("), "{page}");
        assert!(!answer.body.contains("<script>alert("), "{page}");
        assert!(!answer.body.contains("<img src=x"), "{page}");
    }
    for path in [
        "/outlets/qs-01/explain?factor=%3Cscript%3Ealert(1)&period=2026-03-18T12",
        "/outlets/qs-01/explain?factor=a21002&period=%3Cscript%3Ealert(1)",
        "/rates?of=outlet:qs-01&unit=%3Cscript%3Ealert(1)&at=%3Cscript%3Ealert(1)",
    ] {
        let answer = get(&console, path, Role::Auditor).await;
        assert!(!answer.body.contains("<script>alert("), "{path}");
    }
}

#[tokio::test]
async fn every_figure_leads_to_its_derivation() {
    let console = Console::start().await;
    let page = get(&console, "/outlets/qs-01?factor=a21002", Role::Inspector).await;
    let link = "/outlets/qs-01/explain?factor=a21002&#38;period=2026-03-18T12";
    assert!(page.body.contains(link), "an hour");
    let latest = "/outlets/qs-01/explain?factor=a21002&#38;period=2026-03-18T14%3A31%3A30";
    assert!(page.body.contains(latest), "the latest value");
    let year = "/outlets/qs-01/explain?factor=a21002&#38;period=2026\"";
    assert!(page.body.contains(year), "the total of the year");
    let alarm = get(&console, "/alarms/30", Role::Inspector).await;
    let worst = "/outlets/qs-01/explain?factor=a21002&#38;period=2026-03-18T13";
    assert!(alarm.body.contains(worst), "the worst hour of the alarm");

    let tree = "/outlets/qs-01/explain?factor=a21002&period=2026-03-18T12&depth=3";
    let page = get(&console, tree, Role::Inspector).await;
    assert_eq!(page.status, 200);
    for part in [
        "<details class=\"node\" open>",
        "href=\"/formulas#",
        "Journal #",
    ] {
        assert!(page.body.contains(part), "{part}");
    }
    let api = "/api/v1/explain?outlet=qs-01&factor=a21002&period=2026-03-18T12";
    let text = Request::get(api)
        .bearer(Role::Inspector)
        .header("accept", "text/plain");
    let text = console.ask(text.header("accept-language", "en")).await;
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        text.body.lines().count() > 10 && text.body.contains("  "),
        "{}",
        text.body
    );
    for (query, code) in [
        ("outlet=qs-01&factor=a21002&period=now", "period-unreadable"),
        (
            "outlet=qs-01&factor=zzz&period=2026-03-18T12",
            "unknown-factor",
        ),
        (
            "outlet=qs-01&factor=a21002&period=2026&depth=x",
            "depth-unreadable",
        ),
        ("outlet=qs-01&factor=a21002", "bad-request"),
        ("outlet=none&factor=a21002&period=2026", "not-found"),
    ] {
        let path = format!("/api/v1/explain?{query}");
        let answer = console
            .ask(Request::get(&path).bearer(Role::Inspector))
            .await;
        assert_eq!(answer.json()["code"], code, "{query}");
    }
    let odd = get(
        &console,
        "/outlets/qs-01/explain?period=now",
        Role::Inspector,
    )
    .await;
    assert_eq!(odd.status, 422);
    assert!(odd.body.contains("The period cannot be read"));
    let foreign = get(&console, tree, Role::EnterpriseUser).await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn pages_of_other_outlets_are_not_there() {
    let console = Console::start().await;
    for page in [
        "marks", "tests", "reviews", "quarters", "clues", "tax", "explain",
    ] {
        let path = format!("/outlets/qs-01/{page}");
        let answer = get(&console, &path, Role::EnterpriseUser).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    for path in [
        "/rates?of=outlet:qs-01",
        "/rates?of=x",
        "/projections?outlet=qs-01",
    ] {
        let answer = get(&console, path, Role::EnterpriseUser).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    for path in ["/marks", "/clues", "/rates", "/projections"] {
        let answer = get(&console, path, Role::EnterpriseUser).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("Boiler 1 stack"), "{path}");
    }
}
