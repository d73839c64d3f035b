//! The frame around every page.

use crate::app::{App, Visit};
use crate::backend::{may_see_destinations, may_see_messages};
use crate::format::Times;
use crate::text::{Lang, Words};
use cems_core::model::Permission;

/// What the frame shows.
pub(crate) struct Shell {
    pub(crate) words: Words,
    pub(crate) site: String,
    /// Name and role; `None` on the log-in page.
    pub(crate) user: Option<(String, String)>,
    /// Which entry of the navigation is current.
    pub(crate) active: &'static str,
    /// This page, percent-encoded, for the language switch.
    pub(crate) here: String,
    pub(crate) now_ms: i64,
    pub(crate) offset_ms: i64,
    pub(crate) now_text: String,
    pub(crate) speed: u32,
    pub(crate) demo: bool,
    pub(crate) may_audit: bool,
    pub(crate) may_see_messages: bool,
    pub(crate) may_see_destinations: bool,
    /// This daemon reads instruments or uploads.
    pub(crate) has_station: bool,
    /// This daemon uploads something that the visitor may see.
    pub(crate) has_uplinks: bool,
    /// Something keeps data from being stored or processed; said on every page.
    pub(crate) trouble: bool,
    /// Confirmation or refusal shown on top of the page.
    pub(crate) notice: Option<Notice>,
}

/// Something said on top of a page.
pub(crate) struct Notice {
    /// `good` or `bad`.
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

impl Notice {
    pub(crate) fn bad(text: String) -> Self {
        Self { class: "bad", text }
    }

    /// "Saved", with the journal position from the query; anything but a number is ignored.
    pub(crate) fn saved(words: Words, seq: Option<&str>) -> Option<Self> {
        let seq: u64 = seq?.parse().ok()?;
        Some(Self {
            class: "good",
            text: words.with("saved-as", &[("seq", &seq.to_string())]),
        })
    }
}

impl Shell {
    /// The frame of a page for someone logged in.
    pub(crate) fn new(visit: &Visit, active: &'static str) -> Self {
        let role = visit.words.code("role", visit.actor.role.as_str());
        Self {
            user: Some((visit.actor.name.clone(), role)),
            active,
            may_audit: visit.may(Permission::ViewAudit),
            may_see_messages: may_see_messages(visit.actor.role),
            may_see_destinations: may_see_destinations(visit.actor.role),
            has_station: visit.app.backend.has_station(&visit.actor),
            has_uplinks: visit.app.backend.has_uplinks(&visit.actor),
            trouble: !visit.app.backend.health().ready,
            ..Self::outside(&visit.app, visit.words, &visit.here)
        }
    }

    /// The frame of the log-in page.
    pub(crate) fn outside(app: &App, words: Words, here: &str) -> Self {
        let registry = app.backend.registry();
        let times = Times {
            offset: registry.offset,
            now: app.backend.now(),
            words,
        };
        let demo = app.options.demo_banner.as_ref();
        Self {
            words,
            site: registry.site_name.clone(),
            user: None,
            active: "",
            here: crate::url::encode(here),
            now_ms: times.now.0,
            offset_ms: i64::from(registry.offset.minutes()) * 60_000,
            now_text: times.full(times.now),
            speed: demo.map_or(1, |d| d.speed.max(1)),
            demo: demo.is_some(),
            may_audit: false,
            may_see_messages: false,
            may_see_destinations: false,
            has_station: false,
            has_uplinks: false,
            trouble: false,
            notice: None,
        }
    }

    pub(crate) fn with_notice(mut self, notice: Option<Notice>) -> Self {
        self.notice = notice;
        self
    }

    /// A text of the page's language.
    pub(crate) fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// A text with a count.
    pub(crate) fn n(&self, key: &str, count: impl std::fmt::Display) -> String {
        self.words.count(key, count)
    }

    pub(crate) fn lang(&self) -> &'static str {
        self.words.0.code()
    }

    pub(crate) fn other_lang(&self) -> &'static str {
        self.words.0.other().code()
    }

    /// The other language's own name for itself.
    pub(crate) fn other_lang_name(&self) -> &'static str {
        match self.words.0.other() {
            Lang::Zh => "中文",
            Lang::En => "English",
        }
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        crate::assets::url(name)
    }

    pub(crate) fn icon(&self, name: &str) -> String {
        format!("{}#{name}", crate::assets::url("icons.svg"))
    }
}
