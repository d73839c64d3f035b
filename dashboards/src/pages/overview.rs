//! `/`: what a duty officer sees first.

use super::{Page, html};
use crate::app::Visit;
use crate::backend::{OutletState, Overview};
use crate::view::alarm::AlarmItem;
use crate::view::fallback::FallbackItem;
use crate::view::outlet::{AmountItem, OutletCard};
use crate::view::shell::Shell;
use askama::Template;

/// Alarms on the overview; the rest is one click away and the counter says how many there are.
const ALARMS_SHOWN_MAX: usize = 5;
/// Totals on the overview, highest share first.
const AMOUNTS_SHOWN_MAX: usize = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    counters: Vec<Counter>,
    outlets: Vec<OutletCard>,
    alarms: Vec<AlarmItem>,
    alarms_total: usize,
    alarms_new: usize,
    fallbacks: Vec<FallbackItem>,
    amounts: Vec<AmountItem>,
}

/// How many outlets are in a state.
struct Counter {
    state: &'static str,
    word: String,
    count: usize,
}

/// `GET /`.
pub(super) async fn page(visit: Visit) -> Page {
    let overview = visit
        .read(|backend, actor| backend.overview(actor))
        .await
        .map_err(|e| visit.failed(&e))?;
    Ok(html(&view(&visit, &overview)))
}

fn view(visit: &Visit, overview: &Overview) -> OverviewPage {
    let eyes = visit.eyes();
    let counters = OutletState::ALL
        .into_iter()
        .map(|state| Counter {
            state: state.as_str(),
            word: visit.words.code("state", state.as_str()),
            count: overview.outlets.iter().filter(|o| o.state == state).count(),
        })
        .collect();
    let new = overview.alarms.iter().filter(|a| a.acknowledged.is_none());
    OverviewPage {
        shell: Shell::new(visit, "overview"),
        counters,
        outlets: overview
            .outlets
            .iter()
            .map(|o| OutletCard::new(&eyes, o, true))
            .collect(),
        alarms_total: overview.alarms.len(),
        alarms_new: new.count(),
        alarms: overview
            .alarms
            .iter()
            .take(ALARMS_SHOWN_MAX)
            .map(|a| AlarmItem::new(&eyes, a))
            .collect(),
        fallbacks: overview
            .fallbacks
            .iter()
            .map(|f| FallbackItem::new(&eyes, f))
            .collect(),
        amounts: overview
            .amounts
            .iter()
            .take(AMOUNTS_SHOWN_MAX)
            .map(|a| AmountItem::new(&eyes, a))
            .collect(),
    }
}
