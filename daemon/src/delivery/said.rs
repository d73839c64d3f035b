//! What other programs say, fit for people and books.

/// Characters kept of what the other side said.
const SAID_CHARS_MAX: usize = 200;

/// What another program said, fit for logs, pages and the journal: one line, not long, and without
/// what looks like an address or the query of one.
pub fn redacted(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        if word.contains('@') || word.contains("://") || word.contains("token=") {
            out.push('*');
        } else {
            out.push_str(word);
        }
    }
    if out.chars().count() > SAID_CHARS_MAX {
        out = out.chars().take(SAID_CHARS_MAX - 1).collect();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_made_fit_for_logs() {
        assert_eq!(
            redacted("550 5.1.1 <zhang@centre.example>: unknown\r\n user"),
            "550 5.1.1 * unknown user"
        );
        assert_eq!(
            redacted("error for url (https://oapi.example/robot?access_token=abc)"),
            "error for url *"
        );
        assert_eq!(redacted(""), "");
        let long = redacted(&"长 ".repeat(500));
        assert_eq!(long.chars().count(), SAID_CHARS_MAX);
    }
}
