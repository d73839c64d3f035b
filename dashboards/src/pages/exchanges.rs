//! `/exchanges`: what was asked of devices, and one exchange as it happens.

use super::{Page, Params, html};
use crate::app::Visit;
use crate::view::exchange::{ExchangeItem, StepItem, parameters, steps};
use crate::view::outlet::outlet_link;
use crate::view::shell::{Notice, Shell};
use crate::view::sourced::journal;
use askama::Template;
use axum::extract::{Path, Query};
use cems_core::model::{OutletId, Permission, Seq};

#[derive(Template)]
#[template(path = "exchanges.html")]
struct ExchangesPage {
    shell: Shell,
    /// Name and address of the only outlet shown.
    outlet: Option<(String, String)>,
    topic: String,
    people: bool,
    all_link: String,
    people_link: String,
    exchanges: Vec<ExchangeItem>,
}

/// `GET /exchanges?outlet=&people=1`: all, of one outlet, or only those that a person ordered.
pub(super) async fn list(visit: Visit, Query(query): Params) -> Page {
    let outlet = query.get("outlet").filter(|id| !id.is_empty());
    let outlet = outlet.map(OutletId::new);
    let people = query.contains_key("people");
    let asked = outlet.clone();
    let mut rows = visit
        .read(move |backend, actor| backend.exchanges(actor, asked.as_ref()))
        .await
        .map_err(|e| visit.failed(&e))?;
    rows.retain(|row| !people || row.why == "order");
    let eyes = visit.eyes();
    let of = outlet.as_ref().map(|id| crate::url::encode(id.as_str()));
    let link = |people: bool| match (&of, people) {
        (None, false) => "/exchanges".to_owned(),
        (None, true) => "/exchanges?people=1".to_owned(),
        (Some(of), false) => format!("/exchanges?outlet={of}"),
        (Some(of), true) => format!("/exchanges?outlet={of}&people=1"),
    };
    Ok(html(&ExchangesPage {
        shell: Shell::new(&visit, "exchanges"),
        topic: outlet
            .as_ref()
            .map_or_else(|| "exchanges".to_owned(), |id| format!("exchanges:{id}")),
        all_link: link(false),
        people_link: link(true),
        people,
        outlet: outlet
            .as_ref()
            .map(|id| (eyes.outlet_words(id), outlet_link(id.as_str()))),
        exchanges: rows.iter().map(|r| ExchangeItem::new(&eyes, r)).collect(),
    }))
}

#[derive(Template)]
#[template(path = "exchange.html")]
struct ExchangePage {
    shell: Shell,
    exchange: ExchangeItem,
    /// Standard name, words, value.
    parameters: Vec<(String, String, String)>,
    steps: Vec<StepItem>,
    more_steps: u32,
    journal: String,
    outlet_exchanges: String,
    /// Where the same command is ordered; `None` for those who may not.
    again: Option<String>,
}

/// `GET /exchanges/{id}`.
pub(super) async fn page(visit: Visit, Path(id): Path<u64>, Query(query): Params) -> Page {
    let (row, forms) = visit
        .read(move |backend, actor| {
            let row = backend.exchange(actor, Seq(id))?;
            // Only for the labels: without them the standard's names stand alone.
            let forms = backend.commands(actor, &row.outlet).unwrap_or_default();
            Ok((row, forms))
        })
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let form = forms.iter().find(|form| form.cn == row.cn);
    let outlet = crate::url::encode(row.outlet.as_str());
    let mut exchange = ExchangeItem::new(&eyes, &row);
    if let Some(form) = form {
        // The device's own edition decides what a number means.
        let label = visit.words.pick(&form.label_zh, Some(&form.label_en));
        label.clone_into(&mut exchange.name);
    }
    let again = form.filter(|_| visit.may(Permission::Command));
    let saved = query.get("saved").map(String::as_str);
    Ok(html(&ExchangePage {
        shell: Shell::new(&visit, "exchanges").with_notice(Notice::saved(visit.words, saved)),
        parameters: parameters(&eyes, &row, form),
        steps: steps(&eyes, &row),
        more_steps: row.more_steps,
        journal: journal(row.id),
        outlet_exchanges: format!("/exchanges?outlet={outlet}"),
        again: again.map(|form| format!("/outlets/{outlet}/commands?cn={0}#c{0}", form.cn)),
        exchange,
    }))
}
