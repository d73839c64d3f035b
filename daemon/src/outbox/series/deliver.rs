//! Handing a batch over, and finding the lines in it that a server refuses.

use super::{Batch, SeriesSink, SinkError};
use crate::outbox::Cause;
use std::ops::Range;

/// So many lines refused and none taken: it is not the lines, nothing is taken there. Then none of
/// them may be given up.
const REFUSED_ALONE_MAX: usize = 8;

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Lines that were taken.
    pub lines: usize,
    /// Items of which a line was refused, and why; an item stands here once for each such line.
    pub refused: Vec<(usize, String)>,
}

/// Hands a batch over. A server that dislikes one line may refuse a whole body for it: then each
/// half is tried alone, down to the line, so that one bad line costs itself and no other.
///
/// # Errors
/// When the server or the way to it is in trouble. Some lines may have been taken; written again
/// they change nothing.
pub async fn deliver(sink: &dyn SeriesSink, batch: &Batch) -> Result<Delivered, SinkError> {
    let mut done = Delivered::default();
    // Halves are cut from the last range, so that there are never more than the bits of a length.
    let whole = 0..batch.len();
    let mut open = vec![whole];
    while let Some(range) = open.pop() {
        if range.is_empty() {
            continue;
        }
        match sink.write(batch.text(range.clone())).await {
            Ok(()) => done.lines += range.len(),
            Err(SinkError::TooLarge(said)) if range.len() == 1 => {
                return Err(SinkError::trouble(Cause::Full, said));
            }
            Err(SinkError::Line(why)) if range.len() == 1 => {
                let series = batch.series(range.start);
                done.refused
                    .push((batch.item(range.start), format!("{series}: {why}")));
                if done.lines == 0 && done.refused.len() >= REFUSED_ALONE_MAX {
                    let said = format!("every line is refused: {why}");
                    return Err(SinkError::trouble(Cause::NoEndpoint, said));
                }
            }
            Err(SinkError::Line(_) | SinkError::TooLarge(_)) => open.extend(halves(&range)),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(done)
}

/// The second half first: the last one of `open` is tried next.
fn halves(range: &Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start + range.len() / 2;
    [middle..range.end, range.start..middle]
}
