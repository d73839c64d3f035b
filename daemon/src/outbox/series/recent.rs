//! What a server has taken a moment ago.
//!
//! Databases of series write what they have taken to their disk every few seconds: one that is
//! killed has answered 2xx for points that it forgets. A server that was started anew is reached
//! over a new connection, so whatever the former one took shortly before is sent again over a new
//! one, in order. Written twice, a point is the same point.

use axum::body::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a server may take to write to its disk; InfluxDB syncs at once by default,
/// VictoriaMetrics within five seconds.
const AGE_MAX: Duration = Duration::from_secs(30);
/// Bytes of bodies that are kept: about a million values, packed. Above it the oldest are
/// forgotten early.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bodies taken lately.
#[derive(Debug, Default)]
pub(super) struct Recent {
    kept: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    /// Our end of the connection over which they were taken, if the server did not end it itself.
    way: Option<SocketAddr>,
}

impl Recent {
    /// Notes that a body was taken over a connection. Returns what must be sent again now, and
    /// should be followed by [`settled`](Self::settled) when that has been done.
    pub(super) fn taken(
        &mut self,
        way: Option<SocketAddr>,
        body: &Bytes,
        now: Instant,
    ) -> Vec<Bytes> {
        while let Some((at, _)) = self.kept.front()
            && now.duration_since(*at) > AGE_MAX
        {
            self.forget_first();
        }
        self.kept.push_back((now, body.clone()));
        self.bytes += body.len();
        while self.bytes > BYTES_MAX {
            self.forget_first();
        }
        // The new body comes last again: it may correct what stands in one before it.
        if self.way.is_some() && way.is_some() && self.way != way && self.kept.len() > 1 {
            return self.kept.iter().map(|(_, body)| body.clone()).collect();
        }
        Vec::new()
    }

    /// Everything kept was taken over this connection.
    pub(super) fn settled(&mut self, way: Option<SocketAddr>) {
        self.way = way;
    }

    fn forget_first(&mut self) {
        if let Some((_, body)) = self.kept.pop_front() {
            self.bytes -= body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    #[test]
    fn what_was_taken_lately_goes_over_a_new_connection_again() {
        let mut recent = Recent::default();
        let start = Instant::now();
        let body = |text: &'static str| Bytes::from_static(text.as_bytes());
        let at = |s| start + Duration::from_secs(s);
        let mut taken = |port, text, s| {
            let again = recent.taken(way(port), &body(text), at(s));
            recent.settled(way(port));
            again
        };
        assert!(taken(1, "a", 0).is_empty());
        assert!(taken(1, "b", 20).is_empty());
        assert_eq!(taken(2, "c", 40), [body("b"), body("c")]);
        assert!(taken(2, "d", 41).is_empty());
        assert!(taken(3, "e", 100).is_empty(), "all of it is long on disk");
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::default();
        let body = Bytes::from(vec![0; BYTES_MAX / 2]);
        for _ in 0..5 {
            assert!(recent.taken(way(1), &body, Instant::now()).is_empty());
            recent.settled(way(1));
        }
        assert_eq!(recent.taken(way(2), &body, Instant::now()).len(), 2);
        assert!(recent.bytes <= BYTES_MAX);
    }
}
