//! The duty desk: its pages for every role, what people do to alarms, the hand-over, the roster.

use crate::http::{Answer, Console, Request};
use cems_core::model::Role;
use serde_json::{Value, json};

const PAGES: [&str; 9] = [
    "/desk",
    "/desk?state=unacknowledged",
    "/roster",
    "/roster?week=2026-03-02",
    "/alarms/figures",
    "/alarms/figures?from=2026-03-01&until=2026-03-18",
    "/alarms?kind=exceedance.hour&enterprise=qingshi",
    "/alarms?all=1&state=closed,shelved",
    "/alarms/11",
];

#[tokio::test]
async fn every_page_of_the_desk_renders_in_both_languages() {
    let console = Console::start().await;
    for lang in ["zh-CN", "en"] {
        for page in PAGES {
            for role in [Role::Supervisor, Role::DutyOfficer, Role::Auditor] {
                let answer = console.ask(Request::get(page).visit(role, lang)).await;
                assert_eq!(answer.status, 200, "{page} {lang} {role}");
                assert!(
                    !answer.body.contains('\u{27e6}'),
                    "{page} {lang}: a text is missing"
                );
                assert!(!answer.body.contains(" style="), "{page}: inline style");
            }
        }
    }
}

#[tokio::test]
async fn a_discharger_sees_its_alarms_and_not_who_is_on_duty() {
    let console = Console::start().await;
    for page in ["/desk", "/roster", "/alarms/figures", "/alarms/figures.csv"] {
        let answer = console
            .ask(Request::get(page).visit(Role::EnterpriseUser, "en"))
            .await;
        assert_eq!(answer.status, 403, "{page}");
    }
    let list = console
        .ask(Request::get("/alarms").visit(Role::EnterpriseUser, "en"))
        .await;
    assert_eq!(list.status, 200);
    assert!(!list.body.contains("href=\"/desk\""));
    let api = console
        .ask(Request::get("/api/v1/desk").bearer(Role::EnterpriseUser))
        .await;
    assert_eq!(api.status, 403);
}

#[tokio::test]
async fn the_desk_says_who_is_on_duty_and_hides_nothing() {
    let console = Console::start().await;
    let page = console
        .ask(Request::get("/desk").visit(Role::DutyOfficer, "en"))
        .await;
    for wanted in [
        "On duty: <b>值班员甲</b>",
        "清溪一号炉氮氧化物偏高",
        "hour mean over its limit",
        "href=\"/alarms?kind=exceedance.hour&#38;region=",
        "id=\"quiet-shelved\"",
        "id=\"quiet-suppressed\"",
        "the outlet is marked stopped",
        "新建排放口，尚未联网",
        "duty due soon",
        "id=\"hand-over\"",
    ] {
        assert!(page.body.contains(wanted), "{wanted}: {}", page.body);
    }
    // What is urgent and waits stands before what somebody has taken notice of.
    let place = |text: &str| page.body.find(text).unwrap_or(usize::MAX);
    assert!(place("hour mean over its limit") < place("day mean over its limit"));
    let narrowed = console
        .ask(Request::get("/desk?state=acknowledged").visit(Role::DutyOfficer, "en"))
        .await;
    let queue = narrowed.body.split("id=\"quiet\"").next().unwrap();
    assert!(
        !queue.contains("<b>hour mean over its limit</b>"),
        "{queue}"
    );
    assert!(
        queue.contains("<b>wrong password or address</b>"),
        "{queue}"
    );
    let wrong = console
        .ask(Request::get("/desk?state=sleeping").visit(Role::DutyOfficer, "en"))
        .await;
    assert_eq!(wrong.status, 422);
}

async fn post(console: &Console, path: &str, body: &str, role: Role) -> Answer {
    console
        .ask(Request::form(path, body).visit(role, "en"))
        .await
}

async fn alarm(console: &Console, id: u64) -> Value {
    let path = format!("/api/v1/alarms/{id}");
    let answer = console
        .ask(Request::get(&path).bearer(Role::Supervisor))
        .await;
    answer.json()["alarm"].clone()
}

#[tokio::test]
async fn an_alarm_is_shelved_called_about_told_noted_and_handed_over() {
    let console = Console::start().await;
    for (verb, body) in [
        ("call", "note=spoke+to+the+shift+leader"),
        ("tell-enterprise", "note="),
        ("tell-operator", ""),
        ("hand-over", "note=third+time+this+week"),
        ("note", "note=rain"),
        ("shelve", "note=being+repaired&until=2026-03-18T18%3A00"),
        ("unshelve", ""),
        ("acknowledge", "note=on+it&until=2026-03-18T16%3A00"),
    ] {
        let path = format!("/alarms/30/{verb}");
        let answer = post(&console, &path, body, Role::DutyOfficer).await;
        assert_eq!(answer.status, 303, "{verb}: {}", answer.body);
    }
    let row = alarm(&console, 30).await;
    assert_eq!(row["state"], "acknowledged");
    assert_eq!(row["acknowledged"]["until"], "2026-03-18T16:00:00+08:00");
    assert_eq!(row["shelved"], Value::Null);
    let page = console
        .ask(Request::get("/alarms/30").visit(Role::DutyOfficer, "en"))
        .await;
    for word in [
        "call noted",
        "enterprise told",
        "operator told",
        "handed over to inspectors",
        "no longer shelved",
        "spoke to the shift leader",
    ] {
        assert!(page.body.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_refused_action_keeps_what_was_typed_and_says_why() {
    let console = Console::start().await;
    let late = "note=waits+for+parts&until=2026-04-18T18%3A00";
    let answer = post(&console, "/alarms/30/shelve", late, Role::DutyOfficer).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("waits for parts"));
    assert!(
        answer.body.contains("within the next 7 days"),
        "{}",
        answer.body
    );
    let empty = post(&console, "/alarms/30/call", "note=+", Role::DutyOfficer).await;
    assert_eq!(empty.status, 422);
    let nobody = post(&console, "/alarms/22/tell-operator", "", Role::DutyOfficer).await;
    assert_eq!(nobody.status, 422);
    let unknown = post(&console, "/alarms/30/forget", "", Role::DutyOfficer).await;
    assert_eq!(unknown.status, 404);
    for role in [Role::EnterpriseUser, Role::Auditor, Role::Inspector] {
        let answer = post(&console, "/alarms/30/call", "note=x", role).await;
        assert_eq!(answer.status, 403, "{role}");
    }
    assert_eq!(alarm(&console, 30).await["state"], "unacknowledged");
}

#[tokio::test]
async fn a_list_of_one_kind_is_answered_as_far_as_it_was_shown() {
    let console = Console::start().await;
    let list = "/alarms?kind=data.none";
    let page = console
        .ask(Request::get(list).visit(Role::DutyOfficer, "en"))
        .await;
    assert!(
        page.body.contains("name=\"upto\" value=\"28\""),
        "{}",
        page.body
    );
    let plain = console
        .ask(Request::get("/alarms").visit(Role::DutyOfficer, "en"))
        .await;
    assert!(!plain.body.contains("name=\"upto\""), "not of everything");
    let old = "kind=data.none&upto=20&note=seen";
    post(&console, "/alarms/acknowledge", old, Role::DutyOfficer).await;
    assert_eq!(alarm(&console, 28).await["state"], "unacknowledged");
    let all = "kind=data.none&upto=28&note=seen";
    let done = post(&console, "/alarms/acknowledge", all, Role::DutyOfficer).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(
        done.header("location")
            .starts_with("/alarms?kind=data.none&saved=")
    );
    assert_eq!(alarm(&console, 28).await["state"], "acknowledged");
    assert_eq!(alarm(&console, 30).await["state"], "unacknowledged");
    let forbidden = post(&console, "/alarms/acknowledge", all, Role::Auditor).await;
    assert_eq!(forbidden.status, 403);
}

#[tokio::test]
async fn the_desk_is_handed_over_with_notes() {
    let console = Console::start().await;
    let body = "to.zhuguan=on&note=furnace+2+starts+up";
    let done = post(&console, "/desk/hand-over", body, Role::DutyOfficer).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let page = console
        .ask(Request::get("/desk").visit(Role::Supervisor, "en"))
        .await;
    assert!(
        page.body.contains("On duty: <b>主管乙</b>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("furnace 2 starts up"));
    let nobody = post(&console, "/desk/hand-over", "note=x", Role::DutyOfficer).await;
    assert_eq!(nobody.status, 422);
    assert!(nobody.body.contains(">x</textarea>"));
    let stranger = "to.shenji=on&note=x";
    let stranger = post(&console, "/desk/hand-over", stranger, Role::DutyOfficer).await;
    assert_eq!(stranger.status, 422);
}

#[tokio::test]
async fn a_supervisor_enters_shifts_and_takes_them_out() {
    let console = Console::start().await;
    let night = "date=2026-03-23&from=22%3A00&until=06%3A00&days=3&to.zhiban=on";
    let done = post(&console, "/roster", night, Role::Supervisor).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let week = done.header("location").to_owned();
    let page = console
        .ask(Request::get(&week).visit(Role::Supervisor, "en"))
        .await;
    assert_eq!(
        page.body.matches("22:00 – 06:00").count(),
        6,
        "{}",
        page.body
    );
    let roster = |console: &Console| {
        let span = "from=2026-03-23T00:00:00%2B08:00&until=2026-03-26T00:00:00%2B08:00";
        let request = Request::get(&format!("/api/v1/roster?{span}")).bearer(Role::Supervisor);
        let address = console.address;
        let backend = console.backend.clone();
        async move { Console { backend, address }.ask(request).await.json() }
    };
    let before = roster(&console).await;
    assert_eq!(before["shifts"].as_array().map(Vec::len), Some(3));
    assert_eq!(before["shifts"][0]["until"], "2026-03-24T06:00:00+08:00");
    let (from, until) = (1_774_274_400_000_i64, 1_774_303_200_000_i64);
    let out = format!("remove_from={from}&remove_until={until}");
    post(&console, "/roster", &out, Role::Supervisor).await;
    let after = roster(&console).await;
    assert_eq!(
        after["shifts"].as_array().map(Vec::len),
        Some(2),
        "{after:#}"
    );
    for (bad, status, role) in [
        (night, 403, Role::DutyOfficer),
        (
            "date=2026-03-23&from=08%3A00&until=16%3A00",
            422,
            Role::Supervisor,
        ),
        (
            "date=x&from=08%3A00&until=16%3A00&to.zhiban=on",
            422,
            Role::Supervisor,
        ),
        (
            "date=2026-03-23&from=08%3A00&until=16%3A00&days=99&to.zhiban=on",
            422,
            Role::Supervisor,
        ),
    ] {
        let answer = post(&console, "/roster", bad, role).await;
        assert_eq!(answer.status, status, "{bad}");
    }
}

#[tokio::test]
async fn a_kind_goes_out_of_service_with_a_reason_and_comes_back() {
    let console = Console::start().await;
    let path = "/outlets/qs-01/alarm-service";
    let out = "kind=data.none&out=true&note=line+works&back=%2Fdesk";
    let done = post(&console, path, out, Role::Supervisor).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let twice = post(&console, path, out, Role::Supervisor).await;
    assert_eq!(twice.status, 422);
    let desk = console
        .ask(Request::get("/api/v1/desk").bearer(Role::Supervisor))
        .await
        .json();
    let services = desk["services"].as_array().unwrap();
    assert!(
        services
            .iter()
            .any(|s| s["outlet"] == "qs-01" && s["note"] == "line works")
    );
    let forbidden = post(&console, path, out, Role::DutyOfficer).await;
    assert_eq!(forbidden.status, 403);
    let back = json!({"kind": "data.none", "out": false, "note": "mended"});
    let back = Request::json("/api/v1/outlets/qs-01/alarm-service", &back);
    let back = console.ask(back.bearer(Role::Supervisor)).await;
    assert_eq!(back.status, 200, "{}", back.body);
}

#[tokio::test]
async fn the_api_does_what_the_forms_do() {
    let console = Console::start().await;
    let post =
        |path: &'static str, body: Value, role: Role| Request::json(path, &body).bearer(role);
    for (path, body) in [
        ("/api/v1/alarms/30/call", json!({"note": "spoke to them"})),
        ("/api/v1/alarms/30/tell-enterprise", json!({"note": null})),
        ("/api/v1/alarms/30/hand-over", json!({})),
        (
            "/api/v1/alarms/30/shelve",
            json!({"note": "repair", "until": "2026-03-18T18:00:00+08:00"}),
        ),
        ("/api/v1/alarms/30/unshelve", json!({})),
        ("/api/v1/alarms/30/acknowledge", json!({"note": "seen"})),
        (
            "/api/v1/desk/hand-over",
            json!({"to": ["zhuguan"], "note": "quiet"}),
        ),
    ] {
        let answer = console.ask(post(path, body, Role::DutyOfficer)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.json()["seq"].as_u64() > Some(0));
    }
    let shift = json!({
        "from": "2026-03-20T08:00:00+08:00",
        "until": "2026-03-20T16:00:00+08:00",
        "people": ["zhiban"],
    });
    let entered = console
        .ask(post("/api/v1/roster", shift.clone(), Role::Supervisor))
        .await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    let forbidden = console
        .ask(post("/api/v1/roster", shift, Role::DutyOfficer))
        .await;
    assert_eq!(forbidden.status, 403);
    let empty = post(
        "/api/v1/alarms/30/call",
        json!({"note": ""}),
        Role::DutyOfficer,
    );
    assert_eq!(console.ask(empty).await.status, 422);
    let kind = Request::get("/api/v1/alarms/groups?kind=none").bearer(Role::Supervisor);
    assert_eq!(console.ask(kind).await.status, 400);
}

#[tokio::test]
async fn figures_come_as_csv_that_a_spreadsheet_does_not_run() {
    let console = Console::start().await;
    let csv = console
        .ask(Request::get("/alarms/figures.csv?from=2026-03-11").visit(Role::Auditor, "en"))
        .await;
    assert_eq!(csv.status, 200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(
        csv.header("content-disposition")
            .contains("alarm-figures-2026-03-11.csv")
    );
    assert!(csv.body.contains("\r\nraised,all,"), "{}", csv.body);
    assert!(
        csv.body
            .lines()
            .all(|line| !line.starts_with(['=', '+', '@']))
    );
}
