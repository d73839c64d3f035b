//! `/outlets/{id}/explain`: why a figure is what it is.

use super::judgement::known;
use super::{Page, Params, check_scope, html, status_of};
use crate::app::Visit;
use crate::backend::BackendError;
use crate::refusal::refused;
use crate::view::explain::NodeItem;
use crate::view::section::{Choice, Section, Tab, factor_choices, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::IntoResponse;
use cems_core::explain::{Asked, DEPTH_DEFAULT, DEPTH_MAX, Question, period};
use cems_core::model::time::HOUR_MS;
use cems_core::model::{FactorCode, Level, OutletId, Period, UtcOffset};

/// A question as people and programs write it.
///
/// # Errors
/// When the period or the depth cannot be read.
pub(crate) fn question(
    outlet: &str,
    factor: &str,
    period: &str,
    depth: Option<&str>,
    offset: UtcOffset,
) -> Result<Question, BackendError> {
    let asked = period::parse(period, offset);
    let depth = match depth.filter(|text| !text.is_empty()) {
        None => DEPTH_DEFAULT,
        Some(text) => text
            .parse()
            .map_err(|_| refused("depth-unreadable", text))?,
    };
    Ok(Question {
        outlet: OutletId::new(outlet),
        factor: FactorCode::new(factor),
        asked: asked.map_err(|_| refused("period-unreadable", period))?,
        depth,
    })
}

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    factors: Vec<Choice>,
    period: String,
    depths: Vec<Choice>,
    root: Option<NodeItem>,
    /// The same as text and as JSON.
    api: String,
}

/// `GET /outlets/{id}/explain?factor=&period=&depth=`; the last whole hour of the first pollutant
/// when not asked otherwise.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let outlet_id = OutletId::new(&id);
    check_scope(visit.app.backend.as_ref(), &visit.actor, &outlet_id)
        .map_err(|e| visit.failed(&e))?;
    let outlet = known(&visit, &outlet_id).map_err(|e| visit.failed(&e))?;
    let offset = visit.times.offset;
    let last_hour = Period::containing(Level::Hour, visit.times.now.plus_ms(-HOUR_MS), offset);
    let first = outlet.factors.values().find(|f| f.pollutant);
    let asked = |name: &str| query.get(name).filter(|text| !text.is_empty()).cloned();
    let factor = asked("factor")
        .or_else(|| first.map(|f| f.code.to_string()))
        .unwrap_or_default();
    let period = asked("period").unwrap_or_else(|| period::text(Asked::Period(last_hour), offset));
    let depth = asked("depth");
    let question = question(&id, &factor, &period, depth.as_deref(), offset);
    let (root, error) = match question {
        Err(error) => (None, Some(error)),
        Ok(question) => {
            let found = visit
                .read(move |b, actor| b.explain(actor, &question))
                .await;
            match found {
                Ok(node) => (Some(NodeItem::new(visit.words, &node)), None),
                Err(error @ BackendError::Refused { .. }) => (None, Some(error)),
                Err(error) => return Err(visit.failed(&error)),
            }
        }
    };
    let eyes = visit.eyes();
    let level: u32 = depth.and_then(|d| d.parse().ok()).unwrap_or(DEPTH_DEFAULT);
    let mut page = ExplainPage {
        shell: Shell::new(&visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "explain"),
        factors: factor_choices(&eyes, outlet, |code| code.as_str() == factor),
        api: format!(
            "/api/v1/explain?outlet={}&factor={}&period={}&depth={level}",
            crate::url::encode(&id),
            crate::url::encode(&factor),
            crate::url::encode(&period)
        ),
        period,
        depths: (1..=DEPTH_MAX)
            .map(|n| Choice {
                value: n.to_string(),
                label: n.to_string(),
                chosen: n == level.min(DEPTH_MAX),
            })
            .collect(),
        root,
    };
    match error {
        None => Ok(html(&page)),
        Some(error) => {
            page.shell.notice = Some(visit.refusal(&error));
            Err((status_of(&error), html(&page)).into_response())
        }
    }
}
