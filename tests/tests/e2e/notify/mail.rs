//! Mail through aiosmtpd: STARTTLS with an authority of the site, a log-in, refusals for now and
//! for good, a slow answer, and a dead letter sent again.

use super::peer::{Lines, Peer, certificates, secret};
use super::{in_state, route, write_city};
use crate::inside::Inside;
use cems_tests::city::{DUTY_TOKEN, PASSWORD, SUPERVISOR_USER};
use cems_tests::time::Moment;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

fn settings(port: u16) -> String {
    let channel = format!(
        "[[channel]]\nid = \"mail\"\nkind = \"mail\"\nserver = \"127.0.0.1:{port}\"\n\
         from = \"试验市监控中心 <cems@centre.example>\"\nusername = \"cems\"\n\
         password_file = \"mail-password\"\nca_file = \"ca.pem\"\ngroup_wait_s = 0\n"
    );
    let to = "roles = [\"duty-officer\", \"supervisor\", \"enterprise-user\"]";
    channel + &route("mail", to)
}

/// A city in a directory that sends its mail to a server of these tests; the lines it prints.
pub(super) async fn with_mail(directory: &Path) -> (Peer, Lines) {
    let place = certificates(directory);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/smtp_peer.py");
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(script)
        .args([place.join("server.pem"), place.join("server.key")]);
    let mut server = Peer::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let printed = server.lines();
    let port = printed.next("the server's port").await;
    write_city(directory, &settings(port.parse().expect("a port")));
    secret(&directory.join("mail-password"), "mail-password\n");
    (server, printed)
}

/// Gives people addresses: the duty officer's mailbox is slow, the supervisor's busy at first, the
/// enterprise's gone.
fn address_people(directory: &Path) {
    addresses(
        directory,
        &[("duty1", "slow"), ("supervisor1", "busy"), ("jia1", "gone")],
    );
    // One of them reads English.
    let file = directory.join("cemsd.toml");
    let text = std::fs::read_to_string(&file).expect("just written");
    let text = text.replace("mail = \"slow@", "lang = \"en\"\nmail = \"slow@");
    std::fs::write(&file, text).expect("the same directory");
}

/// Gives people mailboxes.
pub(super) fn addresses(directory: &Path, people: &[(&str, &str)]) {
    let file = directory.join("cemsd.toml");
    let mut text = std::fs::read_to_string(&file).expect("just written");
    for (user, mail) in people {
        let id = format!("id = \"{user}\"\n");
        let more = format!("{id}mail = \"{mail}@centre.example\"\n");
        text = text.replace(&id, &more);
    }
    std::fs::write(&file, text).expect("the same directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_reaches_people_by_mail_whatever_the_server_says_first() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_server, printed) = with_mail(directory.path()).await;
    address_people(directory.path());

    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::open(directory, start, 20).await;
    let alarm = super::exceed(&mut inside, start.floor_hour().plus_minutes(-4 * 60)).await;
    let mut mails: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let line = printed.next("a mail").await;
        mails.push(serde_json::from_str(&line).expect("one object a line"));
    }
    mails.sort_by_key(|mail| mail["to"][0].as_str().map(str::to_owned));
    let link = format!("https://cems.example/alarms/{alarm}");
    for (mail, (to, words)) in mails.iter().zip([
        ("busy@centre.example", "首先"),
        ("slow@centre.example", "First:"),
    ]) {
        assert_eq!(mail["to"], json!([to]));
        assert_eq!(
            (&mail["tls"], &mail["user"]),
            (&json!(true), &json!("cems"))
        );
        let text = mail["text"].as_str().expect("plain text");
        assert!(text.contains(words) && text.contains(&link), "{text}");
        let html = mail["html"].as_str().expect("HTML");
        assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
    }
    dead_letter(&inside, alarm).await;
    inside.stop().await;
}

/// The mail that nobody got: on the desk, without the address, and sent again in vain.
async fn dead_letter(inside: &Inside, alarm: u64) {
    let dead = in_state(&inside.duty, "dead", 1).await;
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert_eq!(dead[0]["to"], "jia1");
    assert_eq!(dead[0]["about"], json!([format!("alarm/{alarm}")]));
    let said = dead[0]["detail"].as_str().expect("words");
    assert!(said.contains("550") && !said.contains("gone@"), "{said}");
    let id = &dead[0]["id"];
    let desk = inside.api(DUTY_TOKEN);
    desk.post(&format!("/api/v1/messages/{id}/again"), &json!({}))
        .await;
    let path = format!("/api/v1/alarms/{alarm}");
    let ends = |detail: &Value| {
        let history = detail["history"].as_array()?;
        let of = |what: &str| history.iter().filter(|row| row["what"] == what).count();
        (of("message.dead") == 2 && of("message.delivered") == 2 && of("message.resent") == 1)
            .then_some(())
    };
    inside
        .duty
        .until(&path, "what became of four messages", ends)
        .await;

    // A person tries the channel and gets the mail themselves.
    let console = inside.console();
    let person = cems_tests::api::Api::log_in(console, SUPERVISOR_USER, PASSWORD).await;
    let page = person.bytes("/channels").await;
    let page = String::from_utf8_lossy(&page);
    assert!(page.contains("/channels/mail/test"), "{page}");
    assert!(!page.contains("centre.example"), "no address on a page");
}
