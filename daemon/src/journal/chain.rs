//! The hash chain over entries.
//!
//! `h_n = H(h_(n-1) || seq || at_ms || body)` with big-endian integers, so that the chain is
//! a property of the entries and not of how they are grouped into blocks or files.

use serde::{Deserialize, Serialize};
use sm3::Digest as _;

use super::Entry;

/// One link of the chain. SM3 and SHA-256 both give 32 bytes.
pub type ChainValue = [u8; 32];

/// Opens the text that is hashed into `h_0`.
const GENESIS_TEXT: &[u8] = b"cemsd journal v1";

/// The hash of the chain; fixed when a journal is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// SM3, GM/T 0004-2012 (the default: required where Chinese commercial cryptography is).
    #[default]
    Sm3,
    /// SHA-256, FIPS 180-4.
    Sha256,
}

impl HashKind {
    /// The name kept in every file's `meta` and hashed into `h_0`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sm3 => "sm3",
            Self::Sha256 => "sha256",
        }
    }

    /// The reverse of [`HashKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sm3" => Some(Self::Sm3),
            "sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn digest(self, parts: &[&[u8]]) -> ChainValue {
        match self {
            Self::Sm3 => {
                let mut hash = sm3::Sm3::new();
                parts.iter().for_each(|part| hash.update(part));
                hash.finalize().into()
            }
            Self::Sha256 => {
                let mut hash = sha2::Sha256::new();
                parts.iter().for_each(|part| hash.update(part));
                hash.finalize().into()
            }
        }
    }

    /// `h_0` of the journal with this genesis id.
    pub(super) fn genesis(self, id: &[u8; 16]) -> ChainValue {
        self.digest(&[GENESIS_TEXT, self.name().as_bytes(), id])
    }

    /// The value after one more entry.
    pub(super) fn link(self, previous: &ChainValue, entry: &Entry) -> ChainValue {
        self.digest(&[
            previous,
            &entry.seq.to_be_bytes(),
            &entry.at_ms.to_be_bytes(),
            &entry.body,
        ])
    }

    /// The value after all of `entries`.
    pub(super) fn links(self, previous: ChainValue, entries: &[Entry]) -> ChainValue {
        entries
            .iter()
            .fold(previous, |value, entry| self.link(&value, entry))
    }
}

/// The end of the journal at some moment: publish it (print it in a report, send it to
/// another party) and a later [`super::verify()`] proves that nothing up to it was changed
/// or cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the newest entry; 0 when there is none.
    pub seq: u64,
    /// Chain value after that entry, lower-case hexadecimal.
    pub chain: String,
    /// The hash of the chain.
    pub hash: HashKind,
}

pub(super) use crate::text::hex as to_hex;

/// The reverse of [`to_hex`] for exactly `N` bytes.
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    crate::text::unhex(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GM/T 0004-2012 annex A.1 and FIPS 180-4: the digest of "abc".
    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(
            to_hex(&HashKind::Sm3.digest(&[b"a", b"bc"])),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            to_hex(&HashKind::Sha256.digest(&[b"ab", b"c"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hexadecimal_goes_both_ways_and_refuses_the_rest() {
        assert_eq!(
            from_hex::<3>(&to_hex(&[0, 0x9a, 0xff])),
            Some([0, 0x9a, 0xff])
        );
        for wrong in ["", "00", "0000zz", "00000000", "汉字"] {
            assert_eq!(from_hex::<3>(wrong), None, "{wrong}");
        }
    }
}
