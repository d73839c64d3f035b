//! Duties with a clock: who sees and completes what, the calendar, and a person's feed of it.

use crate::http::{Answer, Console, Request};
use cems_core::model::Role;
use serde_json::json;

const TOTAL: &str = "/duties/month-total%3Ayuntai%3A2026-02";

async fn get(console: &Console, path: &str, role: Role) -> Answer {
    console.ask(Request::get(path).visit(role, "en")).await
}

async fn post(console: &Console, path: &str, role: Role, body: &str) -> Answer {
    console
        .ask(Request::form(path, body).visit(role, "en"))
        .await
}

#[tokio::test]
async fn what_one_owes_stands_first_and_nobody_is_told_of_checks_on_them() {
    let console = Console::start().await;
    let page = get(&console, "/duties", Role::EnterpriseUser).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Owed by your role"), "{}", page.body);
    assert!(page.body.contains("Total of last month"));
    let own = get(&console, "/duties?all=1", Role::EnterpriseUser).await;
    assert!(!own.body.contains("Monthly on-site check"));
    let inspector = get(&console, "/duties?all=1", Role::Inspector).await;
    assert!(inspector.body.contains("Monthly on-site check"));
    let check = "/duties/month-check%3Ayuntai%3A2026-03";
    assert_eq!(get(&console, check, Role::Inspector).await.status, 200);
    assert_eq!(get(&console, check, Role::EnterpriseUser).await.status, 404);
    let table = get(&console, "/duties/rules", Role::EnterpriseUser).await;
    assert!(!table.body.contains("month-check"));
    assert!(table.body.contains("recalled or chosen, to be checked"));
}

#[tokio::test]
async fn a_duty_is_completed_with_its_document_and_taken_back() {
    let console = Console::start().await;
    let page = get(&console, TOTAL, Role::EnterpriseUser).await;
    assert!(page.body.contains("2026-03-10 24:00"), "{}", page.body);
    assert!(page.body.contains("overdue"));

    let complete = format!("{TOTAL}/complete");
    let send = |files: Vec<(&'static str, &'static [u8])>, role| {
        let request = Request::upload(&complete, &[("note", "sent by post")], &files);
        request.visit(role, "en")
    };
    let without = console.ask(send(vec![], Role::EnterpriseUser)).await;
    assert_eq!(without.status, 422);
    assert!(without.body.contains("please attach one"));
    assert!(
        without.body.contains("sent by post"),
        "what was typed is kept"
    );
    let file: (&str, &[u8]) = ("总量 报表.pdf", b"total");
    assert_eq!(
        console.ask(send(vec![file], Role::Supervisor)).await.status,
        403
    );
    assert_eq!(
        console.ask(send(vec![file], Role::Auditor)).await.status,
        403
    );
    let kept = console.ask(send(vec![file], Role::EnterpriseUser)).await;
    let saved = format!("{TOTAL}?saved=184211");
    assert_eq!(
        (kept.status, kept.header("location")),
        (303, saved.as_str())
    );
    let page = get(&console, &saved, Role::EnterpriseUser).await;
    assert!(page.body.contains("completed late"));
    assert!(page.body.contains("总量 报表.pdf"));

    let one = Request::get("/api/v1/duties/month-total:yuntai:2026-02");
    let one = console.ask(one.bearer(Role::EnterpriseUser)).await.json();
    assert_eq!(one["duty"]["standing"], "done-late");
    assert_eq!(one["history"][0]["what"], "duty.done");
    let sha256 = one["duty"]["done"]["attachments"][0]["sha256"].as_str();
    let path = format!("{TOTAL}/files/{}", sha256.unwrap());
    let file = get(&console, &path, Role::Auditor).await;
    assert_eq!((file.status, file.body.as_str()), (200, "total"));

    let back = format!("{TOTAL}/withdraw");
    let empty = post(&console, &back, Role::EnterpriseUser, "reason=+").await;
    assert_eq!(empty.status, 422);
    let back = post(&console, &back, Role::EnterpriseUser, "reason=wrong+month").await;
    assert_eq!(back.status, 303);
    let page = get(&console, TOTAL, Role::EnterpriseUser).await;
    assert!(!page.body.contains("completed late"));
}

#[tokio::test]
async fn a_finding_is_entered_and_opens_a_duty() {
    let console = Console::start().await;
    let form = "rule=finding-published&subject=yuntai&at=2026-03-17T10:00&note=books+missing";
    assert_eq!(
        post(&console, "/duties/rules", Role::EnterpriseUser, form)
            .await
            .status,
        403
    );
    let kept = post(&console, "/duties/rules", Role::Inspector, form).await;
    assert_eq!(kept.status, 303);
    let open = Request::get("/api/v1/duties?rule=finding-published");
    let open = console.ask(open.bearer(Role::Inspector)).await.json();
    let entered = open.as_array().unwrap();
    let entered = entered
        .iter()
        .find(|d| d["round"] == "entry-184211")
        .unwrap();
    // From Wednesday the 18th on, over the day off in April.
    assert_eq!(entered["due_at"], "2026-04-16T00:00:00+08:00");
    assert_eq!(entered["opened_by"], "zhifa");
    // A decision of tomorrow has not been made.
    let future = form.replace("2026-03-17", "2026-03-19");
    let refused = post(&console, "/duties/rules", Role::Inspector, &future).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("books missing"),
        "what was typed is kept"
    );
    // A stop is announced ahead, by the enterprise, for itself only.
    let stop = "rule=stop-notice&subject=yuntai&at=2026-04-01T08:00&note=overhaul";
    assert_eq!(
        post(&console, "/duties/rules", Role::EnterpriseUser, stop)
            .await
            .status,
        303
    );
    let other = stop.replace("yuntai", "qingshan");
    let other = post(&console, "/duties/rules", Role::EnterpriseUser, &other).await;
    assert!(matches!(other.status, 404 | 422), "{}", other.status);
}

#[tokio::test]
async fn the_calendar_knows_days_off_and_says_what_is_not_certain() {
    let console = Console::start().await;
    let march = get(&console, "/calendar?month=2026-03", Role::Supervisor).await;
    assert!(march.body.contains("Example holiday"));
    assert!(march.body.contains("make-up day"));
    assert!(!march.body.contains("may still change"));
    let next = get(&console, "/calendar?month=2027-01", Role::Supervisor).await;
    assert!(next.body.contains("the notice is not out yet"));
    let far = get(&console, "/calendar?month=2031-01", Role::Supervisor).await;
    assert!(far.body.contains("There is no calendar for 2031"));
    assert_eq!(
        get(&console, "/calendar?month=2031", Role::Supervisor)
            .await
            .status,
        422
    );

    let month = Request::get("/api/v1/calendar?month=2026-03");
    let month = console.ask(month.bearer(Role::EnterpriseUser)).await.json();
    let days = month["days"].as_array().unwrap();
    assert_eq!(days.len(), 31);
    assert_eq!(days[11]["kind"], "holiday");
    assert_eq!(
        (&days[13]["kind"], &days[13]["date"]),
        (&json!("make-up"), &json!("2026-03-14"))
    );
    let due = &days[9]["due"][0];
    assert_eq!(
        (&due["rule"], &due["open"]),
        (&json!("month-total"), &json!(1))
    );
}

#[tokio::test]
async fn a_feed_needs_its_secret_and_shows_no_more_than_the_person_may_see() {
    let console = Console::start().await;
    let none = console
        .ask(Request::get("/calendar.ics?token=feed-qiye"))
        .await;
    assert_eq!(none.status, 404, "nobody has made it");
    let made = post(&console, "/calendar/feed", Role::EnterpriseUser, "").await;
    assert_eq!(
        (made.status, made.header("cache-control")),
        (200, "no-store")
    );
    assert!(made.body.contains("/calendar.ics?token=feed-qiye"));
    let later = get(&console, "/calendar", Role::EnterpriseUser).await;
    assert!(!later.body.contains("token="), "it is shown once");

    let file = console
        .ask(Request::get("/calendar.ics?token=feed-qiye&lang=en"))
        .await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), "text/calendar; charset=utf-8");
    assert!(file.header("cache-control").contains("no-store"));
    let text = file.body.replace("\r\n ", "");
    assert!(
        text.contains("UID:month-total:yuntai:2026-02@cemsd\r\n"),
        "{text}"
    );
    assert!(text.contains("DTSTART;VALUE=DATE:20260310\r\n"));
    assert!(text.contains("SUMMARY:overdue Total of last month's main pollutants"));
    assert!(
        !text.contains("month-check"),
        "what the authority owes is not told"
    );
    assert!(
        text.contains("Manual report due"),
        "what a fallback waits for"
    );
    for wrong in ["", "feed-zhifa", "nonsense", &"x".repeat(500)] {
        let path = format!("/calendar.ics?token={wrong}");
        assert_eq!(
            console.ask(Request::get(&path)).await.status,
            404,
            "{wrong}"
        );
    }
    post(&console, "/calendar/feed/end", Role::EnterpriseUser, "").await;
    let ended = console
        .ask(Request::get("/calendar.ics?token=feed-qiye"))
        .await;
    assert_eq!(ended.status, 404);
}
