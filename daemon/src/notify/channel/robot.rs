//! What robots of chat groups have in common: Markdown of limited length, and an answer of 200
//! with a code of its own.

use super::super::parcel::Parcel;
use super::http::Answer;
use super::{Delivered, SendError};
use crate::delivery::redacted;
use serde_json::Value;

/// Texts of all languages, one below the other, at most `bytes_max` bytes, cut between lines.
pub(super) fn markdown(parcel: &Parcel, bytes_max: usize) -> String {
    let texts: Vec<&str> = parcel.written.iter().map(|w| w.markdown.as_str()).collect();
    cut(&texts.join("\n\n---\n\n"), bytes_max)
}

/// The subject in the first language.
pub(super) fn title(parcel: &Parcel) -> &str {
    parcel.written.first().map_or("cemsd", |w| &w.subject)
}

/// Whole lines as long as they fit, with an ellipsis where some are missing.
fn cut(text: &str, bytes_max: usize) -> String {
    const MORE: &str = "\n…";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.split('\n') {
        if out.len() + line.len() + 1 + MORE.len() > bytes_max {
            break;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
    }
    out.push_str(MORE);
    out
}

/// How a robot says what became of a message.
pub(super) struct Codes {
    /// Names under which the code stands; the first that is there counts.
    pub(super) names: &'static [&'static str],
    /// Name under which the words stand.
    pub(super) words: &'static str,
    /// Codes that mean: later.
    pub(super) later: &'static [i64],
}

impl Codes {
    /// Reads an answer: code 0 is taken. Codes for "too fast" and "busy" are worth trying again;
    /// all others are a wrong token, signature or form, which trying again does not cure.
    pub(super) fn read(&self, answer: &Answer) -> Result<Delivered, SendError> {
        let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
            let said = answer.said();
            return Err(SendError::trouble(format!(
                "not the answer of a robot: {said}"
            )));
        };
        let code = self.names.iter().find_map(|name| body[*name].as_i64());
        let words = redacted(body[self.words].as_str().unwrap_or_default());
        match code {
            Some(0) => Ok(Delivered { said: "0".into() }),
            Some(code) if self.later.contains(&code) => {
                Err(SendError::trouble(format!("{code} {words}")))
            }
            Some(code) => Err(SendError::refused(format!("{code} {words}"))),
            None => {
                let said = answer.said();
                Err(SendError::trouble(format!(
                    "an answer without a code: {said}"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_between_lines() {
        assert_eq!(cut("one\ntwo", 7), "one\ntwo");
        assert_eq!(cut("one\ntwo\nthree", 12), "one\ntwo\n…");
        let long = "限值\n".repeat(2_000);
        let short = cut(&long, 4_096);
        assert!(short.len() <= 4_096 && short.ends_with("限值\n…"));
        assert_eq!(cut(&"x".repeat(50), 20), "\n…");
    }
}
