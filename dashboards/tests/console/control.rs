//! Commands to devices: who may order what, what is asked again, and how an exchange is followed.

use crate::http::{Answer, Console, Request, read_until};
use cems_core::model::{ExchangeState, OutletId, Role, Seq};
use cems_dashboards::backend::StationStatus;
use serde_json::{Value, json};

const COMMANDS: &str = "/outlets/qs-01/commands";
const API: &str = "/api/v1/outlets/qs-01/commands";

/// The order that every canned backend gives the next journal position.
const NEXT: u64 = 184_211;

async fn post(console: &Console, role: Role, body: &str) -> Answer {
    let form = Request::form(COMMANDS, body).visit(role, "en");
    console.ask(form).await
}

async fn exchanges(console: &Console) -> usize {
    let list = Request::get("/api/v1/exchanges").bearer(Role::Auditor);
    console.ask(list).await.json().as_array().unwrap().len()
}

#[tokio::test]
async fn a_question_is_sent_at_once_and_its_steps_are_followed() {
    let console = Console::start().await;
    let times = "p.BeginTime=2026-03-18T12%3A00&p.EndTime=2026-03-18T13%3A00%3A00";
    let answer = post(&console, Role::DutyOfficer, &format!("cn=2061&{times}")).await;
    let page = format!("/exchanges/{NEXT}");
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), format!("{page}?saved={NEXT}"));

    let get = || Request::get(&page).visit(Role::DutyOfficer, "en");
    let body = console.ask(get()).await.body;
    for text in [
        "Fetch hour data",
        "class=\"pill x-queued\" role=\"status\">queued",
        "2026-03-18 12:00:00 <code>BeginTime</code>",
        "2026-03-18 13:00:00 <code>EndTime</code>",
        "<dd>zhiban</dd>",
        "ordered by a person",
        "<dd>#184211</dd>",
        "Not sent yet.",
        "data-live=\"exchange:184211 registry\"",
    ] {
        assert!(body.contains(text), "{text}: {body}");
    }

    let mut stream = console
        .open(Request::get("/live").visit(Role::DutyOfficer, "en"))
        .await;
    read_until(&mut stream, "\"now\":").await;
    let advance = |what, detail, state| console.backend.advance(Seq(NEXT), what, detail, state);
    advance("sent", "", ExchangeState::Sent);
    advance("accepted", "QnRtn=1", ExchangeState::Accepted);
    let topics = r#""topics":["exchange:184211","exchanges","exchanges:qs-01"]"#;
    read_until(&mut stream, topics).await;
    advance("failed", "ExeRtn=100", ExchangeState::Failed);
    advance("done", "ExeRtn=1", ExchangeState::Done);
    let body = console.ask(get()).await.body;
    assert!(
        body.contains("ready to carry it out") && body.contains("QnRtn=1"),
        "{body}"
    );
    assert!(
        body.contains("class=\"pill x-failed\" role=\"status\">failed"),
        "{body}"
    );
    assert!(
        body.contains("no data") && !body.contains("ExeRtn=1<"),
        "an end is an end: {body}"
    );
}

#[tokio::test]
async fn what_acts_on_the_site_is_asked_again_before_it_is_sent() {
    let console = Console::start().await;
    let before = exchanges(&console).await;
    let first = post(&console, Role::Supervisor, "cn=3011&p.PolId=a21002").await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert!(first.body.contains("Confirm the command"));
    assert!(first.body.contains("name=\"p.PolId\" value=\"a21002\""));
    assert!(first.body.contains("name=\"confirm\" value=\"yes\""));
    assert_eq!(exchanges(&console).await, before, "nothing was sent");

    let sent = "cn=3011&p.PolId=a21002&confirm=yes";
    let second = post(&console, Role::Supervisor, sent).await;
    assert_eq!(second.status, 303, "{}", second.body);
    assert_eq!(exchanges(&console).await, before + 1);
}

#[tokio::test]
async fn a_secret_is_typed_once_where_it_is_sent_and_shown_nowhere() {
    let console = Console::start().await;
    let list = Request::get(&format!("{COMMANDS}?cn=1072")).visit(Role::Supervisor, "en");
    let body = console.ask(list).await.body;
    assert!(
        !body.contains("name=\"p.NewPW\""),
        "it is asked on the page that confirms"
    );
    assert!(body.contains("entered on the page that confirms"));

    let confirm = post(&console, Role::Supervisor, "cn=1072").await;
    assert_eq!(confirm.status, 200, "{}", confirm.body);
    assert!(
        confirm
            .body
            .contains("type=\"password\" name=\"p.NewPW\" maxlength=\"6\"")
    );

    let long = post(
        &console,
        Role::Supervisor,
        "cn=1072&confirm=yes&p.NewPW=7654321",
    )
    .await;
    assert_eq!(long.status, 422);
    assert!(long.body.contains("NewPW = *** (≤ 6)"), "{}", long.body);
    assert!(!long.body.contains("7654321"));

    let sent = post(
        &console,
        Role::Supervisor,
        "cn=1072&confirm=yes&p.NewPW=765432",
    )
    .await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    for path in [
        format!("/exchanges/{NEXT}"),
        format!("/api/v1/exchanges/{NEXT}"),
    ] {
        let page = console
            .ask(Request::get(&path).visit(Role::Supervisor, "en"))
            .await;
        assert_eq!(page.status, 200);
        assert!(
            page.body.contains("***") && !page.body.contains("765432"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_mistake_is_named_and_what_was_typed_stays() {
    let console = Console::start().await;
    let before = exchanges(&console).await;
    for (body, message, stays) in [
        (
            "cn=1062&p.RtdInterval=5",
            "RtdInterval = 5 (30 – 3600)",
            "value=\"5\"",
        ),
        (
            "cn=1062&p.RtdInterval=5&confirm=yes",
            "RtdInterval = 5 (30 – 3600)",
            "value=\"5\"",
        ),
        (
            "cn=2051&p.BeginTime=yesterday&p.EndTime=2026-03-18T13%3A00",
            "BeginTime = yesterday",
            "value=\"2026-03-18T13:00\"",
        ),
        ("cn=9999", "The device has no such command: 9999", ""),
        ("", "The device has no such command: ?", ""),
        (
            "cn=2011&p.X=%3Cscript%3E",
            "A parameter of the command is missing",
            "",
        ),
        (
            "cn=3020&p.PolId=a21026&p.InfoId=a%26%26b",
            "InfoId = a&#38;&#38;b",
            "a&#38;&#38;b\"",
        ),
    ] {
        let answer = post(&console, Role::DutyOfficer, body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.body.contains(message), "{body}: {}", answer.body);
        assert!(answer.body.contains(stays), "{body}: what was typed stays");
        assert!(!answer.body.contains("<script>"), "{body}");
    }
    assert_eq!(exchanges(&console).await, before);
}

#[tokio::test]
async fn the_factors_of_the_outlet_are_offered_where_one_is_named() {
    let console = Console::start().await;
    let page = Request::get(&format!("{COMMANDS}?cn=1011")).visit(Role::DutyOfficer, "en");
    let body = console.ask(page).await.body;
    assert!(
        body.contains("<option value=\"a21002\">Nitrogen oxides</option>"),
        "{body}"
    );
    let field =
        "name=\"p.PolId\" value=\"\" maxlength=\"6\" autocomplete=\"off\" list=\"factors\">";
    assert!(body.contains(field), "{body}");
    assert!(
        body.contains("<option value=\"a21002\">Nitrogen oxides (a21002)</option>"),
        "{body}"
    );
}

#[tokio::test]
async fn a_device_that_never_connected_cannot_be_told_anything() {
    let console = Console::start().await;
    let page = Request::get("/outlets/bl-02/commands").visit(Role::DutyOfficer, "en");
    let body = console.ask(page).await.body;
    assert!(body.contains("The device has never connected"), "{body}");
    let order = json!({ "cn": "1011", "params": {} });
    let order = Request::json("/api/v1/outlets/bl-02/commands", &order);
    let answer = console.ask(order.bearer(Role::DutyOfficer)).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (422, &json!("not-connected-yet"))
    );
}

#[tokio::test]
async fn only_the_centre_commands_and_only_within_its_scope() {
    let console = Console::start().await;
    let order = json!({ "cn": "1011", "params": {} });
    for role in Role::ALL {
        let may = matches!(
            role,
            Role::DutyOfficer | Role::Supervisor | Role::Administrator
        );
        // The contractor sees this outlet, so that its role alone is asked.
        let path = "/outlets/yt-01/commands";
        let page = console.ask(Request::get(path).visit(role, "en")).await;
        assert_eq!(page.status, 200, "{role}");
        assert_eq!(page.body.contains("name=\"cn\""), may, "{role}");
        let form = Request::form(path, "cn=1011").visit(role, "en");
        assert_eq!(
            console.ask(form).await.status,
            if may { 303 } else { 403 },
            "{role}"
        );
        let call = Request::json(&format!("/api/v1{path}"), &order).bearer(role);
        assert_eq!(
            console.ask(call).await.status,
            if may { 200 } else { 403 },
            "{role}"
        );
    }
    for path in [COMMANDS, "/exchanges/183702", "/exchanges?outlet=qs-01"] {
        let page = Request::get(path).visit(Role::Operator, "en");
        assert_eq!(console.ask(page).await.status, 404, "{path} is another's");
        let call = Request::get(&format!("/api/v1{path}")).bearer(Role::Operator);
        assert_eq!(console.ask(call).await.status, 404, "{path} is another's");
    }
    let list = Request::get("/exchanges").visit(Role::Operator, "en");
    let list = console.ask(list).await.body;
    assert!(
        list.contains("Incinerator stack") && !list.contains("Boiler 1 stack"),
        "{list}"
    );
    let unknown = Request::form("/outlets/none/commands", "cn=1011");
    let unknown = console.ask(unknown.visit(Role::DutyOfficer, "en")).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn another_site_cannot_order_a_command() {
    let console = Console::start().await;
    let before = exchanges(&console).await;
    let form = Request::form(COMMANDS, "cn=1011").visit(Role::DutyOfficer, "en");
    let form = form.header("sec-fetch-site", "cross-site");
    assert_eq!(console.ask(form).await.json()["code"], "cross-site");
    let bare = Request::json(API, &json!({ "cn": "1011", "params": {} }));
    assert_eq!(console.ask(bare).await.status, 403);
    assert_eq!(exchanges(&console).await, before);
}

#[tokio::test]
async fn a_program_orders_a_command_and_reads_how_it_went() {
    let console = Console::start().await;
    let order = |params: Value| {
        let body = json!({ "cn": "1062", "params": params });
        Request::json(API, &body).bearer(Role::DutyOfficer)
    };
    let answer = console.ask(order(json!({ "RtdInterval": "60" }))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.json(),
        json!({ "seq": NEXT, "at": "2026-03-18T14:32:10+08:00" })
    );
    let get = Request::get(&format!("/api/v1/exchanges/{NEXT}")).bearer(Role::DutyOfficer);
    let row = console
        .ask(get.header("accept-language", "en"))
        .await
        .json();
    assert_eq!(row["state"], "queued");
    assert_eq!(row["over"], false);
    assert_eq!(row["label"], "Set the real-time interval");
    assert_eq!(
        row["params"],
        json!([{ "name": "RtdInterval", "value": "60" }])
    );

    for (body, status, code) in [
        (order(json!({ "RtdInterval": "29" })), 422, "bad-parameter"),
        (order(json!({})), 422, "bad-parameter"),
        (order(json!({ "RtdInterval": 60 })), 400, "bad-request"),
        (
            Request::json(API, &json!({ "cn": "0000", "params": {} })).bearer(Role::Supervisor),
            422,
            "unknown-command",
        ),
    ] {
        let answer = console.ask(body).await;
        assert_eq!(answer.status, status, "{code}");
        assert_eq!(answer.json()["code"], code);
    }
    let wrong = Request::get("/api/v1/exchanges/x").bearer(Role::Supervisor);
    assert_eq!(console.ask(wrong).await.status, 404);
}

#[tokio::test]
async fn the_list_tells_orders_of_people_from_those_of_the_daemon() {
    let console = Console::start().await;
    let ask = |path: &str| console.ask(Request::get(path).visit(Role::Auditor, "en"));
    let all = ask("/exchanges").await.body;
    let people = ask("/exchanges?people=1").await.body;
    assert!(all.contains("re-fetch of missing data · daemon"), "{all}");
    assert!(!people.contains("re-fetch of missing data"), "{people}");
    assert!(people.contains("ordered by a person · zhiban"), "{people}");
    for state in [
        "done",
        "refused",
        "failed",
        "timed-out",
        "cancelled",
        "queued",
        "sent",
    ] {
        assert!(
            all.contains(&format!("class=\"pill x-{state}\">")),
            "{state}"
        );
    }
    let one = ask("/exchanges?outlet=mx-02").await.body;
    assert!(
        one.contains("no answer in time · no answer to any attempt"),
        "{one}"
    );
    assert!(!one.contains("Boiler 1 stack"), "{one}");
}

#[tokio::test]
async fn what_a_device_says_is_shown_and_never_run() {
    let console = Console::start().await;
    let page = Request::get("/exchanges/184190").visit(Role::Auditor, "en");
    let body = console.ask(page).await.body;
    assert!(
        body.contains("&#60;b&#62;i13004-Info=0.3&#60;/b&#62;;PW=***;"),
        "{body}"
    );
    assert!(!body.contains("<b>i13004"), "{body}");
}

#[tokio::test]
async fn the_outlet_page_shows_what_its_logger_is_used_to() {
    let console = Console::start().await;
    let ask = |path: &str| console.ask(Request::get(path).visit(Role::Auditor, "en"));
    let old = ask("/outlets/mx-02").await.body;
    for text in [
        "<dd class=\"odd\">CRC-16/MODBUS</dd>",
        "<dd class=\"odd\">GBK</dd>",
        "<dd class=\"odd\">12 min ahead</dd>",
        "<dd class=\"odd\">no, its clock stood as before</dd>",
        "<dd>not seen yet</dd>",
        "href=\"/outlets/mx-02/commands\"",
    ] {
        assert!(old.contains(text), "{text}");
    }
    let new = ask("/outlets/qs-01").await.body;
    assert!(!new.contains("class=\"odd\""), "{new}");
    assert!(new.contains("<dd>agrees with ours</dd>"));
}

#[tokio::test]
async fn the_station_is_in_the_menu_where_there_is_one() {
    let console = Console::start().await;
    let ask = |role| console.ask(Request::get("/station").visit(role, "en"));
    let page = ask(Role::DutyOfficer).await.body;
    for text in [
        "href=\"/station\" aria-current=\"page\"",
        "<b>17.43</b> <small>mg/m³</small> <code>N</code>",
        "line trouble",
        "unit 7: answer of 7 bytes where 9 were expected",
        "not connected",
        "data-label=\"Not yet acknowledged\">1284</td>",
        "1 h 04 min ago",
        "connection refused",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // A contractor of other outlets sees neither instruments nor centres.
    let other = ask(Role::Operator).await.body;
    assert!(
        !other.contains("gas-1") && !other.contains("192.0.2.80"),
        "{other}"
    );
    assert!(!other.contains("href=\"/station\""), "{other}");

    console.backend.set_station(StationStatus::default());
    let page = ask(Role::DutyOfficer).await.body;
    assert!(
        !page.contains("href=\"/station\""),
        "a pure centre has no such entry"
    );
    assert!(page.contains("No instruments are configured."));
}

#[tokio::test]
async fn names_of_instruments_are_shown_and_never_run() {
    let console = Console::start().await;
    let hostile = "<img src=x onerror=alert(1)>";
    let supervisor = Request::get("/api/v1/station").bearer(Role::Supervisor);
    assert_eq!(console.ask(supervisor).await.status, 200);
    let mut status = StationStatus::default();
    status
        .instruments
        .push(cems_dashboards::backend::InstrumentStatus {
            id: hostile.to_owned(),
            outlet: OutletId::new("qs-01"),
            bus: hostile.to_owned(),
            map: hostile.to_owned(),
            ok: false,
            last_ok: None,
            last_error: Some((cems_core::model::Timestamp(0), hostile.to_owned())),
            polls: 0,
            failures: 0,
            readings: vec![(
                cems_core::model::FactorCode::new(hostile),
                hostile.to_owned(),
                hostile.to_owned(),
            )],
        });
    console.backend.set_station(status);
    let page = console
        .ask(Request::get("/station").visit(Role::Supervisor, "zh-CN"))
        .await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("&#60;img src=x"), "{}", page.body);
    assert!(!page.body.contains("<img src=x"), "{}", page.body);
}
