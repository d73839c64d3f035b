//! Opening enciphered frames (2025) with the keys of their logger.

use super::Directory;
use crate::keys::{DatedKey, KeyOwner, KeyRing};
use cems_core::model::OutletId;
use cems_protocols::hj212::{
    self, CrcVerdict, FindingCode, Message, RawFrame, decipher, parse_with_key,
};

/// Version bits of the Flag that 2025 uses (second-hand).
pub(super) const VERSION_2025: u8 = 2;

/// A frame as it can be read now.
pub struct Opened {
    /// What it says.
    pub message: Message,
    /// The whole frame in clear text, when it was opened and is not about keys.
    pub clear: Option<Vec<u8>>,
    /// The key that opened it, and whose it is.
    pub with: Option<(OutletId, DatedKey)>,
}

/// Reads a frame, trying every key of its logger, the newest first, when it is cipher text or may
/// be: a short data area does not look like it. What no key opens stays as it was.
pub fn open(frame: &RawFrame, message: Message, directory: &Directory, keys: &KeyRing) -> Opened {
    let closed = |message| Opened {
        message,
        clear: None,
        with: None,
    };
    let maybe = matches!(message.crc, CrcVerdict::Encrypted)
        || (message.header.version_bits() == Some(VERSION_2025) && !message.crc.is_known());
    let outlet = message
        .header
        .mn
        .as_deref()
        .filter(|_| maybe)
        .and_then(|mn| directory.outlet_of(mn))
        .cloned();
    let Some(outlet) = outlet else {
        return closed(message);
    };
    let known = match keys.all(&KeyOwner::Outlet(outlet.clone())) {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(%error, %outlet, "the keys cannot be read");
            return closed(message);
        }
    };
    for dated in known {
        let key = dated.key.cipher();
        let opened = parse_with_key(frame, Some(&key));
        if opened.deciphered {
            let clear = decipher(frame, &key)
                .filter(|_| !is_about_keys(&opened))
                .map(|text| whole(&text.segment, frame));
            return Opened {
                message: opened,
                clear,
                with: Some((outlet, dated)),
            };
        }
    }
    closed(message)
}

/// How the cipher text of a frame was written: `raw`, `brace`, or `None` when it was clear.
pub(super) fn cipher_form(came: &RawFrame, opened: bool) -> Option<&'static str> {
    let message = hj212::parse(came);
    let printed = |f: &hj212::Finding| f.code == FindingCode::EncryptedPrinted;
    if message.findings.iter().any(printed) {
        Some("brace")
    } else {
        (opened || message.encrypted).then_some("raw")
    }
}

/// Key exchange: its clear text must not be kept.
fn is_about_keys(message: &Message) -> bool {
    message.cn() == "1014" || message.bare("NewSK").is_some()
}

/// The frame as it would have come clear.
fn whole(segment: &[u8], frame: &RawFrame) -> Vec<u8> {
    let mut bytes = format!("##{:04}", segment.len()).into_bytes();
    bytes.extend_from_slice(segment);
    bytes.extend_from_slice(frame.crc_text.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes
}
