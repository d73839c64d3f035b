//! A destination of series as the outbox sees it.

use super::super::{Influx, SeriesSink, SinkError, Writing};
use super::points::{AT, record, value};
use crate::outbox::{Cause, Destination, Item, Key, Parcel, Place, SendError};
use cems_config::{Corrections, InfluxServer};
use cems_core::model::rows::AuditRow;
use cems_core::model::{Medium, RecordKind, Seq, Series};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Takes what has no word of `dislikes` in it, or is in trouble.
#[derive(Clone, Default)]
struct Kept {
    bodies: Arc<Mutex<Vec<String>>>,
    dislikes: &'static [&'static str],
    trouble: Option<SinkError>,
}

impl SeriesSink for Kept {
    fn write<'a>(&'a self, lines: &'a [u8]) -> Writing<'a> {
        let text = std::str::from_utf8(lines).unwrap().to_owned();
        let answer = match &self.trouble {
            Some(trouble) => Err(trouble.clone()),
            None if self.dislikes.iter().any(|word| text.contains(word)) => {
                Err(SinkError::Line("400 no".to_owned()))
            }
            None => {
                self.bodies.lock().unwrap().push(text);
                Ok(())
            }
        };
        Box::pin(std::future::ready(answer))
    }
}

fn server(batch_lines: u32) -> InfluxServer {
    InfluxServer {
        url: "http://series.example".into(),
        org: "".into(),
        bucket: "cems".into(),
        token: None,
        ca: None,
        batch_lines,
        gzip: true,
        corrections: Corrections::Replace,
    }
}

fn parcel(outlet: &str, factors: &[&str]) -> Parcel {
    let place = Place {
        outlet: outlet.into(),
        name: "1 号排口".to_owned(),
        medium: Medium::Gas,
        enterprise: "jia".into(),
        region: "qiaobei".into(),
        units: BTreeMap::new(),
    };
    let values = factors.iter().map(|factor| value(factor, "1.5", Some("N")));
    Parcel {
        key: Key::Row {
            outlet: outlet.into(),
            what: Series::Record(RecordKind::Minute),
            start: AT,
        },
        place: Some(Arc::new(place)),
        item: Item::Record(record(outlet, values)),
    }
}

#[tokio::test]
async fn parcels_go_in_requests_of_the_settings() {
    let kept = Kept::default();
    let mut influx = Influx::new(kept.clone(), &server(4));
    assert_eq!(influx.batch_max(), 1);
    let parcels = ["jia-1", "jia-2", "jia-3"].map(|id| parcel(id, &["a21002", "a21026", "a34013"]));
    let sent = influx.send(&parcels).await.unwrap();
    assert_eq!((sent.values, sent.refused.len()), (9, 0));
    let sizes: Vec<usize> = kept
        .bodies
        .lock()
        .unwrap()
        .iter()
        .map(|body| body.lines().count())
        .collect();
    assert_eq!(sizes, [6, 3]);
    assert_eq!(influx.send(&[]).await.unwrap().values, 0);
}

#[tokio::test]
async fn what_is_refused_is_told_with_its_parcel() {
    let kept = Kept {
        dislikes: &["a21002", "jia-3"],
        ..Kept::default()
    };
    let mut influx = Influx::new(kept, &server(5_000));
    let good = parcel("jia-1", &["a21026"]);
    let half = parcel("jia-2", &["a21002", "a21026", "bad\\"]);
    let bad = parcel("jia-3", &["a1", "a2", "a3", "a4", "a5"]);
    let homeless = Parcel {
        place: None,
        ..good.clone()
    };
    let event = Parcel {
        key: Key::Event { seq: Seq(1), n: 0 },
        item: Item::Event(
            AuditRow {
                seq: Seq(1),
                n: 0,
                at: AT,
                who: "duty1".into(),
                what: "log-in".into(),
                object: "console".into(),
                detail: String::new(),
            },
            None,
        ),
        ..good.clone()
    };
    let sent = influx
        .send(&[good, half, bad, homeless, event])
        .await
        .unwrap();
    assert_eq!(sent.values, 2);
    let why: Vec<(usize, &str)> = sent
        .refused
        .iter()
        .map(|(at, why)| (*at, why.as_str()))
        .collect();
    let series = |factor: &str, outlet: &str| {
        format!(
            "cems,enterprise=jia,factor={factor},kind=minute,outlet={outlet},region=qiaobei: 400 no"
        )
    };
    let half = format!(
        "bad\\: {}; {}",
        "a backslash at the end of the tag value, or before a comma, `=`, space or backslash in it",
        series("a21002", "jia-2")
    );
    let bad = ["a1", "a2", "a3"].map(|factor| series(factor, "jia-3"));
    let bad = format!("{}; and 2 more", bad.join("; "));
    let homeless = "its outlet is not in the registry: nobody knows its region";
    let event = "a database of series takes no events";
    assert_eq!(why, [(1, &half[..]), (2, &bad), (3, homeless), (4, event)]);
}

#[tokio::test]
async fn trouble_is_passed_on_as_it_is() {
    let after = Some(Duration::from_secs(9));
    let kept = Kept {
        trouble: Some(SinkError::Trouble {
            cause: Cause::Slow,
            said: "503 later".to_owned(),
            after,
        }),
        ..Kept::default()
    };
    let mut influx = Influx::new(kept, &server(5_000));
    let error = influx.send(&[parcel("jia-1", &["a21026"])]).await;
    let want = SendError::new(Cause::Slow, "503 later").after(Duration::from_secs(9));
    assert_eq!(error, Err(want));
}
