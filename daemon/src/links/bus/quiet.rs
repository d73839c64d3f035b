//! A wire that remembers what passed over it and can be emptied.
//!
//! Modbus RTU has no transaction number: bytes that come too late are the next answer to whoever
//! reads next. [`QuietLine`] gives the guard of a line the three things to make that harmless: what
//! was sent and received since the last question, reading until nothing comes any more, and both
//! while the Modbus client holds the same wire.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};

/// Bytes kept of each direction of one exchange: the longest Modbus TCP frame is 260 bytes, vendor
/// text is shorter. What is beyond is counted, not kept.
pub const CAPTURE_BYTES_MAX: usize = 1_024;

/// Bytes kept of what was thrown away; enough to recognise a late answer.
pub const DISCARDED_KEPT_BYTES_MAX: usize = 64;

/// One direction of an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capture {
    /// The first bytes, at most [`CAPTURE_BYTES_MAX`].
    pub bytes: Vec<u8>,
    /// How many there were in all.
    pub count: usize,
}

impl Capture {
    fn add(&mut self, bytes: &[u8]) {
        let room = CAPTURE_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        self.count = self.count.saturating_add(bytes.len());
    }
}

/// What was thrown away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discarded {
    /// How many bytes.
    pub bytes: u64,
    /// The first of them, at most [`DISCARDED_KEPT_BYTES_MAX`].
    pub first: Vec<u8>,
    /// When the last of them came.
    pub last_at: Option<Instant>,
}

/// Why a line did not fall silent.
#[derive(Debug, thiserror::Error)]
pub enum DiscardError {
    /// The wire is gone.
    #[error(transparent)]
    Wire(#[from] io::Error),
    /// Bytes kept coming.
    #[error("the line does not fall silent: {bytes} bytes within {limit_ms} ms")]
    Babble {
        /// How many were thrown away.
        bytes: u64,
        /// For how long, milliseconds.
        limit_ms: u128,
    },
}

/// A shared handle on a wire. One of the holders uses it at a time; the lock is never held across
/// a wait.
#[derive(Debug)]
pub struct QuietLine<T>(Arc<Mutex<Inner<T>>>);

#[derive(Debug)]
struct Inner<T> {
    wire: T,
    sent: Capture,
    received: Capture,
    first_sent_at: Option<Instant>,
    last_received_at: Option<Instant>,
}

impl<T> Clone for QuietLine<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> QuietLine<T> {
    /// Takes a wire over.
    pub fn new(wire: T) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            wire,
            sent: Capture::default(),
            received: Capture::default(),
            first_sent_at: None,
            last_received_at: None,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        // Plain data and a wire: valid at every moment, a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was captured; a new question begins.
    pub fn begin(&self) {
        let mut inner = self.inner();
        inner.sent = Capture::default();
        inner.received = Capture::default();
        inner.first_sent_at = None;
        inner.last_received_at = None;
    }

    /// What was sent and received since [`QuietLine::begin`].
    pub fn captured(&self) -> (Capture, Capture) {
        let inner = self.inner();
        (inner.sent.clone(), inner.received.clone())
    }

    /// From the first byte sent to the last byte received since [`QuietLine::begin`].
    pub fn answer_time(&self) -> Option<Duration> {
        let inner = self.inner();
        let (sent, received) = (inner.first_sent_at?, inner.last_received_at?);
        Some(received.saturating_duration_since(sent))
    }
}

impl<T: AsyncRead + Unpin> QuietLine<T> {
    /// Reads and throws away until nothing has come for `silence`.
    ///
    /// # Errors
    /// When the wire ends or fails, or when bytes still come after `limit`: an analyser that talks
    /// on its own, or a line that is noise.
    pub async fn discard_until_silence(
        &mut self,
        silence: Duration,
        limit: Duration,
    ) -> Result<Discarded, DiscardError> {
        let begun = Instant::now();
        let mut discarded = Discarded::default();
        let mut buffer = [0; 256];
        loop {
            let Ok(read) = timeout(silence, self.read(&mut buffer)).await else {
                return Ok(discarded);
            };
            let count = read?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let room = DISCARDED_KEPT_BYTES_MAX.saturating_sub(discarded.first.len());
            discarded.first.extend(buffer[..count].iter().take(room));
            discarded.bytes += u64::try_from(count).unwrap_or(u64::MAX);
            discarded.last_at = Some(Instant::now());
            if begun.elapsed() > limit {
                return Err(DiscardError::Babble {
                    bytes: discarded.bytes,
                    limit_ms: limit.as_millis(),
                });
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for QuietLine<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut inner.wire).poll_read(context, buffer);
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        if !fresh.is_empty() {
            inner.received.add(fresh);
            inner.last_received_at = Some(Instant::now());
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for QuietLine<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let polled = Pin::new(&mut inner.wire).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &polled {
            inner.sent.add(bytes.get(..*count).unwrap_or_default());
            inner.first_sent_at.get_or_insert_with(Instant::now);
        }
        polled
    }

    /// Nothing: sockets have nothing to flush, and flushing a serial port waits in the kernel until
    /// the last bit is out (`tcdrain`), which would hold up every other task of the thread. The
    /// bytes go out by themselves.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner().wire).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn everything_until_silence_is_thrown_away_and_counted() {
        let (ours, mut theirs) = duplex(4_096);
        let mut line = QuietLine::new(ours);
        let talker = tokio::spawn(async move {
            for _ in 0..3 {
                sleep(Duration::from_millis(90)).await;
                theirs.write_all(&[7; 50]).await.expect("room");
            }
            sleep(Duration::from_millis(200)).await;
            theirs.write_all(b"later").await.expect("room");
            theirs
        });
        let begun = Instant::now();
        let discarded = line
            .discard_until_silence(Duration::from_millis(100), Duration::from_secs(9))
            .await
            .expect("it falls silent");
        assert_eq!(discarded.bytes, 150);
        assert_eq!(discarded.first, vec![7; DISCARDED_KEPT_BYTES_MAX]);
        assert_eq!(begun.elapsed().as_millis() / 10, 37);
        let mut later = [0; 5];
        line.read_exact(&mut later).await.expect("it comes");
        assert_eq!(&later, b"later", "what came after the silence is kept");
        drop(talker.await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_never_falls_silent_is_given_up() {
        let (ours, mut theirs) = duplex(64);
        let mut line = QuietLine::new(ours);
        let talker = tokio::spawn(async move {
            while theirs.write_all(b"U").await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        let given_up = line
            .discard_until_silence(Duration::from_millis(50), Duration::from_secs(2))
            .await;
        assert!(
            matches!(given_up, Err(DiscardError::Babble { bytes: 400.., .. })),
            "{given_up:?}"
        );
        drop(line);
        talker.await.expect("ends with the line");
    }

    #[tokio::test]
    async fn both_directions_are_captured_and_bounded() {
        let (ours, mut theirs) = duplex(8_192);
        let mut line = QuietLine::new(ours);
        line.write_all(b"?").await.expect("room");
        theirs.write_all(&[1; 2_000]).await.expect("room");
        let mut answer = [0; 2_000];
        line.clone().read_exact(&mut answer).await.expect("all");
        let (sent, received) = line.captured();
        assert_eq!(sent.bytes, b"?");
        assert_eq!((received.bytes.len(), received.count), (1_024, 2_000));
        line.begin();
        assert_eq!(line.captured(), (Capture::default(), Capture::default()));
        drop(theirs);
        let ended = line
            .discard_until_silence(Duration::from_millis(1), Duration::from_secs(1))
            .await;
        assert!(matches!(ended, Err(DiscardError::Wire(_))), "{ended:?}");
    }
}
