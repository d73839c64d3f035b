//! The request as a server sees it, and what its answers are called.

use super::super::{InfluxSink, SeriesSink, SinkError};
use crate::outbox::Cause;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use cems_config::{Corrections, InfluxServer, Secret};
use flate2::read::GzDecoder;
use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

type Seen = (Uri, HeaderMap, Bytes);

/// A server that answers one thing, and tells what it was sent.
async fn server(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> (SocketAddr, mpsc::UnboundedReceiver<Seen>) {
    let (tell, seen) = mpsc::unbounded_channel();
    let answer = post(move |uri: Uri, given: HeaderMap, sent: Bytes| {
        let tell = tell.clone();
        async move {
            tell.send((uri, given, sent)).unwrap();
            let mut answer = HeaderMap::new();
            for (name, value) in headers {
                answer.insert(*name, value.parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), answer, body)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback_service(answer);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

fn target(url: String) -> InfluxServer {
    InfluxServer {
        url: url.into(),
        org: "示例".into(),
        bucket: "cems data".into(),
        token: Some(Secret("s3cret-token".into())),
        ca: None,
        batch_lines: 5_000,
        gzip: true,
        corrections: Corrections::Replace,
    }
}

async fn write(url: String) -> Result<(), SinkError> {
    let sink = InfluxSink::new(&target(url)).unwrap();
    sink.write(b"m v=1 1\n").await
}

#[tokio::test]
async fn a_write_says_where_who_and_how() {
    let (address, mut seen) = server(204, &[], "").await;
    write(format!("http://{address}/insert/0/influx/"))
        .await
        .unwrap();
    let (uri, headers, body) = seen.recv().await.unwrap();
    assert_eq!(
        uri.to_string(),
        "/insert/0/influx/api/v2/write?org=%E7%A4%BA%E4%BE%8B&bucket=cems%20data&precision=ms"
    );
    assert_eq!(headers["authorization"], "Token s3cret-token");
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "m v=1 1\n");
}

#[tokio::test]
async fn every_answer_has_a_cause() {
    for (status, want) in [
        (401, Cause::Unauthorised),
        (403, Cause::Unauthorised),
        (404, Cause::NoEndpoint),
        (301, Cause::NoEndpoint),
        (507, Cause::Full),
        (429, Cause::Slow),
        (503, Cause::Slow),
        (502, Cause::Unreachable),
        (418, Cause::NoEndpoint),
    ] {
        let (address, _seen) = server(status, &[("retry-after", "7")], "said so").await;
        let error = write(format!("http://{address}")).await.unwrap_err();
        let SinkError::Trouble { cause, said, after } = error else {
            panic!("{status}: {error}");
        };
        assert_eq!(cause, want, "{status}");
        assert!(said.contains("said so"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        let waits = ![404, 301].contains(&status);
        assert_eq!(after, waits.then_some(Duration::from_secs(7)), "{status}");
    }
    let (address, _seen) = server(400, &[], "unable to parse 'm v=': missing field").await;
    let error = write(format!("http://{address}")).await.unwrap_err();
    let said = "400 unable to parse 'm v=': missing field".to_owned();
    assert_eq!(error, SinkError::Line(said));
    let (address, _seen) = server(413, &[], "").await;
    let error = write(format!("http://{address}")).await.unwrap_err();
    assert_eq!(error, SinkError::TooLarge("413".into()));
}

#[tokio::test]
async fn a_404_says_what_is_missing() {
    let (address, _seen) = server(404, &[], "404 page not found").await;
    let error = write(format!("http://{address}")).await.unwrap_err();
    assert!(error.to_string().contains("InfluxDB 1.x"), "{error}");
    let json = r#"{"code":"not found","message":"bucket \"cems\" not found"}"#;
    let (address, _seen) = server(404, &[], json).await;
    let error = write(format!("http://{address}")).await.unwrap_err();
    assert!(error.to_string().contains("create it"), "{error}");
}

#[tokio::test]
async fn nobody_there_and_nobody_answering() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sink = InfluxSink::new(&target(format!("http://{address}"))).unwrap();
    let sink = sink.with_patience(Duration::from_millis(50));
    let error = sink.write(b"m v=1 1\n").await.unwrap_err();
    assert_eq!(
        error,
        SinkError::trouble(Cause::Slow, "no answer within 0 s")
    );
    drop(listener);
    let error = write(format!("http://{address}")).await.unwrap_err();
    let SinkError::Trouble { cause, said, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(cause, Cause::Unreachable);
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn what_cannot_be_an_address_is_told_at_once() {
    for url in ["", "influx", "http://", "http://a b/", "http://a/?org=x"] {
        assert!(InfluxSink::new(&target(url.to_owned())).is_err(), "{url}");
    }
    let mut broken = target("http://127.0.0.1:8086".to_owned());
    broken.token = Some(Secret("a\nb".into()));
    let error = InfluxSink::new(&broken).err().unwrap();
    assert!(!format!("{error:#}").contains("a\nb"));
}

/// A server that takes one body over each connection, and tells what it took.
async fn hanging_up(header: &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            while !text.ends_with("1\n") && stream.readable().await.is_ok() {
                let mut part = [0; 4096];
                match stream.read(&mut part).await {
                    Ok(n @ 1..) => text.push_str(std::str::from_utf8(&part[..n]).unwrap()),
                    _ => break,
                }
            }
            let Some((_, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            tell.send(body.to_owned()).unwrap();
            let answer = format!("HTTP/1.1 204 No Content\r\n{header}\r\n");
            // The client may be gone.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, seen)
}

#[tokio::test]
async fn a_server_started_anew_gets_what_the_former_one_took_last() {
    for (header, want) in [
        ("", &["a 1\n", "b 1\n", "a 1\n", "b 1\n"][..]),
        ("connection: close\r\n", &["a 1\n", "b 1\n"]),
    ] {
        let (address, mut seen) = hanging_up(header).await;
        let plain = InfluxServer {
            gzip: false,
            ..target(format!("http://{address}"))
        };
        let sink = InfluxSink::new(&plain).unwrap();
        sink.write(b"a 1\n").await.unwrap();
        // A connection that has just been closed may be found out by the write; the outbox would
        // try again, too.
        while sink.write(b"b 1\n").await.is_err() {}
        let mut bodies = Vec::new();
        while let Ok(body) = seen.try_recv() {
            bodies.push(body);
        }
        let (first, last) = (&bodies[..2], &bodies[bodies.len() - want.len().min(2)..]);
        assert_eq!(first, &want[..2], "{bodies:?}");
        assert_eq!(last, &want[want.len() - 2..], "{bodies:?}");
        assert_eq!(bodies.len() > 2, want.len() > 2, "{bodies:?}");
    }
}
