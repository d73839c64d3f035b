//! The forms of a message: plain text, HTML, Markdown.

use super::Draft;
use super::item::Item;
use askama::Template;

/// Plain text with blank lines between things.
pub(super) fn text(draft: &Draft) -> String {
    let words = draft.words;
    let mut blocks = vec![draft.lead.clone()];
    for item in &draft.items {
        let mut lines = vec![format!("{} — {}", item.subject, item.title)];
        lines.extend(Some(item.text.clone()).filter(|text| !text.is_empty()));
        lines.extend(facts(item));
        if !item.first.is_empty() {
            lines.push(words.with("message-ask", &[("first", &item.first)]));
        }
        lines.extend(item.link.clone());
        blocks.push(lines.join("\n"));
    }
    let mut rest: Vec<String> = draft
        .others
        .iter()
        .map(|line| format!("- {line}"))
        .collect();
    rest.extend(draft.more.clone());
    if !rest.is_empty() {
        blocks.push(rest.join("\n"));
    }
    if let Some((href, label)) = &draft.link {
        blocks.push(format!("{label}: {href}"));
    }
    blocks.push(format!("-- \n{}", draft.foot));
    let mut out = blocks.join("\n\n");
    out.push('\n');
    out
}

fn facts(item: &Item) -> impl Iterator<Item = String> {
    item.facts
        .iter()
        .map(|(label, value)| format!("{label}: {value}"))
}

/// Markdown; what data carry is escaped, so that a name cannot make a link.
pub(super) fn markdown(draft: &Draft) -> String {
    let words = draft.words;
    let mut blocks = vec![
        format!("### {}", escaped(&draft.subject)),
        escaped(&draft.lead),
    ];
    for item in &draft.items {
        blocks.push(format!(
            "**{} — {}**",
            escaped(&item.subject),
            escaped(&item.title)
        ));
        if !item.text.is_empty() {
            blocks.push(escaped(&item.text));
        }
        let facts: Vec<String> = item
            .facts
            .iter()
            .map(|(label, value)| format!("- {}: **{}**", escaped(label), escaped(value)))
            .collect();
        if !facts.is_empty() {
            blocks.push(facts.join("\n"));
        }
        if !item.first.is_empty() {
            let ask = words.with("message-ask", &[("first", &item.first)]);
            blocks.push(format!("> {}", escaped(&ask)));
        }
        if let Some(href) = &item.link {
            blocks.push(format!("[{}]({href})", words.t("message-open")));
        }
    }
    let mut rest: Vec<String> = draft
        .others
        .iter()
        .map(|line| format!("- {}", escaped(line)))
        .collect();
    rest.extend(draft.more.as_deref().map(|more| format!("- {more}")));
    if !rest.is_empty() {
        blocks.push(rest.join("\n"));
    }
    if let Some((href, label)) = &draft.link {
        blocks.push(format!("[{label}]({href})"));
    }
    blocks.join("\n\n")
}

/// Characters that Markdown would read as its own; full-width ones look the same to a reader where
/// a chat program does not know escapes.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '*' => '＊',
            '[' => '［',
            ']' => '］',
            '<' => '＜',
            '>' => '＞',
            '`' => '｀',
            '\n' | '\r' => ' ',
            other => other,
        })
        .collect()
}

#[derive(Template)]
#[template(path = "message.html")]
struct Mail<'a> {
    draft: &'a Draft,
    lang: &'static str,
    first: String,
    open: String,
}

/// A whole page with inline styles, as mail programs want it.
pub(super) fn html(draft: &Draft) -> String {
    let mail = Mail {
        draft,
        lang: draft.words.0.code(),
        first: draft.words.t("do-first"),
        open: draft.words.t("message-open"),
    };
    mail.render().unwrap_or_else(|error| {
        // The template writes into a String; were it ever to fail, the plain text is there.
        tracing::error!(%error, "a mail could not be rendered");
        String::new()
    })
}
