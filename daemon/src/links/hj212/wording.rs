//! Small readings of frames that the dialogue needs.

use cems_protocols::hj212::Message;
use memchr::memmem;
use smol_str::SmolStr;

/// The system code of the source a message is about; `None` for answers.
pub(super) fn st_of(message: &Message) -> Option<SmolStr> {
    let st = message.header.st.clone()?;
    (st != "91").then_some(st)
}

/// A request as the journal keeps it: a new password or key (1072, 1014) is starred out.
pub(super) fn masked(cn: &str, frame: &[u8]) -> Vec<u8> {
    let mut kept = frame.to_vec();
    if !matches!(cn, "1072" | "1014") {
        return kept;
    }
    let Some(area) = memmem::find(frame, b"CP=&&").map(|at| at + 5) else {
        return kept;
    };
    for name in [&b"NewPW="[..], b"NewSK=", b"PW="] {
        if let Some(at) = memmem::find(&frame[area..], name) {
            let secret = kept[area + at + name.len()..].iter_mut();
            for byte in secret.take_while(|byte| !b";,&".contains(byte)) {
                *byte = b'*';
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_passwords_and_keys_are_starred_out() {
        for (cn, frame, kept) in [
            (
                "1072",
                "PW=123456;CP=&&NewPW=654321&&AB12",
                "PW=123456;CP=&&NewPW=******&&AB12",
            ),
            (
                "1072",
                "PW=123456;CP=&&PW=654321&&AB12",
                "PW=123456;CP=&&PW=******&&AB12",
            ),
            (
                "1014",
                "CP=&&SKCreateTime=2;NewSK=abcd&&00",
                "CP=&&SKCreateTime=2;NewSK=****&&00",
            ),
            (
                "1062",
                "CP=&&RtdInterval=30&&1C80",
                "CP=&&RtdInterval=30&&1C80",
            ),
        ] {
            assert_eq!(masked(cn, frame.as_bytes()), kept.as_bytes(), "{cn}");
        }
    }
}
