//! The dashboards of `dashboards/grafana`: each is written once, in `source/*.toml`, in both
//! languages; this makes the JSON of Grafana of it, one file a language.

mod asked;
mod board;
mod layout;
mod source;

pub use asked::{Asked, asked, variables};
pub use board::board;
pub use layout::text;
pub use source::{Dashboard, Dictionary, Factor, Panel, Query, State, Step, Variable, Words};

use crate::place::root;
use serde_json::Value;
use std::path::PathBuf;

/// Languages of a person at a dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lang {
    /// 简体中文.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The directory of its files.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The end of its uids.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// A file as it should be.
#[derive(Debug)]
pub struct Made {
    /// Name of its source, without `.toml`.
    pub name: String,
    /// Its language.
    pub lang: Lang,
    /// Where it belongs.
    pub path: PathBuf,
    /// What it holds.
    pub json: Value,
}

/// Where all of it lies.
pub fn directory() -> PathBuf {
    root().join("dashboards/grafana")
}

/// The words that the numbers of flags are shown by, in English, by number.
///
/// # Panics
/// When the dictionary cannot be read.
pub fn flags() -> Vec<(i64, String)> {
    let words = source::dictionary();
    let flags = words.states["flags"].iter();
    flags
        .map(|state| (state.value, state.text.of(Lang::En).to_owned()))
        .collect()
}

/// Every dashboard in both languages, made of its source.
///
/// # Panics
/// When a source cannot be read; the message names the file and the place in it.
pub fn all() -> Vec<Made> {
    let words = source::dictionary();
    let mut made = Vec::new();
    for (name, dashboard) in source::dashboards() {
        for lang in Lang::ALL {
            let file = format!("{}/{name}.json", lang.directory());
            made.push(Made {
                name: name.clone(),
                lang,
                path: directory().join(file),
                json: board(&dashboard, &words, lang),
            });
        }
    }
    made
}
