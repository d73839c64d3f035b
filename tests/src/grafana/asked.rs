//! What a dashboard asks the database.

use serde_json::Value;

/// A question of a panel.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Title of the panel.
    pub panel: String,
    /// The question with its variables.
    pub expr: String,
    /// Shortest distance of two points, where the panel says one.
    pub every: Option<String>,
    /// Only for the present.
    pub now: bool,
}

/// All of them, in the order of the panels.
pub fn asked(board: &Value) -> Vec<Asked> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for panel in board["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            all.push(Asked {
                panel: text(&panel["title"]),
                expr: text(&target["expr"]),
                every: target["interval"].as_str().map(str::to_owned),
                now: target["instant"] == true,
            });
        }
    }
    all
}

/// Names behind `$`.
pub fn variables(text: &str) -> Vec<&str> {
    let behind = text.split('$').skip(1);
    behind
        .map(|rest| {
            let rest = rest.trim_start_matches('{');
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn variables_end_where_their_names_end() {
        let text = r#"rate(x{a=~"$outlets"}[$__interval]) $end"#;
        assert_eq!(variables(text), ["outlets", "__interval", "end"]);
    }
}
