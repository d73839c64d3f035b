//! A message in words: subject, plain text, HTML for mail, Markdown for chat groups, and a text
//! short enough for a telephone.
//!
//! The words are made when it is sent, from the rows as they stand then, with the same texts that
//! the pages use: whoever comes from a mail to the page reads the same alarm there.

mod item;
mod layout;

use crate::format::Times;
use crate::text::{Lang, Words};
use crate::view::Eyes;
use crate::view::alarm::AlarmItem;
use cems_core::model::{
    About, AlarmRow, DutyRow, DutyRule, FallbackRow, MessageReason, MessageRow, Registry, Timestamp,
};
use item::Item;

/// Characters of a short text: what fits into one text message that is not all ASCII (3GPP TS
/// 23.038, UCS-2).
pub const SHORT_CHARS_MAX: usize = 70;
/// Things told in full in one message; of the others the title stands in a list.
pub const FULL_ITEMS_MAX: usize = 5;
/// Characters of a subject; mail programs show fewer.
const SUBJECT_CHARS_MAX: usize = 120;

/// Something a message is about, as it stands now.
#[derive(Debug, Clone)]
pub enum Thing {
    /// An alarm.
    Alarm(Box<AlarmRow>),
    /// A fallback.
    Fallback(Box<FallbackRow>),
    /// A duty, and the row of the table it comes from, while that is in force.
    Duty(Box<DutyRow>, Option<Box<DutyRule>>),
    /// What the books do not hold (any more), by its name.
    Other(About),
}

impl Thing {
    /// What it is.
    pub fn about(&self) -> About {
        match self {
            Self::Alarm(row) => About::Alarm(row.id),
            Self::Fallback(row) => About::Fallback(row.id),
            Self::Duty(row, _) => About::Duty(row.key.clone()),
            Self::Other(about) => about.clone(),
        }
    }
}

/// What is needed to put a message into words.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// What the engine decided.
    pub message: &'a MessageRow,
    /// What it is about, in its order.
    pub things: &'a [Thing],
    /// The registry in force.
    pub registry: &'a Registry,
    /// Now.
    pub now: Timestamp,
    /// Where people reach the console, without a slash at the end; `None`: no links.
    pub console: Option<&'a str>,
}

/// A message in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub lang: Lang,
    /// One line: what and where.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// A whole HTML page with its styles inline.
    pub html: String,
    /// Markdown as chat programs know it: headings, bold, lists, links.
    pub markdown: String,
    /// At most [`SHORT_CHARS_MAX`] characters.
    pub short: String,
}

/// What stands in a message, before it has a form.
struct Draft {
    words: Words,
    subject: String,
    /// Priority of a new alarm, else the reason: the first word on a telephone.
    label: String,
    /// Why the reader gets it.
    lead: String,
    items: Vec<Item>,
    /// Titles of what is not told in full.
    others: Vec<String>,
    /// "and 12 more".
    more: Option<String>,
    /// Where all of it can be seen.
    link: Option<(String, String)>,
    /// Who sends it.
    foot: String,
}

/// Puts a message into words.
pub fn write(letter: &Letter<'_>, lang: Lang) -> Written {
    let draft = draft(letter, lang);
    Written {
        lang,
        text: layout::text(&draft),
        html: layout::html(&draft),
        markdown: layout::markdown(&draft),
        short: short(&draft),
        subject: draft.subject,
    }
}

/// An alarm in one language, for lists of other programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Which language.
    pub lang: Lang,
    /// What and where.
    pub title: String,
    /// What happened, and what to do first.
    pub text: String,
}

/// Puts an alarm into words, cheaply enough to do it for thousands.
pub fn headline(row: &AlarmRow, registry: &Registry, now: Timestamp, lang: Lang) -> Headline {
    let words = Words(lang);
    let times = Times {
        offset: registry.offset,
        now,
        words,
    };
    let eyes = Eyes {
        words,
        times,
        registry,
    };
    let item = AlarmItem::new(&eyes, row);
    Headline {
        lang,
        title: format!("{} · {}", item.subject, item.title),
        text: format!(
            "{}\n{}",
            item.text,
            words.with("message-ask", &[("first", &item.first)])
        ),
    }
}

/// The link to one thing on the console.
pub fn link(console: Option<&str>, about: &About) -> Option<String> {
    let console = console?;
    Some(match about {
        About::Alarm(id) => format!("{console}/alarms/{id}"),
        About::Fallback(id) => format!("{console}/fallbacks/{id}"),
        About::Duty(key) => format!("{console}/duties/{}", crate::url::encode(key.as_str())),
    })
}

fn draft(letter: &Letter<'_>, lang: Lang) -> Draft {
    let words = Words(lang);
    let eyes = Eyes {
        words,
        times: Times {
            offset: letter.registry.offset,
            now: letter.now,
            words,
        },
        registry: letter.registry,
    };
    let message = letter.message;
    let items: Vec<Item> = letter
        .things
        .iter()
        .map(|thing| Item::new(&eyes, thing, message.reason, letter.console))
        .collect();
    let total = items.len() + usize::try_from(message.more).unwrap_or(usize::MAX);
    let others: Vec<String> = items
        .iter()
        .skip(FULL_ITEMS_MAX)
        .map(|item| format!("{}: {}", item.subject, item.title))
        .collect();
    let more = (message.more > 0).then(|| words.count("message-more", message.more));
    Draft {
        words,
        subject: cut(&subject(&eyes, letter, &items, total), SUBJECT_CHARS_MAX),
        label: match message.reason {
            MessageReason::AlarmRaised => words.code("priority", message.priority.as_str()),
            reason => words.code("message-reason", reason.as_str()),
        },
        lead: lead(&eyes, message),
        link: list_link(words, letter, total),
        foot: words.with("message-foot", &[("site", &letter.registry.site_name)]),
        items: items.into_iter().take(FULL_ITEMS_MAX).collect(),
        others,
        more,
    }
}

/// Priority, reason, and the one thing or how many.
fn subject(eyes: &Eyes<'_>, letter: &Letter<'_>, items: &[Item], total: usize) -> String {
    let words = eyes.words;
    let message = letter.message;
    let reason = words.code("message-reason", message.reason.as_str());
    if message.reason == MessageReason::Test {
        let site = &letter.registry.site_name;
        return words.with(
            "message-subject-test",
            &[("channel", message.channel.as_str()), ("site", site)],
        );
    }
    let what = match items {
        [only] if total == 1 => format!("{} · {}", only.subject, only.title),
        _ => {
            let count = words.count("message-things", total);
            match enterprise(eyes, message) {
                Some(name) => format!("{name} · {count}"),
                None => count,
            }
        }
    };
    let priority = words.code("priority", message.priority.as_str());
    words.with(
        "message-subject",
        &[
            ("priority", &priority),
            ("reason", &reason),
            ("what", &what),
        ],
    )
}

fn enterprise(eyes: &Eyes<'_>, message: &MessageRow) -> Option<String> {
    let id = message.enterprise.as_ref()?;
    let known = eyes.registry.enterprises.get(id);
    Some(known.map_or_else(
        || id.to_string(),
        |enterprise| eyes.enterprise_name(enterprise).to_owned(),
    ))
}

/// Why the reader gets it, in a sentence.
fn lead(eyes: &Eyes<'_>, message: &MessageRow) -> String {
    let at = eyes.times.full(message.at);
    let key = format!("message-lead-{}", message.reason.as_str());
    eyes.words
        .with(&key, &[("at", &at), ("channel", message.channel.as_str())])
}

/// Where to see all of it, when it is about several things.
fn list_link(words: Words, letter: &Letter<'_>, total: usize) -> Option<(String, String)> {
    let console = letter.console?;
    if total == 1 {
        return None;
    }
    let (path, key) = match letter.things.first() {
        Some(Thing::Fallback(_) | Thing::Other(About::Fallback(_))) => {
            ("fallbacks", "message-to-fallbacks")
        }
        Some(Thing::Duty(..) | Thing::Other(About::Duty(_))) => ("duties", "message-to-duties"),
        Some(_) => ("alarms", "message-to-alarms"),
        None => ("", "message-to-console"),
    };
    Some((format!("{console}/{path}"), words.t(key)))
}

/// What is wrong before where it is: a telephone shows the beginning. Figures follow as long as
/// they fit.
fn short(draft: &Draft) -> String {
    let words = draft.words;
    let [only] = draft.items.as_slice() else {
        return cut(&draft.subject, SHORT_CHARS_MAX);
    };
    if !draft.others.is_empty() || draft.more.is_some() {
        return cut(&draft.subject, SHORT_CHARS_MAX);
    }
    let args = [
        ("label", draft.label.as_str()),
        ("what", only.title.as_str()),
        ("where", only.subject.as_str()),
    ];
    let mut out = words.with("message-short", &args);
    for piece in &only.brief {
        let longer = format!("{out}{}{piece}", words.t("message-stop"));
        if longer.chars().count() > SHORT_CHARS_MAX {
            break;
        }
        out = longer;
    }
    cut(&out, SHORT_CHARS_MAX)
}

/// At most `max` characters, with an ellipsis where something is missing.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}
