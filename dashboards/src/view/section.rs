//! What pages about one outlet, and pages about the judgement of all data, have in common: the
//! heading and the row of links between them.

use super::Eyes;
use super::outlet::outlet_link;
use crate::text::Words;
use cems_core::model::{FactorCode, Outlet};

/// A link of a row; the one of the current page is marked.
pub(crate) struct Tab {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// Heading of a page about one outlet.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) enterprise: String,
    pub(crate) link: String,
}

impl Section {
    pub(crate) fn new(eyes: &Eyes<'_>, outlet: &Outlet) -> Self {
        Self {
            name: eyes.outlet_name(outlet).to_owned(),
            enterprise: eyes.enterprise_of(outlet).to_owned(),
            link: outlet_link(outlet.id.as_str()),
        }
    }
}

/// Links between the pages of one outlet.
pub(crate) fn outlet_tabs(words: Words, outlet: &Outlet, current: &str) -> Vec<Tab> {
    let link = outlet_link(outlet.id.as_str());
    let id = crate::url::encode(outlet.id.as_str());
    let pages = [
        ("outlet", link.clone()),
        ("marks", format!("{link}/marks")),
        ("tests", format!("{link}/tests")),
        ("reviews", format!("{link}/reviews")),
        ("quarters", format!("{link}/quarters")),
        ("clues", format!("{link}/clues")),
        ("rates", format!("/rates?of=outlet:{id}")),
        ("projections", format!("/projections?outlet={id}")),
        ("tax", format!("{link}/tax")),
        ("explain", format!("{link}/explain")),
    ];
    tabs(words, pages, current)
}

/// Links between the pages about the judgement of all data.
pub(crate) fn data_tabs(words: Words, current: &str) -> Vec<Tab> {
    let pages = [
        "rates",
        "clues",
        "marks",
        "projections",
        "checks",
        "formulas",
    ];
    tabs(words, pages.map(|page| (page, format!("/{page}"))), current)
}

/// Links between the pages of the duty desk; those of the centre alone have more than one.
pub(crate) fn desk_tabs(words: Words, centre: bool, current: &str) -> Vec<Tab> {
    if !centre {
        return Vec::new();
    }
    let pages = [
        ("desk", "/desk"),
        ("alarms", "/alarms"),
        ("roster", "/roster"),
        ("figures", "/alarms/figures"),
    ];
    tabs(
        words,
        pages.map(|(page, href)| (page, href.to_owned())),
        current,
    )
}

/// Links between the pages about duties.
pub(crate) fn duty_tabs(words: Words, current: &str) -> Vec<Tab> {
    let pages = [
        ("duties", "/duties"),
        ("duties-open", "/duties?all=1"),
        ("duties-ended", "/duties?ended=1"),
        ("calendar", "/calendar"),
        ("duties-rules", "/duties/rules"),
    ];
    tabs(
        words,
        pages.map(|(page, href)| (page, href.to_owned())),
        current,
    )
}

fn tabs<const N: usize>(words: Words, pages: [(&str, String); N], current: &str) -> Vec<Tab> {
    pages
        .into_iter()
        .map(|(page, href)| Tab {
            label: words.code("tab", page),
            href,
            current: page == current,
        })
        .collect()
}

/// An entry of a selection or a checkbox.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// Factors of an outlet, pollutants first.
pub(crate) fn factor_choices(
    eyes: &Eyes<'_>,
    outlet: &Outlet,
    chosen: impl Fn(&FactorCode) -> bool,
) -> Vec<Choice> {
    let mut factors: Vec<_> = outlet.factors.values().collect();
    factors.sort_by_key(|f| !f.pollutant);
    factors
        .into_iter()
        .map(|f| {
            let name = eyes.words.pick(&f.name_zh, Some(&f.name_en));
            Choice {
                value: f.code.to_string(),
                label: format!("{name} ({})", f.code),
                chosen: chosen(&f.code),
            }
        })
        .collect()
}
