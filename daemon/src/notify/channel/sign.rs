//! Signatures of webhooks and robots.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// HMAC-SHA256.
pub(super) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text).as_ref().to_vec()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Everything but unreserved characters percent-encoded, for a query or a form.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&crate::text::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
