//! Batches against a server in memory that has its dislikes.

use super::super::{Batch, Delivered, SeriesSink, SinkError, Writing, deliver};
use super::points::{lines, owner, record, value};
use crate::outbox::Cause;
use std::sync::Mutex;

/// Refuses a body that holds a line with one of the words, and takes nothing of it.
struct Picky {
    dislikes: Vec<&'static str>,
    lines_max: usize,
    taken: Mutex<Vec<String>>,
    asked: Mutex<usize>,
}

impl Picky {
    fn new(dislikes: &[&'static str], lines_max: usize) -> Self {
        Self {
            dislikes: dislikes.to_vec(),
            lines_max,
            taken: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    fn take(&self, lines: &[u8]) -> Result<(), SinkError> {
        *self.asked.lock().unwrap() += 1;
        let text = std::str::from_utf8(lines).unwrap();
        if text.lines().count() > self.lines_max {
            return Err(SinkError::TooLarge("413".into()));
        }
        if self.dislikes.iter().any(|word| text.contains(word)) {
            return Err(SinkError::Line("400 bad".into()));
        }
        let lines = text.lines().map(str::to_owned);
        self.taken.lock().unwrap().extend(lines);
        Ok(())
    }
}

impl SeriesSink for Picky {
    fn write<'a>(&'a self, lines: &'a [u8]) -> Writing<'a> {
        Box::pin(async move { self.take(lines) })
    }
}

/// Records of one factor, an item each.
fn batch(count: usize) -> Batch {
    let mut writer = lines();
    let mut batch = Batch::default();
    for item in 0..count {
        let factor = format!("a{item:05}");
        let row = record("jia-1", [value(&factor, "1.5", Some("N"))]);
        assert!(writer.record(item, &owner(), &row, &mut batch).is_empty());
    }
    batch
}

fn text(batch: &Batch) -> Vec<String> {
    let text = batch.text(0..batch.len());
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_bad_line_costs_itself_alone() {
    let sink = Picky::new(&["a00017", "a00640", "a00999"], usize::MAX);
    let batch = batch(1_000);
    let done = deliver(&sink, &batch).await.unwrap();
    let refused: Vec<usize> = done.refused.iter().map(|(item, _)| *item).collect();
    assert_eq!((done.lines, refused), (997, vec![17, 640, 999]));
    assert_eq!(
        done.refused[0].1,
        "cems,enterprise=jia,factor=a00017,kind=minute,outlet=jia-1,region=qiaobei: 400 bad"
    );
    let mut want = text(&batch);
    want.retain(|line| !sink.dislikes.iter().any(|word| line.contains(word)));
    assert_eq!(*sink.taken.lock().unwrap(), want, "once each, in order");
    let asked = *sink.asked.lock().unwrap();
    assert!(asked < 70, "{asked} requests for three bad lines");
}

#[tokio::test]
async fn a_server_that_takes_little_gets_little() {
    let sink = Picky::new(&[], 100);
    let batch = batch(1_000);
    let done = deliver(&sink, &batch).await.unwrap();
    assert_eq!(done.lines, 1_000);
    assert_eq!(*sink.taken.lock().unwrap(), text(&batch));

    let sink = Picky::new(&[], 0);
    let error = deliver(&sink, &batch).await.unwrap_err();
    assert_eq!(error, SinkError::trouble(Cause::Full, "413"));
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_in_trouble_itself() {
    let sink = Picky::new(&["cems"], usize::MAX);
    let error = deliver(&sink, &batch(1_000)).await.unwrap_err();
    assert_eq!(
        error,
        SinkError::trouble(Cause::NoEndpoint, "every line is refused: 400 bad")
    );
    let asked = *sink.asked.lock().unwrap();
    assert!(asked < 40, "{asked} requests");
    // A lone line may well be bad.
    let done = deliver(&sink, &batch(1)).await.unwrap();
    assert_eq!((done.lines, done.refused.len()), (0, 1));
    let nothing = deliver(&sink, &Batch::default()).await.unwrap();
    assert_eq!(nothing, Delivered::default());
}
