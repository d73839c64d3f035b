//! One block: the entries of one group commit, packed into one row.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::chain::{ChainValue, HashKind};
use super::file::{Break, End};
use super::{BLOCK_RAW_MAX, Entry};

/// Bytes before each body: length (u32) and time (i64), big-endian.
const ENTRY_HEADER: usize = 12;

/// A shorter block gains nothing from DEFLATE.
const COMPRESS_FROM: usize = 128;

/// DEFLATE effort of a live commit: the cheapest, the waiting device matters more.
pub(super) const EFFORT_LIVE: u32 = 1;
/// DEFLATE effort of a sealed file: it is written once and kept for years.
pub(super) const EFFORT_SEALED: u32 = 9;

/// One row of table `block`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockRow {
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) first_at_ms: i64,
    pub(super) last_at_ms: i64,
    pub(super) raw_len: u64,
    pub(super) codec: String,
    pub(super) data: Vec<u8>,
    pub(super) chain: ChainValue,
}

/// Why a block is not trustworthy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// The row could not be read from the file.
    #[error("the row is unreadable: {0}")]
    Row(String),
    /// Neither `deflate` nor `none`.
    #[error("unknown codec: {0}")]
    Codec(String),
    /// The data does not unpack to the length the row states.
    #[error("the data does not unpack to {0} bytes")]
    Unpack(u64),
    /// The unpacked bytes do not divide into entries.
    #[error("the unpacked data does not divide into entries")]
    Layout,
    /// The row's numbers and times are not those of the entries in it.
    #[error("the row's numbers or times are not those of its entries")]
    Columns,
    /// The block does not start at the number after the entry before it.
    #[error("entry {expected} was expected, {found} found")]
    Gap {
        /// The number that should come next.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry is older than the one before it.
    #[error("entry {seq} is older than the one before it")]
    Time {
        /// The number of the entry.
        seq: u64,
    },
    /// The chain value does not follow from the entries and the value before them.
    #[error("the chain does not hold: an entry was changed, removed, inserted or moved")]
    Chain,
}

/// Packs consecutively numbered `entries` that follow `previous`.
///
/// An empty slice never reaches this: groups without entries are answered at the door.
pub(super) fn pack(
    entries: &[Entry],
    previous: &ChainValue,
    kind: HashKind,
    effort: u32,
) -> Option<BlockRow> {
    let (first, last) = (entries.first()?, entries.last()?);
    let mut raw = Vec::with_capacity(
        entries
            .iter()
            .map(|entry| entry.body.len() + ENTRY_HEADER)
            .sum::<usize>(),
    );
    for entry in entries {
        raw.extend_from_slice(&u32::try_from(entry.body.len()).ok()?.to_be_bytes());
        raw.extend_from_slice(&entry.at_ms.to_be_bytes());
        raw.extend_from_slice(&entry.body);
    }
    let raw_len = u64::try_from(raw.len()).ok()?;
    let (codec, data) = match deflate(&raw, effort) {
        Some(packed) => ("deflate", packed),
        None => ("none", raw),
    };
    Some(BlockRow {
        first_seq: first.seq,
        last_seq: last.seq,
        first_at_ms: first.at_ms,
        last_at_ms: last.at_ms,
        raw_len,
        codec: codec.to_owned(),
        data,
        chain: kind.links(*previous, entries),
    })
}

/// `None` when it would not be smaller.
fn deflate(raw: &[u8], effort: u32) -> Option<Vec<u8>> {
    if raw.len() < COMPRESS_FROM {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(effort));
    encoder.write_all(raw).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < raw.len()).then_some(packed)
}

/// The entries of a block, with the row's own columns checked against them.
fn unpack(row: &BlockRow) -> Result<Vec<Entry>, BlockFault> {
    let wrong_length = || BlockFault::Unpack(row.raw_len);
    if row.raw_len > BLOCK_RAW_MAX {
        return Err(wrong_length());
    }
    let inflated;
    let raw: &[u8] = match row.codec.as_str() {
        "none" => &row.data,
        "deflate" => {
            let mut bytes = Vec::new();
            let mut decoder = DeflateDecoder::new(row.data.as_slice());
            (&mut decoder)
                .take(row.raw_len + 1)
                .read_to_end(&mut bytes)
                .map_err(|_| wrong_length())?;
            if u64::try_from(row.data.len()) != Ok(decoder.total_in()) {
                return Err(wrong_length());
            }
            inflated = bytes;
            &inflated
        }
        other => return Err(BlockFault::Codec(other.chars().take(20).collect())),
    };
    if u64::try_from(raw.len()) != Ok(row.raw_len) {
        return Err(wrong_length());
    }
    let entries = divide(raw, row.first_seq)?;
    let fits = entries
        .first()
        .is_some_and(|entry| entry.at_ms == row.first_at_ms)
        && entries
            .last()
            .is_some_and(|entry| entry.at_ms == row.last_at_ms && entry.seq == row.last_seq);
    if fits {
        Ok(entries)
    } else {
        Err(BlockFault::Columns)
    }
}

fn divide(mut raw: &[u8], first_seq: u64) -> Result<Vec<Entry>, BlockFault> {
    let mut entries = Vec::new();
    let mut seq = first_seq;
    while !raw.is_empty() {
        let (len, rest) = raw.split_first_chunk::<4>().ok_or(BlockFault::Layout)?;
        let (at, rest) = rest.split_first_chunk::<8>().ok_or(BlockFault::Layout)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| BlockFault::Layout)?;
        let (body, rest) = rest.split_at_checked(len).ok_or(BlockFault::Layout)?;
        entries.push(Entry {
            seq,
            at_ms: i64::from_be_bytes(*at),
            body: body.to_vec(),
        });
        seq = seq.checked_add(1).ok_or(BlockFault::Layout)?;
        raw = rest;
    }
    Ok(entries)
}

/// What [`check`] found: the entries as far as they could be unpacked, and the first fault.
pub(super) struct Checked {
    pub(super) entries: Vec<Entry>,
    pub(super) fault: Option<BlockFault>,
    /// Where the next block is expected to go on. After a fault: what the row states.
    pub(super) end: End,
}

/// Checks that `row` follows `end`, or the break that a recovery declared there.
pub(super) fn check(row: &BlockRow, end: &End, breaks: &[Break], kind: HashKind) -> Checked {
    let stated = End {
        seq: row.last_seq,
        at_ms: row.last_at_ms,
        chain: row.chain,
    };
    let entries = match unpack(row) {
        Ok(entries) => entries,
        Err(fault) => {
            return Checked {
                entries: Vec::new(),
                fault: Some(fault),
                end: stated,
            };
        }
    };
    let (expected, start) = follow(end, breaks);
    let mut fault = None;
    if row.first_seq != expected {
        fault = Some(BlockFault::Gap {
            expected,
            found: row.first_seq,
        });
    }
    if fault.is_none() && kind.links(start, &entries) != row.chain {
        fault = Some(BlockFault::Chain);
    }
    // Last, because a wrong time in a broken chain is only a symptom.
    let mut at_ms = end.at_ms;
    for entry in &entries {
        if entry.at_ms < at_ms && fault.is_none() {
            fault = Some(BlockFault::Time { seq: entry.seq });
        }
        at_ms = entry.at_ms;
    }
    Checked {
        entries,
        fault,
        end: stated,
    }
}

/// The number and chain value with which the entry after `end` starts.
pub(super) fn follow(end: &End, breaks: &[Break]) -> (u64, ChainValue) {
    breaks
        .iter()
        .find(|broken| broken.after_seq == end.seq)
        .and_then(|broken| Some((broken.next_seq, broken.chain_value()?)))
        .unwrap_or((end.seq.saturating_add(1), end.chain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: u64, body: &str) -> Vec<Entry> {
        (1..=count)
            .map(|seq| Entry {
                seq,
                at_ms: i64::try_from(seq).unwrap() * 10,
                body: format!("{{\"n\":{seq},\"text\":\"{body}\"}}").into_bytes(),
            })
            .collect()
    }

    fn start() -> End {
        End {
            seq: 0,
            at_ms: 0,
            chain: [7; 32],
        }
    }

    #[test]
    fn a_block_comes_back_as_it_went_in_and_long_ones_shrink() {
        for kind in [HashKind::Sm3, HashKind::Sha256] {
            for (count, codec) in [(1, "none"), (200, "deflate")] {
                let entries = entries(count, "same text");
                let row = pack(&entries, &[7; 32], kind, EFFORT_LIVE).unwrap();
                assert_eq!(row.codec, codec);
                let checked = check(&row, &start(), &[], kind);
                assert_eq!((checked.fault, checked.entries), (None, entries));
            }
        }
    }

    #[test]
    fn an_empty_body_and_an_empty_group_are_no_trouble() {
        let one = [Entry {
            seq: 1,
            at_ms: 0,
            body: Vec::new(),
        }];
        let row = pack(&one, &[7; 32], HashKind::Sm3, EFFORT_LIVE).unwrap();
        assert_eq!(check(&row, &start(), &[], HashKind::Sm3).entries, one);
        assert_eq!(pack(&[], &[7; 32], HashKind::Sm3, EFFORT_LIVE), None);
    }

    /// Every byte of the data and every column in turn: never a panic, always a fault. Only
    /// the unused bits after the end of a DEFLATE stream may change without one: they carry
    /// nothing, the entries stay what they were.
    #[test]
    fn any_change_is_a_fault() {
        for count in [1, 40] {
            let whole = entries(count, "x");
            let good = pack(&whole, &[7; 32], HashKind::Sm3, 1).unwrap();
            let mut bad: Vec<BlockRow> = (0..good.data.len())
                .map(|at| {
                    let mut row = good.clone();
                    row.data[at] ^= 0x20;
                    row
                })
                .collect();
            if count > 1 {
                assert_eq!(good.codec, "deflate");
                let checked = check(&bad.pop().unwrap(), &start(), &[], HashKind::Sm3);
                assert!(checked.fault.is_some() || checked.entries == whole);
            }
            bad.push(BlockRow {
                data: [good.data.as_slice(), b"x"].concat(),
                ..good.clone()
            });
            bad.push(BlockRow {
                first_seq: 2,
                ..good.clone()
            });
            bad.push(BlockRow {
                last_seq: good.last_seq + 1,
                ..good.clone()
            });
            bad.push(BlockRow {
                first_at_ms: 11,
                ..good.clone()
            });
            bad.push(BlockRow {
                last_at_ms: good.last_at_ms + 1,
                ..good.clone()
            });
            bad.push(BlockRow {
                raw_len: good.raw_len + 1,
                ..good.clone()
            });
            bad.push(BlockRow {
                raw_len: u64::MAX,
                ..good.clone()
            });
            bad.push(BlockRow {
                codec: "zstd".into(),
                ..good.clone()
            });
            bad.push(BlockRow {
                chain: [0; 32],
                ..good.clone()
            });
            for row in bad {
                let checked = check(&row, &start(), &[], HashKind::Sm3);
                assert!(checked.fault.is_some(), "{row:?}");
            }
        }
    }

    #[test]
    fn an_entry_older_than_the_one_before_is_a_fault() {
        let mut turned = entries(2, "x");
        turned[0].at_ms = 30;
        let row = pack(&turned, &[7; 32], HashKind::Sm3, 1).unwrap();
        let checked = check(&row, &start(), &[], HashKind::Sm3);
        assert_eq!(checked.fault, Some(BlockFault::Time { seq: 2 }));
    }
}
