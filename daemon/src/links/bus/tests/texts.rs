//! Instruments that speak text: asked, and talking on their own.

use crate::links::bus::{Dial, Line, LineError, LineFraming, LineTiming, Opening, Wire};
use cems_protocols::ascii::Pattern;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_millis(1_500);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

struct OneWire(Option<DuplexStream>);

impl Dial for OneWire {
    fn open(&mut self) -> Opening<'_> {
        let wire = self.0.take().ok_or(std::io::ErrorKind::NotFound.into());
        Box::pin(async { wire.map(|wire| Box::new(wire) as Box<dyn Wire>) })
    }

    fn place(&self) -> String {
        "text".into()
    }
}

fn line(wire: DuplexStream) -> Line {
    let timing = LineTiming {
        timeout: PATIENCE,
        pause_between_requests: Duration::ZERO,
        pause_after_connect: Duration::ZERO,
    };
    Line::new(Box::new(OneWire(Some(wire))), LineFraming::Text, timing)
}

fn pattern() -> Pattern {
    Pattern::compile(r"SO2 {so2:number} ppm\r\n").expect("sound")
}

/// Answers every request with a number that counts up, after so long.
async fn analyser(mut wire: DuplexStream, delays: &[u64]) {
    let mut request = [0; 4];
    for (n, delay) in delays.iter().enumerate() {
        if wire.read_exact(&mut request).await.is_err() {
            return;
        }
        sleep(ms(*delay)).await;
        let text = format!("SO2 {n}.5 ppm\r\n");
        if wire.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
    sleep(Duration::from_secs(3_600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_text_is_not_taken_for_the_next_answer() {
    let (ours, theirs) = duplex(1_024);
    tokio::spawn(analyser(theirs, &[40, 2_400, 40, 40]));
    let mut line = line(ours);
    let form = pattern();
    let mut ask = async || line.ask_text(1, Some(b"SO2\r"), &form, PATIENCE).await;
    assert_eq!(ask().await.expect("answers").texts, ["0.5"]);
    let late = ask().await;
    assert!(matches!(late, Err(LineError::Timeout(_))), "{late:?}");
    assert_eq!(ask().await.expect("answers").texts, ["2.5"], "not 1.5");
    assert_eq!(ask().await.expect("answers").texts, ["3.5"]);
    let notes = line.take_notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].discarded.first, b"SO2 1.5 ppm\r\n");
}

#[tokio::test(start_paused = true)]
async fn an_instrument_that_talks_on_its_own_is_listened_to() {
    let (ours, mut theirs) = duplex(1_024);
    let talker = tokio::spawn(async move {
        for n in 0_u32.. {
            let text = format!("SO2 {n}.25 ppm\r\n");
            for byte in text.bytes() {
                sleep(ms(1)).await;
                if theirs.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
            sleep(ms(900)).await;
        }
    });
    let mut line = line(ours);
    let form = pattern();
    // Wherever in its text the listening begins, a whole text is taken, and a fresh one.
    let begun = Instant::now();
    for _ in 0..40 {
        sleep(ms(4_321)).await;
        let found = line.ask_text(1, None, &form, PATIENCE).await;
        let text = found.expect("it talks").texts[0].clone();
        let number: f64 = text.parse().expect("a number");
        let age = begun.elapsed().as_secs_f64() - (number - 0.25) * 0.915;
        assert!((0.0..1.0).contains(&age), "{text} after {age} s");
    }
    assert_eq!(line.take_notes(), [], "what it says unasked is no trouble");
    drop(line);
    talker.await.expect("ends with the line");
}

#[tokio::test(start_paused = true)]
async fn chatter_is_no_answer() {
    let (ours, mut theirs) = duplex(1_024);
    tokio::spawn(async move {
        let mut request = [0; 4];
        while theirs.read_exact(&mut request).await.is_ok() {
            let twice = b"SO2 1.5 ppm\r\nSO2 2.5 ppm\r\n";
            if theirs.write_all(twice).await.is_err() {
                return;
            }
        }
    });
    let mut line = line(ours);
    let answer = line.ask_text(1, Some(b"SO2\r"), &pattern(), PATIENCE).await;
    assert!(matches!(answer, Err(LineError::Disorder(_))), "{answer:?}");
}
