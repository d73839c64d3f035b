//! Lines on their way, and whose they are.

use axum::body::Bytes;
use cems_protocols::lineproto::{Line, LineError, Precision, Series};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::ops::Range;

/// Bytes of text to which a batch grows, and a row: what InfluxDB asks for, and below what proxies
/// take without being told to.
const BATCH_BYTES: usize = 1024 * 1024;

/// The fastest level: a second one costs twice the time for a tenth of the bytes.
const LEVEL: Compression = Compression::new(1);

/// Lines with the item of the outbox that each belongs to.
#[derive(Debug, Default)]
pub struct Batch {
    text: Vec<u8>,
    lines: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    end: usize,
    item: usize,
}

impl Batch {
    /// Forgets the lines and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True without a line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// As much as one request should carry, of so many lines at most.
    pub fn is_full(&self, lines_max: usize) -> bool {
        self.text.len() >= BATCH_BYTES || self.lines.len() >= lines_max
    }

    /// Text of some of the lines.
    pub fn text(&self, lines: Range<usize>) -> &[u8] {
        &self.text[self.begin(lines.start)..self.begin(lines.end)]
    }

    /// The item that a line belongs to.
    pub fn item(&self, line: usize) -> usize {
        self.lines[line].item
    }

    /// Measurement and tags of a line, for people.
    pub fn series(&self, line: usize) -> String {
        let text = String::from_utf8_lossy(self.text(line..line + 1));
        let end = text.match_indices(' ').find(|(at, _)| {
            let before = text[..*at].as_bytes();
            before.last() != Some(&b'\\')
        });
        text[..end.map_or(text.len(), |(at, _)| at)].to_owned()
    }

    /// Writes a line of an item; nothing is left of one that cannot be written.
    pub(super) fn line(
        &mut self,
        item: usize,
        series: &Series,
        time_ms: i64,
        write: impl FnOnce(&mut Line<'_>) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        let mut line = Line::begin(&mut self.text, series);
        write(&mut line)?;
        line.finish(time_ms, Precision::Milliseconds)?;
        let end = self.text.len();
        self.lines.push(Place { end, item });
        Ok(())
    }

    fn begin(&self, line: usize) -> usize {
        line.checked_sub(1).map_or(0, |last| self.lines[last].end)
    }
}

/// A body as it goes over the wire (gzip).
pub fn packed(text: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::with_capacity(text.len() / 8), LEVEL);
    let bytes = packer
        .write_all(text)
        .and_then(|()| packer.finish())
        .expect("a vector takes everything");
    bytes.into()
}
