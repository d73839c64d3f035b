//! Messages in words: every reason in both languages as people read it, and what no text may do.

use crate::http::{Console, Request};
use cems_core::model::{
    About, AlarmId, AlarmRow, DutyRow, DutySubject, FallbackId, FallbackRow, MessageId,
    MessageReason, MessageRow, Priority, Recipient, Registry, Role, Seq, Timestamp,
};
use cems_dashboards::backend::{AlarmFilter, Backend};
use cems_dashboards::canned::Canned;
use cems_dashboards::message::{FULL_ITEMS_MAX, Letter, SHORT_CHARS_MAX, Thing, Written, write};
use cems_dashboards::text::Lang;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// The canned city's alarms and fallbacks, and its clock.
struct City {
    registry: Arc<Registry>,
    now: Timestamp,
    alarms: Vec<AlarmRow>,
    fallbacks: Vec<FallbackRow>,
}

impl City {
    fn new() -> Self {
        let canned = Canned::new();
        let actor = canned.session("canned-supervisor").unwrap();
        Self {
            registry: canned.registry(),
            now: canned.now(),
            alarms: canned.alarms(&actor, &AlarmFilter::default()).unwrap(),
            fallbacks: canned.fallbacks(&actor, false).unwrap(),
        }
    }

    fn alarm(&self, id: u64) -> Thing {
        let row = self.alarms.iter().find(|row| row.id == AlarmId(id));
        Thing::Alarm(Box::new(row.expect("a canned alarm").clone()))
    }

    fn fallback(&self, open: bool) -> Thing {
        let row = self
            .fallbacks
            .iter()
            .find(|row| row.closed_at.is_none() == open);
        Thing::Fallback(Box::new(row.expect("a canned fallback").clone()))
    }

    /// A duty that falls due in so many days.
    fn duty(&self, days: i64) -> Thing {
        let mut row = duty_row();
        row.due_at = self.now.plus_ms(days * 86_400_000);
        Thing::Duty(Box::new(row), None)
    }

    /// What a message of a reason is usually about.
    fn things(&self, reason: MessageReason) -> Vec<Thing> {
        use MessageReason as R;
        match reason {
            R::AlarmRaised | R::AlarmEscalated | R::AlarmRearmed => vec![self.alarm(30)],
            R::AlarmReturned | R::AlarmHandedOn => vec![self.alarm(28), self.alarm(29)],
            R::FallbackOpened | R::ReportReminder | R::ReportEscalated => {
                vec![self.fallback(true)]
            }
            R::FallbackClosed => vec![self.fallback(false)],
            R::DutyReminder => vec![self.duty(2)],
            R::DutyEscalated => vec![self.duty(-1)],
            R::Digest => self
                .alarms
                .iter()
                .map(|row| Thing::Alarm(Box::new(row.clone())))
                .collect(),
            R::Test => Vec::new(),
        }
    }

    fn message(&self, reason: MessageReason, things: &[Thing]) -> MessageRow {
        MessageRow {
            id: MessageId(7),
            key: "key".into(),
            reason,
            channel: "mail".into(),
            to: Recipient::Channel,
            priority: Priority::Urgent,
            enterprise: None,
            about: things.iter().map(Thing::about).collect(),
            more: u32::from(reason == MessageReason::Digest) * 12,
            at: self.now,
            deadline: self.now,
            seq: Seq(1),
        }
    }

    fn written(&self, reason: MessageReason, things: &[Thing], lang: Lang) -> Written {
        let message = self.message(reason, things);
        let letter = Letter {
            message: &message,
            things,
            registry: &self.registry,
            now: self.now,
            console: Some("https://cems.example"),
        };
        write(&letter, lang)
    }
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/messages")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; bless with BLESS=1", path.display()));
    assert_eq!(text, kept, "{name} differs; see git diff after BLESS=1");
}

#[test]
fn every_reason_reads_as_written() {
    let city = City::new();
    for reason in MessageReason::ALL {
        let things = city.things(reason);
        let mut all = String::new();
        for lang in Lang::ALL {
            let written = city.written(reason, &things, lang);
            writeln!(all, "subject: {}", written.subject).unwrap();
            writeln!(all, "short: {}\n", written.short).unwrap();
            writeln!(all, "{}", written.text).unwrap();
        }
        golden(&format!("{}.txt", reason.as_str()), &all);
    }
}

#[test]
fn html_and_markdown_read_as_written() {
    let city = City::new();
    for (lang, code) in [(Lang::Zh, "zh-CN"), (Lang::En, "en")] {
        let raised = MessageReason::AlarmRaised;
        let written = city.written(raised, &city.things(raised), lang);
        golden(&format!("alarm-raised.{code}.html"), &written.html);
        golden(&format!("alarm-raised.{code}.markdown"), &written.markdown);
        let digest = MessageReason::Digest;
        let written = city.written(digest, &city.things(digest), lang);
        golden(&format!("digest.{code}.html"), &written.html);
        golden(&format!("digest.{code}.markdown"), &written.markdown);
    }
}

#[test]
fn no_text_lacks_a_word_or_breaks_its_bounds() {
    let city = City::new();
    for reason in MessageReason::ALL {
        let mut stories = vec![city.things(reason), Vec::new()];
        stories.extend(city.alarms.iter().map(|row| vec![city.alarm(row.id.0)]));
        for things in stories {
            for lang in Lang::ALL {
                let w = city.written(reason, &things, lang);
                for text in [&w.subject, &w.text, &w.html, &w.markdown, &w.short] {
                    assert!(!text.contains(['\u{27e6}', '\u{2068}']), "{text}");
                    assert!(!text.is_empty());
                }
                assert!(w.short.chars().count() <= SHORT_CHARS_MAX, "{}", w.short);
                assert!(!w.subject.contains('\n'), "{}", w.subject);
            }
        }
    }
}

#[test]
fn what_data_carry_cannot_become_markup() {
    let city = City::new();
    let Thing::Alarm(mut row) = city.alarm(30) else {
        panic!("an alarm");
    };
    let mut registry = Registry::clone(&city.registry);
    for outlet in registry.outlets.values_mut() {
        outlet.name = "<b>x</b> [y](https://evil.example) **z**".into();
        outlet.name_en = None;
    }
    row.count = 3;
    let things = [Thing::Alarm(row)];
    let message = city.message(MessageReason::AlarmRaised, &things);
    let letter = Letter {
        message: &message,
        things: &things,
        registry: &registry,
        now: city.now,
        console: None,
    };
    let written = write(&letter, Lang::Zh);
    assert!(!written.html.contains("<b>x"), "{}", written.html);
    assert!(
        !written.markdown.contains("](https://evil"),
        "{}",
        written.markdown
    );
    assert!(!written.html.contains("href"), "no console, no links");
}

#[test]
fn a_flood_is_told_in_full_for_a_few_and_counted_for_the_rest() {
    let city = City::new();
    let things: Vec<Thing> = (0..40).map(|_| city.alarm(30)).collect();
    let written = city.written(MessageReason::AlarmRaised, &things, Lang::En);
    let in_full = written.text.matches("First:").count();
    assert_eq!(in_full, FULL_ITEMS_MAX);
    assert_eq!(written.text.matches("\n- ").count(), 40 - FULL_ITEMS_MAX);
    assert!(written.subject.contains("40 items"), "{}", written.subject);
    let gone = [Thing::Other(About::Fallback(FallbackId(99)))];
    let written = city.written(MessageReason::ReportReminder, &gone, Lang::Zh);
    assert!(written.text.contains("#99"), "{}", written.text);
}

#[tokio::test]
async fn a_supervisor_tries_a_channel_and_a_duty_officer_sends_a_dead_letter_again() {
    let console = Console::start().await;
    for (channel, role, status) in [
        ("mail", Role::DutyOfficer, 403),
        ("sms", Role::Administrator, 422),
        ("pigeon", Role::Supervisor, 422),
        ("mail", Role::Supervisor, 303),
    ] {
        let path = format!("/channels/{channel}/test");
        let form = Request::form(&path, "").visit(role, "zh-CN");
        let answer = console.ask(form).await;
        assert_eq!(answer.status, status, "{channel} {role}");
        if channel == "sms" {
            assert!(
                answer.body.contains("您在此渠道没有地址"),
                "{}",
                answer.body
            );
        }
    }

    let dead = Request::get("/messages").visit(Role::DutyOfficer, "en");
    let page = console.ask(dead).await.body;
    assert!(page.contains("action=\"/messages/2/again\""), "{page}");
    let again = || Request::form("/messages/2/again", "").visit(Role::DutyOfficer, "en");
    assert_eq!(console.ask(again()).await.status, 303);
    assert_eq!(
        console.ask(again()).await.status,
        422,
        "it is no dead letter any more"
    );
    let waiting = Request::get("/api/v1/messages?state=waiting").bearer(Role::Supervisor);
    let rows = console.ask(waiting).await.json();
    let rows = rows.as_array().unwrap();
    let ids: Vec<u64> = rows.iter().map(|m| m["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [3, 2]);
}

#[tokio::test]
async fn messages_are_for_those_who_answer_for_them() {
    let console = Console::start().await;
    for (role, status) in [
        (Role::DutyOfficer, 200),
        (Role::Auditor, 200),
        (Role::Administrator, 200),
        (Role::EnterpriseUser, 403),
        (Role::Inspector, 403),
    ] {
        for path in ["/messages", "/channels"] {
            let answer = console.ask(Request::get(path).visit(role, "en")).await;
            assert_eq!(answer.status, status, "{role} {path}");
            let path = format!("/api/v1{path}");
            let answer = console.ask(Request::get(&path).bearer(role)).await;
            assert_eq!(answer.status, status, "{role} {path}");
        }
    }
    let sent = Request::form("/messages/2/again", "").visit(Role::Auditor, "en");
    assert_eq!(console.ask(sent).await.status, 403);
}

fn duty_row() -> DutyRow {
    DutyRow {
        key: "month-total:yuntai:2026-02".into(),
        rule: "month-total".into(),
        round: "2026-02".into(),
        subject: DutySubject::Enterprise("yuntai".into()),
        enterprise: Some("yuntai".into()),
        region: None,
        inside: false,
        opens_at: Timestamp(0),
        due_at: Timestamp(0),
        trigger_at: None,
        opened_by: None,
        note: String::new(),
        done: None,
        gone: None,
        opened_seq: Seq(1),
        updated_seq: Seq(1),
    }
}
