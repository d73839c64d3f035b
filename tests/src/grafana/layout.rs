//! JSON that a person can read and compare: what fits on a line stands on one.

use serde_json::Value;
use std::fmt::Write;

/// Longest line that is not broken.
const COLUMNS_MAX: usize = 100;

/// A value as text, with a line feed at the end. Keys are in alphabetical order.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, 0);
    out.push('\n');
    out
}

/// `used`: columns of the line in front of the value.
fn write(out: &mut String, value: &Value, depth: usize, used: usize) {
    let flat = flat(value);
    if used + flat.chars().count() < COLUMNS_MAX {
        out.push_str(&flat);
        return;
    }
    let pad = "  ".repeat(depth + 1);
    match value {
        Value::Object(_) => {
            out.push('{');
            for (n, (key, value)) in sorted(value).into_iter().enumerate() {
                let key = Value::from(key).to_string();
                let _ = write!(out, "{}\n{pad}{key}: ", if n == 0 { "" } else { "," });
                write(out, value, depth + 1, pad.len() + key.len() + 3);
            }
            let _ = write!(out, "\n{}}}", "  ".repeat(depth));
        }
        Value::Array(list) => {
            out.push('[');
            for (n, value) in list.iter().enumerate() {
                let _ = write!(out, "{}\n{pad}", if n == 0 { "" } else { "," });
                write(out, value, depth + 1, pad.len() + 1);
            }
            let _ = write!(out, "\n{}]", "  ".repeat(depth));
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn sorted(value: &Value) -> Vec<(&str, &Value)> {
    let fields = value.as_object().into_iter().flatten();
    let mut fields: Vec<_> = fields.map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_by_key(|(key, _)| *key);
    fields
}

fn flat(value: &Value) -> String {
    match value {
        Value::Object(_) => {
            let each = sorted(value).into_iter();
            let fields: Vec<String> = each
                .map(|(key, value)| format!("{}: {}", Value::from(key), flat(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(list) => {
            let each: Vec<String> = list.iter().map(flat).collect();
            format!("[{}]", each.join(", "))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn what_fits_stands_on_one_line() {
        let short = json!({"b": [1, 2], "a": null});
        assert_eq!(text(&short), "{\"a\": null, \"b\": [1, 2]}\n");
        let long = json!({"list": ["x".repeat(60), "y".repeat(60)], "n": 1});
        let text = text(&long);
        assert_eq!(text.lines().count(), 7, "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).ok(),
            Some(long)
        );
    }
}
