//! Sources of dashboards as they are written.

use super::{Lang, directory};
use crate::place::root;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

/// A text: one for both languages, or one each.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// Names and patterns.
    Same(String),
    /// Prose.
    Both {
        /// 简体中文.
        zh: String,
        /// English.
        en: String,
    },
}

impl Words {
    /// In a language.
    pub fn of(&self, lang: Lang) -> &str {
        match (self, lang) {
            (Self::Same(text), _) => text,
            (Self::Both { zh, .. }, Lang::Zh) => zh,
            (Self::Both { en, .. }, Lang::En) => en,
        }
    }
}

/// A dashboard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its uid without the language.
    pub uid: String,
    /// Its title.
    pub title: Words,
    /// What it is for.
    pub about: Words,
    /// Start of the time range.
    pub from: String,
    /// How often it is asked again.
    pub refresh: String,
    /// Names of variables in the dictionary, in the order shown.
    pub variables: Vec<String>,
    /// Panels in reading order; their places follow from their sizes.
    pub panel: Vec<Panel>,
}

/// A panel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Type of Grafana's panel, or `row`.
    pub kind: String,
    /// Its title.
    pub title: Words,
    /// What it shows and where that comes from.
    pub about: Option<Words>,
    /// Columns of 24, and height.
    #[serde(default)]
    pub size: [u32; 2],
    /// Unit as Grafana calls it.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: Option<u32>,
    /// Lowest value of the axis.
    pub min: Option<f64>,
    /// Highest value of the axis.
    pub max: Option<f64>,
    /// Shortest distance of two points, such as `1h`.
    pub every: Option<String>,
    /// Points further apart are not connected, such as `900000` ms; none are where it is absent.
    pub connect_ms: Option<u64>,
    /// Colours by value.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Bars instead of lines.
    #[serde(default)]
    pub bars: bool,
    /// One on top of the other.
    #[serde(default)]
    pub stack: bool,
    /// Series are called like factors: `names` shows the words for the code, `units` also gives
    /// each its unit.
    pub factors: Option<String>,
    /// Words in place of numbers: the name of a list of the dictionary.
    pub states: Option<String>,
    /// The column of a table that it is sorted by, from the greatest down.
    pub sort: Option<usize>,
    /// Its questions.
    #[serde(default)]
    pub query: Vec<Query>,
}

/// A colour from a value on; without one, from below.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Grafana's name of it.
    pub color: String,
    /// From here on.
    pub from: Option<f64>,
}

/// A question to the database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// In MetricsQL.
    pub expr: String,
    /// What its series are called, or its column of a table.
    pub legend: Option<Words>,
    /// Unit of its column.
    pub unit: Option<String>,
    /// Digits after the point in its column.
    pub decimals: Option<u32>,
    /// Colours of its column.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// What all dashboards share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dictionary {
    /// What the choice of the database is called.
    pub datasource: Words,
    /// Variables by name.
    pub variable: BTreeMap<String, Variable>,
    /// Labels as columns of tables.
    pub label: BTreeMap<String, Words>,
    /// Lists of words for numbers.
    pub states: BTreeMap<String, Vec<State>>,
    /// Codes of the factors that have words.
    pub factors: Vec<String>,
    /// Their rows of the table of factors.
    #[serde(skip)]
    pub factor: Vec<Factor>,
}

/// A choice at the top of a dashboard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is called.
    pub label: Words,
    /// Where its values come from.
    pub query: String,
    /// Several at once, and all.
    #[serde(default)]
    pub multi: bool,
}

/// A number with its word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The number.
    pub value: i64,
    /// The word.
    pub text: Words,
    /// Its colour.
    pub color: String,
}

/// A row of `config/tables/factors.toml`; what is not needed here is passed over.
#[derive(Debug, Clone, Deserialize)]
pub struct Factor {
    /// Code.
    pub code: String,
    /// Name.
    pub zh: String,
    /// Name.
    pub en: String,
    /// Unit.
    pub unit: String,
}

#[derive(Deserialize)]
struct Factors {
    factor: Vec<Factor>,
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words with the factors that they name.
pub(super) fn dictionary() -> Dictionary {
    let mut words: Dictionary = read(&directory().join("source/words.toml"));
    let table: Factors = read(&root().join("config/tables/factors.toml"));
    let row = |code: &String| {
        let found = table.factor.iter().find(|factor| factor.code == *code);
        found
            .unwrap_or_else(|| panic!("words.toml: no factor {code}"))
            .clone()
    };
    words.factor = words.factors.iter().map(row).collect();
    words
}

/// Every dashboard with the name of its file, in the order of names.
pub(super) fn dashboards() -> Vec<(String, Dashboard)> {
    let directory = directory().join("source/dashboards");
    let entries = std::fs::read_dir(&directory).expect("the sources of the dashboards");
    let mut all: Vec<(String, Dashboard)> = entries
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), read(&path))
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}
