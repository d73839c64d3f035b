//! Every page, in both languages, for every role.

use crate::http::{Console, Request};
use cems_core::model::{OutletId, Role};
use cems_dashboards::backend::Health;

const PAGES: &[&str] = &[
    "/",
    "/outlets/qs-01",
    "/outlets/qs-01?factor=a21002&day=2026-03-17",
    "/outlets/bl-01?factor=w01001",
    "/outlets/bl-02",
    "/alarms",
    "/alarms?all=1&outlet=qs-01",
    "/alarms/30",
    "/alarms/12",
    "/fallbacks",
    "/fallbacks?all=1",
    "/fallbacks/4",
    "/fallbacks/5",
    "/fallbacks/5?correct=35",
    "/fallbacks/5/sheet",
    "/fallbacks/6",
    "/outlets/qs-01/commands",
    "/outlets/mx-01/commands?cn=1012",
    "/outlets/bl-02/commands",
    "/duties",
    "/duties?all=1",
    "/duties?ended=1",
    "/duties?rule=month-total",
    "/duties/rules",
    "/calendar?month=2026-04",
    "/exchanges",
    "/exchanges?people=1&outlet=qs-01",
    "/exchanges/183702",
    "/exchanges/184190",
    "/exchanges/184150",
    "/station",
    "/channels",
    "/destinations",
    "/receipts",
    "/receipts?uplink=city&outlet=qs-01&kind=minute&open=1",
    "/messages",
    "/messages?state=waiting",
    "/messages?state=delivered",
    "/quarantine",
    "/health",
    "/outlets/yt-01/marks",
    "/outlets/hy-02/marks",
    "/outlets/yt-01/tests",
    "/outlets/bl-02/tests",
    "/outlets/yt-01/reviews",
    "/outlets/bl-02/reviews",
    "/outlets/yt-01/quarters",
    "/outlets/hy-02/quarters",
    "/outlets/bl-02/quarters",
    "/outlets/qs-01/clues?from=2026-03-01&until=2026-03-18",
    "/outlets/yt-01/tax",
    "/outlets/mx-01/tax?month=2026-02",
    "/outlets/qs-01/explain",
    "/outlets/qs-01/explain?factor=a21002&period=2026-03-18T12&depth=7",
    "/outlets/qs-01/explain?factor=a21002&period=2026-03-18T12:10",
    "/outlets/qs-01/explain?factor=a21002&period=2026-03-17&depth=4",
    "/outlets/mx-01/explain?factor=w01018&period=2026-03",
    "/outlets/yt-01/explain?factor=a21026&period=2025-Q4",
    "/marks",
    "/clues",
    "/rates",
    "/rates?unit=quarter&at=2025-11-01&of=outlet:yt-01",
    "/projections",
    "/projections?outlet=hy-02",
    "/checks",
    "/formulas",
];

#[tokio::test]
async fn every_page_renders_in_both_languages_without_a_missing_word() {
    let console = Console::start().await;
    for lang in ["zh-CN", "en"] {
        for page in PAGES.iter().chain(&["/audit"]) {
            let answer = console
                .ask(Request::get(page).visit(Role::Supervisor, lang))
                .await;
            assert_eq!(answer.status, 200, "{page} {lang}");
            assert!(
                answer.body.contains(&format!("<html lang=\"{lang}\">")),
                "{page}"
            );
            assert!(
                !answer.body.contains('\u{27e6}'),
                "{page} {lang}: a text is missing"
            );
            assert!(answer.body.contains("</html>"), "{page}");
            assert!(
                !answer.body.contains(" style="),
                "{page}: inline style is blocked"
            );
            assert!(
                !answer.body.contains("<script>"),
                "{page}: inline script is blocked"
            );
        }
        for alarm in 21..=30 {
            let path = format!("/alarms/{alarm}");
            let answer = console
                .ask(Request::get(&path).visit(Role::Auditor, lang))
                .await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.body.contains('\u{27e6}'), "{path}");
        }
    }
}

#[tokio::test]
async fn a_visitor_without_session_logs_in_first_and_comes_back() {
    let console = Console::start().await;
    let answer = console.ask(Request::get("/alarms?all=1")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/login?next=%2Falarms%3Fall%3D1");
    let login = console
        .ask(Request::get("/login?next=%2Falarms%3Fall%3D1"))
        .await;
    assert!(login.body.contains("value=\"/alarms?all=1\""));
    let evil = console
        .ask(Request::get("/login?next=//evil.example"))
        .await;
    assert!(!evil.body.contains("evil.example\""));
}

#[tokio::test]
async fn the_language_is_one_click_away_and_keeps_the_page() {
    let console = Console::start().await;
    let page = console
        .ask(Request::get("/alarms/30").visit(Role::DutyOfficer, "zh-CN"))
        .await;
    assert!(
        page.body
            .contains("href=\"/language/en?back=%2Falarms%2F30\"")
    );
    let answer = console
        .ask(Request::get("/language/en?back=%2Falarms%2F30"))
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/alarms/30")
    );
    assert!(answer.header("set-cookie").starts_with("cems_lang=en;"));
    let out = console
        .ask(Request::get("/language/en?back=https%3A%2F%2Fevil.example"))
        .await;
    assert_eq!(out.header("location"), "/");
}

#[tokio::test]
async fn names_from_outside_are_shown_and_never_run() {
    let console = Console::start().await;
    let name = "<script>alert('x')</script>\"&";
    console.backend.edit_registry(|registry| {
        let outlet = registry.outlets.get_mut(&OutletId::new("qs-01")).unwrap();
        outlet.name = name.to_owned();
        outlet.name_en = None;
        registry.site_name = name.to_owned();
    });
    for page in [
        "/",
        "/outlets/qs-01",
        "/alarms",
        "/alarms/30",
        "/exchanges",
        "/exchanges/183702",
        "/outlets/qs-01/commands",
        "/station",
        "/receipts",
        "/quarantine",
        "/login",
    ] {
        let answer = console
            .ask(Request::get(page).visit(Role::Supervisor, "zh-CN"))
            .await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.body.contains("&#60;script&#62;alert("), "{page}");
        assert!(!answer.body.contains("<script>alert("), "{page}");
    }
}

#[tokio::test]
async fn a_scope_hides_what_lies_outside_it() {
    let console = Console::start().await;
    let own = console
        .ask(Request::get("/").visit(Role::EnterpriseUser, "en"))
        .await;
    assert!(own.body.contains("Incinerator stack"));
    assert!(!own.body.contains("Boiler 1 stack"));
    let other = Request::get("/outlets/qs-01").visit(Role::EnterpriseUser, "en");
    assert_eq!(console.ask(other).await.status, 404);
    let alarm = Request::get("/alarms/30").visit(Role::EnterpriseUser, "en");
    assert_eq!(console.ask(alarm).await.status, 404);
}

#[tokio::test]
async fn buttons_follow_the_role() {
    let console = Console::start().await;
    for (role, acknowledges, reports) in [
        (Role::DutyOfficer, true, false),
        (Role::Supervisor, true, false),
        (Role::Auditor, false, false),
        (Role::Inspector, false, false),
        (Role::Administrator, false, false),
        (Role::Operator, false, true),
        (Role::EnterpriseUser, false, true),
    ] {
        let alarm = console
            .ask(Request::get("/alarms/29").visit(role, "en"))
            .await;
        assert_eq!(alarm.status, 200, "{role}");
        assert_eq!(
            alarm.body.contains("id=\"acknowledge\""),
            acknowledges,
            "{role}"
        );
        let fallback = console
            .ask(Request::get("/fallbacks/5").visit(role, "en"))
            .await;
        assert_eq!(fallback.body.contains("id=\"report\""), reports, "{role}");
        let audit = console.ask(Request::get("/audit").visit(role, "en")).await;
        let allowed = matches!(role, Role::Supervisor | Role::Auditor | Role::Administrator);
        assert_eq!(audit.status, if allowed { 200 } else { 403 }, "{role}");
        assert_eq!(alarm.body.contains("href=\"/audit\""), allowed, "{role}");
    }
}

#[tokio::test]
async fn figures_say_where_they_came_from() {
    let console = Console::start().await;
    let page = console
        .ask(Request::get("/").visit(Role::DutyOfficer, "en"))
        .await;
    for fact in [
        "<dt>Journal</dt><dd>#",
        "<dt>Received</dt>",
        "<dt>Rule profile</dt>",
    ] {
        assert!(page.body.contains(fact), "{fact}");
    }
    // The over-limit value stands rounded on the page and exactly in its origin.
    assert!(page.body.contains("61.2 <small>mg/m³</small>"));
    assert!(page.body.contains("61.23 mg/m³"));
}

#[tokio::test]
async fn an_old_value_never_looks_like_a_present_one() {
    let console = Console::start().await;
    let page = console
        .ask(Request::get("/outlets/hy-01").visit(Role::DutyOfficer, "en"))
        .await;
    assert!(page.body.contains("stale since 12:14"));
    assert!(
        !page.body.contains("class=\"bar ok\" viewBox"),
        "no bar against the limit"
    );
}

#[tokio::test]
async fn the_alarm_page_says_what_happened_and_what_to_do_first() {
    let console = Console::start().await;
    let page = console
        .ask(Request::get("/alarms/30").visit(Role::DutyOfficer, "zh-CN"))
        .await;
    for text in [
        "氮氧化物小时均值超标",
        "66.9 mg/m³",
        "50 mg/m³",
        "0.34",
        "首先：",
        "2 个小时超标",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
}

#[tokio::test]
async fn the_day_chart_has_values_means_and_the_limit() {
    let console = Console::start().await;
    let path = "/outlets/qs-01/chart?factor=a21002&day=2026-03-18";
    let chart = console
        .ask(Request::get(path).visit(Role::DutyOfficer, "en"))
        .await
        .json();
    assert_eq!(chart["limits"][0]["y"], 50.0);
    let kinds: Vec<&str> = chart["series"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|s| s["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["value", "hour", "converted"]);
    let x = chart["x"].as_array().unwrap();
    assert!(x.len() > 80, "a point every ten minutes: {}", x.len());
    for series in chart["series"].as_array().unwrap() {
        assert_eq!(series["y"].as_array().unwrap().len(), x.len());
    }
}

#[tokio::test]
async fn programs_learn_whether_the_daemon_lives_and_is_ready() {
    let console = Console::start().await;
    assert_eq!(console.ask(Request::get("/healthz")).await.status, 200);
    assert_eq!(console.ask(Request::get("/readyz")).await.status, 200);
    assert!(
        console
            .ask(Request::get("/metrics"))
            .await
            .body
            .contains("cems_journal_seq 184210")
    );
    let overview = || Request::get("/").visit(Role::DutyOfficer, "en");
    let trouble = "Data cannot be stored or processed";
    assert!(!console.ask(overview()).await.body.contains(trouble));
    console.backend.set_health(Health {
        problems: vec!["journal: no space left on device".to_owned()],
        ..Health::default()
    });
    assert!(console.ask(overview()).await.body.contains(trouble));
    let ready = console.ask(Request::get("/readyz")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.json()["problems"][0],
        "journal: no space left on device"
    );
    assert_eq!(console.ask(Request::get("/healthz")).await.status, 200);
    let page = console
        .ask(Request::get("/health").visit(Role::DutyOfficer, "en"))
        .await;
    assert!(page.body.contains("no space left on device"));
}

#[tokio::test]
async fn unknown_pages_are_404_in_words() {
    let console = Console::start().await;
    for path in [
        "/nothing",
        "/outlets/none",
        "/outlets/none/commands",
        "/alarms/999",
        "/fallbacks/999",
        "/exchanges/999",
        "/exchanges?outlet=none",
        "/receipts?outlet=none",
        "/receipts?uplink=none",
    ] {
        let answer = console
            .ask(Request::get(path).visit(Role::Supervisor, "en"))
            .await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("There is no such thing"), "{path}");
    }
    let odd = Request::get("/outlets/qs-01?day=yesterday&factor=zzz").visit(Role::Auditor, "en");
    assert_eq!(
        console.ask(odd).await.status,
        200,
        "odd queries fall back to today"
    );
}
