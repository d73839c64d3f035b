//! A figure that shows where it came from when it is opened.

use askama::Template;
use cems_core::model::Seq;

/// A figure with its origin.
#[derive(Template)]
#[template(path = "part/sourced.html")]
pub(crate) struct Sourced {
    /// Names the figure on its page, so that it stays open when the page refreshes.
    pub(crate) key: String,
    /// The figure as shown.
    pub(crate) text: String,
    /// Its unit, possibly empty.
    pub(crate) unit: String,
    /// Label and value, most telling first.
    pub(crate) facts: Vec<(String, String)>,
    /// Where the exact rows and the derivation are, with the words of the links.
    pub(crate) links: Vec<(String, String)>,
}

/// A journal position as people write it.
pub(crate) fn journal(seq: Seq) -> String {
    format!("#{seq}")
}
