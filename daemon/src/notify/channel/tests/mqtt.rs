//! A broker of some thirty lines: what is acknowledged is delivered, what is not is sent again,
//! whatever session the broker remembers.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A publication as the broker saw it.
#[derive(Debug, PartialEq, Eq)]
struct Published {
    topic: String,
    retain: bool,
    payload: Vec<u8>,
}

/// Accepts connections; `acknowledge` says how many publications each connection acknowledges
/// before it is cut (`None`: all).
async fn broker(acknowledge: &'static [Option<usize>]) -> (String, mpsc::Receiver<Published>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (seen, published) = mpsc::channel(100);
    tokio::spawn(async move {
        let mut plans = acknowledge.iter();
        while let Ok((stream, _)) = listener.accept().await {
            let plan = plans.next().copied().flatten();
            let _ = serve(stream, plan, &seen).await;
        }
    });
    (address, published)
}

async fn packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = stream.read_u8().await?;
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((kind, body))
}

async fn serve(
    mut stream: TcpStream,
    mut left: Option<usize>,
    seen: &mpsc::Sender<Published>,
) -> std::io::Result<()> {
    loop {
        let (kind, body) = packet(&mut stream).await?;
        match kind >> 4 {
            // CONNECT: accepted, no session present.
            1 => stream.write_all(&[0x20, 2, 0, 0]).await?,
            3 => {
                let length = usize::from(body[0]) << 8 | usize::from(body[1]);
                let topic = String::from_utf8_lossy(&body[2..2 + length]).into_owned();
                let id = [body[2 + length], body[3 + length]];
                if left == Some(0) {
                    // Cut without an acknowledgement, and the session is forgotten.
                    return Ok(());
                }
                left = left.map(|n| n - 1);
                stream.write_all(&[0x40, 2, id[0], id[1]]).await?;
                let _ = seen
                    .send(Published {
                        topic,
                        retain: kind & 1 == 1,
                        payload: body[4 + length..].to_vec(),
                    })
                    .await;
            }
            12 => stream.write_all(&[0xd0, 0]).await?,
            _ => return Ok(()),
        }
    }
}

fn settings(address: &str) -> String {
    format!("[[channel]]\nid = \"x\"\nkind = \"mqtt\"\nserver = \"{address}\"\ntls = false\n")
}

#[tokio::test]
async fn states_are_retained_and_emptied_when_an_alarm_is_closed() {
    let (address, mut published) = broker(&[]).await;
    let (channel, room, mut line) = channel_with_line(&settings(&address), &[]);
    line.changed().await.unwrap();
    let online = published.recv().await.unwrap();
    assert_eq!(
        (online.topic.as_str(), online.retain),
        ("cems/status", true)
    );
    assert_eq!(online.payload, b"online");

    let parcel = parcel(None);
    channel.send(&parcel).await.unwrap();
    let message = published.recv().await.unwrap();
    assert_eq!(
        (message.topic.as_str(), message.retain),
        ("cems/messages", false)
    );
    let body: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(body["key"], parcel.message.key.as_str());

    let board = channel.board().expect("it shows states");
    let mut shown = parcel.shown[0].clone();
    board.show(std::slice::from_ref(&shown)).await.unwrap();
    let state = published.recv().await.unwrap();
    assert_eq!(
        (state.topic.as_str(), state.retain),
        ("cems/alarms/12", true)
    );
    let body: serde_json::Value = serde_json::from_slice(&state.payload).unwrap();
    assert_eq!(
        (&body["value"], &body["active"]),
        (&"66.93".into(), &true.into())
    );

    shown.row.closed = Some(cems_core::model::Closure {
        at: NOW,
        by: "duty1".into(),
        conclusion: "done".to_owned(),
    });
    board.show(&[shown]).await.unwrap();
    let gone = published.recv().await.unwrap();
    assert_eq!((gone.topic.as_str(), gone.retain), ("cems/alarms/12", true));
    assert_eq!(gone.payload, b"");
    room.stop.cancel();
}

#[tokio::test]
async fn what_is_not_acknowledged_is_reported_and_works_on_the_next_connection() {
    // The first connection acknowledges `online` and nothing else.
    let (address, mut published) = broker(&[Some(1), None]).await;
    let (channel, room, mut line) = channel_with_line(&settings(&address), &[]);
    line.changed().await.unwrap();
    assert_eq!(published.recv().await.unwrap().topic, "cems/status");
    let error = channel.send(&parcel(None)).await.unwrap_err();
    assert!(error.recoverable && error.channel, "{error:?}");
    line.changed().await.unwrap();
    channel.send(&parcel(None)).await.unwrap();
    assert_eq!(published.recv().await.unwrap().topic, "cems/status");
    assert_eq!(published.recv().await.unwrap().topic, "cems/messages");
    room.stop.cancel();
}

#[tokio::test]
async fn without_a_broker_the_answer_is_trouble_at_once() {
    let (channel, room) = channel(&settings("127.0.0.1:1"), &[]);
    let error = channel.send(&parcel(None)).await.unwrap_err();
    assert!(error.recoverable && error.channel, "{error:?}");
    room.stop.cancel();
}
