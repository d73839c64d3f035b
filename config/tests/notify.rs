//! Channels: the example with its secrets in place, what little said means, and that no secret is
//! printed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cems_config::{Checked, Means, Protection, SmsForm, load, load_str};
use cems_core::lang::Lang;
use cems_core::model::policy::{DayPart, Days};
use cems_core::model::{ChannelKind, MessageReason, Priority, UserId};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const SECRETS: [(&str, &str); 7] = [
    ("mail-password", "fictional-mail-password"),
    ("sms-token", "fictional-sms-token"),
    (
        "dingtalk-url",
        "https://dingtalk.example/robot/send?access_token=fictional",
    ),
    ("dingtalk-key", "SECfictional"),
    (
        "wecom-url",
        "https://wecom.example/cgi-bin/webhook/send?key=fictional",
    ),
    (
        "feishu-url",
        "https://feishu.example/open-apis/bot/v2/hook/fictional",
    ),
    ("feishu-key", "fictional-feishu-key"),
];
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n";

fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The example's files in a directory, with made-up secrets beside them. The one variable it names
/// is replaced by a file, because a test must not change the environment of others.
fn example(dir: &Path) -> Checked {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::create_dir(dir.join("secrets")).unwrap();
    for (name, text) in SECRETS {
        secret(&dir.join("secrets").join(name), &format!("{text}\n"));
    }
    secret(&dir.join("secrets/hook-key"), "fictional-hook-key");
    secret(&dir.join("secrets/mqtt"), "fictional-mqtt-password");
    fs::write(dir.join("centre-ca.pem"), CERTIFICATE).unwrap();
    let text = fs::read_to_string(examples.join("notify.toml")).unwrap();
    let text = text.replace(
        "password_env = \"CEMS_MQTT_PASSWORD\"",
        "password_file = \"secrets/mqtt\"",
    );
    fs::write(dir.join("notify.toml"), text).unwrap();
    fs::copy(examples.join("users.toml"), dir.join("users.toml")).unwrap();
    let registry = examples.join("registry");
    let main = format!(
        "registry = [{:?}]\nusers = [\"users.toml\"]\nnotify = [\"notify.toml\"]\n\n\
         [console]\npublic_url = \"https://cems.example/\"\n",
        registry.display().to_string()
    );
    fs::write(dir.join("cemsd.toml"), main).unwrap();
    load(&dir.join("cemsd.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_example_loads_with_its_secrets_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let checked = example(dir.path());
    assert_eq!(checked.warnings, []);
    let settings = &checked.settings;
    assert_eq!(
        settings.console.public_url.as_deref(),
        Some("https://cems.example")
    );
    let kinds: BTreeSet<ChannelKind> = settings
        .channels
        .iter()
        .map(|channel| channel.rule.kind)
        .collect();
    assert_eq!(kinds, ChannelKind::ALL.into(), "every kind is shown");
    for channel in &settings.channels {
        assert_eq!(channel.means.kind(), channel.rule.kind);
    }
    let Means::Mail(mail) = &settings.channels[0].means else {
        panic!("mail comes first");
    };
    assert_eq!(mail.protection, Protection::StartTls);
    let login = mail.login.as_ref().expect("with a log-in");
    assert_eq!(login.password.0, "fictional-mail-password");
    let Means::Sms(sms) = &settings.channels[1].means else {
        panic!("text messages come second");
    };
    assert_eq!(sms.form, SmsForm::Json);
    assert_eq!(sms.success.as_deref(), Some("\"code\":0"));

    let policy = settings.notify_policy();
    assert_eq!(policy.channels.len(), 8);
    assert_eq!(policy.routes[0].priority, Some(Priority::High));
    assert!(policy.routes[0].reasons.contains(&MessageReason::Digest));
    let part = DayPart {
        from_min: 7 * 60,
        until_min: 23 * 60,
    };
    assert_eq!(policy.routes[2].hours, Some(part));
    assert_eq!(policy.quiet[0].days, Days::All);
    let people = settings.people();
    let duty = &people[&UserId::new("duty1")];
    let reached: Vec<&str> = duty.channels.iter().map(|id| id.as_str()).collect();
    assert_eq!((duty.lang, reached), (Lang::Zh, vec!["mail", "sms"]));
}

#[test]
fn neither_the_policy_nor_anything_printed_holds_an_address_or_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let checked = example(dir.path());
    let settings = &checked.settings;
    let mut shown = format!("{settings:?}");
    shown.push_str(&format!("{:?}", settings.notify_policy()));
    shown.push_str(&format!("{:?}", settings.people()));
    assert!(!shown.contains("fictional"), "{shown}");
    for address in ["zhang@centre", "13800000001"] {
        assert!(!shown.contains(address), "{address}");
    }
}

#[test]
fn a_secret_changes_no_digest() {
    let text = "[[channel]]\nid = \"am\"\nkind = \"alertmanager\"\nurl_file = \"url\"\n";
    let with = |url: &str| load_str(&[("cemsd.toml", text), ("url", url)]).unwrap();
    let (one, other) = (with("https://one.example"), with("https://other.example"));
    assert_eq!(one.digest, other.digest);
    assert_eq!(one.files.len(), 1, "{:?}", one.files);
    assert_ne!(one.settings, other.settings);
}

#[test]
fn little_said_means_the_usual() {
    let text = "[[channel]]\nid = \"b\"\nkind = \"mqtt\"\nserver = \"broker.example:8883\"\n";
    let checked = load_str(&[("cemsd.toml", text)]).unwrap();
    let channel = &checked.settings.channels[0];
    assert_eq!(channel.langs, [Lang::Zh, Lang::En]);
    assert_eq!(
        (channel.rule.group_wait_s, channel.rule.deadline_min),
        (0, 1_440)
    );
    let Means::Mqtt(broker) = &channel.means else {
        panic!("a broker");
    };
    assert!(broker.tls);
    assert_eq!(
        (broker.prefix.as_str(), broker.client_id.as_str()),
        ("cems", "cemsd")
    );
}
