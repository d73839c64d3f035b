//! Marks, tests of the equipment, validity reviews and derivations: forms, refusals, permissions,
//! files, and texts from outside.

mod shown;

use crate::http::{Answer, Console, Request};
use cems_core::model::Role;
use serde_json::json;

const MARKS: &str = "/outlets/yt-01/marks";
const TESTS: &str = "/outlets/yt-01/tests";
const REVIEWS: &str = "/outlets/yt-01/reviews";

const MARK: [(&str, &str); 5] = [
    ("kind", "maintenance"),
    ("factor.a21026", "1"),
    ("from", "2026-03-18T09:00"),
    ("until", "2026-03-18T10:30"),
    ("reason", "filter exchanged"),
];

/// A form that roles may not send: address, fields, roles.
type Denied<'a> = (&'a str, &'a [(&'a str, &'a str)], [Role; 5]);

/// The fields with one of them changed.
fn with<'a>(fields: &[(&'a str, &'a str)], name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let changed = fields
        .iter()
        .map(|(n, v)| (*n, if *n == name { value } else { *v }));
    changed.collect()
}

async fn get(console: &Console, path: &str, role: Role) -> Answer {
    console.ask(Request::get(path).visit(role, "en")).await
}

async fn send(
    console: &Console,
    path: &str,
    role: Role,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Answer {
    console
        .ask(Request::upload(path, fields, files).visit(role, "en"))
        .await
}

#[tokio::test]
async fn a_mark_is_entered_with_its_files_and_taken_back() {
    let console = Console::start().await;
    let files: [(&str, &[u8]); 2] = [("更换 记录.txt", b"done"), ("a.bin", &[0, 255, 7])];
    let answer = send(&console, MARKS, Role::EnterpriseUser, &MARK, &files).await;
    let saved = "/outlets/yt-01/marks?saved=184211";
    assert_eq!((answer.status, answer.header("location")), (303, saved));
    let page = get(&console, saved, Role::EnterpriseUser).await;
    assert!(page.body.contains("Saved as journal entry #184211."));
    assert!(page.body.contains("filter exchanged"));
    assert!(page.body.contains("更换 记录.txt"));

    let marks = Request::get("/api/v1/outlets/yt-01/marks").bearer(Role::Operator);
    let marks = console.ask(marks).await.json();
    let mark = &marks[0];
    assert_eq!(mark["factors"], json!(["a21026"]));
    assert_eq!(mark["from"], "2026-03-18T09:00:00+08:00");
    assert_eq!(
        (&mark["late"], &mark["counts"]),
        (&json!(false), &json!(true))
    );
    let sha256 = mark["attachments"][0]["sha256"].as_str().unwrap();
    let path = format!("/api/v1/outlets/yt-01/attachments/{sha256}");
    let file = get(&console, &path, Role::Auditor).await;
    assert_eq!((file.status, file.body.as_str()), (200, "done"));
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename*=UTF-8''%E6%9B%B4%E6%8D%A2%20%E8%AE%B0%E5%BD%95.txt"
    );
    let elsewhere = format!("/api/v1/outlets/qs-01/attachments/{sha256}");
    assert_eq!(get(&console, &elsewhere, Role::Auditor).await.status, 404);

    let back = "/outlets/yt-01/marks/184211/withdraw";
    let form = |body: &str| Request::form(back, body).visit(Role::Operator, "en");
    let empty = console.ask(form("reason=+")).await;
    assert_eq!(empty.status, 422);
    assert!(empty.body.contains("Please write a note."));
    assert_eq!(console.ask(form("reason=wrong+day")).await.status, 303);
    let again = console.ask(form("reason=wrong+day+%3Cb%3E")).await;
    assert_eq!(again.status, 422);
    assert!(
        again
            .body
            .contains("The entry is withdrawn already: #184211")
    );
}

#[tokio::test]
async fn a_refused_mark_says_why_and_keeps_what_was_typed() {
    let console = Console::start().await;
    let cases = [
        (
            with(&MARK, "reason", " "),
            "A required field is empty: reason",
        ),
        (
            with(&MARK, "kind", "nap"),
            "A required field is empty: kind",
        ),
        (with(&MARK, "from", ""), "A required field is empty: from"),
        (with(&MARK, "until", "soon"), "A time cannot be read: soon"),
        (
            with(&MARK, "until", "2026-03-18T09:00"),
            "The period must end after it begins: 2026-03-18 09:00:00",
        ),
        (
            with(&MARK, "from", "2025-03-01T00:00"),
            "The period is too long; at most 366 days.",
        ),
        (
            with(&MARK, "from", "2026-03-18T09:00:30"),
            "The period must begin and end at whole minutes: 2026-03-18 09:00:30",
        ),
    ];
    for (fields, message) in cases {
        let answer = send(&console, MARKS, Role::Operator, &fields, &[]).await;
        assert_eq!(answer.status, 422, "{message}");
        assert!(answer.body.contains(message), "{message}");
        let typed = fields.iter().find(|(name, _)| *name == "until").unwrap().1;
        assert!(
            answer.body.contains(&format!("value=\"{typed}\"")),
            "{message}"
        );
        assert!(
            answer
                .body
                .contains("name=\"factor.a21026\" value=\"1\" checked")
        );
    }
    let ahead = with(
        &with(&MARK, "from", "2026-03-19T09:00"),
        "until",
        "2026-03-19T12:00",
    );
    let fault = with(&ahead, "kind", "fault");
    let answer = send(&console, MARKS, Role::Operator, &fault, &[]).await;
    assert!(
        answer
            .body
            .contains("only planned maintenance may be announced")
    );
    let answer = send(&console, MARKS, Role::Operator, &ahead, &[]).await;
    assert_eq!(answer.status, 303, "maintenance is announced");
    let chinese = Request::upload(MARKS, &with(&MARK, "reason", ""), &[]);
    let chinese = console.ask(chinese.visit(Role::Operator, "zh-CN")).await;
    assert!(chinese.body.contains("必填项为空：reason"));
}

#[tokio::test]
async fn files_are_bounded_in_number_and_size() {
    let console = Console::start().await;
    let small: &[u8] = b"x";
    let six = [("a.txt", small); 6];
    let answer = send(&console, MARKS, Role::Operator, &MARK, &six).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("There are too many files; at most 5."));
    assert!(
        answer.body.contains("filter exchanged"),
        "what was typed stays"
    );
    let large = vec![0; 8 * 1024 * 1024 + 1];
    let answer = send(&console, MARKS, Role::Operator, &MARK, &[("a.bin", &large)]).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .body
            .contains("A file is too large: a.bin &#62; 8 MiB")
    );
    let fits = &large[1..];
    let answer = send(&console, MARKS, Role::Operator, &MARK, &[("a.bin", fits)]).await;
    assert_eq!(answer.status, 303, "exactly 8 MiB fit");
    // A browser sends the field without a chosen file as a file without a name.
    let answer = send(&console, MARKS, Role::Operator, &MARK, &[("", b"")]).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn who_may_enter_what_and_where() {
    let console = Console::start().await;
    let test = [
        ("factor", "a21026"),
        ("kind", "zero-drift"),
        ("pairs", "0 0.1"),
    ];
    let submit = [("quarter", "2025-Q4"), ("step", "submit"), ("note", "done")];
    let pass = [("quarter", "2025-Q4"), ("step", "pass"), ("note", "")];
    let of_others = |path: &str| path.replace("yt-01", "qs-01");
    let cases: [Denied<'_>; 4] = {
        use Role as R;
        let nobody = [R::DutyOfficer, R::Auditor, R::Inspector, R::Administrator];
        let and = |role| [nobody[0], nobody[1], nobody[2], nobody[3], role];
        [
            (MARKS, &MARK, and(R::Supervisor)),
            (TESTS, &test, and(R::Auditor)),
            (REVIEWS, &submit, and(R::Supervisor)),
            (REVIEWS, &pass, and(R::EnterpriseUser)),
        ]
    };
    for (path, fields, denied) in cases {
        for role in denied {
            let answer = send(&console, path, role, fields, &[]).await;
            assert_eq!(answer.status, 403, "{path} {fields:?} as {role}");
        }
        let other = of_others(path);
        let answer = send(&console, &other, Role::EnterpriseUser, fields, &[]).await;
        let status = answer.status;
        assert_eq!(status, 404, "{other}: outlets of others are not there");
    }
    for (path, role, form) in [
        (MARKS, Role::EnterpriseUser, true),
        (MARKS, Role::DutyOfficer, false),
        (MARKS, Role::Supervisor, false),
        (TESTS, Role::Supervisor, true),
        (TESTS, Role::Auditor, false),
    ] {
        let page = get(&console, path, role).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.body.contains("id=\"enter\""), form, "{path} as {role}");
    }
    let page = get(&console, REVIEWS, Role::Supervisor).await;
    assert!(page.body.contains("value=\"pass\"") && !page.body.contains("value=\"submit\""));
    let page = get(&console, REVIEWS, Role::Operator).await;
    assert!(page.body.contains("value=\"submit\"") && !page.body.contains("value=\"pass\""));
}

#[tokio::test]
async fn a_test_is_judged_when_it_is_entered() {
    let console = Console::start().await;
    let fields = [
        ("factor", "a21026"),
        ("kind", "span-drift"),
        ("at", "2026-03-18T10:00"),
        ("pairs", "160 183"),
        ("full_scale", ""),
        ("note", "span gas"),
    ];
    for (name, value, message) in [
        ("pairs", "", "There are no pairs, or too many: 0 / 100"),
        ("pairs", "1 2 3", "A pair cannot be read: 1 2 3"),
        ("full_scale", "-5", "The full scale must be above zero."),
        ("full_scale", "big", "A value is not a number: big"),
        ("at", "2027-01-01T00:00", "The time lies in the future."),
        ("factor", "w01018", "The outlet has no such factor: w01018"),
    ] {
        let changed = with(&fields, name, value);
        let answer = send(&console, TESTS, Role::Operator, &changed, &[]).await;
        assert_eq!(answer.status, 422, "{message}");
        assert!(answer.body.contains(message), "{message}");
        assert!(answer.body.contains("span gas"), "what was typed stays");
    }
    let answer = send(&console, TESTS, Role::Operator, &fields, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let tests = Request::get("/api/v1/outlets/yt-01/tests").bearer(Role::Operator);
    let tests = console.ask(tests).await.json();
    assert_eq!(
        (&tests[0]["outcome"], &tests[0]["result"]),
        (&json!("failed"), &json!("11.5"))
    );
    let page = get(&console, TESTS, Role::Operator).await;
    assert!(page.body.contains("class=\"pill t-failed\">failed"));
    let back = Request::form("/outlets/yt-01/tests/184211/withdraw", "reason=wrong+gas");
    assert_eq!(
        console.ask(back.visit(Role::Operator, "en")).await.status,
        303
    );
}

#[tokio::test]
async fn a_quarter_is_handed_in_and_decided() {
    let console = Console::start().await;
    let path = "/outlets/hy-01/reviews";
    let step = |quarter, step, note| [("quarter", quarter), ("step", step), ("note", note)];
    for (role, fields, message) in [
        (
            Role::Operator,
            step("2026-Q1", "submit", "early"),
            "The quarter is not over yet: 2026-01-01",
        ),
        (
            Role::Operator,
            step("2025-Q4", "submit", ""),
            "A required field is empty: note",
        ),
        (
            Role::Operator,
            step("2025", "submit", "x"),
            "The quarter cannot be read (write 2025-Q4): 2025",
        ),
        (
            Role::Supervisor,
            step("2025-Q3", "pass", ""),
            "Nothing was handed in for this quarter, so it cannot pass: 2025-07-01",
        ),
    ] {
        let answer = send(&console, path, role, &fields, &[]).await;
        assert_eq!(answer.status, 422, "{message}");
        assert!(answer.body.contains(message), "{message}");
    }
    let report: [(&str, &[u8]); 1] = [("report.pdf", b"%PDF")];
    let fields = step("2025-Q3", "submit", "late, as agreed");
    let answer = send(&console, path, Role::Operator, &fields, &report).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let fields = step("2025-Q3", "fail", "the reports of two tests are missing");
    let answer = send(&console, path, Role::Supervisor, &fields, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let reviews = Request::get("/api/v1/outlets/hy-01/reviews").bearer(Role::Operator);
    let reviews = console.ask(reviews).await.json();
    assert_eq!(
        (&reviews[1]["quarter"], &reviews[1]["passed"]),
        (&json!("2025-Q3"), &json!(false))
    );
}

#[tokio::test]
async fn a_program_enters_and_takes_back() {
    let console = Console::start().await;
    let mark = json!({
        "outlet": "yt-01", "kind": "fault", "factors": [], "reason": "pump",
        "from": "2026-03-18T09:00:00+08:00", "until": "2026-03-18T10:00:00+08:00",
        "files": [{ "name": "log.txt", "content_base64": "aGVsbG8=" }],
    });
    let ask = |path: &str, body: &serde_json::Value, role| {
        Request::json(path, body)
            .bearer(role)
            .header("accept-language", "en")
    };
    let path = "/api/v1/marks";
    let answer = console.ask(ask(path, &mark, Role::EnterpriseUser)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.json()["seq"].as_u64().unwrap();
    for (field, value, status, code) in [
        ("outlet", json!("qs-01"), 404, "not-found"),
        ("factors", json!(["w01018"]), 422, "unknown-factor"),
        (
            "factors",
            json!(["a21026", "a21026"]),
            422,
            "repeated-factor",
        ),
        ("kind", json!("nap"), 400, "bad-request"),
        (
            "until",
            json!("2026-03-18T08:00:00+08:00"),
            422,
            "no-period",
        ),
        (
            "files",
            json!([{ "name": "a", "content_base64": "%" }]),
            422,
            "file-unreadable",
        ),
    ] {
        let mut odd = mark.clone();
        odd[field] = value;
        let answer = console.ask(ask(path, &odd, Role::EnterpriseUser)).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{field}"
        );
        assert!(!answer.body.contains("Refused ("), "{code} has words");
    }
    let denied = console.ask(ask(path, &mark, Role::DutyOfficer)).await;
    assert_eq!(denied.status, 403);
    let back = json!({ "outlet": "yt-01", "reason": "wrong day" });
    let path = format!("/api/v1/marks/{id}/withdraw");
    assert_eq!(
        console.ask(ask(&path, &back, Role::Auditor)).await.status,
        403
    );
    assert_eq!(
        console.ask(ask(&path, &back, Role::Operator)).await.status,
        200
    );
    let again = console.ask(ask(&path, &back, Role::Operator)).await;
    assert_eq!(again.json()["code"], "withdrawn");
}

#[tokio::test]
async fn a_program_enters_a_test_and_decides_a_review() {
    let console = Console::start().await;
    let ask = |path: &str, body: &serde_json::Value, role| Request::json(path, body).bearer(role);
    let test = json!({
        "factor": "a21026", "kind": "zero-drift", "at": "2026-03-18T10:00:00+08:00",
        "pairs": [{ "reference": "0", "measured": "0.10" }], "full_scale": null,
        "note": "", "files": [],
    });
    let answer = ask("/api/v1/outlets/yt-01/tests", &test, Role::Operator);
    assert_eq!(console.ask(answer).await.status, 200);
    let step = json!({ "quarter": "2025-Q4", "step": "pass", "note": "", "files": [] });
    let answer = ask("/api/v1/outlets/hy-01/reviews", &step, Role::Supervisor);
    assert_eq!(console.ask(answer).await.status, 200);
}
