//! `influxdb2-peer text|gzip|points URL FILE TIMES`: posts a file of lines so many times.
//!
//! `text` hands over the file as it is; `gzip` packs it each time, which the crate leaves to
//! others; `points` builds each line as a `DataPoint` first, as users of the crate do.

use flate2::Compression;
use flate2::write::GzEncoder;
use influxdb2::ClientBuilder;
use influxdb2::api::write::TimestampPrecision::Milliseconds;
use influxdb2::models::DataPoint;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use std::io::Write;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, body, times] = &arguments[..] else {
        panic!("usage: influxdb2-peer text|gzip|points URL FILE TIMES");
    };
    let body = std::fs::read(body).expect("a file");
    let times: usize = times.parse().expect("a number");
    let mut headers = HeaderMap::new();
    if mode == "gzip" {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let below = reqwest::Client::builder()
        .default_headers(headers)
        .timeout(Duration::from_secs(30));
    let client = ClientBuilder::with_builder(below, url, "example", "")
        .build()
        .expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for _ in 0..times {
            let sent = if mode == "points" {
                let text = std::str::from_utf8(&body).expect("text");
                let points: Vec<DataPoint> = text.lines().map(point).collect();
                let points = futures::stream::iter(points);
                client.write_with_precision("cems", points, Milliseconds).await
            } else {
                let body = if mode == "gzip" { packed(&body) } else { body.clone() };
                client
                    .write_line_protocol_with_precision("example", "cems", body, Milliseconds)
                    .await
            };
            sent.expect("taken");
        }
    });
}

/// As the daemon packs its bodies.
fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::new(1));
    packer.write_all(text).expect("a vector takes everything");
    packer.finish().expect("a vector takes everything")
}

/// One of our lines: nothing is escaped in the names of the benchmark.
fn point(line: &str) -> DataPoint {
    let mut parts = line.split(' ');
    let mut head = parts.next().expect("a series").split(',');
    let mut point = DataPoint::builder(head.next().expect("a measurement"));
    for tag in head {
        let (key, value) = tag.split_once('=').expect("a tag");
        point = point.tag(key, value);
    }
    for field in parts.next().expect("fields").split(',') {
        let (key, value) = field.split_once('=').expect("a field");
        point = match value.strip_suffix('i') {
            Some(whole) => point.field(key, whole.parse::<i64>().expect("whole")),
            None => point.field(key, value.parse::<f64>().expect("a number")),
        };
    }
    let time = parts.next().expect("a time").parse().expect("a time");
    point.timestamp(time).build().expect("a point")
}
