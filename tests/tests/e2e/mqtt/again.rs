//! A scripted broker that does not hear an acknowledgement: the daemon is killed right after it
//! gave one, and gets the same message again, marked as the standard wants it.

use super::source::journalled;
use crate::Town;
use cems_tests::city::City;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn packet(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let kind = stream.read_u8().await.expect("a packet");
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = stream.read_u8().await.expect("its length");
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("its body");
    (kind >> 4, body)
}

/// Accepts the daemon; `session`: whether the broker remembers it.
async fn accept(listener: &TcpListener, session: bool) -> TcpStream {
    let (mut stream, _) = listener.accept().await.expect("the daemon connects");
    let (kind, connect) = packet(&mut stream).await;
    assert_eq!(kind, 1);
    assert_eq!(connect[7] & 2, 0, "it wants its session kept");
    let answer = [0x20, 2, u8::from(session), 0];
    stream.write_all(&answer).await.expect("it reads");
    if !session {
        let (kind, subscribe) = packet(&mut stream).await;
        assert_eq!(kind, 8);
        let granted = [0x90, 3, subscribe[0], subscribe[1], 1];
        stream.write_all(&granted).await.expect("it reads");
    }
    stream
}

/// Publishes with an identifier, and waits for its acknowledgement.
async fn publish(stream: &mut TcpStream, first: u8, id: u8, payload: &str) {
    let topic = b"t";
    let length = u8::try_from(2 + topic.len() + 2 + payload.len()).expect("short");
    let mut bytes = vec![first, length, 0, 1];
    bytes.extend(topic);
    bytes.extend([0, id]);
    bytes.extend(payload.as_bytes());
    stream.write_all(&bytes).await.expect("it reads");
    loop {
        let (kind, body) = packet(stream).await;
        if kind == 4 {
            assert_eq!(body, [0, id]);
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_sends_again_after_a_kill_is_counted_once() {
    const PUBLISH: u8 = 0x32;
    const AGAIN: u8 = 0x3a;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = City::default().write(directory.path());
    let mut text = std::fs::read_to_string(&config).expect("just written");
    text.push_str(&format!(
        "[[mqtt_source]]\nid = \"scripted\"\nserver = \"127.0.0.1:{port}\"\ntls = false\n\
         [[mqtt_source.reading]]\ntopic = \"t\"\noutlet = \"jia-1\"\n\
         factors = {{ a19001 = \"$\" }}\n"
    ));
    std::fs::write(&config, text).expect("our own directory");
    let mut town = Town::open(directory, config).await;
    let mut stream = accept(&listener, false).await;
    publish(&mut stream, PUBLISH, 1, "6.1").await;
    publish(&mut stream, PUBLISH, 2, "6.2").await;
    town.daemon.kill();
    drop(stream);
    town.restart().await;
    // The broker has seen neither acknowledgement; a third message waits behind them.
    let mut stream = accept(&listener, true).await;
    publish(&mut stream, AGAIN, 1, "6.1").await;
    publish(&mut stream, AGAIN, 2, "6.2").await;
    publish(&mut stream, AGAIN, 3, "6.2").await;
    // An identifier that is used for something new is something new.
    publish(&mut stream, PUBLISH, 1, "6.1").await;
    let said: Vec<(u16, bool, String)> = journalled(&town.data())
        .iter()
        .map(|message| {
            let text = String::from_utf8_lossy(&message.payload.0).into_owned();
            (message.id, message.again, text)
        })
        .collect();
    let expected = [
        (1, false, "6.1"),
        (2, false, "6.2"),
        (3, true, "6.2"),
        (1, false, "6.1"),
    ];
    let expected = expected.map(|(id, again, text)| (id, again, text.to_owned()));
    assert_eq!(said, expected);
    town.daemon.stop().await;
}
