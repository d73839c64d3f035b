//! Mail to a server that answers from a script.

use super::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An SMTP server: answers to RCPT, one per mail, then `250`; gives what it was told.
async fn server(answers: &[&'static str]) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let told = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&told);
    let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&heard)));
        }
    });
    (address, told)
}

async fn serve(
    stream: TcpStream,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    heard: Arc<Mutex<String>>,
) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 smtp.example\r\n").await.unwrap();
    let mut in_data = false;
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        heard.lock().unwrap().push_str(&line);
        let word = line.split([' ', '\r']).next().unwrap_or("");
        let answer = match word.to_ascii_uppercase().as_str() {
            "." if in_data => {
                in_data = false;
                "250 queued as 7"
            }
            _ if in_data => "",
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "RCPT" => answers.lock().unwrap().pop_front().unwrap_or("250 ok"),
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        line.clear();
        if !answer.is_empty() {
            let answer = format!("{answer}\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn settings(address: &str) -> String {
    format!(
        "[[channel]]\nid = \"x\"\nkind = \"mail\"\nserver = \"{address}\"\ntls = \"none\"\n\
         from = \"监控中心 <cems@centre.example>\"\n"
    )
}

const TO: Option<&str> = Some("zhang@centre.example");

#[tokio::test]
async fn a_mail_has_both_forms_a_stable_id_and_a_date_of_our_clock() {
    let (address, told) = server(&[]).await;
    let (channel, _room) = channel(&settings(&address), &[]);
    let delivered = channel.send(&parcel(TO)).await.unwrap();
    assert!(delivered.said.starts_with("250 "), "{}", delivered.said);
    channel.send(&parcel(TO)).await.unwrap();
    let told = told.lock().unwrap().clone();
    assert!(told.contains("RCPT TO:<zhang@centre.example>"), "{told}");
    assert!(told.contains("multipart/alternative"), "{told}");
    assert!(
        told.contains("text/plain") && told.contains("text/html"),
        "{told}"
    );
    assert!(told.contains("Auto-Submitted: auto-generated"), "{told}");
    assert!(told.contains("Date: Wed, 18 Mar 2026 06:32:1"), "{told}");
    let ids: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("Message-ID:"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the same message has the same id");
}

#[tokio::test]
async fn refusals_for_now_and_for_good() {
    let (address, _) = server(&[
        "451 4.7.1 <zhang@centre.example>: greylisted",
        "550 5.1.1 <zhang@centre.example>: no such user",
        "421 4.3.2 shutting down",
    ])
    .await;
    let (channel, _room) = channel(&settings(&address), &[]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let error = channel.send(&parcel(TO)).await.unwrap_err();
        assert!(!error.text.contains("zhang"), "{error}");
        seen.push((error.recoverable, error.channel));
    }
    assert_eq!(seen, [(true, false), (false, false), (true, true)]);
}

#[tokio::test]
async fn no_server_and_no_tls_are_trouble() {
    let (address, _) = server(&[]).await;
    // The server offers no STARTTLS: nothing is sent in clear text instead.
    let text = settings(&address).replace("\"none\"", "\"starttls\"");
    let (with_tls, _room) = channel(&text, &[]);
    let error = with_tls.send(&parcel(TO)).await.unwrap_err();
    assert!(error.recoverable && error.channel, "{error:?}");
    let (nowhere, _room) = channel(&settings("127.0.0.1:1"), &[]);
    let error = nowhere.send(&parcel(TO)).await.unwrap_err();
    assert!(error.recoverable && error.channel, "{error:?}");
    let error = nowhere.send(&parcel(None)).await.unwrap_err();
    assert!(!error.recoverable, "nobody to send it to");
}
