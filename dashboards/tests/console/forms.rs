//! Log-in and the forms that change something.

use crate::http::{Console, Request};
use cems_core::model::Role;
use cems_dashboards::ConsoleOptions;

const ACKNOWLEDGE: &str = "/alarms/30/acknowledge";

#[tokio::test]
async fn logging_in_gives_a_strict_cookie_and_logging_out_ends_it() {
    let console = Console::start().await;
    let answer = console
        .ask(Request::form(
            "/login",
            "user=zhiban&password=demo&next=%2Falarms",
        ))
        .await;
    assert_eq!((answer.status, answer.header("location")), (303, "/alarms"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("cems_session=canned-duty-officer; "),
        "{cookie}"
    );
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(!cookie.contains("Secure"), "{cookie}");

    let out = console
        .ask(Request::form("/logout", "").visit(Role::DutyOfficer, "en"))
        .await;
    assert_eq!((out.status, out.header("location")), (303, "/login"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let after = console
        .ask(Request::get("/").visit(Role::DutyOfficer, "en"))
        .await;
    assert_eq!(
        after.status, 303,
        "the session is over on the server as well"
    );
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure_and_bound_to_the_host() {
    let options = ConsoleOptions {
        secure_cookie: true,
        ..ConsoleOptions::default()
    };
    let console = Console::start_with(options).await;
    let answer = console
        .ask(Request::form("/login", "user=zhiban&password=demo"))
        .await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-cems_session="), "{cookie}");
    assert!(
        cookie.contains("; Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_failed_log_in_says_the_same_for_name_and_password() {
    let console = Console::start().await;
    let name = console
        .ask(Request::form("/login", "user=nobody&password=demo"))
        .await;
    let password = console
        .ask(Request::form("/login", "user=zhiban&password=x"))
        .await;
    assert_eq!((name.status, password.status), (401, 401));
    let text = "用户名或密码不正确。";
    assert!(name.body.contains(text) && password.body.contains(text));
    let slow = console
        .ask(Request::form("/login", "user=slow&password=x"))
        .await;
    assert_eq!((slow.status, slow.header("retry-after")), (429, "30"));
}

#[tokio::test]
async fn what_changes_something_must_come_from_our_own_page() {
    let console = Console::start().await;
    let form = || Request::form(ACKNOWLEDGE, "note=seen").visit(Role::DutyOfficer, "en");
    for (refused, why) in [
        (
            form().header("sec-fetch-site", "cross-site"),
            "another site",
        ),
        (
            form().header("sec-fetch-site", "same-site"),
            "another host of the site",
        ),
        (
            form().without("sec-fetch-site"),
            "no word of where it comes from",
        ),
        (
            form()
                .without("sec-fetch-site")
                .header("origin", "http://evil.example"),
            "another origin",
        ),
        (
            form().without("sec-fetch-site").header("origin", "null"),
            "a sandbox",
        ),
        (
            form()
                .header("sec-fetch-site", "cross-site")
                .bearer(Role::DutyOfficer),
            "with cookie",
        ),
        (
            Request::form("/login", "user=zhiban&password=demo").without("sec-fetch-site"),
            "a log-in by another site",
        ),
    ] {
        let answer = console.ask(refused).await;
        assert_eq!(answer.status, 403, "{why}");
        assert_eq!(answer.json()["code"], "cross-site", "{why}");
    }
    let own = form()
        .without("sec-fetch-site")
        .header("origin", "http://console.test");
    assert_eq!(console.ask(own).await.status, 303);
}

#[tokio::test]
async fn acknowledging_takes_a_note_and_shows_it_with_its_journal_position() {
    let console = Console::start().await;
    let empty = Request::form(ACKNOWLEDGE, "note=+++").visit(Role::DutyOfficer, "en");
    let refused = console.ask(empty).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Please write a note."));

    let form = Request::form(ACKNOWLEDGE, "note=called+%3Cthe%3E+plant");
    let answer = console.ask(form.visit(Role::DutyOfficer, "en")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/alarms/30?saved=184211")
    );
    let page = console
        .ask(Request::get("/alarms/30?saved=184211").visit(Role::DutyOfficer, "en"))
        .await;
    assert!(page.body.contains("Saved as journal entry #184211."));
    assert!(page.body.contains("called &#60;the&#62; plant"));
    assert!(!page.body.contains("id=\"acknowledge\""), "once is enough");

    let again = Request::form(ACKNOWLEDGE, "note=me+too").visit(Role::Supervisor, "en");
    let again = console.ask(again).await;
    assert_eq!(again.status, 422);
    assert!(
        again
            .body
            .contains("Somebody has acknowledged this alarm already.")
    );
}

#[tokio::test]
async fn an_alarm_is_closed_only_when_it_is_back_to_normal() {
    let console = Console::start().await;
    let close = |id: u32| Request::form(&format!("/alarms/{id}/close"), "conclusion=pump+repaired");
    let active = console.ask(close(30).visit(Role::DutyOfficer, "en")).await;
    assert_eq!(active.status, 422);
    assert!(active.body.contains("The condition still holds"));
    let done = console.ask(close(26).visit(Role::DutyOfficer, "en")).await;
    assert_eq!(done.status, 303);
}

#[tokio::test]
async fn actions_of_the_wrong_role_are_refused_even_without_a_button() {
    let console = Console::start().await;
    for (path, body, role) in [
        (ACKNOWLEDGE, "note=x", Role::Auditor),
        ("/alarms/26/close", "conclusion=x", Role::Inspector),
        (
            "/outlets/qs-01/fallback",
            "open=true&note=x",
            Role::Operator,
        ),
    ] {
        let answer = console
            .ask(Request::form(path, body).visit(role, "en"))
            .await;
        assert_eq!(answer.status, 403, "{path} as {role}");
    }
}

#[tokio::test]
async fn a_supervisor_decides_about_a_fallback() {
    let console = Console::start().await;
    let path = "/outlets/qs-02/fallback";
    let open = Request::form(path, "open=true&note=analyser+exchanged");
    let answer = console.ask(open.visit(Role::Supervisor, "en")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/outlets/qs-02?saved=184211")
    );
    let page = console
        .ask(Request::get("/fallbacks/7").visit(Role::Supervisor, "en"))
        .await;
    assert!(page.body.contains("Decided by zhuguan: analyser exchanged"));
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused() {
    let console = Console::start().await;
    let body = format!("note={}", "x".repeat(cems_dashboards::BODY_BYTES_MAX));
    let answer = console
        .ask(Request::form(ACKNOWLEDGE, &body).visit(Role::Supervisor, "en"))
        .await;
    assert_eq!(answer.status, 413);
    let note = serde_json::json!({ "note": "x".repeat(cems_dashboards::BODY_BYTES_MAX) });
    let request = Request::json("/api/v1/alarms/30/acknowledge", &note).bearer(Role::Supervisor);
    let answer = console.ask(request.header("accept-language", "en")).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (413, &"request-too-large".into())
    );
    assert!(answer.body.contains("at most 5 files"));
}
