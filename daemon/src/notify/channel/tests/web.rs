//! Webhooks, robots, text messages and Alertmanager.

use super::peer::Peer;
use super::*;
use crate::notify::channel::{dingtalk, feishu, sign, webhook};

fn hook(kind: &str, peer: &Peer, more: &str) -> (String, String) {
    let text = format!("[[channel]]\nid = \"x\"\nkind = \"{kind}\"\nurl_file = \"url\"\n{more}");
    (text, format!("{}/hook?access_token=s3cret", peer.url))
}

#[test]
fn signatures_are_those_of_the_published_examples() {
    // HMAC-SHA256 of RFC 4231, case 2.
    assert_eq!(
        crate::text::hex(&sign::hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    // Computed with Python's hmac as the robots' manuals describe it.
    assert_eq!(
        dingtalk::signed(
            "https://d.example/robot/send?access_token=t",
            "SECk",
            1_700_000_000_000
        ),
        "https://d.example/robot/send?access_token=t&timestamp=1700000000000\
         &sign=n8wlDv%2FbFO7nxIQ56V2D0%2FDgcaQFdOsA551hpNgtte0%3D"
    );
    assert_eq!(
        feishu::sign("k", 1_700_000_000),
        "omDresNMRbotXJQ+XpzBzQrbxHT16JbdYN7WGeukf7s="
    );
    assert_eq!(
        webhook::signature("k", "1700000000", b"{}"),
        "v1=c6ef4734033cee2367414a0939385eca0397754aa7a59716da7463a9298b5146"
    );
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_everything() {
    let peer = Peer::start(&[("202 Accepted", "queued")]).await;
    let (text, url) = hook("webhook", &peer, "secret_file = \"key\"\n");
    let (channel, _room) = channel(&text, &[("url", &url), ("key", "hook-key")]);
    let delivered = channel.send(&parcel(None)).await.unwrap();
    assert_eq!(delivered.said, "202 queued");
    let asked = &peer.asked()[0];
    let timestamp = asked.header("cems-timestamp");
    assert_eq!(timestamp, (NOW.0 / 1_000).to_string());
    assert_eq!(
        asked.header("cems-signature"),
        webhook::signature("hook-key", timestamp, &asked.body)
    );
    assert_eq!(
        asked.header("cems-key"),
        "alarm-raised/alarm/12+0+0@1773815530000"
    );
    let body = asked.json();
    assert_eq!(body["reason"], "alarm-raised");
    assert_eq!(body["at"], "2026-03-18T14:32:10+08:00");
    assert_eq!(body["about"][0]["value"], "66.93");
    assert_eq!(body["about"][0]["link"], "https://cems.example/alarms/12");
    assert_eq!(body["texts"]["zh-CN"]["subject"], "【紧急】超标");
    assert_eq!(body["texts"]["en"]["short"], "short Urgent");
}

#[tokio::test]
async fn an_answer_says_whether_trying_again_makes_sense() {
    let script = [
        ("500 Internal Server Error", "sorry"),
        ("429 Too Many Requests\r\nretry-after: 7", ""),
        ("404 Not Found", "no such hook"),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", ""),
        ("hang up", ""),
    ];
    let peer = Peer::start(&script).await;
    let (text, url) = hook("webhook", &peer, "secret_file = \"key\"\n");
    let (channel, _room) = channel(&text, &[("url", &url), ("key", "hook-key")]);
    let mut seen = Vec::new();
    for _ in script {
        let error = channel.send(&parcel(None)).await.unwrap_err();
        assert!(!error.text.contains("s3cret"), "{error}");
        seen.push((
            error.recoverable,
            error.channel,
            error.after.map(|d| d.as_secs()),
        ));
    }
    let trouble = |after| (true, true, after);
    let refused = (false, false, None);
    assert_eq!(
        seen,
        [
            trouble(None),
            trouble(Some(7)),
            refused,
            refused,
            trouble(None)
        ]
    );
    assert_eq!(peer.asked().len(), 5, "no redirect is followed");
}

#[tokio::test]
async fn nobody_there_is_trouble_and_names_no_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let text = "[[channel]]\nid = \"x\"\nkind = \"wecom\"\nurl_file = \"url\"\n";
    let url = format!("http://127.0.0.1:{port}/send?key=s3cret");
    let (channel, _room) = channel(text, &[("url", &url)]);
    let error = channel.send(&parcel(None)).await.unwrap_err();
    assert!(error.recoverable && error.channel);
    assert!(
        !error.text.contains("s3cret") && !error.text.contains("send"),
        "{error}"
    );
}

#[tokio::test]
async fn robots_get_markdown_and_their_codes_are_read() {
    let script = [
        ("200 OK", "{\"errcode\":0,\"errmsg\":\"ok\"}"),
        (
            "200 OK",
            "{\"errcode\":130101,\"errmsg\":\"send too fast\"}",
        ),
        (
            "200 OK",
            "{\"errcode\":310000,\"errmsg\":\"sign not match\"}",
        ),
        ("200 OK", "<html>a proxy's page</html>"),
    ];
    let peer = Peer::start(&script).await;
    let (text, url) = hook("dingtalk", &peer, "secret_file = \"key\"\n");
    let (channel, _room) = channel(&text, &[("url", &url), ("key", "SECk")]);
    assert!(channel.send(&parcel(None)).await.is_ok());
    let mut again = Vec::new();
    for _ in 0..3 {
        again.push(channel.send(&parcel(None)).await.unwrap_err().recoverable);
    }
    assert_eq!(again, [true, false, true]);
    let asked = &peer.asked()[0];
    assert_eq!(
        asked.path,
        dingtalk::signed("/hook?access_token=s3cret", "SECk", timestamp(&asked.path))
    );
    let body = asked.json();
    assert_eq!(body["msgtype"], "markdown");
    assert_eq!(body["markdown"]["title"], "【紧急】超标");
    let text = body["markdown"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("### 【紧急】超标") && text.contains("### Urgent"),
        "{text}"
    );
}

fn timestamp(path: &str) -> i64 {
    let after = path.split("timestamp=").nth(1).unwrap();
    after.split('&').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_wecom_text_is_cut_to_what_a_robot_takes() {
    let peer = Peer::start(&[("200 OK", "{\"errcode\":0}")]).await;
    let (text, url) = hook("wecom", &peer, "");
    let (channel, _room) = channel(&text, &[("url", &url)]);
    let mut long = parcel(None);
    long.written[0].markdown = "- 限值: **50 mg/m³**\n".repeat(500);
    channel.send(&long).await.unwrap();
    let body = peer.asked()[0].json();
    let text = body["markdown"]["content"].as_str().unwrap();
    assert!(
        text.len() <= 4_096 && text.ends_with('…'),
        "{} bytes",
        text.len()
    );
}

#[tokio::test]
async fn a_feishu_card_is_signed_inside() {
    let script = [
        ("200 OK", "{\"code\":0,\"msg\":\"success\"}"),
        ("200 OK", "{\"code\":19021,\"msg\":\"sign match fail\"}"),
        ("200 OK", "{\"code\":11232,\"msg\":\"frequency limited\"}"),
    ];
    let peer = Peer::start(&script).await;
    let (text, url) = hook("feishu", &peer, "secret_file = \"key\"\n");
    let (channel, _room) = channel(&text, &[("url", &url), ("key", "k")]);
    channel.send(&parcel(None)).await.unwrap();
    assert!(!channel.send(&parcel(None)).await.unwrap_err().recoverable);
    assert!(channel.send(&parcel(None)).await.unwrap_err().recoverable);
    let body = peer.asked()[0].json();
    let at: i64 = body["timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(body["sign"], feishu::sign("k", at));
    assert_eq!(body["card"]["header"]["template"], "red");
    assert_eq!(body["card"]["elements"][0]["tag"], "markdown");
}

#[tokio::test]
async fn a_gateway_gets_its_fields_and_must_say_that_it_took_them() {
    let script = [
        ("200 OK", "{\"code\":0}"),
        ("200 OK", "{\"code\":7,\"to\":\"13800000001\"}"),
    ];
    let peer = Peer::start(&script).await;
    let more = "secret_file = \"key\"\nauthorization = \"Bearer {secret}\"\n\
                success = \"\\\"code\\\":0\"\n\
                body = { mobile = \"{phone}\", content = \"{text}\", reference = \"{key}\" }\n";
    let (text, url) = hook("sms", &peer, more);
    let (channel, _room) = channel(&text, &[("url", &url), ("key", "sms-token")]);
    let to = Some("13800000001");
    channel.send(&parcel(to)).await.unwrap();
    let error = channel.send(&parcel(to)).await.unwrap_err();
    assert!(
        error.recoverable && !error.text.contains("13800000001"),
        "{error}"
    );
    let error = channel.send(&parcel(None)).await.unwrap_err();
    assert!(!error.recoverable, "nobody to send it to");
    let asked = &peer.asked()[0];
    assert_eq!(asked.header("authorization"), "Bearer sms-token");
    assert_eq!(asked.json()["mobile"], "13800000001");
    assert_eq!(asked.json()["content"], "short 【紧急】超标");
}

#[tokio::test]
async fn a_form_is_encoded_and_what_is_put_in_is_not_looked_at_again() {
    let peer = Peer::start(&[]).await;
    let more = "form = \"form\"\nbody = { to = \"{phone}\", text = \"{text}\" }\n";
    let (text, url) = hook("sms", &peer, more);
    let (channel, _room) = channel(&text, &[("url", &url)]);
    let mut odd = parcel(Some("138"));
    odd.written[0].short = "a&b={phone} 中".to_owned();
    channel.send(&odd).await.unwrap();
    let body = String::from_utf8(peer.asked()[0].body.clone()).unwrap();
    assert_eq!(body, "text=a%26b%3D%7Bphone%7D%20%E4%B8%AD&to=138");
}

#[tokio::test]
async fn alertmanager_gets_labels_that_never_change_and_an_end() {
    let peer = Peer::start(&[]).await;
    let text = format!(
        "[[channel]]\nid = \"x\"\nkind = \"alertmanager\"\nurl = \"{}/\"\n",
        peer.url
    );
    let (channel, _room) = channel(&text, &[]);
    let raised = parcel(None);
    channel.send(&raised).await.unwrap();
    let board = channel.board().expect("it shows states");
    let mut over = raised.shown[0].clone();
    over.row.returned_at = Some(NOW.plus_ms(60_000));
    over.row.value = Some("40".parse().unwrap());
    board.show(&[over]).await.unwrap();
    let asked = peer.asked();
    assert_eq!(asked[0].path, "/api/v2/alerts");
    let (first, last) = (asked[0].json(), asked[1].json());
    assert_eq!(first[0]["labels"], last[0]["labels"]);
    assert_eq!(first[0]["labels"]["alertname"], "exceedance.hour");
    assert_eq!(first[0]["startsAt"], "2026-03-18T06:32:10.000Z");
    assert!(first[0]["endsAt"].as_str().unwrap() > "2026-03-18T06:35");
    assert_eq!(last[0]["endsAt"], "2026-03-18T06:33:10.000Z");
    assert_eq!(first[0]["annotations"]["summary"], "氮氧化物小时均值超标");
}
