//! What a logger has to say at one moment: one frame, or the packets of a split one, with what is
//! needed to say it again.

use super::noise::below;
use cems_core::model::Timestamp;
use cems_protocols::hj212::{BuildError, BuildOptions, FrameBuilder};
use smol_str::SmolStr;

/// One frame on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its request number, by which an answer names it; 2005 uploads have none.
    pub qn: Option<SmolStr>,
    /// From `##` to the line end.
    pub bytes: Vec<u8>,
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// When it was due.
    pub due: Timestamp,
    /// Command code.
    pub cn: &'static str,
    /// The logger waits for an answer to each packet.
    pub answer: bool,
    packets: Vec<Packet>,
    /// The same with RF=1, where the edition has it.
    resent: Option<Vec<Packet>>,
}

impl Parcel {
    /// Builds the packets. `marks_resent`: the edition marks what is sent again (RF, 2025).
    ///
    /// # Errors
    /// When MN or password hold characters that no frame can carry.
    pub(super) fn new(
        due: Timestamp,
        cn: &'static str,
        (builder, options): (&FrameBuilder, &BuildOptions),
        answer: bool,
        marks_resent: bool,
    ) -> Result<Self, BuildError> {
        let packets = render(builder, options)?;
        let resent = if marks_resent {
            Some(render(&builder.clone().rf(true), options)?)
        } else {
            None
        };
        Ok(Self {
            due,
            cn,
            answer,
            packets,
            resent,
        })
    }

    /// The packets for the first time of sending.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// The packets for when it was late.
    pub fn packets_resent(&self) -> &[Packet] {
        self.resent.as_deref().unwrap_or(&self.packets)
    }
}

fn render(builder: &FrameBuilder, options: &BuildOptions) -> Result<Vec<Packet>, BuildError> {
    let frames = builder.build_split(options)?;
    Ok(frames
        .into_iter()
        .map(|bytes| Packet {
            qn: qn_of(&bytes),
            bytes,
        })
        .collect())
}

/// The QN of a frame of ours: it stands first in the segment.
fn qn_of(frame: &[u8]) -> Option<SmolStr> {
    let segment = frame.get(6..)?;
    let digits = segment.strip_prefix(b"QN=")?;
    let end = digits.iter().position(|byte| *byte == b';')?;
    std::str::from_utf8(&digits[..end]).ok().map(SmolStr::new)
}

/// The bytes with one bit turned over behind the length field, as interference does it.
pub fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    /// `##` and the length, which framing needs: damage there is another story.
    const HEAD: usize = 6;
    let mut bytes = bytes.to_vec();
    let room = u64::try_from(bytes.len().saturating_sub(HEAD)).unwrap_or(0);
    if room > 0 {
        let at = HEAD + usize::try_from(below(seed, 0xDA3A, room)).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << below(seed, 0xB17, 7);
        }
    }
    bytes
}

/// Cuts bytes into pieces of 1 to `bytes_max`, as a slow modem delivers them.
pub fn pieces(bytes: &[u8], seed: u64, bytes_max: usize) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let bound = u64::try_from(bytes_max.max(1)).unwrap_or(1);
        let place = u64::try_from(rest.len()).unwrap_or(0);
        let length = usize::try_from(below(seed, place, bound)).unwrap_or(0) + 1;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        out.push(piece);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        for seed in 0..20 {
            let cut = pieces(&bytes, seed, 7);
            assert!(cut.iter().all(|piece| (1..=7).contains(&piece.len())));
            assert_eq!(cut.concat(), bytes);
        }
        assert!(pieces(&[], 1, 7).is_empty());
    }

    #[test]
    fn damage_is_one_bit_behind_the_length() {
        let bytes = b"##0008CP=&&&&1234\r\n";
        for seed in 0..50 {
            let other = damaged(bytes, seed);
            let bits: u32 = bytes
                .iter()
                .zip(&other)
                .map(|(a, b)| (a ^ b).count_ones())
                .sum();
            assert_eq!((bits, &other[..6]), (1, &bytes[..6]));
        }
        assert!(damaged(b"##0", 1) == b"##0");
    }

    #[test]
    fn the_request_number_stands_first() {
        assert_eq!(
            qn_of(b"##0101QN=20260101000000001;ST=32;").as_deref(),
            Some("20260101000000001")
        );
        assert_eq!(qn_of(b"##0101ST=32;CN=2011;"), None);
        assert_eq!(qn_of(b"##"), None);
    }
}
