//! `/station`: the instruments this daemon reads and the centres it uploads to.

use super::{Page, html};
use crate::app::Visit;
use crate::view::shell::Shell;
use crate::view::station::{InstrumentItem, UplinkItem};
use askama::Template;

#[derive(Template)]
#[template(path = "station.html")]
struct StationPage {
    shell: Shell,
    instruments: Vec<InstrumentItem>,
    uplinks: Vec<UplinkItem>,
}

/// `GET /station`.
pub(super) async fn page(visit: Visit) -> Page {
    let status = visit
        .read(|backend, actor| backend.station(actor))
        .await
        .map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    let instruments = status.instruments.iter();
    let uplinks = status.uplinks.iter();
    Ok(html(&StationPage {
        shell: Shell::new(&visit, "station"),
        instruments: instruments.map(|i| InstrumentItem::new(&eyes, i)).collect(),
        uplinks: uplinks.map(|u| UplinkItem::new(&eyes, u)).collect(),
    }))
}
