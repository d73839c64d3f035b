//! Texts of the console, in Chinese (default) and English, kept as Fluent files under `text/`.
//!
//! A key that is missing shows itself in brackets, so that a page never fails for want of a word;
//! tests find such keys before a person does.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::OnceLock;
use unic_langid::LanguageIdentifier;

/// The argument name that Fluent sees as a number (for plurals); all others are plain text, so
/// that `007` or a long MN is never reformatted.
const COUNT_ARG: &str = "count";

/// Language of a page or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Lang {
    /// Simplified Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl From<cems_core::lang::Lang> for Lang {
    fn from(lang: cems_core::lang::Lang) -> Self {
        match lang {
            cems_core::lang::Lang::Zh => Self::Zh,
            cems_core::lang::Lang::En => Self::En,
        }
    }
}

impl Lang {
    /// Both languages.
    pub const ALL: [Lang; 2] = [Lang::Zh, Lang::En];

    /// The code in the `lang` attribute, the cookie and the URL that switches.
    pub fn code(self) -> &'static str {
        match self {
            Lang::Zh => "zh-CN",
            Lang::En => "en",
        }
    }

    /// The language with that code.
    pub fn from_code(code: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// The first known language of an `Accept-Language` header, in the order written (weights are
    /// written in falling order by every client we know); Chinese when there is none.
    pub fn from_accept_language(header: &str) -> Lang {
        for item in header.split(',') {
            let tag = item.split(';').next().unwrap_or("").trim();
            let tag = tag.to_ascii_lowercase();
            if tag == "zh" || tag.starts_with("zh-") {
                return Lang::Zh;
            }
            if tag == "en" || tag.starts_with("en-") {
                return Lang::En;
            }
        }
        Lang::Zh
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Lang {
        match self {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }
}

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        /// The text files of one language, in the order loaded.
        pub(crate) fn sources(lang: Lang) -> &'static [(&'static str, &'static str)] {
            match lang {
                Lang::Zh => &[$(($name, include_str!(
                    concat!("../text/zh-CN/", $name, ".ftl")))),*],
                Lang::En => &[$(($name, include_str!(
                    concat!("../text/en/", $name, ".ftl")))),*],
            }
        }
    };
}

sources!(
    "shell",
    "overview",
    "outlet",
    "alarms",
    "desk",
    "fallbacks",
    "duties",
    "messages",
    "destinations",
    "receipts",
    "commands",
    "station",
    "entries",
    "results",
    "explain",
    "admin",
    "codes",
    "errors"
);

type Bundle = FluentBundle<FluentResource>;

fn build(lang: Lang) -> Bundle {
    let id: LanguageIdentifier = lang.code().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // Isolation marks would show as boxes in tooltips and in copied text.
    bundle.set_use_isolating(false);
    for (name, source) in sources(lang) {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(r, e)| {
            tracing::error!(file = name, errors = ?e, "text file has errors");
            r
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(file = name, ?errors, "text key given twice");
        }
    }
    bundle
}

fn bundle(lang: Lang) -> &'static Bundle {
    static ZH: OnceLock<Bundle> = OnceLock::new();
    static EN: OnceLock<Bundle> = OnceLock::new();
    match lang {
        Lang::Zh => ZH.get_or_init(|| build(Lang::Zh)),
        Lang::En => EN.get_or_init(|| build(Lang::En)),
    }
}

/// The words of one language. Cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(
    /// Which language.
    pub Lang,
);

impl Words {
    /// The text of `key`; the key in brackets when there is none.
    pub fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// The text of `key` with arguments.
    pub fn with(&self, key: &str, args: &[(&str, &str)]) -> String {
        let bundle = bundle(self.0);
        let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) else {
            tracing::warn!(key, "text is missing");
            return format!("\u{27e6}{key}\u{27e7}");
        };
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            let value = if *name == COUNT_ARG {
                FluentValue::try_number(value)
            } else {
                FluentValue::from((*value).to_owned())
            };
            fluent.set((*name).to_owned(), value);
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&fluent), &mut errors);
        text.into_owned()
    }

    /// The text of `key` with a count, for plurals.
    pub fn count(&self, key: &str, count: impl std::fmt::Display) -> String {
        self.with(key, &[(COUNT_ARG, &count.to_string())])
    }

    /// The text of `key` if there is one.
    pub fn find(&self, key: &str) -> Option<String> {
        let known = bundle(self.0).get_message(key).and_then(|m| m.value());
        known.map(|_| self.t(key))
    }

    /// The text of `<prefix>-<code>` for a code from data; the code itself when nobody has written
    /// a text for it yet. Dots become hyphens and what no Fluent key
    /// may hold falls away.
    pub fn code(&self, prefix: &str, code: &str) -> String {
        let key: String = code
            .chars()
            .map(|c| if c == '.' { '-' } else { c })
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        self.find(&format!("{prefix}-{}", key.trim_end_matches('-')))
            .unwrap_or_else(|| code.to_owned())
    }

    /// `zh` or `en`, whichever is the page's; Chinese stands in for a missing English name.
    pub fn pick<'a>(&self, zh: &'a str, en: Option<&'a str>) -> &'a str {
        match self.0 {
            Lang::Zh => zh,
            Lang::En => en.filter(|text| !text.is_empty()).unwrap_or(zh),
        }
    }
}

#[cfg(test)]
mod tests;
